"""Modbus over a serial line and RTU frames over TCP: against real pymodbus servers, and who has the port; what went over the wire."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from app.drivers.base import Ended, EndpointConfig, Event, Exchange, Item, Traffic, WatchItem
from app.drivers.modbus.session import ModbusSession, discover
from app.drivers.modbus.spec import NO_RESPONSE, NOT_CONNECTED
from app.errors import EndpointError
from app.model.columns import SampleColumns
from app.model.values import Quality
from tests.peers import modbus_server as peer
from tests.peers.modbus_fake import Request, fake_device
from tests.peers.modbus_fake import right as right_tcp
from tests.peers.modbus_peer import connected_at, modbus_peer, next_of, read_one
from tests.peers.rtu_fake import RtuRequest, right, rtu_port, value
from tests.peers.serial_line import needs_terminals, serial_cable
from tests.peers.server_process import free_port

ROOT = Path(__file__).parents[2]

connected = partial(connected_at, ask_identity=False)


async def answer_right(request: RtuRequest) -> bytes:
    return right(request)


# --- real servers -----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def real_serial_line() -> AsyncIterator[str]:
    async with serial_cable() as (near, far):
        with modbus_peer(far, "rtu"):
            yield f"modbus-rtu:{near}?parity=N"


@asynccontextmanager
async def real_rtu_over_tcp() -> AsyncIterator[str]:
    port = free_port()
    with modbus_peer(port, "rtutcp"):
        yield f"modbus-rtutcp://127.0.0.1:{port}"


Real = Callable[[], AbstractAsyncContextManager[str]]
real = pytest.mark.parametrize(
    "start", [pytest.param(real_serial_line, marks=needs_terminals, id="port"), pytest.param(real_rtu_over_tcp, id="tcp")]
)


@real
async def test_that_a_real_server_is_read_with_every_table_type_and_unit(start: Real) -> None:
    async with start() as url:
        report = await discover(url, 5)
        assert report.title == report.identity.product == "Loom T-1 2.3"
        assert 0 < report.round_trip_s < 5
        async with connected(url) as session:
            for address, want in (
                ("1/holding:1000:float32", 123.5),
                ("3/holding:1002:float32", 123.5),
                ("holding:1006:int64", 2**60 + 1),
                ("holding:1020:str8", "Tagloom"),
                ("3/input:7", 30007),
                ("coil:2", True),
                ("coil:3", False),
                ("3/discrete:0", False),
            ):
                assert await read_one(session, address) == (want, Quality.GOOD, 0), address
            assert await read_one(session, "holding:205") == (None, Quality.BAD, 2)
            many = [Item(address=f"{unit}/input:{n}") for unit in peer.UNITS for n in range(0, 400, 3)]
            columns = await session.read(many)
            for item, (_, sample) in zip(many, columns.samples(), strict=True):
                unit, number = int(item.address[0]), int(item.address.partition(":")[2])
                assert sample.value == peer.register_of_input(unit, number)
            assert await session._wire.raw(3, b"\x04\x00\x07\x00\x01") == b"\x04\x02" + (30007).to_bytes(2, "big")
            assert await session._wire.identify(1) == {0: "Loom", 1: "T-1", 2: "2.3"}


@real
async def test_that_watching_a_real_server_shows_values_while_a_unit_beside_it_is_dead(start: Real) -> None:
    async with start() as url, connected(url, timeout_s=0.2) as session:
        add = [WatchItem(handle=n, address=f"{1 + 2 * (n % 2)}/input:{n}", interval_ms=100) for n in range(20)]
        add += [WatchItem(handle=100 + n, address=f"9/holding:{n * 200}", interval_ms=100) for n in range(10)]
        await session.set_watch(add, [])
        counts: dict[int, int] = {}

        def take(event: Event) -> bool:
            assert not isinstance(event, Ended), event.why
            if isinstance(event, SampleColumns):
                for handle, sample in event.samples():
                    if handle < 100:
                        assert sample.value == peer.register_of_input(1 + 2 * (handle % 2), handle)
                        counts[handle] = counts.get(handle, 0) + 1
                    else:
                        assert sample.status == NO_RESPONSE
            return len(counts) == 20 and min(counts.values()) >= 6

        started_s = time.monotonic()
        await next_of(session, take, 15)
        assert time.monotonic() - started_s < 10


async def test_that_an_rtu_converter_asked_with_modbus_tcp_and_the_other_way_is_named() -> None:
    port = free_port()
    with modbus_peer(port), pytest.raises(EndpointError) as refused:
        await discover(f"modbus-rtutcp://127.0.0.1:{port}", 2)
    assert refused.value.what == "No Modbus reply"
    assert "Modbus RTU over TCP" in refused.value.fix


# --- the serial port --------------------------------------------------------------------------------------------------------


@needs_terminals
async def test_that_closing_gives_the_port_back_and_a_second_opener_is_told_who_has_it() -> None:
    async with rtu_port(answer_right) as line:
        session = ModbusSession(EndpointConfig(name="m", url=line.url))
        report = await session.open(5)
        assert report.granted["Serial line"] == "115200 baud, 8 data bits, no parity, 1 stop bit"
        assert report.url == line.url
        with pytest.raises(EndpointError, match="is in use by another program") as refused:
            await discover(line.url, 5)
        assert refused.value.fix.startswith("Close the other program")
        await session.close()
        await session.close()
        assert (await discover(line.url, 5)).title == "Modbus RTU device"
        async with connected(line.url) as again:
            assert await read_one(again, "holding:7") == (value(1, 7), Quality.GOOD, 0)


@needs_terminals
async def test_that_a_failed_open_gives_the_port_back_as_well() -> None:
    async def silent(_: RtuRequest) -> bytes:
        return b""

    async with rtu_port(silent) as line:
        for _ in range(2):
            with pytest.raises(EndpointError, match="was not answered") as refused:
                await discover(line.url + "&unit=4", 0.5)
            assert "115200 baud" in refused.value.why
            assert "baud rate and parity" in refused.value.fix


async def test_that_a_port_that_is_not_there_or_not_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(EndpointError, match="there is no such serial port") as refused:
        await discover("modbus-rtu:/dev/no-such-port", 5)
    assert refused.value.where == "/dev/no-such-port"
    assert "This computer has" in refused.value.fix
    if sys.platform != "win32" and " " not in str(tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(EndpointError) as refused:
            await discover(f"modbus-rtu:{tmp_path}/file", 5)
        assert refused.value.why


@needs_terminals
async def test_that_an_adapter_that_is_pulled_out_ends_the_session() -> None:
    async with rtu_port(answer_right) as line, connected(line.url) as session:
        line.pull()
        ended = await next_of(session, lambda event: isinstance(event, Ended))
        assert isinstance(ended, Ended)
        assert "unplugged" in ended.why
        assert await read_one(session, "holding:1") == (None, Quality.BAD, NOT_CONNECTED)


# --- devices that allow one client ------------------------------------------------------------------------------------------


class OneClient:
    """Serves one TCP connection at a time; a second one is treated as ``refuse`` says until the first is gone."""

    def __init__(self, refuse: str) -> None:
        self.refuse = refuse
        self.serving: asyncio.StreamWriter | None = None
        self.free = asyncio.Event()
        self.turned_away: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.serving is not None:
            self.turned_away.append(writer)
            if self.refuse == "reset":
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if self.refuse != "silent":
                writer.transport.abort() if self.refuse == "reset" else writer.close()
            return
        self.serving = writer
        self.free.clear()
        try:
            while header := await reader.readexactly(7):
                pdu = await reader.readexactly(int.from_bytes(header[4:6], "big") - 1)
                writer.write(header[:4] + b"\x00\x05" + header[6:7] + bytes((pdu[0], 2)) + pdu[1:3])
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.serving = None
            self.free.set()
            writer.close()


@asynccontextmanager
async def one_client(refuse: str) -> AsyncIterator[tuple[OneClient, str]]:
    device = OneClient(refuse)
    running = await asyncio.start_server(device.serve, "127.0.0.1", 0)
    try:
        yield device, f"modbus://127.0.0.1:{running.sockets[0].getsockname()[1]}"
    finally:
        running.close()
        for writer in device.turned_away:
            writer.close()


@pytest.mark.parametrize("refuse", ["close", "reset", "silent"])
async def test_that_a_device_that_refuses_a_second_client_is_named_as_such_and_disconnecting_makes_room(refuse: str) -> None:
    async with one_client(refuse) as (device, url):
        async with connected(url):
            with pytest.raises(EndpointError) as refused:
                async with connected(url, timeout_s=0.3):
                    pass
        told = refused.value
        assert "one client at a time" in f"{told.why} {told.fix}"
        assert "close the other program" in told.fix.lower()
        assert "the HMI, another Modbus master" in told.fix
        async with connected(url, timeout_s=2.0) as again:  # only possible because closing really closed
            assert await read_one(again, "holding:9") == (9, Quality.GOOD, 0)
        async with asyncio.timeout(2):
            await device.free.wait()


# --- what went over the wire ------------------------------------------------------------------------------------------------


async def test_that_the_wire_of_a_tcp_connection_is_told_with_times_meaning_and_trouble() -> None:
    async def answer(request: Request) -> bytes:
        if request.address == 50:
            await asyncio.sleep(0.15)
        return right_tcp(request)

    async with fake_device(answer) as device, connected(f"modbus://127.0.0.1:{device.port}", timeout_s=0.1, retries=0) as session:
        assert session._recorder.take() is None
        session.trace(True)
        assert (await read_one(session, "holding:50"))[2] == NO_RESPONSE
        assert await read_one(session, "3/input:51") == (51, Quality.GOOD, 0)
        told: list[Exchange] = []

        def take(event: Event) -> bool:
            if isinstance(event, Traffic):
                told.extend(event.exchanges)
            return len(told) >= 5

        await next_of(session, take)
        session.trace(False)
        await read_one(session, "holding:52")
        assert session._recorder.take() is None
    assert sorted((one.sent, one.text) for one in told[:5]) == [
        (False, "1 register: 0032"),
        (False, "1 register: 0033"),
        (False, "no reply"),
        (True, "Read holding 50 of unit 1"),
        (True, "Read input 51 of unit 3"),
    ]
    by_text = {one.text: one for one in told}
    assert "given up" in by_text["1 register: 0032"].trouble
    assert "no reply within" in by_text["no reply"].trouble
    assert by_text["1 register: 0033"].round_trip_s > 0
    assert by_text["1 register: 0033"].trouble == ""
    assert all(one.size == len(one.data) and abs(one.at_ns - time.time_ns()) < 60e9 for one in told)
