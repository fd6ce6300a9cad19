"""How much longer a crawl of a slow server takes than the same requests, sent again while nobody looks at the answers."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from typing import Any

from app.drivers import open_session
from app.drivers.base import EndpointConfig
from app.drivers.opcua.session import OpcUaSession
from app.drivers.opcua.session_services import IN_FLIGHT
from tests.peers.opcua_peer import LINE, opcua_peer

ROUNDS = 3


def main(variables: int) -> float:
    """The median ratio of ``ROUNDS``."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    with opcua_peer("--many", str(variables)) as peer:
        pinned(peer.pid, {cores[0]})
        pinned(0, {cores[-1]})
        try:
            return asyncio.run(compared(peer.url, variables))
        finally:
            pinned(0, set(cores))


def pinned(pid: int, cores: set[int]) -> None:
    """To these cores, where the system can; 0 is this process."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, cores)


async def compared(url: str, variables: int) -> float:
    session = open_session(EndpointConfig(name="bench", url=url))
    assert isinstance(session, OpcUaSession)
    await session.open(20.0)
    channel = session._services.channel
    call = channel.call_body
    ratios = []
    try:
        for number in range(ROUNDS + 1):
            asked: list[tuple[Any, ...]] = []

            async def recorded(name: str, type_id: int, body: bytes, asked: list[tuple[Any, ...]] = asked, **more: Any) -> bytes:
                asked.append((name, type_id, body))
                return await call(name, type_id, body, **more)

            channel.call_body = recorded  # type: ignore[method-assign]  # to see what is sent
            begin = time.perf_counter()
            found = [page async for page in session.crawl(LINE + "s=Big", 1_000_000, "values")]
            crawled_s = time.perf_counter() - begin
            channel.call_body = call  # type: ignore[method-assign]
            assert sum(map(len, found)) == variables
            replayed_s = await replayed(call, asked)
            if number:
                ratios.append(crawled_s / replayed_s)
            print(f"  slow   {variables} variables, {len(asked)} requests: {crawled_s:.2f} s; sent again {replayed_s:.2f} s", flush=True)
    finally:
        await session.close()
    return statistics.median(ratios)


async def replayed(call: Any, asked: list[tuple[Any, ...]]) -> float:
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def again(request: tuple[Any, ...]) -> None:
        async with gate:
            await call(*request)

    begin = time.perf_counter()
    await asyncio.gather(*(again(request) for request in asked))
    return time.perf_counter() - begin
