"""The Modbus session against a real pymodbus server, and connecting to what is none."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import Iterator

import pytest

from app.drivers.base import Alive, Ended, EndpointConfig, Event, Item, WatchItem
from app.drivers.modbus.session import discover, open_session
from app.drivers.modbus.spec import BAD_ADDRESS, NOT_CONNECTED
from app.errors import EndpointError
from app.model.columns import SampleColumns
from app.model.values import Quality
from tests.peers import modbus_server as peer
from tests.peers.modbus_fake import Request, fake_device, frame, refusal, registers, right
from tests.peers.modbus_peer import connected, modbus_peer, next_of, read_one
from tests.peers.server_process import free_port


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    number = free_port()
    with modbus_peer(number):
        yield number


# --- a real server ----------------------------------------------------------------------------------------------------------


async def test_that_opening_reports_what_answered(port: int) -> None:
    session = open_session(EndpointConfig(name="m", url=f"modbus://127.0.0.1:{port}"))
    report = await session.open(5)
    await session.close()
    await session.close()
    assert report.title == "Loom T-1 2.3"
    assert report.url == f"modbus://127.0.0.1:{port}"
    assert report.units == (1,)
    assert 0 < report.round_trip_s < 5
    assert (await discover(f"modbus://127.0.0.1:{port}?unit=3", 5)).units == (3,)


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("1/holding:1000:float32", 123.5),
        ("1/holding:1002:float32:CDAB", 123.5),
        ("3/holding:1002:float32", 123.5),  # the default order of unit 3 is CDAB
        ("3/holding:1000:float32:ABCD", 123.5),
        ("holding:1004:int32", -5),
        ("holding:1006:int64", 2**60 + 1),
        ("holding:1010:float64", 0.1),
        ("holding:1014:int16", -2),
        ("holding:1014", 65534),
        ("holding:1020:str8", "Tagloom"),
        ("holding:1020:str3", "Tag"),
        ("holding:1030.0", True),
        ("holding:1030.1", False),
        ("holding:1030.15", True),
        ("3/input:7", 30007),
        ("3/input:7:int16", 30007),
        ("coil:2", True),
        ("coil:3", False),
        ("discrete:2", False),
        ("3/coil:0", True),
    ],
)
async def test_that_a_value_is_exact_in_its_own_type(port: int, address: str, value: object) -> None:
    async with connected(port) as session:
        got = await read_one(session, address)
    assert got == (value, Quality.GOOD, 0)
    assert type(got[0]) is type(value)


async def test_that_nan_is_a_good_value_and_gain_and_offset_are_applied(port: int) -> None:
    async with connected(port) as session:
        value, quality, status = await read_one(session, "holding:1015:float32")
        assert isinstance(value, float)
        assert math.isnan(value)
        assert (quality, status) == (Quality.GOOD, 0)
        columns = await session.read([Item(address="holding:1014:int16", gain=0.5, offset=10), Item(address="coil:2", gain=3)])
    assert [(sample.value, sample.type) for _, sample in columns.samples()] == [(9.0, "float64"), (True, "bool")]


async def test_that_only_the_items_in_a_gap_are_bad(port: int) -> None:
    items = [Item(address=f"{unit}/holding:{address}") for address in range(150, 260) for unit in peer.UNITS]
    async with connected(port) as session:
        for _ in range(2):
            columns = await session.read(items)
            assert columns.handle.tolist() == list(range(len(items)))
            for item, (_, sample) in zip(items, columns.samples(), strict=True):
                unit, address = int(item.address[0]), int(item.address.partition(":")[2])
                want = (None, Quality.BAD, 2) if address in peer.GAP else (peer.holding(unit, address), Quality.GOOD, 0)
                assert (sample.value, sample.quality, sample.status) == want, item.address


async def test_that_an_item_that_is_no_address_is_bad_and_the_others_are_read(port: int) -> None:
    async with connected(port) as session:
        columns = await session.read([Item(address="holding:5"), Item(address="nonsense"), Item(address="input:5")])
        states = await session.set_watch([WatchItem(handle=4, address="nonsense")], [])
    assert [sample.value for _, sample in columns.samples()] == [20005, None, 10005]
    assert columns.status.tolist() == [0, BAD_ADDRESS, 0]
    assert states[0].status == BAD_ADDRESS
    assert "no table" in states[0].refused


async def test_that_watched_items_come_at_every_poll_with_their_own_values(port: int) -> None:
    add = [WatchItem(handle=100 + n, address=f"{1 + 2 * (n % 2)}/input:{n}", interval_ms=50 if n % 3 else 200) for n in range(60)]
    async with connected(port) as session:
        states = await session.set_watch(add, [])
        assert [state.interval_ms for state in states] == [item.interval_ms for item in add]
        counts: dict[int, int] = {}

        def take(event: Event) -> bool:
            if isinstance(event, SampleColumns):
                for handle, sample in event.samples():
                    number = handle - 100
                    assert sample.value == peer.register_of_input(1 + 2 * (number % 2), number)
                    counts[handle] = counts.get(handle, 0) + 1
            return len(counts) == 60 and counts[101] >= 6

        await next_of(session, take)
        assert counts[100] < counts[101]


@pytest.mark.parametrize("blocks", [1, 5])
async def test_that_a_handle_given_to_another_item_never_carries_the_old_value(blocks: int) -> None:
    """The change comes while the old item's request is under way (1 block), or while it still waits for its turn (5 blocks)."""
    asked = asyncio.Event()

    async def answer(request: Request) -> bytes:
        asked.set()
        await asyncio.sleep(0.03)
        return right(request)

    async with fake_device(answer) as device, connected(device.port, ask_identity=False) as session:
        for turn in range(8):
            first = 1000 * (turn + 1)
            old = [WatchItem(handle=handle, address=f"holding:{first + handle * 200}", interval_ms=10) for handle in range(blocks)]
            new = [WatchItem(handle=handle, address=f"holding:{first + handle * 200 + 7}", interval_ms=10) for handle in range(blocks)]
            await session.set_watch(old, range(blocks))
            asked.clear()
            async with asyncio.timeout(2):
                await asked.wait()
            await session.set_watch(new, range(blocks))
            while not session._events.empty():
                session._events.get_nowait()  # what was emitted before the change
            seen: dict[int, set[object]] = {}

            def take(event: Event, seen: dict[int, set[object]] = seen) -> bool:
                if isinstance(event, SampleColumns):
                    for handle, sample in event.samples():
                        seen.setdefault(handle, set()).add(sample.value)
                return len(seen) == blocks

            await next_of(session, take)
            assert seen == {handle: {first + handle * 200 + 7} for handle in range(blocks)}


async def test_that_a_refused_item_is_bad_at_every_poll_but_asked_once() -> None:
    async def answer(request: Request) -> bytes:
        return refusal(request, 2) if request.address <= 3 < request.address + request.length else right(request)

    async with fake_device(answer) as device, connected(device.port, ask_identity=False) as session:
        await session.set_watch([WatchItem(handle=n, address=f"holding:{n}", interval_ms=20) for n in range(8)], [])
        polls: dict[int, list[object]] = {n: [] for n in range(8)}

        def take(event: Event) -> bool:
            if isinstance(event, SampleColumns):
                for handle, sample in event.samples():
                    polls[handle].append((sample.value, sample.status))
            return min(map(len, polls.values())) >= 10

        await next_of(session, take)
        asked = [request for request in device.requests if (request.address, request.length) == (3, 1)]
    assert len(asked) == 1
    for number, values in polls.items():
        assert set(values) == {(None, 2) if number == 3 else (number, 0)}


async def test_that_a_refused_gap_between_good_items_is_bridged_no_more() -> None:
    async def answer(request: Request) -> bytes:
        return refusal(request, 2) if request.address <= 5 < request.address + request.length else right(request)

    async with fake_device(answer) as device, connected(device.port, ask_identity=False) as session:
        items = [Item(address=f"holding:{n}") for n in (2, 3, 8, 9)]
        for _ in range(3):
            assert [sample.value for _, sample in (await session.read(items)).samples()] == [2, 3, 8, 9]
        extents = [(request.address, request.length) for request in device.requests[1:]]
    assert extents == [(2, 8), (2, 2), (8, 2), *[(2, 2), (8, 2)] * 2]


async def test_that_browsing_lists_units_and_tables_and_scans_nothing() -> None:
    async def answer(request: Request) -> bytes:
        return right(request)

    async with fake_device(answer) as device, connected(device.port, unit=7, ask_identity=False) as session:
        top = await session.browse([""])
        below = await session.browse(["3/", "3/holding", "nothing"])
        rows = [part async for part in session.crawl("", 100)]
        assert len(device.requests) == 1
    assert top.id == ("1/", "3/", "7/")
    assert set(top.node_class) == {"unit"}
    assert below.id == ("3/coil", "3/discrete", "3/input", "3/holding")
    assert below.path[3] == "Unit 3/holding"
    assert set(below.errors) == {2}
    assert len(rows[0]) == 15
    assert [rows[0].id[parent - 1] for parent in rows[0].parent[3:]] == ["1/"] * 4 + ["3/"] * 4 + ["7/"] * 4


async def test_that_details_show_raw_words_and_every_reading(port: int) -> None:
    async with connected(port) as session:
        good, single, missing, wrong, unit = await session.details(["3/holding:1000:float32:ABCD", "holding:7", "holding:205", "x", "3/"])
    texts = {attribute.name: attribute.text for attribute in good.attributes}
    assert texts["Value"] == "123.5"
    assert texts["Raw words"] == "0x42F7 0x0000"
    assert texts["float32 ABCD"] == "123.5"
    assert texts["Address (Modicon)"] == "41001"
    assert {"uint32 CDAB", "int16 BADC"} <= {attribute.name for attribute in single.attributes}
    assert missing.error.startswith("IllegalDataAddress (2)")
    assert "no table" in wrong.error
    assert unit.node_class == "unit"
    assert {attribute.name: attribute.text for attribute in unit.attributes}["Default order"] == "CDAB"


async def test_that_a_killed_device_ends_the_session_at_once() -> None:
    number = free_port()
    with modbus_peer(number) as process:
        async with connected(number) as session:
            await next_of(session, lambda event: isinstance(event, Alive))
            killed_s = time.monotonic()
            process.kill()
            ended = await next_of(session, lambda event: isinstance(event, Ended))
            assert time.monotonic() - killed_s < 1
            assert isinstance(ended, Ended)
            assert ended.why == "the device closed the connection"
            assert await read_one(session, "holding:1") == (None, Quality.BAD, NOT_CONNECTED)


async def test_that_an_idle_session_shows_life_every_second_or_so(port: int) -> None:
    async with connected(port) as session:
        times: list[float] = []

        def take(event: Event) -> bool:
            if isinstance(event, Alive):
                times.append(time.monotonic())
                assert event.round_trip_s > 0
            return len(times) == 4

        await next_of(session, take, 8)
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < 1.5


@pytest.mark.parametrize("turns", range(12))
async def test_that_closing_ends_at_whatever_moment_of_a_poll_it_comes(port: int, turns: int) -> None:
    async with connected(port) as session:
        await session.set_watch([WatchItem(handle=1, address="holding:1000:float32", interval_ms=10_000)], [])
        await next_of(session, lambda event: isinstance(event, SampleColumns))
        await session.set_watch([WatchItem(handle=2, address="nonsense", interval_ms=10_000)], [])
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(2):
            await session.close()


# --- connecting goes wrong --------------------------------------------------------------------------------------------------


async def test_that_a_refused_connection_is_named() -> None:
    with pytest.raises(EndpointError, match="connection refused"):
        await discover(f"modbus://127.0.0.1:{free_port()}", 2)
    with pytest.raises(EndpointError, match="connection refused"):
        await discover(f"modbus://localhost:{free_port()}", 2)


async def test_that_an_unknown_host_is_named() -> None:
    with pytest.raises(EndpointError, match="no address is known"):
        await discover("modbus://no-such-host.invalid", 5)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "a web server"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "an SSH server"),
        (b"ERRF\x10\x00\x00\x00", "an OPC UA server"),
        (b"\x99" * 40, "not Modbus TCP: 99 99"),
        (frame(1, 1, registers(1), protocol=7), "not Modbus TCP"),
        (frame(1, 1, registers(1), length=0xFFFF), "not Modbus TCP"),
        (frame(1, 1, b"", length=1), "not Modbus TCP"),
    ],
)
async def test_that_what_is_not_modbus_is_named(reply: bytes, message: str) -> None:
    async def answer(_: Request) -> bytes:
        return reply

    async with fake_device(answer) as device:
        with pytest.raises(EndpointError, match=message):
            await discover(f"modbus://127.0.0.1:{device.port}", 3)


async def test_that_a_device_that_closes_or_keeps_silent_is_told_apart() -> None:
    async def close(_: Request) -> None:
        return None

    async def silent(_: Request) -> bytes:
        return b""

    async with fake_device(close) as device:
        with pytest.raises(EndpointError, match="closed the connection"):
            await discover(f"modbus://127.0.0.1:{device.port}", 3)
    async with fake_device(silent) as device:
        with pytest.raises(EndpointError, match="request to unit 1 was not answered"):
            await discover(f"modbus://127.0.0.1:{device.port}", 1)


async def test_that_an_exception_reply_proves_modbus_and_a_missing_unit_behind_a_gateway_is_noted() -> None:
    async def answer(request: Request) -> bytes:
        return refusal(request, 11)

    async with fake_device(answer) as device:
        report = await discover(f"modbus://127.0.0.1:{device.port}?unit=5", 3)
    assert report.title == "Modbus TCP device"
    assert "GatewayTargetDeviceFailedToRespond (11)" in report.notes[0]


async def test_that_a_device_that_hangs_up_when_asked_who_it_is_is_connected_all_the_same() -> None:
    async def answer(request: Request) -> bytes | None:
        return None if request.function == 0x2B else right(request)

    async with fake_device(answer) as device, connected(device.port) as session:
        assert await read_one(session, "holding:77") == (77, Quality.GOOD, 0)
