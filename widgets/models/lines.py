"""Lines with levels as a tree: values member by member, definitions of data types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt

from app.drivers.opcua.questions import Line
from widgets.look import color, plain_tip

Index = QModelIndex | QPersistentModelIndex
COLUMNS: Final = ("Name", "Value", "Type")
"""What a line has: its name, its text, its type."""
_ROOT: Final = QModelIndex()


@dataclass(slots=True, eq=False, repr=False)
class _Node:
    line: Line
    parent: _Node | None = None
    row: int = 0
    children: list[_Node] = field(default_factory=list)


class LinesModel(QAbstractItemModel):
    """Replaced as a whole; lines come parents first, each with its level."""

    def __init__(self, titles: Sequence[str] = COLUMNS) -> None:
        super().__init__()
        self._titles = tuple(titles)
        self.lines: Sequence[Line] = ()
        self._top: list[_Node] = []

    def set_lines(self, lines: Sequence[Line]) -> bool:
        """Show these; False when they are shown already."""
        if tuple(lines) == tuple(self.lines):
            return False
        self.beginResetModel()
        self.lines = lines
        self._top = _tree(lines)
        self.endResetModel()
        return True

    def text(self, index: Index) -> str:
        """The line as it is copied: the path to it and what it holds."""
        node = self._node(index)
        names: list[str] = []
        above: _Node | None = node
        while above is not None:
            names.append(above.line.name)
            above = above.parent
        path = names[-1] + "".join(name if name.startswith("[") else f".{name}" for name in reversed(names[:-1]))
        return "\t".join(filter(None, (path, node.line.text, node.line.type)))

    def value(self, index: Index) -> str:
        return self._node(index).line.text

    def _node(self, index: Index) -> _Node:
        found = index.internalPointer()
        assert isinstance(found, _Node)
        return found

    def index(self, row: int, column: int, parent: Index = _ROOT) -> QModelIndex:
        siblings = self._node(parent).children if parent.isValid() else self._top
        inside = 0 <= row < len(siblings) and 0 <= column < len(COLUMNS)
        return self.createIndex(row, column, siblings[row]) if inside else QModelIndex()

    def parent(self, index: Index = _ROOT) -> QModelIndex:  # type: ignore[override]  # PySide types QObject.parent() into it
        above = self._node(index).parent if index.isValid() else None
        return self.createIndex(above.row, 0, above) if above is not None else QModelIndex()

    def rowCount(self, parent: Index = _ROOT) -> int:
        if not parent.isValid():
            return len(self._top)
        return len(self._node(parent).children) if parent.column() == 0 else 0

    def columnCount(self, parent: Index = _ROOT) -> int:
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._titles[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self._node(index).line
        text = (line.name, line.text, line.type)[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip("\n".join(filter(None, (line.name, line.text, line.type))))
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 2:
            return color("dim")
        return None


def _tree(lines: Sequence[Line]) -> list[_Node]:
    top: list[_Node] = []
    path: list[_Node] = []
    for line in lines:
        del path[max(0, line.level) :]
        node = _Node(line, path[-1] if path else None)
        siblings = node.parent.children if node.parent is not None else top
        node.row = len(siblings)
        siblings.append(node)
        path.append(node)
    return top
