"""Findings as a table, in the order the checks give them."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.check import rules
from app.check.base import Finding
from widgets.look import BADGE_ROLE

Index = QModelIndex | QPersistentModelIndex
COLUMNS: Final = ("Severity", "Rule", "Where", "What", "Fix")
_ROOT: Final = QModelIndex()


class FindingsModel(QAbstractTableModel):
    """Rows are replaced as a whole: a check run is one new list."""

    def __init__(self) -> None:
        super().__init__()
        self.findings: list[Finding] = []

    def set_findings(self, findings: list[Finding]) -> None:
        if findings != self.findings:
            self.beginResetModel()
            self.findings = findings
            self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.findings)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        finding = self.findings[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            rule = rules()[finding.rule]
            return (finding.severity, f"{finding.rule} {rule.title}", finding.place, finding.message, finding.fix)[index.column()]
        if role == BADGE_ROLE and index.column() == 0:
            return finding.severity
        if role == Qt.ItemDataRole.ToolTipRole:
            return rules()[finding.rule].why if index.column() == 1 else None
        return None
