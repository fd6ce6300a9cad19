"""The inbox: bounded, in order, and only samples are ever dropped."""

from __future__ import annotations

import time
from threading import Thread

import numpy as np
import pytest

from app.drivers.base import BrowseColumns
from app.errors import UserError
from app.model.columns import SampleColumns
from app.model.values import Quality, Sample
from app.runtime import inbox as inboxes
from app.runtime.inbox import LOG_ENTRIES, REPLY_ROWS, SURELY_ROWS, AliveIn, Arrival, GapIn, Inbox, SamplesIn
from app.runtime.state import LogEntry, Reply


def batch(rows: int, value: float = 0.0) -> SampleColumns:
    return SampleColumns.of([(1, Sample(value, "float64", Quality.GOOD, 0, None, None, 1))] * rows)


def test_that_what_comes_is_drained_once_and_in_order() -> None:
    inbox = Inbox()
    arrivals: list[Arrival] = [
        AliveIn(1, 0.0, 0.0),
        SamplesIn(1, batch(2), 0.0),
        Reply(1, UserError("a", where="b", why="c"), True),
        GapIn(1, (), 0),
    ]
    for arrival in arrivals:
        inbox.put(arrival)
    assert inbox.drain()[0] == arrivals
    assert inbox.drain() == ([], [])


def test_that_the_oldest_samples_give_way_and_leave_a_gap_where_they_were() -> None:
    inbox = Inbox(sample_rows=30)
    inbox.put(AliveIn(1, 0.0, 0.0))
    for number in range(5):
        inbox.put(SamplesIn(7, batch(10, number), 0.0))
        inbox.put(AliveIn(1, float(number), 0.0))
    kinds = [arrival if isinstance(arrival, GapIn) else type(arrival).__name__ for arrival in inbox.drain()[0]]
    gap = GapIn(7, (), 10)
    assert kinds == ["AliveIn", gap, "AliveIn", gap, "AliveIn", "SamplesIn", "AliveIn", "SamplesIn", "AliveIn", "SamplesIn", "AliveIn"]


def test_that_one_batch_larger_than_the_limit_is_kept() -> None:
    inbox = Inbox(sample_rows=5)
    inbox.put(SamplesIn(1, batch(10), 0.0))
    (arrival,) = inbox.drain()[0]
    assert isinstance(arrival, SamplesIn)


def test_that_replies_are_not_dropped_but_ask_the_links_to_wait() -> None:
    inbox = Inbox(sample_rows=1)
    names = ("x",) * REPLY_ROWS
    inbox.put(Reply(1, BrowseColumns(id=names), False))
    assert not inbox.has_room
    assert len(inbox.drain()[0]) == 1
    assert inbox.has_room


def test_that_the_link_whose_samples_wait_is_asked_to_wait_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inboxes, "LINK_ROWS", 100)
    inbox = Inbox()
    inbox.put(SamplesIn(1, batch(100), 0.0))
    inbox.put(SamplesIn(2, batch(10), 0.0))
    assert not inbox.has_room_for(1)
    assert inbox.has_room_for(2)
    inbox.drain()
    assert inbox.has_room_for(1)


def test_that_what_is_dropped_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inboxes, "LINK_ROWS", 100)
    inbox = Inbox(sample_rows=100)
    inbox.put(SamplesIn(1, batch(100), 0.0))
    inbox.put(SamplesIn(2, batch(10), 0.0))
    assert inbox.has_room_for(1)


def test_that_the_log_keeps_the_newest() -> None:
    inbox = Inbox()
    for number in range(LOG_ENTRIES + 5):
        inbox.log(LogEntry(number, "INFO", "x", "y"))
    logs = inbox.drain()[1]
    assert (len(logs), logs[-1].time_ns) == (LOG_ENTRIES, LOG_ENTRIES + 4)


def test_that_waiting_ends_when_something_comes() -> None:
    inbox = Inbox()
    begun = time.monotonic()
    inbox.wait(0.05)
    assert time.monotonic() - begun >= 0.05
    thread = Thread(target=inbox.put, args=(AliveIn(1, 0.0, 0.0),))
    thread.start()
    inbox.wait(5)
    thread.join()
    assert time.monotonic() - begun < 3


def test_that_many_threads_lose_nothing() -> None:
    inbox = Inbox(sample_rows=1_000)
    one = batch(1)

    def put() -> None:
        for _ in range(2_000):
            inbox.put(SamplesIn(1, one, 0.0))

    threads = [Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    counted = np.zeros(2, int)
    while any(thread.is_alive() for thread in threads):
        counted += tally(inbox)
    counted += tally(inbox)
    assert counted.sum() == 8_000


def tally(inbox: Inbox) -> tuple[int, int]:
    arrivals, _ = inbox.drain()
    return (
        sum(len(one.columns) for one in arrivals if isinstance(one, SamplesIn)),
        sum(one.dropped for one in arrivals if isinstance(one, GapIn)),
    )


def test_that_what_is_beyond_the_budget_waits_in_its_order_and_counts_for_the_limits() -> None:
    inbox, large = Inbox(sample_rows=5 * SURELY_ROWS), batch(SURELY_ROWS)
    for link in range(4):
        inbox.put(SamplesIn(link, large, 0.0))
    assert [arrival.link for arrival in inbox.taken(0.0) if isinstance(arrival, SamplesIn)] == [0]
    for link in range(4, 7):
        inbox.put(SamplesIn(link, large, 0.0))  # with the three that wait it is one too many
    left = inbox.drain()[0]
    assert [arrival.link for arrival in left if not isinstance(arrival, Reply)] == [1, 2, 3, 4, 5, 6]
    assert [type(arrival).__name__ for arrival in left] == ["GapIn", *["SamplesIn"] * 5]


def test_that_as_much_is_taken_as_a_busy_computer_needs_to_keep_up() -> None:
    inbox = Inbox()
    for _ in range(100):
        inbox.put(SamplesIn(1, batch(1), 0.0))
    assert 35 < len(list(inbox.taken(0.0))) < 45


def test_that_texts_count_for_more_work_than_numbers() -> None:
    inbox = Inbox()
    texts = SampleColumns.of([(1, Sample("text", "string", Quality.GOOD, 0, 1, 1, 1))] * 5_000)
    for columns in (batch(5_000), texts):
        for _ in range(9):
            inbox.put(SamplesIn(1, columns, 0.0))
        assert len(list(inbox.taken(0.0))) == (4 if columns is not texts else 1)
        inbox.drain()


def test_that_many_browsed_rows_are_handed_over_a_part_at_a_time() -> None:
    inbox = Inbox()
    one = BrowseColumns(id=("x",) * 1_000)
    for token in range(20):
        inbox.put(Reply(token, one, done=False))
    assert len(list(inbox.taken(60.0))) == 3
    assert len(list(inbox.taken())) == 17
    assert inbox.has_room
