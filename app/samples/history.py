"""Ring buffers of numeric tags: what plots and statistics read. Bounded per tag and in total."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from app.model.columns import TYPE_CODES, SampleColumns
from app.model.values import NUMERIC_TYPES, Quality
from app.samples.decimate import decimate

TimeKind = Literal["source", "server", "receive"]

ROWS_PER_TAG: Final = 36_000
"""An hour at ten samples a second; 1.2 MB."""
TOTAL_ROWS: Final = 16_000_000
"""Of all rings together, about 530 MB; when it is reached, rings no longer grow and keep less of the past."""
FIRST_ROWS: Final = 256
GAP: Final = 3
"""In ``Series.quality``: no sample but a hole, with a NaN value; beside the numbers of ``Quality``."""

_ROW: Final = np.dtype(
    [("source", "<i8"), ("server", "<i8"), ("receive", "<i8"), ("value", "<f8"), ("tag", "<u4"), ("quality", "u1")], align=True
)
"""Whole rows in one array and not an array per column: rings of 10,000 tags are filled by 10,000 copies and not by 50,000."""
_NUMERIC: Final = np.array(sorted(TYPE_CODES[name] for name in (*NUMERIC_TYPES, "bool", "enum")), np.uint8)
_STAGED_ROWS: Final = 50_000
_RUNS_AT_ONCE: Final = 1_000
_STAGED_BATCHES: Final = 32

Rows = np.ndarray[tuple[int], np.dtype[np.void]]


class Series(NamedTuple):
    """Samples of one tag in order of arrival.

    ``time_ns`` int64 since 1970 UTC, ``value`` float64 (NaN: none, or a gap), ``quality`` uint8 (``Quality``, or ``GAP``).
    """

    time_ns: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]


class _Ring:
    """The newest rows of one tag. Doubles up to its limit, then overwrites the oldest."""

    def __init__(self) -> None:
        self._rows: Rows = np.zeros(FIRST_ROWS, _ROW)
        self.capacity, self.start, self.count = FIRST_ROWS, 0, 0

    def grow(self, capacity: int) -> None:
        self._rows = np.concatenate([self.rows(), np.zeros(capacity - self.count, _ROW)])
        self.capacity, self.start = capacity, 0

    def append(self, rows: Rows) -> None:
        rows = rows[-self.capacity :]
        new = len(rows)
        end = (self.start + self.count) % self.capacity
        first = min(new, self.capacity - end)
        self._rows[end : end + first] = rows[:first]
        if first < new:
            self._rows[: new - first] = rows[first:]
        overwritten = max(0, self.count + new - self.capacity)
        self.start = (self.start + overwritten) % self.capacity
        self.count = min(self.count + new, self.capacity)

    def rows(self) -> Rows:
        """Oldest first."""
        end = self.start + self.count
        if end <= self.capacity:
            return self._rows[self.start : end]
        return np.concatenate([self._rows[self.start :], self._rows[: end - self.capacity]])


class History:
    """One thread owns it. Batches are staged and sorted into the rings now and then, so that taking one costs little."""

    def __init__(self, rows_per_tag: int = ROWS_PER_TAG, total_rows: int = TOTAL_ROWS) -> None:
        self._rows_per_tag, self._total_rows = max(rows_per_tag, FIRST_ROWS), total_rows
        self._rings: dict[str, _Ring] = {}
        self._ring_rows = 0
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._next = 1
        self._staged: list[Rows] = []
        self._staged_rows = 0
        self._sorted: Rows = np.zeros(0, _ROW)
        self._runs: list[tuple[int, int, int]] = []

    def append(self, handles: dict[int, str], columns: SampleColumns) -> None:
        """Take a batch. ``handles`` is handle → tag; rows of other handles and values that are no numbers are left out.

        A row with bad quality and no number stays, as a hole in the curve.
        """
        numeric = np.isin(columns.type, _NUMERIC) | (columns.quality == Quality.BAD)
        keys, places = np.unique(columns.handle, return_inverse=True)
        tags = np.array([self._number(handles[key]) if key in handles else 0 for key in keys.tolist()], np.uint32)[places]
        keep = np.flatnonzero(numeric & (tags > 0))
        if not len(keep):
            return
        value = columns.number[keep]
        if columns.objects:
            for place in np.flatnonzero(np.isnan(value)).tolist():
                whole = columns.objects.get(int(keep[place]))
                if isinstance(whole, int):  # beyond 2^53: a curve can do without the last digits
                    value[place] = float(whole)
        rows = np.zeros(len(keep), _ROW)
        rows["tag"], rows["value"], rows["quality"] = tags[keep], value, columns.quality[keep]
        rows["source"], rows["server"], rows["receive"] = columns.source_ns[keep], columns.server_ns[keep], columns.receive_ns[keep]
        self._stage(rows)

    def gap(self, tag: str, at_ns: int) -> None:
        """Samples of a tag are missing from here on: its curve is interrupted. Not for tags that have no samples."""
        self.gaps([tag], at_ns)

    def gaps(self, tags: Iterable[str], at_ns: int) -> None:
        """``gap`` of many tags; ``at_ns`` is the receive clock's (the wall clock of this computer)."""
        numbers = np.array([self._numbers[tag] for tag in tags if tag in self._numbers], np.uint32)
        if len(numbers):
            rows = np.zeros(len(numbers), _ROW)
            rows["tag"], rows["receive"], rows["value"], rows["quality"] = numbers, at_ns, np.nan, GAP
            self._stage(rows)

    def forget(self, tag: str) -> None:
        """Throw away what is known of a tag: it is gone, or its address now means something else."""
        number = self._numbers.pop(tag, None)
        if number is not None:
            del self._names[number]  # staged rows of this number find no name any more
        ring = self._rings.pop(tag, None)
        if ring is not None:
            self._ring_rows -= ring.capacity

    def tags(self) -> list[str]:
        return list(self._numbers)

    def series(self, tag: str, clock: TimeKind = "source") -> Series:
        """All that is kept of a tag. A row without a source or server time has its receive time instead."""
        parts: list[Rows] = []
        if ring := self._rings.get(tag):
            parts.append(ring.rows())
        if (number := self._numbers.get(tag)) is not None:
            parts += [staged[staged["tag"] == number] for staged in (self._sorted, *self._staged)]
        rows = np.concatenate([np.zeros(0, _ROW), *parts])[-self._rows_per_tag :]
        quality = rows["quality"].copy()
        time_ns = np.where(rows[clock] == 0, rows["receive"], rows[clock])
        if clock != "receive":
            time_ns = _gaps_in_place(time_ns, quality == GAP)
        return Series(time_ns, rows["value"].copy(), quality)

    def decimated(
        self, tag: str, t0_ns: int, t1_ns: int, columns: int, clock: TimeKind = "source"
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """(time_ns, low, high) for a plot so many pixels wide; see ``app.samples.decimate``."""
        series = self.series(tag, clock)
        return decimate(series.time_ns, series.value, t0_ns, t1_ns, columns)

    def _number(self, tag: str) -> int:
        if tag not in self._numbers:
            self._numbers[tag], self._names[self._next] = self._next, tag
            self._next += 1
        return self._numbers[tag]

    def _stage(self, rows: Rows) -> None:
        self._staged.append(rows)
        self._staged_rows += len(rows)
        if self._runs:
            self._sort_in_some()
        elif self._staged_rows >= _STAGED_ROWS or len(self._staged) >= _STAGED_BATCHES:
            self._begin_sorting()
            self._sort_in_some()

    def _begin_sorting(self) -> None:
        """Staged rows become runs of one tag each."""
        joined = np.concatenate(self._staged)
        self._staged, self._staged_rows = [], 0
        self._sorted = joined[np.argsort(joined["tag"], kind="stable")]
        numbers, starts = np.unique(self._sorted["tag"], return_index=True)
        ends = [*starts[1:].tolist(), len(joined)]
        self._runs = list(zip(numbers.tolist(), starts.tolist(), ends, strict=True))

    def _sort_in_some(self) -> None:
        """Not all at once: with 10,000 tags that would hold up a window for a tenth of a second."""
        for _ in range(min(_RUNS_AT_ONCE, len(self._runs))):
            number, start, end = self._runs.pop()
            if (tag := self._names.get(number)) is not None:
                self._ring_for(tag, end - start).append(self._sorted[start:end])
        self._sorted = self._sorted[: self._runs[-1][2] if self._runs else 0]

    def _ring_for(self, tag: str, new: int) -> _Ring:
        """The ring of a tag, with room for so many more rows where the limits allow it."""
        ring = self._rings.get(tag)
        if ring is None:
            ring = self._rings[tag] = _Ring()
            self._ring_rows += ring.capacity
        wanted = ring.capacity
        while wanted < ring.count + new and wanted < self._rows_per_tag:
            wanted *= 2
        wanted = min(wanted, self._rows_per_tag, ring.capacity + max(0, self._total_rows - self._ring_rows))
        if wanted > ring.capacity:
            self._ring_rows += wanted - ring.capacity
            ring.grow(wanted)
        return ring


def _gaps_in_place(time_ns: npt.NDArray[np.int64], gap: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Each gap right after the sample before it: gaps know this computer's time only, and a source's clock may be hours away."""
    before = np.maximum.accumulate(np.where(gap, -1, np.arange(len(gap))))
    return np.where(gap & (before >= 0), time_ns[before] + 1, time_ns)
