"""Ring buffers: what is kept, what is not, and that it is bounded."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.model.columns import SampleColumns
from app.model.values import Quality, Sample, Value
from app.samples.history import FIRST_ROWS, GAP, History, TimeKind


def columns(*rows: tuple[int, Value, int], kind: str = "float64", quality: Quality = Quality.GOOD, source: bool = True) -> SampleColumns:
    """(handle, value, time)."""
    return SampleColumns.of(
        [(handle, Sample(value, kind, quality, 0, time if source else None, time + 1, time + 2)) for handle, value, time in rows]
    )


CLOCKS: tuple[TimeKind, ...] = ("source", "server", "receive")
TAGS = {1: "a", 2: "b", 3: "c"}
batches = st.lists(st.lists(st.integers(1, 4), max_size=60), max_size=60)


@given(batches, st.integers(FIRST_ROWS, FIRST_ROWS + 50))
def test_that_each_tag_keeps_its_newest_rows_in_order(batches: list[list[int]], limit: int) -> None:
    history, expected, number = History(rows_per_tag=limit), dict[str, list[float]](), 0
    for batch in batches:
        rows = []
        for handle in batch:
            number += 1
            rows.append((handle, float(number), number))
            if handle in TAGS:
                expected.setdefault(TAGS[handle], []).append(float(number))
        history.append(TAGS, columns(*rows))
    for tag in TAGS.values():
        kept = expected.get(tag, [])[-limit:]
        series = history.series(tag)
        assert series.value.tolist() == kept
        assert series.time_ns.tolist() == [int(value) for value in kept]
        assert set(series.quality.tolist()) <= {Quality.GOOD}


def test_that_long_running_stays_within_its_rows_and_keeps_the_newest() -> None:
    history = History(rows_per_tag=1_000)
    for start in range(0, 200_000, 5_000):
        history.append(TAGS, columns(*((1, float(number), number) for number in range(start, start + 5_000))))
    assert history.series("a").value.tolist() == [float(number) for number in range(199_000, 200_000)]


def test_that_all_rings_together_stay_within_the_total() -> None:
    tags = {handle: f"t{handle}" for handle in range(1, 21)}
    history = History(rows_per_tag=4_000, total_rows=20_000)
    for start in range(0, 20_000, 1_000):
        for handle in tags:
            history.append(tags, columns(*((handle, float(number), number) for number in range(start, start + 1_000))))
    history.append(TAGS, columns((1, 0.0, 1)))
    assert sum(ring.capacity for ring in history._rings.values()) <= 20_000 + 20 * FIRST_ROWS
    assert all(history.series(tag).value[-1] == 19_999 for tag in list(tags.values())[1:])


def test_that_the_time_asked_for_is_given_and_the_receive_time_where_there_is_none() -> None:
    history = History()
    history.append(TAGS, columns((1, 1.0, 100)))
    history.append(TAGS, columns((2, 1.0, 100), source=False))
    assert [history.series("a", clock).time_ns.tolist() for clock in ("source", "server", "receive")] == [[100], [101], [102]]
    assert history.series("b", "source").time_ns.tolist() == [102]


def test_that_text_is_left_out_and_whole_numbers_bools_and_bad_rows_are_kept() -> None:
    history = History()
    history.append(TAGS, columns((1, "text", 1), kind="string"))
    history.append(TAGS, columns((1, True, 2), kind="bool"))
    history.append(TAGS, columns((1, 2**63, 3), kind="uint64"))
    history.append(TAGS, columns((1, None, 4), quality=Quality.BAD))
    series = history.series("a")
    assert series.time_ns.tolist() == [2, 3, 4]
    assert series.value[:2].tolist() == [1.0, float(2**63)]
    assert np.isnan(series.value[2])
    assert series.quality.tolist() == [0, 0, Quality.BAD]


def test_that_a_gap_is_a_row_of_its_own_and_needs_samples_before_it() -> None:
    history = History()
    history.gap("a", 5)
    assert len(history.series("a").value) == 0
    history.append(TAGS, columns((1, 1.0, 1)))
    history.gap("a", 5)
    history.append(TAGS, columns((1, 2.0, 9)))
    assert history.series("a").quality.tolist() == [0, GAP, 0]
    assert history.series("a", "receive").time_ns.tolist() == [3, 5, 11]
    assert np.isnan(history.series("a").value[1])


def test_that_a_gap_stays_where_it_happened_when_the_source_has_another_idea_of_the_time() -> None:
    hours = 7_200 * 10**9
    for offset in (hours, -hours):
        history = History()
        for second in (1, 2, 5, 6):
            time = second * 10**9
            row = Sample(float(second), "float64", Quality.GOOD, 0, hours * 2 + time + offset, None, hours * 2 + time)
            history.append(TAGS, SampleColumns.of([(1, row)]))
            if second == 2:
                history.gap("a", hours * 2 + 3 * 10**9)
        for clock in CLOCKS:
            _, low, _ = history.decimated("a", 0, hours * 4, 10**6, clock)
            assert np.isnan(low).tolist() == [False, False, True, False, False]


def test_that_a_forgotten_tag_has_nothing_and_begins_anew() -> None:
    history = History()
    history.append(TAGS, columns((1, 1.0, 1), (2, 5.0, 1)))
    history.forget("a")
    history.append(TAGS, columns((1, 2.0, 2)))
    for _ in range(40):  # enough batches to be sorted into the rings
        history.append(TAGS, columns((2, 6.0, 3)))
    assert history.series("a").value.tolist() == [2.0]
    assert history.series("b").value[0] == 5.0
    assert set(history.tags()) == {"a", "b"}


def test_that_decimated_reads_the_series() -> None:
    history = History()
    history.append(TAGS, columns(*((1, float(number), number * 10) for number in range(100))))
    times, low, high = history.decimated("a", 0, 1_000, 10)
    assert (low[0], high[0], len(times)) == (0.0, 9.0, 10)


def test_that_thousands_of_tags_are_sorted_in_little_by_little_and_nothing_is_missing_meanwhile() -> None:
    tags = {handle: f"t{handle}" for handle in range(1, 3_501)}
    history = History()
    for number in range(1, 61):
        history.append(tags, columns(*((handle, float(number), number) for handle in tags)))
        for tag in ("t1", "t1700", "t3500"):
            assert history.series(tag).value.tolist() == [float(value) for value in range(1, number + 1)]
