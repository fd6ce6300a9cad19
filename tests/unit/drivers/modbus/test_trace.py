from __future__ import annotations

from app.drivers.base import Exchange
from app.drivers.modbus.trace import MOST_AT_ONCE, MOST_WAITING, Recorder


def exchange(number: int) -> Exchange:
    return Exchange(at_ns=number, sent=True, size=8, text="Read holding 1 of unit 1")


def test_that_exchanges_come_in_order_and_what_is_too_much_is_counted() -> None:
    recorder = Recorder()
    assert recorder.take() is None
    for number in range(MOST_WAITING + 3):
        recorder.add(exchange(number))
    seen: list[int] = []
    dropped = 0
    while (traffic := recorder.take()) is not None:
        assert len(traffic.exchanges) <= MOST_AT_ONCE
        seen += [one.at_ns for one in traffic.exchanges]
        dropped += traffic.dropped
    assert seen == list(range(MOST_WAITING))
    assert dropped == 3


def test_that_what_was_recorded_is_forgotten_when_nobody_wants_to_know() -> None:
    recorder = Recorder()
    recorder.add(exchange(1))
    recorder.clear()
    assert recorder.take() is None
