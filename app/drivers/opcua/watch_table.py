"""Which tag a value belongs to, and what becomes of it on the way to a sample: columns in, columns out, no object per value. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from app.drivers.opcua.changes import ARRAY, Changes
from app.drivers.opcua.samples import TYPE_OF_BUILTIN, Scale, cell
from app.drivers.opcua.status import OVERFLOW_BITS
from app.model.columns import TYPE_CODES, SampleColumns
from app.model.values import Quality, Value

ANY: Final = 0
_NEVER: Final = 0x7F
"""No built-in type: nothing but a null is expected."""

_ID_INVALID: Final = 0x8033
_ID_UNKNOWN: Final = 0x8034
_SMALLEST: Final = 1024
_TICKS_1970: Final = 116_444_736_000_000_000
_FIRST_TICKS: Final = max(1, _TICKS_1970 - 2**63 // 100)
_LAST_TICKS: Final = _TICKS_1970 + (2**63 - 1) // 100
"""Times outside int64 ns are none, as in ``binary.ticks_to_ns``."""

_INT32: Final = 6
_ENUM: Final = TYPE_CODES["enum"]
_FLOAT64: Final = TYPE_CODES["float64"]
_CODES: Final = np.array([TYPE_OF_BUILTIN.get(number & ~ARRAY, 0) | (number & ARRAY) for number in range(256)], np.uint8)
_SCALED: Final = np.array([2 <= number <= 11 for number in range(256)])


class Expected(NamedTuple):
    """What values of an item look like on the wire.

    ``builtin`` is the built-in type, ``ANY`` where it is open; ``rank`` -1 is a scalar, 1 an array, 0 either.
    """

    builtin: int = ANY
    rank: int = 0


class Row(NamedTuple):
    client: int
    handle: int
    scale: Scale
    expected: Expected


class Sorted(NamedTuple):
    """What a notification brought.

    Attributes:
        columns: Samples of known items whose values are of the type that was identified.
        strangers: Client handles of items with values of another type, each once. Those values are in no column.
        overflown: Handles of items whose queue at the server was too short, each once.
        vanished: Client handles of items of which a value said that the node is gone. From there on all their values are strangers.
    """

    columns: SampleColumns
    strangers: tuple[int, ...]
    overflown: tuple[int, ...]
    vanished: tuple[int, ...]


class WatchTable:
    """Client handles rise and are never used twice; memory follows the span of those in use."""

    def __init__(self) -> None:
        self._base = 0
        self._rows: dict[int, Row] = {}
        self._grow(_SMALLEST)

    def __len__(self) -> int:
        return len(self._rows)

    def _grow(self, size: int) -> None:
        self._handles = np.zeros(size, np.uint32)
        self._live = np.zeros(size, np.bool_)
        self._builtin = np.zeros(size, np.uint8)
        self._rank = np.zeros(size, np.int8)
        self._enum = np.zeros(size, np.bool_)
        self._scales = np.zeros(size, np.bool_)
        self._gain = np.ones(size, np.float64)
        self._offset = np.zeros(size, np.float64)
        self._write(self._rows.values())

    def _write(self, rows: Iterable[Row]) -> None:
        for client, handle, scale, expected in rows:
            place = client - self._base
            self._handles[place], self._live[place] = handle, True
            self._builtin[place], self._rank[place] = expected
            self._enum[place], self._scales[place] = scale.enum, scale.scales
            self._gain[place], self._offset[place] = scale.gain, scale.offset

    def add(self, rows: Iterable[Row]) -> None:
        new = {row.client: row for row in rows}
        self._rows |= new
        if not new:
            return
        if max(new) - self._base >= len(self._live):
            self._base = min(self._rows)
            self._grow(max(_SMALLEST, 2 * (max(new) - self._base + 1)))
        else:
            self._write(new.values())

    def remove(self, clients: Iterable[int]) -> None:
        for client in clients:
            if self._rows.pop(client, None) is not None:
                self._live[client - self._base] = False

    def sort(self, changes: Changes, receive_ns: int) -> Sorted:
        """Values of unknown items, such as were removed meanwhile, are left out. Structures must have been decoded."""
        place = changes.client.astype(np.int64) - self._base
        known = (place >= 0) & (place < len(self._live))
        place[~known] = 0
        known &= self._live[place]
        builtin = changes.builtin & np.uint8(ARRAY - 1)
        is_array = changes.builtin >= ARRAY
        expected, rank = self._builtin[place], self._rank[place]
        strange = (builtin != 0) & (((expected != ANY) & (builtin != expected)) | ((rank < 0) & is_array) | ((rank > 0) & ~is_array))
        gone = _gone(changes.status) & known
        vanished: tuple[int, ...] = ()
        if gone.any():
            strange |= _behind(changes.client, gone) & (builtin != 0)
            vanished = tuple(np.unique(changes.client[gone]).tolist())
            self._suspend(vanished)
        kept = known & ~strange
        strangers = tuple(np.unique(changes.client[known & strange]).tolist())
        if not kept.all():
            rows = np.flatnonzero(kept)
            changes, place = _chosen(changes, rows), place[rows]
        columns = self._columns(changes, place, receive_ns)
        full = (columns.status & OVERFLOW_BITS) == OVERFLOW_BITS
        overflown = tuple(dict.fromkeys(columns.handle[full].tolist())) if full.any() else ()
        return Sorted(columns, strangers, overflown, vanished)

    def _suspend(self, clients: Iterable[int]) -> None:
        """Their nodes are gone. Whatever else comes under these handles is another node's, which has the id now."""
        rows = [self._rows[client]._replace(expected=Expected(_NEVER)) for client in clients]
        self._rows.update((row.client, row) for row in rows)
        self._write(rows)

    def _columns(self, changes: Changes, place: npt.NDArray[np.int64], receive_ns: int) -> SampleColumns:
        types, number = _CODES[changes.builtin], changes.number
        enum, scales = self._enum[place], self._scales[place]
        if enum.any():
            enum &= changes.builtin == _INT32
            types[enum] = _ENUM
        if scales.any():
            scales &= _SCALED[changes.builtin] & ~enum
            types[scales] = _FLOAT64
            number[scales] = number[scales] * self._gain[place[scales]] + self._offset[place[scales]]
        quality = np.minimum(changes.status >> 30, Quality.BAD).astype(np.uint8)
        objects: dict[int, Value] = {}
        for row, value in changes.others.items():
            item = self._rows[int(changes.client[row])]
            types[row], plain, other = cell(value, item.scale)
            if plain is not None:
                number[row] = plain
                continue
            objects[row] = other
            if other is None:
                quality[row] = Quality.BAD
        return SampleColumns(
            handle=self._handles[place],
            type=types,
            quality=quality,
            status=changes.status,
            number=number,
            source_ns=times_ns(changes.source),
            server_ns=times_ns(changes.server),
            receive_ns=np.full(len(changes), receive_ns, np.int64),
            objects=objects,
        )


def times_ns(ticks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """``binary.ticks_to_ns`` for many."""
    none = (ticks < _FIRST_TICKS) | (ticks > _LAST_TICKS)
    if none.any():
        ticks = np.where(none, _TICKS_1970, ticks)
    ns: npt.NDArray[np.int64] = (ticks - _TICKS_1970) * 100
    return ns


def _chosen(changes: Changes, rows: npt.NDArray[np.int64]) -> Changes:
    others = {place: changes.others[row] for place, row in enumerate(rows.tolist()) if row in changes.others} if changes.others else {}
    return Changes(
        changes.client[rows], changes.builtin[rows], changes.status[rows], changes.number[rows],
        changes.source[rows], changes.server[rows], others,
    )  # fmt: skip


def _gone(status: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """BadNodeIdInvalid and BadNodeIdUnknown."""
    upper = status >> 16
    gone: npt.NDArray[np.bool_] = (upper == _ID_INVALID) | (upper == _ID_UNKNOWN)
    return gone


def _behind(clients: npt.NDArray[np.uint32], marked: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Rows behind the first marked one of the same client."""
    rows = np.flatnonzero(marked)
    found, first = np.unique(clients[rows], return_index=True)
    place = np.minimum(np.searchsorted(found, clients), len(found) - 1)
    behind: npt.NDArray[np.bool_] = (found[place] == clients) & (np.arange(len(clients)) > rows[first][place])
    return behind


def withheld(handles: Iterable[tuple[int, int]], receive_ns: int) -> SampleColumns:
    """No value, BAD, for (handle, status): so that nothing older is taken for what is there now."""
    pairs = np.array(list(handles), np.uint32).reshape(-1, 2)
    count = len(pairs)
    return SampleColumns(
        handle=pairs[:, 0].copy(),
        type=np.zeros(count, np.uint8),
        quality=np.full(count, Quality.BAD, np.uint8),
        status=pairs[:, 1].copy(),
        number=np.full(count, np.nan),
        source_ns=np.zeros(count, np.int64),
        server_ns=np.zeros(count, np.int64),
        receive_ns=np.full(count, receive_ns, np.int64),
        objects=dict.fromkeys(range(count)),
    )
