"""A session with the difficult OPC UA server, and waiting for what it tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from app.drivers import open_session
from app.drivers.base import EndpointConfig, Event
from app.drivers.opcua.session import OpcUaSession
from app.model.columns import SampleColumns
from app.model.values import Sample


@asynccontextmanager
async def connected(url: str, **settings: bool | float | str) -> AsyncIterator[OpcUaSession]:
    session = open_session(EndpointConfig(name="peer", url=url, settings=settings))
    assert isinstance(session, OpcUaSession)
    try:
        await session.open(10.0)
        yield session
    finally:
        await session.close()


async def until(events: AsyncIterator[Event], done: Callable[[Event], bool], timeout_s: float = 15.0) -> list[Event]:
    """Everything told up to and with the first event that ``done`` accepts."""
    seen: list[Event] = []
    async with asyncio.timeout(timeout_s):
        async for event in events:
            seen.append(event)
            if done(event):
                return seen
    raise AssertionError(f"the events ended without it: {seen}")


async def first_samples(events: AsyncIterator[Event], handles: set[int]) -> dict[int, Sample]:
    found: dict[int, Sample] = {}

    def complete(event: Event) -> bool:
        if isinstance(event, SampleColumns):
            for handle, sample in event.samples():
                found.setdefault(handle, sample)
        return handles <= found.keys()

    await until(events, complete)
    return found
