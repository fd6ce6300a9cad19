"""A range of registers, read again and again: raw words beside every meaning, in all four orders."""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QSpinBox, QTableView, QVBoxLayout, QWidget

from app.drivers.base import Item
from app.drivers.modbus.address import BIT_TABLES, NOTATION_TITLES, Address, parse, point_in_notation
from app.drivers.modbus.marks import USUAL, marks
from app.drivers.modbus.registers import READINGS, RegisterRow, interpretations
from app.drivers.modbus.tag_edits import order_of_unit, use_order, with_order
from app.drivers.modbus.types import REGISTERS_OF
from app.edits.tags import TagDraft, add_tags
from app.errors import UserError
from app.model.columns import SampleColumns
from app.runtime.state import Reply
from widgets.look import calm_table, color, label, tool_button, value_font
from widgets.notation import SETTING, notation, url_unit
from widgets.reading_text import status_text
from widgets.workbench import Workbench

Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
FIXED: Final = ("Address", "Dec", "Hex", "Bits", "ASCII")
BITS: Final = FIXED.index("Bits")
"""The widest of the fixed columns: here a refused register says why."""
READ_EVERY_MS: Final = 1000
MOST: Final = 125
"""Registers of one request (Modbus V1.1b3 §6.3)."""


class RegisterModel(QAbstractTableModel):
    """One row per register; a register that was refused has its reason in place of values."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[RegisterRow | None] = []
        self.errors: dict[int, str] = {}
        self.start, self.table, self.notation = 0, "holding", ""

    def set_words(self, start: int, words: list[int | None], errors: dict[int, str]) -> None:
        """Words of a range, None where the device refused; runs of known words are interpreted together."""
        rows: list[RegisterRow | None] = []
        run: list[int] = []
        for place, word in enumerate([*words, None]):
            if word is not None:
                run.append(word)
                continue
            rows += interpretations(run, start + place - len(run)) if run else []
            run = []
            if place < len(words):
                rows.append(None)
        same = len(rows) == len(self.rows) and start == self.start
        if not same:
            self.beginResetModel()
        self.rows, self.errors, self.start = rows, errors, start
        if same and rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, self.columnCount() - 1))
        elif not same:
            self.endResetModel()

    def use_notation(self, notation: str) -> None:
        """One of ``address.NOTATIONS``: how addresses are written."""
        self.notation = notation
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, 0))

    def address_text(self, address: int) -> str:
        """Without the table, which stands above; a Modicon address carries it in its first digit."""
        return point_in_notation(Address(None, self.table, address), self.notation).rpartition(":")[2]

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(FIXED) + len(READINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return FIXED[section] if section < len(FIXED) else " ".join(READINGS[section - len(FIXED)])

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole and column not in (2, 3, 4):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.FontRole:
            return value_font()
        if row is None:
            return self._refused(index, role)
        cell = row.readings.get(READINGS[column - len(FIXED)]) if column >= len(FIXED) else None
        mark = cell.mark if cell is not None else row.mark
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                (self.address_text(row.address), str(row.word), row.hex, row.bits, row.text)[column]
                if column < len(FIXED)
                else cell.text
                if cell
                else ""
            )
        if role == Qt.ItemDataRole.ForegroundRole and mark and column:
            return color("warn")
        if role == Qt.ItemDataRole.ToolTipRole and mark:
            return self._tip(index, mark)
        return None

    def _tip(self, index: Index, mark: str) -> str:
        """What the mark of a cell means."""
        if index.column() < len(FIXED):
            return f"{mark}: {USUAL}"
        type_, order = READINGS[index.column() - len(FIXED)]
        rows = self.rows[index.row() : index.row() + REGISTERS_OF[type_]]
        return "; ".join(marks([row.word for row in rows if row is not None], type_, order)) or mark

    def _refused(self, index: Index, role: int) -> object:
        address = self.start + index.row()
        if role == Qt.ItemDataRole.DisplayRole and index.column() in (0, BITS):
            return self.address_text(address) if index.column() == 0 else self.errors.get(index.row(), "no value")
        return color("bad") if role == Qt.ItemDataRole.ForegroundRole and index.column() == BITS else None


class RegisterGrid(QWidget):
    """Reads a range through the session once a second while it is shown.

    Signals:
        closed: The person is done with it.
    """

    closed = Signal()

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._endpoint, self._unit = "", ""
        self._token: int | None = None
        self.model = RegisterModel()
        self._build()
        self._timer = QTimer(self, interval=READ_EVERY_MS)
        self._timer.timeout.connect(self._read)
        workbench.project_replaced.connect(self._on_close)

    def _build(self) -> None:
        self._where = label("", "title")
        self.first = QSpinBox(minimum=0, maximum=65_535)
        self.first.setAccessibleName("First register, zero-based")
        self.count = QSpinBox(minimum=1, maximum=MOST, value=40)
        self.count.setAccessibleName("How many registers")
        self.notation = QComboBox()
        self.notation.setAccessibleName("Address notation")
        for key, title in NOTATION_TITLES.items():
            self.notation.addItem(title, key)
        self._state = label("", "dim")
        close = tool_button("close", "Close")
        self.view = QTableView()
        calm_table(self.view, "Registers")
        self.view.setModel(self.model)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._fit_columns()
        bar = QHBoxLayout()
        for widget in (self._where, label("from", "dim"), self.first, label("count", "dim"), self.count, self.notation, self._state):
            bar.addWidget(widget)
        bar.addStretch(1)
        bar.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(bar)
        layout.addWidget(self.view)
        close.clicked.connect(self._on_close)
        self.first.valueChanged.connect(lambda _: self._read_now())
        self.count.valueChanged.connect(lambda _: self._read_now())
        self.notation.currentIndexChanged.connect(lambda _: self._workbench.set_setting(SETTING, str(self.notation.currentData())))
        self._workbench.setting_changed.connect(self._on_setting_changed)
        self._on_setting_changed(SETTING)
        self.view.customContextMenuRequested.connect(self._on_menu)

    def _fit_columns(self) -> None:
        """As wide as the longest text, heading or value."""
        head, values = QFontMetrics(self.view.font()), QFontMetrics(value_font(self.view.font()))
        longest = ("0xFFFF", "65535", "0xFFFF", "0000 0000 0000 0000", "AA", *("-2147483648" for _ in READINGS))
        for column, text in enumerate(longest):
            title = str(self.model.headerData(column, Qt.Orientation.Horizontal))
            self.view.setColumnWidth(column, max(head.horizontalAdvance(title), values.horizontalAdvance(text)) + 24)

    def show_table(self, endpoint: str, table: str) -> None:
        """Show ``3/holding`` of an endpoint, ``3/holding:100`` from register 100 on."""
        table, _, first = table.partition(":")
        found = self._workbench.endpoint(endpoint)
        self._endpoint = endpoint
        self._unit, self.model.table = table.rsplit("/", 1) if "/" in table else ("", table)
        self._where.setText(f"{found.name if found else ''}   {table}")
        self.model.set_words(0, [], {})
        self.first.setValue(int(first) if first.isdecimal() else self._first_known())
        self._timer.start()
        self._read_now()

    def _first_known(self) -> int:
        """The lowest address that a tag of this table has: where something is known to be; 0 without tags."""
        prefix = f"{self._unit}/{self.model.table}:" if self._unit else f"{self.model.table}:"
        texts = [
            tag.address.removeprefix(prefix) for tag in self._workbench.project.tags_of(self._endpoint) if tag.address.startswith(prefix)
        ]
        numbers = [int(match[0]) for text in texts if (match := re.match(r"\d+", text))]
        return min(numbers, default=0)

    def _address(self, address: int) -> str:
        return f"{self._unit}/{self.model.table}:{address}" if self._unit else f"{self.model.table}:{address}"

    def _on_close(self) -> None:
        self._timer.stop()
        self._forget()
        self.closed.emit()

    def _on_setting_changed(self, name: str) -> None:
        if name == SETTING:
            self.notation.setCurrentIndex(self.notation.findData(notation(self._workbench)))
            self.model.use_notation(notation(self._workbench))

    def _forget(self) -> None:
        """An answer that is still to come is of another range, table or device: it must not be shown as this one's."""
        if self._token is not None:
            self._workbench.forget(self._token)
            self._token = None

    def _read_now(self) -> None:
        self._forget()
        self._read()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._timer.isActive():
            self._read()

    def _read(self) -> None:
        if self._token is not None or not self.isVisible() or self._workbench.live.paused or not self._endpoint:
            return
        first, count = self.first.value(), min(self.count.value(), 65_536 - self.first.value())
        # The bare words: without an order, those of a unit whose bytes are swapped would come swapped.
        suffix = "" if self.model.table in BIT_TABLES else ":uint16:ABCD"
        items = [Item(address=self._address(address) + suffix) for address in range(first, first + count)]
        self._token = self._workbench.ask(self._workbench.live.read(self._endpoint, items), lambda reply: self._on_reply(first, reply))

    def _on_reply(self, first: int, reply: Reply) -> None:
        self._token = None
        if isinstance(reply.result, UserError):
            self._state.setText(f"{reply.result.what}: {reply.result.why}")
            return
        assert isinstance(reply.result, SampleColumns)
        samples = [sample for _, sample in reply.result.samples()]
        endpoint = self._workbench.endpoint(self._endpoint)
        words = [int(sample.value) if isinstance(sample.value, bool | int) else None for sample in samples]
        errors = {row: status_text(endpoint, sample.status) for row, sample in enumerate(samples) if sample.value is None}
        self.model.set_words(first, words, errors)
        self._state.setText(f"{len(errors)} refused" if errors else "")

    def _on_menu(self, at: QPoint) -> None:
        index = self.view.indexAt(at)
        row = self.model.rows[index.row()] if index.isValid() else None
        if row is None:
            return
        type_, order = READINGS[index.column() - len(FIXED)] if index.column() >= len(FIXED) else ("uint16", "ABCD")
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(f"Make a tag: {type_} {order} at {row.address}").triggered.connect(lambda: self._make_tag(row.address, type_, order))
        number = self._unit_number()
        if number is not None and self.model.table not in BIT_TABLES:
            use = menu.addAction(f"Use {order} for the whole unit {number}")
            use.setEnabled(order != order_of_unit(self._workbench.project, self._endpoint, number))
            use.triggered.connect(lambda: self._use_order(number, order))
        menu.popup(self.view.viewport().mapToGlobal(at))

    def _unit_number(self) -> int | None:
        """The unit whose table is shown; None where no driver knows which the endpoint's URL means."""
        return int(self._unit) if self._unit else url_unit(self._workbench, self._endpoint)

    def _use_order(self, number: int, order: str) -> None:
        self._workbench.attempt(lambda: use_order(self._workbench.project, self._endpoint, number, order, ()))

    def _make_tag(self, address: int, type_: str, order: str) -> None:
        """The tag states an order only where the unit's is another."""
        number = self._unit_number()
        if number is None:
            return
        default = order_of_unit(self._workbench.project, self._endpoint, number)
        made = with_order(parse(f"{self._address(address)}:{type_}"), order, default)
        text = str(made)
        draft = TagDraft(address=text, name=f"{self._unit}/{self.model.table} {address}".lstrip("/"), type=made.value_type)
        if self._workbench.attempt(lambda: add_tags(self._workbench.project, self._endpoint, [draft])):
            self._workbench.tag_asked.emit(self._workbench.project.tags_at(self._endpoint, text)[0].id)
