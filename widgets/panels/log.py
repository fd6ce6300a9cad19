"""Log: what connections said, newest last; filter by level, copy, clear."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QTableView, QVBoxLayout, QWidget

from app.model.times import rfc3339
from app.runtime.state import LogEntry
from widgets.keys import on_key
from widgets.look import ChipBar, SearchField, calm_table, color, tool_button
from widgets.registry import Panel
from widgets.workbench import Workbench

Index = QModelIndex | QPersistentModelIndex
COLUMNS: Final = ("Time (UTC)", "Level", "Source", "Message")
KEPT: Final = 5000
"""Entries kept in the window; the log file has them all."""
_ROOT: Final = QModelIndex()
_SHOWN: Final = {"all": ("DEBUG", "INFO", "WARNING", "ERROR"), "trouble": ("WARNING", "ERROR")}


class LogModel(QAbstractTableModel):
    """The newest entries that pass the filter."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: deque[LogEntry] = deque(maxlen=KEPT)
        self._rows: list[LogEntry] = []
        self._levels, self._query = _SHOWN["all"], ""

    def add(self, entries: Sequence[LogEntry]) -> None:
        self._entries.extend(entries)
        fresh = [entry for entry in entries if self._passes(entry)]
        if not fresh:
            return
        if len(self._rows) + len(fresh) > KEPT:
            self._rebuild()
            return
        self.beginInsertRows(_ROOT, len(self._rows), len(self._rows) + len(fresh) - 1)
        self._rows += fresh
        self.endInsertRows()

    def show_only(self, key: str, query: str) -> None:
        self._levels, self._query = _SHOWN[key], query.casefold()
        self._rebuild()

    def clear(self) -> None:
        self._entries.clear()
        self._rebuild()

    def text(self, rows: Sequence[int]) -> str:
        return "\n".join("\t".join(_cells(self._rows[row])) for row in rows)

    def _passes(self, entry: LogEntry) -> bool:
        return entry.level in self._levels and self._query in f"{entry.source} {entry.text}".casefold()

    def _rebuild(self) -> None:
        self.beginResetModel()
        self._rows = [entry for entry in self._entries if self._passes(entry)]
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _cells(entry)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == 3:
            return entry.text
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 1:
            return _level_color(entry.level)
        return None


def _cells(entry: LogEntry) -> tuple[str, str, str, str]:
    return rfc3339(entry.time_ns // 1_000_000 * 1_000_000)[11:-1], entry.level.lower(), entry.source, entry.text


def _level_color(level: str) -> QColor:
    return color({"WARNING": "warn", "ERROR": "bad"}.get(level, "dim"))


class LogPanel(QWidget):
    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self.model = LogModel()
        self.view = QTableView()
        calm_table(self.view, "Log")
        self.view.setModel(self.model)
        for column, width in enumerate((120, 80, 180)):
            self.view.setColumnWidth(column, width)
        self._chips = ChipBar([("all", "All"), ("trouble", "Warnings and errors")])
        self._search = SearchField("Filter the log…", "search")
        clear = tool_button("close", "Clear the log")
        clear.clicked.connect(self.model.clear)
        bar = QHBoxLayout()
        bar.addWidget(self._chips)
        bar.addStretch(1)
        bar.addWidget(self._search)
        bar.addWidget(clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.addLayout(bar)
        layout.addWidget(self.view)
        self._chips.chosen.connect(lambda _: self._filter())
        self._search.query.connect(lambda _: self._filter())
        on_key(self.view, "Ctrl+C", self._copy)
        workbench.logged.connect(self._on_logged)

    def _filter(self) -> None:
        self.model.show_only(self._chips.current, self._search.text())

    def _copy(self) -> None:
        rows = sorted({index.row() for index in self.view.selectedIndexes()})
        QGuiApplication.clipboard().setText(self.model.text(rows))

    def _on_logged(self, entries: list[LogEntry]) -> None:
        bar = self.view.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 4
        self.model.add(entries)
        if follows:
            self.view.scrollToBottom()


PANEL = Panel("log", "Log", "bottom", LogPanel, 20)
