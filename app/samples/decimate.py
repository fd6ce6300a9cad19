"""Thins a series for a plot so that every spike stays visible and lines do not shimmer while they scroll."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Times: TypeAlias = "npt.NDArray[np.int64]"
Floats: TypeAlias = "npt.NDArray[np.float64]"
Thinned = tuple[Times, Floats, Floats]


def decimate(time_ns: Times, value: Floats, t0_ns: int, t1_ns: int, columns: int) -> Thinned:
    """Lowest and highest value per bucket.

    Buckets are as wide as one of ``columns`` and begin at multiples of their width since 1970, so a sample stays in its bucket
    when the window moves (at one zoom). One sample beyond each end of the window is kept, so that lines leave it.

    Where there are no more samples than two per column, each stands for itself.

    Args:
        time_ns: int64; need not be in order (source clocks jump), it is sorted here.
        value: float64; NaN is a hole.
        t0_ns: Begin of the window.
        t1_ns: End of the window, after ``t0_ns``.
        columns: Width of the plot in pixels.

    Returns:
        (time_ns, low, high), ordered; the time is that of the bucket's first sample. Between two rows with a hole between
        their samples stands a row of NaN.
    """
    if len(time_ns) > 1 and (np.diff(time_ns) < 0).any():
        order = np.argsort(time_ns, kind="stable")
        time_ns, value = time_ns[order], value[order]
    return thin(time_ns, value, value, t0_ns, t1_ns, columns)


def thin(time_ns: Times, low: Floats, high: Floats, t0_ns: int, t1_ns: int, columns: int) -> Thinned:
    """As ``decimate``, of what is in order and may have been thinned before: ``low`` and ``high`` are the same for a sample."""
    first = max(int(np.searchsorted(time_ns, t0_ns, "left")) - 1, 0)
    last = min(int(np.searchsorted(time_ns, t1_ns, "right")) + 1, len(time_ns))
    time_ns, low, high = time_ns[first:last], low[first:last], high[first:last]
    hole = np.isnan(low)
    holes_before = None
    if hole.any():
        number = ~hole
        holes_before = np.cumsum(hole)[number]
        time_ns, low, high = time_ns[number], low[number], high[number]
    if not len(low):
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    if len(low) <= 2 * columns:  # a low and a high for each column would be more
        starts, times = np.arange(len(low)), time_ns
    else:
        width_ns = max(1, -(-(t1_ns - t0_ns) // max(columns, 1)))
        buckets = time_ns // width_ns
        starts = np.flatnonzero(np.diff(buckets, prepend=buckets[0] - 1))
        low, high = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
        times = time_ns[starts]
    if holes_before is None:
        return times, low, high
    ends = np.append(starts[1:], len(time_ns)) - 1
    broken = np.flatnonzero(holes_before[ends[:-1]] != holes_before[starts[1:]]) + 1
    if len(broken):
        times = np.insert(times, broken, times[broken - 1] + (times[broken] - times[broken - 1]) // 2)
        low, high = np.insert(low, broken, np.nan), np.insert(high, broken, np.nan)
    return times, low, high
