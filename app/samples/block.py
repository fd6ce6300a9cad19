"""Samples of many tags in arrays that never grow: a ring of rows for each tag and, above it, what left the ring, as lows and highs.

All is done for thousands of tags at once: work is of the new rows only, whatever is kept.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from app.samples.handles import Places
from app.samples.levels import Levels
from app.samples.rows import FILLED, FINAL, GAP, INFO, RECEIVE, ROW_WORDS, SERVER, SOURCE, Bools, Ints, Rows, changes, ends, whole

FILLED_WITHIN: Final = 1.5
"""A gap is filled when a sample comes that is of so many usual intervals after the one before it."""
USUAL_WEIGHT: Final = 0.25


class Block:
    """So many tags (slots), each with as many rows and as many buckets per level; one thread owns it."""

    def __init__(self, slots: int, rows: int, buckets: int) -> None:
        self.rows = rows
        self.levels = Levels(slots, buckets)
        self._ring = np.zeros((slots * rows, ROW_WORDS), np.int64)
        self._ring_rows = whole(self._ring)
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
        return 8 * (rows * ROW_WORDS + 7) + Levels.bytes_of(buckets)

    def clear(self, slot: int) -> None:
        self.levels.clear(slot)
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
        starts = np.flatnonzero(changes(slot))
        counts = ends(starts, len(slot)) - starts
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
            self.levels.take(slot, self._ring.take(at, axis=0))  # whole rows: a sixth of the time that indexing takes
        elif (held + counts > self.rows).any():
            full = np.arange(len(slot)) - np.repeat(starts - held, counts) >= self.rows
            self.levels.take(slot[full], self._ring.take(at[full], axis=0))
        self._ring_rows[at] = whole(rows)
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

    # Reading

    def ring(self, slot: int) -> Rows:
        """Rows of one tag, oldest arrival first."""
        base, count, end = slot * self.rows, int(self.count[slot]), int(self._end[slot])
        begin = end - count
        if begin >= 0:
            return self._ring[base + begin : base + end]
        return np.concatenate([self._ring[base + begin + self.rows : base + self.rows], self._ring[base : base + end]])

    def adopt(self, slot: int, other: Block, theirs: int) -> None:
        """Take over all that another block knows of a tag; ``slot`` is empty."""
        self.levels.adopt(slot, other.levels, theirs)
        rows = other.ring(theirs).copy()
        self._append(np.full(len(rows), slot), rows, None)  # gaps are in their places
        self._usual_ns[slot], self.ordered[slot] = other._usual_ns[theirs], other.ordered[theirs]
