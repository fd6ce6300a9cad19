"""What a scan was told, row by row as it came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt

from widgets.look import color, plain_tip, value_font
from widgets.models.flat import ROOT, FlatModel, Index


class ScanRow(NamedTuple):
    """``place`` is the unit, register or model that was found; -1 where there is nothing to keep."""

    cells: tuple[str, ...]
    place: int = -1
    look: str = ""


class ScanRowsModel(FlatModel[ScanRow]):
    """Grows at its end.

    Args:
        columns: Their headings.
        numbers: Columns of digits.
    """

    def __init__(self, columns: Sequence[str], numbers: Sequence[int] = ()) -> None:
        super().__init__()
        self._columns, self._numbers = tuple(columns), frozenset(numbers)
        self._all: list[ScanRow] = []
        self._found_only = False
        self._shown: list[ScanRow] = []
        self.rows = self._shown

    def add(self, rows: Sequence[ScanRow]) -> None:
        self._all += rows
        shown = [row for row in rows if self._passes(row)]
        if shown:
            self.beginInsertRows(ROOT, len(self.rows), len(self.rows) + len(shown) - 1)
            self._shown += shown
            self.endInsertRows()

    def clear(self) -> None:
        self._all = []
        self._show([])

    def show_found_only(self, found_only: bool) -> None:
        self._found_only = found_only
        self._show([row for row in self._all if self._passes(row)])

    def _show(self, rows: list[ScanRow]) -> None:
        self.beginResetModel()
        self.rows = self._shown = rows
        self.endResetModel()

    def found(self) -> list[int]:
        """Places of all rows that have one, shown or not."""
        return [row.place for row in self._all if row.place >= 0]

    @property
    def count(self) -> int:
        """Of all rows, shown or not."""
        return len(self._all)

    def _passes(self, row: ScanRow) -> bool:
        return row.place >= 0 or not self._found_only

    def columnCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section in self._numbers:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.cells[column]
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(row.cells[column])
            case Qt.ItemDataRole.ForegroundRole if row.look:
                return color(row.look)
            case Qt.ItemDataRole.FontRole if column in self._numbers:
                return value_font()
            case Qt.ItemDataRole.TextAlignmentRole if column in self._numbers:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None
