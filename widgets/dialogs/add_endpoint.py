"""Add an endpoint: look what is at an address, choose a way to connect, and have one endpoint in the project, connected."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.drivers import spec_for
from app.drivers.probe_questions import ProbeStep
from app.edits.new_endpoint import add_connection
from app.errors import UserError
from app.model.plant import Endpoint
from widgets.dialogs.add_endpoint_answers import Answers
from widgets.dialogs.add_endpoint_choice import Choice
from widgets.dialogs.add_endpoint_look import LookPanel
from widgets.dialogs.add_endpoint_network import NetworkPanel
from widgets.dialogs.add_endpoint_serial import SerialPanel
from widgets.dialogs.edit_dialog import SCREEN_SHARE
from widgets.look import ChipBar, EmptyState, MessageBar, set_kind, set_look
from widgets.workbench import Workbench

_ANSWERS_PX = 150
"""The best way to connect and its reason, and the beginning of the next: what there is of the answers at the very least."""
SOURCES = (("address", "Network address"), ("serial", "Serial line"), ("network", "Find servers"))


class AddEndpointDialog(QDialog):
    """Nothing is asked before *Look* is pressed, nothing is added before *Add and connect* is. Does not block the window."""

    def __init__(self, workbench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self.setWindowTitle("Add endpoint")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.sources = ChipBar(SOURCES)
        self.look = LookPanel(workbench)
        self.serial = SerialPanel(workbench)
        self.network = NetworkPanel(workbench)
        self.answers = Answers()
        self.choice = Choice(workbench)
        self.message = MessageBar()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.add = self.buttons.addButton("Add and connect", QDialogButtonBox.ButtonRole.AcceptRole)
        set_kind(self.add, "primary")
        self._build()
        self._connect()
        self.resize(1000, 700)
        self._refresh()

    def _build(self) -> None:
        self._left = QStackedWidget()
        self._left.addWidget(self.look)
        self._left.addWidget(self.serial)
        self._empty = EmptyState("search", "Nothing has answered yet", "Write the address of a device and press Look.")
        nothing = QWidget()
        column = QVBoxLayout(nothing)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.look.message)
        column.addWidget(self.serial.message)
        column.addWidget(self._empty, 100)
        column.addStretch(1)
        self._right = QStackedWidget()
        self._right.addWidget(nothing)
        self._right.addWidget(self._found())
        halves = QWidget()
        row = QHBoxLayout(halves)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self._left, 5)
        row.addWidget(self._right, 6)
        self._pages = QStackedWidget()
        self._pages.addWidget(halves)
        self._pages.addWidget(self.network)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(10)
        layout.addWidget(self.sources)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self.message)
        layout.addWidget(self.buttons)

    def _found(self) -> QWidget:
        """The answers scroll; what is still to be decided stays in sight below them, however many ways to connect there are.

        On a screen that is too small for both, the half scrolls as a whole.
        """
        content = QWidget()
        set_look(content, look="plain")
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 8, 0)
        column.addWidget(self.answers)
        column.addStretch(1)
        self._area = _scrolling(content)
        self._area.setMinimumHeight(_ANSWERS_PX)
        page = QWidget()
        set_look(page, look="plain")
        below = QVBoxLayout(page)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(12)
        below.addWidget(self._area, 100)
        beside_bar = QHBoxLayout()  # as wide as the cards above, which leave room for their scroll bar
        beside_bar.setContentsMargins(0, 0, 8, 0)
        beside_bar.addWidget(self.choice)
        below.addLayout(beside_bar)
        below.addStretch(1)
        return _scrolling(page)

    def _connect(self) -> None:
        self.sources.chosen.connect(self.show_source)
        for panel in (self.look, self.serial):
            panel.began.connect(self._on_began)
            panel.changed.connect(self._refresh)
            panel.answered.connect(self._on_answered)
            panel.ended.connect(self._refresh)
        self.look.discovery_asked.connect(self._on_discovery)
        self.look.address.textChanged.connect(self._refresh)
        self.network.chosen.connect(self._on_chosen)
        self.answers.chosen.connect(self._refresh)
        self.message.dismissed.connect(self.message.hide)
        self.buttons.accepted.connect(self._on_add)
        self.buttons.rejected.connect(self.reject)
        self.finished.connect(self._on_finished)
        self._workbench.project_replaced.connect(self.reject)

    def show_source(self, key: str) -> None:
        """``address``, ``serial`` or ``network``."""
        self.sources.choose(key)
        self._stop()
        self._on_began()
        self._pages.setCurrentIndex(1 if key == "network" else 0)
        self._left.setCurrentWidget(self.serial if key == "serial" else self.look)
        self._refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter is the fields' own: in the address it asks, and nothing is added unseen by a default button."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        self.resize(self.size().boundedTo(self.screen().availableSize() * SCREEN_SHARE))
        self.look.address.setFocus()
        super().showEvent(event)

    # What was found

    def _on_began(self) -> None:
        self.message.hide()
        self.answers.clear()

    def _on_answered(self, step: ProbeStep) -> None:
        self.answers.add(step)
        self._refresh()

    def _on_discovery(self, url: str) -> None:
        """A discovery server has no data: what it lists is shown instead."""
        self.show_source("network")
        self.network.ask_server(url)

    def _on_chosen(self, url: str) -> None:
        self.show_source("address")
        self.look.look_at(url)

    # Adding

    def _url(self) -> str:
        """Of what is to be added: the chosen answer, else the URL that was typed, which may answer later; "" is nothing yet."""
        way = self.answers.way
        if way is not None:
            return way.step.url
        if self.sources.current == "serial":
            try:
                return self.serial.url()
            except UserError:
                return ""
        found = self.look.target if self.sources.current == "address" else None
        return found.url if found is not None else ""

    def _refresh(self) -> None:
        way, url = self.answers.way, self._url()
        self._right.setCurrentIndex(1 if way is not None or url else 0)
        self._show_hint()
        self._empty.setVisible(self.look.message.isHidden() and self.serial.message.isHidden())
        self._area.setVisible(way is not None)
        self.choice.show_way(url, way)
        self.add.setEnabled(bool(url))
        tip = "" if url else "Look first, or write a URL: opc.tcp://… or modbus://… can be added without an answer"
        self.add.setToolTip(tip)

    def _show_hint(self) -> None:
        """What the right half says while nothing has answered."""
        if self.look.is_asking or self.serial.is_asking:
            self._empty.set_words("Looking …", "What answers is shown here as it comes.")
        elif self.sources.current == "serial":
            self._empty.set_words("Nothing has answered yet", "Choose port and settings and press Look.")
        else:
            self._empty.set_words("Nothing has answered yet", "Write the address of a device and press Look.")

    def _on_add(self) -> None:
        project = self._workbench.project
        try:
            url = self.choice.url()
            spec_for(url).parse_url(url)
            edit = add_connection(
                project,
                self.choice.name_or_proposal(),
                url,
                security=self.choice.security(),
                passphrase=self.choice.sign_in.needs_passphrase,
                unit=self.choice.unit_number(),
                order=self.choice.byte_order(),
            )
        except UserError as error:
            self.message.show_error(error)
            return
        endpoint = edit.changes[0].after
        assert isinstance(endpoint, Endpoint)
        self._workbench.do(edit)
        self.choice.sign_in.keep_secret(endpoint.security.secret)
        self.accept()
        self._workbench.select("endpoint", [endpoint.id], endpoint.id)  # its card tells how it goes on
        self._workbench.live.connect(endpoint.id)

    def _on_finished(self) -> None:
        self._stop()

    def _stop(self) -> None:
        for panel in (self.look, self.serial, self.network):
            panel.stop()


def _scrolling(content: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(content)
    return area


def show_add_endpoint(parent: QWidget | None, workbench: Workbench) -> AddEndpointDialog:
    """The one that is open, where there is one."""
    for held in parent.findChildren(AddEndpointDialog) if parent is not None else ():
        if held.isVisible():
            held.raise_()
            held.activateWindow()
            return held
    dialog = AddEndpointDialog(workbench, parent)
    dialog.show()
    return dialog
