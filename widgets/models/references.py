"""References of one node, as a flat table."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt

from app.drivers.opcua.questions import Reference
from widgets.look import color, icon, plain_tip
from widgets.models.address_space import ICONS
from widgets.models.flat import FlatModel, Index


class ReferencesModel(FlatModel[Reference]):
    """Grows page by page; the server's order is kept."""

    COLUMNS = ("Reference type", "Direction", "Node", "Class", "Type definition")

    def clear(self) -> None:
        self.set_rows(())

    def add(self, references: tuple[Reference, ...]) -> None:
        if references:
            self.beginInsertRows(QModelIndex(), len(self.rows), len(self.rows) + len(references) - 1)
            self.rows = (*self.rows, *references)
            self.endInsertRows()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cells(row)[index.column()]
        if role == Qt.ItemDataRole.DecorationRole:
            if index.column() == 1:
                return icon("right" if row.forward else "chevron-left", "dim")
            return icon(ICONS.get(row.node_class, "object"), "dim") if index.column() == 2 else None
        if role == Qt.ItemDataRole.ForegroundRole and (index.column() > 2 or is_elsewhere(row)):
            return color("dim")
        if role == Qt.ItemDataRole.ToolTipRole:
            inverse = f"from the other side: {row.inverse_name}" if row.inverse_name else ""
            elsewhere = "on another server: it cannot be gone to" if is_elsewhere(row) else ""
            return plain_tip("\n".join(filter(None, (row.name, row.target, elsewhere, f"{row.type_name} ({row.type})", inverse))))
        return None


def cells(row: Reference) -> tuple[str, ...]:
    return row.type_name, "forward" if row.forward else "inverse", row.name, row.node_class, row.type_definition


def is_elsewhere(row: Reference) -> bool:
    return row.target.startswith("svr=")
