"""Wide values from a device that is read while it changes them: what it never had is never delivered, what it had is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.drivers.base import Ended, EndpointConfig, Item, WatchItem
from app.drivers.modbus.session import ModbusSession
from app.drivers.modbus.spec import TORN_VALUE
from app.model.columns import SampleColumns
from app.model.values import Quality, Sample
from tests.peers.modbus_fake import FakeDevice, Request, fake_device
from tests.peers.modbus_tearing import TearingDevice, WideValue


def values(each: int = 2) -> list[WideValue]:
    """Every wide type in every order: whole numbers that pass a word's end every few replies, and floats that pass one now and then."""
    found: list[WideValue] = []
    address = 0
    for type_, start, step, size in (
        ("int32", -200_000, 9_000, 2),
        ("uint32", 2**31, -9_000, 2),
        ("int64", -(2**32) - 400_000, 9_000, 4),
        ("uint64", 2**33 - 400_000, 9_000, 4),
        ("float32", 1.9, 0.0003, 2),
        ("float64", 1.9999, 5e-13, 4),
    ):
        for order in ("ABCD", "CDAB", "BADC", "DCBA") * each:
            found.append(WideValue(address, type_, order, start + 10 * step * len(found), step))
            address += size
    return found


@asynccontextmanager
async def connected(device: FakeDevice, **settings: bool | float) -> AsyncIterator[ModbusSession]:
    config = EndpointConfig(name="m", url=f"modbus://127.0.0.1:{device.port}", settings={"ask_identity": False, **settings})
    session = ModbusSession(config)
    try:
        await session.open(5)
        yield session
    finally:
        await session.close()


async def polled(session: ModbusSession, items: list[WideValue], count: int) -> list[tuple[WideValue, Sample]]:
    await session.set_watch(
        [WatchItem(handle=n, address=f"holding:{item.address}:{item.type}:{item.order}", interval_ms=10) for n, item in enumerate(items)],
        [],
    )
    seen: list[tuple[WideValue, Sample]] = []
    async with asyncio.timeout(60):
        async for event in session.events():
            assert not isinstance(event, Ended), event.why
            if isinstance(event, SampleColumns):
                seen += [(items[handle], sample) for handle, sample in event.samples()]
            if len(seen) >= count * len(items):
                return seen
    raise AssertionError


def wrong(seen: list[tuple[WideValue, Sample]]) -> list[tuple[str, str, object]]:
    return [
        (item.type, item.order, sample.value) for item, sample in seen if sample.quality is Quality.GOOD and not item.has_been(sample.value)
    ]


@pytest.mark.parametrize("seed", [3, 5])
async def test_that_a_torn_value_is_never_delivered(seed: int) -> None:
    items = values()
    device = TearingDevice(items, seed)
    async with fake_device(device.answer) as fake, connected(fake) as session:
        seen = await polled(session, items, 100)
    assert device.torn > 200
    assert wrong(seen) == []
    assert sum(sample.quality is Quality.GOOD for _, sample in seen) > 0.98 * len(seen)
    assert {sample.status for _, sample in seen} <= {0, TORN_VALUE}


async def test_that_torn_values_are_delivered_when_nobody_looks_so_that_the_test_before_shows_something() -> None:
    items = values()
    device = TearingDevice(items, seed=1)
    async with fake_device(device.answer) as fake, connected(fake, confirm=False) as session:
        seen = await polled(session, items, 30)
    assert len(wrong(seen)) > 20


async def test_that_an_honest_jump_is_delivered_within_its_poll_and_costs_one_request() -> None:
    items = values()
    device = TearingDevice(items, seed=3, tear=0.0, jump=0.05)
    async with fake_device(device.answer) as fake, connected(fake) as session:
        seen = await polled(session, items, 60)
        polls = [request for request in fake.requests if request.length > 1]
    assert wrong(seen) == []
    assert {sample.status for _, sample in seen} == {0}
    assert len(polls) < 2.6 * len(seen) / len(items) * 2  # two blocks; nearly every poll has a jump, and a jump may come between two reads


async def test_that_values_that_move_slowly_are_read_once() -> None:
    items = values()
    device = TearingDevice(items, seed=4, tear=0.0, jump=0.0)
    async with fake_device(device.answer) as fake, connected(fake) as session:
        seen = await polled(session, items, 40)
        blocks = len({request.address for request in fake.requests[1:]})
        polls = len([request for request in fake.requests if request.length > 1])
    assert {sample.status for _, sample in seen} == {0}
    assert polls <= len(seen) / len(items) * blocks + 2 * blocks  # the first poll is read twice, and one more may have begun


async def test_that_a_persons_single_read_of_a_wide_value_is_confirmed_too() -> None:
    item = WideValue(0, "int32", "ABCD", 65_000, 9_000)
    device = TearingDevice([item], seed=5, tear=0.5, jump=0.0)
    async with fake_device(device.answer) as fake, connected(fake) as session:
        for _ in range(150):
            sample = (await session.read([Item(address="holding:0:int32")])).sample(0)
            assert sample.status == TORN_VALUE or item.has_been(sample.value)
    assert device.torn > 10


async def test_that_a_value_that_no_two_reads_agree_on_is_withheld_and_a_fast_counter_is_not() -> None:
    wild = WideValue(0, "int32", "ABCD", 0, 0)
    fast = WideValue(2, "uint32", "CDAB", 0, 200_000)
    device = TearingDevice([wild, fast], seed=6, tear=0.0, jump=0.0)
    turn = 0

    async def answer(request: Request) -> bytes:
        nonlocal turn
        turn += 1
        wild.step = 500_000 if turn % 2 else -500_000
        return await device.answer(request)

    async with fake_device(answer) as fake, connected(fake) as session:
        seen = await polled(session, [wild, fast], 10)
    assert {(sample.quality, sample.status, sample.value) for item, sample in seen if item is wild} == {(Quality.BAD, TORN_VALUE, None)}
    assert {sample.status for item, sample in seen if item is fast} == {0}
    assert wrong(seen) == []


@pytest.mark.prove("modbus-torn")
async def test_that_of_thousands_of_torn_values_none_is_delivered() -> None:
    torn = delivered = kept_back = 0
    for seed in range(30):
        items = values()
        device = TearingDevice(items, seed)
        async with fake_device(device.answer) as fake, connected(fake) as session:
            seen = await polled(session, items, 150)
        assert wrong(seen) == [], f"seed {seed}"
        torn, delivered = torn + device.torn, delivered + len(seen)
        kept_back += sum(sample.status == TORN_VALUE for _, sample in seen)
    print(f"{torn:,} torn readings of {delivered:,} delivered samples: 0 delivered torn, {kept_back} withheld")  # noqa: T201  the proof
    assert torn > 8_000
    assert kept_back < delivered / 1000
