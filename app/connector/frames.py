"""Frames between the program and its connectors: ``<u4 header length> <u4 payload length>``, a msgpack header, raw columns.

The parent trusts nothing that comes up the pipe: a connector decodes what a plant sends and may have been taken over by it. Both
lengths are checked before anything is allocated, and every count, code and index before it is used. What is wrong is a
``FrameError`` and never another exception. msgspec was measured to grow its containers as bytes come, so a header that
announces four billion elements costs nothing; its nesting is bounded by the interpreter's recursion limit.
"""

from __future__ import annotations

import struct
from typing import Final, TypeVar

import msgspec
import numpy as np

from app.drivers.base import (
    BrowseColumns,
    EndpointConfig,
    EndpointReport,
    Exchange,
    Item,
    ItemState,
    Learned,
    NodeDetails,
    WatchItem,
)
from app.errors import EndpointError, UserError
from app.model.columns import ARRAY_FLAG, TYPE_CODES, TYPE_NAMES, SampleColumns
from app.model.values import NUMERIC_TYPES, Quality, Value

HEADER_LIMIT: Final = 16 * 2**20
"""Bytes of one header; a reply with 50,000 browsed nodes has about 8 MiB."""
PAYLOAD_LIMIT: Final = 64 * 2**20
"""Bytes of columns in one frame: 1.6 million samples."""
DEPTH_LIMIT: Final = 32
"""Nesting of one value (structures in arrays in structures)."""

ROUND_TRIP_LIMIT_S: Final = 60.0

LENGTHS: Final = struct.Struct("<II")

COLUMNS: Final = (
    ("number", "<f8"), ("source_ns", "<i8"), ("server_ns", "<i8"), ("receive_ns", "<i8"),
    ("handle", "<u4"), ("status", "<u4"), ("type", "u1"), ("quality", "u1"),
)  # fmt: skip
"""Order in the payload: widest first, so that each column begins aligned. Both ends are the same program, so it is fixed."""
ROW_BYTES: Final = sum(np.dtype(dtype).itemsize for _, dtype in COLUMNS)

_PLAIN_NUMBERS: Final = np.array(sorted(TYPE_CODES[name] for name in (*NUMERIC_TYPES, "bool", "enum")), np.uint8)
_WHOLE_NUMBERS: Final = np.array(sorted(TYPE_CODES[name] for name in (*NUMERIC_TYPES - {"float32", "float64"}, "bool", "enum")), np.uint8)


class FrameError(ValueError):
    """What came is not a frame of ours. The sender cannot be trusted any more and is ended."""


class Frame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Header of one frame."""


# Parent → child
class Open(Frame, frozen=True, kw_only=True, tag="open"):
    """Begin a new session; one that is still there is closed first."""

    config: EndpointConfig
    timeout_s: float = 10.0


class Browse(Frame, frozen=True, kw_only=True, tag="browse"):
    token: int
    nodes: tuple[str, ...]
    resume: bytes | None = None


class Crawl(Frame, frozen=True, kw_only=True, tag="crawl"):
    token: int
    root: str
    limit: int


class Read(Frame, frozen=True, kw_only=True, tag="read"):
    token: int
    items: tuple[Item, ...]


class Details(Frame, frozen=True, kw_only=True, tag="details"):
    token: int
    nodes: tuple[str, ...]


class Discover(Frame, frozen=True, kw_only=True, tag="discover"):
    """Ask what answers at a URL; needs no session."""

    token: int
    url: str
    timeout_s: float = 10.0


class Ask(Frame, frozen=True, kw_only=True, tag="ask"):
    """A question of ``app.drivers.questions``, packed; one that is ``Anywhere`` needs no session."""

    token: int
    question: str
    body: bytes


class Trace(Frame, frozen=True, kw_only=True, tag="trace"):
    """Tell what goes over the wire, or stop; holds for later sessions of this connector too."""

    on: bool


class Watch(Frame, frozen=True, kw_only=True, tag="watch"):
    add: tuple[WatchItem, ...] = ()
    remove: tuple[int, ...] = ()


class Cancel(Frame, frozen=True, kw_only=True, tag="cancel"):
    token: int


class Close(Frame, frozen=True, kw_only=True, tag="close"):
    """End the session and the process."""


# Child → parent
class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A ``UserError`` on its way through the pipe."""

    what: str
    where: str
    why: str
    fix: str = ""
    code: str = ""
    evidence: bytes = b""
    about: str = ""

    @classmethod
    def of(cls, error: UserError) -> Failure:
        known = error if isinstance(error, EndpointError) else EndpointError("", where="", why="")
        return cls(
            what=error.what, where=error.where, why=error.why, fix=error.fix, code=known.code, evidence=known.evidence, about=known.about
        )

    def error(self) -> EndpointError:
        return EndpointError(
            self.what, where=self.where, why=self.why, fix=self.fix, code=self.code, evidence=self.evidence, about=self.about
        )


class Opened(Frame, frozen=True, kw_only=True, tag="opened"):
    report: EndpointReport


class Failed(Frame, frozen=True, kw_only=True, tag="failed"):
    """The session could not be opened. ``retry`` is False where trying again cannot help (a setting is wrong)."""

    failure: Failure
    retry: bool = True


class Lost(Frame, frozen=True, kw_only=True, tag="lost"):
    why: str


class Replied(Frame, frozen=True, kw_only=True, tag="reply"):
    """Answer to a request; one of the results, or ``failure``. A crawl has many, the last one ``done``.

    ``rows`` says that the payload holds so many samples (a read). ``answer`` is one packed answer to an ``Ask``.
    """

    token: int
    done: bool = True
    browse: BrowseColumns | None = None
    details: tuple[NodeDetails, ...] | None = None
    report: EndpointReport | None = None
    answer: bytes | None = None
    rows: int | None = None
    objects: dict[int, object] = {}
    failure: Failure | None = None


class Samples(Frame, frozen=True, kw_only=True, tag="samples"):
    """``rows`` samples in the payload; ``objects`` are the values that are no plain numbers, by row."""

    rows: int
    objects: dict[int, object] = {}


class Items(Frame, frozen=True, kw_only=True, tag="items"):
    states: tuple[ItemState, ...]


class Alive(Frame, frozen=True, kw_only=True, tag="alive"):
    round_trip_s: float = 0.0


class Gap(Frame, frozen=True, kw_only=True, tag="gap"):
    """Samples of these handles (all when empty) are missing here. ``dropped`` counts those the connector itself threw away."""

    handles: tuple[int, ...] = ()
    why: str = ""
    dropped: int = 0


class Taught(Frame, frozen=True, kw_only=True, tag="taught"):
    learned: Learned


class Traced(Frame, frozen=True, kw_only=True, tag="traced"):
    exchanges: tuple[Exchange, ...]
    dropped: int = 0


class Memory(Frame, frozen=True, kw_only=True, tag="memory"):
    rss_bytes: int


Request = Browse | Crawl | Read | Details | Discover | Ask
ToChild = Open | Browse | Crawl | Read | Details | Discover | Ask | Trace | Watch | Cancel | Close
ToParent = Opened | Failed | Lost | Replied | Samples | Items | Alive | Gap | Taught | Traced | Memory

_encoder = msgspec.msgpack.Encoder()
_to_child: msgspec.msgpack.Decoder[ToChild] = msgspec.msgpack.Decoder(ToChild)
_to_parent: msgspec.msgpack.Decoder[ToParent] = msgspec.msgpack.Decoder(ToParent)
F = TypeVar("F")


def lengths(prefix: bytes) -> tuple[int, int]:
    """Header and payload length of the frame that begins with these 8 bytes.

    Raises:
        FrameError: More than the limits, or no header.
    """
    if len(prefix) != LENGTHS.size:
        raise FrameError("the frame ends within its lengths")
    header, payload = LENGTHS.unpack(prefix)
    if not 0 < header <= HEADER_LIMIT or payload > PAYLOAD_LIMIT:
        raise FrameError(f"a frame of {header} + {payload} bytes; at most {HEADER_LIMIT} + {PAYLOAD_LIMIT} are allowed")
    return header, payload


def encode(frame: ToChild | ToParent, columns: SampleColumns | None = None) -> bytes:
    """One frame as bytes; ``columns`` only with ``Samples`` and with a ``Replied`` of a read.

    Raises:
        FrameError: Larger than the limits, or it holds a value that is not plain data.
    """
    payload = b"" if columns is None else _payload(columns)
    if isinstance(frame, Replied) and frame.browse is not None:
        _check_browse(frame.browse)
    try:
        header = _encoder.encode(frame)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise FrameError(f"cannot be sent: {error}") from error
    prefix = LENGTHS.pack(min(len(header), 2**32 - 1), min(len(payload), 2**32 - 1))
    lengths(prefix)
    return prefix + header + payload


def encode_samples(columns: SampleColumns, token: int | None = None) -> bytes:
    """Watched samples, or with ``token`` the answer to a read."""
    columns = complete(columns)
    if token is None:
        return encode(Samples(rows=len(columns), objects=columns.objects), columns)
    return encode(Replied(token=token, rows=len(columns), objects=columns.objects), columns)


def complete(columns: SampleColumns) -> SampleColumns:
    """The same samples with an explicit None for each row that has no number and no object, as the parent requires it."""
    empty = np.flatnonzero(_needs_object(columns.type, columns.number))
    missing: dict[int, Value] = {row: None for row in empty.tolist() if row not in columns.objects}
    if not missing:
        return columns
    return SampleColumns(**{name: getattr(columns, name) for name, _ in COLUMNS}, objects={**columns.objects, **missing})


def decode_to_child(header: bytes, payload: bytes) -> ToChild:
    """A frame from the parent.

    Raises:
        FrameError: It is none.
    """
    if payload:
        raise FrameError("a request with a payload")
    return _decode(_to_child, header)


def decode_to_parent(header: bytes, payload: bytes) -> tuple[ToParent, SampleColumns | None]:
    """A frame from a connector, checked.

    Raises:
        FrameError: It is none, or any length, count, code or index in it is wrong.
    """
    frame = _decode(_to_parent, header)
    match frame:
        case Samples(rows=rows, objects=objects):
            return frame, _columns(rows, objects, payload)
        case Replied(rows=int(rows), objects=objects):
            return frame, _columns(rows, objects, payload)
        case _ if payload:
            raise FrameError(f"a payload of {len(payload)} bytes in a frame without columns")
        case Replied(browse=BrowseColumns() as browse):
            _check_browse(browse)
        case Alive(round_trip_s=round_trip_s) | Opened(report=EndpointReport(round_trip_s=round_trip_s)):
            if not 0 <= round_trip_s <= ROUND_TRIP_LIMIT_S:  # also False for NaN: it would keep dead values alive for ever
                raise FrameError(f"a round trip of {round_trip_s} s")
    return frame, None


def _decode(decoder: msgspec.msgpack.Decoder[F], header: bytes) -> F:
    try:
        frame: F = decoder.decode(header)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError, NotImplementedError) as error:
        raise FrameError(f"not a frame: {error}") from error
    return frame


def _payload(columns: SampleColumns) -> bytes:
    return b"".join(np.ascontiguousarray(getattr(columns, name), dtype).tobytes() for name, dtype in COLUMNS)


def _columns(rows: int, objects: dict[int, object], payload: bytes) -> SampleColumns:
    if rows < 0 or rows * ROW_BYTES != len(payload):
        raise FrameError(f"{rows} rows in {len(payload)} bytes; one row has {ROW_BYTES}")
    offset, arrays = 0, {}
    for name, dtype in COLUMNS:
        arrays[name] = np.frombuffer(payload, dtype, count=rows, offset=offset)
        offset += arrays[name].nbytes
    columns = SampleColumns(**arrays, objects=objects)
    _check_columns(columns)
    return columns


def _check_columns(columns: SampleColumns) -> None:
    rows = len(columns)
    if rows and int((columns.type & ~np.uint8(ARRAY_FLAG)).max()) >= len(TYPE_NAMES):
        raise FrameError("an unknown type code")
    if rows and int(columns.quality.max()) > max(Quality):
        raise FrameError("an unknown quality")
    for row, value in columns.objects.items():
        if not 0 <= row < rows:
            raise FrameError(f"a value for row {row} of {rows}")
        _check_value(value, DEPTH_LIMIT)
    for row in np.flatnonzero(_needs_object(columns.type, columns.number)).tolist():
        if row not in columns.objects:
            raise FrameError(f"row {row} has no value")


def _needs_object(codes: np.ndarray, number: np.ndarray) -> np.ndarray:  # numpy's own default type arguments
    """Rows whose value float64 does not hold: not a number at all, or a whole number that is NaN or infinite."""
    mask: np.ndarray = ~np.isin(codes, _PLAIN_NUMBERS) | (np.isin(codes, _WHOLE_NUMBERS) & ~np.isfinite(number))
    return mask


def _check_value(value: object, depth: int) -> None:
    """Only what a ``Value`` may be: msgpack can also carry dates and foreign types."""
    if depth == 0:
        raise FrameError(f"a value nested deeper than {DEPTH_LIMIT}")
    match value:
        case None | bool() | int() | float() | str() | bytes():
            return
        case list():
            for part in value:
                _check_value(part, depth - 1)
        case dict():
            for name, part in value.items():
                if not isinstance(name, str):
                    raise FrameError("a structure with a field name that is no text")
                _check_value(part, depth - 1)
        case _:
            raise FrameError(f"a value of type {type(value).__name__}")


_BROWSE_COLUMNS: Final = ("parent", "name", "browse_name", "path", "node_class", "type", "has_children", "description")


def _check_browse(browse: BrowseColumns) -> None:
    rows = len(browse.id)
    for name in _BROWSE_COLUMNS:
        if len(getattr(browse, name)) != rows:
            raise FrameError(f"browse column {name} has {len(getattr(browse, name))} rows, id has {rows}")
    if any(parent < 0 for parent in browse.parent) or any(node < 0 for node in browse.errors):
        raise FrameError("a browse row with a negative parent")
