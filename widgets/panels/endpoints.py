"""Endpoints: the tree of what is really there, with a filter over what has been seen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, QPersistentModelIndex, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QMenu,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from app.drivers.base import BrowseColumns
from app.workspace.node_process import Row
from widgets.crawl import Crawl, CrawlStrip
from widgets.dialogs import show_add_endpoint, show_browse_below
from widgets.keys import on_key
from widgets.look import EmptyState, SearchField, button, calm_tree, color, icon, tool_button
from widgets.models.address_space import STATE_ROLE, AddressSpaceModel, TreeNode
from widgets.navigation import Navigator
from widgets.node_menu import driver_of, fill_node_menu
from widgets.node_tags import tags_from_nodes
from widgets.registry import Panel
from widgets.workbench import Workbench

if TYPE_CHECKING:
    from widgets.node_search import NodeSearch


def _row(columns: BrowseColumns, row: int) -> Row:
    return (columns.id[row], columns.name[row], columns.path[row], columns.node_class[row], columns.type[row])


class EndpointDelegate(QStyledItemDelegate):
    """Writes the state of an endpoint, or that a node could not be read, at the right end of its row."""

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
    """Tree, hits of the search, or the first step when there is no endpoint.

    Attributes:
        navigator: Goes to nodes; back and forward.
        crawl: What reads everything below a node.
    """

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self.model = AddressSpaceModel(workbench)
        self.navigator = Navigator(workbench, self.model, self)
        self.crawl = Crawl(workbench, self)
        self._opened: set[str] = set()
        self._build()
        self._build_top()
        self._connect()
        self._show_right_page()

    def _build(self) -> None:
        self.search = SearchField("Search nodes…", "search")
        self.tree = QTreeView()
        calm_tree(self.tree, "Endpoints and their address space")
        self.tree.setModel(self.model)
        self.tree.setHeaderHidden(True)
        self.tree.setItemDelegate(EndpointDelegate(self.tree))
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.tree.setDragEnabled(True)
        self.tree.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.tree)
        self._add = button("Add endpoint…", "add", kind="flat")

    def _build_top(self) -> None:
        self._back = tool_button("chevron-left", "Back (Alt+Left)")
        self._forward = tool_button("chevron-right", "Forward (Alt+Right)")
        self._top = QWidget()
        top = QHBoxLayout(self._top)
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(2)
        for widget in (self._back, self._forward):
            top.addWidget(widget)
        top.addWidget(self.search, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(6)
        layout.addWidget(self._top)
        layout.addWidget(self._pages, 1)
        layout.addWidget(CrawlStrip(self.crawl))
        layout.addWidget(self._add, 0, Qt.AlignmentFlag.AlignLeft)

    def _connect(self) -> None:
        workbench = self._workbench
        self._add.clicked.connect(lambda: show_add_endpoint(self.window(), workbench))
        self.search.query.connect(self._on_query)
        self.search.installEventFilter(self)
        self._back.clicked.connect(self.navigator.back)
        self._forward.clicked.connect(self.navigator.forward)
        self.navigator.arrived.connect(self._on_arrived)
        self.navigator.shown.connect(self._on_shown)
        self.navigator.moved.connect(self._on_moved)
        self.crawl.changed.connect(self._on_crawl_changed)
        workbench.node_asked.connect(self.navigator.go)
        self.model.browsed.connect(self._on_browsed)
        self.model.modelReset.connect(self._on_reset)
        for signal in (self.model.rowsInserted, self.model.rowsRemoved):
            signal.connect(self._on_rows_changed)
        self.tree.selectionModel().selectionChanged.connect(lambda *_: self._on_selected(self._tree_nodes()))
        self.tree.doubleClicked.connect(lambda index: self._on_opened(self.model.node(index)))
        self._connect_view(self.tree)
        on_key(self.tree, "Return", self._make_tags)
        on_key(self, "Ctrl+F", self.search.setFocus, children=True)
        workbench.endpoint_changed.connect(self._on_endpoint_changed)
        self._on_moved()

    def _connect_view(self, view: QAbstractItemView) -> None:
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.viewport().installEventFilter(self)
        view.customContextMenuRequested.connect(lambda at: self._on_menu(view, at))
        for keys, slot in (("F5", self._refresh), ("Ctrl+C", self._copy_ids)):
            on_key(view, keys, slot)

    # Pages

    @cached_property
    def found(self) -> NodeSearch:
        """The page of hits, made when something is looked for first."""
        from widgets.node_search import NodeSearch

        found = NodeSearch(self._workbench)
        found.chosen.connect(self._on_hit)
        found.table.selectionModel().selectionChanged.connect(lambda *_: self._on_selected(found.selected()))
        self._connect_view(found.table)
        self._pages.addWidget(found)
        return found

    @cached_property
    def _empty(self) -> EmptyState:
        empty = EmptyState("connect", "No endpoint yet", "An OPC UA server, or a Modbus device.")
        empty.add_button("Add endpoint…", "add").clicked.connect(lambda: show_add_endpoint(self.window(), self._workbench))
        self._pages.addWidget(empty)
        return empty

    def _on_reset(self) -> None:
        self._opened.clear()
        self._show_right_page()

    def _on_rows_changed(self, parent: QModelIndex) -> None:
        if not parent.isValid():
            self._opened &= set(self._workbench.endpoints())
            self._show_right_page()

    def _show_right_page(self) -> None:
        has_endpoints = bool(self._workbench.endpoints())
        self._pages.setCurrentWidget(self._empty if not has_endpoints else self.found if self.search.text() else self.tree)
        self._top.setVisible(has_endpoints)
        self._add.setVisible(has_endpoints)

    def _on_query(self, text: str) -> None:
        if text:
            self.found.look_for(text)
        self._show_right_page()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows and Enter in the search move among the hits and go to one; the side buttons of a mouse go back and forward."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and watched is self.search and self.search.text():
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self.found.step(1 if event.key() == Qt.Key.Key_Down else -1)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.search.ask()
                self.found.choose()
                return True
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonPress:
            way = {Qt.MouseButton.BackButton: self.navigator.back, Qt.MouseButton.ForwardButton: self.navigator.forward}
            if event.button() in way:
                way[event.button()]()
                return True
        return super().eventFilter(watched, event)

    def _on_browsed(self, endpoint: str, found: list[BrowseColumns]) -> None:
        for columns in found:
            self._workbench.workspace.remember_nodes(self._workbench.cache_key(endpoint), range(len(columns)), partial(_row, columns))

    # Going somewhere

    def _on_hit(self, node: TreeNode) -> None:
        self.navigator.go(node.endpoint, node.id)

    def _on_arrived(self, node: TreeNode) -> None:
        """The tree, opened down to the node, in the middle of the view."""
        if self.search.text():
            self.search.clear_query()
        above = node.parent
        while above is not None:
            self.tree.expand(self.model.index_of(above))
            above = above.parent
        index = self.model.index_of(node)
        flags = QItemSelectionModel.SelectionFlag
        self.tree.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.tree.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)
        self.tree.setFocus()

    def _on_shown(self, endpoint: str, node: str) -> None:
        self.tree.clearSelection()
        self._workbench.select("node", [node], endpoint)

    def _on_moved(self) -> None:
        self._back.setEnabled(self.navigator.visited.before is not None)
        self._forward.setEnabled(self.navigator.visited.after is not None)

    def _on_crawl_changed(self) -> None:
        """What is found grows while a crawl runs."""
        if self.search.text() and self.crawl.running:
            self.found.look_again()
        elif self.search.text():
            self.found.look_for(self.search.text())

    def browse_below(self, node: TreeNode | None = None) -> None:
        """Ask how fast, and read everything below a row (the selected one) into the cache."""
        chosen = node or next(iter(self.selected()), None)
        if chosen is not None and (chosen.is_node or chosen.kind.startswith("endpoint-")):
            show_browse_below(self.window(), self.crawl, chosen.endpoint, chosen.id, chosen.name)

    def can_browse_below(self) -> bool:
        """Whether the selection is of an endpoint that has an address space to crawl, and can be asked now."""
        selection = self._workbench.selection
        endpoint = selection.ids[0] if selection.kind == "endpoint" and selection.ids else selection.endpoint
        connected = bool(endpoint) and self._workbench.live.state(endpoint).phase == "connected"
        return connected and not self.crawl.running and driver_of(self._workbench, endpoint) == "opcua"

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

    def selected(self) -> list[TreeNode]:
        """Rows selected in the page that is shown."""
        return self.found.selected() if self._pages.currentWidget() is self.__dict__.get("found", self) else self._tree_nodes()

    def _on_selected(self, nodes: Sequence[TreeNode]) -> None:
        nodes = [node for node in nodes if node.kind not in ("range", "loading", "error")]
        if not nodes:
            return
        if nodes[0].kind.startswith("endpoint-"):
            self._workbench.select("endpoint", [nodes[0].endpoint], nodes[0].endpoint)
        else:
            same = [node for node in nodes if node.endpoint == nodes[0].endpoint]
            self._workbench.select("node", [node.id for node in same], nodes[0].endpoint, names=[node.name for node in same])

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
        self._workbench.reread_asked.emit()

    def _copy_ids(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(node.id for node in self.selected() if node.is_node))

    def _on_menu(self, view: QAbstractItemView, at: QPoint) -> None:
        nodes = self.selected()
        if not nodes or not view.indexAt(at).isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        fill_node_menu(menu, self._workbench, nodes, refresh=self._refresh)
        if view is not self.tree:
            go = menu.addAction(icon("right"), "Go to it in the tree\tReturn")
            go.triggered.connect(self.found.choose)
        if self.can_browse_below():
            menu.addAction(icon("search"), "Browse everything below…").triggered.connect(lambda: self.browse_below(nodes[0]))
        menu.popup(view.viewport().mapToGlobal(at))


PANEL = Panel("endpoints", "Endpoints", "left", EndpointsPanel, 10)
