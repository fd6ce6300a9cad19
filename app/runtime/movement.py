"""Find what moves: of many observed items, those that a person's action moved, and not those that move all the time.

What was seen before the action is the measure. Two things make an item stand out in the window: it changed more often than before
(a likelihood ratio of two Poisson rates, so that one change after ten quiet seconds counts, and three instead of two do not), and it
went further than before (its steps and its range, against steps, range and drift before). Clocks, counters and noise do neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from app.model.columns import SampleColumns
from app.model.values import Quality, Value

Floats: TypeAlias = "npt.NDArray[np.float64]"
Places: TypeAlias = "npt.NDArray[np.intp]"

QUIET_RATIO: Final = 100.0
"""How far an item went that did not move at all before: there is no noise to compare with."""
TELLING_RATIO: Final = 2.0
"""So far noise hardly ever goes when it is looked at for a second time: white noise in none of 300 trials, a random walk in eight."""
TELLING_SCORE: Final = 4.0
"""Below that, what also moved before is taken for what moves all the time: a likelihood ratio of e² to one."""
FAR_WEIGHT: Final = 6.0
"""Of the logarithm of how far it went, so that ``TELLING_RATIO`` by itself makes ``TELLING_SCORE``."""


class Observed(NamedTuple):
    """Something to look at that is no tag."""

    address: str
    name: str = ""


class Moved(NamedTuple):
    """One item that changed between start and stop.

    Attributes:
        first, last: Value when the window began (or first known in it), and its last one in the window.
        changes, changes_before: In the window, and between the begin of the observation and the window.
        amplitude: How far it went, in multiples of what it did before (about 1 for noise, ``QUIET_RATIO`` for what had not moved);
            0 where the values are no numbers.
        score: What the order is by, highest first.
        always: It moves all the time; what the person did does not show in it.
    """

    address: str
    name: str
    first: Value
    last: Value
    changes: int
    changes_before: int
    amplitude: float
    score: float
    always: bool

    @property
    def why(self) -> str:
        """What put it where it stands, for a person."""
        if self.always:
            return "always changing"
        if not self.changes_before:
            return "changed only in the window"
        if self.amplitude > TELLING_RATIO:
            least = "at least " if self.amplitude >= QUIET_RATIO else ""
            return f"went {least}{self.amplitude:.{0 if self.amplitude >= 10 else 1}f} times as far as before"
        return "changed more often than before"


class _Span:
    """What happened in one stretch of time; one row per item. Steps are differences of following numbers."""

    def __init__(self, size: int) -> None:
        self.changes, self.rises, self.falls = (np.zeros(size, np.int64) for _ in range(3))
        self.low, self.high = np.full(size, np.inf), np.full(size, -np.inf)
        self.up, self.down = np.zeros(size), np.zeros(size)

    def see(self, places: Places, values: Floats) -> None:
        known = np.isfinite(values)
        np.minimum.at(self.low, places[known], values[known])
        np.maximum.at(self.high, places[known], values[known])

    def step(self, places: Places, steps: Floats) -> None:
        np.add.at(self.changes, places, 1)
        steps = np.nan_to_num(steps, posinf=0.0, neginf=0.0)  # to or from what is no number: a change, but no distance
        np.add.at(self.rises, places, steps > 0)
        np.add.at(self.falls, places, steps < 0)
        np.maximum.at(self.up, places, steps)
        np.maximum.at(self.down, places, -steps)

    def add(self, other: _Span) -> None:
        self.changes, self.rises, self.falls = self.changes + other.changes, self.rises + other.rises, self.falls + other.falls
        self.low, self.high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        self.up, self.down = np.maximum(self.up, other.up), np.maximum(self.down, other.down)


class _Known(msgspec.Struct):
    """The newest value of each item: its number, or another value in ``objects``."""

    number: Floats
    type: npt.NDArray[np.uint8]
    seen: npt.NDArray[np.bool_]
    objects: dict[int, Value] = msgspec.field(default_factory=dict)

    @classmethod
    def nothing(cls, size: int) -> _Known:
        return cls(np.full(size, np.nan), np.zeros(size, np.uint8), np.zeros(size, np.bool_))

    def copy(self) -> _Known:
        return _Known(self.number.copy(), self.type.copy(), self.seen.copy(), dict(self.objects))

    def values(self) -> SampleColumns:
        """As samples, one per item, for their values in their own types."""
        size = len(self.number)
        zeros = np.zeros(size, np.int64)
        return SampleColumns(
            handle=np.arange(size, dtype=np.uint32), type=self.type, quality=np.zeros(size, np.uint8), status=np.zeros(size, np.uint32),
            number=self.number, source_ns=zeros, server_ns=zeros, receive_ns=zeros, objects=self.objects,
        )  # fmt: skip


class Movement:
    """Collects samples of observed items; lives on the owner's thread. All times are ``Clock.monotonic_s``.

    Args:
        items: What is observed.
        handles: Of each of them, ascending.
        lag_s: How late a change may be told: so long after ``mark_stop`` what comes still counts.

    Attributes:
        refused: Address → why it is not observed.
        ended: "" while it goes on, else why it ended; what was seen until then stays.
    """

    def __init__(self, items: Sequence[Observed], handles: Sequence[int], lag_s: float = 0.0) -> None:
        self.items = tuple(items)
        self.refused: dict[str, str] = {}
        self.ended = ""
        self._handles = np.array(handles, np.uint32)
        self._lag_s = lag_s
        size = len(self.items)
        self._before, self._window, self._after = _Span(size), _Span(size), _Span(size)
        self._known, self._at_start = _Known.nothing(size), _Known.nothing(size)
        self._opening = _Known.nothing(size)
        """The first value of each item: with ``_at_start`` its drift before the window."""
        self._last: _Known | None = None
        self._begun_s: float | None = None
        self._start_s: float | None = None
        self._stop_s: float | None = None
        self._resting_s: float | None = None
        self._seen_s = 0.0

    @property
    def known(self) -> int:
        """Items of which a value has come."""
        return int(self._known.seen.sum())

    @property
    def restless(self) -> int:
        """Items that changed while nobody acted."""
        return int(np.count_nonzero(self._before.changes))

    def before_s(self, now_s: float) -> float:
        """How long it has been watched before the window, so far: what moves all the time has to be seen moving."""
        if self._begun_s is None:
            return 0.0
        return max(0.0, (now_s if self._start_s is None else self._start_s) - self._begun_s)

    def mark_start(self, at_s: float) -> None:
        """The person begins to act. What an earlier window held is forgotten, what came after it counts as before."""
        self._before.add(self._after)
        size = len(self.items)
        self._window, self._after = _Span(size), _Span(size)
        self._at_start, self._last = self._known.copy(), None
        self._start_s, self._stop_s = at_s, None

    def mark_stop(self, at_s: float) -> None:
        """The person has acted; the ranking holds from now on."""
        self._stop_s = at_s

    def rest(self, at_s: float) -> None:
        """Reading is paused: the time does not count."""
        self._resting_s = at_s

    def go_on(self, at_s: float) -> None:
        if self._resting_s is None:
            return
        rested_s, self._resting_s = at_s - self._resting_s, None
        if self._start_s is None and self._begun_s is not None:
            self._begun_s += rested_s
        elif self._start_s is not None and self._stop_s is None:
            self._start_s += rested_s
            if self._begun_s is not None:
                self._begun_s += rested_s

    def refuse(self, handle: int, why: str) -> None:
        place = int(np.searchsorted(self._handles, handle))
        if place < len(self._handles) and self._handles[place] == handle:
            self.refused[self.items[place].address] = why

    def add(self, columns: SampleColumns, at_s: float) -> npt.NDArray[np.bool_]:
        """Take the rows that are of observed items; ``at_s`` is when they came.

        Returns:
            Which rows those are.
        """
        if not len(self._handles):
            return np.zeros(len(columns), np.bool_)
        places = np.minimum(np.searchsorted(self._handles, columns.handle), len(self._handles) - 1)
        mine = np.asarray(self._handles[places] == columns.handle)
        usable = mine & (columns.quality < Quality.BAD)
        if usable.any() and self._resting_s is None:  # what was on its way when reading was paused is left out
            self._begun_s = at_s if self._begun_s is None else self._begun_s
            self._take(columns, places, usable, self._span(at_s))
        return mine

    def ranking(self) -> list[Moved]:
        """What changed in the window: what the action moved first, what moves all the time last. Empty before ``mark_start``."""
        if self._start_s is None or self._begun_s is None:
            return []
        stop_s = self._stop_s if self._stop_s is not None else max(self._seen_s, self._start_s)
        before_s = max(self._start_s - self._begun_s, 0.001)
        window_s = max(stop_s - self._start_s, 0.001) + self._lag_s
        oftener = _oftener(self._before.changes, self._window.changes, before_s, window_s)
        further, turned = self._further(window_s / before_s)
        last = self._last or self._known
        first_values, last_values = self._at_start.values(), last.values()
        moved: list[Moved] = []
        for place in np.flatnonzero(self._window.changes).tolist():
            often, before = float(oftener[place]), int(self._before.changes[place])
            is_number = place not in last.objects and place not in self._at_start.objects
            amplitude = float(further[place]) if is_number else QUIET_RATIO if not before else 1.0
            score = often + (FAR_WEIGHT * float(np.log(amplitude)) if amplitude > TELLING_RATIO else 0.0)
            item = self.items[place]
            moved.append(Moved(
                address=item.address, name=item.name,
                first=first_values.value(place) if self._at_start.seen[place] else None, last=last_values.value(place),
                changes=int(self._window.changes[place]), changes_before=before,
                amplitude=amplitude if is_number else 0.0, score=score,
                always=before > 0 and (often if turned[place] else score) < TELLING_SCORE,
            ))  # fmt: skip
        return sorted(moved, key=lambda one: (one.always, -one.score, one.address))

    def _span(self, at_s: float) -> _Span:
        self._seen_s = at_s
        if self._start_s is None or at_s < self._start_s:
            return self._before
        if self._stop_s is None or at_s <= self._stop_s + self._lag_s:
            return self._window
        if self._last is None:
            self._last = self._known.copy()
        return self._after

    def _take(self, columns: SampleColumns, places: Places, usable: npt.NDArray[np.bool_], span: _Span) -> None:
        plain = usable.copy()
        whole = [row for row in columns.objects if usable[row]]
        if whole:  # an item that has both in one batch is taken row by row, in its order
            plain &= ~np.isin(places, places[whole])
            for row in np.flatnonzero(usable & ~plain).tolist():
                self._take_object(int(places[row]), columns.value(row), int(columns.type[row]), span)
        rows = np.flatnonzero(plain)
        if len(rows):
            rows = rows[np.argsort(places[rows], kind="stable")]  # those of one item together, in the order in which they came
            self._take_numbers(places[rows], columns.number[rows], columns.type[rows], span)

    def _take_numbers(self, places: Places, values: Floats, types: npt.NDArray[np.uint8], span: _Span) -> None:
        known = self._known
        first = np.concatenate([[True], places[1:] != places[:-1]])
        before = np.concatenate([[np.nan], values[:-1]])
        before[first] = known.number[places[first]]
        had_one = ~first | known.seen[places]
        same = (values == before) | (np.isnan(values) & np.isnan(before))
        was_object = np.isin(places, list(known.objects)) & first if known.objects else np.zeros(len(places), np.bool_)
        changed = had_one & (~same | was_object)
        span.see(places, values)
        span.step(places[changed], values[changed] - before[changed])
        fresh = first & ~known.seen[places]
        self._open(places[fresh], values[fresh], types[fresh])
        known.number[places], known.type[places], known.seen[places] = values, types, True  # of several, the last is kept
        for place in places[was_object].tolist():
            del known.objects[place]

    def _take_object(self, place: int, value: Value, type_: int, span: _Span) -> None:
        known = self._known
        if not known.seen[place]:
            self._open(np.array([place]), np.array([np.nan]), np.array([type_], np.uint8))
            if self._start_s is not None:
                self._at_start.objects[place] = value
        elif place not in known.objects or known.objects[place] != value:
            span.changes[place] += 1
        known.objects[place] = value
        known.number[place], known.type[place], known.seen[place] = np.nan, type_, True

    def _open(self, places: Places, values: Floats, types: npt.NDArray[np.uint8]) -> None:
        """The first value of an item; where it comes in the window, that is what it began with there."""
        self._opening.number[places] = values
        if self._start_s is not None and len(places):
            self._at_start.number[places], self._at_start.type[places], self._at_start.seen[places] = values, types, True

    def _further(self, times: float) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """How far each item went in multiples of before, and where that was only a counter that began anew.

        Args:
            times: How many times as long as before the window is: what drifted goes on drifting.
        """
        before, window = self._before, self._window
        step = np.maximum(before.up, before.down)
        with np.errstate(all="ignore"):  # what never had a number has no range
            stride = np.maximum(window.up, window.down) / step
            drift = np.nan_to_num((self._at_start.number - self._opening.number) * times)
            beyond = np.maximum(window.high - before.high - np.maximum(drift, 0.0), before.low + np.minimum(drift, 0.0) - window.low)
            reach = 1.0 + np.maximum(beyond, 0.0) / np.maximum(before.high - before.low, step)
            part = (window.high - window.low) / np.maximum(np.abs(window.high), np.abs(window.low))
        ratio = np.clip(np.maximum(_or_one(stride), _or_one(reach)), 0.0, QUIET_RATIO)
        # Of what did not move before, the last digit of a measurement says less than a switch.
        quiet = QUIET_RATIO ** (0.5 + 0.5 * np.clip(20 * np.nan_to_num(part, nan=1.0), 0.0, 1.0))
        one_way = (before.changes >= 3) & ((before.rises == 0) != (before.falls == 0))
        upwards = before.rises > 0
        stride_on = np.where(upwards, window.up, window.down)
        on, back = np.where(upwards, window.rises, window.falls), np.where(upwards, window.falls, window.rises)
        turned = one_way & (on > 0) & (back <= np.maximum(1, on // 10)) & (stride_on <= TELLING_RATIO * step)
        return np.where(before.changes == 0, quiet, ratio), turned


def _or_one(ratio: Floats) -> Floats:
    """1, as before, where there is nothing to compare."""
    return np.nan_to_num(ratio, nan=1.0, posinf=1.0)


def _oftener(before: npt.NDArray[np.int64], window: npt.NDArray[np.int64], before_s: float, window_s: float) -> Floats:
    """G of the likelihood-ratio test that two Poisson counts have one rate; 0 where the second is not the higher one."""
    total = (before + window).astype(np.float64)
    expected = total * window_s / (before_s + window_s)
    with np.errstate(all="ignore"):
        g = 2 * (_times_log(before, before / (total - expected)) + _times_log(window, window / expected))
    return np.where(window > expected, g, 0.0)


def _times_log(count: npt.NDArray[np.int64], ratio: Floats) -> Floats:
    return np.where(count > 0, count * np.log(np.where(count > 0, ratio, 1.0)), 0.0)
