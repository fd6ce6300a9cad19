"""Connectors that are ended, or end by themselves, leave no process and no descriptor behind."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from typing import cast
from unittest.mock import Mock

import psutil
import pytest

from app.connector import frames
from app.connector.loop import Connector
from app.connector.pipes import Outbox
from app.drivers.base import EndpointConfig, Item, Session
from app.errors import EndpointError
from app.runtime.process import ConnectorGoneError, ConnectorProcess

COMMAND = [sys.executable, "-m", "tests.peers.sim_connector"]


async def until_gone(process: ConnectorProcess) -> None:
    while True:
        await process.receive()


async def lived(how: str) -> None:
    """One connector from start to end."""
    process = await ConnectorProcess.start(COMMAND, lambda _: None)
    try:
        process.send(frames.Open(config=EndpointConfig(name="Sim", url="sim://x"), timeout_s=5))
        while not isinstance((await process.receive())[0], frames.Opened):
            pass
        if how == "killed":
            psutil.Process(process.pid).kill()
        elif how == "crashes":
            process.send(frames.Read(token=1, items=(Item(address="do:crash"),)))
        if how != "asked":
            with pytest.raises(ConnectorGoneError):
                await until_gone(process)
    finally:
        await process.stop()


def descriptors() -> int:
    count = 0  # handles on Windows are counted by the system's own caches too
    if sys.platform != "win32":
        count = psutil.Process().num_fds()
    return count


async def test_that_ended_connectors_leave_no_process_and_no_descriptor() -> None:
    await lived("asked")  # what the loop itself opens once is open now
    me = psutil.Process()
    before = descriptors(), len(me.children())
    await asyncio.gather(*(lived(how) for how in ("asked", "killed", "crashes") for _ in range(2)))
    assert (descriptors(), len(me.children())) == before


class Circular:
    """A session that cannot connect, and refers to itself as sessions do."""

    def __init__(self) -> None:
        self.itself = self

    async def open(self, _: float) -> None:
        raise EndpointError("Cannot connect", where="x", why="nobody is there")

    async def close(self) -> None:
        pass


async def test_that_of_earlier_sessions_nothing_stays_though_they_refer_to_themselves() -> None:
    made: list[weakref.ref[Circular]] = []

    def open_session(_: EndpointConfig) -> Session:
        session = Circular()
        made.append(weakref.ref(session))
        return cast(Session, session)

    outbox, told = Mock(spec=Outbox), asyncio.Event()
    outbox.put.side_effect = lambda _: told.set()
    connector = Connector(outbox, open_session, Mock())
    gc.disable()
    try:
        for _ in range(5):
            connector.handle(frames.Open(config=EndpointConfig(name="x", url="sim://x"), timeout_s=1))
            await told.wait()
            told.clear()
        assert [session() for session in made[:-1]] == [None] * 4
    finally:
        gc.enable()
        await connector.close()
