"""Monitored items on the wire: made and deleted many at a time (OPC 10000-4 §5.13.2 and §5.13.6, encodings of OPC 10000-6). Pure."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import ceil
from typing import Final, NamedTuple

from app.drivers.opcua.binary import Reader, ResultError, decoded, read_response_header

CREATE: Final = 751
DELETE: Final = 781
"""Ids of the requests' binary encodings in namespace 0."""

OUTAGE_BUDGET_MS: Final = 10_000
"""So long may values wait at the server when the link is silent, and still all come."""

MOST_QUEUED: Final = 100
"""Values that we ask a server to keep for an item because of the budget; it has thousands of items."""

SENSIBLE_MS: Final = (1e-3, 86_400_000.0)
"""Of an interval that a server grants: a day at most. Others, and what is no number, are taken as 0, reported as it changes."""

_VALUE: Final = 13
_REPORTING: Final = 2
_BOTH_TIMES: Final = 2
_STATUS_AND_VALUE: Final = 1
_ABSOLUTE: Final = 1
_UINT32: Final = struct.Struct("<I")
_HEAD: Final = struct.Struct("<IIi")
_ATTRIBUTE: Final = struct.pack("<IiHi", _VALUE, -1, 0, -1) + _UINT32.pack(_REPORTING)
"""The Value, no index range, no data encoding; and its monitoring mode."""

_PARAMETERS: Final = struct.Struct("<Id")
_NO_FILTER: Final = b"\0\0\0"
_FILTER: Final = struct.Struct("<BBHBiIId")
_QUEUE: Final = struct.Struct("<I?")
_RESULT: Final = struct.Struct("<IIdI")


class Wanted(NamedTuple):
    """``node`` is encoded; ``deadband`` is absolute and in the server's own numbers, 0 is none."""

    node: bytes
    client: int
    interval_ms: float
    queue_size: int
    deadband: float


class Granted(NamedTuple):
    """What the server made of one: its number for the item, and its own idea of interval and queue."""

    status: int
    server: int
    interval_ms: float
    queue_size: int


def create_body(subscription: int, items: Sequence[Wanted]) -> bytes:
    parts = [_HEAD.pack(subscription, _BOTH_TIMES, len(items))]
    for item in items:
        parts += (
            item.node,
            _ATTRIBUTE,
            _PARAMETERS.pack(item.client, item.interval_ms),
            _deadband(item.deadband) if item.deadband else _NO_FILTER,
            _QUEUE.pack(item.queue_size, True),  # the oldest is what is thrown away
        )
    return b"".join(parts)


def _deadband(deadband: float) -> bytes:
    """A DataChangeFilter as ExtensionObject (i=724 of namespace 0)."""
    return _FILTER.pack(1, 0, 724, 1, 16, _STATUS_AND_VALUE, _ABSOLUTE, deadband)


def read_created(data: bytes) -> list[Granted]:
    """A CreateMonitoredItemsResponse from its type id on.

    Raises:
        ResultError: The whole service failed.
        DecodingError: It is none.
    """
    return decoded(_created, data, ())


def _created(reader: Reader) -> list[Granted]:
    _check(reader)
    results = []
    for _ in range(reader.count()):
        status, server, interval_ms, queue_size = _RESULT.unpack(reader.take(_RESULT.size))
        reader.extension()
        sensible = SENSIBLE_MS[0] <= interval_ms <= SENSIBLE_MS[1]
        results.append(Granted(status, server, interval_ms if sensible else 0.0, queue_size))
    return results


def delete_body(subscription: int, servers: Sequence[int]) -> bytes:
    return struct.pack(f"<Ii{len(servers)}I", subscription, len(servers), *servers)


def read_deleted(data: bytes) -> list[int]:
    """Status of each.

    Raises:
        ResultError: The whole service failed.
        DecodingError: The answer is none.
    """
    return decoded(_deleted, data, ())


def _deleted(reader: Reader) -> list[int]:
    _check(reader)
    return [reader.uint32() for _ in range(reader.count())]


def _check(reader: Reader) -> None:
    status = read_response_header(reader)
    if status >> 30:
        raise ResultError(status)


def queue_size(asked: int, interval_ms: float, publishing_ms: float) -> int:
    """Values the server should keep: those between two publishes, what the group says, and those of a short outage."""
    interval_ms = max(interval_ms, 1.0)
    return max(asked, ceil(publishing_ms / interval_ms) + 1, min(ceil(OUTAGE_BUDGET_MS / interval_ms), MOST_QUEUED))


def too_short(granted: Granted, publishing_ms: float) -> str:
    """A sentence where values are lost between two publishes because of what the server granted; "" where none are."""
    if granted.interval_ms <= 0 or granted.queue_size >= ceil(publishing_ms / granted.interval_ms):
        return ""
    kept = "one value" if granted.queue_size <= 1 else f"{granted.queue_size} values"
    return f"the server samples it every {granted.interval_ms:g} ms, publishes every {publishing_ms:g} ms and keeps only {kept} in between"
