"""The left half of *Add endpoint*: an address, the ports that will be asked, and each step as it is taken."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.drivers.base import EndpointReport
from app.drivers.probe_questions import PORTS, Outcome, ProbeStep, Verdict
from app.drivers.probe_target import Target, ports_of, step_of_report, target
from app.drivers.questions import Progress
from app.errors import UserError
from app.runtime.state import Reply
from widgets.dialogs.step_list import StepList
from widgets.look import MessageBar, button, label
from widgets.workbench import Workbench

USUAL_PORTS = ", ".join(map(str, PORTS))
_ICONS: dict[Outcome, tuple[str, str]] = {
    "asking": ("more", "dim"),
    "fine": ("ok", "good"),
    "unclear": ("warning", "warn"),
    "failed": ("close", "bad"),
}
_CLOSED = ("minus", "dim")
"""Of a port on which nothing listens: no fault."""


class LookPanel(QWidget):
    """Asks once for every press of *Look*. ``message`` is placed by whoever shows the panel: it says why nothing usable answered.

    Signals:
        began: What was answered before is void.
        answered: A ``ProbeStep`` that can become an endpoint.
        ended: All is said.
        changed: Asking has begun or was stopped.
        discovery_asked: URL of a discovery server whose list should be shown.
    """

    began = Signal()
    answered = Signal(object)
    ended = Signal()
    changed = Signal()
    discovery_asked = Signal(str)

    def __init__(self, workbench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self._token: int | None = None
        self._ports_typed = False
        self.address = QLineEdit(placeholderText="192.168.0.10, plc-4, or opc.tcp://host:4840")
        self.address.setAccessibleName("Address")
        self.ports = QLineEdit(USUAL_PORTS)
        self.ports.setAccessibleName("Ports to ask")
        self.look = button("Look", "search")
        self.look.setAutoDefault(False)
        self.state = label("Only these ports are asked, one connection each.", "dim", wrap=True)
        self.steps = StepList("Steps")
        self.message = MessageBar()
        self._build()
        self.address.textChanged.connect(self._on_address_changed)
        self.ports.textEdited.connect(self._on_ports_edited)
        self.address.returnPressed.connect(self.start)
        self.ports.returnPressed.connect(self.start)
        self.look.clicked.connect(self._on_look)
        self._refresh()

    def _build(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.address, 1)
        row.addWidget(self.look)
        form = QFormLayout()
        form.addRow("Address", row)
        form.addRow("Ports", self.ports)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(form)
        layout.addWidget(self.state)
        layout.addWidget(self.steps, 1)
        self.message.dismissed.connect(self.message.hide)

    @property
    def target(self) -> Target | None:
        """What is typed, None while it is no address."""
        try:
            return target(self.address.text())
        except UserError:
            return None

    @property
    def is_asking(self) -> bool:
        return self._token is not None

    def look_at(self, text: str) -> None:
        """Fill the address in and ask."""
        self.address.setText(text)
        self.start()

    # Asking

    def start(self) -> None:
        self.stop()
        self._clear()
        try:
            wanted = target(self.address.text())
            ports = ports_of(self.ports.text())
        except UserError as error:
            self.message.show_error(error)
            self._refresh()
            return
        live = self._workbench.live
        self._token = live.ask_anywhere(wanted.probe(ports)) if wanted.is_probed else live.discover(wanted.url)
        self._workbench.ask(self._token, self._on_reply)
        self.state.setText(f"Asking {wanted.host} …")
        self._refresh()

    def stop(self) -> None:
        """Forget what was asked; safe at any time."""
        if self._token is not None:
            self._workbench.forget(self._token)
            self._token = None
            self.state.setText("Stopped.")
        self._refresh()

    def _on_look(self) -> None:
        if self.is_asking:
            self.stop()
        else:
            self.start()

    def _on_reply(self, reply: Reply) -> None:
        match reply.result:
            case ProbeStep() as step:
                self._show_step(step)
            case Progress(done=done, total=total):
                self.state.setText(f"{done} of {total} ports have answered or been given up …")
            case Verdict() as verdict:
                self._show_verdict(verdict)
            case EndpointReport() as report:
                self._show_step(step_of_report(report))
                self.state.setText("One device answered.")
            case UserError() as error:
                self.message.show_error(error)
                self.state.setText("Nothing answered.")
        if reply.done:
            self._token = None
            self._refresh()
            self.ended.emit()

    def _show_step(self, step: ProbeStep) -> None:
        self.steps.show_step((step.step, step.port), _CLOSED if step.kind == "refused" else _ICONS[step.outcome], step.text)
        if step.discovery:
            self.discovery_asked.emit(step.url)
        elif step.url:
            self.answered.emit(step)

    def _show_verdict(self, verdict: Verdict) -> None:
        self.state.setText(f"{verdict.what}." if verdict.outcome == "fine" else "Nothing usable answered.")
        if verdict.outcome != "fine":
            failed = verdict.outcome == "failed"
            self.message.show_message(verdict.what, "error" if failed else "warning", why=verdict.why, fix=verdict.fix)

    # Typing

    def _on_address_changed(self) -> None:
        """What answered was asked at another address: it must not be added under this one."""
        self.stop()
        self._clear()
        if not self._ports_typed:
            found = self.target
            self.ports.setText(", ".join(map(str, found.ports)) if found is not None else USUAL_PORTS)

    def _on_ports_edited(self) -> None:
        self._ports_typed = True

    def _clear(self) -> None:
        self.steps.clear()
        self.message.hide()
        self.state.setText("Only these ports are asked, one connection each.")
        self.began.emit()
        self._refresh()

    def _refresh(self) -> None:
        self.look.setText("Stop" if self.is_asking else "Look")
        self.look.setEnabled(bool(self.address.text().strip()))
        self.changed.emit()
