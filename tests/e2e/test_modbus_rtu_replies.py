"""Modbus over a serial line and RTU frames over TCP, against devices that answer wrongly, late, in pieces or with an echo."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

import pytest

from app.drivers.base import Ended, EndpointConfig, EndpointReport, Event, Item, Traffic, WatchItem
from app.drivers.modbus.framing_rtu import frame_of
from app.drivers.modbus.guard import ForbiddenFunctionError, RequestError
from app.drivers.modbus.session import ModbusSession
from app.drivers.modbus.spec import MALFORMED_REPLY, NO_RESPONSE, NOT_CONNECTED
from app.errors import EndpointError
from app.model.columns import SampleColumns
from app.model.plant import Identity
from app.model.values import Quality
from tests.peers.modbus_fake import Request, fake_device
from tests.peers.modbus_fake import right as right_tcp
from tests.peers.modbus_peer import connected_at, next_of, read_one
from tests.peers.rtu_fake import RtuLine, RtuRequest, refusal, registers, right, rtu_over_tcp, rtu_port, value, words
from tests.peers.serial_line import needs_terminals

Rig = Callable[..., AbstractAsyncContextManager[RtuLine]]
both = pytest.mark.parametrize("rig", [pytest.param(rtu_port, marks=needs_terminals, id="port"), pytest.param(rtu_over_tcp, id="tcp")])


connected = partial(connected_at, ask_identity=False)


async def answer_right(request: RtuRequest) -> bytes:
    return right(request)


def _after_the_first(wrong: Callable[[RtuRequest], bytes]) -> Callable[[RtuRequest], Awaitable[bytes]]:
    """Right to the request of ``open``, wrong from then on."""

    async def answer(request: RtuRequest) -> bytes:
        return right(request) if request.number == 0 else wrong(request)

    return answer


def _bad_crc(request: RtuRequest) -> bytes:
    good = right(request)
    return good[:-1] + bytes((good[-1] ^ 1,))


def _lies(request: RtuRequest, more: int) -> bytes:
    content = registers(*words(request))
    return frame_of(request.unit, bytes((3, content[1] + more)) + content[2:])


WRONG: dict[str, Callable[[RtuRequest], bytes]] = {
    "a wrong checksum": _bad_crc,
    "another unit": lambda r: frame_of(r.unit + 1, registers(*words(r))),
    "function 4": lambda r: frame_of(r.unit, registers(*words(r), function=4)),
    "function 6 echoed": lambda r: frame_of(r.unit, bytes((6, 0, 1, 0, 42))),
    "an unknown function": lambda r: frame_of(r.unit, b"\x63\x01\x02"),
    "fewer registers": lambda r: frame_of(r.unit, registers(*words(r)[:-1])),
    "more registers": lambda r: frame_of(r.unit, registers(*words(r), 7)),
    "a byte count too small": lambda r: _lies(r, -1),
    "a byte count too large": lambda r: _lies(r, 2),
    "an exception to function 4": lambda r: frame_of(r.unit, b"\x84\x02"),
    "exception code 0": lambda r: frame_of(r.unit, b"\x83\x00"),
    "two replies in one": lambda r: right(r) * 2,
    "noise before the reply": lambda r: b"\x00" + right(r),
    "noise after the reply": lambda r: right(r) + b"\xff",
    "another unit's frame before the reply": lambda r: frame_of(9, registers(1)) + right(r),
    "garbage": lambda r: b"HTTP/1.1 400 Bad Request",
}


@both
@pytest.mark.parametrize("name", WRONG)
async def test_that_a_wrong_reply_is_a_bad_quality_and_never_a_value(name: str, rig: Rig) -> None:
    async with (
        rig(_after_the_first(WRONG[name])) as line,
        connected(line.url, timeout_s=0.06, quiet_ms=20, retries=0) as session,
    ):
        for address in ("holding:100:float32", "holding:200:float32"):
            got, quality, status = await read_one(session, address)
            assert (got, quality) == (None, Quality.BAD)
            assert status in (MALFORMED_REPLY, NO_RESPONSE)
        assert not line.other


@both
async def test_that_the_reason_of_a_wrong_reply_is_told_and_the_request_repeated(rig: Rig) -> None:
    async def answer(request: RtuRequest) -> bytes:
        return _bad_crc(request) if request.number == 1 else right(request)

    async with rig(answer) as line, connected(line.url, timeout_s=0.3, quiet_ms=30) as session:
        session.trace(True)
        assert await read_one(session, "3/holding:10") == (value(3, 10), Quality.GOOD, 0)
        traffic = await next_of(session, lambda event: isinstance(event, Traffic))
        assert [request.frame for request in line.requests[1:]] == [line.requests[1].frame] * 2
    assert isinstance(traffic, Traffic)
    texts = [(one.sent, one.text, one.trouble) for one in traffic.exchanges]
    assert texts[0] == (True, "Read holding 10 of unit 3", "")
    assert not texts[1][0]
    assert "checksum (CRC)" in texts[1][2]
    assert texts[2:] == [texts[0], (False, f"1 register: {value(3, 10):04X}", "")]
    assert traffic.exchanges[3].round_trip_s > 0
    assert traffic.exchanges[3].data == right(line.requests[2])


@both
async def test_that_late_replies_are_never_taken_for_another_request(rig: Rig) -> None:
    """The same count and function all the time; some replies come within the quiet time, some after the next request."""
    chance = random.Random(7)

    async def answer(request: RtuRequest) -> bytes:
        if request.number and chance.random() < 0.3:
            await asyncio.sleep(chance.choice((0.025, 0.045, 0.07, 0.1)))
        return right(request)

    good = 0
    async with rig(answer) as line, connected(line.url, timeout_s=0.02, quiet_ms=20, retries=0) as session:
        for turn in range(120):
            unit, address = 1 + turn % 3, chance.randrange(1000)
            got, quality, status = await read_one(session, f"{unit}/holding:{address}")
            if quality is Quality.GOOD:
                assert got == value(unit, address)
                good += 1
            else:
                assert status in (NO_RESPONSE, MALFORMED_REPLY)
    assert good > 30


@both
async def test_that_a_device_that_is_always_too_late_never_gives_the_value_of_another_address(rig: Rig) -> None:
    """Each reply comes when the next request but one is out: without the fence, every value would be that of an older address."""

    async def answer(request: RtuRequest) -> bytes:
        if request.number:
            await asyncio.sleep(0.05)
        return right(request)

    async with rig(answer) as line, connected(line.url, timeout_s=0.02, quiet_ms=10, retries=0) as session:
        seen = [await read_one(session, f"holding:{address}") for address in range(100, 130)]
        asked = [(request.address, request.length) for request in line.requests[1:]]
    for address, (got, quality, _) in zip(range(100, 130), seen, strict=True):
        assert quality is Quality.BAD or got == value(1, address)
    assert {length for _, length in asked} > {1}  # fences were asked for


@both
async def test_that_no_fence_reads_a_register_that_the_endpoint_forbids(rig: Rig) -> None:
    async def answer(request: RtuRequest) -> bytes:
        return b"" if request.address == 100 else right(request)

    async with rig(answer) as line, connected(line.url, timeout_s=0.05, quiet_ms=10, retries=0, forbidden="holding:201-210") as session:
        assert (await read_one(session, "holding:100"))[2] == NO_RESPONSE
        assert (await read_one(session, "holding:200"))[2] == NO_RESPONSE  # there is no fence for it but one that reads 201
        assert await read_one(session, "holding:300") == (value(1, 300), Quality.GOOD, 0)
        assert await read_one(session, "holding:200") == (value(1, 200), Quality.GOOD, 0)
        assert [(request.address, request.length) for request in line.requests[1:]] == [(100, 1), (300, 2), (300, 1), (200, 1)]


@both
async def test_that_among_random_faults_no_wrong_value_is_accepted(rig: Rig) -> None:
    chance = random.Random(11)
    faults = list(WRONG.values())

    async def answer(request: RtuRequest) -> bytes:
        if request.number == 0 or chance.random() < 0.5:
            return right(request)
        if chance.random() < 0.3:
            await asyncio.sleep(chance.choice((0.02, 0.04)))
            return right(request)
        return chance.choice(faults)(request)

    counts = {Quality.GOOD: 0, Quality.BAD: 0}
    async with rig(answer, echo=chance.random() < 0.5) as line, connected(line.url, timeout_s=0.02, quiet_ms=10, retries=0) as session:
        for _ in range(200):
            unit, address = chance.randrange(1, 4), chance.randrange(1000)
            length = chance.choice((1, 1, 2, 4))
            columns = await session.read([Item(address=f"{unit}/holding:{address + n}") for n in range(length)])
            for n, (_, sample) in enumerate(columns.samples()):
                counts[sample.quality] += 1
                assert sample.quality is Quality.BAD or sample.value == value(unit, address + n)
        assert not line.other
    assert min(counts.values()) > 50


@both
async def test_that_a_reply_in_pieces_is_one_reply(rig: Rig) -> None:
    async with rig(answer_right) as line, connected(line.url) as session:

        async def pieces(request: RtuRequest) -> bytes:
            data = right(request)
            for byte in data[:-1]:
                line.send(bytes((byte,)))
                await asyncio.sleep(0)
            return data[-1:]

        line.answer = pieces
        columns = await session.read([Item(address=f"holding:{n}") for n in range(100)])
    assert [sample.value for _, sample in columns.samples()] == [value(1, n) for n in range(100)]


@both
@pytest.mark.parametrize("setting", ["detect", "yes"])
async def test_that_an_adapter_that_gives_back_what_is_sent_is_understood(rig: Rig, setting: str) -> None:
    async with rig(answer_right, echo=True) as line, connected(line.url, echo=setting) as session:
        for address in range(5):
            assert await read_one(session, f"holding:{address}") == (value(1, address), Quality.GOOD, 0)
        assert await session._wire.raw(1, b"\x01\x03\x00\x00\x12") == b"\x01\x03\x00\x00\x00"


@both
async def test_that_an_echo_is_no_value_where_none_is_expected_and_its_lack_is_told_where_it_is(rig: Rig) -> None:
    async with rig(answer_right, echo=True) as line:
        with pytest.raises(EndpointError):
            async with connected(line.url, echo="no", timeout_s=0.2):
                pass
    async with rig(answer_right) as line:
        with pytest.raises(EndpointError, match="did not give back our request"):
            async with connected(line.url, echo="yes", timeout_s=0.2):
                pass


@both
async def test_that_a_line_that_never_becomes_quiet_ends_the_session(rig: Rig) -> None:
    async def babble(line: RtuLine) -> None:
        while True:
            line.send(b"\x55\xaa\x55")
            await asyncio.sleep(0.005)

    async with rig(answer_right) as line, connected(line.url, timeout_s=0.1, quiet_ms=50) as session:
        noise = asyncio.create_task(babble(line))
        await session.set_watch([WatchItem(handle=1, address="holding:1", interval_ms=50)], [])
        ended = await next_of(session, lambda event: isinstance(event, Ended))
        noise.cancel()
    assert isinstance(ended, Ended)
    assert "another Modbus master may be on this line" in ended.why


async def test_that_the_setting_connects_anew_after_a_lost_reply() -> None:
    async def answer(request: RtuRequest) -> bytes:
        return b"" if request.address == 66 else right(request)

    async with rtu_over_tcp(answer) as line, connected(line.url, timeout_s=0.1, reconnect_on_timeout=True) as session:
        assert (await read_one(session, "holding:66"))[2] in (NO_RESPONSE, NOT_CONNECTED)
        ended = await next_of(session, lambda event: isinstance(event, Ended))
    assert isinstance(ended, Ended)
    assert "connect anew" in ended.why


@both
async def test_that_a_silent_unit_leaves_the_others_most_of_the_line(rig: Rig) -> None:
    async def answer(request: RtuRequest) -> bytes:
        return b"" if request.unit == 9 else right(request)

    async with rig(answer) as line, connected(line.url, timeout_s=0.1) as session:
        dead = [WatchItem(handle=n, address=f"9/holding:{n * 200}", interval_ms=50) for n in range(20)]
        await session.set_watch([*dead, WatchItem(handle=50, address="3/holding:4", interval_ms=50)], [])
        good = 0

        def take(event: Event) -> bool:
            nonlocal good
            assert not isinstance(event, Ended)
            if isinstance(event, SampleColumns):
                good += int((event.handle == 50).sum())
            return good >= 20

        started_s = time.monotonic()
        await next_of(session, take, 12)
        assert time.monotonic() - started_s < 8
        assert sum(request.unit == 9 for request in line.requests) < 20


async def test_that_a_persons_read_of_a_dead_unit_does_not_ask_it_for_every_item() -> None:
    async def answer(request: Request) -> bytes:
        return b"" if request.unit == 9 else right_tcp(request)

    async with fake_device(answer) as device, connected(f"modbus://127.0.0.1:{device.port}", timeout_s=0.1) as session:
        items = [Item(address=f"{unit}/holding:{n * 200}") for n in range(10) for unit in (9, 1)]
        columns = await session.read(items)
        assert columns.status.tolist() == [NO_RESPONSE, 0] * 10
        assert sum(request.unit == 9 for request in device.requests) == 4  # two blocks, each with a retry


@needs_terminals
async def test_that_bytes_within_three_and_a_half_characters_after_the_reply_spoil_it() -> None:
    """At 1200 baud the gap is 29 ms: what comes 5 ms after the reply belongs to the same frame, and that is none."""

    async def answer(request: RtuRequest) -> bytes:
        if request.number:
            asyncio.get_running_loop().call_later(0.005, line.send, b"\x00")
        return right(request)

    async with rtu_port(answer, query="?baudrate=1200&parity=N") as line, connected(line.url, retries=0, quiet_ms=50) as session:
        assert await read_one(session, "holding:3") == (None, Quality.BAD, MALFORMED_REPLY)
        line.answer = answer_right
        assert await read_one(session, "holding:3") == (value(1, 3), Quality.GOOD, 0)


@both
async def test_that_a_unit_that_comes_back_is_read_again_although_replies_are_missing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead while more requests were lost than there are fences; after the time in which a late reply may come all is well again."""
    monkeypatch.setattr("app.drivers.modbus.session_open.FORGET_S", 0.5)

    async def silent(request: RtuRequest) -> bytes:
        return b"" if request.unit == 9 else right(request)

    async with rig(silent) as line, connected(line.url, timeout_s=0.05, quiet_ms=10) as session:
        for n in range(6):
            assert (await read_one(session, f"9/holding:{n * 200}"))[2] == NO_RESPONSE
        line.answer = answer_right
        await asyncio.sleep(0.6)  # the time itself is what is tested
        assert await read_one(session, "9/holding:77") == (value(9, 77), Quality.GOOD, 0)


@both
async def test_that_a_write_never_leaves_a_session_over_any_transport(rig: Rig) -> None:
    async with rig(answer_right) as line, connected(line.url) as session:
        before = len(line.requests)
        smuggled = frame_of(1, b"\x03\x00\x00\x00\x01") + frame_of(1, b"\x06\x00\x01\x00\x01")
        for pdu in (b"\x06\x00\x01\x00\x01", b"\x10\x00\x01\x00\x01\x02\x00\x01", smuggled[1:-2], b"\x08\x00\x04\x00\x00", b""):
            with pytest.raises(ForbiddenFunctionError):
                await session._wire.raw(1, pdu)
        line.answer = _after_the_first(lambda request: refusal(request, 2))
        with pytest.raises(RequestError) as refused:
            await session._wire.raw(1, b"\x03\x00\x00\x00\x01")
        assert refused.value.status == 2
        assert [request.function for request in line.requests[before:]] == [3]
        assert not line.other


@both
async def test_that_a_cancelled_read_leaves_the_next_one_right(rig: Rig) -> None:
    async def answer(request: RtuRequest) -> bytes:
        await asyncio.sleep(0.03)
        return right(request)

    async with rig(answer) as line, connected(line.url, quiet_ms=40) as session:
        for address in range(8):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await session.read([Item(address=f"holding:{address}")])
            assert await read_one(session, f"holding:{address + 500}") == (value(1, address + 500), Quality.GOOD, 0)


@both
async def test_that_the_identity_carries_the_register_that_a_person_named(rig: Rig) -> None:
    async with rig(answer_right) as line:
        for register, want, notes in (("3/holding:9", str(value(3, 9)), 0), ("3/coil:9:nonsense", "", 1)):
            config = EndpointConfig(name="m", url=line.url, identity=Identity(register=register), settings={"timeout_s": 0.3})
            session = ModbusSession(config)
            try:
                report: EndpointReport = await session.open(5)
            finally:
                await session.close()
            assert report.identity.value == want
            assert len(report.notes) == notes
