"""When it is tried again, and how an outage reads in the log. Pure: times go in."""

from __future__ import annotations

from app.errors import EndpointError
from app.runtime.outage_log import REASONS, OutageLog
from app.runtime.patience import POLITE_AFTER_S, POLITE_S, SHORTEST_S, BackOff, LinkLimits
from app.runtime.state import LogLevel


def delays(times: list[float], lost_s: float = 0.0, *, slowly: bool = False) -> list[float]:
    """Of attempts that begin at these times and fail at once."""
    back_off = BackOff(LinkLimits(back_off_s=(0.1, 0.5, 2.0)))
    found = []
    for now_s in times:
        back_off.begin(now_s)
        found.append(back_off.next_s(now_s, lost_s, slowly=slowly))
    return found


def test_that_attempts_become_rarer_up_to_the_last_step_and_polite_after_minutes() -> None:
    assert delays([0, 1, 2, 3, 4]) == [0.1, 0.5, 2.0, 2.0, 2.0]
    assert delays([POLITE_AFTER_S + 1]) == [POLITE_S]
    assert delays([0, 1], slowly=True) == [POLITE_S, POLITE_S]


def test_that_the_time_an_attempt_took_counts_as_waiting() -> None:
    back_off = BackOff(LinkLimits(back_off_s=(2.0,)))
    back_off.begin(10.0)
    assert back_off.next_s(11.5, 10.0) == 0.5
    assert back_off.next_s(17.0, 10.0) == SHORTEST_S
    back_off.start_over()
    back_off.begin(20.0)
    assert back_off.next_s(20.0, 10.0) == 2.0


def test_that_a_clock_that_stood_still_or_jumped_never_makes_a_wait_longer_than_its_step() -> None:
    back_off = BackOff(LinkLimits(back_off_s=(2.0,)))
    back_off.begin(1_000_000.0)
    assert back_off.next_s(10.0, 10.0) == 2.0


class Told:
    def __init__(self) -> None:
        self.lines: list[tuple[LogLevel, str]] = []
        self.log = OutageLog(lambda level, text: self.lines.append((level, text)))

    def lost(self, why: str, now_s: float) -> None:
        self.log.lost(EndpointError("Lost", where="e", why=why), now_s)


def test_that_an_outage_is_one_warning_and_one_end_with_its_length() -> None:
    told = Told()
    told.log.connected("PLC", 1.0)
    told.lost("cable", 10.0)
    told.lost("refused", 11.0)
    told.lost("cable", 12.0)
    told.lost("refused", 13.0)
    told.log.connected("PLC", 14.5)
    told.log.settled()
    told.log.settled()
    assert told.lines == [
        ("INFO", "Connected: PLC"),
        ("WARNING", "Lost: cable"),
        ("INFO", "Lost: refused"),
        ("INFO", "Connected again after 4.5 s: PLC"),
    ]


def test_that_a_connection_that_flickers_is_one_outage() -> None:
    told = Told()
    told.lost("cable", 10.0)
    for second in range(11, 20):
        told.log.connected("PLC", second)
        told.lost("cable", second + 0.5)
    told.log.connected("PLC", 20.0)
    told.log.settled()
    assert told.lines == [("WARNING", "Lost: cable"), ("INFO", "Connected again after 10.0 s: PLC")]
    told.lost("cable", 30.0)
    assert told.lines[-1] == ("WARNING", "Lost: cable")


def test_that_reasons_without_end_are_not_told_without_end() -> None:
    told = Told()
    for number in range(100):
        told.lost(f"fault {number}", float(number))
    assert len(told.lines) == REASONS
