"""The Modbus session with devices that answer wrongly, late, slowly or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from app.drivers.base import Ended, Event, Item, ItemStates, WatchItem
from app.drivers.modbus.guard import ForbiddenFunctionError
from app.drivers.modbus.spec import MALFORMED_REPLY, NO_RESPONSE
from app.model.columns import SampleColumns
from app.model.values import Quality
from tests.peers.modbus_fake import FakeDevice, Request, fake_device, frame, refusal, registers, right
from tests.peers.modbus_peer import connected, next_of, read_one


def _answers(wrong: Callable[[Request], bytes]) -> Callable[[Request], Awaitable[bytes]]:
    """Right to the first request (the one of ``open``), wrong from then on."""

    async def answer(request: Request) -> bytes:
        return right(request) if request.number == 0 else wrong(request)

    return answer


def words(request: Request) -> bytes:
    return registers(*[42] * request.length)


WRONG: dict[str, Callable[[Request], bytes]] = {
    "transaction id 0": lambda r: frame(0, r.unit, words(r)),
    "an unknown transaction id": lambda r: frame(r.transaction + 500, r.unit, words(r)),
    "another unit": lambda r: frame(r.transaction, r.unit + 1, words(r)),
    "fewer registers": lambda r: frame(r.transaction, r.unit, registers(*[42] * (r.length - 1))),
    "more registers": lambda r: frame(r.transaction, r.unit, registers(*[42] * (r.length + 1))),
    "an odd byte count": lambda r: frame(r.transaction, r.unit, bytes((3, 3, 0, 42, 0))),
    "a byte count too large": lambda r: frame(r.transaction, r.unit, bytes((3, 200)) + words(r)[2:]),
    "a byte count too small": lambda r: frame(r.transaction, r.unit, bytes((3, 2 * r.length - 1)) + words(r)[2:]),
    "function 4": lambda r: frame(r.transaction, r.unit, registers(*[42] * r.length, function=4)),
    "function 6 echoed": lambda r: frame(r.transaction, r.unit, b"\x06" + r.address.to_bytes(2, "big") + b"\x00\x2a"),
    "an unknown function": lambda r: frame(r.transaction, r.unit, b"\x63\x01\x02"),
    "an exception to function 4": lambda r: frame(r.transaction, r.unit, b"\x84\x02"),
    "exception code 0": lambda r: frame(r.transaction, r.unit, b"\x83\x00"),
    "a long exception": lambda r: frame(r.transaction, r.unit, b"\x83\x02\x02\x02"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_that_a_malformed_reply_is_a_bad_quality_and_never_a_value(name: str) -> None:
    async with fake_device(_answers(WRONG[name])) as device, connected(device.port, ask_identity=False, timeout_s=0.3) as session:
        for address in ("holding:100:float32", "holding:200"):
            value, quality, status = await read_one(session, address)
            assert (value, quality, status) == (None, Quality.BAD, MALFORMED_REPLY)


async def test_that_fewer_bits_than_asked_for_are_not_taken() -> None:
    def short(request: Request) -> bytes:
        return frame(request.transaction, request.unit, bytes((1, 1, 255)))

    async with fake_device(_answers(short)) as device, connected(device.port, ask_identity=False) as session:
        columns = await session.read([Item(address=f"coil:{n}") for n in range(9)])
    assert set(columns.status.tolist()) == {MALFORMED_REPLY}


@pytest.mark.parametrize(
    "garbage", [b"garbage, and a lot of it", frame(9, 1, b"\x03\x02\x00\x2a", protocol=1), frame(9, 1, b"", length=60000)]
)
async def test_that_garbage_ends_the_connection(garbage: bytes) -> None:
    async with fake_device(_answers(lambda _: garbage)) as device, connected(device.port, ask_identity=False) as session:
        value, quality, status = await read_one(session, "holding:1")
        assert (value, quality, status) == (None, Quality.BAD, MALFORMED_REPLY)
        ended = await next_of(session, lambda event: isinstance(event, Ended))
    assert isinstance(ended, Ended)
    assert "not Modbus TCP" in ended.why


async def test_that_a_reply_in_pieces_is_one_reply() -> None:
    async with slow_pieces() as device, connected(device.port, ask_identity=False) as session:
        columns = await session.read([Item(address=f"holding:{n}") for n in range(100)])
    assert [sample.value for _, sample in columns.samples()] == list(range(100))


@asynccontextmanager
async def slow_pieces() -> AsyncIterator[FakeDevice]:
    writers: list[asyncio.StreamWriter] = []

    async def answer(request: Request) -> bytes:
        data = right(request)
        for byte in data[:-1]:
            writers[-1].write(bytes((byte,)))
            await asyncio.sleep(0)
        return data[-1:]

    async with fake_device(answer) as device:
        serve = device.serve

        async def remember(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            await serve(reader, writer)

        device.serve = remember  # type: ignore[method-assign]  # only here the writer is known
        yield device


async def test_that_late_replies_are_never_taken_for_another_request() -> None:
    """Every second reply comes after the time-out: 300 reads of changing addresses with the same count, not one wrong value."""

    async def answer(request: Request) -> bytes:
        if request.number % 3 == 2:
            await asyncio.sleep(0.06)
        return right(request)

    good = 0
    async with fake_device(answer) as device, connected(device.port, ask_identity=False, timeout_s=0.05, retries=0) as session:
        for address in range(300, 400):
            value, quality, status = await read_one(session, f"holding:{address}")
            if quality is Quality.GOOD:
                assert value == address
                good += 1
            else:
                assert status == NO_RESPONSE
    assert good > 50


async def test_that_a_late_reply_and_the_right_one_in_one_segment_are_told_apart() -> None:
    held: list[bytes] = []

    async def answer(request: Request) -> bytes:
        if request.number == 1:
            held.append(right(request))
            return b""
        return b"".join((*held, right(request)))

    async with fake_device(answer) as device, connected(device.port, ask_identity=False, timeout_s=0.2) as session:
        columns = await session.read([Item(address=f"holding:{n}") for n in range(125)])
        assert [sample.value for _, sample in columns.samples()] == list(range(125))
        assert len(device.requests) == 3


async def test_that_a_device_that_stops_within_a_reply_ends_the_connection() -> None:
    answer = _answers(lambda request: right(request)[:-3])
    async with fake_device(answer) as device, connected(device.port, ask_identity=False, timeout_s=0.1) as session:
        _, quality, _ = await read_one(session, "holding:8:float64")
        assert quality is Quality.BAD
        ended = await next_of(session, lambda event: isinstance(event, Ended))
    assert isinstance(ended, Ended)
    assert ended.why == "the device stopped in the middle of a reply"


async def test_that_a_lost_reply_is_asked_for_again_with_a_new_transaction_id() -> None:
    async def answer(request: Request) -> bytes:
        return b"" if request.number == 1 else right(request)

    async with fake_device(answer) as device, connected(device.port, ask_identity=False, timeout_s=0.2) as session:
        assert await read_one(session, "holding:8") == (8, Quality.GOOD, 0)
        assert [request.address for request in device.requests] == [0, 8, 8]
        assert len({request.transaction for request in device.requests}) == 3


@pytest.mark.parametrize("code", [1, 4, 5, 6, 8, 10, 11, 99])
async def test_that_an_exception_code_is_the_status(code: int) -> None:
    async with (
        fake_device(_answers(lambda request: refusal(request, code))) as device,
        connected(device.port, ask_identity=False) as session,
    ):
        assert await read_one(session, "holding:1") == (None, Quality.BAD, code)


async def test_that_a_device_that_falls_silent_ends_after_five_seconds() -> None:
    async def answer(request: Request) -> bytes:
        return right(request) if request.number == 0 else b""

    async with fake_device(answer) as device, connected(device.port, ask_identity=False, timeout_s=0.2) as session:
        await session.set_watch([WatchItem(handle=1, address="holding:1", interval_ms=100)], [])
        started_s = time.monotonic()
        ended = await next_of(session, lambda event: isinstance(event, Ended), 10)
        assert 4.5 < time.monotonic() - started_s < 7
    assert isinstance(ended, Ended)
    assert ended.why.startswith("no valid reply for")


async def test_that_a_silent_unit_does_not_slow_down_the_others() -> None:
    async def answer(request: Request) -> bytes:
        return b"" if request.unit == 9 else right(request)

    async with fake_device(answer) as device, connected(device.port, ask_identity=False, timeout_s=0.1) as session:
        dead = [WatchItem(handle=n, address=f"9/holding:{n * 200}", interval_ms=50) for n in range(20)]
        await session.set_watch([*dead, WatchItem(handle=50, address="1/holding:4", interval_ms=50)], [])
        good = 0
        statuses: set[int] = set()

        def take(event: Event) -> bool:
            nonlocal good
            assert not isinstance(event, Ended)
            if isinstance(event, SampleColumns):
                good += int((event.handle == 50).sum())
                statuses.update(event.status[event.handle != 50].tolist())
            return good >= 30

        started_s = time.monotonic()
        await next_of(session, take, 10)
        assert time.monotonic() - started_s < 8
        assert sum(request.unit == 9 for request in device.requests) < 25
    assert statuses == {NO_RESPONSE}


async def test_that_a_device_slower_than_asked_has_its_rate_revised() -> None:
    async def answer(request: Request) -> bytes:
        await asyncio.sleep(0.05)
        return right(request)

    async with fake_device(answer) as device, connected(device.port, ask_identity=False) as session:
        add = [WatchItem(handle=n, address=f"holding:{n * 200}", interval_ms=50) for n in range(5)]
        assert (await session.set_watch(add, []))[0].interval_ms == 50
        event = await next_of(session, lambda event: isinstance(event, ItemStates))
    assert isinstance(event, ItemStates)
    assert {state.handle for state in event.states} == set(range(5))
    assert all(state.interval_ms is not None and 200 < state.interval_ms < 1000 for state in event.states)


async def test_that_a_persons_read_does_not_wait_for_a_long_poll() -> None:
    async def answer(request: Request) -> bytes:
        await asyncio.sleep(0.03)
        return right(request)

    async with fake_device(answer) as device, connected(device.port, ask_identity=False) as session:
        await session.set_watch([WatchItem(handle=n, address=f"holding:{n * 200}", interval_ms=10) for n in range(50)], [])
        await next_of(session, lambda event: isinstance(event, SampleColumns))
        started_s = time.monotonic()
        assert await read_one(session, "holding:9") == (9, Quality.GOOD, 0)
        assert time.monotonic() - started_s < 0.3  # the whole cycle takes 1.5 s


async def test_that_a_cancelled_read_leaves_the_next_one_right() -> None:
    async def answer(request: Request) -> bytes:
        await asyncio.sleep(0.05)
        return right(request)

    async with fake_device(answer) as device, connected(device.port, ask_identity=False) as session:
        for address in range(20):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await session.read([Item(address=f"holding:{address}")])
            assert await read_one(session, f"holding:{address + 500}") == (address + 500, Quality.GOOD, 0)


async def test_that_a_write_never_leaves_a_session() -> None:
    async def answer(request: Request) -> bytes:
        return right(request)

    async with fake_device(answer) as device, connected(device.port, ask_identity=False) as session:
        before = len(device.requests)
        for pdu in (
            bytes((5, 0, 1, 0xFF, 0)),
            bytes((6, 0, 1, 0, 1)),
            bytes((15, 0, 1, 0, 1, 1, 1)),
            bytes((16, 0, 1, 0, 1, 2, 0, 1)),
            bytes((22, 0, 1, 0, 0, 0, 1)),
            bytes((23, 0, 1, 0, 1, 0, 1, 0, 1, 2, 0, 1)),
            bytes((8, 0, 1, 0, 0)),
            bytes((43, 13, 1, 0)),
        ):
            with pytest.raises(ForbiddenFunctionError):
                await session._wire.raw(1, pdu)
        assert await read_one(session, "holding:3") == (3, Quality.GOOD, 0)
        assert [request.function for request in device.requests[before:]] == [3]
