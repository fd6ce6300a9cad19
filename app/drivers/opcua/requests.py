"""Encoding of the requests that are sent most: Browse, BrowseNext and Read for many nodes at a time (OPC 10000-4 §5.8, §5.10). Pure.

NodeIds stay the bytes they came as (OPC 10000-6 §5.2.2.9): what a Browse answered goes into the next request without being looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, Literal

from app.drivers.opcua.binary import now_ticks

READ: Final = 631
BROWSE: Final = 527
BROWSE_NEXT: Final = 533
"""Numeric identifiers of the requests' binary encodings, OPC 10000-6 Annex A."""

FAULT: Final = b"\x01\x00\x8d\x01"
"""How a ServiceFault (i=397) begins."""

MAX_REFERENCES: Final = 1000
"""Per node and request; more come with BrowseNext. Keeps answers small where 0 would let the server send everything at once."""

Direction = Literal["forward", "inverse", "both"]
Times = Literal["both", "none"]

_DIRECTIONS: Final[dict[Direction, int]] = {"forward": 0, "inverse": 1, "both": 2}
_TIMES: Final[dict[Times, int]] = {"both": 2, "none": 3}
_NULL_STRING: Final = b"\xff\xff\xff\xff"
_ALL_CLASSES: Final = 0
_ALL_FIELDS: Final = 63
_UINT32: Final = struct.Struct("<I")
_INT32: Final = struct.Struct("<i")
_HEADER: Final = struct.Struct("<qII4sI3s")
_BROWSE: Final = struct.Struct("<2sqIIi")
_READ: Final = struct.Struct("<dIi")
_DESCRIPTION: Final = struct.Struct("<BII")


def request_header(type_id: int, token: bytes, handle: int, timeout_s: float) -> bytes:
    """Type id and RequestHeader (OPC 10000-4 §7.32); ``token`` is an encoded NodeId."""
    times = _HEADER.pack(now_ticks(), handle, 0, _NULL_STRING, int(timeout_s * 1000), b"\0\0\0")
    return b"\x01\x00" + struct.pack("<H", type_id) + token + times


def numeric(number: int, index: int = 0) -> bytes:
    """A NodeId with a number, in the shortest form that OPC 10000-6 §5.2.2.9 has for it."""
    if index == 0 and number < 0x100:
        return bytes((0, number))
    if index < 0x100 and number < 0x10000:
        return struct.pack("<BBH", 1, index, number)
    return struct.pack("<BHI", 2, index, number)


def all_forms(node: bytes) -> tuple[bytes, ...]:
    """Every way in which servers write this NodeId: a number that fits into few bytes is also sent in more."""
    form = node[0]
    if form > 2:
        return (node,)
    index = 0 if form == 0 else node[1] if form == 1 else int.from_bytes(node[1:3], "little")
    number = int.from_bytes(node[(1, 2, 3)[form] :], "little")
    forms = [struct.pack("<BHI", 2, index, number)]
    if index < 0x100 and number < 0x10000:
        forms.append(struct.pack("<BBH", 1, index, number))
    if index == 0 and number < 0x100:
        forms.append(bytes((0, number)))
    return tuple(forms)


def browse(nodes: Sequence[bytes], direction: Direction, reference: bytes, *, subtypes: bool = True) -> bytes:
    """BrowseRequest behind its header: every node class, every field of a reference, no view."""
    classes = _DESCRIPTION.pack(subtypes, _ALL_CLASSES, _ALL_FIELDS)
    description = _UINT32.pack(_DIRECTIONS[direction]) + reference + classes
    return _BROWSE.pack(b"\0\0", 0, 0, MAX_REFERENCES, len(nodes)) + description.join((*nodes, b""))


def browse_next(points: Sequence[bytes], *, release: bool) -> bytes:
    parts = [bytes((release,)), _INT32.pack(len(points))]
    for point in points:
        parts += _INT32.pack(len(point)), point
    return b"".join(parts)


def read(items: Sequence[tuple[bytes, int]], times: Times) -> bytes:
    """ReadRequest behind its header: (NodeId, attribute) of each; values as new as they are (maximum age 0)."""
    tails = {number: _attribute(number) for number in {number for _, number in items}}
    return _READ.pack(0.0, _TIMES[times], len(items)) + b"".join([node + tails[number] for node, number in items])


def read_one_attribute(nodes: Sequence[bytes], attribute: int, times: Times) -> bytes:
    """The same where all items ask for one attribute."""
    return _READ.pack(0.0, _TIMES[times], len(nodes)) + _attribute(attribute).join((*nodes, b""))


def _attribute(number: int) -> bytes:
    """Attribute id, no index range, no data encoding."""
    return _UINT32.pack(number) + _NULL_STRING + b"\0\0" + _NULL_STRING
