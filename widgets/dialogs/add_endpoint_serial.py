"""A serial line as an endpoint: its port among those this computer has, and how the line is set."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.drivers import spec_for
from app.drivers.base import EndpointReport
from app.drivers.modbus.serial_ports import BAUDRATES, PARITIES, serial_ports, serial_url
from app.drivers.modbus.url import ModbusUrl
from app.drivers.probe_target import step_of_report
from app.errors import UserError
from app.runtime.state import Reply
from widgets.dialogs.scan_serial import show_scan_serial
from widgets.fields import NumberField
from widgets.look import MessageBar, button, label, tool_button
from widgets.workbench import Workbench


class SerialPanel(QWidget):
    """Signals: as of ``LookPanel``."""

    began = Signal()
    answered = Signal(object)
    ended = Signal()
    changed = Signal()

    def __init__(self, workbench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self._token: int | None = None
        self.port = QComboBox(editable=True)
        self.baudrate = QComboBox(editable=True)
        self.baudrate.addItems([str(rate) for rate in BAUDRATES])
        self.parity = QComboBox()
        for key, words in PARITIES.items():
            self.parity.addItem(words, key)
        self.stopbits = QComboBox()
        self.stopbits.addItems(["1", "2"])
        self.unit = NumberField("Unit id", whole=True)
        self.look = button("Look", "search")
        self.look.setAutoDefault(False)
        self.again = tool_button("refresh", "List the ports again")
        self.parameters = button(
            "Find the parameters…", "settings", kind="flat", tip="Try baud rates and parities on this port, one after the other"
        )
        self.parameters.setAutoDefault(False)
        self.state = label("", "dim", wrap=True)
        self.message = MessageBar()
        self._build()
        self.list_ports()

    def _build(self) -> None:
        self.baudrate.setCurrentText("19200")
        self.unit.set_value(1)
        fields = {"Port": self.port, "Baud rate": self.baudrate, "Parity": self.parity, "Stop bits": self.stopbits, "Unit id": self.unit}
        row = QHBoxLayout()
        row.addWidget(self.port, 1)
        row.addWidget(self.again)
        row.addWidget(self.look)
        form = QFormLayout()
        form.addRow("Port", row)
        for title, field in list(fields.items())[1:]:
            form.addRow(title, field)
        for title, field in fields.items():
            field.setAccessibleName(title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(form)
        layout.addWidget(self.parameters, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.state)
        layout.addStretch(1)
        self.again.clicked.connect(self.list_ports)
        self.look.clicked.connect(self._on_look)
        self.parameters.clicked.connect(self._on_find)
        self.message.dismissed.connect(self.message.hide)
        for box in (self.port, self.baudrate):
            box.editTextChanged.connect(self._on_changed)
        for box in (self.parity, self.stopbits):
            box.currentIndexChanged.connect(self._on_changed)
        self.unit.changed.connect(self._on_changed)

    def list_ports(self) -> None:
        """What is plugged in now; a typed port stays."""
        typed = self.port.currentText()
        self.port.clear()
        for found in serial_ports():
            self.port.addItem(found.text, found.device)
        if typed:
            self.port.setEditText(typed)
        if line := self.port.lineEdit():
            line.setPlaceholderText("/dev/ttyUSB0 or COM3")
        words = "One register of this unit is asked for, on this port only." if self.port.count() else "This computer shows no serial port."
        self.state.setText(words)

    def url(self) -> str:
        """Canonical.

        Raises:
            UserError: No port, or a setting that none has.
        """
        device = self._device()
        try:
            baudrate, unit = int(self.baudrate.currentText()), int(self.unit.value() or 0)
        except ValueError as error:
            fix = f"Baud rates are numbers such as {BAUDRATES[3]}"
            raise UserError("Cannot use these settings", where="Serial line", why=str(error), fix=fix) from None
        url = serial_url(device, baudrate, str(self.parity.currentData()), int(self.stopbits.currentText()), unit)
        return spec_for(url).parse_url(url)

    def _device(self) -> str:
        """The port that is listed or typed, "" for none."""
        place = self.port.currentIndex()
        listed = place >= 0 and self.port.itemText(place) == self.port.currentText()
        return str(self.port.itemData(place)) if listed else self.port.currentText().strip()

    def _on_find(self) -> None:
        self.stop()
        self.message.hide()
        if not self._device():
            self.message.show_error(
                UserError("No port to look at", where="Serial line", why="none is chosen", fix="Choose one, or type it")
            )
            return
        show_scan_serial(self, self._workbench, self._device()).page.used.connect(self._on_used)

    def _on_used(self, url: str) -> None:
        """What answered, into the fields."""
        found = ModbusUrl(url)
        self.baudrate.setCurrentText(str(found.baudrate))
        self.parity.setCurrentIndex(self.parity.findData(found.parity))
        self.stopbits.setCurrentText(str(found.stopbits))
        self.unit.set_value(found.unit)
        self.start()

    @property
    def is_asking(self) -> bool:
        return self._token is not None

    def start(self) -> None:
        self.stop()
        self.message.hide()
        self.began.emit()
        try:
            url = self.url()
        except UserError as error:
            self.message.show_error(error)
            return
        self._token = self._workbench.ask(self._workbench.live.discover(url), self._on_reply)
        self.state.setText(f"Asking {url} …")
        self.look.setText("Stop")
        self.changed.emit()

    def stop(self) -> None:
        if self._token is not None:
            self._workbench.forget(self._token)
            self._token = None
            self.state.setText("Stopped.")
        self.look.setText("Look")
        self.changed.emit()

    def _on_look(self) -> None:
        if self.is_asking:
            self.stop()
        else:
            self.start()

    def _on_reply(self, reply: Reply) -> None:
        self._token = None
        self.look.setText("Look")
        self.state.setText("One register of this unit is asked for, on this port only.")
        if isinstance(reply.result, UserError):
            self.message.show_error(reply.result)
        elif isinstance(reply.result, EndpointReport):
            self.answered.emit(step_of_report(reply.result))
        self.ended.emit()

    def _on_changed(self) -> None:
        """What answered belongs to other settings."""
        self.stop()
        self.message.hide()
        self.began.emit()
