"""Findings as a table, in the order the checks give them."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.check import rules
from app.check.base import Finding
from widgets.look import BADGE_ROLE
from widgets.models.flat import FlatModel, Index


class FindingsModel(FlatModel[Finding]):
    """A check run is one new list."""

    COLUMNS = ("Severity", "Rule", "Where", "What", "Fix")

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        finding = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            rule = rules()[finding.rule]
            return (finding.severity, f"{finding.rule} {rule.title}", finding.place, finding.message, finding.fix)[index.column()]
        if role == BADGE_ROLE and index.column() == 0:
            return finding.severity
        if role == Qt.ItemDataRole.ToolTipRole:
            return rules()[finding.rule].why if index.column() == 1 else None
        return None
