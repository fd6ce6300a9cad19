"""What moved in the window, ranked: what the action moved first, what always moves last and dimmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import Qt

from app.runtime.movement import Moved
from widgets.look import color, plain_tip, value_font
from widgets.models.flat import ROOT, FlatModel, Index
from widgets.reading_text import plain

NAME, PATH, BEFORE, AFTER, CHANGES, WHY = range(6)
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class MovedModel(FlatModel[Moved]):
    """``paths`` are browse paths by address; where there is none, the address is shown."""

    COLUMNS = ("Name", "Path", "Before", "After", "Changes", "Why it is here")

    def __init__(self) -> None:
        super().__init__()
        self.paths: Mapping[str, str] = {}

    def set_ranking(self, ranking: Sequence[Moved], paths: Mapping[str, str]) -> None:
        """Rows move to their new places, so that selection and scroll position stay with the item."""
        self.paths = paths
        held = {moved.address for moved in self.rows}
        place = {moved.address: row for row, moved in enumerate(ranking)}
        if not held or not held <= place.keys():
            self.set_rows(ranking)
            return
        if fresh := [moved for moved in ranking if moved.address not in held]:
            self.beginInsertRows(ROOT, len(self.rows), len(self.rows) + len(fresh) - 1)
            self.rows = [*self.rows, *fresh]
            self.endInsertRows()
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        after = [self.index(place[self.rows[index.row()].address], index.column()) for index in before]
        self.rows = ranking
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.TextAlignmentRole and section in (BEFORE, AFTER, CHANGES):
            return _RIGHT
        return super().headerData(section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.cells(row)[column]
            case Qt.ItemDataRole.ForegroundRole if row.always:
                return color("dim")
            case Qt.ItemDataRole.FontRole if column in (BEFORE, AFTER, CHANGES):
                return value_font()
            case Qt.ItemDataRole.TextAlignmentRole if column in (BEFORE, AFTER, CHANGES):
                return _RIGHT
            case Qt.ItemDataRole.ToolTipRole:
                changes = f"{row.changes:,} changes in the window, {row.changes_before:,} before it"
                return plain_tip("\n".join((row.name, row.address, f"{plain(row.first)} → {plain(row.last)}", changes)))
        return None

    def cells(self, row: Moved) -> tuple[str, ...]:
        path = self.paths.get(row.address) or row.address
        return row.name or row.address, path, plain(row.first), plain(row.last), f"{row.changes:,}", row.why
