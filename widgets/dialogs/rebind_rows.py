"""The ways to re-bind tags that strayed, as rows with a check box: of the ways of one tag at most one is checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from PySide6.QtCore import Qt, Signal

from app.model.plant import Tag
from app.runtime.rebinding import Candidate, Way
from widgets.look import BADGE_ROLE, Badge, plain_tip
from widgets.models.flat import FlatModel, Index
from widgets.workbench import Workbench

_BADGES: Final[dict[Way, Badge]] = {
    "moved": Badge("moved", "found by its path"),
    "taken": Badge("identity changed", "what stands there now"),
}
NAME, HOW, TO = 0, 1, 2


class RebindModel(FlatModel[Candidate]):
    """Ticked from the beginning: the tags' own variables. What only stands at the old address is for a person to take.

    Signals:
        ticked: What is chosen has changed.
    """

    COLUMNS: ClassVar = ("Tag", "What it is", "Would be read from", "Why")
    ticked = Signal()

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._chosen: dict[str, Candidate | None] = {}

    def set_rows(self, rows: Sequence[Candidate]) -> None:
        """What a person chose stays as long as it is offered."""
        offered: dict[str, list[Candidate]] = {}
        for one in rows:
            offered.setdefault(one.tag, []).append(one)
        before = self._chosen
        self._chosen = {}
        for tag, ways in offered.items():
            kept = before.get(tag)
            own = next((way for way in ways if way.way == "moved"), None)
            self._chosen[tag] = own if tag not in before or (kept is not None and kept not in ways) else kept
        super().set_rows(list(rows))
        self.ticked.emit()

    @property
    def chosen(self) -> list[Candidate]:
        """In the order shown."""
        return [row for row in self.rows if self._chosen.get(row.tag) == row]

    def flags(self, index: Index) -> Qt.ItemFlag:
        base = super().flags(index)
        return base | Qt.ItemFlag.ItemIsUserCheckable if index.column() == NAME else base

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == NAME:
            return Qt.CheckState.Checked if self._chosen.get(row.tag) == row else Qt.CheckState.Unchecked
        if role == BADGE_ROLE and index.column() == HOW:
            return _BADGES[row.way]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(self._text(row, index.column()))
        return self._text(row, index.column()) if role == Qt.ItemDataRole.DisplayRole else None

    def _text(self, row: Candidate, column: int) -> str:
        tag = self._workbench.tag(row.tag)
        if column == HOW:
            return _BADGES[row.way].words
        if column == TO:
            return row.address
        if tag is None:
            return ""
        return tag.name if column == NAME else row.why or f"its id was {tag.address}"

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        row = self.rows[index.row()]
        self._chosen[row.tag] = row if value in (Qt.CheckState.Checked, Qt.CheckState.Checked.value) else None
        self.dataChanged.emit(self.index(0, NAME), self.index(len(self.rows) - 1, NAME))
        self.ticked.emit()
        return True

    def names(self, tags: Sequence[str]) -> str:
        found = (self._workbench.project.get(Tag, tag) for tag in tags)
        return ", ".join(tag.name for tag in found if tag is not None)
