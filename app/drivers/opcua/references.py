"""Decoding of Browse and BrowseNext answers (OPC 10000-4 §5.8.2, §5.8.3), lean: one tuple per reference, in one pass.

The shapes that nearly every server sends (a plain NodeId of a number or a string, a name, a text with or without locale) are taken with
four looks into the bytes; anything else goes through ``binary.Reader``, reference by reference, which knows all there is. A hostile
answer raises ``DecodingError``: whatever is announced beyond the end is found at the latest by the next look.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from app.drivers.opcua.binary import DecodingError, Reader, decoded_with, passed_response_header, repeats
from app.drivers.opcua.browsed import NOTHING, Found, Row, Rows
from app.drivers.opcua.siblings import FEWEST, Prefixes, Siblings

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
_LONGEST_PAUSE: Final = 64
"""References until siblings are looked for again where there were none."""


class Browsed:
    """Decodes answers of one connection: ``namespaces`` are its, and hold as long."""

    def __init__(self, namespaces: Sequence[str]) -> None:
        self._namespaces = namespaces
        self._numbers = Prefixes(namespaces, "i")
        self._strings = Prefixes(namespaces, "s")
        self._siblings = Siblings(self._numbers, self._strings)

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

    def _references(self, reader: Reader, count: int) -> Rows:  # noqa: C901, PLR0912, PLR0915  one look after the other, on purpose
        """The hot loop: 2 µs a reference; a call or an object for each part of one would double that."""
        data, at, end = reader.data, reader.at, len(reader.data)
        numbers, strings = self._numbers, self._strings
        name_at, localized_at, class_at, numeric_at, four_byte_at = (
            _NAME.unpack_from, _LOCALIZED.unpack_from, _CLASS.unpack_from, _NUMERIC.unpack_from, _FOUR_BYTE.unpack_from,
        )  # fmt: skip
        found = Rows()
        rows: list[Row] = []  # behind those
        append, left, pause = rows.append, count, 1
        while left > 0:
            start, left = at, left - 1
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
            if left >= FEWEST and not left % pause and data.startswith(data[start:begin], at):
                frame = data[start:begin], data[class_from:at]
                taken = self._siblings.take(data, start, row, frame, left + 1)
                if taken is not None:
                    pause = 1
                    found.add_each(rows)
                    found.add(taken[0])
                    rows.clear()
                    at, left = taken[1], left + 1 - len(taken[0].id)
                    continue
                pause = min(2 * pause, _LONGEST_PAUSE)
            append(row)
        reader.at = at
        found.add_each(rows)
        return found

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
