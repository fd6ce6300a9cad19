"""A link of 200 ms round trip and 256 kbit/s, and one of 1.2 s: slow, but nothing is lost, and nothing is called lost that is not.

Bounds of time count from answers of the product's own, over a proxy that makes the way long.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest

from app.drivers.base import BrowseColumns, Exchange
from app.edits import Editor
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Tag
from app.model.project import Project, ProjectInfo
from app.runtime.live import LiveProject
from app.runtime.patience import LinkLimits
from app.runtime.state import LogEntry, Seen
from tests.peers.fault_proxy import FaultProxy, fault_proxy
from tests.peers.modbus_peer import modbus_peer
from tests.peers.opcua_counters import URI
from tests.peers.server_process import free_port

RATE = 256_000 / 8
TAGS = 500
CHILDREN = 200
FIRST_LEVEL_S = 2.0
OBJECTS = "nsu=http://opcfoundation.org/UA/;i=85"


@contextmanager
def peer(*command: str) -> Iterator[Callable[[], str]]:
    """What it gives asks the peer, and says what that answers."""
    process = subprocess.Popen([sys.executable, "-m", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        asking, answers = process.stdin, process.stdout

        def asked() -> str:
            asking.write("?\n")
            asking.flush()
            return answers.readline().strip()

        assert answers.readline() == "ready\n"
        yield asked
    finally:
        process.kill()
        process.communicate()


@dataclass
class Watch:
    """A project at both servers over the slow link, and what came of it."""

    live: LiveProject
    overwritten: Callable[[], str]
    logs: list[LogEntry] = field(default_factory=list)
    counts: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    polled: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wire: list[Exchange] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)

    def on_samples(self, tags: Mapping[int, str], columns: SampleColumns) -> None:
        for handle, number in zip(columns.handle.tolist(), columns.number.tolist(), strict=True):
            tag = tags.get(handle, "")
            if tag.startswith("o"):
                self.counts[tag].append(int(number))
            else:
                self.polled[tag] += 1

    def on_traffic(self, seen: Seen) -> None:
        self.wire += [exchange for exchange in seen.exchanges if seen.endpoint == "opcua" and not exchange.text.startswith("Publish")]

    def pump(self) -> None:
        self.logs += self.live.pump().logs
        for endpoint in ("opcua", "modbus"):
            phase = f"{endpoint} {self.live.state(endpoint).phase}"
            if phase not in self.phases[-2:]:
                self.phases.append(phase)

    def until(self, condition: Callable[[], object], timeout_s: float) -> float:
        begun = time.monotonic()
        while not condition():
            assert time.monotonic() - begun < timeout_s, f"it never became so: {self.told()}"
            time.sleep(0.02)
            self.pump()
        return time.monotonic() - begun

    def stay(self, seconds: float) -> None:
        begun = time.monotonic()
        self.until(lambda: time.monotonic() - begun > seconds, seconds + 5)

    def told(self) -> list[str]:
        return [f"{entry.level} {entry.source}: {entry.text}" for entry in self.logs if entry.level != "INFO"]

    def browsed(self, node: str) -> tuple[BrowseColumns, float, int]:
        """The children, how long it took, and how many round trips one after the other."""
        self.wire.clear()
        begun = time.monotonic()
        found = self.live.wait(self.live.browse("opcua", [node]), 30)
        took_s = time.monotonic() - begun
        assert isinstance(found, BrowseColumns)
        self.stay(0.5)
        trips = sum(
            1 for before, one in zip([None, *self.wire], self.wire, strict=False) if one.sent and (before is None or not before.sent)
        )
        return found, took_s, trips

    def __str__(self) -> str:
        values = sum(map(len, self.counts.values()))
        return (
            f"{values} OPC UA values, {self.lost_opcua()} lost, {self.overwritten()} overwritten by the server, "
            f"{sum(self.polled.values())} Modbus values, told {self.told()}"
        )

    def lost_opcua(self) -> int:
        """Values that never came between the first and the last of each tag: each number is sent once."""
        return sum(numbers[-1] - numbers[0] + 1 - len(numbers) for numbers in self.counts.values() if numbers)


@contextmanager
def slow(delay_s: float, **modbus: float) -> Iterator[tuple[Watch, list[FaultProxy]]]:
    """``modbus``: settings of its endpoint."""
    ports = free_port(), free_port()
    with ExitStack() as stack:
        counters = peer("tests.peers.opcua_counters", "--port", str(ports[0]), "--tags", str(TAGS), "--children", str(CHILDREN))
        overwritten = stack.enter_context(counters)
        stack.enter_context(modbus_peer(ports[1]))
        links = [stack.enter_context(fault_proxy(port)) for port in ports]
        for link in links:
            link.delay(delay_s)
            link.limit(RATE)
        tags = [Tag(id=f"o{n}", endpoint="opcua", address=f"nsu={URI};i={n}", name=f"o{n}") for n in range(1, TAGS + 1)]
        tags += [
            Tag(id=f"m{n}", endpoint="modbus", address=f"1/input:{n}:uint16", name=f"m{n}") for n in range(TAGS // 2) if not 190 <= n < 220
        ]
        endpoints = [
            Endpoint(id="opcua", name="Line", addresses={"default": f"opc.tcp://127.0.0.1:{links[0].port}/"}),
            Endpoint(id="modbus", name="Meter", addresses={"default": f"modbus://127.0.0.1:{links[1].port}"}, settings=dict(modbus)),
        ]
        limits = LinkLimits(open_timeout_s=40.0)  # a busy machine takes long to start a connector
        live = LiveProject(Editor(Project(ProjectInfo(id="p", name="P"), [*endpoints, *tags])), limits=limits)
        watch = Watch(live, overwritten)
        live.on_samples, live.on_traffic = watch.on_samples, watch.on_traffic
        try:
            live.trace("opcua", True)
            live.connect_all()
            watch.until(lambda: all(live.state(one.id).phase == "connected" for one in endpoints), 60)
            yield watch, links
        finally:
            live.close()


def watched(watch: Watch, seconds: float) -> None:
    """All tags, for so long."""
    tags = list(watch.live.project.all(Tag))
    watch.live.want("table", tags)
    watch.until(lambda: all(tag in watch.counts or tag in watch.polled for tag in tags), 60)
    watch.counts.clear()
    watch.polled.clear()
    watch.stay(seconds)


def check(watch: Watch, seconds: float) -> None:
    assert [phase for phase in watch.phases if "waiting" in phase] == []
    assert watch.told() == []
    assert watch.lost_opcua() == 0
    assert len(watch.counts) == TAGS
    assert min(map(len, watch.counts.values())) > seconds / 2
    assert min(watch.polled.values()) > seconds / 2


def test_that_a_slow_link_loses_no_value_and_is_not_called_lost() -> None:
    with slow(0.1) as (watch, _):
        level, _, trips = watch.browsed("")
        assert len(level) > 2
        assert trips <= 3
        objects, _, trips = watch.browsed(OBJECTS)
        assert f"nsu={URI};s=Many" in objects.id
        assert trips <= 3
        children, _, trips = watch.browsed(f"nsu={URI};s=Many")
        assert len(children) == CHILDREN
        assert trips <= 3
        watched(watch, 8)
        check(watch, 8)


@pytest.mark.prove("slow-link")
@pytest.mark.timeout(1200)
def test_that_ten_minutes_over_a_slow_link_are_ten_minutes_of_values(tell: Callable[[str], None]) -> None:
    with slow(0.1) as (watch, links):
        _, level_s, level_trips = watch.browsed("")
        watch.browsed(OBJECTS)
        _, children_s, children_trips = watch.browsed(f"nsu={URI};s=Many")
        watched(watch, 600)
        tell(
            f"\nfirst level {level_s:.2f} s in {level_trips} round trips, {CHILDREN} children {children_s:.2f} s in {children_trips}, "
            f"{watch}, connections {[link.counts.connections for link in links]}"
        )
        assert level_s <= FIRST_LEVEL_S
        assert max(level_trips, children_trips) <= 3
        check(watch, 600)


@pytest.mark.prove("slow-link")
@pytest.mark.timeout(600)
def test_that_a_round_trip_of_more_than_a_second_is_no_reason_to_connect_again(tell: Callable[[str], None]) -> None:
    with slow(0.6, timeout_s=4.0) as (watch, links):  # of Modbus it is 1 s otherwise, and the log says that it is too short
        watched(watch, 60)
        tell(f"\n1.2 s: {watch}, connections {[link.counts.connections for link in links]}")
        assert [phase for phase in watch.phases if "waiting" in phase] == []
        assert watch.lost_opcua() == 0
