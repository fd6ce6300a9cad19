"""A table that only grows at its end, bounded, with a filter: what happened, newest last."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import ClassVar, Final, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, Qt

from widgets.models.flat import ROOT, Index

Row = TypeVar("Row")
KEPT: Final = 5_000
"""Rows kept in the window; older ones go."""


class NewestModel(QAbstractTableModel, Generic[Row]):
    """A subclass names its columns, and says what a row's cells are and whether it is shown."""

    COLUMNS: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        super().__init__()
        self._kept: deque[Row] = deque(maxlen=KEPT)
        self.rows: list[Row] = []

    def passes(self, row: Row) -> bool:
        raise NotImplementedError

    def cells(self, row: Row) -> tuple[str, ...]:
        raise NotImplementedError

    def add(self, rows: Sequence[Row]) -> None:
        self._kept.extend(rows)
        shown = [row for row in rows if self.passes(row)][-KEPT:]
        if not shown:
            return
        excess = len(self.rows) + len(shown) - KEPT
        if excess > 0:  # a tenth more goes, so that the view is not moved with each batch
            excess = min(max(excess, KEPT // 10), len(self.rows))
            self.beginRemoveRows(ROOT, 0, excess - 1)
            del self.rows[:excess]
            self.endRemoveRows()
        self.beginInsertRows(ROOT, len(self.rows), len(self.rows) + len(shown) - 1)
        self.rows += shown
        self.endInsertRows()

    def refilter(self) -> None:
        """``passes`` says something else now."""
        self.beginResetModel()
        self.rows = [row for row in self._kept if self.passes(row)]
        self.endResetModel()

    def clear(self) -> None:
        self._kept.clear()
        self.refilter()

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cells(self.rows[index.row()])[index.column()]
        return None
