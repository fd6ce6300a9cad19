"""Log: what connections said, newest last; filter by level, copy, clear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QTableView, QVBoxLayout, QWidget

from app.model.times import rfc3339
from app.runtime.state import LogEntry
from widgets.keys import on_key
from widgets.look import ChipBar, SearchField, calm_table, color, plain_tip, tool_button
from widgets.models.flat import Index
from widgets.models.newest import NewestModel
from widgets.registry import Panel
from widgets.workbench import Workbench

_SHOWN: Final = {"all": ("DEBUG", "INFO", "WARNING", "ERROR"), "trouble": ("WARNING", "ERROR")}


class LogModel(NewestModel[LogEntry]):
    """The newest entries that pass the filter; the log file has them all."""

    COLUMNS: ClassVar = ("Time (UTC)", "Level", "Source", "Message")

    def __init__(self) -> None:
        super().__init__()
        self._levels, self._query = _SHOWN["all"], ""

    def show_only(self, key: str, query: str) -> None:
        self._levels, self._query = _SHOWN[key], query.casefold()
        self.refilter()

    def text(self, rows: Sequence[int]) -> str:
        return "\n".join("\t".join(self.cells(self.rows[row])) for row in rows)

    def passes(self, row: LogEntry) -> bool:
        return row.level in self._levels and self._query in f"{row.source} {row.text}".casefold()

    def cells(self, row: LogEntry) -> tuple[str, ...]:
        return rfc3339(row.time_ns // 1_000_000 * 1_000_000)[11:-1], row.level.lower(), row.source, row.text

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.rows[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == 3:
            return plain_tip(entry.text)
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 1:
            return _level_color(entry.level)
        return super().data(index, role)


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
