from __future__ import annotations

from app.drivers.modbus.in_flight import MOST, PROVEN, STEP, Window


def answered(window: Window, taken_s: float, count: int = STEP) -> None:
    for _ in range(count):
        window.answered(window.limit, taken_s)


def test_that_it_begins_with_one_and_is_doubled_as_long_as_that_pays() -> None:
    window, seen = Window(finding_out=True), []
    for _ in range(6):
        seen.append(window.limit)
        answered(window, 0.02)  # a network's time: the same however many are under way
    assert seen == [1, 2, 4, 8, 8, 8]
    assert window.limit == MOST
    assert not window.finding_out


def test_that_a_device_that_works_one_after_the_other_keeps_one() -> None:
    window = Window(finding_out=True)
    answered(window, 0.02)
    assert window.limit == 2
    answered(window, 0.04)
    assert (window.limit, window.finding_out, window.blamed) == (1, False, "")


def test_that_more_are_not_tried_when_replies_come_near_to_the_time_out() -> None:
    window = Window(finding_out=True, timeout_s=1.0)
    answered(window, 0.2)
    answered(window, 0.3)
    assert (window.limit, window.finding_out) == (1, False)


def test_that_replies_from_before_the_doubling_do_not_count_for_it() -> None:
    window = Window(finding_out=True)
    answered(window, 0.02)
    for _ in range(STEP):
        window.answered(1, 5.0)
    assert window.limit == 2


def test_that_a_second_unit_means_a_gateway() -> None:
    window = Window(finding_out=True)
    window.asks(3)
    answered(window, 0.02)
    window.asks(3)
    assert window.limit == 2
    window.asks(4)
    assert (window.limit, window.finding_out, window.blamed) == (1, False, "")
    by_hand = Window(4)
    for unit in (1, 2, 3):
        by_hand.asks(unit)
    assert by_hand.limit == 4


def test_that_a_device_that_shows_that_it_does_not_bear_it_is_at_one_for_good() -> None:
    window = Window(finding_out=True)
    answered(window, 0.02)
    window.blame("it answered out of turn")
    window.blame("another")
    answered(window, 0.02, 10 * STEP)
    assert (window.limit, window.blamed) == (1, "it answered out of turn")


def test_that_a_lost_connection_is_put_down_to_it_only_until_it_has_proved_to_work() -> None:
    young, old = Window(finding_out=True), Window(finding_out=True)
    for window in (young, old):
        answered(window, 0.02)
    young.lost("closed")
    assert (young.limit, young.blamed) == (1, "closed")
    answered(old, 0.02, PROVEN + STEP)
    old.lost("closed")
    assert (old.limit, old.blamed) == (1, "")
    answered(old, 0.02)
    assert old.limit == 2
