"""Scan: which registers of a table there are, and what they hold."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QComboBox, QSpinBox

from app.drivers.base import Wire
from app.drivers.modbus.address import BIT_TABLES, Address, point_in_notation
from app.drivers.modbus.questions import RangeRow, ScanEnd, ScanRegisters
from app.drivers.modbus.scan_cost import registers_cost
from app.drivers.modbus.scan_edits import remember_forbidden, word_addresses
from widgets.dialogs.scan_page import ScanPage, field_label
from widgets.look import button
from widgets.models.scan_rows import ScanRow
from widgets.notation import REGISTER_TABLES, notation, url_unit
from widgets.register_tags import tags_from_words


class RegistersPage(ScanPage):
    TITLE = "Registers"
    EXPLAINS = (
        "Reads the range in blocks and halves those that are refused, until it is known which registers there are. "
        "Where the device falls silent the range is left alone."
    )
    COLUMNS = (("Address", 2, 12), ("Hex", 1, 8), ("Unsigned", 1, 8), ("Signed", 1, 8), ("What came", 5, 30))
    NUMBERS = (1, 2, 3)
    FILTERED = True

    def fill_form(self) -> None:
        self.unit = QSpinBox(minimum=0, maximum=255, value=url_unit(self._workbench, self._endpoint) or 1, prefix="unit ")
        self.table = QComboBox()
        for key, title in REGISTER_TABLES.items():
            self.table.addItem(title, key)
        self.first = QSpinBox(minimum=0, maximum=65_535)
        self.last = QSpinBox(minimum=0, maximum=65_535, value=999)
        self.block = QSpinBox(minimum=1, maximum=125, value=50, suffix=" at once")
        self.thorough = QCheckBox("Thorough")
        self.thorough.setChecked(True)
        self.thorough.setToolTip("Down to single registers everywhere; else a large block that is refused at five places is given up")
        for field, name in (
            (self.unit, "Unit id"), (self.table, "Table"), (self.first, "First register, zero-based"),
            (self.last, "Last register, zero-based"), (self.block, "Registers in one request"),
        ):  # fmt: skip
            field.setAccessibleName(name)
            field.setToolTip(name)
        for spin in (self.first, self.last, self.block):
            spin.valueChanged.connect(lambda _: self.refresh())
        for widget in (
            self.unit, self.table, self.first, field_label("to", self.last), self.last, self.block, self.pause, self.thorough,
        ):  # fmt: skip
            self.form.addWidget(widget)
        self._asked = self.question()
        self._forbidden: list[str] = []

    def fill_foot(self) -> None:
        self.add = button("Add as tags", "add", tip="The selected registers, each as it stands")
        self.show_in = button("Show registers", "register-table", tip="Around the selected one, in all types and orders")
        self.remember = button("Remember forbidden ranges", "lock")
        for made in (self.add, self.show_in, self.remember):
            made.setAutoDefault(False)
            self.foot.addWidget(made)
        self.add.clicked.connect(self._on_add)
        self.show_in.clicked.connect(self._on_show)
        self.remember.clicked.connect(self._on_remember)

    def question(self) -> ScanRegisters:
        first, last = sorted((self.first.value(), self.last.value()))
        return ScanRegisters(
            unit=self.unit.value(), table=str(self.table.currentData()), first=first, last=last, block=self.block.value(),
            pause_ms=self.pause.value(), thorough=self.thorough.isChecked(),
        )  # fmt: skip

    def ask(self, question: ScanRegisters) -> int:  # type: ignore[override]  # it is the one that ``question`` made
        self._asked, self._forbidden = question, []
        return super().ask(question)

    def costs(self) -> str:
        return registers_cost(self.question())

    def take(self, answer: Wire) -> Sequence[ScanRow]:
        """A row for each register that is there, one for each range that is not."""
        assert isinstance(answer, RangeRow)
        if not answer.words:
            last = f" … {self._text(answer.address + answer.length - 1)}" if answer.length > 1 else ""
            return [ScanRow((self._text(answer.address) + last, "", "", "", answer.came), -1, "dim")]
        bits = self._asked.table in BIT_TABLES
        return [
            ScanRow((self._text(at), "", str(word), "", "answered") if bits else (self._text(at), *_readings(word), "answered"), at)
            for at, word in enumerate(answer.words, answer.address)
        ]

    def _text(self, address: int) -> str:
        return point_in_notation(Address(None, self._asked.table, address), notation(self._workbench)).rpartition(":")[2]

    def keep(self, end: ScanEnd) -> None:
        self._forbidden = [text for text in (end.refused, end.silent) if text]

    def ended(self, end: ScanEnd) -> str:
        silent = f" Silent after {end.silent}." if end.silent else ""
        return super().ended(end) + silent

    def enable(self) -> None:
        chosen = len(self.chosen())
        self.add.setEnabled(bool(chosen))
        self.add.setText(f"Add {chosen:,} as tag{'' if chosen == 1 else 's'}" if chosen else "Add as tags")
        self.show_in.setEnabled(bool(chosen))
        self.remember.setEnabled(bool(self._forbidden) and not self.is_running)
        shown = ", ".join(self._forbidden)
        self.remember.setToolTip(f"Never ask again for {shown}" if shown else "What the device refused, once the scan has ended")

    def _on_add(self) -> None:
        asked = self._asked
        addresses = word_addresses(self._workbench.project, self._endpoint, asked.unit, asked.table, self.chosen())
        said = self._workbench.said.emit
        tags_from_words(
            self._workbench, self._endpoint, addresses, lambda tags: said(f"{len(tags):,} tag{'' if len(tags) == 1 else 's'} in the table")
        )

    def _on_show(self) -> None:
        places = self.chosen()
        if places:
            self._workbench.mode_asked.emit("connect")
            self._workbench.registers_asked.emit(self._endpoint, f"{self._asked.unit}/{self._asked.table}:{places[0]}")

    def _on_remember(self) -> None:
        """The setting counts from the next connection on, so that is made at once."""
        workbench, live = self._workbench, self._workbench.live
        if not workbench.attempt(lambda: remember_forbidden(workbench.project, self._endpoint, self._forbidden)):
            return
        if live.state(self._endpoint).phase != "off":
            live.disconnect(self._endpoint)
            live.connect(self._endpoint)
        workbench.said.emit("These ranges are not asked for any more")
        self._forbidden = []
        self.refresh()


def _readings(word: int) -> tuple[str, str, str]:
    return f"0x{word:04X}", str(word), str(word - 0x10000 if word >= 0x8000 else word)
