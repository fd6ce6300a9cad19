"""What is kept of numeric tags: what plots and statistics read. So many bytes for each tag, and so many in total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from app.model.columns import TYPE_CODES, SampleColumns
from app.model.values import NUMERIC_TYPES, Quality
from app.samples.block import Block
from app.samples.decimate import Thinned, thin
from app.samples.handles import Places, TagHandles
from app.samples.points import Curve, Points, TimeKind, drawn, points_of, row_times
from app.samples.rows import FINAL, GAP, INFO, RECEIVE, ROW_WORDS, SERVER, SOURCE, VALUE, Rows
from app.samples.staging import Staging, block_of, first_slot, within

__all__ = ["GAP", "History", "Series", "TimeKind", "Usage"]

ROWS_PER_TAG: Final = 4_096
"""Each sample by itself for so many: seven minutes at ten a second."""
BUCKETS_PER_TAG: Final = 512
"""Per level, see ``app.samples.levels``: two minutes in quarter seconds … six days in steps of 17 minutes."""
BRIEF_ROWS, BRIEF_BUCKETS = 256, 96
"""Of further tags, when many are watched: still a whole day."""
LONG_TAGS: Final = 512
"""So many tags are kept long, half of them whichever come first, the others when they are asked for."""
TOTAL_BYTES: Final = 640_000_000
IDLE_NS: Final = 60_000_000_000
"""When no more may be kept, a new tag takes the place of one that had no sample for so long; where there is none it is not kept."""
REASONS: Final = 1_000

_LONG_BLOCK, _BRIEF_BLOCK = 64, 256
_UNKNOWN, _NO_ROOM = -1, -2


@cache
def _keep() -> npt.NDArray[np.bool_]:
    """By type code: whether values of it are numbers."""
    keep = np.zeros(256, np.bool_)
    keep[[TYPE_CODES[name] for name in (*NUMERIC_TYPES, "bool", "enum")]] = True
    return keep


class Series(NamedTuple):
    """Samples of one tag, by themselves, in order of arrival; what is older than these is known as lows and highs only.

    ``time_ns`` int64 since 1970 UTC, ``value`` float64 (NaN: none, or a gap), ``quality`` uint8 (``Quality``, or ``GAP``).
    """

    time_ns: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]


class Usage(NamedTuple):
    """What is kept of one tag.

    Attributes:
        rows: Samples by themselves.
        span_s: From the oldest that is known, by source time, to the newest.
        bytes: What the tag takes in memory, always, however much has come.
    """

    rows: int
    span_s: float
    bytes: int

    def __str__(self) -> str:
        """``1,024 samples and lows and highs of 26 h in 279 kB``."""
        hours = self.span_s / 3600
        span = f"{hours:.0f} h" if hours >= 3 else f"{self.span_s / 60:.0f} min" if self.span_s >= 180 else f"{self.span_s:.0f} s"
        return f"{self.rows:,} samples, back to {span} ago as lows and highs, in {self.bytes / 1000:.0f} kB of memory"


class History:
    """One thread owns it. Batches are staged and sorted into place little by little, so that taking one costs little.

    Args:
        rows_per_tag: Of tags that are kept long.
        total_bytes: Of all tags.
    """

    def __init__(self, rows_per_tag: int = ROWS_PER_TAG, total_bytes: int = TOTAL_BYTES) -> None:
        self._sizes = {True: (_LONG_BLOCK, rows_per_tag, BUCKETS_PER_TAG), False: (_BRIEF_BLOCK, BRIEF_ROWS, BRIEF_BUCKETS)}
        self._total_bytes = total_bytes
        self._blocks: list[Block] = []
        self._free: dict[bool, list[int]] = {True: [], False: []}
        self._long = 0
        self.bytes = 0
        self._slots: dict[str, int] = {}
        self._tags: dict[int, str] = {}
        self._known: WeakKeyDictionary[TagHandles, Places] = WeakKeyDictionary()
        self._staging = Staging(self._blocks)
        self._reasons: dict[int, tuple[int, str]] = {}
        self._next_reason = 1

    # Taking

    def append(self, handles: TagHandles | Mapping[int, str], columns: SampleColumns) -> None:
        """Take a batch; rows of other handles and values that are no numbers are left out.

        A row with bad quality and no number stays, as a hole in the curve.
        """
        known = handles if isinstance(handles, TagHandles) else TagHandles(handles)
        self.append_at(known, known.index.places(columns.handle), columns)

    def append_at(self, known: TagHandles, places: Places, columns: SampleColumns) -> None:
        """As ``append``, by who has looked up the places of the handles already."""
        keep = _keep()[columns.type]
        if int(columns.quality.max(initial=0)) >= Quality.BAD:
            keep = keep | (columns.quality == Quality.BAD)
        keep &= places >= 0
        number = columns.number
        if not keep.all():
            rows_kept = np.flatnonzero(keep)
            places, number = places[rows_kept], number[rows_kept]
        else:
            rows_kept = None
        if not len(places):
            return
        slots = self._slots_of(known, places)
        rows = np.empty((len(places), ROW_WORDS), np.int64)
        chosen = slice(None) if rows_kept is None else rows_kept
        receive = columns.receive_ns[chosen]
        source = columns.source_ns[chosen]
        rows[:, SOURCE] = np.where(source == 0, receive, source)
        rows[:, SERVER], rows[:, RECEIVE] = columns.server_ns[chosen], receive
        rows[:, VALUE] = number.view(np.int64)
        rows[:, INFO] = columns.quality[chosen]
        if columns.status.any():
            rows[:, INFO] |= columns.status[chosen].astype(np.int64) << 8
        if columns.objects:
            _add_whole_numbers(rows, columns, np.arange(len(columns)) if rows_kept is None else rows_kept)
        self._staging.add(slots, rows)

    def gap(self, tag: str, at_ns: int, why: str = "", *, final: bool = False) -> None:
        """Samples of a tag are missing from here on: its curve is interrupted. Not for tags that have no samples."""
        self.gaps([tag], at_ns, why, final=final)

    def gaps(self, tags: Iterable[str], at_ns: int, why: str = "", *, final: bool = False) -> None:
        """``gap`` of many tags.

        Args:
            tags: Those that are not known here are left out.
            at_ns: By the receive clock (the wall clock of this computer).
            why: What a person is told of it.
            final: They are lost for good. Else a gap is none any more when samples come that the device has kept meanwhile.
        """
        slots = np.array([self._slots[tag] for tag in tags if tag in self._slots], np.intp)
        if not len(slots):
            return
        rows = np.zeros((len(slots), ROW_WORDS), np.int64)
        rows[:, SOURCE] = rows[:, RECEIVE] = at_ns
        rows[:, SERVER] = FINAL if final else 0
        rows[:, VALUE] = np.array(np.nan).view(np.int64)
        rows[:, INFO] = GAP | self._reason(at_ns, why) << 8
        self._staging.add(slots, rows)

    def explain(self, at_ns: int, why: str) -> None:
        """Why there were gaps at that time, where it was not known then."""
        for code, reason in self._reasons.items():
            if reason == (at_ns, ""):
                self._reasons[code] = (at_ns, why)

    def forget(self, tag: str) -> None:
        """Throw away what is known of a tag: it is gone, or its address now means something else."""
        slot = self._slots.pop(tag, None)
        if slot is not None:
            self._empty(slot)

    def keep_long(self, tags: Iterable[str]) -> None:
        """Those that a person looks at get more room, where there is some."""
        for tag in tags:
            slot = self._slots.get(tag)
            if slot is None or self._is_long(slot):
                continue
            new = self._slot(True) if self._long < LONG_TAGS else _NO_ROOM
            if new >= 0:
                self._staging.settle(block_of(slot))
                self._block(new).adopt(within(new), self._block(slot), within(slot))
                self._empty(slot)
                self._slots[tag], self._tags[new] = new, tag

    # Reading

    def tags(self) -> list[str]:
        return list(self._slots)

    def series(self, tag: str, clock: TimeKind = "source") -> Series:
        """All samples that are kept by themselves. A row without a source or server time has its receive time instead."""
        found = self._find(tag)
        if found is None:
            return Series(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint8))
        block, slot = found
        rows = block.ring(slot)
        rows = rows[(rows[:, INFO] & 0xFF) <= GAP]
        quality = (rows[:, INFO] & 0xFF).astype(np.uint8)
        return Series(row_times(rows, clock), np.ascontiguousarray(rows[:, VALUE]).view(np.float64), quality)

    def points(self, tag: str, t0_ns: int, t1_ns: int, clock: TimeKind = "source") -> Points:
        """What is known of a tag between two times, and a little more: a fixed number of points at most, in order of time."""
        found = self._find(tag)
        return Points.none() if found is None else points_of(*found, t0_ns, t1_ns, clock)

    def decimated(self, tag: str, t0_ns: int, t1_ns: int, columns: int, clock: TimeKind = "source") -> Thinned:
        """(time_ns, low, high) for a plot so many pixels wide; see ``app.samples.decimate``."""
        points = self.points(tag, t0_ns, t1_ns, clock)
        return thin(points.time_ns, points.low, points.high, t0_ns, t1_ns, columns)

    def curve(self, tag: str, t0_ns: int, t1_ns: int, columns: int, clock: TimeKind = "source") -> Curve:
        """As ``decimated``, with the spans of time in which the values are missing, bad or uncertain, and why."""
        return drawn(self.points(tag, t0_ns, t1_ns, clock), t0_ns, t1_ns, columns, self._why)

    def usage(self, tag: str) -> Usage:
        """What is kept of a tag; nothing of one that has no samples."""
        found = self._find(tag)
        if found is None:
            return Usage(0, 0.0, 0)
        block, slot = found
        points = points_of(block, slot, -(2**62), 2**62, "source")
        span_ns = int(points.time_ns[-1] - points.time_ns[0]) if len(points.time_ns) else 0
        return Usage(int(block.count[slot]), span_ns / 1e9, Block.bytes_of(block.rows, block.levels.buckets))

    def _why(self, code: int, at_ns: int, slack_ns: int) -> str:
        """Reason of a gap by its number, or where that is not known any more, by when it happened (receive clock)."""
        if code:
            return self._reasons.get(code, (0, ""))[1]
        near = [(abs(begin_ns - at_ns), why) for begin_ns, why in self._reasons.values() if abs(begin_ns - at_ns) <= slack_ns]
        return min(near)[1] if near else ""

    def _reason(self, at_ns: int, why: str) -> int:
        last = self._reasons.get(self._next_reason - 1)
        if last != (at_ns, why):
            self._reasons[self._next_reason] = (at_ns, why)
            self._reasons.pop(self._next_reason - REASONS, None)
            self._next_reason += 1
        return self._next_reason - 1

    # Places

    def _find(self, tag: str) -> tuple[Block, int] | None:
        slot = self._slots.get(tag)
        if slot is None:
            return None
        self._staging.settle(block_of(slot))
        return self._block(slot), within(slot)

    def _block(self, slot: int) -> Block:
        return self._blocks[block_of(slot)]

    def _is_long(self, slot: int) -> bool:
        return self._block(slot).rows == self._sizes[True][1]

    def _slots_of(self, known: TagHandles, places: Places) -> Places:
        """Slot of each of these; ``_NO_ROOM`` where there is none. Tags that are new here get one."""
        held = self._known.get(known)
        if held is None:
            held = self._known[known] = np.array([self._slots.get(tag, _UNKNOWN) for tag in known.tags], np.intp)
        slots = held[places]
        unknown = slots == _UNKNOWN
        if unknown.any():
            for place in np.unique(places[unknown]).tolist():
                held[place] = self._slot_for(known.tags[place])
            slots = self._known.setdefault(known, held)[places]
        return slots

    def _slot_for(self, tag: str) -> int:
        slot = self._slots.get(tag, _UNKNOWN)
        if slot < 0:
            slot = self._slot(True) if self._long < LONG_TAGS // 2 else _NO_ROOM
            slot = slot if slot >= 0 else self._slot(False)
            if slot >= 0:
                self._slots[tag], self._tags[slot] = slot, tag
        return slot

    def _slot(self, long: bool) -> int:
        """An empty one, or ``_NO_ROOM``."""
        free = self._free[long]
        if not free:
            size, rows, buckets = self._sizes[long]
            more = size * Block.bytes_of(rows, buckets)
            if self.bytes + more <= self._total_bytes:
                base = first_slot(len(self._blocks))
                self._blocks.append(Block(size, rows, buckets))
                self.bytes += more
                free.extend(range(base + size - 1, base - 1, -1))
            else:
                self._free_idle(long)
        if not free:
            return _NO_ROOM
        self._long += long
        return free.pop()

    def _free_idle(self, long: bool) -> None:
        """Forget the tag that had no sample for the longest time, when that is long enough."""
        newest = max((int(block.seen_ns.max()) for block in self._blocks), default=0)
        seen = [(int(self._block(slot).seen_ns[within(slot)]), slot) for slot in self._tags if self._is_long(slot) == long]
        if seen and min(seen)[0] < newest - IDLE_NS:
            self.forget(self._tags[min(seen)[1]])

    def _empty(self, slot: int) -> None:
        self._staging.settle(block_of(slot))  # nothing that waits may come under who has the place next
        self._known.clear()
        del self._tags[slot]
        long = self._is_long(slot)
        self._long -= long
        self._block(slot).clear(within(slot))
        self._free[long].append(slot)

    # Putting in place what was taken

    @property
    def is_untidy(self) -> bool:
        """Whether there is something for ``tidy`` to do."""
        return self._staging.is_full

    def tidy(self) -> None:
        """A little of the work that taking batches has left to do; call it 25 times a second at 100,000 values a second (1 to 2 ms)."""
        if self._staging.is_full:
            self._staging.settle_largest()


def _add_whole_numbers(rows: Rows, columns: SampleColumns, of: npt.NDArray[np.intp]) -> None:
    """Integers beyond 2^53: a curve can do without the last digits."""
    value = rows[:, VALUE].view(np.float64)
    for place in np.flatnonzero(np.isnan(value)).tolist():
        whole = columns.objects.get(int(of[place]))
        if isinstance(whole, int):
            value[place] = float(whole)
