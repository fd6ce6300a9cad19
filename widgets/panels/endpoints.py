"""Endpoints: the tree of what is really there, with a filter over what has been seen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QMenu,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from widgets.dialogs.add_endpoint import show_add_endpoint
from widgets.keys import on_key
from widgets.look import EmptyState, SearchField, button, calm_table, calm_tree, color, label
from widgets.models.address_space import STATE_ROLE, AddressSpaceModel, TreeNode
from widgets.models.node_hits import NodeHitsModel
from widgets.node_menu import fill_node_menu
from widgets.node_tags import tags_from_nodes
from widgets.registry import Panel
from widgets.workbench import Workbench

HITS = 500


class EndpointDelegate(QStyledItemDelegate):
    """Writes the state of an endpoint at the right end of its row."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().paint(painter, option, index)
        state = index.data(STATE_ROLE)
        if state:
            text, tone = state
            metrics = painter.fontMetrics()
            taken = option.decorationSize.width() + metrics.horizontalAdvance(f"{index.data()}   {text}") + 24
            if taken > option.rect.width():
                return  # the name comes first; the status bar has the state too
            painter.save()
            painter.setPen(color(tone))
            painter.drawText(option.rect.adjusted(0, 0, -8, 0), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
            painter.restore()


class EndpointsPanel(QWidget):
    """Tree, hits of the filter, or the first step when there is no endpoint."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self.model = AddressSpaceModel(workbench)
        self.hits = NodeHitsModel()
        self._opened: set[str] = set()
        self._build()
        self._connect()
        self._show_right_page()

    def _build(self) -> None:
        self.search = SearchField("Filter what has been read…", "filter")
        self.tree = QTreeView()
        calm_tree(self.tree, "Endpoints and their address space")
        self.tree.setModel(self.model)
        self.tree.setHeaderHidden(True)
        self.tree.setItemDelegate(EndpointDelegate(self.tree))
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.table = QTableView()
        calm_table(self.table, "Nodes that match the filter")
        self.table.setModel(self.hits)
        self.table.setColumnWidth(0, 150)
        for view in (self.tree, self.table):
            view.setDragEnabled(True)
            view.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
            view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._empty = EmptyState("connect", "No endpoint yet", "An OPC UA server, or a Modbus device.")
        self._empty.add_button("Add endpoint…", "add").clicked.connect(lambda: show_add_endpoint(self.window(), self._workbench))
        self._note: QLabel = label("", "dim")
        self._pages = QStackedWidget()
        for page in (self.tree, self.table, self._empty):
            self._pages.addWidget(page)
        self._add = button("Add endpoint…", "add", kind="flat")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(6)
        layout.addWidget(self.search)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self._note)
        layout.addWidget(self._add, 0, Qt.AlignmentFlag.AlignLeft)

    def _connect(self) -> None:
        workbench = self._workbench
        self._add.clicked.connect(lambda: show_add_endpoint(self.window(), workbench))
        self.search.query.connect(self._on_query)
        self.model.browsed.connect(self._on_browsed)
        self.model.modelReset.connect(self._on_reset)
        for signal in (self.model.rowsInserted, self.model.rowsRemoved):
            signal.connect(self._on_rows_changed)
        self.tree.selectionModel().selectionChanged.connect(lambda *_: self._on_selected(self._tree_nodes()))
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._on_selected(self._hit_nodes()))
        self.tree.customContextMenuRequested.connect(lambda at: self._on_menu(self.tree, at))
        self.table.customContextMenuRequested.connect(lambda at: self._on_menu(self.table, at))
        self.tree.doubleClicked.connect(lambda index: self._on_opened(self.model.node(index)))
        self.table.doubleClicked.connect(lambda index: self._on_opened(self.hits.rows[index.row()]))
        for view in (self.tree, self.table):
            for keys, slot in (("Return", self._make_tags), ("F5", self._refresh), ("Ctrl+C", self._copy_ids)):
                on_key(view, keys, slot)
        workbench.endpoint_changed.connect(self._on_endpoint_changed)

    # Pages

    def _on_reset(self) -> None:
        self._opened.clear()
        self._show_right_page()

    def _on_rows_changed(self, parent: QModelIndex) -> None:
        if not parent.isValid():
            self._opened &= set(self._workbench.endpoints())
            self._show_right_page()

    def _show_right_page(self) -> None:
        has_endpoints = bool(self._workbench.endpoints())
        self._pages.setCurrentIndex(2 if not has_endpoints else 1 if self.search.text() else 0)
        self.search.setVisible(has_endpoints)
        self._add.setVisible(has_endpoints)
        self._note.setVisible(bool(self.search.text()))

    def _on_query(self, text: str) -> None:
        if text:
            found = [node for id_ in self._workbench.endpoints() for node in self._cached(id_, text)]
            self.hits.set_rows(found)
            self._note.setText(f"{len(found):,} nodes read so far match" if len(found) < HITS else f"the first {HITS:,} matches")
        self._show_right_page()

    def _cached(self, endpoint: str, text: str) -> list[TreeNode]:
        rows = self._workbench.workspace.search_nodes(self._cache_key(endpoint), text, HITS)
        return [TreeNode(row.node_class, endpoint, row.id, row.name, type=row.type, path=row.path, expandable=False) for row in rows]

    def _cache_key(self, endpoint: str) -> str:
        return f"{self._workbench.project.info.id}/{endpoint}"

    def _on_browsed(self, endpoint: str, nodes: list[TreeNode]) -> None:
        rows = [(node.id, node.name, node.path, node.kind, node.type) for node in nodes]
        self._workbench.workspace.remember_nodes(self._cache_key(endpoint), rows)

    def _on_endpoint_changed(self, endpoint: str) -> None:
        """Open the first level of an endpoint once it is connected, so that the person sees something at once."""
        if self._workbench.live.state(endpoint).phase != "connected" or endpoint in self._opened:
            return
        self._opened.add(endpoint)
        for row in range(self.model.rowCount()):
            if self.model.node(self.model.index(row, 0)).endpoint == endpoint:
                self.tree.expand(self.model.index(row, 0))

    # What is selected

    def _tree_nodes(self) -> list[TreeNode]:
        return [self.model.node(index) for index in self.tree.selectionModel().selectedRows()]

    def _hit_nodes(self) -> list[TreeNode]:
        return [self.hits.rows[index.row()] for index in self.table.selectionModel().selectedRows()]

    def selected(self) -> list[TreeNode]:
        """Rows selected in the page that is shown."""
        return self._hit_nodes() if self._pages.currentWidget() is self.table else self._tree_nodes()

    def _on_selected(self, nodes: Sequence[TreeNode]) -> None:
        nodes = [node for node in nodes if node.kind not in ("range", "loading", "error")]
        if not nodes:
            return
        if nodes[0].kind.startswith("endpoint-"):
            self._workbench.select("endpoint", [nodes[0].endpoint], nodes[0].endpoint)
        else:
            same = [node.id for node in nodes if node.endpoint == nodes[0].endpoint]
            self._workbench.select("node", same, nodes[0].endpoint)

    def select_endpoint(self, endpoint: str) -> None:
        for row in range(self.model.rowCount()):
            index = self.model.index(row, 0)
            if self.model.node(index).endpoint == endpoint:
                self.tree.selectionModel().setCurrentIndex(
                    index, QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
                )

    # What is done

    def _make_tags(self) -> None:
        nodes = [node for node in self.selected() if node.is_node]
        if nodes:
            same = [node.id for node in nodes if node.endpoint == nodes[0].endpoint]
            tags_from_nodes(
                self._workbench, nodes[0].endpoint, same, lambda tags: self._workbench.said.emit(f"{len(tags)} tags in the table")
            )

    def _on_opened(self, node: TreeNode) -> None:
        if node.kind == "variable":
            tags_from_nodes(self._workbench, node.endpoint, [node.id], lambda tags: self._workbench.tag_asked.emit(tags[0]))
        elif node.kind == "table":
            self._workbench.registers_asked.emit(node.endpoint, node.id)
        elif node.kind.startswith("endpoint-") and self._workbench.live.state(node.endpoint).phase in ("off", "stopped"):
            self._workbench.live.connect(node.endpoint)

    def _refresh(self) -> None:
        for index in self.tree.selectionModel().selectedRows():
            self.model.refresh(index)

    def _copy_ids(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(node.id for node in self.selected() if node.is_node))

    def _on_menu(self, view: QAbstractItemView, at: QPoint) -> None:
        nodes = self.selected()
        if not nodes or not view.indexAt(at).isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        fill_node_menu(menu, self._workbench, nodes, refresh=self._refresh)
        menu.popup(view.viewport().mapToGlobal(at))


PANEL = Panel("endpoints", "Endpoints", "left", EndpointsPanel, 10)
