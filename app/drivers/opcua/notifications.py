"""Publish and Republish on the wire (OPC 10000-4 §5.14.5 and §5.14.6). Pure.

Events, which nobody asked for, are skipped.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from app.drivers.opcua.address import UA_NAMESPACE
from app.drivers.opcua.binary import DecodingError, Reader, decoded, read_response_header
from app.drivers.opcua.changes import ChangeReader, Changes
from app.drivers.opcua.status import status_text

PUBLISH: Final = 826
REPUBLISH: Final = 832
"""Ids of the requests' binary encodings in namespace 0."""

_DATA_CHANGE: Final = f"nsu={UA_NAMESPACE};i=811"
_STATUS_CHANGE: Final = f"nsu={UA_NAMESPACE};i=820"
_NAMES: Final = (UA_NAMESPACE,)
_COUNT = struct.Struct("<i")
_PAIR = struct.Struct("<II")
_LAST_SEQUENCE: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Notification:
    """A NotificationMessage and what comes around it.

    Attributes:
        sequence: Of a keep-alive the number that the next message will have.
        parts: Values by DataChangeNotification, in order.
        dropped: Why the server gave the subscription up, "" while it lives.
        subscription: The server's number; 0 of one that was asked for again.
        available: Messages that the server can send again.
        more: The server has more to send than fitted in.
    """

    sequence: int
    parts: list[Changes] = field(default_factory=list)
    dropped: str = ""
    is_keep_alive: bool = False
    subscription: int = 0
    available: tuple[int, ...] = ()
    more: bool = False


def publish_body(acknowledged: Sequence[tuple[int, int]]) -> bytes:
    """Of a PublishRequest, behind its header: (subscription, sequence number) of what has come."""
    return _COUNT.pack(len(acknowledged)) + b"".join(_PAIR.pack(*pair) for pair in acknowledged)


def republish_body(subscription: int, sequence: int) -> bytes:
    return _PAIR.pack(subscription, sequence)


def read_publish(data: bytes, namespaces: Sequence[str], changes: ChangeReader) -> Notification:
    """A PublishResponse from its type id on.

    Raises:
        DecodingError: It is none.
    """
    return decoded(lambda reader: _publish(reader, namespaces, changes), data, _NAMES)


def read_republish(data: bytes, namespaces: Sequence[str], changes: ChangeReader) -> Notification:
    """A RepublishResponse from its type id on.

    Raises:
        DecodingError: It is none.
    """
    return decoded(lambda reader: _republish(reader, namespaces, changes), data, _NAMES)


def service_result(data: bytes) -> int:
    """Of any answer; some servers say so instead of with a fault that there is nothing to publish.

    Raises:
        DecodingError: It is no answer.
    """
    return decoded(read_response_header, data, ())


def missing(last: int, now: int, most: int) -> range | None:
    """Sequence numbers between the last message and one that came now; None where so many cannot have got lost: it starts anew.

    They rise by one and go from 4,294,967,295 on with 1 (§5.14.1.1); what lies across that is not asked for again.
    """
    expected = last + 1 if last < _LAST_SEQUENCE else 1
    if now == expected:
        return range(0)
    return range(expected, now) if expected < now <= expected + most else None


def _publish(reader: Reader, namespaces: Sequence[str], changes: ChangeReader) -> Notification:
    read_response_header(reader)
    subscription = reader.uint32()
    count = reader.count()
    available = struct.unpack(f"<{count}I", reader.take(4 * count))
    more = bool(reader.byte())
    return replace(_message(reader, namespaces, changes), subscription=subscription, available=available, more=more)


def _republish(reader: Reader, namespaces: Sequence[str], changes: ChangeReader) -> Notification:
    read_response_header(reader)
    return _message(reader, namespaces, changes)


def _message(reader: Reader, namespaces: Sequence[str], changes: ChangeReader) -> Notification:
    sequence = reader.uint32()
    reader.ticks()
    parts: list[Changes] = []
    dropped = ""
    count = reader.count()
    for _ in range(count):
        extension = reader.extension()
        if extension.encoding == _DATA_CHANGE:
            if extension.body is None:
                raise DecodingError("a notification of changes without a body")
            parts.append(changes.read(extension.body, namespaces))
        elif extension.encoding == _STATUS_CHANGE:
            dropped = status_text(decoded(Reader.uint32, extension.body or b"", ()))
    return Notification(sequence, parts, dropped, count == 0)
