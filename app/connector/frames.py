"""Frames between the program and its connectors: ``<u4 header length> <u4 payload length>``, a msgpack header, the payload.

The parent trusts nothing that comes up the pipe: a connector decodes what a plant sends and may have been taken over by it. Both
lengths are checked before anything is allocated, and every count, code and index before it is used. What is wrong is a
``FrameError`` and never another exception. msgspec was measured to grow its containers as bytes come, so a header that
announces four billion elements costs nothing; its nesting is bounded by the interpreter's recursion limit. But it holds the
interpreter while it decodes, up to 25 ms for each MiB, in which no window is painted: so headers are small, what is longer comes in
parts (``app.connector.parts``), and values of samples travel in the payload, each by itself (``app.connector.payload``).
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Final, TypeVar

import msgspec

from app.connector import payload as sample_payload
from app.connector.checks import ROUND_TRIP_LIMIT_S, check, check_browse
from app.connector.frame_error import FrameError, TooMuchError
from app.connector.kinds import (
    Alive,
    Ask,
    Browse,
    Cancel,
    Close,
    Crawl,
    Details,
    Discover,
    Failed,
    Failure,
    Frame,
    Gap,
    Items,
    Lost,
    Memory,
    Open,
    Opened,
    Read,
    Replied,
    Request,
    Samples,
    Taught,
    ToChild,
    ToParent,
    Trace,
    Traced,
    Watch,
    clipped,
)
from app.connector.values import FAILURES
from app.drivers.base import BrowseColumns
from app.model.columns import SampleColumns

__all__ = [
    "HEADER_LIMIT",
    "PAYLOAD_LIMIT",
    "ROUND_TRIP_LIMIT_S",
    "Alive",
    "Ask",
    "Browse",
    "Cancel",
    "Close",
    "Crawl",
    "Details",
    "Discover",
    "Failed",
    "Failure",
    "Frame",
    "FrameError",
    "Gap",
    "Items",
    "Lost",
    "Memory",
    "Open",
    "Opened",
    "Read",
    "Replied",
    "Request",
    "Samples",
    "Taught",
    "ToChild",
    "ToParent",
    "TooMuchError",
    "Trace",
    "Traced",
    "Watch",
    "check_browse",
    "clipped",
]

HEADER_LIMIT: Final = 2 * 2**20
"""Bytes of one header: decoded within 50 ms, whatever it holds. A reply with 50,000 browsed nodes has about 5 MiB and comes in parts."""
PAYLOAD_LIMIT: Final = 8 * 2**20
"""Bytes of samples in one frame: 200,000 plain ones."""
LENGTHS: Final = struct.Struct("<II")

_encoder = msgspec.msgpack.Encoder()
F = TypeVar("F")


@cache
def _to_child() -> msgspec.msgpack.Decoder[ToChild]:
    """Made with the first frame: it takes the types of all frames to pieces, and the window starts without any."""
    return msgspec.msgpack.Decoder(ToChild)


@cache
def _to_parent() -> msgspec.msgpack.Decoder[ToParent]:
    return msgspec.msgpack.Decoder(ToParent)


def lengths(prefix: bytes) -> tuple[int, int]:
    """Header and payload length of the frame that begins with these 8 bytes.

    Raises:
        FrameError: More than the limits, or no header.
    """
    if len(prefix) != LENGTHS.size:
        raise FrameError("the frame ends within its lengths")
    header, payload = LENGTHS.unpack(prefix)
    if not 0 < header <= HEADER_LIMIT or payload > PAYLOAD_LIMIT:
        raise TooMuchError(f"a frame of {header} + {payload} bytes; at most {HEADER_LIMIT} + {PAYLOAD_LIMIT} are allowed")
    return header, payload


def encode(frame: ToChild | ToParent, columns: SampleColumns | None = None) -> bytes:
    """One frame as bytes; ``columns`` only with ``Samples`` and with a ``Replied`` of a read.

    Raises:
        TooMuchError: Larger than the limits.
        FrameError: It holds a value that is not plain data.
    """
    pieces = [] if columns is None else sample_payload.packed(columns)
    if isinstance(frame, Replied) and frame.browse is not None:
        check_browse(frame.browse)
    try:
        header = _encoder.encode(frame)
    except FAILURES as error:
        raise FrameError(f"cannot be sent: {error}") from error
    size = sum(map(len, pieces))
    prefix = LENGTHS.pack(min(len(header), 2**32 - 1), min(size, 2**32 - 1))
    lengths(prefix)
    return b"".join((prefix, header, *pieces))


def encode_samples(columns: SampleColumns, token: int | None = None, *, more: bool = False) -> bytes:
    """Watched samples, or with ``token`` the answer to a read; ``more`` of it follows."""
    columns = sample_payload.complete(columns)
    rows, objects = len(columns), len(columns.objects)
    if token is None:
        return encode(Samples(rows=rows, objects=objects), columns)
    return encode(Replied(token=token, rows=rows, objects=objects, more=more, done=not more), columns)


def decode_to_child(header: bytes, payload: bytes) -> ToChild:
    """A frame from the parent.

    Raises:
        FrameError: It is none.
    """
    if payload:
        raise FrameError("a request with a payload")
    return _decode(_to_child(), header)


def decode_to_parent(header: bytes, payload: bytes) -> tuple[ToParent, SampleColumns | None]:
    """A frame from a connector, checked.

    Raises:
        FrameError: It is none, or any length, count, code or index in it is wrong.
    """
    frame = _decode(_to_parent(), header)
    match frame:
        case Samples(rows=rows, objects=objects):
            return frame, sample_payload.unpacked(rows, objects, payload)
        case Replied(rows=int(rows), objects=objects):
            if frame.browse or frame.details or frame.report or frame.answer or frame.failure:
                raise FrameError("a reply with two results")
            return frame, sample_payload.unpacked(rows, objects, payload)
        case _ if payload:
            raise FrameError(f"a payload of {len(payload)} bytes in a frame without columns")
        case Replied(browse=BrowseColumns() as browse):
            check_browse(browse)
        case _:
            check(frame)
    return frame, None


def _decode(decoder: msgspec.msgpack.Decoder[F], header: bytes) -> F:
    try:
        frame: F = decoder.decode(header)
    except FAILURES as error:
        raise FrameError(f"not a frame: {error}") from error
    return frame
