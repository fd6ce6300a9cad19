from __future__ import annotations

from app.drivers.modbus.poll_order import PollOrder


def anything(_: str) -> bool:
    return True


def test_that_units_get_the_same_time_of_the_line_however_slow_one_is() -> None:
    """Unit 9 takes 0.9 s for each of its blocks, unit 1 10 ms: of 10 s unit 1 gets half, as long as it has something to read."""
    order = PollOrder[str]()
    used = {1: 0.0, 9: 0.0}
    for number in range(20):
        order.add(9, 0.1, f"9 {number}")
    while used[1] + used[9] < 10:
        order.add(1, used[1] + used[9], "1")
        unit = int((order.next(anything) or "")[0])
        seconds = 0.9 if unit == 9 else 0.01
        used[unit] += seconds
        order.used(unit, seconds)
    assert abs(used[1] - used[9]) < 1


def test_that_a_unit_that_had_nothing_to_read_has_saved_up_nothing() -> None:
    order = PollOrder[str]()
    for _ in range(10):
        order.add(1, 0.0, "1")
        order.next(anything)
        order.used(1, 1.0)
    for _ in range(4):
        order.add(1, 0.0, "1")
        order.add(2, 0.0, "2")
    turns = []
    for _ in range(8):
        turns.append(order.next(anything))
        order.used(int(turns[-1] or 0), 1.0)
    assert turns.count("2") == 4
    assert turns[:6].count("2") <= 4
    assert order.next(anything) is None


def test_that_the_most_urgent_goes_first_but_for_one_that_must_wait_on_the_wire() -> None:
    order = PollOrder[str]()
    for due_s, job in ((3.0, "c"), (1.0, "a"), (2.0, "b"), (1.0, "a2")):
        order.add(1, due_s, job)
    assert len(order) == 4
    assert order.next(lambda job: job == "b") == "b"
    assert order.next(lambda job: False) == "a"
    assert [order.next(anything), order.next(anything), order.next(anything)] == ["a2", "c", None]
