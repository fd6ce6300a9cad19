"""What a Modbus device that others wrote must show: connected, browsed, read, watched, on every transport it has.

All of them have 300 items in each table whose values tell unit and address, so that no other reply passes for the right one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.drivers import open_session
from app.drivers.base import Alive, EndpointConfig, Item, Session, UnitSettings, WatchItem
from app.model.columns import SampleColumns
from app.model.values import Quality
from tests.peers.installing import debian_package
from tests.peers.mqtt import running, wait_until
from tests.peers.server_process import free_port

COUNT = 300
TABLES = ("holding", "input", "coil", "discrete")
BAUD = 38400


def expected(unit: int, table: str, address: int) -> float:
    match table:
        case "holding":
            return (address * 257 + unit) & 0xFFFF
        case "input":
            return (address * 263 + unit) & 0xFFFF
        case "coil":
            return (address + unit) % 3 == 0
        case _:
            return (address + unit) % 5 == 0


async def check_device(url: str, units: tuple[int, ...], *, ends: Sequence[str] = TABLES) -> str:
    """Every item of every unit, each one beyond the last refused, and 40 of them watched.

    Args:
        url: Of the device.
        units: That answer at it.
        ends: Tables in which it refuses what lies behind the last item, with IllegalDataAddress.

    Returns:
        What the device says it is.
    """
    config = EndpointConfig(name="device", url=url, units=tuple(UnitSettings(number=unit) for unit in units))
    session = open_session(config)
    try:
        report = await session.open(10)
        assert {row.split("/")[0] for row in (await session.browse([""])).id} >= {str(unit) for unit in units}
        wanted = [(unit, table, address) for unit in units for table in TABLES for address in range(COUNT)]
        columns = await session.read([Item(address=f"{unit}/{table}:{address}") for unit, table, address in wanted])
        wrong = [item for row, item in enumerate(wanted) if columns.quality[row] != Quality.GOOD or columns.number[row] != expected(*item)]
        assert wrong == []
        beyond = await session.read([Item(address=f"{units[0]}/{table}:{COUNT}") for table in ends])
        assert set(beyond.status.tolist()) <= {2}, beyond.status.tolist()
        items = [
            WatchItem(handle=row, address=f"{unit}/{table}:{address}", interval_ms=100) for row, (unit, table, address) in _some(wanted)
        ]
        states = await session.set_watch(items, [])
        assert [state.refused for state in states] == [""] * len(items)
        async with asyncio.timeout(20):
            last = await _watched(session, {item.handle for item in items})
        assert {handle: last[handle] for handle in last} == {row: expected(*item) for row, item in _some(wanted)}
    finally:
        await session.close()
    return report.title


def _some(wanted: list[tuple[int, str, int]]) -> list[tuple[int, tuple[int, str, int]]]:
    return [(row, item) for row, item in enumerate(wanted) if row % 29 == 0]


async def _watched(session: Session, handles: set[int]) -> dict[int, float]:
    """The newest value of each handle, after a sign of life and at least one value of each."""
    last: dict[int, float] = {}
    alive = False
    async for event in session.events():
        alive |= isinstance(event, Alive)
        if isinstance(event, SampleColumns):
            assert set(event.quality.tolist()) == {Quality.GOOD}
            last.update(zip(event.handle.tolist(), event.number.tolist(), strict=True))
        if alive and last.keys() == handles:
            return last
    raise AssertionError("the session ended")


@contextmanager
def serial_pair(folder: Path) -> Iterator[tuple[str, str]]:
    """Two serial ports that are connected to each other: pseudo-terminals made by socat."""
    ends = (str(folder / "ours"), str(folder / "theirs"))
    socat = debian_package("socat", "socat")
    with running([socat, *(f"pty,raw,echo=0,link={end}" for end in ends)], folder / "socat.log", cwd=folder):
        wait_until(lambda: all(Path(end).exists() for end in ends), 10, "socat")
        yield ends


@contextmanager
def serial_over_tcp(folder: Path) -> Iterator[tuple[str, str]]:
    """A serial port whose other end is a TCP port, as a serial device server has it: URL for us, device for them."""
    port, end = free_port(), str(folder / "theirs")
    socat = debian_package("socat", "socat")
    listen = f"tcp-listen:{port},bind=127.0.0.1,reuseaddr,fork"
    with running([socat, f"pty,raw,echo=0,link={end}", listen], folder / "socat.log", cwd=folder):
        wait_until(lambda: Path(end).exists(), 10, "socat")
        yield f"modbus-rtutcp://127.0.0.1:{port}", end
