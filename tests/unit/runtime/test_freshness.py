"""Stale: judged by elapsed time alone. Fake clocks jump and sleep here."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from app.drivers.base import EndpointReport, ItemState
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Project, ProjectInfo
from app.model.values import Quality, Sample
from app.runtime import freshness
from app.runtime.inbox import PhaseIn
from app.runtime.watched import WatchedEndpoint
from tests.unit.runtime.conftest import SimSpec


@dataclass
class FakeClock:
    """``sleep`` is what a laptop does: both times go on, nobody runs."""

    wall: int = 1_700_000_000_000_000_000
    elapsed: float = 5_000.0

    def wall_ns(self) -> int:
        return self.wall

    def monotonic_s(self) -> float:
        return self.elapsed

    def pass_s(self, seconds: float) -> None:
        self.wall += int(seconds * 1e9)
        self.elapsed += seconds


DAY_NS = 86_400 * 10**9


class Scene:
    """One endpoint with one tag ``t`` of a 1 s group, watched, with a first value."""

    def __init__(self, *, polls: bool = False, interval_ms: int = 1000) -> None:
        self.clock = FakeClock()
        group = Group(id="g", name="g", interval_ms=interval_ms)
        tag = Tag(id="t", endpoint="e", address="v:1", name="t", group="g")
        self.project = Project(ProjectInfo(id="p"), [Endpoint(id="e", name="E", addresses={}), group, tag])
        self.watched = WatchedEndpoint("e", self.clock, itertools.count(1))
        self.watched.spec = SimSpec(polls=polls)
        self.connect()
        (item,) = self.watched.adopt(self.project, ["t"]).add
        self.handle = item.handle
        self.value(1.0)

    def connect(self) -> None:
        report = EndpointReport(title="T", url="u")
        self.watched.on_alive(self.clock.elapsed, 0.0)
        self.watched.on_phase(PhaseIn(1, "connected", None, None, report, self.clock.elapsed))

    def value(self, number: float | None, quality: Quality = Quality.GOOD) -> None:
        sample = Sample(number, "float64", quality, 0, None, None, self.clock.wall)
        self.watched.on_samples(SampleColumns.of([(self.handle, sample)]), self.clock.elapsed)

    def alive(self, round_trip_s: float = 0.0) -> None:
        self.watched.on_alive(self.clock.elapsed, round_trip_s)

    def stale(self) -> bool:
        self.watched.judge()
        return self.watched.reading("t", "").stale


def test_that_silence_is_allowed_for_three_seconds_and_two_round_trips() -> None:
    assert freshness.silence_allowed_s(0.0) == 3.0
    assert freshness.silence_allowed_s(0.6) == pytest.approx(4.2)
    assert not freshness.is_silent(10.0, 7.0, 0.0)
    assert freshness.is_silent(10.01, 7.0, 0.0)


def test_that_three_missed_polls_are_overdue_and_fewer_are_not() -> None:
    ages, intervals = np.array([2.9, 3.0, 3.4, 0.4, 0.6]), np.array([1000.0, 1000, 1000, 100, 100])
    assert freshness.poll_overdue(ages, intervals).tolist() == [False, False, True, False, True]


def test_that_silence_makes_stale_and_a_sign_of_life_mends_it() -> None:
    scene = Scene()
    scene.clock.pass_s(2.9)
    assert not scene.stale()
    scene.clock.pass_s(0.2)
    assert scene.stale()
    scene.alive()
    assert not scene.stale()


def test_that_samples_are_a_sign_of_life_but_for_those_that_say_nothing_answered() -> None:
    scene = Scene()
    scene.clock.pass_s(2)
    scene.value(None, Quality.BAD)
    scene.clock.pass_s(1.5)
    assert scene.stale()
    scene.value(1.0, Quality.UNCERTAIN)
    assert not scene.stale()


def test_that_a_slow_link_is_given_the_time_it_needs() -> None:
    scene = Scene()
    scene.alive(round_trip_s=1.2)
    scene.clock.pass_s(5.3)
    assert not scene.stale()
    scene.clock.pass_s(0.2)
    assert scene.stale()


def test_that_a_value_that_merely_does_not_change_stays_live_for_hours_and_says_so() -> None:
    scene = Scene()
    for _ in range(3 * 3600):
        scene.clock.pass_s(1.0)
        scene.alive()
    assert not scene.stale()
    reading = scene.watched.reading("t", "")
    assert reading.unchanged_s == pytest.approx(3 * 3600)


def test_that_repeated_equal_values_count_as_unchanged_and_a_new_one_does_not() -> None:
    scene = Scene()
    scene.clock.pass_s(2)
    scene.value(1.0)
    assert (scene.watched.reading("t", "").age_s, scene.watched.reading("t", "").unchanged_s) == (0, 2)
    scene.clock.pass_s(1)
    scene.value(2.0)
    assert scene.watched.reading("t", "").unchanged_s == 0


def test_that_a_polled_value_that_is_not_refreshed_is_stale_though_the_device_lives() -> None:
    scene = Scene(polls=True)
    for _ in range(3):
        scene.clock.pass_s(1)
        scene.alive()
        assert not scene.stale()
    scene.clock.pass_s(0.5)
    scene.alive()
    assert scene.stale()
    assert scene.watched.missed == {"t"}  # its curve is interrupted here, once
    assert scene.stale()
    assert not scene.watched.missed
    scene.value(1.0)
    assert not scene.stale()


def test_that_the_granted_interval_counts_and_not_the_wanted_one() -> None:
    scene = Scene(polls=True, interval_ms=100)
    scene.watched.on_items([ItemState(handle=scene.handle, interval_ms=2000.0)])
    scene.clock.pass_s(5)
    scene.alive()
    assert not scene.stale()


@pytest.mark.parametrize("jump_ns", [DAY_NS, -DAY_NS])
def test_that_a_wall_clock_that_jumps_changes_nothing(jump_ns: int) -> None:
    scene = Scene(polls=True)
    scene.clock.wall += jump_ns
    assert not scene.stale()
    assert scene.watched.reading("t", "").age_s == 0
    scene.clock.pass_s(3.5)
    assert scene.stale()
    assert scene.watched.reading("t", "").age_s == 3.5


def test_that_after_sleep_everything_is_stale_until_it_came_again() -> None:
    scene = Scene()
    scene.clock.pass_s(7200)
    assert scene.stale()
    assert scene.watched.reading("t", "").age_s == 7200
    scene.value(2.0)
    assert not scene.stale()


def test_that_a_known_loss_is_stale_at_once_and_the_old_value_stays_so_after_the_return() -> None:
    scene = Scene()
    scene.watched.on_phase(PhaseIn(1, "waiting", None, None, None, scene.clock.elapsed))
    assert scene.stale()
    scene.clock.pass_s(1)
    scene.connect()
    assert scene.stale()
    assert not scene.watched.state.stale
    scene.value(1.0)
    assert not scene.stale()


def test_that_a_change_of_freshness_names_the_tags_to_repaint() -> None:
    scene = Scene()
    assert scene.watched.judge() == (False, set())
    scene.clock.pass_s(1.0)
    assert scene.watched.judge()[1] == set()
    scene.clock.pass_s(2.5)
    changed, tags = scene.watched.judge()
    assert (changed, tags) == (True, {"t"})
    assert scene.watched.judge() == (False, set())
