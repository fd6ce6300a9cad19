"""A titled tree of lines inside a details sheet: as high as what is open in it, up to a limit, then it scrolls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QMenu, QTreeView, QVBoxLayout, QWidget

from app.drivers.opcua.questions import Line
from widgets.keys import on_key
from widgets.look import calm_tree, icon, label
from widgets.models.lines import LinesModel

MOST_ROWS: Final = 16
OPENED_ROWS: Final = 40
"""Trees up to this size are shown open."""


WIDE_CHARS: Final = 52
"""From this width on the types have a column of their own; else they are in the tool tip of the name."""


class LinesView(QWidget):
    """Two columns, and the third where there is room for it; none without a title."""

    def __init__(self, title: str, columns: Sequence[str]) -> None:
        super().__init__()
        self._has_third = bool(columns[2])
        self.model = LinesModel(columns)
        self.tree = QTreeView()
        calm_tree(self.tree, title)
        self.tree.setModel(self.model)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._on_menu)
        for signal in (self.tree.expanded, self.tree.collapsed):
            signal.connect(lambda _: self._fit())
        on_key(self.tree, "Ctrl+C", self.copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(label(title, "title"))
        layout.addWidget(self.tree)
        self.hide()

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Hidden without any; what is shown already stays as the person has opened it."""
        if self.model.set_lines(lines) and lines:
            if len(lines) <= OPENED_ROWS:
                self.tree.expandAll()
            else:
                self.tree.expandToDepth(0)
        self.setVisible(bool(lines))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self._has_third and self.width() >= WIDE_CHARS * self.fontMetrics().averageCharWidth()
        self.tree.setColumnHidden(2, not wide)
        for column, share in enumerate((0.36, 0.36) if wide else (0.44,)):  # the last one has what is left
            self.tree.setColumnWidth(column, round(self.width() * share))

    def _fit(self) -> None:
        rows, index = 0, self.model.index(0, 0)
        while index.isValid() and rows < MOST_ROWS:
            rows += 1
            index = self.tree.indexBelow(index)
        row_px = self.tree.rowHeight(self.model.index(0, 0)) or self.fontMetrics().height() + 8
        self.tree.setFixedHeight(self.tree.header().sizeHint().height() + max(rows, 1) * row_px + 4)

    def copy(self) -> None:
        """Selected lines: the value of one, of several also the paths."""
        rows = self.tree.selectionModel().selectedRows()
        text = self.model.value(rows[0]) if len(rows) == 1 else "\n".join(self.model.text(row) for row in rows)
        QGuiApplication.clipboard().setText(text)

    def copy_all(self) -> None:
        lines = ("  " * line.level + "\t".join(filter(None, (line.name, line.text, line.type))) for line in self.model.lines)
        QGuiApplication.clipboard().setText("\n".join(lines))

    def _on_menu(self, at: QPoint) -> None:
        index = self.tree.indexAt(at)
        if not index.isValid():
            return
        clipboard = QGuiApplication.clipboard()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(icon("copy"), "Copy value\tCtrl+C").triggered.connect(self.copy)
        menu.addAction("Copy path and value").triggered.connect(lambda: clipboard.setText(self.model.text(index)))
        menu.addAction("Copy all").triggered.connect(self.copy_all)
        menu.addSeparator()
        menu.addAction("Expand all").triggered.connect(self.tree.expandAll)
        menu.addAction("Collapse all").triggered.connect(self.tree.collapseAll)
        menu.popup(self.tree.viewport().mapToGlobal(at))
