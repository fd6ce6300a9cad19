"""Nodes that a filter found, as a flat table."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QModelIndex, Qt

from widgets.look import color, icon, plain_tip
from widgets.mime import NODES, DraggedNodes, mime_of_nodes
from widgets.models.address_space import ICONS, TreeNode
from widgets.models.flat import FlatModel, Index


class NodeHitsModel(FlatModel[TreeNode]):
    """Replaced as a whole at each query."""

    COLUMNS = ("Name", "Path")

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        node = self.rows[index.row()]
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
        nodes = [self.rows[index.row()] for index in indexes if index.column() == 0]
        endpoint = nodes[0].endpoint if nodes else ""
        chosen = [node for node in nodes if node.endpoint == endpoint]
        return mime_of_nodes(DraggedNodes(endpoint, tuple(node.id for node in chosen), tuple(node.name for node in chosen)))
