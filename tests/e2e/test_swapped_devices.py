"""Another device at the same address: nothing of it goes live under the old tags until a person confirms it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.drivers.base import BrowseColumns, Item
from app.edits import Editor
from app.edits.endpoints import confirm_identity, name_register, note_answer, note_identity
from app.errors import EndpointError
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Group, Identity, Tag
from app.model.project import Project, ProjectInfo
from app.plant.process import Plant, start_plant
from app.projectfile import save
from app.runtime.live import LiveProject
from app.runtime.state import ConnectionState
from tests.e2e.commandline import Running, tagloom
from tests.peers.opcua_peer import OpcUaPeer, opcua_peer
from tests.peers.server_process import free_port
from tests.peers.switch import Switch, switch

TIME = "nsu=http://opcfoundation.org/UA/;i=2258"
"""The server's clock: it is at every server, and always changes."""


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    with start_plant() as running:
        yield running


@pytest.fixture(scope="module")
def peer() -> Iterator[OpcUaPeer]:
    with opcua_peer() as running:
        yield running


@pytest.fixture(scope="module")
def meter() -> Iterator[int]:
    """Port of another Modbus device than the plant's, with the same registers."""
    port = free_port()
    command = [sys.executable, "-m", "tests.peers.modbus_server", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield port
        process.kill()


def port_of(url: str) -> int:
    return int(url.split("://")[1].split("/")[0].rpartition(":")[2].partition("?")[0])


@dataclass
class Bench:
    live: LiveProject
    taken: list[tuple[str, object]] = field(default_factory=list)

    def on_samples(self, tags: Mapping[int, str], columns: SampleColumns) -> None:
        self.taken += [(tags[handle], sample.value) for handle, sample in columns.samples() if handle in tags]

    def until(self, condition: Callable[[], object], timeout_s: float = 20.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, f"it never became so: {self.state}"
            self.live.pump()
            self.live.idle(0.02)

    @property
    def state(self) -> ConnectionState:
        return self.live.state("e")

    @property
    def identity(self) -> Identity:
        return self.live.project.all(Endpoint)["e"].identity

    @property
    def found(self) -> Identity:
        report = self.state.report
        assert report is not None
        return report.identity

    def is_live(self, tag: str = "t") -> bool:
        reading = self.live.reading(tag)
        return reading.sample is not None and not reading.stale

    def asked_often(self) -> None:
        """Time in which a watched value would have come many times over: each question is answered by the device."""
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            self.live.wait(self.live.browse("e", [""]), 10)
            self.live.idle(0.1)


@pytest.fixture
def open_at() -> Iterator[Callable[[str, str], Bench]]:
    opened: list[LiveProject] = []

    def make(url: str, address: str) -> Bench:
        elements = [
            Endpoint(id="e", name="E", addresses={"default": url}),
            Group(id="fast", name="fast", interval_ms=100),
            Tag(id="t", endpoint="e", address=address, name="t", group="fast"),
        ]
        bench = Bench(LiveProject(Editor(Project(ProjectInfo(id="p", name="P"), elements))))
        bench.live.on_samples = bench.on_samples
        bench.live.want("table", ["t"])
        opened.append(bench.live)
        return bench

    yield make
    for live in opened:
        live.close()


@dataclass
class Case:
    """``begin`` is the device that the project knows; ``other`` the one that comes in its place."""

    url: str
    address: str
    begin: int
    other: int


@pytest.fixture(params=["opcua", "modbus"])
def case(request: pytest.FixtureRequest, plant: Plant, peer: OpcUaPeer, meter: int) -> Case:
    if request.param == "opcua":
        return Case("opc.tcp://127.0.0.1:{}", TIME, port_of(plant.opcua_url), peer.port)
    return Case("modbus://127.0.0.1:{}?unit=3", "3/holding:100", port_of(plant.modbus_url), meter)


def met(bench: Bench) -> None:
    """Connected to the first device, which the project knows from now on."""
    bench.live.connect("e")
    bench.live.wait_connected("e", 20)
    edit = note_answer(bench.live.project, "e", identity=bench.found)
    assert edit.changes, "a device that tells nothing of itself cannot be told from another one"
    bench.live.editor.do(edit)
    bench.until(bench.is_live)


def swapped(bench: Bench, between: Switch, to: int) -> None:
    between.turn(to)
    bench.until(lambda: bench.state.held)


def test_that_not_one_sample_of_a_swapped_device_comes_under_the_old_tags(case: Case, open_at: Callable[[str, str], Bench]) -> None:
    with switch(case.begin) as between:
        bench = open_at(case.url.format(between.port), case.address)
        met(bench)
        known = bench.identity
        bench.until(lambda: len(bench.taken) > 3)
        between.turn(0)
        bench.until(lambda: bench.state.phase == "waiting")
        bench.taken.clear()
        swapped(bench, between, case.other)
        bench.asked_often()
        assert bench.taken == []
        assert not bench.is_live()
        assert bench.live.reading("t").problem.startswith("another device answers: ")
        why = bench.state.why
        assert isinstance(why, EndpointError)
        assert (why.code, why.what) == ("identity", "127.0.0.1 is now a different device")
        assert f"{known.product} → {bench.found.product}" in why.why
        assert isinstance(bench.live.wait(bench.live.browse("e", [""]), 10), BrowseColumns)
        with pytest.raises(EndpointError, match="different device"):
            bench.live.wait(bench.live.read("e", [Item(address=case.address)]), 10)
        assert bench.taken == []

        bench.live.editor.do(confirm_identity(bench.live.project, "e", bench.found))
        bench.until(lambda: bench.is_live() and bench.taken)
        bench.live.editor.undo()
        bench.taken.clear()
        bench.asked_often()
        assert (bench.taken, bench.state.held, bench.identity) == ([], True, known)
        between.turn(case.begin)
        bench.until(bench.is_live)
        assert not bench.state.held


def test_that_a_register_with_a_serial_number_tells_two_devices_of_one_kind_apart(meter: int, open_at: Callable[[str, str], Bench]) -> None:
    """Units 1 and 3 of the peer stand in for two meters: what the register holds differs, all else is alike."""
    bench = open_at(f"modbus://127.0.0.1:{meter}?unit=1", "holding:5")
    bench.live.connect("e")
    bench.live.wait_connected("e", 20)
    bench.live.editor.do(name_register(bench.live.project, "e", "holding:7"))
    bench.until(lambda: bench.state.phase == "connected" and bench.found.register == "holding:7")
    bench.live.editor.do(note_identity(bench.live.project, "e", bench.found))
    assert bench.identity.value == "20007"
    bench.until(bench.is_live)
    bench.live.disconnect("e")
    bench.live.set_reach("e", f"modbus://127.0.0.1:{meter}?unit=3")
    bench.taken.clear()
    bench.live.connect("e")
    bench.until(lambda: bench.state.held)
    assert [str(one) for one in bench.state.changed] == ["value of holding:7 20007 → 60007"]
    bench.asked_often()
    assert bench.taken == []
    bench.live.editor.do(name_register(bench.live.project, "e", "holding:205"))  # which is not there
    bench.until(lambda: bench.state.phase == "connected" and not bench.state.held)
    bench.until(bench.is_live)


def line(folder: Path, url: str, known: Identity) -> None:
    elements = [
        Endpoint(id="e", name="filler", addresses={"default": url}, identity=known),
        Tag(id="t", endpoint="e", address=TIME, name="t"),
    ]
    save(Project(ProjectInfo(id="p", name="P"), elements), folder / "line.tagloom", None)


def test_that_a_watch_ends_when_another_device_answers_after_a_loss(plant: Plant, peer: OpcUaPeer, tmp_path: Path) -> None:
    with switch(port_of(plant.opcua_url)) as between:
        line(tmp_path, f"opc.tcp://127.0.0.1:{between.port}", Identity(application_uri="urn:tagloom:plant:server"))
        watch = Running("watch", "filler", "--project", "line.tagloom", "--json", cwd=tmp_path)
        try:
            watch.until("a sample", lambda: watch.lines)
            between.turn(0)
            watch.until("stale", lambda: watch.lines[-1]["stale"])
            between.turn(peer.port)
            assert watch.end() == 2
        finally:
            watch.close()
        assert watch.lines[-1]["stale"]
        assert "127.0.0.1 is now a different device" in watch.err


@pytest.mark.parametrize("command", [("browse",), ("read",), ("watch", "--for", "5")])
def test_that_commands_say_so_and_fail(plant: Plant, tmp_path: Path, command: tuple[str, ...]) -> None:
    line(tmp_path, plant.opcua_url, Identity(application_uri="urn:somebody:else", product="Acme 1.0"))
    name, *more = command
    done = tagloom(name, "filler", "--project", "line.tagloom", *more, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "127.0.0.1 is now a different device" in done.err
    assert "urn:somebody:else → urn:tagloom:plant:server" in done.err


def test_that_the_command_line_compares_and_confirms(plant: Plant, tmp_path: Path) -> None:
    line(tmp_path, plant.opcua_url, Identity(application_uri="urn:somebody:else"))
    arguments = ("identity", "filler", "--project", "line.tagloom")
    compared = tagloom(*arguments, "--json", cwd=tmp_path)
    assert compared.code == 1
    assert compared.lines[0] == {"field": "application URI", "known": "urn:somebody:else", "found": "urn:tagloom:plant:server"}
    confirmed = tagloom(*arguments, "--confirm", cwd=tmp_path)
    assert (confirmed.code, "confirmed, and saved in line.tagloom" in confirmed.err) == (0, True)
    assert tagloom("read", "filler", "--project", "line.tagloom", cwd=tmp_path).code == 0
    assert "knows this device already" in tagloom(*arguments, "--confirm", cwd=tmp_path).err
    assert "no project is named" in tagloom("identity", plant.opcua_url, cwd=tmp_path).err
