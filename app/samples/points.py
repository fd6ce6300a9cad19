"""Reads one tag of a ``Block`` as points in time, and says which spans of time have no good value, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from app.model.values import Quality
from app.samples.block import Block
from app.samples.decimate import Floats, Times, thin
from app.samples.levels import AFTER, BAD, BEFORE, EPOCH, FLAGS, HIGH, LEVELS, LOST, LOW, UNCERTAIN, width_ns
from app.samples.rows import FILLED, GAP, INFO, RECEIVE, SERVER, SOURCE, VALUE, Rows

TimeKind = Literal["source", "server", "receive"]
SpanKind = Literal["gap", "bad", "uncertain"]

SPANS: Final = 200
"""So many of a curve are told, the newest; more are no spans a person could point at."""

_WORD: Final[dict[TimeKind, int]] = {"source": SOURCE, "server": SERVER, "receive": RECEIVE}
_KINDS: Final[dict[int, SpanKind]] = {int(Quality.UNCERTAIN): "uncertain", int(Quality.BAD): "bad", GAP: "gap"}


class Points(NamedTuple):
    """What is known of one tag, in order of time.

    Attributes:
        time_ns: Of the sample; of a bucket, when it begins.
        low, high: The same for a sample; NaN is a hole: no number, or a gap.
        quality: uint8, ``Quality`` (of a bucket the worst), or ``GAP``.
        code: int64: of a sample its status, of a gap the number of its reason, 0 where that is not known.
        receive_ns: By the clock of this computer.
        slack_ns: How exactly that is known: 0 for a sample, else the width of the bucket.
    """

    time_ns: Times
    low: Floats
    high: Floats
    quality: npt.NDArray[np.uint8]
    code: npt.NDArray[np.int64]
    receive_ns: Times
    slack_ns: Times

    @classmethod
    def none(cls) -> Points:
        whole = np.zeros(0, np.int64)
        return cls(whole, np.zeros(0), np.zeros(0), np.zeros(0, np.uint8), whole, whole, whole)


class Span(NamedTuple):
    """Time in which a tag has no good value.

    Attributes:
        end_ns: When the next value came, or None as long as there is none.
        why: Of a gap, where it is known.
        status: Of bad or uncertain samples, the first one's protocol code.
    """

    begin_ns: int
    end_ns: int | None
    kind: SpanKind
    why: str = ""
    status: int = 0


class Curve(NamedTuple):
    """What is drawn: as ``decimate`` gives it, and the spans that are shaded."""

    time_ns: Times
    low: Floats
    high: Floats
    spans: list[Span]


def row_times(rows: Rows, clock: TimeKind) -> Times:
    """A row without a time of this kind has its receive time instead; a gap is right after the sample before it."""
    times = rows[:, _WORD[clock]]
    if clock != "server":
        return times.copy()
    gap = (rows[:, INFO] & 0xFF) == GAP
    times = np.where((times == 0) | gap, rows[:, RECEIVE], times)
    before = np.maximum.accumulate(np.where(gap, -1, np.arange(len(gap))))
    return np.where(gap & (before >= 0), times[before] + 1, times)


def points_of(block: Block, slot: int, t0_ns: int, t1_ns: int, clock: TimeKind) -> Points:
    """All that can matter between two times: at least one point beyond each end, where there is one.

    The work does not depend on how much has come, only on the size of the ring and of the levels. Levels are kept by source time; what
    they hold is given by receive time with the difference that the newest row of each bucket had, and not by server time.
    """
    rows = block.ring(slot)
    time_ns = row_times(rows, clock)
    ordered = bool(block.ordered[slot]) if clock == "source" else len(time_ns) < 2 or not (np.diff(time_ns) < 0).any()
    if ordered:
        first = max(int(np.searchsorted(time_ns, t0_ns, "left")) - 2, 0)
        last = min(int(np.searchsorted(time_ns, t1_ns, "right")) + 2, len(time_ns))
    else:
        first, last = 0, len(time_ns)
    found = _of_rows(rows[first:last], time_ns[first:last])
    if clock == "server" or (ordered and first > 0):
        return found if ordered else _in_order([found])
    older = [_of_buckets(held, width_ns(level), clock) for level in reversed(range(LEVELS)) if len(held := block.levels.of(level, slot))]
    parts = [part for kind in zip(*older, strict=True) for part in kind]
    return _in_order([*parts, found]) if parts or not ordered else found


def _of_rows(rows: Rows, time_ns: Times) -> Points:
    info = rows[:, INFO]
    quality = (info & 0xFF).astype(np.uint8)
    if (quality == FILLED).any():
        keep = quality != FILLED
        rows, time_ns, info, quality = rows[keep], time_ns[keep], info[keep], quality[keep]
    value = np.ascontiguousarray(rows[:, VALUE]).view(np.float64)
    return Points(time_ns, value, value, quality, info >> 8, rows[:, RECEIVE], np.zeros(len(rows), np.int64))


def _of_buckets(held: npt.NDArray[np.int64], width: int, clock: TimeKind) -> list[Points]:
    """Holes before the values of a bucket, the buckets, and holes after them, as points of their own."""
    begin, flags, ahead = held[:, EPOCH] * width, held[:, FLAGS] & 0xFF, held[:, FLAGS] >> 8
    low, high = (np.ascontiguousarray(held[:, word]).view(np.float64) for word in (LOW, HIGH))
    shown = begin + ahead if clock == "receive" else begin
    hole = np.where(flags & LOST, GAP, np.where(flags & BAD, Quality.BAD, Quality.GOOD)).astype(np.uint8)
    quality = np.where(flags & BAD, Quality.BAD, np.where(flags & UNCERTAIN, Quality.UNCERTAIN, Quality.GOOD)).astype(np.uint8)
    empty = np.isnan(low)
    before, after = (flags & BEFORE != 0) & ~empty, (flags & AFTER != 0) & ~empty
    all_ = Points(
        shown, low, high, np.where(empty, hole, quality), np.zeros(len(held), np.int64), begin + ahead, np.full(len(held), width, np.int64)
    )
    return [_holes(all_, hole, before, 0), all_, _holes(all_, hole, after, width - 1)]


def _holes(of: Points, quality: npt.NDArray[np.uint8], chosen: npt.NDArray[np.bool_], later_ns: int) -> Points:
    rows = np.flatnonzero(chosen)
    nothing = np.full(len(rows), np.nan)
    return Points(
        of.time_ns[rows] + later_ns, nothing, nothing, quality[rows], of.code[rows], of.receive_ns[rows] + later_ns, of.slack_ns[rows]
    )


def _in_order(parts: list[Points]) -> Points:
    """By time; of one time, in the order of the parts."""
    joined = Points._make(np.concatenate(columns) for columns in zip(*parts, strict=True))
    if not (np.diff(joined.time_ns) < 0).any():
        return joined
    order = np.argsort(joined.time_ns, kind="stable")
    return Points._make(column[order] for column in joined)


def drawn(points: Points, t0_ns: int, t1_ns: int, columns: int, why: Callable[[int, int, int], str]) -> Curve:
    """Thinned, with its spans; ``why`` gives the reason of a gap from its code, its receive time and how exactly that is known."""
    return Curve(*thin(points.time_ns, points.low, points.high, t0_ns, t1_ns, columns), _spans(points, t0_ns, t1_ns, why))


def _spans(points: Points, t0_ns: int, t1_ns: int, why: Callable[[int, int, int], str]) -> list[Span]:
    quality = points.quality
    if not quality.any():
        return []
    begins = np.flatnonzero(np.diff(quality, prepend=quality[0] + 1) != 0)
    time_ns = points.time_ns[begins]
    ends_ns = np.append(time_ns[1:], 2**62)
    chosen = np.flatnonzero((quality[begins] > 0) & (ends_ns >= t0_ns) & (time_ns <= t1_ns))
    if len(chosen) > SPANS:
        chosen = np.sort(chosen[np.argsort((ends_ns - time_ns)[chosen])[-SPANS:]])
    spans = []
    for place in chosen.tolist():
        row = int(begins[place])
        kind, code = _KINDS[int(quality[row])], int(points.code[row])
        reason = why(code, int(points.receive_ns[row]), int(points.slack_ns[row])) if kind == "gap" else ""
        end_ns = int(ends_ns[place]) if place + 1 < len(begins) else None
        spans.append(Span(int(time_ns[place]), end_ns, kind, reason, 0 if kind == "gap" else code))
    return spans
