"""What a Browse found (OPC 10000-4 §5.8.2), as columns. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress, repeat
from operator import is_not
from typing import Any, Final, NamedTuple


class Reference(NamedTuple):
    """OPC 10000-4 §7.29 ReferenceDescription.

    Attributes:
        type, type_definition: NodeIds as they came, encoded.
        node: The target's NodeId, encoded as a request carries it; b"" for a node on another server, which cannot be asked here.
        id: Canonical address of the target.
        namespace, name: Its browse name; the namespace's index is valid for this connection only.
        display: Display name without its locale, "" where there is none.
        node_class: OPC 10000-3 §5; 0 where the server says none.
    """

    type: bytes
    forward: bool
    node: bytes
    id: str
    namespace: int
    name: str
    display: str
    node_class: int
    type_definition: bytes


Row = tuple[bytes, bool, bytes, str, int, str, str, int, bytes]
"""``Reference`` without its class, which would double the time to make one; ``Reference._make`` gives it."""


class Columns(NamedTuple):
    """The fields of ``Reference``, each of many."""

    type: Sequence[bytes]
    forward: Sequence[bool]
    node: Sequence[bytes]
    id: Sequence[str]
    namespace: Sequence[int]
    name: Sequence[str]
    display: Sequence[str]
    node_class: Sequence[int]
    type_definition: Sequence[bytes]


_NO_COLUMNS: Final = Columns((), (), (), (), (), (), (), (), ())


class Rows:
    """References in the server's order, as columns: an object for each would cost as much as its decoding."""

    __slots__ = ("_lists",)

    def __init__(self) -> None:
        self._lists: list[list[Any]] = []  # Any: bytes, text and numbers, as in ``Columns``

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Rows:
        made = cls()
        made.add_each(rows)
        return made

    @property
    def columns(self) -> Columns:
        return Columns(*self._lists) if self._lists else _NO_COLUMNS

    def add(self, columns: Columns) -> None:
        if not self._lists:
            self._lists = list(map(list, columns))
            return
        for column, more in zip(self._lists, columns, strict=True):
            column.extend(more)

    def add_each(self, rows: Sequence[Row]) -> None:
        if rows:
            self.add(Columns(*zip(*rows, strict=True)))

    def __len__(self) -> int:
        return len(self._lists[3]) if self._lists else 0

    def __iter__(self) -> Iterator[Row]:
        return zip(*self.columns, strict=True)


class Found(NamedTuple):
    """What a Browse found below one node.

    Attributes:
        status: StatusCode of this node.
        point: Continuation point, b"" where there is no more.
        rows: In the server's order.
    """

    status: int
    point: bytes
    rows: Rows

    @property
    def references(self) -> list[Reference]:
        return [Reference._make(row) for row in self.rows]


NOTHING: Final = Found(0, b"", Rows())
"""The answer for a node with nothing below it: most of them, and so one object for all. Its rows are never added to."""


def filled(found: Sequence[Found]) -> list[tuple[int, Found]]:
    """All but ``NOTHING``, with their places."""
    places = compress(range(len(found)), map(is_not, found, repeat(NOTHING)))
    return [(place, found[place]) for place in places]
