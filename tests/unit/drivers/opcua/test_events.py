import asyncio

import pytest

from app.drivers.base import Alive, Ended, Exchange, Gap, Traffic
from app.drivers.opcua import events
from app.drivers.opcua.binary import DataValue
from app.drivers.opcua.events import EventQueue
from app.drivers.opcua.samples import PLAIN, sample_columns
from app.model.columns import SampleColumns


def samples(count: int) -> SampleColumns:
    return sample_columns([(0, DataValue(11, False, 1.0, 0, 0, 0), PLAIN)] * count, 1)


async def test_that_nothing_comes_after_the_end() -> None:
    queue = EventQueue()
    for event in (Alive(round_trip_s=1.0), Ended(why="gone"), Alive(), Ended(why="again")):
        queue.put(event)
    assert [event async for event in queue] == [Alive(round_trip_s=1.0), Ended(why="gone")]
    assert [event async for event in queue] == []


async def test_that_a_cancelled_wait_loses_nothing() -> None:
    queue = EventQueue()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await anext(queue)
    queue.put(Alive())
    assert await anext(queue) == Alive()


async def test_that_what_nobody_takes_is_dropped_and_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_ROWS", 10)
    queue = EventQueue()
    for count in (6, 4, 1):
        queue.put(samples(count))
    first, second = await anext(queue), await anext(queue)
    assert isinstance(first, SampleColumns)
    assert isinstance(second, SampleColumns)
    assert (len(first), len(second)) == (6, 4)
    queue.put(samples(3))
    gap, after = await anext(queue), await anext(queue)
    assert isinstance(gap, Gap)
    assert gap.handles == ()
    assert isinstance(after, SampleColumns)
    assert len(after) == 3


async def test_that_traffic_nobody_takes_is_counted_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_TRAFFIC", 2)
    queue = EventQueue()
    one = Exchange(at_ns=0, sent=True, size=1, text="ReadRequest")
    for dropped in (0, 0, 3, 0):
        queue.put(Traffic(exchanges=(one, one), dropped=dropped))
    assert [await anext(queue), await anext(queue)] == [Traffic(exchanges=(one, one))] * 2
    queue.put(Traffic(exchanges=(one,)))
    assert await anext(queue) == Traffic(exchanges=(one,), dropped=7)
