"""References of one kind in a row: decoded together, a few looks at all of them instead of many at each.

What is below one node is mostly alike: of one reference type, node class and type definition, with NodeIds of one namespace. Such
references differ in the NodeId and in the names, and the names come again below the next node of the same type.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

from app.drivers.opcua.binary import DecodingError, Reader, node_text
from app.drivers.opcua.browsed import Columns, Row


class Prefixes(dict[int, str]):
    """Namespace index → how the address of a node with a string or number in it begins."""

    def __init__(self, namespaces: Sequence[str], kind: str) -> None:
        super().__init__()
        self._namespaces, self._kind = namespaces, kind

    def __missing__(self, index: int) -> str:
        prefix = node_text(self._namespaces, index, "i", "").removesuffix("i=") + f"{self._kind}="
        self[index] = prefix
        return prefix


FEWEST: Final = 4
"""With fewer to come it is not worth while."""

_LEAD_BYTES: Final = {1: 2, 2: 3, 3: 3}
"""Form of a NodeId → bytes of it that say form and namespace, OPC 10000-6 §5.2.2.9."""
_MORE_BYTES: Final = {1: 2, 2: 4, 3: 4}
"""Likewise, of the number, or the size of the text, that follows."""
_SIZE_BYTES: Final = 4
_SIZES_BYTES: Final = 15
"""Of a reference with a text as NodeId: the sizes of all its texts, and what stands beside those."""
_REACH: Final = 2
"""Siblings are looked for in so many times the bytes that they would have if all were as long as the one before."""
_STRING: Final = 3
_MOST_NAMES: Final = 4096
_NAME: Final = struct.Struct("<Hi")
_TEXT: Final = b"\x02"


class _UnlikeError(Exception):
    """It is no sibling after all."""


class Names(dict[bytes, tuple[int, str, str]]):
    """Encoded browse name and display name → namespace index and both; the same object each time it comes."""

    def __missing__(self, data: bytes) -> tuple[int, str, str]:
        if len(self) >= _MOST_NAMES:
            self.clear()
        self[data] = names = _names(data)
        return names


def _names(data: bytes) -> tuple[int, str, str]:
    try:
        index, size = _NAME.unpack_from(data)
        end = _NAME.size + size
        if size > 0 and data[end:] == _TEXT + data[2:end]:  # nearly always: the one shows the other
            name = data[_NAME.size : end].decode()
            return index, name, name
        reader = Reader(data, ())
        index, name = reader.qualified_name()
        display = reader.localized_text()
    except (DecodingError, ValueError, IndexError, struct.error) as error:
        raise _UnlikeError from error
    if reader.at != len(data):
        raise _UnlikeError
    return index, name, display


class Siblings:
    """Of one connection."""

    def __init__(self, numbers: Prefixes, strings: Prefixes) -> None:
        self._numbers, self._strings = numbers, strings
        self._names = Names()
        self._last: list[bytes] = []
        self._last_names: list[tuple[Any, ...]] = []  # Any: of numbers, and two of text

    def take(self, data: bytes, at: int, like: Row, frame: tuple[bytes, bytes], most: int) -> tuple[Columns, int] | None:
        """One and what follows with its NodeId's form and namespace, its type, class and definition; None where nothing does.

        Args:
            data, at: Where the one begins.
            like: The one, decoded.
            frame: Of it, encoded: what is before the NodeId, and what is behind the names.
            most: How many there are at most.

        Returns:
            They, and where the last one ends.
        """
        head, tail = frame
        lead_bytes = _LEAD_BYTES.get(like[2][0])
        if lead_bytes is None:
            return None
        lead = like[2][:lead_bytes]
        between = tail + head
        reach = at + _REACH * most * (len(between) + len(like[2]) + 2 * len(like[5]) + _SIZES_BYTES)
        pieces = data[at + len(head) : reach].split(between, most - 1)
        del pieces[-1]  # where that one ends is not known
        while len(pieces) > 1:
            try:
                return self._columns(pieces, like, lead), at + sum(map(len, pieces)) + len(pieces) * len(between)
            except _UnlikeError:
                del pieces[self._fitting(pieces, like, lead) :]
        return None

    def _fitting(self, pieces: Sequence[bytes], like: Row, lead: bytes) -> int:
        """How many from the first on are siblings."""
        for number, piece in enumerate(pieces):
            try:
                self._columns([piece], like, lead)
            except _UnlikeError:
                return number
        return len(pieces)

    def _columns(self, pieces: Sequence[bytes], like: Row, lead: bytes) -> Columns:
        """Of references without what they have in common: NodeIds, and names."""
        namespace = int.from_bytes(lead[1:], "little")
        begin_bytes = len(lead) + _MORE_BYTES[lead[0]]
        if lead[0] == _STRING:
            ends = _Ends(lead)
            nodes = [piece[: ends[piece[:begin_bytes]]] for piece in pieces]
            ids = _texts(self._strings[namespace], [node[begin_bytes:] for node in nodes])
        else:
            nodes = [piece[:begin_bytes] for piece in pieces]
            if not all(node.startswith(lead) for node in nodes):
                raise _UnlikeError
            prefix = self._numbers[namespace]
            ids = [f"{prefix}{int.from_bytes(node[len(lead) :], 'little')}" for node in nodes]
        encoded = [piece[len(node) :] for piece, node in zip(pieces, nodes, strict=True)]
        if encoded != self._last:  # else: below a node of the same type
            self._last_names = list(zip(*[self._names[one] for one in encoded], strict=True))
            self._last = encoded
        indexes, names, displays = self._last_names
        type_, forward, _, _, _, _, _, node_class, definition = like
        many = len(pieces)
        common = [type_] * many, [forward] * many, [node_class] * many, [definition] * many
        return Columns(*common[:2], nodes, ids, indexes, names, displays, *common[2:])


class _Ends(dict[bytes, int]):
    """What a NodeId with a text begins with, up to the size of that → where it ends."""

    def __init__(self, lead: bytes) -> None:
        super().__init__()
        self._lead = lead

    def __missing__(self, begin: bytes) -> int:
        size = int.from_bytes(begin[len(self._lead) :], "little", signed=True)
        if size < 0 or len(begin) < len(self._lead) + _SIZE_BYTES or not begin.startswith(self._lead):
            raise _UnlikeError
        self[begin] = end = len(begin) + size
        return end


def _texts(prefix: str, encoded: Sequence[bytes]) -> list[str]:
    """Each behind ``prefix``."""
    try:
        joined = b"\n".join(encoded).decode()
    except UnicodeDecodeError as error:
        raise _UnlikeError from error
    if joined.count("\n") == len(encoded) - 1:
        return (prefix + joined.replace("\n", "\n" + prefix)).split("\n")
    return [prefix + text.decode() for text in encoded]
