"""Add an endpoint: a URL or a bare host; what answered and what it offers is shown before it is added."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.drivers import spec_for, specs
from app.drivers.base import EndpointReport, OfferedEndpoint
from app.edits.endpoints import add_endpoint
from app.errors import UserError
from app.runtime.state import Reply
from widgets.look import MessageBar, button, label, set_kind
from widgets.workbench import Workbench


class AddEndpointDialog(QDialog):
    """Asks what is there (one polite connection per protocol), then adds one endpoint and connects it."""

    def __init__(self, workbench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self._tokens: dict[int, str] = {}
        self._reports: list[tuple[str, EndpointReport]] = []
        self._failures: list[UserError] = []
        self.setWindowTitle("Add endpoint")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(620, 420)
        self._build()

    def _build(self) -> None:
        self.address = QLineEdit(placeholderText="192.168.0.10, or opc.tcp://host:4840, or modbus://host:502")
        self.address.setAccessibleName("Address")
        self.name = QLineEdit(placeholderText="a short name, such as filler-opcua")
        self.name.setAccessibleName("Name")
        self.ask = button("Ask what is there", "search")
        self.answers = QListWidget()
        self.answers.setAccessibleName("What answered")
        self.state = label("Nothing has been asked yet.", "dim", wrap=True)
        self.message = MessageBar()
        self.message.hide()
        form = QFormLayout()
        row = QHBoxLayout()
        row.addWidget(self.address, 1)
        row.addWidget(self.ask)
        form.addRow("Address", row)
        form.addRow("Name", self.name)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.add = self.buttons.addButton("Add and connect", QDialogButtonBox.ButtonRole.AcceptRole)
        set_kind(self.add, "primary")
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.message)
        layout.addWidget(self.state)
        layout.addWidget(self.answers, 1)
        layout.addWidget(self.buttons)
        self.address.returnPressed.connect(self._on_ask)
        self.address.textChanged.connect(self._on_other_address)
        self.name.returnPressed.connect(self.add.click)
        self.ask.clicked.connect(self._on_ask)
        self.message.dismissed.connect(self.message.hide)
        self.answers.currentItemChanged.connect(lambda *_: self._refresh())
        self.buttons.accepted.connect(self._on_add)
        self.buttons.rejected.connect(self.reject)
        self.finished.connect(self._on_finished)
        self.ask.setAutoDefault(False)
        self._refresh()

    def _refresh(self) -> None:
        text = self.address.text().strip()
        self.ask.setEnabled(bool(text) and not self._tokens)
        self.add.setEnabled(bool(text))
        item = self.answers.currentItem()
        self.name.setPlaceholderText(
            proposed_name(str(item.data(Qt.ItemDataRole.UserRole))) if item else "a short name, such as filler-opcua"
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter is the fields' own: in the address it asks, and nothing is added unseen by a default button."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    # Asking

    def _on_other_address(self) -> None:
        """What answered was asked at another address: it must not be added under this one."""
        self._forget()
        self.answers.clear()
        self.message.hide()
        self.state.setText("Nothing has been asked yet.")
        self._refresh()

    def _on_ask(self) -> None:
        self.answers.clear()
        self._reports, self._failures = [], []
        self.message.hide()
        try:
            urls = candidates(self.address.text().strip())
        except UserError as error:
            self.message.show_error(error)
            self.message.show()
            return
        for url in urls:
            token = self._workbench.live.discover(url)
            self._tokens[token] = url
            self._workbench.ask(token, self._on_reply)
        self.state.setText("Asking " + ", ".join(urls) + " …")
        self._refresh()

    def _on_reply(self, reply: Reply) -> None:
        url = self._tokens.pop(reply.token, "")
        if isinstance(reply.result, EndpointReport):
            self._reports.append((url, reply.result))
            self._list_report(url, reply.result)
        elif isinstance(reply.result, UserError):
            self._failures.append(reply.result)
        if not self._tokens:
            self._conclude()
        self._refresh()

    def _list_report(self, url: str, report: EndpointReport) -> None:
        offers = report.offered or (None,)
        for offer in offers:
            protection = f"   {_words(offer)}" if offer is not None else ""
            item = QListWidgetItem(f"{report.title}\n{url}{protection}")
            item.setData(Qt.ItemDataRole.UserRole, url)
            if offer is not None and offer.mode != "None":
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
                item.setToolTip("Secured connections come with certificates, which this version cannot make yet")
            self.answers.addItem(item)
        if self.answers.currentRow() < 0:
            self.answers.setCurrentRow(
                next((row for row in range(self.answers.count()) if self.answers.item(row).flags() & Qt.ItemFlag.ItemIsEnabled), 0)
            )

    def _conclude(self) -> None:
        if self._reports:
            self.state.setText("What answered:")
            return
        self.state.setText("Nothing answered. It can be added all the same, and connected later.")
        for failure in self._failures[:1]:
            self.message.show_error(failure)
            self.message.show()

    # Adding

    def _on_add(self) -> None:
        item = self.answers.currentItem()
        try:
            chosen = str(item.data(Qt.ItemDataRole.UserRole)) if item else candidates(self.address.text().strip())[0]
            url = spec_for(chosen).parse_url(chosen)
            name = self.name.text().strip() or proposed_name(url)
            edit = add_endpoint(self._workbench.project, name, url)
        except UserError as error:
            self.message.show_error(error)
            self.message.show()
            return
        self._workbench.do(edit)
        self.accept()
        self._workbench.live.connect(edit.changes[0].id)

    def _on_finished(self) -> None:
        self._forget()

    def _forget(self) -> None:
        for token in list(self._tokens):
            self._workbench.forget(token)
        self._tokens.clear()


def _words(offer: OfferedEndpoint) -> str:
    protection = "no security" if offer.mode == "None" else f"{offer.policy} {offer.mode}"
    return f"{protection}, user: {', '.join(offer.users) or 'not stated'}"


def candidates(text: str) -> list[str]:
    """The URLs to ask: the one typed, or for a bare host (with or without a port) one per protocol.

    Raises:
        UserError: A URL that no driver speaks, or a malformed one.
    """
    if "://" in text:
        return [spec_for(text).parse_url(text)]
    with_port = ":" in text.rsplit("]", 1)[-1]
    return [spec.parse_url(f"{spec.schemes[0]}://{text}" + ("" if with_port else f":{spec.default_port}")) for spec in specs().values()]


def proposed_name(url: str) -> str:
    """``192.168.0.10-opcua``: host and protocol."""
    host = url.split("://", 1)[-1].split("/", 1)[0].rsplit(":", 1)[0].strip("[]")
    return f"{host}-{spec_for(url).key}"


def show_add_endpoint(parent: QWidget | None, workbench: Workbench) -> AddEndpointDialog:
    dialog = AddEndpointDialog(workbench, parent)
    dialog.open()
    return dialog
