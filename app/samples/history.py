"""Ring buffers of numeric tags: what plots and statistics read. Bounded per tag and in total."""

from __future__ import annotations

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

_COLUMNS: Final = (("source", "<i8"), ("server", "<i8"), ("receive", "<i8"), ("value", "<f8"), ("quality", "u1"))
_NUMERIC: Final = np.array(sorted(TYPE_CODES[name] for name in (*NUMERIC_TYPES, "bool", "enum")), np.uint8)
_STAGED_ROWS: Final = 50_000
_STAGED_BATCHES: Final = 32

Columns = dict[str, np.ndarray]


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
        self.columns: Columns = {name: np.zeros(FIRST_ROWS, dtype) for name, dtype in _COLUMNS}
        self.capacity, self.start, self.count = FIRST_ROWS, 0, 0

    def grow(self, capacity: int) -> None:
        ordered = self.rows()
        self.columns = {name: np.concatenate([ordered[name], np.zeros(capacity - self.count, dtype)]) for name, dtype in _COLUMNS}
        self.capacity, self.start = capacity, 0

    def append(self, rows: Columns) -> None:
        new = len(rows["value"])
        if new > self.capacity:
            rows, new = {name: column[-self.capacity :] for name, column in rows.items()}, self.capacity
        end = (self.start + self.count) % self.capacity
        first = min(new, self.capacity - end)
        for name, column in self.columns.items():
            column[end : end + first] = rows[name][:first]
            column[: new - first] = rows[name][first:]
        overwritten = max(0, self.count + new - self.capacity)
        self.start = (self.start + overwritten) % self.capacity
        self.count = min(self.count + new, self.capacity)

    def rows(self) -> Columns:
        """A copy, oldest first."""
        end = self.start + self.count
        if end <= self.capacity:
            return {name: column[self.start : end].copy() for name, column in self.columns.items()}
        return {name: np.concatenate([column[self.start :], column[: end - self.capacity]]) for name, column in self.columns.items()}


class History:
    """One thread owns it. Batches are staged and sorted into the rings now and then, so that taking one costs little."""

    def __init__(self, rows_per_tag: int = ROWS_PER_TAG, total_rows: int = TOTAL_ROWS) -> None:
        self._rows_per_tag, self._total_rows = max(rows_per_tag, FIRST_ROWS), total_rows
        self._rings: dict[str, _Ring] = {}
        self._ring_rows = 0
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._next = 1
        self._staged: list[Columns] = []
        self._staged_rows = 0

    def append(self, handles: dict[int, str], columns: SampleColumns) -> None:
        """Take a batch. ``handles`` is handle → tag; rows of other handles and values that are no numbers are left out.

        A row with bad quality and no number stays, as a hole in the curve.
        """
        numeric = np.isin(columns.type, _NUMERIC) | (columns.quality == Quality.BAD)
        keys, places = np.unique(columns.handle, return_inverse=True)
        tags = np.array([self._number(handles[key]) if key in handles else 0 for key in keys.tolist()], np.int64)[places]
        keep = np.flatnonzero(numeric & (tags > 0))
        if not len(keep):
            return
        value = columns.number[keep]
        if columns.objects:
            for place in np.flatnonzero(np.isnan(value)).tolist():
                whole = columns.objects.get(int(keep[place]))
                if isinstance(whole, int):  # beyond 2^53: a curve can do without the last digits
                    value[place] = float(whole)
        self._stage(
            {
                "tag": tags[keep],
                "source": columns.source_ns[keep],
                "server": columns.server_ns[keep],
                "receive": columns.receive_ns[keep],
                "value": value,
                "quality": columns.quality[keep],
            }
        )

    def gap(self, tag: str, at_ns: int) -> None:
        """Samples are missing from here on: the curve is interrupted. Not for tags that have no samples."""
        if tag in self._numbers:
            one = np.ones(1, np.int64)
            times = dict.fromkeys(("source", "server", "receive"), one * at_ns)
            nothing = np.full(1, np.nan)
            self._stage({"tag": one * self._numbers[tag], **times, "value": nothing, "quality": np.full(1, GAP, np.uint8)})

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
        parts = []
        if ring := self._rings.get(tag):
            parts.append(ring.rows())
        if (number := self._numbers.get(tag)) is not None:
            for staged in self._staged:
                rows = staged["tag"] == number
                if rows.any():
                    parts.append({name: staged[name][rows] for name, _ in _COLUMNS})
        if not parts:
            return Series(np.zeros(0, np.int64), np.zeros(0, np.float64), np.zeros(0, np.uint8))
        columns = {name: np.concatenate([part[name] for part in parts])[-self._rows_per_tag :] for name, _ in _COLUMNS}
        time_ns = np.where(columns[clock] == 0, columns["receive"], columns[clock])
        return Series(time_ns, columns["value"], columns["quality"])

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

    def _stage(self, rows: Columns) -> None:
        self._staged.append(rows)
        self._staged_rows += len(rows["tag"])
        if self._staged_rows >= _STAGED_ROWS or len(self._staged) >= _STAGED_BATCHES:
            self._sort_in()

    def _sort_in(self) -> None:
        joined = {name: np.concatenate([rows[name] for rows in self._staged]) for name in self._staged[0]}
        self._staged, self._staged_rows = [], 0
        order = np.argsort(joined["tag"], kind="stable")
        joined = {name: column[order] for name, column in joined.items()}
        numbers, starts = np.unique(joined["tag"], return_index=True)
        ends = [*starts[1:].tolist(), len(order)]
        for number, start, end in zip(numbers.tolist(), starts.tolist(), ends, strict=True):
            if (tag := self._names.get(number)) is not None:
                self._ring_for(tag, end - start).append({name: joined[name][start:end] for name, _ in _COLUMNS})

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
