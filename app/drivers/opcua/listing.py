"""Columns of what was browsed, filled for many references at a time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Final, NamedTuple, TypeVar

from app.drivers.base import BrowseColumns, NodeClass
from app.drivers.opcua.address import UA_NAMESPACE, escape_name
from app.drivers.opcua.binary import namespace_uri
from app.drivers.opcua.browsed import Rows
from app.drivers.opcua.requests import all_forms, numeric

T = TypeVar("T")

OBJECT: Final = 1
VARIABLE: Final = 2
METHOD: Final = 4

NODE_CLASSES: Final[dict[int, NodeClass]] = {
    1: "object", 2: "variable", 4: "method", 8: "object type",
    16: "variable type", 32: "reference type", 64: "data type", 128: "view",
}  # fmt: skip

ROOT: Final = f"nsu={UA_NAMESPACE};i=84"
OBJECTS: Final = f"nsu={UA_NAMESPACE};i=85"

_PROPERTY_TYPE: Final = frozenset(all_forms(numeric(68)))
_ID: Final = itemgetter(3)


class Parent(NamedTuple):
    """A node whose children are listed: ``path`` from Objects (``Nodes.path``), and the namespace index of its browse name."""

    id: str
    path: str
    namespace: int


class Listing:
    """Rows of ``BrowseColumns`` in the making, as lists of one length.

    Attributes:
        node: NodeIds, encoded; b"" of nodes on other servers never gets here.
        index: Namespace index of the browse name.
        definition: NodeId of the type definition, encoded.
        errors: As in ``BrowseColumns``.
    """

    def __init__(self, namespaces: Sequence[str]) -> None:
        self._namespaces = namespaces
        self.parent: list[int] = []
        self.node: list[bytes] = []
        self.id: list[str] = []
        self.name: list[str] = []
        self.browse_name: list[str] = []
        self.plain_name: list[str] = []
        self.path: list[str] = []
        self.index: list[int] = []
        self.node_class: list[int] = []
        self.definition: list[bytes] = []
        self.errors: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.id)

    def add(self, place: int, parent: Parent, rows: Rows, *, seen: set[str] | None = None, most: int = 2**31) -> None:
        """What is below ``parent``, each target once, by its first reference (such as Organizes before HasNotifier).

        Args:
            place: Of the parent, for the column of that name.
            parent: Whose children they are.
            rows: References.
            seen: Ids that are left out, whoever they are below; these are added to them.
            most: More rows are left out, and not added to ``seen``.
        """
        rows = _fresh(rows, set() if seen is None else seen, most)
        if not len(rows):
            return
        if parent.id == ROOT:
            rows = Rows.of(sorted(rows, key=lambda row: row[3] != OBJECTS))
        columns = rows.columns
        names, displays = columns.name, columns.display
        self.parent += [place] * len(rows)
        self.node += columns.node
        self.id += columns.id
        self.plain_name += names
        self.name += displays if all(displays) else [display or name for display, name in zip(displays, names, strict=True)]
        self.browse_name += self._browse_names(parent.namespace, columns.namespace, names)
        self.path += _paths(parent, columns.id, names)
        self.index += columns.namespace
        self.node_class += columns.node_class
        self.definition += columns.type_definition

    def _browse_names(self, index: int, indexes: Sequence[int], names: Sequence[str]) -> Sequence[str]:
        """With the namespace's URI where it is another than the parent's."""
        if indexes.count(index) == len(indexes):
            return names
        uris = {own: f"{namespace_uri(self._namespaces, own)}:" for own in set(indexes)} | {index: ""}
        return [uris[own] + name for own, name in zip(indexes, names, strict=True)]

    def of_class(self, node_class: int) -> Sequence[int]:
        """Rows of this node class."""
        if self.node_class.count(node_class) == len(self):
            return range(len(self))
        return [row for row, number in enumerate(self.node_class) if number == node_class]

    def browsable(self, start: int) -> list[bytes]:
        """Encoded NodeIds from row ``start`` on, b"" for properties: nothing is below them (OPC 10000-3 §5.6.2)."""
        nodes, definitions = self.node[start:], self.definition[start:]
        if _PROPERTY_TYPE.isdisjoint(definitions):
            return nodes
        return [b"" if definition in _PROPERTY_TYPE else node for node, definition in zip(nodes, definitions, strict=True)]

    def spread(self, rows: Sequence[int], values: Sequence[T], column: list[T]) -> None:
        """Into a column of one value per row, those of some of its rows."""
        if len(rows) == len(column):
            column[:] = values
            return
        for row, value in zip(rows, values, strict=True):
            column[row] = value

    def columns(
        self,
        types: Sequence[str] | None = None,
        descriptions: Sequence[str] | None = None,
        held: tuple[Sequence[object], Sequence[int]] = ((), ()),
    ) -> BrowseColumns:
        """``held`` is what variables held, and its status; empty where it was not asked for."""
        return BrowseColumns(
            parent=tuple(self.parent),
            id=tuple(self.id),
            name=tuple(self.name),
            browse_name=tuple(self.browse_name),
            path=tuple(self.path),
            node_class=self._class_words(),
            type=("",) * len(self) if types is None else tuple(types),
            has_children=self._has_children(),
            description=("",) * len(self) if descriptions is None else tuple(descriptions),
            value=tuple(held[0]),
            status=tuple(held[1]),
            errors=self.errors,
        )

    def _class_words(self) -> tuple[str, ...]:
        if self.node_class.count(VARIABLE) == len(self):
            return (NODE_CLASSES[VARIABLE],) * len(self)
        return tuple([NODE_CLASSES.get(number, "object") for number in self.node_class])

    def _has_children(self) -> tuple[bool, ...]:
        if METHOD not in self.node_class and _PROPERTY_TYPE.isdisjoint(self.definition):
            return (True,) * len(self)
        pairs = zip(self.node_class, self.definition, strict=True)
        return tuple([number != METHOD and definition not in _PROPERTY_TYPE for number, definition in pairs])


def _fresh(rows: Rows, seen: set[str], most: int) -> Rows:
    """Those to be taken; their ids are added to ``seen``."""
    columns, many, before = rows.columns, len(rows), len(seen)
    if many <= most and all(columns.node) and seen.isdisjoint(columns.id):
        seen.update(columns.id)
        if len(seen) == before + many:  # each of them once: nearly always
            return rows
        seen.difference_update(columns.id)
    here = [row for row in rows if row[2] and row[3] not in seen]  # those on another server cannot be asked here
    taken = list({row[3]: row for row in reversed(here)}.values())[::-1][:most]  # the first one of each id
    seen.update(map(_ID, taken))
    return Rows.of(taken)


def _paths(parent: Parent, ids: Sequence[str], names: Sequence[str]) -> list[str]:
    """Objects is where paths begin; its siblings are written from Root on, with a leading "/"."""
    prefix = "/" if parent.id == ROOT else f"{parent.path}/" if parent.path else ""
    escaped = names if "".join(names).isalnum() else [name if name.isalnum() else escape_name(name) for name in names]
    paths = [prefix + name for name in escaped]
    if parent.id == ROOT:
        return ["" if id_ == OBJECTS else path for id_, path in zip(ids, paths, strict=True)]
    return paths
