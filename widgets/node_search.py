"""Nodes found by a few letters among all that was ever read, expanded or not, connected or not."""

from __future__ import annotations

from collections.abc import Sequence
from time import time
from typing import Final

from PySide6.QtCore import QItemSelectionModel, Signal
from PySide6.QtWidgets import QAbstractItemView, QTableView, QVBoxLayout, QWidget

from widgets.keys import on_key
from widgets.look import calm_table, label
from widgets.models.address_space import TreeNode
from widgets.models.node_hits import NodeHitsModel
from widgets.reading_text import age_text
from widgets.workbench import Workbench

HITS: Final = 500


class NodeSearch(QWidget):
    """A table of hits, and how old what was searched is.

    Signals:
        chosen: TreeNode that should be gone to.
    """

    chosen = Signal(object)

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self.model = NodeHitsModel()
        self.table = QTableView()
        calm_table(self.table, "Nodes found")
        self.table.setModel(self.model)
        self.table.setColumnWidth(0, 130)
        self.table.setDragEnabled(True)
        self.table.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.note = label("", "dim", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.note)
        self.table.doubleClicked.connect(lambda index: self.chosen.emit(self.model.rows[index.row()]))
        on_key(self.table, "Return", self.choose)

    def look_for(self, text: str) -> None:
        """Look for every word of the text in names, paths and ids of all endpoints; the first hit is selected for Enter."""
        workspace = self._workbench.workspace
        found: list[TreeNode] = []
        oldest_s = time()
        for endpoint in self._workbench.endpoints():
            for row in workspace.search_nodes(self._workbench.cache_key(endpoint), text, HITS):
                found.append(TreeNode(row.node_class, endpoint, row.id, row.name, type=row.type, path=row.path, expandable=False))
                oldest_s = min(oldest_s, row.seen_s)
        self.model.set_rows(found)
        self.note.setText(self._words(found, time() - oldest_s))
        self.step(0)

    def _words(self, found: Sequence[TreeNode], age_s: float) -> str:
        """What the hits are worth: how many, of how many, how old, and whether somebody can be asked."""
        endpoints = self._workbench.endpoints()
        known = sum(self._workbench.workspace.count_nodes(self._workbench.cache_key(endpoint)) for endpoint in endpoints)
        off = [held.name for id_, held in endpoints.items() if self._workbench.live.state(id_).phase != "connected"]
        matching = f"The first {HITS:,} hits" if len(found) >= HITS else f"{len(found):,} of {known:,} nodes read so far"
        parts = [matching, f"read up to {age_text(age_s)} ago" if found else "", f"not connected: {', '.join(off)}" if off else ""]
        if not found:
            parts.append("Browse everything below… (menu Endpoint) makes more nodes known")
        return " · ".join(filter(None, parts))

    def selected(self) -> list[TreeNode]:
        return [self.model.rows[index.row()] for index in self.table.selectionModel().selectedRows()]

    def step(self, by: int) -> None:
        """Select a row up or down; 0 is the first."""
        current = self.table.currentIndex().row()
        row = min(max(current + by, 0), self.model.rowCount() - 1) if by else 0
        if self.model.rowCount():
            flags = QItemSelectionModel.SelectionFlag
            self.table.selectionModel().setCurrentIndex(self.model.index(row, 0), flags.ClearAndSelect | flags.Rows)

    def choose(self) -> None:
        """Go to the selected hit."""
        nodes = self.selected()
        if nodes:
            self.chosen.emit(nodes[0])
