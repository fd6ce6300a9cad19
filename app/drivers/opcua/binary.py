"""Decoding of OPC UA binary data into plain values (OPC 10000-6 §5.2). Pure; knows no server, executes nothing that a server sends.

Bytes come from a peer that may lie: every length is checked against what is left, nesting is bounded, and whatever does not fit raises
``DecodingError``. Times are 100 ns ticks since 1601-01-01 UTC until they become ns since 1970 or text.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import prod
from time import time_ns
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from app.drivers.opcua.address import IdentifierKind, NodeAddress, escape_uri
from app.model.values import Value

T = TypeVar("T")

BUILTIN_TYPES: Final[dict[int, str]] = {
    1: "bool", 2: "int8", 3: "uint8", 4: "int16", 5: "uint16", 6: "int32", 7: "uint32", 8: "int64", 9: "uint64",
    10: "float32", 11: "float64", 12: "string", 13: "datetime", 14: "guid", 15: "bytes", 16: "string", 17: "string",
    18: "string", 19: "uint32", 20: "string", 21: "string", 22: "struct",
}  # fmt: skip
"""Type word of each built-in type (OPC 10000-6 §5.1.2). NodeIds and names become text, a StatusCode stays its number."""

STATUS_CODE: Final = 19
EXTENSION_OBJECT: Final = 22
DATA_VALUE: Final = 23
VARIANT: Final = 24
DIAGNOSTIC_INFO: Final = 25

MAX_DEPTH: Final = 24
"""Deeper nesting of Variants, DataValues and structures is refused; OPC 10000-6 §5.2.2.16 asks for at least 100 *allowed*
levels only from those who can bear them, and no real value has more than a handful."""

_TICKS_1970: Final = 116_444_736_000_000_000
_TICKS_END: Final = 2_650_467_743_990_000_000
"""9999-12-31T23:59:59Z, from which on a time means "never" (OPC 10000-6 §5.2.2.5)."""

NUMBER_CODES: Final[dict[int, str]] = {
    1: "?", 2: "b", 3: "B", 4: "h", 5: "H", 6: "i", 7: "I", 8: "q", 9: "Q", 10: "f", 11: "d", 19: "I",
}  # fmt: skip
"""Built-in types of one size that are a number in Python → code of ``struct``."""

_NUMBERS: Final[dict[int, struct.Struct]] = {number: struct.Struct(f"<{code}") for number, code in NUMBER_CODES.items()}
_INT32 = struct.Struct("<i")
_UINT16 = struct.Struct("<H")
_UINT32 = struct.Struct("<I")
_INT64 = struct.Struct("<q")
_DIAGNOSTIC_NUMBERS: Final = (0x01, 0x02, 0x04, 0x08)
_ANY_ERROR = (struct.error, IndexError, ValueError, OverflowError, RecursionError)


class DecodingError(ValueError):
    """The bytes are not what OPC 10000-6 says they should be."""


class DataValue(NamedTuple):
    """OPC 10000-4 §7.11, ticks 0 where the server sent no time."""

    builtin: int
    is_array: bool
    value: Value
    status: int
    source_ticks: int
    server_ticks: int


NO_VALUE: Final = DataValue(0, False, None, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Extension:
    """An ExtensionObject not yet decoded: the address of its encoding and its body (None: no body)."""

    encoding: str
    body: bytes | None


def ticks_to_ns(ticks: int) -> int:
    """Ns since 1970 UTC; 0 for "no time" and for times outside int64 ns (before 1678, after 2262)."""
    ns = (ticks - _TICKS_1970) * 100
    return ns if ticks > 0 and -(2**63) <= ns < 2**63 else 0


def now_ticks() -> int:
    return time_ns() // 100 + _TICKS_1970


def ticks_to_text(ticks: int) -> str:
    """RFC 3339 UTC with as many digits as there are, down to 100 ns."""
    if ticks <= 0:
        return "1601-01-01T00:00:00Z"
    if ticks >= _TICKS_END:
        return "9999-12-31T23:59:59Z"
    seconds, rest = divmod(ticks, 10_000_000)
    text = (datetime(1601, 1, 1) + timedelta(seconds=seconds)).isoformat()  # noqa: DTZ001  UTC, written as Z below
    return f"{text}.{rest:07d}".rstrip("0") + "Z" if rest else f"{text}Z"


class Reader:
    """Reads one message or body from ``at`` on. ``namespaces`` turns indexes into URIs."""

    __slots__ = ("at", "data", "depth", "namespaces")

    def __init__(self, data: bytes, namespaces: Sequence[str], at: int = 0) -> None:
        self.data = data
        self.at = at
        self.namespaces = namespaces
        self.depth = 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if count < 0 or end > len(self.data):
            raise DecodingError(f"{count} bytes announced, {len(self.data) - self.at} left")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def byte(self) -> int:
        value = self.data[self.at]
        self.at += 1
        return value

    def uint16(self) -> int:
        self.at += 2
        return int(_UINT16.unpack_from(self.data, self.at - 2)[0])

    def int32(self) -> int:
        self.at += 4
        return int(_INT32.unpack_from(self.data, self.at - 4)[0])

    def uint32(self) -> int:
        self.at += 4
        return int(_UINT32.unpack_from(self.data, self.at - 4)[0])

    def ticks(self) -> int:
        self.at += 8
        return int(_INT64.unpack_from(self.data, self.at - 8)[0])

    def count(self) -> int:
        """Length of an array, -1 (null) as 0. Every element takes at least one byte, so more than what is left is a lie."""
        count = self.int32()
        if count > len(self.data) - self.at:
            raise DecodingError(f"an array of {count} announced, {len(self.data) - self.at} bytes left")
        return max(count, 0)

    def text(self) -> str:
        """String; null as ""."""
        return self.take(max(self.int32(), 0)).decode("utf-8", "replace")

    def octets(self) -> bytes:
        return self.take(max(self.int32(), 0))

    def guid(self) -> str:
        return str(UUID(bytes_le=self.take(16)))

    def node_id(self) -> str:
        """NodeId or ExpandedNodeId as canonical address; a node on another server begins with ``svr=``."""
        encoding = self.byte()
        form = encoding & 0x3F
        index, identifier = 0, ""
        kind: IdentifierKind = "i"
        if form == 0:
            identifier = str(self.byte())
        elif form == 1:
            index, identifier = self.byte(), str(self.uint16())
        elif form == 2:
            index, identifier = self.uint16(), str(self.uint32())
        elif form == 3:
            index, kind, identifier = self.uint16(), "s", self.text()
        elif form == 4:
            index, kind, identifier = self.uint16(), "g", self.guid()
        elif form == 5:
            index, kind = self.uint16(), "b"
            identifier = _base64(self.octets())
        else:
            raise DecodingError(f"unknown NodeId encoding {form}")
        uri = self.text() if encoding & 0x80 else ""
        server = self.uint32() if encoding & 0x40 else 0
        return node_text(self.namespaces, index, kind, identifier, uri=uri, server=server)

    def qualified_name(self) -> tuple[int, str]:
        return self.uint16(), self.text()

    def localized_text(self) -> str:
        mask = self.byte()
        if mask & 1:
            self.text()
        return self.text() if mask & 2 else ""

    def extension(self) -> Extension:
        encoding = self.node_id()
        form = self.byte()
        return Extension(encoding, self.octets() if form else None)

    def diagnostic_info(self) -> None:
        """Skipped: no one asked for diagnostics."""
        mask = self.byte()
        for bit in _DIAGNOSTIC_NUMBERS:
            if mask & bit:
                self.at += 4
        if mask & 0x10:
            self.text()
        if mask & 0x20:
            self.at += 4
        if mask & 0x40:
            self.deeper()
            self.diagnostic_info()
            self.depth -= 1

    def scalar(self, builtin: int) -> Value:
        """One value of a built-in type, plain; structures as ``Extension``."""
        number = _NUMBERS.get(builtin)
        if number is not None:
            self.at += number.size
            value: Value = number.unpack_from(self.data, self.at - number.size)[0]
            return value
        read = _READERS.get(builtin)
        if read is None:
            raise DecodingError(f"unknown built-in type {builtin}")
        return read(self)

    def variant(self) -> tuple[int, bool, Value]:
        """Built-in type, whether it is an array, value. Matrices are nested lists."""
        encoding = self.byte()
        builtin = encoding & 0x3F
        if not encoding & 0x80:
            return (builtin, False, self.scalar(builtin)) if builtin else (0, False, None)
        values = self.array(builtin)
        if encoding & 0x40:
            dimensions = [self.int32() for _ in range(self.count())]
            return builtin, True, _nested(values, dimensions)
        return builtin, True, values

    def array(self, builtin: int) -> list[Value]:
        count = self.count()
        number = _NUMBERS.get(builtin)
        if number is None:
            return [self.scalar(builtin) for _ in range(count)]
        body = self.take(count * number.size)
        return list(struct.unpack(f"<{count}{number.format[1:]}", body))

    def data_value(self) -> DataValue:
        mask = self.byte()
        builtin, is_array, value = self.variant() if mask & 0x01 else (0, False, None)
        status = self.uint32() if mask & 0x02 else 0
        source = self.ticks() if mask & 0x04 else 0
        if mask & 0x10:
            self.at += 2
        server = self.ticks() if mask & 0x08 else 0
        if mask & 0x20:
            self.at += 2
        return DataValue(builtin, is_array, value, status, source, server)

    def deeper(self) -> None:
        """Called on the way into something that may hold itself; the way out is ``self.depth -= 1``."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise DecodingError(f"nested deeper than {MAX_DEPTH}")


def _inner_variant(reader: Reader) -> Value:
    reader.deeper()
    value = reader.variant()[2]
    reader.depth -= 1
    return value


def _inner_data_value(reader: Reader) -> Value:
    reader.deeper()
    value = reader.data_value().value
    reader.depth -= 1
    return value


def _qualified_name(reader: Reader) -> str:
    index, name = reader.qualified_name()
    return name if index == 0 else f"nsu={escape_uri(namespace_uri(reader.namespaces, index))};{name}"


_READERS: Final[dict[int, Callable[[Reader], Value]]] = {
    12: Reader.text,
    13: lambda reader: ticks_to_text(reader.ticks()),
    14: Reader.guid,
    15: Reader.octets,
    16: Reader.text,
    17: Reader.node_id,
    18: Reader.node_id,
    20: _qualified_name,
    21: Reader.localized_text,
    EXTENSION_OBJECT: Reader.extension,
    DATA_VALUE: _inner_data_value,
    VARIANT: _inner_variant,
    DIAGNOSTIC_INFO: Reader.diagnostic_info,
}


def decoded(read: Callable[[Reader], T], data: bytes, namespaces: Sequence[str]) -> T:
    """Run ``read`` over ``data`` with every way of failing turned into ``DecodingError``."""
    return decoded_with(read, Reader(data, namespaces))


def decoded_with(read: Callable[[Reader], T], reader: Reader) -> T:
    """The same with a reader that stands somewhere already."""
    try:
        return read(reader)
    except DecodingError:
        raise
    except _ANY_ERROR as error:
        raise DecodingError(f"{type(error).__name__}: {error}") from error


def namespace_uri(namespaces: Sequence[str], index: int) -> str:
    return namespaces[index] if index < len(namespaces) else f"#{index}"


def node_text(namespaces: Sequence[str], index: int, kind: IdentifierKind, identifier: str, *, uri: str = "", server: int = 0) -> str:
    """Canonical address of a NodeId given by parts. An index beyond the server's own list becomes the URI ``#<index>``."""
    text = str(NodeAddress(uri or namespace_uri(namespaces, index), kind, identifier))
    return f"svr={server};{text}" if server else text


def _nested(values: list[Value], dimensions: list[int]) -> list[Value]:
    """Row-major values as nested lists; dimensions that do not fit leave them flat."""
    if len(dimensions) < 2 or any(size <= 0 for size in dimensions) or prod(dimensions) != len(values):
        return values
    for size in reversed(dimensions[1:]):
        values = [values[start : start + size] for start in range(0, len(values), size)]
    return values


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def read_response_header(reader: Reader) -> int:
    """Type id and ResponseHeader (OPC 10000-4 §7.33) of a service's answer; returns its ServiceResult."""
    reader.node_id()
    reader.at += 12
    result = reader.uint32()
    reader.diagnostic_info()
    for _ in range(reader.count()):
        reader.text()
    reader.extension()
    return result


class ResultError(DecodingError):
    """The service's result is bad: nothing else is in the answer.

    Attributes:
        status: StatusCode.
    """

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"service result 0x{status:08X}")


def passed_response_header(data: bytes, namespaces: Sequence[str]) -> Reader:
    """A reader behind the header of a service's answer.

    Raises:
        DecodingError: It is none; ``ResultError`` where its ServiceResult is bad.
    """
    if data.startswith(_PLAIN_HEADER_END, _PLAIN_HEADER_AT) and data[:2] == b"\x01\x00":  # what nearly all of them look like
        return Reader(data, namespaces, _PLAIN_HEADER_AT + len(_PLAIN_HEADER_END))
    reader = Reader(data, namespaces)
    status = decoded_with(read_response_header, reader)
    if status >> 30:
        raise ResultError(status)
    return reader


_PLAIN_HEADER_AT: Final = 16
"""Behind a type id of four bytes, time stamp and handle."""
_PLAIN_HEADER_END: Final = bytes(4) + b"\0" + bytes(4) + b"\0\0\0"
"""Good, no diagnostics, no strings (null would be -1), no additional header."""


def repeats(data: bytes, piece: bytes, at: int, most: int) -> int:
    """How often ``piece`` stands there in a row, at most so often; it does once."""
    size, many = len(piece), 1
    run = piece * _REPEATED
    while many + _REPEATED <= most and data.startswith(run, at + many * size):
        many += _REPEATED
    while many < most and data.startswith(piece, at + many * size):
        many += 1
    return many


_REPEATED: Final = 16
