"""With which parameters something answers on a serial port: tried one set after the other, begun by a person."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QDoubleSpinBox, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from app.drivers.base import Wire
from app.drivers.modbus.questions import ScanEnd, ScanSerial, SerialRow
from app.drivers.modbus.scan_cost import serial_cost
from app.drivers.modbus.serial_ports import BAUDRATES, PARITIES
from app.drivers.questions import Question
from app.errors import UserError
from widgets.dialogs.scan_page import ScanPage, field_label
from widgets.look import button, icon, label, set_kind
from widgets.models.scan_rows import ScanRow
from widgets.workbench import Workbench

_USUAL = ScanSerial(port="")
"""The order in which parameters are tried, and which ones unless told otherwise."""


class SerialScanPage(ScanPage):
    """Signals: ``used``: URL of the row that a person takes."""

    used = Signal(str)

    TITLE = "Serial parameters"
    EXPLAINS = (
        "Opens the port with one set of parameters after the other and asks for one register. Whatever else hangs on this line sees every "
        "one of these requests, most of them as noise: no other master may be at work on it."
    )
    COLUMNS = (("Baud rate", 1, 9), ("Parity", 1, 8), ("Stop bits", 1, 9), ("Unit", 1, 6), ("What came", 6, 30))
    NUMBERS = (0, 2, 3)

    def __init__(self, workbench: Workbench, port: str) -> None:
        self._port = port
        self._rates = {rate: QCheckBox(str(rate)) for rate in BAUDRATES}
        self._parities = {key: QCheckBox(words) for key, words in PARITIES.items()}
        self._urls: list[str] = []
        super().__init__(workbench, "")
        self.refresh()

    def fill_form(self) -> None:
        self.first = QSpinBox(minimum=0, maximum=255, value=1)
        self.last = QSpinBox(minimum=0, maximum=255, value=1)
        self.reply = QDoubleSpinBox(minimum=0.1, maximum=10.0, value=_USUAL.reply_s, singleStep=0.1, decimals=1, suffix=" s for a reply")
        for field, name in ((self.first, "First unit id"), (self.last, "Last unit id"), (self.reply, "Time for a reply")):
            field.setAccessibleName(name)
            field.setToolTip(name)
            field.valueChanged.connect(lambda _: self.refresh())
        for widget in (field_label("Units", self.first), self.first, field_label("to", self.last), self.last, self.reply, self.pause):
            self.form.addWidget(widget)

    def build_sets(self) -> QHBoxLayout:
        """The ticks above the form."""
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(label("Try", "dim"))
        for rate, box in self._rates.items():
            box.setChecked(rate in _USUAL.baudrates)
            row.addWidget(box)
        row.addWidget(label("parity", "dim"))
        for box in self._parities.values():
            box.setChecked(True)
            row.addWidget(box)
        row.addStretch(1)
        for box in (*self._rates.values(), *self._parities.values()):
            box.toggled.connect(lambda _: self.refresh())
        return row

    def fill_foot(self) -> None:
        self.use = button("Use these parameters", "check")
        self.use.setAutoDefault(False)
        self.use.clicked.connect(self._on_use)
        self.foot.addWidget(self.use)
        self.view.doubleClicked.connect(lambda _: self._on_use())

    def question(self) -> ScanSerial:
        rates = tuple(sorted((rate for rate, box in self._rates.items() if box.isChecked()), key=_place))
        parities = tuple(key for key, box in self._parities.items() if box.isChecked())
        if not rates or not parities:
            raise UserError("Nothing to try", where=self._port, why="no baud rate or no parity is ticked", fix="Tick at least one of each")
        first, last = sorted((self.first.value(), self.last.value()))
        units = tuple(range(first, last + 1))
        longest_s = len(rates) * len(parities) * len(units) * (self.reply.value() + self.pause.value() / 1000 + 1.0) + 30
        return ScanSerial(
            port=self._port, baudrates=rates, parities=parities, units=units, reply_s=self.reply.value(), pause_ms=self.pause.value(),
            timeout_s=longest_s,
        )  # fmt: skip

    def ask(self, question: Question) -> int:
        assert isinstance(question, ScanSerial)
        self._urls = []
        return self._workbench.live.ask_anywhere(question)

    def costs(self) -> str:
        try:
            return serial_cost(self.question())
        except UserError as error:
            return f"{error.what}: {error.why}."

    def take(self, answer: Wire) -> Sequence[ScanRow]:
        assert isinstance(answer, SerialRow)
        cells = (str(answer.baudrate), PARITIES.get(answer.parity, answer.parity), str(answer.stopbits), str(answer.unit), answer.came)
        if not answer.there:
            return [ScanRow(cells, -1, "dim")]
        self._urls.append(answer.url)
        return [ScanRow(cells, len(self._urls) - 1)]

    def ended(self, end: ScanEnd) -> str:
        found = self.model.found()
        if found:
            self.view.selectRow(self.model.rowCount() - 1)
            return f"It answers: found with {end.requests:,} request{'' if end.requests == 1 else 's'}."
        return f"Nothing answered {end.requests:,} requests. Check wiring and port, or try other unit ids." + (
            end.stopped and f" {end.stopped}"
        )

    def enable(self) -> None:
        found = bool(self.chosen()) and not self.is_running
        self.use.setEnabled(found)
        self.use.setIcon(icon("check", "on_accent" if found else "text"))
        set_kind(self.use, "primary" if found else "")
        if found:  # the next step is to use it, not to look again
            self.start.setIcon(icon("play"))
            set_kind(self.start, "")

    def refresh(self) -> None:
        super().refresh()
        for box in (*self._rates.values(), *self._parities.values()):
            box.setEnabled(not self.is_running)

    def _on_use(self) -> None:
        chosen = self.chosen()
        if chosen:
            self.used.emit(self._urls[chosen[0]])


def _place(rate: int) -> tuple[int, int]:
    """Usual ones first, in their order."""
    usual = _USUAL.baudrates
    return (usual.index(rate), rate) if rate in usual else (len(usual), -rate)


class SerialScanDialog(QDialog):
    """Stands beside the dialog that adds the endpoint; closing it ends the scan."""

    def __init__(self, workbench: Workbench, port: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Find the parameters of {port}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.page = SerialScanPage(workbench, port)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 12)
        layout.addWidget(self.page, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(12, 0, 12, 0)
        foot.addWidget(close)
        layout.addLayout(foot)
        column = self.page.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertLayout(1, self.page.build_sets())
        self.page.refresh()
        self.page.used.connect(lambda _: self.accept())
        workbench.project_replaced.connect(self.reject)
        self.resize(860, 520)

    def done(self, result: int) -> None:
        self.page.cancel()
        super().done(result)


def show_scan_serial(parent: QWidget, workbench: Workbench, port: str) -> SerialScanDialog:
    dialog = SerialScanDialog(workbench, port, parent.window())
    dialog.show()
    dialog.raise_()
    return dialog
