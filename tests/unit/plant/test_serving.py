from datetime import UTC, datetime, timedelta

import pytest

from app.plant.serving import MAX_REPLAY_S, Pace, parse_options

EPOCH = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def test_that_a_server_that_starts_later_shows_the_same_line() -> None:
    early, late = Pace(1, EPOCH, EPOCH), Pace(1, EPOCH, at(42.0))
    for tenth in range(1, 425):
        early.advance(at(tenth / 10))
    late.advance(at(42.4))
    assert early.line.steps == late.line.steps
    assert early.line.filler1.fills_ml == late.line.filler1.fills_ml
    assert early.line.meter.imported_kwh == late.line.meter.imported_kwh


def test_that_steps_follow_the_clock() -> None:
    pace = Pace(1, EPOCH, EPOCH)
    assert pace.advance(at(0.05)) == 0
    assert pace.wait_s(at(0.05)) == pytest.approx(0.05)
    assert pace.advance(at(1.02)) == 10
    assert pace.line.now == at(1.0)


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_that_a_clock_that_jumps_moves_the_time_of_day_and_not_the_line(jump_s: float) -> None:
    pace = Pace(1, EPOCH, at(30.0))
    bottles = pace.line.filler1.bottles
    steps = pace.line.steps
    assert pace.advance(at(30.1 + jump_s)) <= 1
    assert pace.line.steps - steps <= 1
    assert pace.line.filler1.bottles - bottles <= 1
    assert abs((pace.line.now - at(30.1 + jump_s)).total_seconds()) <= 0.11
    assert pace.advance(at(31.1 + jump_s)) in {9, 10, 11}


def test_that_after_a_long_absence_the_line_starts_afresh() -> None:
    pace = Pace(1, EPOCH, at(MAX_REPLAY_S + 60.0))
    assert pace.line.steps == 0
    assert pace.line.now == at(MAX_REPLAY_S + 60.0)


def test_that_the_command_line_names_port_seed_and_epoch() -> None:
    options = parse_options("title", ["--port", "4840", "--seed", "9", "--epoch", "1000000000.27", "--with-parent"])
    assert (options.port, options.seed, options.with_parent) == (4840, 9, True)
    assert options.epoch == datetime.fromtimestamp(1_000_000_000.2, UTC)
    assert parse_options("title", []).port == 0
