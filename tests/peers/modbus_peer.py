"""The pymodbus server of the tests in a process of its own, and sessions with it or with a fake one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager

from app.drivers.base import EndpointConfig, Event, Item, UnitSettings
from app.drivers.modbus.session import ModbusSession
from app.model.values import Quality


@contextmanager
def modbus_peer(where: str | int, *how: str) -> Iterator[subprocess.Popen[str]]:
    """``where`` and ``how`` as ``tests.peers.modbus_server`` has them: a port of 127.0.0.1, or a serial one."""
    command = [sys.executable, "-m", "tests.peers.modbus_server", str(where), *how]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n", "the Modbus peer did not start"
        yield process
    finally:
        process.kill()
        process.communicate()


@asynccontextmanager
async def connected(port: int, *, unit: int = 1, **settings: bool | float | str) -> AsyncIterator[ModbusSession]:
    """By Modbus TCP."""
    async with connected_at(f"modbus://127.0.0.1:{port}?unit={unit}", **settings) as session:
        yield session


@asynccontextmanager
async def connected_at(url: str, **settings: bool | float | str) -> AsyncIterator[ModbusSession]:
    units = (UnitSettings(number=1), UnitSettings(number=3, order="CDAB"))
    session = ModbusSession(EndpointConfig(name="m", url=url, settings=settings, units=units))
    try:
        await session.open(10)
        yield session
    finally:
        await session.close()


async def read_one(session: ModbusSession, address: str, **scale: float) -> tuple[object, Quality, int]:
    sample = (await session.read([Item(address=address, **scale)])).sample(0)
    return sample.value, sample.quality, sample.status


async def next_of(session: ModbusSession, wanted: Callable[[Event], bool], timeout_s: float = 8) -> Event:
    async with asyncio.timeout(timeout_s), aclosing(session.events()) as events:  # type: ignore[type-var]  # an async generator, though its type does not say so
        async for event in events:
            if wanted(event):
                return event
    raise AssertionError("the events ended")
