"""OPC UA subscriptions: what a value costs, and whether all arrive, beside node-opcua's client and asyncua's with a handler.

All three get the same notifications from ``tests.peers.opcua_publisher``, each alone and on a core of its own, in turn. Ours is the whole
connector process, counted at the far end of its pipe, where every value is compared with what its handle and tick say that it must be.
CPU is that of the client's process between two moments at which the publisher and the client are asked how far they are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

from app.connector import frames
from app.connector.command import connector_command
from app.drivers.base import EndpointConfig, WatchItem
from app.model.columns import SampleColumns
from app.runtime.process import ConnectorProcess
from tests.peers.installing import npm_packages
from tests.peers.opcua_publisher import FIRST_TICKS, TICKS, URI, value_of
from tests.peers.server_process import free_port

MOST_CPU = 0.5
LEAST_ARRIVED = 0.98
WARM_TICKS = {"node-opcua": 30, "asyncua": 5}
"""node-opcua's client is compiled while it runs; asyncua's would take a minute for as many."""
_NODE_OPCUA = Path(__file__).parents[1] / "peers" / "node_opcua"
_FIRST_NS = (FIRST_TICKS - 116_444_736_000_000_000) * 100
MIXED = tuple(int(digit) for digit in "12143121321142312131241321213112413212135121431212")
LOADS = {"one type (Double)": (1,), "mixed types (2 % text)": MIXED}
"""Numbers of the publisher's variables, watched over and over."""


class Measured(NamedTuple):
    """µs of CPU per value, and the share of what was sent that came."""

    cpu_us: float
    arrived: float


class Peer:
    def __init__(self, interval_ms: int, core: int) -> None:
        self.port = free_port()
        self.url = f"opc.tcp://127.0.0.1:{self.port}/publisher"
        command = [sys.executable, "-m", "tests.peers.opcua_publisher", "--port", str(self.port), "--interval-ms", str(interval_ms)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        pin(self.process.pid, core)
        assert self._line() == "ready", "the publisher did not start"

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def stats(self) -> dict[str, int]:
        self.tell("stats")
        found: dict[str, int] = json.loads(self._line())
        return found

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextmanager
def publisher(interval_ms: int, core: int) -> Iterator[Peer]:
    peer = Peer(interval_ms, core)
    try:
        yield peer
    finally:
        peer.process.kill()
        peer.process.communicate()


def pin(pid: int, core: int) -> None:
    if sys.platform == "linux":
        os.sched_setaffinity(pid, {core % (os.cpu_count() or 1)})


def cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


class Far:
    """The far end of the pipe: counts and checks."""

    def __init__(self, process: ConnectorProcess, numbers: Sequence[int]) -> None:
        self._process = process
        self._numbers = np.array(numbers)
        self.rows: Counter[int] = Counter()  # by tick
        self.gaps: list[str] = []
        self.wrong = 0
        self.watched = 0
        self.opened = asyncio.Event()

    async def read(self) -> None:
        while True:
            frame, columns = await self._process.receive()
            if isinstance(frame, frames.Gap):
                self.gaps.append(frame.why or f"{frame.dropped} dropped")
            elif isinstance(frame, frames.Items):
                self.watched += sum(not state.refused for state in frame.states)
            elif isinstance(frame, frames.Opened):
                self.opened.set()
            elif isinstance(frame, frames.Failed | frames.Lost):
                raise AssertionError(f"the connector gave up: {frame}")
            elif columns is not None:
                self._check(columns)

    def _check(self, columns: SampleColumns) -> None:
        tick = (columns.source_ns - _FIRST_NS) // (100 * TICKS)
        client = columns.handle.astype(np.int64) + 1
        kinds = self._numbers[columns.handle % len(self._numbers)]
        for kind in np.unique(kinds).tolist():
            rows = np.flatnonzero(kinds == kind)
            expected = value_of(kind, client[rows], tick[rows])
            if kind == 5:
                self.wrong += sum(columns.value(row) != text.decode() for row, text in zip(rows.tolist(), expected, strict=True))
            else:
                self.wrong += int(np.count_nonzero(columns.number[rows] != expected))
        ticks, counts = np.unique(tick, return_counts=True)
        self.rows.update(dict(zip(ticks.tolist(), counts.tolist(), strict=True)))


async def ours(peer: Peer, numbers: Sequence[int], items: int, interval_ms: int, seconds: float, core: int) -> Measured:
    process = await ConnectorProcess.start(connector_command(), lambda line: print(f"    connector: {line}", file=sys.stderr))
    pin(process.pid, core)
    far = Far(process, numbers)
    reading = asyncio.create_task(far.read())
    try:
        process.send(frames.Open(config=EndpointConfig(name="bench", url=peer.url, settings={"publishing_interval_ms": interval_ms})))
        async with asyncio.timeout(20):
            await far.opened.wait()
        wanted = [
            WatchItem(address=f"nsu={URI};i={numbers[item % len(numbers)]}", handle=item, interval_ms=interval_ms) for item in range(items)
        ]
        begin = time.monotonic()
        process.send(frames.Watch(add=tuple(wanted)))
        await until(lambda: far.watched >= items, reading)
        print(f"    {items:,} items watched after {time.monotonic() - begin:.1f} s", flush=True)
        peer.tell("go")
        await until(lambda: max(far.rows.values(), default=0) >= items, reading)
        await asyncio.sleep(1.0)
        before, cpu_before = peer.stats(), cpu_s(process.pid)
        await asyncio.sleep(seconds)
        after, cpu_after = peer.stats(), cpu_s(process.pid)
        await asyncio.sleep(1.0)
        ticks = range(before["tick"] + 1, after["tick"] + 1)
        values = sum(far.rows[tick] for tick in ticks)
        sent = after["values"] - before["values"]
        assert far.wrong == 0, f"{far.wrong} values are not those of their handle and tick"
        assert far.gaps == [], far.gaps
        await check_losses(peer, far, items)
        return Measured((cpu_after - cpu_before) / values * 1e6, values / sent)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await process.stop()


async def check_losses(peer: Peer, far: Far, items: int) -> None:
    """A notification that can be had again comes though it was lost; one that cannot is told."""
    waiting = asyncio.current_task()
    assert waiting is not None
    for command, gaps in (("lose", 0), ("skip", 1)):
        tick = peer.stats()["tick"]
        peer.tell(command)
        await until(lambda tick=tick: far.rows[tick + 4] >= items)
        short = [one for one in range(tick + 1, tick + 4) if far.rows[one] < items]
        assert (len(far.gaps), len(short)) == (gaps, gaps), f"{command}: told {far.gaps}, lost {short}"


async def until(done: object, failing: asyncio.Task[None] | None = None, timeout_s: float = 60.0) -> None:
    assert callable(done)
    begin = time.monotonic()
    while not done():
        if failing is not None and failing.done():
            failing.result()
        assert time.monotonic() - begin < timeout_s, "nothing came for too long"
        await asyncio.sleep(0.02)


async def peers(command: Sequence[str], peer: Peer, warm_ticks: int, seconds: float, items: int, core: int) -> Measured:
    """A client that prints what it has, four times a second."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    pin(process.pid, core)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(90):
            while (await process.stdout.readline()).strip() != b"watching":
                assert process.returncode is None, "the client ended"
        peer.tell("go")
        told: dict[str, float] = {}

        async def follow() -> None:
            assert process.stdout is not None
            while line := await process.stdout.readline():
                if line.startswith(b"{"):  # node-opcua prints warnings of its own in between
                    told.update(json.loads(line))

        following = asyncio.create_task(follow())
        await until(lambda: told.get("values", 0) > warm_ticks * items, following, 180.0)
        first, before = dict(told), peer.stats()
        await asyncio.sleep(seconds)
        await until(
            lambda: told["values"] - first["values"] > 3 * items, following, 180.0
        )  # asyncua's takes all that waits before it prints
        last, after = dict(told), peer.stats()
        following.cancel()
        values = last["values"] - first["values"]
        return Measured((last["cpu_s"] - first["cpu_s"]) / values * 1e6, values / (after["values"] - before["values"]))
    finally:
        process.kill()
        await process.wait()


async def measure(options: argparse.Namespace, title: str, numbers: Sequence[int]) -> bool:
    """One load; True where the bounds hold."""
    found: dict[str, list[Measured]] = {}
    shown = [str(number) for number in numbers]
    package = npm_packages(_NODE_OPCUA / "package.json").parent
    program = package / "subscriber.js"
    program.write_bytes((_NODE_OPCUA / "subscriber.js").read_bytes())
    node = shutil.which("node")
    assert node is not None
    for _ in range(options.rounds):
        for name in ("ours", "node-opcua", "asyncua"):
            with publisher(options.interval_ms, options.server_core) as peer:
                arguments = [peer.url, str(options.items), str(options.interval_ms), *shown]
                if name == "ours":
                    one = await ours(peer, numbers, options.items, options.interval_ms, options.seconds, options.core)
                else:
                    command = [node, str(program)] if name == "node-opcua" else [sys.executable, "-m", "tests.benchmarks.opcua_watcher"]
                    one = await peers([*command, *arguments], peer, WARM_TICKS[name], options.seconds, options.items, options.core)
                found.setdefault(name, []).append(one)
    offered = options.items * 1000 / options.interval_ms
    print(f"{title}: {options.items:,} items every {options.interval_ms} ms, {offered:,.0f} values/s offered")
    medians = {name: Measured(*(statistics.median(column) for column in zip(*some, strict=True))) for name, some in found.items()}
    node_us = medians["node-opcua"].cpu_us
    for name, (cpu_us, arrived) in medians.items():
        print(f"  {name:<12} {cpu_us:6.2f} µs of CPU per value, {cpu_us / node_us:5.2f} x node-opcua; {arrived:7.2%} of what was sent came")
    ratio, arrived = medians["ours"].cpu_us / node_us, min(one.arrived for one in found["ours"])
    held = f"CPU {ratio:.2f} (at most {MOST_CPU}), arrived {arrived:.2%} (at least {LEAST_ARRIVED:.0%})"
    print(f"  bounds: {held}, every value compared, one loss made good and one told", flush=True)
    return ratio <= MOST_CPU and arrived >= LEAST_ARRIVED


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--interval-ms", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--core", type=int, default=1, help="of the client")
    parser.add_argument("--server-core", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("CONFIG", "DATA", "CACHE", "LOG"):
            os.environ[f"TAGLOOM_{kind}_DIR"] = str(Path(folder) / kind)
        good = [asyncio.run(measure(options, title, numbers)) for title, numbers in LOADS.items()]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
