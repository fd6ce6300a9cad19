"""Thinning: spikes stay, gaps stay, buckets do not move."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.samples.decimate import decimate

numbers = st.floats(-1e9, 1e9) | st.just(float("nan"))
series = st.lists(st.tuples(st.integers(0, 10_000), numbers), max_size=200)


@given(series, st.integers(0, 5_000), st.integers(1, 5_000), st.integers(1, 50))
def test_that_no_spike_in_the_window_is_lost_and_none_is_invented(rows: list[tuple[int, float]], t0: int, span: int, columns: int) -> None:
    time_ns = np.array([time for time, _ in rows], np.int64)
    value = np.array([number for _, number in rows], np.float64)
    times, low, high = decimate(time_ns, value, t0, t0 + span, columns)
    inside = value[(time_ns >= t0) & (time_ns <= t0 + span) & ~np.isnan(value)]
    assert (np.diff(times) >= 0).all()
    assert np.array_equal(np.isnan(low), np.isnan(high))
    assert set(low[~np.isnan(low)]) | set(high[~np.isnan(high)]) <= set(value)
    if len(inside):
        assert np.nanmax(high) >= inside.max()
        assert np.nanmin(low) <= inside.min()
    assert len(times) <= 2 * (columns + 4)
    assert not (np.isnan(low[1:]) & np.isnan(low[:-1])).any()


def test_that_buckets_stay_where_they_are_when_the_window_moves() -> None:
    time_ns = np.arange(0, 100_000, 7)
    value = np.random.default_rng(1).normal(size=len(time_ns))
    rows = [
        dict(zip(*(part.tolist() for part in decimate(time_ns, value, start, start + 10_000, 100)[:2]), strict=True))
        for start in (20_000, 20_310)
    ]
    inner = [time for time in rows[0] if 20_500 < time < 29_900]
    assert len(inner) > 80
    assert all(rows[1][time] == rows[0][time] for time in inner)


def test_that_a_hole_interrupts_the_line_between_buckets_and_not_within_one() -> None:
    time_ns = np.array([0, 10, 20, 30, 40])
    value = np.array([1.0, np.nan, 2.0, 3.0, 4.0])
    times, low, _ = decimate(time_ns, value, 0, 40, 4)
    assert np.isnan(low).tolist() == [False, True, False, False, False]
    assert times.tolist() == [0, 10, 20, 30, 40]
    _, low, high = decimate(time_ns, value, 0, 40, 1)
    assert (low[0], high[0]) == (1.0, 3.0)
    assert not np.isnan(low).any()


def test_that_a_hole_at_either_end_draws_nothing() -> None:
    times, low, _ = decimate(np.array([0, 10, 20]), np.array([np.nan, 1.0, np.nan]), 0, 20, 10)
    assert (times.tolist(), low.tolist()) == ([10], [1.0])
    assert len(decimate(np.array([5]), np.array([np.nan]), 0, 10, 10)[0]) == 0
    assert len(decimate(np.zeros(0, np.int64), np.zeros(0), 0, 10, 10)[0]) == 0


def test_that_one_sample_beyond_each_end_lets_the_line_leave_the_window() -> None:
    time_ns = np.arange(0, 1_000, 100)
    times, _, _ = decimate(time_ns, time_ns.astype(float), 350, 550, 20)
    assert times.tolist() == [300, 400, 500, 600]


def test_that_a_source_clock_that_goes_back_is_put_in_order() -> None:
    times, low, _ = decimate(np.array([30, 10, 20]), np.array([3.0, 1.0, 2.0]), 0, 40, 40)
    assert (times.tolist(), low.tolist()) == ([10, 20, 30], [1.0, 2.0, 3.0])
