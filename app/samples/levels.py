"""What left the rings of many tags, as lows and highs of ever wider stretches of time, in arrays that never grow.

A row goes into a bucket of level 0 by its time; a bucket that leaves a level, because a later one needs its place, goes into a bucket
four times as wide of the next level. So each sample is in exactly one place, and a late one lands where its time says.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from app.samples.decimate import Floats
from app.samples.handles import Places
from app.samples.rows import FILLED, INFO, RECEIVE, SOURCE, VALUE, Bools, Ints, Rows, changes, ends

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
FARTHEST_NS: Final = (1 << 54) - 1


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


class Levels:
    """So many tags (slots), each with as many buckets per level; one thread owns it."""

    def __init__(self, slots: int, buckets: int) -> None:
        self.buckets = buckets
        self._tables = np.zeros((LEVELS, slots * buckets, BUCKET_WORDS), np.int64)

    @staticmethod
    def bytes_of(buckets: int) -> int:
        """What one tag takes."""
        return 8 * LEVELS * buckets * BUCKET_WORDS

    def clear(self, slot: int) -> None:
        self._tables[:, slot * self.buckets : (slot + 1) * self.buckets] = 0

    def of(self, level: int, slot: int) -> Ints:
        """Buckets of one tag and level, as (n, ``BUCKET_WORDS``), in no order."""
        buckets = self._tables[level, slot * self.buckets : (slot + 1) * self.buckets]
        used: Ints = buckets[(buckets[:, FLAGS] & USED) != 0]
        return used

    def adopt(self, slot: int, other: Levels, theirs: int) -> None:
        """Take over all that others know of a tag; ``slot`` is empty."""
        for level in range(LEVELS):
            held = other.of(level, theirs)
            if len(held):
                held = held[np.argsort(held[:, EPOCH])]
                low, high = (np.ascontiguousarray(held[:, word]).view(np.float64) for word in (LOW, HIGH))
                self._merge(level, Buckets(np.full(len(held), slot), held[:, EPOCH], low, high, held[:, FLAGS] & 0xFF, held[:, FLAGS] >> 8))

    def take(self, slot: Places, rows: Rows) -> None:
        """Take rows, by slot and then in order of arrival."""
        info = rows[:, INFO]
        quality = info & 0xFF if info.any() else None
        if quality is not None and (quality == FILLED).any():
            keep = quality != FILLED
            slot, rows, quality = slot[keep], rows[keep], quality[keep]
        if not len(slot):
            return
        source, other = rows[:, SOURCE].copy(), changes(slot)
        behind = source[1:] < source[:-1]
        behind &= ~other[1:]
        if behind.any():
            order = np.lexsort((source, slot))
            slot, rows, source = slot[order], rows.take(order, axis=0), source[order]
            quality = quality[order] if quality is not None else None
        value = rows[:, VALUE].copy().view(np.float64)
        epoch = source // FINEST_NS
        other |= changes(epoch)
        starts = np.flatnonzero(other)
        last = ends(starts, len(slot)) - 1
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
        table = self._tables[level]
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
    starts = np.flatnonzero(changes(one.slot) | changes(one.epoch))
    if len(starts) == len(order):
        return one
    last = ends(starts, len(order)) - 1
    flags = np.bitwise_or.reduceat(one.flags & ~(BEFORE | AFTER), starts) | one.flags[starts] & BEFORE | one.flags[last] & AFTER
    return Buckets(
        one.slot[starts],
        one.epoch[starts],
        np.fmin.reduceat(one.low, starts),
        np.fmax.reduceat(one.high, starts),
        flags,
        one.ahead_ns[last],
    )
