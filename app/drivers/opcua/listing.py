"""Columns of what was browsed, filled for many references at a time. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

from app.drivers.base import BrowseColumns, NodeClass
from app.drivers.opcua.address import UA_NAMESPACE, escape_name
from app.drivers.opcua.binary import DataValue, namespace_uri
from app.drivers.opcua.found import Row
from app.drivers.opcua.requests import all_forms, numeric

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

    def add(self, place: int, parent: Parent, rows: Sequence[Row], *, seen: set[str] | None = None, most: int = 2**31) -> None:
        """What is below ``parent``, each target once, by its first reference (such as Organizes before HasNotifier).

        Args:
            place: Of the parent, for the column of that name.
            parent: Whose children they are.
            rows: References.
            seen: Ids that are left out, whoever they are below; these are added to them.
            most: More rows are left out, and not added to ``seen``.
        """
        rows = _fresh(rows, set() if seen is None else seen, most)
        if not rows:
            return
        if parent.id == ROOT:
            rows = sorted(rows, key=lambda row: row[3] != OBJECTS)
        _, _, nodes, ids, indexes, names, displays, classes, definitions = zip(*rows, strict=True)
        self.parent += [place] * len(rows)
        self.node += nodes
        self.id += ids
        self.plain_name += names
        self.name += displays if all(displays) else [display or name for display, name in zip(displays, names, strict=True)]
        self.browse_name += self._browse_names(parent.namespace, indexes, names)
        self.path += _paths(parent, ids, names)
        self.index += indexes
        self.node_class += classes
        self.definition += definitions

    def _browse_names(self, index: int, indexes: Sequence[int], names: Sequence[str]) -> Sequence[str]:
        """With the namespace's URI where it is another than the parent's."""
        if indexes.count(index) == len(indexes):
            return names
        uris = {own: f"{namespace_uri(self._namespaces, own)}:" for own in set(indexes)} | {index: ""}
        return [uris[own] + name for own, name in zip(indexes, names, strict=True)]

    def of_class(self, node_class: int) -> list[int]:
        """Rows of this node class."""
        return [row for row, number in enumerate(self.node_class) if number == node_class]

    def browsable(self) -> list[bytes]:
        """Encoded NodeIds, b"" for properties: nothing is below them (OPC 10000-3 §5.6.2)."""
        if _PROPERTY_TYPE.isdisjoint(self.definition):
            return self.node
        return [b"" if definition in _PROPERTY_TYPE else node for node, definition in zip(self.node, self.definition, strict=True)]

    def columns(self, types: Mapping[int, str] | None = None, descriptions: Mapping[int, str] | None = None) -> BrowseColumns:
        """``types`` and ``descriptions`` by row, where there are any."""
        return BrowseColumns(
            parent=tuple(self.parent),
            id=tuple(self.id),
            name=tuple(self.name),
            browse_name=tuple(self.browse_name),
            path=tuple(self.path),
            node_class=tuple([NODE_CLASSES.get(number, "object") for number in self.node_class]),
            type=self._filled(types),
            has_children=self._has_children(),
            description=self._filled(descriptions),
            errors=self.errors,
        )

    def _filled(self, texts: Mapping[int, str] | None) -> tuple[str, ...]:
        if not texts:
            return ("",) * len(self)
        if len(texts) == len(self):
            return tuple([texts[row] for row in range(len(self))])
        return tuple([texts.get(row, "") for row in range(len(self))])

    def _has_children(self) -> tuple[bool, ...]:
        if METHOD not in self.node_class and _PROPERTY_TYPE.isdisjoint(self.definition):
            return (True,) * len(self)
        pairs = zip(self.node_class, self.definition, strict=True)
        return tuple([number != METHOD and definition not in _PROPERTY_TYPE for number, definition in pairs])

    def with_values(self, columns: BrowseColumns, rows: Sequence[int], values: Sequence[DataValue]) -> BrowseColumns:
        """The same with what variables held: ``rows`` are theirs."""
        held: list[object] = [None] * len(self)
        statuses = [0] * len(self)
        for row, value in zip(rows, values, strict=True):
            held[row], statuses[row] = value.value, value.status
        return msgspec.structs.replace(columns, value=tuple(held), status=tuple(statuses))


def _fresh(rows: Sequence[Row], seen: set[str], most: int) -> Sequence[Row]:
    if not all(row[2] for row in rows):
        rows = [row for row in rows if row[2]]  # those on another server cannot be asked here
    ids = list(map(_ID, rows))
    if len(set(ids)) < len(ids) or not seen.isdisjoint(ids):
        rows = list({row[3]: row for row in reversed(rows) if row[3] not in seen}.values())[::-1]  # the first one of each id stays
        ids = list(map(_ID, rows))
    seen.update(ids[:most])
    return rows[:most]


def _paths(parent: Parent, ids: Sequence[str], names: Sequence[str]) -> list[str]:
    """Objects is where paths begin; its siblings are written from Root on, with a leading "/"."""
    prefix = "/" if parent.id == ROOT else f"{parent.path}/" if parent.path else ""
    escaped = names if "".join(names).isalnum() else [name if name.isalnum() else escape_name(name) for name in names]
    paths = [prefix + name for name in escaped]
    if parent.id == ROOT:
        return ["" if id_ == OBJECTS else path for id_, path in zip(ids, paths, strict=True)]
    return paths
