"""The address space of every endpoint as one lazy tree. Nothing is read before it is expanded, and nothing blocks.

A node's children are asked for once, arrive through the workbench, and go in with one insertion. Many siblings are grouped in
ranges, because a tree view takes time quadratic in the rows of one parent (measured: 100,000 siblings 17 s).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

import msgspec
from PySide6.QtCore import QAbstractItemModel, QMimeData, QModelIndex, QPersistentModelIndex, Qt, QTimer, Signal

from app.drivers import spec_for
from app.drivers.base import BrowseColumns
from app.edits import Edit
from app.errors import UserError
from app.model.plant import Endpoint, Unit
from app.runtime.state import Reply
from widgets.look import color, icon, plain_tip
from widgets.mime import NODES, DraggedNodes, mime_of_nodes
from widgets.workbench import Workbench

Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
STATE_ROLE: Final = Qt.ItemDataRole.UserRole + 1
"""(text, colour token) of an endpoint's connection, and of a node that could not be read; None for every other row."""
GROUP_ABOVE: Final = 2000
GROUP_SIZE: Final = 1000
ICONS: Final = {
    "object": "object", "variable": "variable", "method": "method", "unit": "unit-id", "table": "register-table", "view": "view",
    "object type": "type", "variable type": "type", "data type": "type", "reference type": "type", "folder": "folder", "range": "folder",
    "loading": "refresh", "error": "warning", "endpoint-opcua": "endpoint-opcua", "endpoint-modbus": "endpoint-modbus",
}  # fmt: skip


class Piece(NamedTuple):
    """Rows ``first`` to ``last`` (not with it) of an answer."""

    columns: BrowseColumns
    first: int
    last: int


class TreeNode(msgspec.Struct, eq=False):
    """One row. ``kind`` is ``endpoint-<driver>``, a node class, ``range``, ``loading`` or ``error``.

    A range has its nodes as they came (``held``) until somebody looks into it: 100,000 rows that nobody sees cost the window nothing.
    """

    kind: str
    endpoint: str
    id: str
    name: str
    parent: TreeNode | None = None
    row: int = 0
    type: str = ""
    path: str = ""
    description: str = ""
    expandable: bool = True
    state: Literal["unread", "reading", "read"] = "unread"
    children: list[TreeNode] = msgspec.field(default_factory=list)
    token: int | None = None
    partial: list[BrowseColumns] = msgspec.field(default_factory=list)
    held: tuple[Piece, ...] = ()
    error: str = ""

    __repr__ = object.__repr__  # children have their parent in them

    @property
    def is_node(self) -> bool:
        """Whether it stands for something at the source."""
        return self.kind not in ("range", "loading", "error") and not self.kind.startswith("endpoint-")

    @property
    def count(self) -> int:
        """How many rows are below."""
        return sum(last - first for _, first, last in self.held) if self.held else len(self.children)

    def below(self) -> list[TreeNode]:
        """The rows below; those of a range are made now."""
        if self.held:
            held, self.held = self.held, ()
            self.children = [node for piece in held for node in _nodes(self, piece)]
            for row, child in enumerate(self.children):
                child.parent, child.row = self, row
        return self.children

    def below_with(self, id_: str) -> list[TreeNode]:
        """The rows below, without making those of a range that has no such node."""
        if self.held and not any(id_ in columns.id[first:last] for columns, first, last in self.held):
            return []
        return self.below()


class AddressSpaceModel(QAbstractItemModel):
    """One column, the name; the state of an endpoint is under ``STATE_ROLE`` for the delegate, types are in the tool tip.

    Signals:
        browsed: (endpoint id, list[BrowseColumns]) after children have arrived; the browse cache takes them.
        answered: TreeNode whose children have arrived, or could not be read; its ``error`` says why.
    """

    browsed = Signal(str, object)
    answered = Signal(object)

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._top: list[TreeNode] = []
        self._units_changed: dict[str, int] = {}  # endpoint → since when it was connected (ns) as its units were edited
        workbench.project_replaced.connect(self.rebuild)
        workbench.edited.connect(self._on_edited)
        workbench.endpoint_changed.connect(self._on_endpoint_changed)
        self.rebuild()

    # Structure

    def rebuild(self) -> None:
        """One row per endpoint, nothing expanded."""
        self.beginResetModel()
        self._top = [self._endpoint_node(endpoint, row) for row, endpoint in enumerate(self._endpoints())]
        self._units_changed.clear()
        self.endResetModel()

    def _endpoints(self) -> list[Endpoint]:
        return sorted(self._workbench.endpoints().values(), key=lambda endpoint: (endpoint.name.casefold(), endpoint.id))

    def _endpoint_node(self, endpoint: Endpoint, row: int) -> TreeNode:
        try:
            driver = spec_for(endpoint.addresses["default"]).key
        except UserError:
            driver = "opcua"
        return TreeNode(f"endpoint-{driver}", endpoint.id, "", endpoint.name, row=row)

    def _on_edited(self, edit: Edit) -> None:
        """Endpoints that came, went or have another name; all other rows stay as they are, expanded and selected."""
        for change in edit.changes:
            if isinstance(unit := change.after or change.before, Unit):
                self._units_changed[unit.endpoint] = self._workbench.live.state(unit.endpoint).since_ns
        if any(change.kind == "endpoint" for change in edit.changes):
            self._adopt(self._endpoints())

    def _adopt(self, endpoints: Sequence[Endpoint]) -> None:
        wanted = {endpoint.id for endpoint in endpoints}
        for row in reversed([node.row for node in self._top if node.endpoint not in wanted]):
            self.beginRemoveRows(QModelIndex(), row, row)
            self._renumber([*self._top[:row], *self._top[row + 1 :]])
            self.endRemoveRows()
        for row, endpoint in enumerate(endpoints):
            held = next((node for node in self._top if node.endpoint == endpoint.id), None)
            if held is None:
                self.beginInsertRows(QModelIndex(), row, row)
                self._renumber([*self._top[:row], self._endpoint_node(endpoint, row), *self._top[row:]])
                self.endInsertRows()
            else:
                self._move(held, row)
                self._rename(held, endpoint)

    def _renumber(self, top: list[TreeNode]) -> None:
        for row, node in enumerate(top):
            node.row = row
        self._top = top

    def _move(self, node: TreeNode, row: int) -> None:
        """Up to its place; every row above is where it belongs already."""
        if node.row != row:
            self.beginMoveRows(QModelIndex(), node.row, node.row, QModelIndex(), row)
            others = [other for other in self._top if other is not node]
            self._renumber([*others[:row], node, *others[row:]])
            self.endMoveRows()

    def _rename(self, node: TreeNode, endpoint: Endpoint) -> None:
        now = self._endpoint_node(endpoint, node.row)
        if (now.name, now.kind) != (node.name, node.kind):
            node.name, node.kind = now.name, now.kind
            self.dataChanged.emit(self.index_of(node), self.index_of(node))

    def _on_endpoint_changed(self, endpoint: str) -> None:
        for node in self._top:
            if node.endpoint != endpoint:
                continue
            index = self.index_of(node)
            self.dataChanged.emit(index, index)
            state = self._workbench.live.state(endpoint)
            failed = node.token is None and len(node.children) == 1 and node.children[0].kind in ("error", "loading")
            other_units = self._units_changed.get(endpoint, state.since_ns) != state.since_ns  # connected again, with these
            if state.phase == "connected" and (failed or other_units or node.state == "unread"):
                self._units_changed.pop(endpoint, None)
                self.refresh(self.index_of(node))

    def node(self, index: Index) -> TreeNode:
        found = index.internalPointer()
        assert isinstance(found, TreeNode)
        return found

    def index_of(self, node: TreeNode, column: int = 0) -> QModelIndex:
        return self.createIndex(node.row, column, node)

    def index(self, row: int, column: int, parent: Index = _ROOT) -> QModelIndex:
        siblings = self.node(parent).below() if parent.isValid() else self._top
        return self.createIndex(row, column, siblings[row]) if 0 <= row < len(siblings) and column == 0 else QModelIndex()

    def parent(self, index: Index = _ROOT) -> QModelIndex:  # type: ignore[override]  # PySide types QObject.parent() into it
        above = self.node(index).parent if index.isValid() else None
        return self.index_of(above) if above is not None else QModelIndex()

    def rowCount(self, parent: Index = _ROOT) -> int:
        if not parent.isValid():
            return len(self._top)
        return self.node(parent).count if parent.column() == 0 else 0

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 1

    def hasChildren(self, parent: Index = _ROOT) -> bool:
        if not parent.isValid():
            return bool(self._top)
        node = self.node(parent)
        return node.count > 0 or (node.expandable and node.state != "read")

    def canFetchMore(self, parent: Index) -> bool:
        return parent.isValid() and self.node(parent).expandable and self.node(parent).state == "unread"

    def fetchMore(self, parent: Index) -> None:
        """Ask for the children; returns at once, with a row that says so a moment later (views may ask while rows go in)."""
        if not self.canFetchMore(parent):
            return
        node = self.node(parent)
        node.state = "reading"
        if self._workbench.live.state(node.endpoint).phase == "connected":
            node.partial = []
            token = self._workbench.live.browse(node.endpoint, [node.id])
            node.token = self._workbench.ask(token, lambda reply: self._on_reply(node, reply))
        QTimer.singleShot(0, self, lambda: self._announce(node))

    def _announce(self, node: TreeNode) -> None:
        """What stands in the place of the children until they are there, or as long as they cannot be asked for."""
        if node.state != "reading" or not self._is_here(node):
            return
        phase = self._workbench.live.state(node.endpoint).phase
        if node.token is not None or phase == "connecting":
            self._fill(node, [TreeNode("loading", node.endpoint, "", "Reading…" if node.token else "Connecting…", expandable=False)])
        else:
            self._fill(node, [TreeNode("error", node.endpoint, "", "Not connected: press Connect", expandable=False)])

    def _is_here(self, node: TreeNode) -> bool:
        """Whether the row is still in the tree: those above it may have been read again, or have gone, since it was asked about."""
        while node.parent is not None:
            if node.row >= len(node.parent.children) or node.parent.children[node.row] is not node:
                return False
            node = node.parent
        return node.row < len(self._top) and self._top[node.row] is node

    def refresh(self, index: Index) -> None:
        """Read the children of this node again (F5)."""
        node = self.node(index)
        if node.token is not None:
            self._workbench.forget(node.token)
            node.token = None
        self._fill(node, [])
        node.state = "unread"
        node.error = ""
        self.fetchMore(index)

    def _on_reply(self, node: TreeNode, reply: Reply) -> None:
        node.token = None
        if not self._is_here(node):
            return
        result = reply.result
        if isinstance(result, UserError):
            node.error = f"{result.what}: {result.why}"
            self._fill(node, [TreeNode("error", node.endpoint, "", node.error, expandable=False)])
            self.answered.emit(node)
            return
        assert isinstance(result, BrowseColumns)
        node.partial.append(result)
        if result.resume is not None:
            token = self._workbench.live.browse(node.endpoint, [node.id], result.resume)
            node.token = self._workbench.ask(token, lambda more: self._on_reply(node, more))
            return
        found, node.partial = node.partial, []
        errors = [TreeNode("error", node.endpoint, "", why, expandable=False) for why in result.errors.values()]
        node.error = "\n".join(result.errors.values())
        self._fill(node, _grouped(node, found) + errors)
        self.browsed.emit(node.endpoint, found)
        self.answered.emit(node)

    # Finding what was read

    def endpoint_node(self, endpoint: str) -> TreeNode | None:
        return next((node for node in self._top if node.endpoint == endpoint), None)

    def child(self, node: TreeNode, id_: str) -> TreeNode | None:
        """The child of this id, in whichever range it stands; None when it was not read, or is none of them."""
        for child in node.below_with(id_):
            found = self.child(child, id_) if child.kind == "range" else child if child.is_node and child.id == id_ else None
            if found is not None:
                return found
        return None

    def find(self, endpoint: str, id_: str) -> TreeNode | None:
        """A row of this node anywhere among what was read, the one nearest to the top."""
        top = self.endpoint_node(endpoint)
        level = [top] if top is not None else []
        while level:
            for node in level:
                if node.is_node and node.id == id_:
                    return node
            level = [child for node in level for child in node.below_with(id_)]
        return None

    def _fill(self, node: TreeNode, children: list[TreeNode]) -> None:
        """Replace the children of a node by these, with one removal and one insertion."""
        parent = self.index_of(node)
        if node.children:
            self.beginRemoveRows(parent, 0, len(node.children) - 1)
            node.children = []
            self.endRemoveRows()
        node.state = "read"
        for row, child in enumerate(children):
            child.parent, child.row = node, row
        if children:
            self.beginInsertRows(parent, 0, len(children) - 1)
            node.children = children
            self.endInsertRows()

    # What is shown

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return "Name"
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        node = self.node(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return node.name
        if role == STATE_ROLE:
            if node.kind.startswith("endpoint-"):
                return self._state(node), self._tone(node)
            return ("not read", "bad") if node.error else None
        if role == Qt.ItemDataRole.DecorationRole:
            return icon(ICONS.get(node.kind, "object"), "warn" if node.kind == "error" else "dim")
        if role == Qt.ItemDataRole.ForegroundRole and node.kind in ("loading", "error"):
            return color("dim")
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = (node.name, node.error, node.type, node.description, node.path, node.id) if node.is_node else (node.name,)
            return plain_tip("\n".join(filter(None, lines)))
        return None

    def _state(self, node: TreeNode) -> str:
        state = self._workbench.live.state(node.endpoint)
        if state.held:
            return "another device"
        if state.phase == "connected" and state.as_of_ns is not None:
            return "snapshot"
        if state.phase == "connected" and state.stale:
            return "no answer"
        return {"off": "off", "stopped": "stopped", "connecting": "connecting…", "waiting": "waiting", "connected": "connected"}[
            state.phase
        ]

    def _tone(self, node: TreeNode) -> str:
        state = self._workbench.live.state(node.endpoint)
        if state.phase == "connected" and not state.held and state.as_of_ns is not None:
            return "stale"
        if state.phase == "connected" and state.stale and not state.held:
            return "bad"
        return "warn" if state.held else {"connected": "good", "waiting": "warn", "connecting": "accent"}.get(state.phase, "dim")

    # Dragging

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        node = self.node(index)
        base = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return base | Qt.ItemFlag.ItemIsDragEnabled if node.is_node else base

    def mimeTypes(self) -> list[str]:
        return [NODES]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        nodes = [self.node(index) for index in indexes if index.column() == 0 and self.node(index).is_node]
        endpoint = nodes[0].endpoint if nodes else ""
        chosen = [node for node in nodes if node.endpoint == endpoint]
        return mime_of_nodes(DraggedNodes(endpoint, tuple(node.id for node in chosen), tuple(node.name for node in chosen)))


def _nodes(parent: TreeNode, piece: Piece) -> list[TreeNode]:
    columns, first, last = piece
    return [
        TreeNode(
            columns.node_class[row],
            parent.endpoint,
            columns.id[row],
            columns.name[row],
            type=columns.type[row],
            path=columns.path[row],
            description=columns.description[row] if columns.description else "",
            expandable=columns.has_children[row] if columns.has_children else True,
        )
        for row in range(first, last)
    ]


def _grouped(parent: TreeNode, found: list[BrowseColumns]) -> list[TreeNode]:
    """The nodes themselves, or ranges of a thousand when there are too many for one level."""
    total = sum(len(columns) for columns in found)
    if total <= GROUP_ABOVE:
        return [node for columns in found for node in _nodes(parent, Piece(columns, 0, len(columns)))]
    groups: list[TreeNode] = []
    for start in range(0, total, GROUP_SIZE):
        last = min(start + GROUP_SIZE, total)
        held = tuple(_pieces(found, start, last))
        name = held[0].columns.name[held[0].first]
        groups.append(TreeNode("range", parent.endpoint, "", f"{start:,} – {last - 1:,}   ({name} …)", state="read", held=held))
    return groups


def _pieces(found: list[BrowseColumns], first: int, last: int) -> Iterator[Piece]:
    """Where these rows of all answers together are."""
    at = 0
    for columns in found:
        begin, end = max(first - at, 0), min(last - at, len(columns))
        if begin < end:
            yield Piece(columns, begin, end)
        at += len(columns)
