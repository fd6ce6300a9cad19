"""Several requests in flight: tried with care, given up for good at the first sign of trouble, and never at the price of a wrong value."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from app.drivers.base import Ended, EndpointConfig, Event, Item, Learned, UnitSettings, WatchItem
from app.drivers.modbus.session import ModbusSession
from app.model.columns import SampleColumns
from app.model.values import Quality
from tests.peers.modbus_fake import Request, fake_device, frame, refusal, registers, right
from tests.peers.rtu_fake import RtuRequest, rtu_over_tcp
from tests.peers.rtu_fake import right as right_rtu

WIDTHS = range(1, 25)
"""Blocks of so many registers each, too far from each other to be joined."""


def items() -> list[WatchItem]:
    """The first and the last register of each block; every register holds its address."""
    places = [address for n in WIDTHS for address in {n * 200, n * 200 + n - 1}]
    return [WatchItem(handle=address, address=f"holding:{address}", interval_ms=10) for address in places]


def wide_gap() -> dict[str, int]:
    return {"gap": 60}


@asynccontextmanager
async def connected(
    url: str, units: Sequence[int] = (), learned: Learned | None = None, **settings: float | str
) -> AsyncIterator[ModbusSession]:
    config = EndpointConfig(
        name="m",
        url=url,
        settings={"ask_identity": False, **wide_gap(), **settings},
        units=tuple(UnitSettings(number=unit) for unit in units),
        learned=learned or Learned(),
    )
    session = ModbusSession(config)
    try:
        await session.open(5)
        yield session
    finally:
        await session.close()


class Device:
    """Answers in 5 ms; counts how many requests it had at once."""

    def __init__(self, answer: Callable[[Request, int], Awaitable[bytes | None]] | None = None, pause_s: float = 0.005) -> None:
        self._answer, self._pause_s = answer, pause_s
        self.now = self.most = 0
        self.idle = asyncio.Event()
        self.idle.set()

    async def forget(self) -> None:
        """After a session, once nothing of it is left."""
        await self.idle.wait()
        self.most = 0

    async def __call__(self, request: Request) -> bytes | None:
        self.now += 1
        self.most = max(self.most, self.now)
        self.idle.clear()
        try:
            await asyncio.sleep(self._pause_s)
            return right(request) if self._answer is None else await self._answer(request, self.now)
        finally:
            self.now -= 1
            if not self.now:
                self.idle.set()


async def watch(
    session: ModbusSession, until: Callable[[list[Event]], bool], add: Sequence[WatchItem] = (), timeout_s: float = 20
) -> list[Event]:
    """Everything that is told until then; every good value must be its own."""
    await session.set_watch(add or items(), [])
    told: list[Event] = []
    async with asyncio.timeout(timeout_s):
        async for event in session.events():
            if isinstance(event, SampleColumns):
                good = event.quality == Quality.GOOD
                assert (event.number[good] == event.handle[good]).all()
            told.append(event)
            if until(told) or isinstance(event, Ended):
                return told
    raise AssertionError


def samples(count: int) -> Callable[[list[Event]], bool]:
    return lambda told: sum(len(event) for event in told if isinstance(event, SampleColumns)) >= count


def learned(told: list[Event]) -> list[dict[str, int]]:
    return [event.limits for event in told if isinstance(event, Learned)]


async def test_that_a_device_that_bears_it_has_up_to_eight_requests_at_once_and_is_never_asked_twice_for_one_shape() -> None:
    shapes: set[int] = set()

    async def answer(request: Request, now: int) -> bytes:
        del now
        shapes.add(request.length)
        await asyncio.sleep(0.005)
        assert request.length in shapes, "two of one length at the same time"
        shapes.discard(request.length)
        return right(request)

    device = Device(answer)
    async with fake_device(device) as fake, connected(f"modbus://127.0.0.1:{fake.port}") as session:
        told = await watch(session, samples(400))
        assert (fake.requests[1].number, device.most) == (1, 8)
    assert learned(told) == []


async def test_that_it_begins_with_one() -> None:
    device = Device()
    async with fake_device(device) as fake, connected(f"modbus://127.0.0.1:{fake.port}") as session:
        await watch(session, samples(10))
        assert device.most == 1


async def test_that_a_device_that_works_one_after_the_other_is_asked_so() -> None:
    line = asyncio.Lock()

    async def answer(request: Request, now: int) -> bytes:
        del now
        async with line:
            await asyncio.sleep(0.01)
            return right(request)

    device = Device(answer, 0.0)
    async with fake_device(device) as fake, connected(f"modbus://127.0.0.1:{fake.port}") as session:
        told = await watch(session, samples(400))
        assert device.most == 2
        assert session._wire.window.limit == 1
    assert learned(told) == []


class Latest:
    """A device with one place for the transaction id: what it answers carries that of the last request that came."""

    def __init__(self) -> None:
        self.transaction = 0

    async def __call__(self, request: Request) -> bytes:
        self.transaction = request.transaction
        await asyncio.sleep(0.01)
        return right(request._replace(transaction=self.transaction))


async def _drops(request: Request, now: int) -> bytes:
    return b"" if now > 1 else right(request)


async def _closes(request: Request, now: int) -> bytes | None:
    return None if now > 1 else right(request)


async def _refuses(request: Request, now: int) -> bytes:
    return refusal(request, 6) if now > 1 else right(request)


async def _late_first(request: Request, now: int) -> bytes:
    await asyncio.sleep(0.02 if now == 1 else 0.0)
    return right(request)


async def _zero(request: Request, now: int) -> bytes:
    return right(request._replace(transaction=0)) if now > 1 else right(request)


@pytest.mark.parametrize("answer", [_drops, _late_first, _zero], ids=["drops", "out of turn", "id 0"])
async def test_that_a_device_that_does_not_bear_it_is_at_one_for_good_and_every_value_comes(
    answer: Callable[[Request, int], Awaitable[bytes | None]],
) -> None:
    device = Device(answer)
    async with fake_device(device) as fake, connected(f"modbus://127.0.0.1:{fake.port}", timeout_s=0.2) as session:
        told = await watch(session, lambda told: bool(learned(told)) and samples(200)(told))
        assert session._wire.window.limit == 1
    assert learned(told) == [{"in flight": 1}]
    bad = [event for event in told if isinstance(event, SampleColumns) and (event.quality != Quality.GOOD).any()]
    assert bad == []  # what got no good reply was asked for again by itself
    assert not isinstance(told[-1], Ended)


async def test_that_a_device_with_one_place_for_the_transaction_id_never_gives_a_value_of_another_address() -> None:
    device = Latest()
    async with fake_device(device) as fake, connected(f"modbus://127.0.0.1:{fake.port}", timeout_s=0.2) as session:
        told = await watch(session, lambda told: bool(learned(told)) and samples(150)(told))
    assert learned(told) == [{"in flight": 1}]


async def test_that_replies_swapped_between_two_requests_are_not_taken() -> None:
    held: list[Request] = []

    async def answer(request: Request) -> bytes:
        held.append(request)
        await asyncio.sleep(0.01)
        if held == [request]:
            held.clear()
            return right(request)
        if request is not held[-1]:
            return b""
        first, last = held[-2:]
        held.clear()
        return right(first._replace(transaction=last.transaction)) + right(last._replace(transaction=first.transaction))

    async with fake_device(answer) as fake, connected(f"modbus://127.0.0.1:{fake.port}", timeout_s=0.2) as session:
        told = await watch(session, lambda told: bool(learned(told)) and samples(150)(told))
    assert learned(told) == [{"in flight": 1}]


async def test_that_two_requests_of_one_size_are_never_in_flight_together_so_that_swapping_them_does_nothing() -> None:
    held: list[Request] = []

    async def answer(request: Request) -> bytes:
        held.append(request)
        await asyncio.sleep(0.004)
        if len(held) < 2:
            held.clear()
            return right(request)
        if request is not held[-1]:
            return b""
        first, last = held[-2:]
        held.clear()
        return right(first._replace(transaction=last.transaction)) + right(last._replace(transaction=first.transaction))

    add = [WatchItem(handle=address, address=f"holding:{address}", interval_ms=10) for address in range(0, 4000, 200)]
    async with fake_device(answer) as fake, connected(f"modbus://127.0.0.1:{fake.port}", in_flight=4) as session:
        told = await watch(session, samples(60), add)
    assert learned(told) == []


async def test_that_a_refusal_is_believed_only_of_a_request_that_was_alone() -> None:
    async with fake_device(Device(_refuses)) as fake, connected(f"modbus://127.0.0.1:{fake.port}", timeout_s=0.5) as session:
        told = await watch(session, samples(200))
    assert all((event.quality == Quality.GOOD).all() for event in told if isinstance(event, SampleColumns))


async def test_that_a_device_that_closes_over_it_is_known_to_the_next_session() -> None:
    device = Device(_closes)
    async with fake_device(device) as fake:
        url = f"modbus://127.0.0.1:{fake.port}"
        async with connected(url) as session:
            told = await watch(session, lambda told: False)
        assert isinstance(told[-1], Ended)
        assert learned(told) == [{"in flight": 1}]
        await device.forget()
        async with connected(url, learned=Learned(limits={"in flight": 1})) as session:
            again = await watch(session, samples(200))
        assert device.most == 1
    assert not any(isinstance(event, Ended | Learned) for event in again)


async def test_that_a_setting_fixes_the_number_and_what_was_learned_still_holds() -> None:
    device = Device()
    async with fake_device(device) as fake:
        url = f"modbus://127.0.0.1:{fake.port}"
        for by_hand, known, want in ((4, 16, 4), (16, 16, 16), (1, 16, 1), (8, 1, 1)):
            await device.forget()
            async with connected(url, learned=Learned(limits={"in flight": known}), in_flight=by_hand) as session:
                await watch(session, samples(200))
            assert device.most == want


async def test_that_several_units_on_one_connection_are_asked_one_at_a_time_unless_a_person_says_otherwise() -> None:
    device = Device()
    async with fake_device(device) as fake:
        url = f"modbus://127.0.0.1:{fake.port}"
        async with connected(url, units=(1, 2)) as session:
            await watch(session, samples(200))
        assert device.most == 1
        await device.forget()
        async with connected(url) as session:
            await session.read([Item(address="2/holding:5")])  # not known to the project, and yet there
            await watch(session, samples(200))
        assert device.most == 1
        await device.forget()
        async with connected(url, units=(1, 2), in_flight=3) as session:
            await watch(session, samples(200))
        assert device.most == 3


async def test_that_rtu_has_one_request_at_a_time_whatever_the_setting_says() -> None:
    now = most = 0

    async def answer(request: RtuRequest) -> bytes:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1
        return right_rtu(request)

    async with rtu_over_tcp(answer) as line, connected(line.url, in_flight=8) as session:
        await session.set_watch([WatchItem(handle=n, address=f"holding:{n * 200}", interval_ms=10) for n in range(20)], [])
        async with asyncio.timeout(10):
            async for event in session.events():
                if isinstance(event, SampleColumns) and event.handle[0] == 19:
                    break
    assert most == 1


async def test_that_a_persons_read_waits_for_those_in_flight_only() -> None:
    device = Device()
    async with fake_device(device) as fake, connected(f"modbus://127.0.0.1:{fake.port}") as session:
        await watch(session, samples(400))
        for _ in range(10):
            before = len(fake.requests)
            started_s = time.monotonic()
            assert (await session.read([Item(address="holding:9")])).number[0] == 9
            mine = next(n for n, request in enumerate(fake.requests[before:]) if (request.address, request.length) == (9, 1))
            assert mine <= 2 * 8
            assert time.monotonic() - started_s < 1


@pytest.mark.parametrize("at_once", [True, False])
async def test_that_a_reply_cut_off_and_filled_up_by_the_next_is_never_taken(at_once: bool) -> None:
    """By each number of bytes in turn, also where the whole next frame stands in the registers of the first."""
    both = asyncio.Event()

    async def answer(request: Request) -> bytes:
        if request.number == 0:
            return right(request)
        if request.length == 40:
            both.clear()
            await both.wait()
            return b""
        both.set()
        first = right(fake.requests[-2])
        data = first[:-cut] + right(request)
        if at_once:
            return data
        fake.send(data[: len(first)])
        await asyncio.sleep(0.01)
        return data[len(first) :]

    add = [WatchItem(handle=n, address=f"holding:{n}", interval_ms=10) for n in (*range(40), 200, 201, 202)]
    async with fake_device(answer) as fake:
        for cut in (*range(1, 17), 20, 79):
            fake.requests.clear()
            async with connected(f"modbus://127.0.0.1:{fake.port}", timeout_s=0.1, in_flight=2) as session:
                told = await watch(session, lambda told: bool(learned(told)), add)
            assert learned(told) == [{"in flight": 1}], cut
            assert not any((event.quality == Quality.GOOD).any() for event in told if isinstance(event, SampleColumns))


def test_that_the_fake_device_gives_each_register_its_address() -> None:
    assert right(Request(7, 1, 3, 300, 2, 0)) == frame(7, 1, registers(300, 301))
