"""Samples of many tags in arrays that never grow: a ring of rows for each tag and, above it, what left the ring, as lows and highs.

A row that leaves the ring goes into a bucket of level 0 by its time; a bucket that leaves a level, because a later one needs its place,
goes into a bucket four times as wide of the next level. So each sample is in exactly one place, a late one lands where its time says,
and all is done for thousands of tags at once: work is of the new rows only, whatever is kept.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = "npt.NDArray[np.int64]"
Floats: TypeAlias = "npt.NDArray[np.float64]"
Places: TypeAlias = "npt.NDArray[np.intp]"
Bools: TypeAlias = "npt.NDArray[np.bool_]"

SOURCE, SERVER, RECEIVE, VALUE, INFO = range(5)
ROW_WORDS: Final = 5
"""A row is five 8-byte words, together in memory, as each row of a batch is of another tag: source, server and receive time (int64 ns
since 1970 UTC; the source time is never 0), value (float64, NaN is none), and quality + 256 × code."""
GAP: Final = 3
"""In the place of a row's quality: no sample but a hole, with a NaN value; beside the numbers of ``Quality``."""
FILLED: Final = 4
"""In the quality of a row: a gap that the device's queue has filled since."""

EPOCH, LOW, HIGH, FLAGS = range(4)
BUCKET_WORDS: Final = 4
"""A bucket: time // width, lowest and highest value (NaN: none), and flags + 256 × (receive − source time of its newest row)."""
USED, UNCERTAIN, BAD, BEFORE, AFTER, LOST = 1, 2, 4, 8, 16, 32
"""Flags: the bucket is one; it has such rows; there is a hole before its first or after its last value; a gap is in it."""
_FLAG_OF_QUALITY: Final = (0, UNCERTAIN, BAD, LOST, 0)

LEVELS: Final = 6
WIDEN: Final = 4
FINEST_NS: Final = 1_000_000_000
"""Buckets of level 0; those of level 5 are 17 minutes wide."""
FILLED_WITHIN: Final = 1.5
"""A gap is filled when a sample comes that is of so many usual intervals after the one before it."""
FINAL: Final = 1
"""In the place of a gap's server time: what is missing was lost for good, and the next sample that comes does not fill it."""
USUAL_WEIGHT: Final = 0.25
FARTHEST_NS: Final = (1 << 54) - 1

Rows = Ints
"""(n, ``ROW_WORDS``); the values are bit patterns of float64."""


def width_ns(level: int) -> int:
    return FINEST_NS << 2 * level


class Buckets(NamedTuple):
    """n buckets of one level; ordered by slot, then epoch, each pair once, where a function says so."""

    slot: Places
    epoch: Ints
    low: Floats
    high: Floats
    flags: Ints
    ahead_ns: Ints

    def take(self, chosen: Places | Bools) -> Buckets:
        return Buckets._make(column[chosen] for column in self)


class Block:
    """So many tags (slots), each with as many rows and as many buckets per level; one thread owns it."""

    def __init__(self, slots: int, rows: int, buckets: int) -> None:
        self.slots, self.rows, self.buckets = slots, rows, buckets
        self._ring = np.zeros((slots * rows, ROW_WORDS), np.int64)
        self._ring_rows = _whole(self._ring)
        self._levels = np.zeros((LEVELS, slots * buckets, BUCKET_WORDS), np.int64)
        self._end = np.zeros(slots, np.intp)
        self.count = np.zeros(slots, np.intp)
        self.last_ns = np.zeros(slots, np.int64)
        self.ordered = np.ones(slots, np.bool_)
        self.seen_ns = np.zeros(slots, np.int64)
        self._usual_ns = np.zeros(slots)
        self._gap_ns = np.zeros(slots, np.int64)
        self._gap_place = np.zeros(slots, np.intp)

    @staticmethod
    def bytes_of(rows: int, buckets: int) -> int:
        """What one tag takes."""
        return 8 * (rows * ROW_WORDS + LEVELS * buckets * BUCKET_WORDS + 7)

    def clear(self, slot: int) -> None:
        self._levels[:, slot * self.buckets : (slot + 1) * self.buckets] = 0
        for column in (self._end, self.count, self.last_ns, self.seen_ns, self._usual_ns, self._gap_ns, self._gap_place):
            column[slot] = 0
        self.ordered[slot] = True

    # Taking rows

    def append(self, slot: Places, rows: Rows) -> None:
        """Take rows in order of arrival, gaps among them.

        What is the same for all rows of a tag is worked out once for each tag, and what only gaps need, only where there are some: at
        100,000 rows a second each pass over them counts.

        Args:
            slot: Of each row, ascending.
            rows: They are changed: a gap is put right after the sample before it, as a source's clock may be hours away from ours.
        """
        info = rows[:, INFO]
        self._append(slot, rows, (info & 0xFF) == GAP if info.any() else None)

    def _append(self, slot: Places, rows: Rows, gap: Bools | None) -> None:
        if not len(slot):
            return
        starts = np.flatnonzero(_changes(slot))
        counts = _ends(starts, len(slot)) - starts
        if gap is not None or int(counts.max()) > self.rows:
            # More than a ring takes at once: in turns, so that nothing passes it by.
            rank = np.arange(len(slot)) - np.repeat(starts, counts)
            turn = rank // self.rows
            if gap is not None:  # what comes after a gap is judged when the gap is in its place: a gap is the last row of its turn
                before: Ints = np.cumsum(gap, dtype=np.int64) - gap
                turn = turn + before - np.repeat(before[starts], counts)
            if int(turn.max()):
                for number in range(int(turn.max()) + 1):
                    mine = turn == number
                    self._append(slot[mine], rows[mine], gap[mine] if gap is not None else None)
                return
        tags = slot[starts]
        self._place_in_time(tags, starts, counts, slot, rows, gap)
        begin, held = self._end[tags], self.count[tags]
        at = np.arange(len(slot)) + np.repeat(tags * self.rows + begin - starts, counts)
        if (begin + counts > self.rows).any():
            at -= np.where(at >= np.repeat((tags + 1) * self.rows, counts), self.rows, 0)
        if int(held.min()) >= self.rows:
            self._to_levels(slot, self._ring.take(at, axis=0))  # whole rows: a sixth of the time that indexing takes
        elif (held + counts > self.rows).any():
            full = np.arange(len(slot)) - np.repeat(starts - held, counts) >= self.rows
            self._to_levels(slot[full], self._ring.take(at[full], axis=0))
        self._ring_rows[at] = _whole(rows)
        self._end[tags] = (begin + counts) % self.rows
        self.count[tags] = np.minimum(held + counts, self.rows)
        if gap is not None and gap.any():
            fillable = np.where(rows[gap, SERVER] == FINAL, 0, rows[gap, SOURCE])
            self._gap_ns[slot[gap]], self._gap_place[slot[gap]] = fillable, at[gap]

    def _place_in_time(self, tags: Places, starts: Places, counts: Places, slot: Places, rows: Rows, gap: Bools | None) -> None:
        """Gaps to their place; what is known of each tag's times brought up to date; gaps that are none any more marked so."""
        source = rows[:, SOURCE].copy()
        previous = np.empty_like(source)
        previous[1:] = source[:-1]
        previous[starts] = self.last_ns[tags]
        if gap is not None:
            source = rows[:, SOURCE] = np.where(gap & (previous != 0), previous + 1, source)
        back = source < previous
        if back.any():
            self.ordered[slot[back]] = False
        if self._gap_ns[tags].any():
            self._fill(slot, source, gap if gap is not None else np.zeros(len(slot), np.bool_))
        last = starts + counts - 1
        self.last_ns[tags] = source[last]
        self.seen_ns[tags] = rows[last, RECEIVE]
        newest, usable = last, self._tells_interval(tags, source[last], previous[last])
        if gap is not None or not usable.all():  # then the newest row of each that does
            tells = self._tells_interval(slot, source, previous)
            if gap is not None:
                tells &= ~gap
            newest = np.maximum.reduceat(np.where(tells, np.arange(len(slot)), -1), starts)
            usable = newest >= 0
        tags, step = tags[usable], (source[newest] - previous[newest])[usable]
        usual = self._usual_ns[tags]
        self._usual_ns[tags] = np.where(usual == 0, step, usual + USUAL_WEIGHT * (np.minimum(step, 4 * usual) - usual))

    def _tells_interval(self, slot: Places, source: Ints, previous: Ints) -> Bools:
        """Whether the time from one row to the next is how often samples of the tag usually come: not the first, and not after a gap."""
        tells: Bools = (previous != 0) & (source > previous) & (previous != self._gap_ns[slot])
        return tells

    def _fill(self, slot: Places, source: Ints, gap: Bools) -> None:
        """A gap into whose beginning samples arrive is no gap: the device's queue has kept them for us."""
        open_ns = self._gap_ns[slot]
        after = source - open_ns
        fills = (open_ns != 0) & ~gap & (after > 0) & (after <= FILLED_WITHIN * self._usual_ns[slot])
        for filled in np.unique(slot[fills]).tolist():
            place = int(self._gap_place[filled])
            if int(self._ring[place, SOURCE]) == int(self._gap_ns[filled]):
                self._ring[place, INFO] = FILLED
            self._gap_ns[filled] = 0

    # What left the ring

    def _to_levels(self, slot: Places, rows: Rows) -> None:
        info = rows[:, INFO]
        quality = info & 0xFF if info.any() else None
        if quality is not None and (quality == FILLED).any():
            keep = quality != FILLED
            slot, rows, quality = slot[keep], rows[keep], quality[keep]
        if not len(slot):
            return
        source, other = rows[:, SOURCE].copy(), _changes(slot)
        behind = source[1:] < source[:-1]
        behind &= ~other[1:]
        if behind.any():
            order = np.lexsort((source, slot))
            slot, rows, source = slot[order], rows.take(order, axis=0), source[order]
            quality = quality[order] if quality is not None else None
        value = rows[:, VALUE].copy().view(np.float64)
        epoch = source // FINEST_NS
        other |= _changes(epoch)
        starts = np.flatnonzero(other)
        last = _ends(starts, len(slot)) - 1
        hole = np.isnan(value)
        flags = np.full(len(starts), USED, np.int64)
        if quality is not None:
            flags |= np.bitwise_or.reduceat(np.take(np.array(_FLAG_OF_QUALITY, np.int64), quality), starts)
        if hole.any():
            flags |= BEFORE * hole[starts] | AFTER * hole[last]
        ahead = np.minimum(np.maximum(rows[last, RECEIVE] - source[last], -FARTHEST_NS), FARTHEST_NS)
        self._merge(0, Buckets(slot[starts], epoch[starts], np.fmin.reduceat(value, starts), np.fmax.reduceat(value, starts), flags, ahead))

    def _merge(self, level: int, new: Buckets) -> None:
        """Into their places; what stood there of another time goes up."""
        if level == LEVELS or not len(new.slot):
            return
        at = new.slot * self.buckets + new.epoch % self.buckets
        if int(new.epoch.max()) - int(new.epoch.min()) >= self.buckets and (again := _seen_before(at)).any():
            self._merge(level, new.take(~again))  # so long a time in one batch that it comes round: one round after the other
            self._merge(level, new.take(again))
            return
        table = self._levels[level]
        held = table.take(at, axis=0)
        used = (held[:, FLAGS] & USED) != 0
        same = used & (held[:, EPOCH] == new.epoch)
        leaves = np.flatnonzero(used & ~same)
        low, high = (np.ascontiguousarray(held[:, word]).view(np.float64) for word in (LOW, HIGH))
        flags = np.where(same, _joined_flags(held[:, FLAGS] & 0xFF, ~np.isnan(low), new.flags, ~np.isnan(new.low)), new.flags)
        made = np.empty_like(held)
        made[:, EPOCH] = new.epoch
        made[:, LOW] = np.where(same, np.fmin(low, new.low), new.low).view(np.int64)
        made[:, HIGH] = np.where(same, np.fmax(high, new.high), new.high).view(np.int64)
        made[:, FLAGS] = flags | new.ahead_ns << 8
        table[at] = made
        if len(leaves):
            gone = held[leaves]
            up = Buckets(new.slot[leaves], gone[:, EPOCH] // WIDEN, low[leaves], high[leaves], gone[:, FLAGS] & 0xFF, gone[:, FLAGS] >> 8)
            self._merge(level + 1, _reduced(up))

    # Reading

    def ring(self, slot: int) -> Rows:
        """Rows of one tag, oldest arrival first."""
        base, count, end = slot * self.rows, int(self.count[slot]), int(self._end[slot])
        begin = end - count
        if begin >= 0:
            return self._ring[base + begin : base + end]
        return np.concatenate([self._ring[base + begin + self.rows : base + self.rows], self._ring[base : base + end]])

    def level(self, level: int, slot: int) -> Ints:
        """Buckets of one tag and level, as (n, ``BUCKET_WORDS``), in no order."""
        buckets = self._levels[level, slot * self.buckets : (slot + 1) * self.buckets]
        used: Ints = buckets[(buckets[:, FLAGS] & USED) != 0]
        return used

    def adopt(self, slot: int, other: Block, theirs: int) -> None:
        """Take over all that another block knows of a tag; ``slot`` is empty."""
        for level in range(LEVELS):
            held = other.level(level, theirs)
            if len(held):
                held = held[np.argsort(held[:, EPOCH])]
                low, high = (np.ascontiguousarray(held[:, word]).view(np.float64) for word in (LOW, HIGH))
                self._merge(level, Buckets(np.full(len(held), slot), held[:, EPOCH], low, high, held[:, FLAGS] & 0xFF, held[:, FLAGS] >> 8))
        rows = other.ring(theirs).copy()
        self._append(np.full(len(rows), slot), rows, None)  # gaps are in their places
        self._usual_ns[slot], self.ordered[slot] = other._usual_ns[theirs], other.ordered[theirs]


def _whole(rows: Rows) -> npt.NDArray[np.void]:
    """The same memory with each row as one: to assign rows to places takes a third of the time."""
    return rows.view(f"V{8 * ROW_WORDS}")[:, 0]


def _changes(column: npt.NDArray[np.int64] | Places) -> Bools:
    """Where another value begins; there is at least one."""
    changes = np.empty(len(column), np.bool_)
    changes[0] = True
    np.not_equal(column[1:], column[:-1], out=changes[1:])
    return changes


def _ends(starts: Places, rows: int) -> Places:
    """Where the parts end that begin at these places."""
    ends = np.empty_like(starts)
    ends[:-1] = starts[1:]
    ends[-1] = rows
    return ends


def _seen_before(at: Places) -> Bools:
    """Which of these were there before, earlier in the array."""
    order = np.argsort(at, kind="stable")
    again = np.zeros(len(at), np.bool_)
    again[order[1:]] = at[order[1:]] == at[order[:-1]]
    return again


def _joined_flags(old: Ints, old_has: Bools, new: Ints, new_has: Bools) -> Ints:
    """Of one bucket whose newer rows came later: a hole between two values of it is inside, and no hole before or after it any more."""
    keeps = USED | UNCERTAIN | BAD | LOST
    before = np.where(old_has, old & BEFORE, (old | new) & BEFORE)
    after = np.where(new_has, new & AFTER, (old | new) & AFTER)
    joined: Ints = (old | new) & keeps | before | after
    return joined


def _reduced(buckets: Buckets) -> Buckets:
    """Ordered by slot and epoch, with those of one slot and epoch made one."""
    order = np.lexsort((buckets.epoch, buckets.slot))
    one = buckets.take(order)
    starts = np.flatnonzero(_changes(one.slot) | _changes(one.epoch))
    if len(starts) == len(order):
        return one
    last = _ends(starts, len(order)) - 1
    flags = np.bitwise_or.reduceat(one.flags & ~(BEFORE | AFTER), starts) | one.flags[starts] & BEFORE | one.flags[last] & AFTER
    return Buckets(
        one.slot[starts],
        one.epoch[starts],
        np.fmin.reduceat(one.low, starts),
        np.fmax.reduceat(one.high, starts),
        flags,
        one.ahead_ns[last],
    )
