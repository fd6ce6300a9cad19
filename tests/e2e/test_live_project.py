"""A live project on the demo plant: the real drivers in real connector processes against real servers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
import pytest

from app.drivers.base import BrowseColumns, EndpointReport, Item, NodeDetails
from app.edits import Editor
from app.edits.edit import replace, with_fields
from app.errors import UserError
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Group, Tag, Unit
from app.model.project import Project, ProjectInfo
from app.model.values import Quality
from app.plant.catalog import POINTS, REGISTERS
from app.plant.process import Plant, start_plant
from app.runtime.live import LiveProject


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    with start_plant() as running:
        yield running


@pytest.fixture
def own_plant() -> Iterator[Plant]:
    """For tests that kill its servers."""
    with start_plant() as running:
        yield running


ADDRESSES = [point.address for point in POINTS]
REGISTER_ADDRESSES = [register.canonical for register in REGISTERS]


@dataclass
class Bench:
    live: LiveProject
    warnings: list[str]

    def until(self, condition: Callable[[], object], timeout_s: float = 15.0) -> float:
        """Pump until it holds; how long it took."""
        begun = time.monotonic()
        while not condition():
            assert time.monotonic() - begun < timeout_s, "it never became so"
            time.sleep(0.02)
            self.warnings += [f"{entry.source}: {entry.text}" for entry in self.live.pump().logs if entry.level in ("WARNING", "ERROR")]
        return time.monotonic() - begun

    def is_live(self, tag: str) -> bool:
        reading = self.live.reading(tag)
        return reading.sample is not None and not reading.stale

    def value(self, tag: str) -> object:
        sample = self.live.reading(tag).sample
        return sample.value if sample is not None else None


@pytest.fixture
def open_project() -> Iterator[Callable[[Plant], Bench]]:
    """A project with both endpoints of a plant, a tag for each of their items, and nothing connected."""
    opened: list[LiveProject] = []

    def make(plant: Plant) -> Bench:
        tags = [Tag(id=f"o{number}", endpoint="opcua", address=address, name=f"o{number}") for number, address in enumerate(ADDRESSES)]
        tags += [
            Tag(id=f"m{number}", endpoint="modbus", address=address, name=f"m{number}", group="fast")
            for number, address in enumerate(REGISTER_ADDRESSES)
        ]
        endpoints = [
            Endpoint(id="opcua", name="Line", addresses={"default": "opc.tcp://plant:4840"}),
            Endpoint(id="modbus", name="Energy", addresses={"default": "modbus://meter:502"}),
        ]
        group = Group(id="fast", name="fast", interval_ms=200)
        project = Project(ProjectInfo(id="p", name="Line"), [*endpoints, group, *tags])
        live = LiveProject(Editor(project), reach={"opcua": plant.opcua_url, "modbus": plant.modbus_url})
        opened.append(live)
        return Bench(live, [])

    yield make
    for live in opened:
        live.close()


def connect(bench: Bench) -> None:
    bench.live.connect_all()
    for endpoint in ("opcua", "modbus"):
        assert isinstance(bench.live.wait_connected(endpoint, 20), EndpointReport)


def tag_at(addresses: list[str], prefix: str, wanted: Callable[[str], bool]) -> str:
    return next(f"{prefix}{number}" for number, address in enumerate(addresses) if wanted(address))


def test_that_both_endpoints_connect_and_every_value_of_the_plant_arrives(plant: Plant, open_project: Callable[[Plant], Bench]) -> None:
    bench = open_project(plant)
    connect(bench)
    tags = list(bench.live.project.all(Tag))
    bench.live.want("table", tags)
    bench.until(lambda: all(bench.live.reading(tag).sample for tag in tags))
    bench.until(lambda: all(bench.is_live(tag) for tag in tags))
    good = [tag for tag in tags if bench.live.reading(tag).sample.quality is Quality.GOOD]  # type: ignore[union-attr]  # seen above
    assert len(good) > 0.95 * len(tags)
    for tag in set(tags) - set(good):
        assert bench.live.reading(tag).problem or bench.live.reading(tag).sample.quality is Quality.UNCERTAIN  # type: ignore[union-attr]
    opcua, modbus = bench.live.state("opcua"), bench.live.state("modbus")
    assert (opcua.items, modbus.items) == (len(ADDRESSES), len(REGISTER_ADDRESSES))
    bench.until(lambda: bench.live.state("opcua").values_per_s > 50 and bench.live.state("modbus").values_per_s > 50)
    assert bench.live.state("opcua").memory_bytes < 300 * 2**20
    assert opcua.report is not None
    assert modbus.report is not None
    assert bench.warnings == []


def test_that_the_address_space_is_browsed_crawled_and_described(plant: Plant, open_project: Callable[[Plant], Bench]) -> None:
    bench = open_project(plant)
    connect(bench)
    top = bench.live.wait(bench.live.browse("opcua", [""]), 10)
    assert isinstance(top, BrowseColumns)
    assert len(top) > 0
    everything = bench.live.wait(bench.live.crawl("opcua", "", 10_000), 30)
    assert isinstance(everything, BrowseColumns)
    assert set(ADDRESSES) <= set(everything.id)
    details = bench.live.wait(bench.live.details("opcua", ADDRESSES[:5]), 10)
    assert isinstance(details, list)
    assert [(one.id, one.error) for one in details if isinstance(one, NodeDetails)] == [(address, "") for address in ADDRESSES[:5]]
    units = bench.live.wait(bench.live.browse("modbus", [""]), 10)
    assert isinstance(units, BrowseColumns)
    assert len(units) > 0
    read = bench.live.wait(bench.live.read("modbus", [Item(address=address) for address in REGISTER_ADDRESSES]), 10)
    assert isinstance(read, SampleColumns)
    assert all(sample.quality is Quality.GOOD for _, sample in read.samples())


@pytest.mark.parametrize(("endpoint", "prefix"), [("opcua", "o"), ("modbus", "m")])
def test_that_a_killed_server_is_stale_within_three_seconds_and_live_again_after_its_return(
    own_plant: Plant, open_project: Callable[[Plant], Bench], endpoint: str, prefix: str
) -> None:
    bench = open_project(own_plant)
    connect(bench)
    tags = [f"{prefix}{number}" for number in range(10)]
    bench.live.want("table", tags)
    bench.until(lambda: all(bench.is_live(tag) for tag in tags))
    connector = bench.live.state(endpoint).memory_bytes
    own_plant.kill_opcua() if endpoint == "opcua" else own_plant.kill_modbus()
    assert bench.until(lambda: all(bench.live.reading(tag).stale for tag in tags)) < 3
    bench.until(lambda: bench.live.state(endpoint).phase == "waiting")
    assert bench.live.state(endpoint).why is not None
    assert all(bench.live.reading(tag).problem.startswith("not connected: ") for tag in tags)
    other = "modbus" if endpoint == "opcua" else "opcua"
    assert not bench.live.state(other).stale
    time.sleep(2)  # a few attempts that fail
    own_plant.restart_opcua() if endpoint == "opcua" else own_plant.restart_modbus()
    assert bench.until(lambda: all(bench.is_live(tag) for tag in tags), 20) < 10
    assert len(bench.warnings) == 1
    assert connector >= 0


def test_that_a_device_that_hangs_is_stale_within_the_rule(own_plant: Plant, open_project: Callable[[Plant], Bench]) -> None:
    bench = open_project(own_plant)
    connect(bench)
    tags = ["o0", "m0"]
    bench.live.want("table", tags)
    bench.until(lambda: all(bench.is_live(tag) for tag in tags))
    servers = [psutil.Process(pid) for pid in (own_plant.opcua_pid, own_plant.modbus_pid) if pid is not None]
    for server in servers:
        server.suspend()
    try:
        assert bench.until(lambda: all(bench.live.reading(tag).stale for tag in tags)) < 4
    finally:
        for server in servers:
            server.resume()
    bench.until(lambda: all(bench.is_live(tag) for tag in tags), 30)


def test_that_another_byte_order_of_a_unit_shows_at_once(plant: Plant, open_project: Callable[[Plant], Bench]) -> None:
    bench = open_project(plant)
    unit = Unit(id="u", endpoint="modbus", number=3)
    bench.live.editor.do(replace("Add unit", bench.live.project, [unit]))
    place = next(number for number, register in enumerate(REGISTERS) if register.order == "CDAB" and register.type == "float32")
    tag = bench.live.project.get(Tag, f"m{place}")
    assert tag is not None
    bare = with_fields(tag, address=tag.address.removesuffix(":CDAB"))
    bench.live.editor.do(replace("Without order", bench.live.project, [bare]))
    connect(bench)
    bench.live.want("table", [tag.id])
    bench.until(lambda: bench.is_live(tag.id))
    wrong = bench.value(tag.id)
    bench.live.editor.do(replace("Order", bench.live.project, [with_fields(unit, order="CDAB")]))
    bench.until(lambda: bench.is_live(tag.id) and bench.value(tag.id) != wrong and bench.live.state("modbus").phase == "connected")
    right = bench.value(tag.id)
    assert isinstance(right, float)
    assert 1e-3 < abs(right) < 1e7
    assert isinstance(wrong, float)
    assert not math.isclose(wrong, right, rel_tol=0.1)


def test_that_discovery_says_what_answers_and_what_does_not(plant: Plant, open_project: Callable[[Plant], Bench]) -> None:
    bench = open_project(plant)
    for url in (plant.opcua_url, plant.modbus_url):
        report = bench.live.wait(bench.live.discover(url), 15)
        assert isinstance(report, EndpointReport)
        assert report.title
    with pytest.raises(UserError):
        bench.live.wait(bench.live.discover("opc.tcp://127.0.0.1:1"), 15)
    with pytest.raises(UserError, match="no driver speaks"):
        bench.live.wait(bench.live.discover("gopher://127.0.0.1:1"), 15)
