"""The address space of a snapshot. Lines stay bytes and are decoded when they are asked for: a node takes what it takes in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.drivers.base import BrowseColumns
from app.drivers.snapshot.lines import ChildrenLine, NodeLine, node_of

NOT_HERE = "the snapshot has no such node"
NOT_BROWSED = "the snapshot does not say what is below it"


class TreeError(ValueError):
    """Lines that contradict each other."""


class Tree:
    """Nodes in the order of the file; the first is the root."""

    def __init__(self) -> None:
        self._nodes: dict[str, bytes] = {}
        self._leaves: set[str] = set()
        self._children: dict[str, ChildrenLine] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, id_: str) -> bool:
        return id_ in self._nodes

    def add_node(self, line: NodeLine, data: bytes) -> None:
        """Raises ``TreeError`` for a node that is there already."""
        if line.id in self._nodes:
            raise TreeError(f"the node {line.id} stands in the file twice")
        self._nodes[line.id] = data
        if not line.has_children:
            self._leaves.add(line.id)

    def add_children(self, line: ChildrenLine) -> None:
        """Raises ``TreeError`` for nodes that are not there yet, or that were told of already."""
        missing = next((id_ for id_ in (line.of, *(child.id for child in line.nodes)) if id_ not in self._nodes), None)
        if missing is not None:
            raise TreeError(f"the node {missing} is not in the file before this line")
        if line.of in self._children:
            raise TreeError(f"what is below {line.of} stands in the file twice")
        self._children[line.of] = line

    @property
    def root(self) -> str:
        return next(iter(self._nodes), "")

    def ids(self) -> Iterator[str]:
        return iter(self._nodes)

    def is_open(self, id_: str) -> bool:
        """Whether it is still to be browsed."""
        return id_ not in self._children and id_ not in self._leaves

    def node(self, id_: str) -> NodeLine | None:
        data = self._nodes.get(id_)
        return None if data is None else node_of(data)

    def browse(self, parents: Sequence[str]) -> BrowseColumns:
        """Children of each; of "" the root."""
        rows: list[tuple[int, NodeLine]] = []
        errors: dict[int, str] = {}
        for place, parent in enumerate(parents):
            if not parent and (top := self.node(self.root)) is not None:
                rows.append((place, top))
                continue
            below, why = self.children(parent)
            rows += [(place, line) for line in below]
            if why:
                errors[place] = why
        return columns(rows, errors)

    def children(self, parent: str) -> tuple[list[NodeLine], str]:
        """The lines of a node's children as they are below it, and why they are not all."""
        if parent not in self._nodes:
            return [], NOT_HERE
        line = self._children.get(parent)
        if line is None:
            return [], "" if parent in self._leaves else NOT_BROWSED
        found: list[NodeLine] = []
        for child in line.nodes:
            node = node_of(self._nodes[child.id])
            path = node.path if child.path is None else child.path
            name = node.browse_name if child.browse_name is None else child.browse_name
            found.append(NodeLine(
                id=node.id, name=node.name, browse_name=name, path=path, node_class=node.node_class, type=node.type,
                has_children=node.has_children, description=node.description,
            ))  # fmt: skip
        return found, line.error

    def crawl(self, root: str, limit: int, *, page: int = 500) -> Iterator[BrowseColumns]:
        """As ``Session.crawl``: level by level, each node once, ``parent`` an earlier row + 1, or 0 for the root."""
        root = root or self.root
        if root not in self._nodes:
            yield BrowseColumns(errors={0: NOT_HERE})
            return
        seen = {root}
        level = [(0, root)]
        count = 0
        while level and count < limit:
            rows: list[tuple[int, NodeLine]] = []
            errors: dict[int, str] = {}
            below: list[tuple[int, str]] = []
            for place, parent in level:
                found, why = self.children(parent)
                if why:
                    errors[place] = why
                for line in found:
                    if line.id in seen or count >= limit:
                        continue
                    seen.add(line.id)
                    rows.append((place, line))
                    count += 1
                    below.append((count, line.id))
                if len(rows) >= page:
                    yield columns(rows, errors)
                    rows, errors = [], {}
            if rows or errors:
                yield columns(rows, errors)
            level = below

    def way(self, id_: str) -> list[str]:
        """From the root down to a node, by the parents under which it was found first."""
        parents: dict[str, str] = {}
        for of, line in self._children.items():
            for child in line.nodes:
                if child.path is None:
                    parents.setdefault(child.id, of)
        way = [id_]
        while way[-1] != self.root and (above := parents.get(way[-1])) is not None and above not in way:
            way.append(above)
        return way[::-1] if way[-1] == self.root else []

    def with_path(self, path: str) -> str:
        """Id of the node that was found at a path, "" where there is none."""
        lines = ((id_, node_of(data)) for id_, data in self._nodes.items())
        return next((id_ for id_, line in lines if line.path == path), "")


def columns(rows: Sequence[tuple[int, NodeLine]], errors: dict[int, str]) -> BrowseColumns:
    lines = [line for _, line in rows]
    return BrowseColumns(
        parent=tuple(place for place, _ in rows),
        id=tuple(line.id for line in lines),
        name=tuple(line.name for line in lines),
        browse_name=tuple(line.browse_name for line in lines),
        path=tuple(line.path for line in lines),
        node_class=tuple(line.node_class for line in lines),
        type=tuple(line.type for line in lines),
        has_children=tuple(line.has_children for line in lines),
        description=tuple(line.description for line in lines),
        errors=errors,
    )
