"""Reading 10,000 float32 tags with 30 % holes from a device, next to reading them one by one, as a script with pymodbus does.

The device is a libmodbus C server in a process of its own, pinned to one core, and every client to another. One round is: each way once,
in turn; every value of every way is compared with what the device holds, and the device counts the requests. Ours is the whole session
with its poller, from the socket to columns of samples. Beside it, a C program with libmodbus that reads tag by tag.

Further: how planning grows with the number of tags, and what several requests in flight gain on a device that is 10 ms away.

    python3 run.py bench modbus [--rounds N] [--tags N]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from pymodbus.client import AsyncModbusTcpClient

from app.drivers.base import EndpointConfig, WatchItem
from app.drivers.modbus.plan import Extent, Forbidden, Limits, plan
from app.drivers.modbus.session import ModbusSession
from app.model.columns import SampleColumns
from tests.peers.installing import compiled, debian_package
from tests.peers.modbus_fake import Request, fake_device, right
from tests.peers.mqtt import running, wait_until
from tests.peers.server_process import free_port

SOURCES: Final = Path(__file__).parents[1] / "peers" / "libmodbus"
HOLES: Final = 0.3
FEWER_REQUESTS: Final = 40
FASTER: Final = 25
IN_FLIGHT_GAINS: Final = 3
MOST_S: Final = 60.0
"""For the cycles of one way; then the run has failed."""
GROWTH: Final = 2.0
"""Of planning ten times as many tags: so much more than 10 log(10 n) / log(n) is not n log n any more (n² would be 8)."""


class Cycle(NamedTuple):
    """Of one way, for one reading of all tags."""

    wall_s: float
    cpu_s: float
    requests: float


def chosen(count: int) -> list[int]:
    """Numbers n of the tags at registers 2n and 2n + 1: three of ten in their span are missing."""
    span = round(count / (1 - HOLES))
    numbers = sorted(random.Random(1).sample(range(span), count))
    assert abs(1 - count / span - HOLES) < 0.001
    return numbers


def truth(number: int) -> float:
    return number + 0.25


# --- ways ---------------------------------------------------------------------------------------------------------------


async def counted(port: int) -> tuple[int, int]:
    """Requests that the device has had, and its CPU time in µs."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    words = (await client.read_input_registers(0, count=4)).registers
    client.close()
    return words[0] << 16 | words[1], words[2] << 16 | words[3]


async def tag_by_tag(port: int, numbers: list[int]) -> Cycle:
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    values: list[object] = []
    began_s, cpu_s = time.perf_counter(), time.process_time()
    for number in numbers:
        reply = await client.read_holding_registers(2 * number, count=2)
        values.append(client.convert_from_registers(reply.registers, client.DATATYPE.FLOAT32))
    taken = Cycle(time.perf_counter() - began_s, time.process_time() - cpu_s, len(numbers))
    client.close()
    assert values == [truth(number) for number in numbers]
    return taken


async def planned(port: int, numbers: list[int], cycles: int, in_flight: int) -> Cycle:
    """Of ours, mean of some cycles after the first two."""
    url = f"modbus://127.0.0.1:{port}"
    session = ModbusSession(EndpointConfig(name="b", url=url, settings={"ask_identity": False, "in_flight": in_flight}))
    try:
        await session.open(5)
        before = session._wire.requests
        await session.set_watch([WatchItem(handle=n, address=f"holding:{2 * n}:float32", interval_ms=10) for n in numbers], [])
        return await _cycles(session, numbers, cycles, before)
    finally:
        await session.close()


async def _cycles(session: ModbusSession, numbers: list[int], cycles: int, before: int) -> Cycle:
    """From one delivery to a later one: what is delivered together may hold the end of one cycle and the beginning of the next."""
    latest: dict[int, float] = {}
    seen, marks = 0, list[tuple[float, float, int, int]]()
    async with asyncio.timeout(MOST_S):
        async for event in session.events():
            if not isinstance(event, SampleColumns):
                continue
            if seen < len(numbers):
                latest.update(zip(event.handle.tolist(), event.number.tolist(), strict=True))
            assert not event.quality.any()
            seen += len(event)
            if seen >= (2 + cycles * len(marks)) * len(numbers):
                marks.append((time.perf_counter(), time.process_time(), session._wire.requests, seen))
            if len(marks) == 2:
                break
    assert latest == {number: truth(number) for number in numbers}
    assert marks[0][2] > before
    (wall_s, cpu_s, requests, had), (end_s, end_cpu_s, all_requests, all_had) = marks
    done = (all_had - had) / len(numbers)
    return Cycle((end_s - wall_s) / done, (end_cpu_s - cpu_s) / done, (all_requests - requests) / done)


def in_c(program: Path, port: int, numbers: list[int]) -> Cycle:
    done = subprocess.run([str(program), str(port), "1"], input="\n".join(map(str, numbers)), capture_output=True, text=True, check=True)
    wall_s, cpu_s = map(float, done.stdout.split())
    return Cycle(wall_s, cpu_s, len(numbers))


# --- the device ---------------------------------------------------------------------------------------------------------


def pin(*, first: bool) -> None:
    """This process and those that it starts from now on, to the first or the last core."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {0 if first else (os.cpu_count() or 1) - 1})


@contextmanager
def device(folder: Path, flags: list[str]) -> Iterator[int]:
    port, log = free_port(), folder / "log"
    pin(first=False)
    with running([str(compiled(SOURCES / "block_server.c", flags)), str(port)], log, cwd=folder):
        pin(first=True)
        wait_until(lambda: "ready" in log.read_text(), 20, "the device")
        yield port


def compare(tags: int, rounds: int) -> list[str]:
    """Print the ways side by side; what missed its bound."""
    debian_package("/usr/include/modbus/modbus.h", "libmodbus-dev", "pkg-config", "gcc")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmodbus"], check=True, capture_output=True, text=True).stdout.split()
    numbers = chosen(tags)
    taken: dict[str, list[Cycle]] = {}
    with tempfile.TemporaryDirectory() as folder, device(Path(folder), flags) as port:
        client = compiled(SOURCES / "tag_client.c", flags)
        for _ in range(rounds):
            for name, cycle in _round(client, port, numbers):
                taken.setdefault(name, []).append(cycle)
    print(f"{tags:,} float32 tags, {HOLES:.0%} holes; device and clients on a core each; medians of {rounds} rounds, values compared")
    naive = taken["pymodbus, tag by tag"]
    ratios = {}
    for name, cycles in taken.items():
        wall, cpu, requests = (statistics.median(getattr(one, field) for one in cycles) for field in Cycle._fields)
        ratios[name] = statistics.median(slow.wall_s / one.wall_s for slow, one in zip(naive, cycles, strict=True))
        spent = statistics.median(slow.cpu_s / one.cpu_s for slow, one in zip(naive, cycles, strict=True))
        print(
            f"  {name:<24} {requests:8,.0f} requests  {wall * 1000:8.1f} ms {ratios[name]:6.1f} x   CPU {cpu * 1000:8.1f} ms {spent:6.1f} x"
        )
    ours = taken["ours, one at a time"]
    fewer = tags / max(one.requests for one in ours)
    return [
        *_bound("requests, tag by tag / ours", fewer, FEWER_REQUESTS),
        *_bound("cycle, pymodbus tag by tag / ours", ratios["ours, one at a time"], FASTER),
        *_bound("cycle, pymodbus tag by tag / ours as it is found out", ratios["ours, found out"], FASTER),
    ]


def _round(client: Path, port: int, numbers: list[int]) -> Iterator[tuple[str, Cycle]]:
    before, _ = asyncio.run(counted(port))
    yield "pymodbus, tag by tag", asyncio.run(tag_by_tag(port, numbers))
    after, _ = asyncio.run(counted(port))
    assert after - before == len(numbers), "the device counted other requests than were made"
    yield "ours, one at a time", asyncio.run(planned(port, numbers, 20, 1))
    yield "ours, found out", asyncio.run(planned(port, numbers, 20, 0))
    yield "ours, 8 in flight", asyncio.run(planned(port, numbers, 20, 8))
    yield "libmodbus C, tag by tag", in_c(client, port, numbers)


def _bound(what: str, ratio: float, bound: float) -> list[str]:
    print(f"  {what}: {ratio:.1f}, at least {bound:g} {'' if ratio >= bound else '  MISSED'}")
    return [] if ratio >= bound else [what]


# --- planning -----------------------------------------------------------------------------------------------------------


def planning(tags: int) -> list[str]:
    """Growth of planning, with and without forbidden ranges and refused registers."""
    missed = []
    for name, excluded in (("", False), (", a range forbidden in every thousand registers", True)):
        small, large = (_plan_s(count, excluded) for count in (tags, 10 * tags))
        fair = 10 * math.log(10 * tags) / math.log(tags)
        grown = large / small / fair
        ok = grown <= GROWTH
        print(
            f"  planning {tags:,} tags{name}: {small * 1000:.1f} ms, {10 * tags:,}: {large * 1000:.1f} ms, "
            f"{large / small:.1f} x for 10 x as many; {grown:.2f} of n log n, at most {GROWTH:g}{'' if ok else '  MISSED'}"
        )
        missed += [] if ok else [f"planning{name}"]
    return missed


def _plan_s(tags: int, excluded: bool) -> float:
    units = -(-tags // 20_000)
    extents = [Extent(1 + n % units, "holding", 2 * (n // units), 2) for n in chosen(tags)]
    random.Random(2).shuffle(extents)
    forbidden = Forbidden()
    if excluded:
        forbidden.excluded = tuple(Extent(1 + unit, "holding", at, 3) for unit in range(units) for at in range(500, 65000, 1000))
        for unit in range(units):
            for at in range(0, 65000, 1000):
                forbidden.add(Extent(1 + unit, "holding", at + 1, 1), 2, 0.0)
    taken = []
    for _ in range(5):
        began_s = time.process_time()
        blocks = plan(extents, Limits(), forbidden)
        taken.append(time.process_time() - began_s)
    assert sum(len(block.items) for block in blocks) == tags
    return min(taken)


# --- in flight ----------------------------------------------------------------------------------------------------------


async def far_away(numbers: list[int]) -> list[str]:
    """On a device that takes 10 ms for every reply, however many are under way."""

    async def answer(request: Request) -> bytes:
        await asyncio.sleep(0.01)
        return right(request)

    async def cycle_s(in_flight: int) -> float:
        async with fake_device(answer) as fake:
            config = EndpointConfig(
                name="b", url=f"modbus://127.0.0.1:{fake.port}", settings={"ask_identity": False, "in_flight": in_flight, "confirm": False}
            )
            session = ModbusSession(config)
            try:
                await session.open(5)
                await session.set_watch([WatchItem(handle=2 * n, address=f"holding:{2 * n}", interval_ms=10) for n in numbers], [])
                seen, began_s = 0, 0.0
                async for event in session.events():
                    if isinstance(event, SampleColumns):
                        assert (event.number == event.handle).all()
                        seen += len(event)
                    if not began_s and seen >= 3 * len(numbers):
                        began_s, seen = time.perf_counter(), 0
                    elif began_s and seen >= 2 * len(numbers):
                        return (time.perf_counter() - began_s) / seen * len(numbers)
            finally:
                await session.close()
        raise AssertionError

    one, found = await cycle_s(1), await cycle_s(0)
    print(f"  10 ms away, {len(numbers):,} tags: one at a time {one * 1000:.0f} ms a cycle, as it is found out {found * 1000:.0f} ms")
    return _bound("cycle, one at a time / as it is found out", one / found, IN_FLIGHT_GAINS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tags", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    missed = [
        *compare(arguments.tags, arguments.rounds),
        *planning(arguments.tags),
        *asyncio.run(far_away(chosen(4000))),
    ]
    if missed:
        sys.exit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
