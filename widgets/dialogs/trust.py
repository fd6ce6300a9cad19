"""Asks whether the certificate that a server showed is to be trusted, with everything that is wrong with it. Nothing connects meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.edits.endpoints import confirm_identity
from app.errors import EndpointError, UserError
from app.model.plant import Identity
from app.trust.facts import spaced, split_chain, utc
from app.trust.judge import Verdict, judge
from app.trust.problem import Problem
from app.trust.store import TrustStore
from app.workspace.paths import pki_dir
from widgets.dialogs.edit_dialog import SCREEN_SHARE
from widgets.dialogs.raised import raised
from widgets.look import KeyValue, KeyValueTable, MessageBar, divider, icon, label, row_px, set_kind
from widgets.workbench import Workbench

_WIDTH_PX = 620
_EXPECTED = frozenset({"untrusted"})
"""What every new server has against it: it is the question of the dialog, not a problem of the certificate."""


class TrustDialog(QDialog):
    """Trust, refuse, or leave it for now. What can be overruled has a box of its own, and all of them must be ticked to trust.

    To trust a changed certificate always is to say that the project means it: the thumbprint by which the project knows the device
    is changed with it, so that nobody is asked the same twice. Trust for once changes no project.

    Attributes:
        verdict: Of what the server sent, as the store says now.
        boxes: For each problem that must be accepted: its box.
    """

    def __init__(self, workbench: Workbench, endpoint: str, error: EndpointError, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workbench, self.endpoint, self._error = workbench, endpoint, error
        self._store = TrustStore(pki_dir())
        self.verdict = self._judge()
        self.boxes: dict[QCheckBox, Problem] = {}
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Certificate of the server")
        self.message = MessageBar()
        self.message.hide()
        self._build()
        workbench.project_replaced.connect(self.reject)
        self._refresh()

    def _judge(self) -> Verdict:
        held = self._workbench.endpoint(self.endpoint)
        host = urlsplit(self._error.where).hostname or ""
        known = held.identity if held is not None else Identity()
        chain = split_chain(self._error.evidence)
        return judge(self._store, chain, host=host, application_uri=self._error.about, known=known, now_ns=time.time_ns())

    def _build(self) -> None:
        held = self._workbench.endpoint(self.endpoint)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        name = self.verdict.facts.name or "a server without a name"
        layout.addWidget(label(f"Do you trust {name}?", "title", wrap=True))
        where = f"{held.name}, {self._error.where}" if held is not None else self._error.where
        words = f"It answers at {where}. It was asked only for the ways to connect, and nothing secret was sent."
        layout.addWidget(label(words, "dim", wrap=True))
        content = QWidget()
        body = QVBoxLayout(content)
        body.setContentsMargins(0, 0, 12, 0)
        body.setSpacing(8)
        for problem in self.verdict.problems:
            if problem.code not in _EXPECTED:
                body.addWidget(self._line(problem))
        if self.boxes or any(one.code not in _EXPECTED for one in self.verdict.problems):
            body.addWidget(divider())
        body.addWidget(self._facts())
        words = (
            "Compare the thumbprint with the one that the server itself shows, or ask whoever runs it. "
            "An impostor that is trusted gets the password and can show any value."
        )
        body.addWidget(label(words, "dim", wrap=True))
        body.addStretch(1)
        area = QScrollArea(widgetResizable=True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(content)
        layout.addWidget(area, 1)
        layout.addWidget(self.message)
        buttons = QDialogButtonBox()
        self.trust = buttons.addButton("Trust always", QDialogButtonBox.ButtonRole.AcceptRole)
        self.once = buttons.addButton("Trust once", QDialogButtonBox.ButtonRole.AcceptRole)
        self.refuse = buttons.addButton("Refuse for ever", QDialogButtonBox.ButtonRole.DestructiveRole)
        self.later = buttons.addButton("Not now", QDialogButtonBox.ButtonRole.RejectRole)
        for pressed in (self.trust, self.once, self.refuse):
            pressed.setAutoDefault(False)  # Enter never decides this
        self.refuse.setToolTip("Connections to it are refused without asking, until it is taken from the store")
        self.later.setToolTip("Stay unconnected; it is asked again with the next Connect")
        self.later.setDefault(True)
        self.later.setFocus()
        set_kind(self.trust, "primary")
        self.trust.clicked.connect(lambda: self._on_trust(once=False))
        self.once.clicked.connect(lambda: self._on_trust(once=True))
        self.refuse.clicked.connect(self._on_refuse)
        self.later.clicked.connect(self.reject)
        layout.addWidget(buttons)
        self.resize(_WIDTH_PX, min(content.sizeHint().height() + 130, 680))

    def showEvent(self, event: QShowEvent) -> None:
        self.resize(self.size().boundedTo(self.screen().availableSize() * SCREEN_SHARE))
        super().showEvent(event)

    def _line(self, problem: Problem) -> QWidget:
        """One problem: what, why it matters, and where it can be overruled the box that does so."""
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        grave = not problem.can_accept or problem.code == "changed"
        sign = label("")
        sign.setPixmap(icon("error" if grave else "warning", "bad" if grave else "warn").pixmap(row_px() - 8))
        row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(label(problem.text, "bad" if grave else "", wrap=True, selectable=True))
        if problem.fix:
            column.addWidget(label(problem.fix, "dim", wrap=True, selectable=True))
        if problem.accepted:
            column.addWidget(label("Accepted before for this certificate.", "dim"))
        elif problem.can_accept:
            box = QCheckBox("Accept this for this certificate")
            box.setAccessibleName(f"Accept: {problem.code}")
            box.toggled.connect(self._refresh)
            self.boxes[box] = problem
            column.addWidget(box)
        row.addLayout(column, 1)
        return line

    def _facts(self) -> KeyValueTable:
        facts = self.verdict.facts
        table = KeyValueTable(fit=True)
        rows = [
            KeyValue("Name", facts.name),
            KeyValue("Subject", facts.subject),
            KeyValue("Issued by", "itself" if facts.self_signed else facts.issuer),
            KeyValue("Application URI", facts.application_uri or "none"),
            KeyValue("For", ", ".join(facts.hosts) or "no host"),
            KeyValue("Valid", f"{utc(facts.not_before_ns)} to {utc(facts.not_after_ns)}"),
            KeyValue("Key", f"{facts.key}, signed with {facts.signature}"),
            KeyValue("Thumbprint", spaced(facts.thumbprint), mono=True, tip="SHA-1 of the certificate, as OPC UA servers show it"),
            KeyValue("SHA-256", spaced(facts.sha256), mono=True),
        ]
        table.set_rows([row for row in rows if row.value])
        return table

    def _refresh(self) -> None:
        open_boxes = [box for box in self.boxes if not box.isChecked()]
        never = [one for one in self.verdict.problems if not one.can_accept and one.code not in _EXPECTED]
        tip = (
            "There is something that nobody can accept" if never else "First accept what is wrong, or have it mended" if open_boxes else ""
        )
        for pressed in (self.trust, self.once):
            pressed.setEnabled(not open_boxes and not never)
            pressed.setToolTip(tip)
        if not tip:
            self.once.setToolTip("Only until this program ends")

    def _on_trust(self, *, once: bool) -> None:
        accepting = [problem.acceptance for problem in self.boxes.values()]
        if self._decided(lambda der: self._store.trust(der, accepting=accepting, once=once)):
            if not once:
                self._confirm_thumbprint()
            self._workbench.live.connect(self.endpoint)
            self.accept()

    def _confirm_thumbprint(self) -> None:
        """Where the project knows the device by another certificate."""
        workbench, held = self._workbench, self._workbench.endpoint(self.endpoint)
        now = self.verdict.facts.thumbprint
        if held is None or not held.identity.thumbprint or _digits(held.identity.thumbprint) == now:
            return
        identity = msgspec.structs.replace(held.identity, thumbprint=now)
        workbench.attempt(lambda: confirm_identity(workbench.project, held.id, identity))

    def _on_refuse(self) -> None:
        if self._decided(self._store.refuse):
            self._workbench.live.disconnect(self.endpoint)
            self.accept()

    def _decided(self, decide: Callable[[bytes], object]) -> bool:
        try:
            decide(self.verdict.chain[0] if self.verdict.chain else b"")
        except UserError as error:
            self.message.show_error(error)
            return False
        return True


def _digits(thumbprint: str) -> str:
    return "".join(thumbprint.split()).replace(":", "").upper()


def show_trust(parent: QWidget | None, workbench: Workbench, endpoint: str, error: EndpointError) -> TrustDialog:
    """The one that is open for this endpoint, where there is one."""
    return raised(parent, TrustDialog, endpoint) or _shown(TrustDialog(workbench, endpoint, error, parent))


def _shown(dialog: TrustDialog) -> TrustDialog:
    dialog.show()
    return dialog
