"""Ring buffers: what is kept, what is not, and that it is bounded."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model.columns import SampleColumns
from app.model.values import Quality, Sample, Value
from app.samples.decimate import decimate
from app.samples.history import BRIEF_ROWS, BUCKETS_PER_TAG, GAP, History, TimeKind
from app.samples.levels import LEVELS
from app.samples.points import Points


def columns(*rows: tuple[int, Value, int], kind: str = "float64", quality: Quality = Quality.GOOD, source: bool = True) -> SampleColumns:
    """(handle, value, time)."""
    return SampleColumns.of(
        [(handle, Sample(value, kind, quality, 0, time if source else None, time + 1, time + 2)) for handle, value, time in rows]
    )


CLOCKS: tuple[TimeKind, ...] = ("source", "server", "receive")
TAGS = {1: "a", 2: "b", 3: "c"}
batches = st.lists(st.lists(st.integers(1, 4), max_size=60), max_size=60)


@given(batches, st.integers(5, 80))
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
    for start in range(0, 40_000, 5_000):
        history.append(TAGS, columns(*((1, float(number), number) for number in range(start, start + 5_000))))
    assert history.series("a").value.tolist() == [float(number) for number in range(39_000, 40_000)]


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
    for number in range(1, 31):
        history.append(tags, columns(*((handle, float(number), number) for handle in tags)))
        history.tidy()
        for tag in ("t1", "t1700", "t3500"):
            assert history.series(tag).value.tolist() == [float(value) for value in range(1, number + 1)]


# Long spans: what left the ring

SECOND = 10**9
moments = st.lists(
    st.tuples(st.integers(0, 40_000), st.floats(-1e6, 1e6) | st.just(float("nan"))), min_size=1, max_size=300, unique_by=lambda row: row[0]
)


def same(one: Points, other: Points) -> bool:
    return all(np.array_equal(np.asarray(mine), np.asarray(its), equal_nan=True) for mine, its in zip(one, other, strict=True))


def fed(rows: list[tuple[int, float]], *, rows_per_tag: int, parts: int) -> History:
    """A history that got (second, value) rows in so many batches, in their order."""
    history = History(rows_per_tag=rows_per_tag)
    for part in np.array_split(np.arange(len(rows)), parts):
        history.append(TAGS, columns(*((1, rows[place][1], rows[place][0] * SECOND + 1) for place in part), quality=Quality.BAD))
        history._staging.settle(0)
    return history


@given(moments, st.integers(1, 20), st.integers(1, 30), st.booleans())
def test_that_lows_and_highs_are_those_of_all_samples_whatever_left_the_ring_and_whatever_came_late(
    rows: list[tuple[int, float]], limit: int, parts: int, in_order: bool
) -> None:
    rows = sorted(rows) if in_order else rows
    history = fed(rows, rows_per_tag=limit, parts=parts)
    width = 1024 * SECOND  # the widest bucket: where a plot's columns are as wide, nothing of the way to them may show
    time_ns = np.array([second * SECOND + 1 for second, _ in rows], np.int64)
    value = np.array([number for _, number in rows])
    span = 64 * width
    _, low, high = decimate(time_ns, value, 0, span, 64)
    times, drawn_low, drawn_high = history.decimated("a", 0, span, 64)
    expected = {(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True) if not np.isnan(a)}
    assert {(a, b) for a, b in zip(drawn_low.tolist(), drawn_high.tolist(), strict=True) if not np.isnan(a)} == expected
    assert (np.diff(times) >= 0).all()


@settings(max_examples=20)
@given(st.integers(1, 3), st.integers(2, 40), st.integers(30, 3_000), st.integers(1, 12))
def test_that_a_gap_stays_a_gap_however_long_ago(step: int, before: int, silent: int, limit: int) -> None:
    history = History(rows_per_tag=limit)
    history.append(TAGS, columns(*((1, 1.0, second * SECOND + 1) for second in range(0, before * step, step))))
    lost = (before - 1) * step
    history.gap("a", lost * SECOND + 2)
    back = lost + silent
    history.append(TAGS, columns(*((1, 2.0, second * SECOND + 1) for second in range(back, back + 200))))
    _, low, _ = history.decimated("a", 0, (back + 200) * SECOND, 10_000)
    values = low.tolist()
    first_after = values.index(2.0)
    assert np.isnan(values[first_after - 1])
    assert not np.isnan(values[first_after:]).any()


def test_that_a_day_stays_visible_in_the_same_bytes_and_its_spike_too() -> None:
    """Six hundred tags, so that most are kept briefly; of one a sample every two seconds."""
    tags = {handle: f"t{handle}" for handle in range(1, 601)}
    history = History()
    bytes_then = 0
    for start in range(0, 86_400, 1_200):
        rows = [(600, 99.0 if second == 4_000 else 1.0, second * SECOND + 1) for second in range(start, start + 1_200, 2)]
        history.append(tags, columns(*rows, *((handle, 1.0, start * SECOND + 1) for handle in tags)))
        bytes_then = bytes_then or history.bytes
    assert history.bytes == bytes_then
    usage = history.usage("t600")
    assert usage.rows == BRIEF_ROWS
    assert usage.span_s > 86_000
    assert usage.bytes < 35_000
    assert "24 h" in str(usage)
    _, _, high = history.decimated("t600", 0, 86_400 * SECOND, 1_000)
    assert np.nanmax(high) == 99.0


def test_that_reading_costs_the_same_however_much_came() -> None:
    """Counted in points, not timed: what is read is the ring and the levels, never the rows that came."""
    history = History(rows_per_tag=1_000)
    most = 1_000 + LEVELS * 3 * BUCKETS_PER_TAG
    for start in range(0, 60_000, 20_000):
        history.append(TAGS, columns(*((1, float(number), number * SECOND + 1) for number in range(start, start + 20_000))))
    assert len(history.points("a", 0, 60_000 * SECOND).time_ns) <= most
    live = history.points("a", 59_900 * SECOND, 60_000 * SECOND)
    assert len(live.time_ns) <= 110, "a window within the ring reads the window alone"


def test_that_more_tags_than_there_is_room_for_take_the_place_of_those_that_have_been_idle() -> None:
    history = History(total_bytes=40_000_000)
    room = 0
    for handle in range(1, 3_000):
        history.append({handle: f"t{handle}"}, columns((handle, 1.0, handle)))
        room = max(room, len(history.tags()))
    assert history.bytes <= 40_000_000
    assert room < 2_999
    late = 3_600 * SECOND
    kept = history.tags()[-1]
    history.append({5_000: kept}, columns((5_000, 1.0, late)))
    history._staging.settle(len(history._blocks) - 1)
    history.append({6_000: "new"}, columns((6_000, 7.0, late)))
    assert history.series("new").value.tolist() == [7.0]
    assert len(history.tags()) == room
    assert kept in history.tags()


def test_that_a_tag_that_is_looked_at_keeps_what_it_had_and_gets_more_room() -> None:
    tags = {handle: f"t{handle}" for handle in range(1, 401)}
    history = History()
    history.append(tags, columns(*((handle, 0.0, 1) for handle in tags)))
    for start in range(0, 2_000, 100):
        history.append(tags, columns(*((400, float(second), second * SECOND + 2) for second in range(start, start + 100))))
    before = history.points("t400", 0, 2_000 * SECOND)
    assert history.usage("t400").rows == BRIEF_ROWS
    history.keep_long(["t400", "nothing"])
    after = history.points("t400", 0, 2_000 * SECOND)
    assert same(before, after)
    for second in range(2_000, 3_000):
        history.append(tags, columns((400, float(second), second * SECOND + 2)))
    assert history.usage("t400").rows == BRIEF_ROWS + 1_000
    assert history.usage("t400").bytes > 200_000


# Why there is no good value


def test_that_spans_without_a_good_value_are_told_with_their_reasons() -> None:
    history = History()
    for second in range(10):
        history.append(TAGS, columns((1, 1.0, second * SECOND + 1)))
    history.gap("a", 10 * SECOND, "connection lost: the server closed the connection")
    for second in range(20, 25):
        history.append(TAGS, columns((1, None, second * SECOND + 1), quality=Quality.BAD))
    for second in range(25, 30):
        history.append(TAGS, columns((1, 2.0, second * SECOND + 1), quality=Quality.UNCERTAIN))
    history.append(TAGS, columns((1, 2.0, 30 * SECOND + 1)))
    history.gap("a", 31 * SECOND)
    spans = history.curve("a", 0, 40 * SECOND, 400).spans
    assert [(span.kind, span.begin_ns // SECOND, span.end_ns and span.end_ns // SECOND) for span in spans] == [
        ("gap", 9, 20), ("bad", 20, 25), ("uncertain", 25, 30), ("gap", 30, None),
    ]  # fmt: skip
    assert [span.why for span in spans] == ["connection lost: the server closed the connection", "", "", ""]
    history.explain(31 * SECOND, "connection lost: its process was ended by signal 9")
    assert history.curve("a", 0, 40 * SECOND, 400).spans[-1].why.endswith("signal 9")


def test_that_the_reason_of_a_gap_is_still_known_when_it_has_left_the_ring() -> None:
    history = History(rows_per_tag=10)
    for second in range(100):
        history.append(TAGS, columns((1, 1.0, second * SECOND + 1)))
        if second == 20:
            history.gap("a", 20 * SECOND + 5, "connection lost: pulled", final=True)
    (span,) = history.curve("a", 0, 100 * SECOND, 400).spans
    assert (span.kind, span.why) == ("gap", "connection lost: pulled")


def test_that_a_gap_that_the_queue_of_the_server_filled_is_none() -> None:
    history = History()
    for second in range(10):
        history.append(TAGS, columns((1, 1.0, second * SECOND + 1)))
    history.gap("a", 10 * SECOND, "connection lost: pulled")
    history.append(TAGS, columns((1, 9.0, 30 * SECOND + 1)))
    assert len(history.curve("a", 0, 40 * SECOND, 400).spans) == 1
    history.append(TAGS, columns(*((1, 5.0, second * SECOND + 1) for second in range(10, 30))))
    curve = history.curve("a", 0, 40 * SECOND, 400)
    assert curve.spans == []
    assert not np.isnan(curve.low).any()
    assert curve.low.tolist() == [1.0] * 10 + [5.0] * 20 + [9.0], "what came late stands where it belongs"


def test_that_one_value_from_the_middle_of_a_gap_does_not_fill_it() -> None:
    history = History()
    for second in range(10):
        history.append(TAGS, columns((1, 1.0, second * SECOND + 1)))
    history.gap("a", 10 * SECOND, "connection lost: pulled")
    history.append(TAGS, columns((1, 5.0, 25 * SECOND + 1), (1, 9.0, 30 * SECOND + 1)))
    (span,) = history.curve("a", 0, 40 * SECOND, 400).spans
    assert (span.begin_ns // SECOND, span.end_ns) == (9, 25 * SECOND + 1)


@settings(max_examples=25)
@given(st.lists(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 2_000)), max_size=30), max_size=12), st.integers(2, 8))
def test_that_batches_of_many_tags_give_each_the_same_as_if_it_had_come_alone(batches: list[list[tuple[int, int]]], limit: int) -> None:
    tags = {handle: f"t{handle}" for handle in range(1, 13)}
    together, alone = History(rows_per_tag=limit), {tag: History(rows_per_tag=limit) for tag in tags.values()}
    for batch in batches:
        rows = [(handle, float(second), second * SECOND + handle) for handle, second in batch]
        together.append(tags, columns(*rows))
        for row in rows:
            alone[tags[row[0]]].append(tags, columns(row))
    for tag, history in alone.items():
        mine, other = together.points(tag, 0, 3_000 * SECOND), history.points(tag, 0, 3_000 * SECOND)
        assert same(mine, other)


def test_that_what_is_lost_for_good_stays_a_gap_though_the_next_sample_comes_at_once() -> None:
    for final in (True, False):
        history = History()
        for second in range(20):
            history.append(TAGS, columns((1, 1.0, second * SECOND + 1)))
            if second == 9:
                history.gap("a", 9 * SECOND + 5, "samples missing: the queue was too short", final=final)
        assert len(history.curve("a", 0, 40 * SECOND, 400).spans) == final
