"""What a gateway target cannot express of this project, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt

from app.gateways.base import Loss
from widgets.look import BADGE_ROLE
from widgets.models.flat import FlatModel, Index

_ORDER: Final = ("error", "warning", "info")


class LossesModel(FlatModel[Loss]):
    """Worst first, then in the order of the project."""

    COLUMNS = ("Severity", "Where", "What is not expressed", "What happens instead")

    def set_losses(self, losses: Sequence[Loss]) -> None:
        self.set_rows(sorted(losses, key=lambda loss: _ORDER.index(loss.severity) if loss.severity in _ORDER else 1))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        loss = self.rows[index.row()]
        if role == BADGE_ROLE and index.column() == 0:
            return loss.severity
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return (loss.severity, loss.place, loss.what, loss.consequence)[index.column()]
        return None
