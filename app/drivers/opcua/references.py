"""Decoding of Browse and BrowseNext answers (OPC 10000-4 §5.8.2, §5.8.3), lean: one tuple per reference, in one pass.

The shapes that nearly every server sends (a plain NodeId of a number or a string, a name, a text with or without locale) are taken with
four looks into the bytes; anything else goes through ``binary.Reader``, reference by reference, which knows all there is. A hostile
answer raises ``DecodingError``: whatever is announced beyond the end is found at the latest by the next look.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from app.drivers.opcua.binary import DecodingError, Reader, decoded_with, node_text, passed_response_header, repeats


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


class Found(NamedTuple):
    """What a Browse found below one node.

    Attributes:
        status: StatusCode of this node.
        point: Continuation point, b"" where there is no more.
        rows: In the server's order.
    """

    status: int
    point: bytes
    rows: Sequence[Row]

    @property
    def references(self) -> list[Reference]:
        return [Reference._make(row) for row in self.rows]


class Prefixes(dict[int, str]):
    """Namespace index → how the address of a node with a string or number in it begins."""

    def __init__(self, namespaces: Sequence[str], kind: str) -> None:
        super().__init__()
        self._namespaces, self._kind = namespaces, kind

    def __missing__(self, index: int) -> str:
        prefix = node_text(self._namespaces, index, "i", "").removesuffix("i=") + f"{self._kind}="
        self[index] = prefix
        return prefix


_NUMERIC_FORMS: Final = (0, 1, 2)
_STRING: Final = 3
_TEXT: Final = 2
_EMPTY_BYTES: Final = 12
_EMPTIES: Final = frozenset(bytes(4) + point + count for point in (b"\xff" * 4, bytes(4)) for count in (b"\xff" * 4, bytes(4)))
"""Good, no continuation point, no references: null or empty."""

_UINT32: Final = struct.Struct("<I")
_INT32: Final = struct.Struct("<i")
_FOUR_BYTE: Final = struct.Struct("<BH")
_NUMERIC: Final = struct.Struct("<HI")
_NAME: Final = struct.Struct("<Hi")
_LOCALIZED: Final = struct.Struct("<Bi")
_CLASS: Final = struct.Struct("<iB")
NOTHING: Final = Found(0, b"", [])
"""The answer for a node with nothing below it: most of them, and so one object for all. Its list is never added to."""


class Browsed:
    """Decodes answers of one connection: ``namespaces`` are its, and hold as long."""

    def __init__(self, namespaces: Sequence[str]) -> None:
        self._namespaces = namespaces
        self._numbers = Prefixes(namespaces, "i")
        self._strings = Prefixes(namespaces, "s")

    def results(self, data: bytes) -> list[Found]:
        """BrowseResponse or BrowseNextResponse from its type id on.

        Raises:
            DecodingError: It is not what OPC 10000-6 says; or the service's result is bad, ``status`` tells it.
        """
        reader = passed_response_header(data, self._namespaces)
        return decoded_with(self._results, reader)

    def _results(self, reader: Reader) -> list[Found]:
        data = reader.data
        found: list[Found] = []
        left = reader.count()
        while left > 0:
            empty = data[reader.at : reader.at + _EMPTY_BYTES]
            if empty in _EMPTIES:
                many = repeats(data, empty, reader.at, left)
                found += [NOTHING] * many
                reader.at += many * _EMPTY_BYTES
                left -= many
                continue
            status = reader.uint32()
            point = reader.octets()
            found.append(Found(status, point, self._references(reader, reader.count())))
            left -= 1
        return found

    def _references(self, reader: Reader, count: int) -> list[Row]:  # noqa: C901, PLR0912, PLR0915  one look after the other, on purpose
        """The hot loop: 2 µs a reference; a call or an object for each part of one would double that."""
        data, at, end = reader.data, reader.at, len(reader.data)
        numbers, strings = self._numbers, self._strings
        name_at, localized_at, class_at, numeric_at, four_byte_at = (
            _NAME.unpack_from, _LOCALIZED.unpack_from, _CLASS.unpack_from, _NUMERIC.unpack_from, _FOUR_BYTE.unpack_from,
        )  # fmt: skip
        rows: list[Row] = []
        append = rows.append
        while len(rows) < count:
            start = at
            try:
                if data[at] == 0:  # reference type in two bytes
                    type_ = data[at : at + 2]
                    at += 2
                else:
                    type_, at = self._skipped(data, at)
                forward = data[at] != 0
                at += 1
                begin, form = at, data[at + 0]
                if form == _STRING:
                    index, size = name_at(data, at + 1)
                    at += 7
                    text = at
                    at += size
                    if size < 0 or at > end:
                        raise _UnusualError
                    id_ = strings[index] + data[text:at].decode()
                elif form == 2:
                    index, number = numeric_at(data, at + 1)
                    at += 7
                    id_ = f"{numbers[index]}{number}"
                elif form == 1:
                    index, number = four_byte_at(data, at + 1)
                    at += 4
                    id_ = f"{numbers[index]}{number}"
                elif form == 0:
                    id_ = f"{numbers[0]}{data[at + 1]}"
                    at += 2
                else:
                    raise _UnusualError
                node = data[begin:at]
                index, size = name_at(data, at)
                at += 6
                text = at
                at += size
                if size < 0 or at > end:
                    raise _UnusualError
                name_bytes = data[text:at]
                name = name_bytes.decode()
                mask, size = localized_at(data, at)
                if mask == 3:  # locale before the text
                    at += 5 + max(size, 0)
                    size = _INT32.unpack_from(data, at)[0]
                    at += 4
                elif mask == _TEXT:
                    at += 5
                elif mask == 0:
                    size = 0
                    at += 1
                else:
                    raise _UnusualError
                if size > 0:
                    text = at
                    at += size
                    if at > end:
                        raise _UnusualError
                    display = name if data.startswith(name_bytes, text) and size == len(name_bytes) else data[text:at].decode()
                else:
                    display = ""
                class_from = at
                node_class, class_form = class_at(data, at)
                at += 4
                if class_form == 0:
                    definition = data[at : at + 2]
                    at += 2
                else:
                    definition, at = self._skipped(data, at)
                if at > end:
                    raise _UnusualError
            except (_UnusualError, UnicodeDecodeError):
                reader.at = start
                append(self._reference(reader))
                at = reader.at
                continue
            row = (type_, forward, node, id_, index, name, display, node_class, definition)
            append(row)
            if form == _STRING and mask == _TEXT and display is name:
                at = self._siblings(data, at, row, (data[start : begin + 3], data[class_from:at]), rows, count)
        reader.at = at
        return rows

    def _siblings(self, data: bytes, at: int, like: Row, frame: tuple[bytes, bytes], rows: list[Row], count: int) -> int:
        """Add what follows and differs in the NodeId's text and in its name only, which it shows; where the first stands that is not so.

        Args:
            data, at: Where the first one begins.
            like: The reference before.
            frame: Of that reference, what is before the size of its NodeId's text, and what is behind its display name.
            rows, count: Where to add, until there are so many.
        """
        head, tail = frame
        prefix = self._strings[int.from_bytes(head[-2:], "little")]
        type_, forward, _, _, _, _, _, node_class, definition = like
        starts, size_at, name_at, append = data.startswith, _INT32.unpack_from, _NAME.unpack_from, rows.append
        form_in, size_in, rest = len(head) - 3, len(head), len(tail) + 5
        try:
            for _ in range(count - len(rows)):
                if not starts(head, at):
                    break
                text = at + size_in + 4
                name_from = text + size_at(data, at + size_in)[0]
                if name_from < text:
                    break
                index, length = name_at(data, name_from)
                end = name_from + 6 + length
                if length <= 0 or not starts(b"\x02" + data[name_from + 2 : end], end) or not starts(tail, end + 5 + length):
                    break
                name = data[name_from + 6 : end].decode()
                id_ = prefix + data[text:name_from].decode()
                append((type_, forward, data[at + form_in : name_from], id_, index, name, name, node_class, definition))
                at = end + length + rest
        except (UnicodeDecodeError, struct.error):
            pass  # the general way knows what to make of it
        return at

    def _skipped(self, data: bytes, at: int) -> tuple[bytes, int]:
        """A NodeId as it stands there, and where it ends."""
        reader = Reader(data, self._namespaces, at)
        reader.node_id()
        return data[at : reader.at], reader.at

    def _reference(self, reader: Reader) -> Row:
        """Any reference, field by field."""
        type_, reader.at = self._skipped(reader.data, reader.at)
        forward = reader.byte() != 0
        start = reader.at
        id_ = reader.node_id()
        node = plain_node(reader.data[start : reader.at], self._namespaces)
        index, name = reader.qualified_name()
        display = reader.localized_text()
        node_class = reader.int32()
        definition, reader.at = self._skipped(reader.data, reader.at)
        if reader.at > len(reader.data):
            raise DecodingError("the answer ends within a reference")
        return type_, forward, node, id_, index, name, display, node_class, definition


class _UnusualError(Exception):
    """A reference is not of the usual shapes."""


def plain_node(expanded: bytes, namespaces: Sequence[str]) -> bytes:
    """NodeId of an ExpandedNodeId, both encoded: requests must not carry its URI. b"" where no request of this server can name it."""
    flags = expanded[0] & 0xC0
    if not flags:
        return expanded
    reader = Reader(expanded, namespaces)
    form = reader.byte() & 0x3F
    fixed = {0: 1, 1: 3, 2: 6, 4: 18}.get(form)
    if fixed is not None:
        reader.at += fixed
    else:
        reader.at += 2
        reader.octets()
    plain = bytes((form,)) + expanded[1 : reader.at]
    uri = reader.text() if flags & 0x80 else ""
    server = reader.uint32() if flags & 0x40 else 0
    if server:
        return b""
    return plain if not uri else _with_index(plain, form, uri, namespaces)


def _with_index(plain: bytes, form: int, uri: str, namespaces: Sequence[str]) -> bytes:
    """The URI counts where there is one, not the index beside it (OPC 10000-6 §5.2.2.10)."""
    if uri not in namespaces:
        return b""
    index = namespaces.index(uri)
    if form in _NUMERIC_FORMS:
        number = int.from_bytes(plain[{0: 1, 1: 2, 2: 3}[form] :], "little")
        return struct.pack("<BHI", 2, index, number)
    return plain[:1] + struct.pack("<H", index) + plain[3:]
