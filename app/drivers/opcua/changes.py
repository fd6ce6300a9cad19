"""DataChangeNotifications straight to columns (OPC 10000-4 §7.25.2, OPC 10000-6 §5.2): the hot path of watching. Pure.

A value of a numeric type takes the same bytes as the next one with the same encoding mask and built-in type. So a run of such values is
an array of records, which numpy takes as it stands; where types change from value to value, a scan of two bytes each finds where every
value begins, and the values of each kind are then gathered at once. Servers send their items in one order, so the places that the last
scan found are tried first: the check that they still hold is itself done by numpy. Everything else (text, arrays, structures, integers
that float64 does not hold) is read value by value by ``binary.Reader``.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from app.drivers.opcua.binary import DataValue, DecodingError, Reader, decoded
from app.model.values import SAFE_INTEGER

_NUMPY: Final[dict[int, str]] = {
    1: "u1", 2: "i1", 3: "u1", 4: "<i2", 5: "<u2", 6: "<i4", 7: "<u4", 8: "<i8", 9: "<u8", 10: "<f4", 11: "<f8", 19: "<u4",
}  # fmt: skip
"""Built-in types whose scalars are numbers. Boolean as a byte: any but 0 is true."""

ARRAY: Final = 0x80
"""As in the encoding of a Variant, OPC 10000-6 §5.2.2.16."""

_BOOLEAN: Final = 1
_STRING: Final = 12
_WIDE: Final = (8, 9)
"""Int64 and UInt64: float64 holds them only up to 2^53."""

_HEAD: Final = 6
"""Bytes that tell a value's kind: client handle, encoding mask, encoding of the Variant."""

_COUNT_BYTES: Final = 4
_LEAST: Final = 5
"""Bytes of the smallest MonitoredItemNotification: a handle and an empty mask."""

_RUN: Final = 16
"""So many alike are worth a record array; fewer are scanned."""

_SCAN: Final = 64
_OTHER: Final = -1

_UINT32: Final = struct.Struct("<I")
_INT32: Final = struct.Struct("<i")
Bytes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Changes:
    """n values as they were sent, in order.

    Attributes:
        client: uint32, the handle that we gave to the monitored item.
        builtin: uint8, built-in type, with ``ARRAY`` of an array.
        status: uint32.
        number: float64; NaN in ``others``.
        source, server: int64 ticks, 0 where no time was sent.
        others: Row → the whole value, for each that is no plain number.
    """

    client: npt.NDArray[np.uint32]
    builtin: npt.NDArray[np.uint8]
    status: npt.NDArray[np.uint32]
    number: npt.NDArray[np.float64]
    source: npt.NDArray[np.int64]
    server: npt.NDArray[np.int64]
    others: dict[int, DataValue]

    def __len__(self) -> int:
        return len(self.client)

    @classmethod
    def empty(cls, rows: int) -> Changes:
        """All columns there, nothing in them yet."""
        return cls(
            np.empty(rows, np.uint32), np.empty(rows, np.uint8), np.empty(rows, np.uint32), np.empty(rows, np.float64),
            np.empty(rows, np.int64), np.empty(rows, np.int64), {},
        )  # fmt: skip


class _Kind(NamedTuple):
    """What follows from mask and Variant encoding: the record of one such notification."""

    builtin: int
    record: np.dtype[np.void]
    has_status: bool
    has_source: bool
    has_server: bool


@cache
def _kind(mask: int, encoding: int) -> _Kind | None:
    """None where such values are not all of one size, or no numbers."""
    number = _NUMPY.get(encoding)
    if not mask & 0x01 or mask & 0xC0 or number is None:
        return None
    fields = [("client", "<u4"), ("mask", "u1"), ("encoding", "u1"), ("value", number)]
    fields += [("status", "<u4")] if mask & 0x02 else []
    fields += [("source", "<i8")] if mask & 0x04 else []
    fields += [("source_ps", "<u2")] if mask & 0x10 else []
    fields += [("server", "<i8")] if mask & 0x08 else []
    fields += [("server_ps", "<u2")] if mask & 0x20 else []
    return _Kind(encoding, np.dtype(fields), bool(mask & 0x02), bool(mask & 0x04), bool(mask & 0x08))


def _sizes() -> list[list[int]]:
    """Bytes of a notification by mask and Variant encoding; 0 where they differ from one to the next."""
    return [
        [kind.record.itemsize if (kind := _kind(mask, encoding)) else 0 for encoding in range(0x20)] + [0] * 0xE0 for mask in range(256)
    ]


_SIZES: Final = _sizes()


class _Layout(NamedTuple):
    """How a notification was laid out, when its values were of several kinds.

    Attributes:
        fixed: Rows of numbers, and ``keys`` the kind of each (mask × 256 + encoding).
        before: By row: bytes of all numbers before it.
        read: Rows of those that were read one by one; ``read_before`` is ``before`` of these.
        spans: How many rows begin before the first of them ends, then until the second ends, and so on.
        by_kind: Each kind with its rows.
        last: Bytes of the last value; 0 where it was read.
    """

    fixed: Rows
    keys: npt.NDArray[np.uint16]
    before: Rows
    read: list[int]
    read_before: list[int]
    spans: list[int]
    by_kind: list[tuple[int, Rows]]
    last: int


class ChangeReader:
    """Reads the notifications of one subscription; remembers how the last one was laid out, which costs time only when it is wrong."""

    def __init__(self) -> None:
        self._layouts: dict[int, _Layout] = {}

    def read(self, body: bytes, namespaces: Sequence[str]) -> Changes:
        """A DataChangeNotification, without the diagnostics at its end, which nobody asked for.

        Raises:
            DecodingError: It is none.
            struct.error, IndexError, ValueError: likewise; ``binary.decoded`` makes one of them.
        """
        count = Reader(body, ()).int32()
        if count <= 0:
            return Changes.empty(0)
        if count * _LEAST > len(body) - _COUNT_BYTES:
            raise DecodingError(f"{count} values announced, {len(body) - _COUNT_BYTES} bytes left")
        one = _One(body, namespaces, Changes.empty(count))
        known = self._layouts.get(count)
        if known is None or not one.fill_as(known):
            self._remember(count, one.fill())
        return one.changes

    def _remember(self, count: int, layout: _Layout | None) -> None:
        if layout is None:
            self._layouts.pop(count, None)
            return
        if len(self._layouts) >= _LAYOUTS:
            self._layouts.clear()
        self._layouts[count] = layout


_LAYOUTS: Final = 8
"""Layouts remembered: a server that sends its items in several notifications does so in the same parts again."""


class _Tail(NamedTuple):
    """What follows the value in a DataValue, by its mask; places are those in what ``fields`` gives with a 0 behind it."""

    fields: struct.Struct
    status: int
    source: int
    server: int


@cache
def _tail(mask: int) -> _Tail:
    form, places = "<", {}
    for bit, letter in ((0x02, "I"), (0x04, "q"), (0x10, "H"), (0x08, "q"), (0x20, "H")):
        if mask & bit:
            places[bit] = len(form) - 1
            form += letter
    return _Tail(struct.Struct(form), *(places.get(bit, -1) for bit in (0x02, 0x04, 0x08)))


def _text(body: bytes, at: int) -> tuple[DataValue, int]:
    """A String value, the commonest that is no number, and where it ends: what ``Reader`` does, in a quarter of the time."""
    length = max(_INT32.unpack_from(body, at + _HEAD)[0], 0)
    begin, tail = at + _HEAD + 4, _tail(body[at + 4])
    end = begin + length
    if end > len(body):
        raise DecodingError(f"{length} bytes announced, {len(body) - begin} left")
    told = (*tail.fields.unpack_from(body, end), 0)
    text = body[begin:end].decode("utf-8", "replace")
    return DataValue(_STRING, False, text, told[tail.status], told[tail.source], told[tail.server]), end + tail.fields.size


class _One:
    """One notification on its way into columns."""

    def __init__(self, body: bytes, namespaces: Sequence[str], changes: Changes) -> None:
        self.changes = changes
        self._body = body
        self._bytes: Bytes = np.frombuffer(body, np.uint8)
        self._namespaces = namespaces
        self._at = _COUNT_BYTES
        self._row = 0
        self._read: list[int] = []  # rows that were read one by one

    def fill_as(self, layout: _Layout) -> bool:
        """Take the values from where the layout of another notification puts them; False when they are not there.

        Every value's size follows from its kind, or from reading it: where all kinds are as before, all values begin where we look.
        """
        try:
            shifts = decoded(lambda _: self._shifts(layout), self._body, self._namespaces)
        except DecodingError:
            return False
        at = layout.before + np.repeat(shifts, layout.spans)
        if int(at[-1]) + layout.last > len(self._body) or not np.array_equal(self._keys(at[layout.fixed]), layout.keys):
            return False
        for key, rows in layout.by_kind:
            self._gather(key, rows, at[rows])
        return True

    def _shifts(self, layout: _Layout) -> list[int]:
        """Read what has to be read; by how much all behind it is moved, first of that before any."""
        shifts = [_COUNT_BYTES]
        for row, before in zip(layout.read, layout.read_before, strict=True):
            shifts.append(self._other(row, before + shifts[-1]) - before)
        return shifts

    def fill(self) -> _Layout | None:
        """Find the way through; returns the layout where there were no long runs: it may be met again."""
        self.changes.others.clear()
        self._read.clear()
        count, scan, alternates = len(self.changes), _SCAN, True
        begins: list[int] = []
        rows: list[Rows] = []
        while self._row < count:
            if self._run():
                scan, alternates = _SCAN, False
                continue
            rows.append(np.arange(self._row, min(self._row + scan, count)))
            self._scan(len(rows[-1]), begins)
            scan *= 2
        if not begins:
            return None
        at, row = np.array(begins, np.int64), np.concatenate(rows)
        fixed = np.flatnonzero(~np.isin(row, self._read)) if self._read else np.arange(len(row))
        keys = self._keys(at[fixed])
        by_kind = [(key, fixed[keys == key]) for key in np.flatnonzero(np.bincount(keys)).tolist()]
        for key, places in by_kind:
            self._gather(key, row[places], at[places])
        return self._layout(at, fixed, keys, by_kind) if alternates else None

    def _layout(self, at: Rows, fixed: Rows, keys: npt.NDArray[np.uint16], by_kind: list[tuple[int, Rows]]) -> _Layout:
        read, sizes = self._read, np.diff(at, append=self._at)
        sizes[read] = 0
        before = np.cumsum(sizes) - sizes
        spans = np.diff([-1, *read, len(at) - 1]).tolist()
        return _Layout(fixed, keys, before, list(read), before[read].tolist(), spans, by_kind, int(sizes[-1]))

    def _keys(self, at: Rows) -> npt.NDArray[np.uint16]:
        return (self._bytes[at + 4].astype(np.uint16) << 8 | self._bytes[at + 5]).astype(np.uint16, copy=False)

    def _run(self) -> bool:
        """Take all the values from here on that are of one kind, when they are many; else False, and nothing is taken."""
        body, at, left = self._body, self._at, len(self.changes) - self._row
        if left < _RUN or at + _HEAD > len(body):
            return False
        mask, encoding = body[at + 4], body[at + 5]
        kind = _kind(mask, encoding)
        if kind is None:
            return False
        size, taken, tried = kind.record.itemsize, 0, _RUN
        while taken < left:
            tried = min(tried, left - taken, (len(body) - at) // size)
            records = np.frombuffer(body, kind.record, tried, at) if tried else np.empty(0, kind.record)
            alike = (records["mask"] == mask) & (records["encoding"] == encoding)
            good = tried if alike.all() else int(np.argmin(alike))
            if taken + good < _RUN:
                return False
            self._put(slice(self._row, self._row + good), kind, records[:good])
            self._row += good
            at += good * size
            taken += good
            if good < tried or not tried:
                break
            tried *= 8
        self._at = at
        return True

    def _scan(self, count: int, begins: list[int]) -> None:
        """Where the next ``count`` values begin; those whose size their kind does not tell are read on the way."""
        body, sizes, add = self._body, _SIZES, begins.append
        mask_at, last = self._at + 4, len(self._body) - 1
        for row in range(self._row, self._row + count):
            add(mask_at - 4)
            size = sizes[body[mask_at]][body[mask_at + 1]] if mask_at < last else 0
            mask_at = mask_at + size if size else self._other(row, mask_at - 4) + 4
        self._at, self._row = mask_at - 4, self._row + count
        if self._at > len(body):
            raise DecodingError(f"the values end {self._at - len(body)} bytes behind the notification")

    def _other(self, row: int, at: int) -> int:
        """Take one value, whatever it is; returns where it ends."""
        body, changes = self._body, self.changes
        is_text = at + 10 <= len(body) and body[at + 5] == _STRING and body[at + 4] & 0xC1 == 0x01
        value, end = _text(body, at) if is_text else self._read_one(at)
        changes.client[row], changes.status[row] = _UINT32.unpack_from(body, at)[0], value.status
        changes.builtin[row] = value.builtin | (ARRAY if value.is_array else 0)
        changes.number[row] = np.nan
        changes.source[row], changes.server[row] = value.source_ticks, value.server_ticks
        changes.others[row] = value
        self._read.append(row)
        return end

    def _read_one(self, at: int) -> tuple[DataValue, int]:
        reader = Reader(self._body, self._namespaces, at + 4)
        value = reader.data_value()
        return value, reader.at

    def _gather(self, key: int, rows: npt.NDArray[np.int64], at: npt.NDArray[np.int64]) -> None:
        kind = _kind(key >> 8, key & 0xFF)
        if kind is None:
            raise DecodingError(f"a value of the unknown kind {key}")
        size = kind.record.itemsize
        window = np.lib.stride_tricks.sliding_window_view(self._bytes, size)
        self._put(rows, kind, window[at].view(kind.record)[:, 0])

    def _put(self, rows: slice | npt.NDArray[np.int64], kind: _Kind, records: npt.NDArray[np.void]) -> None:
        changes, value = self.changes, records["value"]
        changes.client[rows] = records["client"]
        changes.builtin[rows] = kind.builtin
        changes.number[rows] = value != 0 if kind.builtin == _BOOLEAN else value
        changes.status[rows] = records["status"] if kind.has_status else 0
        changes.source[rows] = records["source"] if kind.has_source else 0
        changes.server[rows] = records["server"] if kind.has_server else 0
        if kind.builtin in _WIDE:
            self._put_wide(rows, kind, records)

    def _put_wide(self, rows: slice | npt.NDArray[np.int64], kind: _Kind, records: npt.NDArray[np.void]) -> None:
        """Integers beyond 2^53 as they are."""
        value, changes = records["value"], self.changes
        beyond = value > SAFE_INTEGER
        if kind.builtin == _WIDE[0]:
            beyond |= value < -SAFE_INTEGER
        places = np.flatnonzero(beyond)
        if not len(places):
            return
        numbers = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
        for place in places.tolist():
            row = int(numbers[place])
            source, server = int(changes.source[row]), int(changes.server[row])
            changes.others[row] = DataValue(kind.builtin, False, int(value[place]), int(changes.status[row]), source, server)
            changes.number[row] = np.nan
