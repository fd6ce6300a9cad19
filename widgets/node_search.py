"""Nodes found by a few letters among all that was ever read, expanded or not, connected or not."""

from __future__ import annotations

from collections.abc import Sequence
from time import time
from typing import Final

from PySide6.QtCore import QItemSelectionModel, Signal
from PySide6.QtWidgets import QAbstractItemView, QTableView, QVBoxLayout, QWidget

from app.workspace.database import KnownNode
from widgets.keys import on_key
from widgets.look import calm_table, label
from widgets.models.address_space import TreeNode
from widgets.models.node_hits import NodeHitsModel
from widgets.node_finder import NodeFinder
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
        self._finder = NodeFinder(workbench, self)
        self._asked = ""
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
        self._finder.found.connect(self._on_found)
        self.table.doubleClicked.connect(lambda index: self.chosen.emit(self.model.rows[index.row()]))
        on_key(self.table, "Return", self.choose)

    def look_for(self, text: str) -> None:
        """Look for every word of the text in names, paths and ids of all endpoints; the hits come when they are found."""
        self._finder.ask(text, HITS)

    def look_again(self) -> None:
        """More nodes are known now: ask the same once more, unless an answer is still to come."""
        if not self._finder.is_asking and self._asked:
            self._finder.ask(self._asked, HITS)

    def _on_found(self, text: str, hits: Sequence[tuple[str, KnownNode]], known: int) -> None:
        """The first hit of a new question is selected for Enter; the same question asked again moves nothing."""
        nodes = [
            TreeNode(node.node_class, endpoint, node.id, node.name, type=node.type, path=node.path, expandable=False)
            for endpoint, node in hits
        ]
        same = text == self._asked and [node.id for node in nodes] == [node.id for node in self.model.rows]
        if not same:
            self.model.set_rows(nodes)
        self.note.setText(self._words(nodes, known, time() - min((node.seen_s for _, node in hits), default=time())))
        if not same:
            self.step(0)
        self._asked = text

    def _words(self, found: Sequence[TreeNode], known: int, age_s: float) -> str:
        """What the hits are worth: how many, of how many, how old, and whether somebody can be asked."""
        endpoints = self._workbench.endpoints()
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
