"""Find what moves: what the action moved comes first, what moves all the time last, what did not move not at all."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import EndpointError
from app.model.columns import SampleColumns
from app.model.values import Quality, Sample, Value
from app.runtime.movement import Movement, Observed
from app.runtime.observing import OBSERVED_ITEMS
from tests.unit.runtime.conftest import Bench, endpoint, tag

Make = Callable[..., Bench]
Signal = Callable[[float], Value]
"""Value at a time in seconds; the action is from 20 to 30."""

BEGIN_S, START_S, STOP_S, STEP_S = 0.0, 20.0, 30.0, 0.25


def sample(value: Value, type_: str, quality: Quality = Quality.GOOD) -> Sample:
    return Sample(value, type_, quality, 0, None, None, 1)


def type_of(value: Value) -> str:
    return {bool: "bool", int: "int64", float: "float64", str: "string", list: "float64[]"}.get(type(value), "struct")


def watched(signals: Mapping[str, Signal], *, all_samples: bool = True, end_s: float = STOP_S) -> Movement:
    """Run signals through a Movement, told at every step (as polling does) or when they change (as a subscription does)."""
    items = [Observed(name, name.upper()) for name in signals]
    movement = Movement(items, range(10, 10 + len(items)))
    told: dict[str, Value] = {}
    started = stopped = False
    for step in range(int((end_s - BEGIN_S) / STEP_S)):
        now_s = BEGIN_S + step * STEP_S
        if now_s >= START_S and not started:
            movement.mark_start(START_S)
            started = True
        if now_s > STOP_S and not stopped:
            movement.mark_stop(STOP_S)
            stopped = True
        rows = []
        for place, (name, signal) in enumerate(signals.items()):
            value = signal(now_s)
            if all_samples or name not in told or told[name] != value:
                rows.append((10 + place, sample(value, type_of(value))))
            told[name] = value
        movement.add(SampleColumns.of(rows), now_s)
    if not stopped:
        movement.mark_stop(STOP_S)
    return movement


def noise(seed: int, middle: float = 50.0, spread: float = 0.2) -> Signal:
    source = random.Random(seed)
    return lambda _: source.gauss(middle, spread)


def rounded(seed: int) -> Signal:
    drawn = noise(seed)
    return lambda now_s: round(float(str(drawn(now_s))), 1)


def noisy_array(seed: int) -> Signal:
    drawn = noise(seed)
    return lambda now_s: [drawn(now_s), 1.0]


def acted(before: Value, after: Value, at_s: float = 24.0) -> Signal:
    return lambda now_s: after if now_s >= at_s else before


def noisy(seed: int, spread: float, moves: Callable[[float], float]) -> Signal:
    drawn = noise(seed, 20.0, spread)

    def at(now_s: float) -> Value:
        value = drawn(now_s)
        assert isinstance(value, float)
        return value + moves(now_s)

    return at


ALWAYS: dict[str, Signal] = {
    "clock": lambda now_s: int(now_s),
    "seconds of a minute": lambda now_s: (int(now_s) + 35) % 60,
    "clock as text": lambda now_s: f"12:00:{int(now_s):02}",
    "cycle counter": lambda now_s: int(now_s / STEP_S) * 7 % 256,
    "heartbeat": lambda now_s: int(now_s / STEP_S) % 2 == 0,
    "sine": lambda now_s: 10 + 3 * math.sin(now_s * 2),
    "noise": noise(1),
    "fine noise": noise(2, 20.0, 0.001),
    "noise as array": noisy_array(3),
    "falling level": lambda now_s: 90 - now_s / 10,
}
MOVED: dict[str, Signal] = {
    "button": lambda now_s: 24 <= now_s < 25,
    "state": acted(2, 5),
    "text": acted("idle", "running"),
    "setpoint": acted(20.0, 25.0),
    "temperature": noisy(4, 0.05, lambda now_s: 5 * min(max(now_s - 22, 0) / 6, 1)),
    "noisy step": noisy(5, 0.2, lambda now_s: 10.0 if now_s > 24 else 0.0),
    "small step": noisy(6, 0.2, lambda now_s: 2.0 if now_s > 24 else 0.0),
    "flips": lambda now_s: now_s >= START_S and int(now_s / STEP_S) % 2 == 0,
    "busier": lambda now_s: int(now_s * 2) % 2 == 0 if START_S <= now_s < STOP_S else now_s > 5,
    "array": acted([1.0, 2.0], [1.0, 3.0]),
}
STILL: dict[str, Signal] = {
    "constant": lambda _: 7,
    "no number": lambda _: math.nan,
    "name": lambda _: "Filler1",
    "moved before": lambda now_s: now_s > 5,
    "moved after": lambda now_s: now_s > 30.5,
}


@pytest.mark.parametrize("all_samples", [True, False])
def test_that_what_the_action_moved_comes_first_and_clocks_counters_and_noise_last(all_samples: bool) -> None:
    signals = {**ALWAYS, **MOVED, **STILL}
    ranking = watched(signals, all_samples=all_samples, end_s=35.0).ranking()
    names = [one.address for one in ranking]
    assert set(names[: len(MOVED)]) == MOVED.keys()
    assert set(names[len(MOVED) :]) == ALWAYS.keys()
    assert [one.always for one in ranking] == [False] * len(MOVED) + [True] * len(ALWAYS)
    assert [one.score for one in ranking if not one.always] == sorted((one.score for one in ranking if not one.always), reverse=True)


@pytest.mark.parametrize("seed", range(25))
def test_that_noise_of_any_kind_is_not_taken_for_an_answer(seed: int) -> None:
    source = random.Random(seed)
    walked = 0.0

    def walk(_: float) -> Value:
        nonlocal walked
        walked += source.gauss(0, 1)
        return round(walked, 2)

    signals: dict[str, Signal] = {
        "gauss": noise(seed, source.uniform(-100, 100), source.uniform(0.001, 10)),
        "rounded": rounded(seed),
        "walk": walk,
        "button": MOVED["button"],
    }
    ranking = watched(signals).ranking()
    assert ranking[0].address == "button"
    assert [one.address for one in ranking if not one.always] == ["button"]


def test_that_each_row_says_from_what_to_what_and_how_often() -> None:
    signals = {"state": MOVED["state"], "text": MOVED["text"], "button": MOVED["button"], "clock": ALWAYS["clock"]}
    found = {one.address: one for one in watched(signals).ranking()}
    state, text, button, clock = (found[name] for name in signals)
    assert (state.name, state.first, state.last, state.changes, state.changes_before, state.amplitude) == ("STATE", 2, 5, 1, 0, 100.0)
    assert (text.first, text.last, text.amplitude) == ("idle", "running", 0.0)
    assert (button.first, button.last, button.changes) == (False, False, 2)
    assert isinstance(button.first, bool)
    assert (clock.first, clock.changes, clock.changes_before) == (19, 10, 19)
    assert clock.amplitude == pytest.approx(1.0, abs=0.1)


def test_that_of_quiet_items_the_last_digit_of_a_measurement_says_less_than_a_switch() -> None:
    ranking = watched({"digit": acted(20.01, 20.02), "switch": acted(0, 1)}).ranking()
    assert [one.address for one in ranking] == ["switch", "digit"]
    assert not any(one.always for one in ranking)


def test_that_a_level_that_fell_and_now_rises_is_an_answer() -> None:
    def level(now_s: float) -> Value:
        return 50 - now_s / 10 if now_s < 22 else 47.8 + (now_s - 22)

    assert [one.always for one in watched({"level": level}).ranking()] == [False]


def test_that_a_counter_that_begins_anew_is_still_one_that_always_counts() -> None:
    def parts(now_s: float) -> Value:
        return int(now_s) % 24 + (5000 if now_s < 24 else 0)

    assert [one.always for one in watched({"parts": parts}).ranking()] == [True]


def test_that_nothing_is_ranked_before_the_start_and_the_ranking_holds_after_the_stop() -> None:
    movement = Movement([Observed("a")], [1])
    movement.add(SampleColumns.of([(1, sample(0, "int32"))]), 1.0)
    movement.add(SampleColumns.of([(1, sample(1, "int32"))]), 2.0)
    assert movement.ranking() == []
    movement.mark_start(3.0)
    assert movement.ranking() == []
    movement.add(SampleColumns.of([(1, sample(2, "int32"))]), 4.0)
    movement.mark_stop(5.0)
    before = movement.ranking()
    movement.add(SampleColumns.of([(1, sample(9, "int32"))]), 6.0)
    assert movement.ranking() == before
    assert (before[0].first, before[0].last, before[0].changes, before[0].changes_before) == (1, 2, 1, 1)
    movement.mark_start(7.0)  # once more: what came between counts as before
    movement.add(SampleColumns.of([(1, sample(10, "int32"))]), 8.0)
    (again,) = movement.ranking()
    assert (again.first, again.last, again.changes, again.changes_before) == (9, 10, 1, 2)


def test_that_what_is_told_late_still_counts() -> None:
    movement = Movement([Observed("a")], [1], lag_s=1.0)
    movement.add(SampleColumns.of([(1, sample(0, "int32"))]), 1.0)
    movement.mark_start(2.0)
    movement.mark_stop(3.0)
    movement.add(SampleColumns.of([(1, sample(1, "int32"))]), 3.9)
    movement.add(SampleColumns.of([(1, sample(2, "int32"))]), 4.1)
    assert [(one.last, one.changes) for one in movement.ranking()] == [(1, 1)]


def test_that_bad_samples_and_first_ones_are_no_changes_and_several_in_one_batch_are() -> None:
    movement = Movement([Observed("a"), Observed("b"), Observed("late")], [1, 2, 3])
    movement.add(SampleColumns.of([(1, sample(5, "int32")), (2, sample("x", "string"))]), 1.0)
    movement.mark_start(2.0)
    bad = sample(None, "int32", Quality.BAD)
    rows = [(1, bad), (1, sample(6, "int32")), (1, sample(5, "int32")), (2, sample("x", "string")), (3, sample(8, "int32")), (99, bad)]
    mine = movement.add(SampleColumns.of(rows), 3.0)
    assert mine.tolist() == [True, True, True, True, True, False]
    assert [(one.address, one.changes) for one in movement.ranking()] == [("a", 2)]
    movement.add(SampleColumns.of([(3, sample(9, "int32")), (2, sample(4, "int32")), (2, sample("y", "string"))]), 4.0)
    found = {one.address: (one.first, one.last, one.changes) for one in movement.ranking()}
    assert found == {"a": (5, 5, 2), "late": (8, 9, 1), "b": ("x", "y", 2)}
    assert movement.known == 3


def test_that_paused_time_does_not_count() -> None:
    movement = Movement([Observed("a")], [1])
    movement.add(SampleColumns.of([(1, sample(0, "int32"))]), 0.0)
    movement.rest(2.0)
    movement.go_on(1002.0)
    assert movement.before_s(1005.0) == 5.0
    movement.mark_start(1005.0)
    assert movement.before_s(2000.0) == 5.0


plain = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.lists(st.floats(), max_size=2))


@given(st.lists(st.tuples(st.integers(0, 3), plain, st.sampled_from(Quality)), max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_that_whatever_comes_there_is_a_ranking_in_order(rows: list[tuple[int, Value, Quality]], start: int, stop: int) -> None:
    movement = Movement([Observed(str(number)) for number in range(3)], range(3))
    for step, (handle, value, quality) in enumerate(rows):
        if step == start:
            movement.mark_start(float(step))
        if step == stop:
            movement.mark_stop(float(step))
        movement.add(SampleColumns.of([(handle, sample(value, type_of(value), quality))]), float(step))
        ranking = movement.ranking()
        assert ranking == sorted(ranking, key=lambda one: (one.always, -one.score, one.address))
        assert all(math.isfinite(one.score) and one.changes > 0 for one in ranking)


# Over a connection


def test_that_observed_items_reach_their_movement_and_nothing_else(bench: Make) -> None:
    one = bench(endpoint(), tag("t", "v:1"))
    seen: list[SampleColumns] = []
    one.live.on_samples = lambda _, columns: seen.append(columns)
    one.live.want("table", ["t"])
    one.connect()
    one.until(lambda: one.is_live("t"))
    rows = sum(map(len, seen))
    token = one.live.observe("e", [Observed("count"), Observed("switch"), Observed("v:5"), Observed("refused")], 100)
    movement = one.live.movement(token)
    one.until(lambda: movement.known == 3 and movement.refused)
    assert movement.refused == {"refused": "BadNodeIdUnknown (0x80340000)"}
    one.until(lambda: movement.before_s(one.live._clock.monotonic_s()) > 1)
    movement.mark_start(one.live._clock.monotonic_s())
    one.live.wait(one.do("switch"), 5)
    one.until(lambda: len(movement.ranking()) > 1)
    assert [(found.address, found.always) for found in movement.ranking()] == [("switch", False), ("count", True)]
    assert sum(map(len, seen)) == rows  # "v:1" is sent once; nothing of the others came this way
    assert one.live.state("e").items == 1
    one.live.unobserve(token)
    one.live.unobserve(token)
    assert movement.ended == "it was ended"
    with pytest.raises(KeyError):
        one.live.movement(token)


def test_that_an_observation_pauses_with_all_reading_and_ends_with_the_connection(bench: Make) -> None:
    one = bench(endpoint())
    one.connect()
    token = one.live.observe("e", [Observed("count")], 100)
    movement = one.live.movement(token)
    one.until(lambda: movement.known == 1)
    one.live.pause(True)
    one.live.wait(one.live.details("e", ["x"]), 5)
    now = movement._known.number[0]
    for _ in range(10):
        one.live.wait(one.live.details("e", ["x"]), 5)
        one.live.idle(0.02)
    one.pump()
    assert movement._known.number[0] == now
    one.live.pause(False)
    one.until(lambda: movement._known.number[0] > now)
    one.do("lose")
    one.until(lambda: bool(movement.ended))
    assert movement.ended == "the cable was pulled"
    assert one.live.movement(token) is movement
    one.until(lambda: one.live.state("e").phase == "connected")
    after = movement._known.number[0]
    one.live.wait(one.live.details("e", ["x"]), 5)
    one.pump()
    assert movement._known.number[0] == after


def test_that_what_cannot_be_observed_says_why(bench: Make) -> None:
    one = bench(endpoint())
    with pytest.raises(EndpointError, match="there is no connection"):
        one.live.observe("e", [Observed("count")])
    one.connect()
    with pytest.raises(EndpointError, match="more than the 5,000"):
        one.live.observe("e", [Observed("count")] * (OBSERVED_ITEMS + 1))
