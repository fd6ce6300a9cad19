"""Nodes that a filter found, as a flat table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QAbstractTableModel, QMimeData, QModelIndex, QPersistentModelIndex, Qt

from widgets.look import color, icon, plain_tip
from widgets.mime import NODES, DraggedNodes, mime_of_nodes
from widgets.models.address_space import ICONS, TreeNode

Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
COLUMNS: Final = ("Name", "Path")


class NodeHitsModel(QAbstractTableModel):
    """Replaced as a whole at each query."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[TreeNode] = []

    def set_nodes(self, nodes: list[TreeNode]) -> None:
        self.beginResetModel()
        self.nodes = nodes
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.nodes)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        node = self.nodes[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return node.name if index.column() == 0 else node.path
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return icon(ICONS.get(node.kind, "object"), "dim")
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 1:
            return color("dim")
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip("\n".join(filter(None, (node.path, node.id))))
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled

    def mimeTypes(self) -> list[str]:
        return [NODES]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        nodes = [self.nodes[index.row()] for index in indexes if index.column() == 0]
        endpoint = nodes[0].endpoint if nodes else ""
        chosen = [node for node in nodes if node.endpoint == endpoint]
        return mime_of_nodes(DraggedNodes(endpoint, tuple(node.id for node in chosen), tuple(node.name for node in chosen)))
