"""Rows of the asset type dialog: what is typed about each attribute, as text, and below it what is inherited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from app.itmodels.typed_in import CELLS, TypedAttribute, enum_text
from app.model.itmodel import AssetType, Attribute
from app.model.project import Project
from app.model.resolve import lineage
from widgets.fields import number_text, unit_text
from widgets.look import color

Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
TITLES: Final = ("Attribute", "Type", "Unit", "Low", "High", "Required", "States", "Description")
NAME, TYPE, UNIT, LOW, HIGH, REQUIRED, ENUM, DESCRIPTION = range(len(CELLS))
YES: Final = "yes"


@dataclass(slots=True)
class AttributeDraft:
    """One row; ``origin`` is the name of the type it is inherited from, "" for an own one."""

    cells: dict[str, str] = field(default_factory=dict)
    id: str = ""
    origin: str = ""


def draft_of(attribute: Attribute, origin: str = "") -> AttributeDraft:
    cells = {
        "name": attribute.name,
        "data_type": attribute.data_type,
        "unit": unit_text(attribute.unit),
        "low": number_text(attribute.low),
        "high": number_text(attribute.high),
        "required": YES if attribute.required else "",
        "enum": enum_text(attribute.enum),
        "description": attribute.description,
    }
    return AttributeDraft(cells, attribute.id, origin)


def inherited(project: Project, extends: str) -> list[AttributeDraft]:
    """What a type gets from the one it extends, outermost ancestor first; the nearest wins where names are equal."""
    found: dict[str, AttributeDraft] = {}
    for ancestor in reversed(lineage(project, extends)):
        found |= {attribute.name: draft_of(attribute, ancestor.name) for attribute in project.attributes_of(ancestor.id)}
    return list(found.values())


def own(project: Project, asset_type: str) -> list[AttributeDraft]:
    return [draft_of(attribute) for attribute in project.attributes_of(asset_type)] if project.get(AssetType, asset_type) else []


class AttributeDraftsModel(QAbstractTableModel):
    """Own rows first, then inherited ones, which are read-only and leave out what an own row replaces.

    Signals:
        edited: A cell or the number of rows changed.
    """

    edited = Signal()

    def __init__(self, rows: Sequence[AttributeDraft]) -> None:
        super().__init__()
        self.rows = list(rows)
        self._above: list[AttributeDraft] = []

    def set_inherited(self, rows: Sequence[AttributeDraft]) -> None:
        self.beginResetModel()
        self._above = list(rows)
        self.endResetModel()

    def shown_inherited(self) -> list[AttributeDraft]:
        return self._above

    def typed(self) -> list[TypedAttribute]:
        """The own rows, in the order shown."""
        return [TypedAttribute({**row.cells, "unit": _code_or_text(row.cells.get("unit", ""))}, row.id) for row in self.rows]

    # Rows

    def add(self, drafts: Sequence[AttributeDraft]) -> int:
        """Append own rows; the number of the first."""
        first = len(self.rows)
        if drafts:
            self.beginInsertRows(_ROOT, first, first + len(drafts) - 1)
            self.rows += drafts
            self.endInsertRows()
            self.edited.emit()
        return first

    def remove(self, rows: Sequence[int]) -> None:
        """Inherited rows among them are left."""
        for row in sorted({row for row in rows if 0 <= row < len(self.rows)}, reverse=True):
            self.beginRemoveRows(_ROOT, row, row)
            del self.rows[row]
            self.endRemoveRows()
        self.edited.emit()

    def paste(self, text: str, row: int, column: int) -> None:
        """Rows and columns of a spreadsheet, from a cell on; rows are added as needed. A first row of headings is left out."""
        lines = [line.split("\t") for line in text.rstrip("\r\n").splitlines()]
        if lines and lines[0][0].strip().casefold() in ("attribute", "name"):
            lines = lines[1:]
        row = min(row, len(self.rows))
        missing = row + len(lines) - len(self.rows)
        if missing > 0:
            self.add([AttributeDraft() for _ in range(missing)])
        for offset, line in enumerate(lines):
            for number, cell in enumerate(line[: len(CELLS) - column]):
                self.rows[row + offset].cells[CELLS[column + number]] = cell.strip()
        if lines:
            self.dataChanged.emit(self.index(row, 0), self.index(row + len(lines) - 1, len(CELLS) - 1))
            self.edited.emit()

    def _at(self, row: int) -> AttributeDraft:
        return self.rows[row] if row < len(self.rows) else self._above[row - len(self.rows)]

    # What a cell is

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows) + len(self._above)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(CELLS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return TITLES[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, cell = self._at(index.row()), CELLS[index.column()]
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == REQUIRED:
            checked = row.cells.get(cell, "").casefold() in (YES, "1", "true", "x", "y")
            return Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return "" if index.column() == REQUIRED else row.cells.get(cell, "")
        if role == Qt.ItemDataRole.ForegroundRole and row.origin:
            return color("dim")
        if role == Qt.ItemDataRole.ToolTipRole:
            replaced = any(one.cells.get("name") == row.cells.get("name") for one in self.rows)
            words = f"Inherited from {row.origin}" + (", replaced by the row of the same name above" if replaced else "")
            return words if row.origin else (row.cells.get(cell) or None)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        base = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.row() >= len(self.rows):
            return base
        return base | (Qt.ItemFlag.ItemIsUserCheckable if index.column() == REQUIRED else Qt.ItemFlag.ItemIsEditable)

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if index.row() >= len(self.rows):
            return False
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == REQUIRED:
            text = YES if Qt.CheckState(value) == Qt.CheckState.Checked else ""
        elif role == Qt.ItemDataRole.EditRole:
            text = str(value).strip()
        else:
            return False
        self.rows[index.row()].cells[CELLS[index.column()]] = text
        self.dataChanged.emit(index, index)
        self.edited.emit()
        return True


def _code_or_text(text: str) -> str:
    """The code behind what a picker left in a cell (``kPa  kilopascal  (KPA)``); other texts as they are."""
    return text.rsplit("  (", 1)[1][:-1] if text.endswith(")") and "  (" in text else text
