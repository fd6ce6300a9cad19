"""What a gateway target cannot express of this project, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.gateways.base import Loss
from widgets.look import BADGE_ROLE

Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
COLUMNS: Final = ("Severity", "Where", "What is not expressed", "What happens instead")
_ORDER: Final = ("error", "warning", "info")


class LossesModel(QAbstractTableModel):
    """Worst first, then in the order of the project."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[Loss] = []

    def set_losses(self, losses: Sequence[Loss]) -> None:
        ordered = sorted(losses, key=lambda loss: _ORDER.index(loss.severity) if loss.severity in _ORDER else 1)
        if ordered != self.losses:
            self.beginResetModel()
            self.losses = ordered
            self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.losses)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        loss = self.losses[index.row()]
        if role == BADGE_ROLE and index.column() == 0:
            return loss.severity
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return (loss.severity, loss.place, loss.what, loss.consequence)[index.column()]
        return None
