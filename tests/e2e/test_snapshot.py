"""A snapshot of real devices, looked at when they are gone: everything as it was, and nothing ever as live."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from app.check import run as run_checks
from app.drivers.base import BrowseColumns, EndpointReport, Exchange, Item, NodeDetails
from app.drivers.opcua.questions import Contents, MethodSignature, Places, Resolve
from app.drivers.snapshot.contents import read_contents
from app.drivers.snapshot.spec import url_of
from app.drivers.snapshot.writing import part_of
from app.edits import Editor
from app.edits.endpoints import set_unit
from app.errors import EndpointError, UserError
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Identity, Security, Tag
from app.model.project import Project, ProjectInfo
from app.model.values import Quality, Sample
from app.runtime.live import LiveProject
from app.runtime.movement import Observed
from app.runtime.patience import LinkLimits
from app.runtime.survey import Survey
from app.runtime.survey_steps import Wish
from tests.peers.opcua_peer import LINE, opcua_peer
from tests.peers.server_process import free_port

T = TypeVar("T")
FAST = 5000.0
LINE1 = f"{LINE}s=Line1"
PRESSURE = f"{LINE}i=2001"
"""A variable with its properties: the smallest part of the server that is one."""
TYPES = [
    f"{LINE}s=Types.{name}"
    for name in ("Boolean", "SByte", "UInt64", "Int64", "Float", "Double", "String", "DateTime", "Guid", "ByteString", "Doubles", "Times")
]
NODES = [f"{LINE}s=Nodes.{name}" for name in ("Order", "Orders", "TooLong", "Light", "Doors", "Old")]
REGISTERS = ["1000:float32", "1002:float32:CDAB", "1004:int32", "1006:int64", "1010:float64", "1015:float32", "1020:str8", "1030.2", "5"]
REGISTER_TAGS = [f"3/holding:{text}" for text in REGISTERS] + ["3/coil:4", "1/input:7:int16", "3/holding:203:uint16"]


@pytest.fixture
def project() -> Iterator[Callable[..., LiveProject]]:
    opened: list[LiveProject] = []

    def make(url: str, *addresses: str, reach: str = "", **endpoint: object) -> LiveProject:
        held = Endpoint(id="e", name="Line", addresses={"default": url}, **endpoint)  # type: ignore[arg-type]  # of tests
        tags = [Tag(id=f"t{number}", endpoint="e", address=address, name=f"t{number}") for number, address in enumerate(addresses)]
        editor = Editor(Project(ProjectInfo(id="p", name="P"), [held, *tags]))
        live = LiveProject(
            editor, reach={"e": reach} if reach else {}, secrets=lambda _: "hunter2", limits=LinkLimits(back_off_s=(0.1, 0.2))
        )
        opened.append(live)
        live.connect("e")
        return live

    yield make
    for live in opened:
        live.close()


def pumped(live: LiveProject, survey: Survey) -> None:
    for reply in live.pump().replies:
        survey.on_reply(reply)
    survey.step()
    live.idle(0.01)


def until(live: LiveProject, condition: Callable[[], object], survey: Survey | None = None, timeout_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it never became so"
        if survey is not None:
            pumped(live, survey)
        else:
            live.pump()
            live.idle(0.02)


def noted(kept: list[T], value: T) -> bool:
    """True, and the value is kept: for conditions that are looked at again and again."""
    kept.append(value)
    return True


def take(live: LiveProject, path: Path, **wish: object) -> Survey:
    live.wait_connected("e", 20)
    survey = Survey(live, "e", Wish(path, **{"per_s": FAST, **wish}))  # type: ignore[arg-type]  # of tests
    until(live, lambda: survey.progress.ended, survey)
    assert survey.progress.error is None, survey.progress.error
    assert survey.progress.stage == "done"
    return survey


def read(live: LiveProject, *addresses: str) -> list[Sample]:
    columns = live.wait(live.read("e", [Item(address=address) for address in addresses]), 20)
    assert isinstance(columns, SampleColumns)
    return [sample for _, sample in columns.samples()]


def browse(live: LiveProject, *nodes: str) -> BrowseColumns:
    page = live.wait(live.browse("e", nodes), 20)
    assert isinstance(page, BrowseColumns)
    return page


def details(live: LiveProject, *nodes: str) -> list[NodeDetails]:
    found = live.wait(live.details("e", nodes), 20)
    assert isinstance(found, list)
    return found


def below(live: LiveProject, root: str) -> BrowseColumns:
    page = live.wait(live.crawl("e", root, 10_000), 30)
    assert isinstance(page, BrowseColumns)
    return page


def steady(found: NodeDetails) -> NodeDetails:
    """Without what changes from read to read."""
    return msgspec.structs.replace(found, attributes=tuple(one for one in found.attributes if one.name != "Server time"))


@pytest.fixture(scope="module")
def line() -> Iterator[str]:
    """URL of a server that stays."""
    with opcua_peer() as peer:
        yield peer.url


@pytest.fixture(scope="module")
def meter() -> Iterator[str]:
    """URL of a device that stays."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "tests.peers.modbus_server", str(port)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield f"modbus://127.0.0.1:{port}?unit=1"
        process.kill()


# --- an address space


def test_that_browse_read_and_details_are_as_they_were_when_the_server_is_gone(project: Callable[..., LiveProject], tmp_path: Path) -> None:
    with opcua_peer() as peer:
        live = project(peer.url)
        survey = take(live, tmp_path / "line")
        parents = [one for one in below(live, f"{LINE}s=Line1").id if "Counter" not in one and "i=1003" not in one]
        asked = [*parents, *NODES, f"{LINE}s=Nodes.Mix"]
        before = {
            "browse": browse(live, "nsu=http://opcfoundation.org/UA/;i=85", *parents),
            "crawl": below(live, f"{LINE}s=Line1"),
            "details": [steady(one) for one in details(live, *asked)],
            "values": [(one.value, one.type, one.quality, one.status, one.source_ns) for one in read(live, *TYPES, *NODES)],
            "signature": live.wait(live.ask("e", MethodSignature(node=f"{LINE}s=Nodes.Mix")), 10),
            "contents": live.wait(live.ask("e", Contents(node=f"{LINE}s=Nodes.Order")), 10),
            "place": live.wait(live.ask("e", Resolve(texts=("/Objects/2:Line1/2:Pressure",))), 10),
        }
        report = live.state("e").report
        live.disconnect("e")
    then = project(peer.url, reach=url_of(survey.path))
    found = then.wait_connected("e", 10)
    assert browse(then, "nsu=http://opcfoundation.org/UA/;i=85", *parents) == before["browse"]
    assert below(then, f"{LINE}s=Line1") == before["crawl"]
    assert [steady(one) for one in details(then, *asked)] == before["details"]
    values = read(then, *TYPES, *NODES)
    assert [(one.value, one.type, one.quality, one.status, one.source_ns) for one in values] == before["values"]
    assert then.wait(then.ask("e", MethodSignature(node=f"{LINE}s=Nodes.Mix")), 10) == before["signature"]
    assert then.wait(then.ask("e", Contents(node=f"{LINE}s=Nodes.Order")), 10) == before["contents"]
    place, expected = then.wait(then.ask("e", Resolve(texts=("/Objects/2:Line1/2:Pressure",))), 10), before["place"]
    assert isinstance(place, Places)
    assert isinstance(expected, Places)
    assert place == expected
    assert report is not None
    assert (found.identity, found.namespaces, found.limits) == (report.identity, report.namespaces, report.limits)
    assert found.as_of_ns is not None
    assert abs(found.as_of_ns - time.time_ns()) < 60e9


def test_that_a_part_begins_at_its_root_and_what_is_not_there_says_so(
    project: Callable[..., LiveProject], tmp_path: Path, line: str
) -> None:
    live = project(line)
    survey = take(live, tmp_path / "line", root=LINE1)
    then = project(line, reach=url_of(survey.path))
    then.wait_connected("e", 10)
    top = browse(then, "")
    assert top.name == ("Line1",)
    (gone,) = read(then, f"{LINE}s=Types.Nowhere")
    assert (gone.quality, gone.value) == (Quality.BAD, None)
    assert browse(then, "nsu=urn:no;s=x").errors
    with pytest.raises(EndpointError, match="observe"):
        then.observe("e", [Observed(address=TYPES[0])])


def test_that_an_interrupted_snapshot_is_gone_on_with_and_equal_to_a_whole_one(
    project: Callable[..., LiveProject], tmp_path: Path, line: str
) -> None:
    whole = take(project(line), tmp_path / "whole", root=LINE1)
    live = project(line)
    live.wait_connected("e", 20)
    wish = Wish(tmp_path / "parts", root=LINE1, per_s=FAST)
    first = Survey(live, "e", wish)
    until(live, lambda: first.progress.taken > 20, first)
    first.cancel()
    assert first.progress.stage == "cancelled"
    begun = part_of(first.path).read_bytes()
    assert not first.path.exists()
    second = take(project(line), tmp_path / "parts", root=LINE1)
    assert second.resumed
    assert second.path.read_bytes().startswith(begun)
    assert second.progress.asked < whole.progress.asked
    assert shape(second.path) == shape(whole.path)


def shape(path: Path) -> list[tuple[str, ...]]:
    """Every line without what differs from second to second."""
    contents = read_contents(path)
    assert contents.tree is not None
    found: list[tuple[str, ...]] = []
    for id_ in contents.tree.ids():
        node = contents.tree.node(id_)
        assert node is not None
        held = node.sample.sample() if node.sample is not None else None
        moving = node.name in ("Speed", "Counter")
        texts = [one.name if moving or "time" in one.name else f"{one.name}={one.text}" for one in steady(node.node_details()).attributes]
        value = repr(held.value) if held is not None and not moving else ""
        below_it = [child.id for child in contents.tree.children(id_)[0]]
        found.append((id_, node.path, node.browse_name, node.type, value, *texts, *below_it))
    return found


def test_that_a_lost_connection_is_waited_for_and_the_snapshot_goes_on(project: Callable[..., LiveProject], tmp_path: Path) -> None:
    big = f"{LINE}s=Big"
    with opcua_peer("--many", "150") as peer:
        whole = take(project(peer.url), tmp_path / "whole", root=big)
        live = project(peer.url)
        live.wait_connected("e", 20)
        survey = Survey(live, "e", Wish(tmp_path / "cut", root=big, per_s=FAST))
        until(live, lambda: survey.progress.taken > 50, survey)
        peer.kill()
        until(live, lambda: survey.progress.stage == "waiting", survey)
        assert "goes on by itself" in survey.progress.words
        peer.start("--many", "150")
        until(live, lambda: survey.progress.ended, survey)
    assert survey.progress.stage == "done", survey.progress
    assert len(shape(whole.path)) == 151
    assert shape(survey.path) == shape(whole.path)


def test_that_a_snapshot_is_never_gone_on_with_from_another_device(project: Callable[..., LiveProject], tmp_path: Path, line: str) -> None:
    live = project(line)
    live.wait_connected("e", 20)
    survey = Survey(live, "e", Wish(tmp_path / "line", per_s=FAST))
    until(live, lambda: survey.progress.taken > 10, survey)
    survey.cancel()
    part = part_of(survey.path)
    part.write_bytes(part.read_bytes().replace(b'"application_uri":"', b'"application_uri":"urn:other:', 1))
    other = Survey(live, "e", Wish(tmp_path / "line", per_s=FAST))
    until(live, lambda: other.progress.ended, other)
    assert other.progress.stage == "failed"
    assert "Another device" in str(other.progress.error)
    elsewhere = Survey(live, "e", Wish(tmp_path / "line", root=LINE1, per_s=FAST))
    until(live, lambda: elsewhere.progress.ended, elsewhere)
    assert "something else" in str(elsewhere.progress.error)


def test_that_the_rate_holds(project: Callable[..., LiveProject], tmp_path: Path, line: str) -> None:
    live = project(line)
    live.wait_connected("e", 20)
    begun_s = time.monotonic()
    survey = take(live, tmp_path / "slow", root=PRESSURE, per_s=8.0)
    took_s = time.monotonic() - begun_s
    assert survey.progress.asked >= 9
    assert took_s > (survey.progress.asked - 4) / 8.0  # the last request, of four nodes at most, is not rested for


def test_that_pausing_all_reading_pauses_it_too(project: Callable[..., LiveProject], tmp_path: Path, line: str) -> None:
    live = project(line)
    live.wait_connected("e", 20)
    survey = Survey(live, "e", Wish(tmp_path / "line", per_s=FAST))
    until(live, lambda: survey.progress.taken > 5, survey)
    live.pause(True)
    until(live, lambda: survey.progress.stage == "waiting", survey)
    assert "paused" in survey.progress.words
    live.pause(False)
    until(live, lambda: survey.progress.stage == "reading", survey)
    survey.cancel()


# --- never live


def test_that_no_value_of_a_snapshot_is_ever_live_and_none_is_left_when_the_device_is_back(
    project: Callable[..., LiveProject], tmp_path: Path, line: str
) -> None:
    live = project(line, *TYPES[:6], f"{LINE}s=Counter")
    survey = take(live, tmp_path / "line", root=LINE1)
    tags = [tag.id for tag in live.project.tags_of("e")]
    then = project(line, *TYPES[:6], f"{LINE}s=Counter", reach=url_of(survey.path))
    then.want("table", tags)
    told: list[bool] = []
    until(then, lambda: noted(told, all(then.reading(tag).stale for tag in tags)) and all(then.reading(tag).sample for tag in tags))
    for _ in range(40):  # two judgements of freshness and more
        then.pump()
        then.idle(0.02)
        told += [then.reading(tag).stale for tag in tags]
    assert all(told)
    reading, state = then.reading(tags[0]), then.state("e")
    assert (state.phase, state.stale) == ("connected", True)
    assert state.report is not None
    assert reading.as_of_ns == state.as_of_ns == state.report.as_of_ns
    assert reading.problem.startswith("a snapshot, as of ")
    assert reading.sample is not None
    assert reading.age_s == pytest.approx((time.time_ns() - reading.sample.receive_ns) / 1e9, abs=1.0)
    assert then.history.tags() == []
    assert run_checks(then.project) == run_checks(live.project)

    then.disconnect("e")
    assert then.reading(tags[0]).stale
    then.set_reach("e", None)
    then.connect("e")
    held: list[Sample | None] = []
    until(then, lambda: then.state("e").phase == "connected" and noted(held, then.reading("t6").sample))
    assert held == [None]  # the counter of then was forgotten the moment the device was there
    until(then, lambda: all(not then.reading(tag).stale for tag in tags))
    assert then.reading(tags[0]).as_of_ns is None
    assert tags[0] in then.history.tags()


def test_that_a_snapshot_of_another_device_is_held_as_the_device_would_be(
    project: Callable[..., LiveProject], tmp_path: Path, line: str
) -> None:
    survey = take(project(line), tmp_path / "line", root=LINE1)
    then = project(line, TYPES[0], reach=url_of(survey.path), identity=Identity(application_uri="urn:somebody:else"))
    with pytest.raises(EndpointError, match="different device"):
        then.wait_connected("e", 10)
    assert then.state("e").held


def test_that_a_file_that_is_no_snapshot_stops_and_says_why(project: Callable[..., LiveProject], tmp_path: Path) -> None:
    path = tmp_path / "x.tagloom-snapshot"
    path.write_text("nonsense\n")
    then = project("opc.tcp://127.0.0.1:1", reach=url_of(path))
    with pytest.raises(UserError, match="begin like a snapshot"):
        then.wait_connected("e", 10)
    assert then.state("e").phase == "stopped"


# --- registers


def test_that_every_type_and_order_can_be_read_from_the_registers_of_then(
    project: Callable[..., LiveProject], tmp_path: Path, meter: str
) -> None:
    live = project(meter, *REGISTER_TAGS)
    live.wait_connected("e", 20)
    sent: list[Exchange] = []
    live.on_traffic = lambda seen: sent.extend(one for one in seen.exchanges if one.sent)
    live.trace("e", True)
    survey = take(live, tmp_path / "meter", ranges="3/holding:100-170, 1/input:195-212, 3/discrete:0-9")
    live.trace("e", False)
    assert touched(sent) <= {("holding", *pair) for pair in allowed()} | {
        *(("input", 1, place) for place in (*range(195, 213), 7)),
        *(("discrete", 3, place) for place in range(10)),
        ("coil", 3, 4),
    }
    more = ("3/holding:1000:uint16", "3/holding:1004:int32:DCBA", "3/holding:150:float32:BADC", "3/discrete:6", "input:204")
    asked = [*REGISTER_TAGS, *more]
    before = read(live, *asked)
    then = project(meter, *REGISTER_TAGS, reach=url_of(survey.path))
    then.wait_connected("e", 10)
    after = read(then, *asked)
    assert [plain(one) for one in after] == [plain(one) for one in before]
    assert browse(then, "", "3/").name == ("Unit 1", "Unit 3", "coil", "discrete", "input", "holding")
    (mine, theirs) = details(then, "3/holding:1000:float32"), details(live, "3/holding:1000:float32")
    assert mine == theirs
    (absent,) = read(then, "3/holding:900")
    assert (absent.quality, absent.status) == (Quality.BAD, 0x112)

    then.editor.do(set_unit(then.project, "e", 3, order="CDAB"))
    expected = [plain(one) for one in read(live, "3/holding:1004:int32:CDAB")]
    assert expected != [plain(one) for one in read(live, "3/holding:1004:int32:ABCD")]
    until(then, lambda: reread(then, "3/holding:1004:int32") == expected)


def reread(live: LiveProject, address: str) -> list[object]:
    try:
        return [plain(one) for one in read(live, address)]
    except EndpointError:
        return []  # it is being opened again


def plain(sample: Sample) -> tuple[object, ...]:
    value = "NaN" if isinstance(sample.value, float) and math.isnan(sample.value) else sample.value
    return value, sample.type, sample.quality, sample.status


def allowed() -> set[tuple[int, int]]:
    tags = ((1000, 6), (1006, 8), (1015, 2), (1020, 4), (1030, 1), (5, 1), (203, 1), (100, 71))
    return {(3, place) for first, count in tags for place in range(first, first + count)}


def touched(sent: list[Exchange]) -> set[tuple[str, int, int]]:
    """Table, unit and address of every register that a request asked for."""
    tables = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
    found: set[tuple[str, int, int]] = set()
    for one in sent:
        unit, function = one.data[6], one.data[7]
        first, count = int.from_bytes(one.data[8:10], "big"), int.from_bytes(one.data[10:12], "big")
        if (function, first, count) == (3, 0, 1):
            continue  # the proof of life
        found |= {(tables[function], unit, first + place) for place in range(count)}
    return found


def test_that_nothing_is_read_blindly(project: Callable[..., LiveProject], tmp_path: Path, meter: str) -> None:
    live = project(meter)
    live.wait_connected("e", 20)
    survey = Survey(live, "e", Wish(tmp_path / "meter"))
    until(live, lambda: survey.progress.ended, survey)
    assert "never read blindly" in str(survey.progress.error)


def test_that_registers_are_gone_on_with(project: Callable[..., LiveProject], tmp_path: Path, meter: str) -> None:
    live = project(meter)
    live.wait_connected("e", 20)
    wish = Wish(tmp_path / "meter", ranges="3/holding:0-300", per_s=FAST)
    first = Survey(live, "e", wish)
    until(live, lambda: first.progress.taken > 60, first)
    first.cancel()
    begun = part_of(first.path).read_bytes()
    second = take(live, tmp_path / "meter", ranges="3/holding:0-300")
    assert second.resumed
    assert second.path.read_bytes().startswith(begun)
    report = project("modbus://127.0.0.1:1", reach=url_of(second.path)).wait_connected("e", 10)
    assert isinstance(report, EndpointReport)
    assert second.progress.taken == 301


def test_that_a_snapshot_holds_no_secret(project: Callable[..., LiveProject], tmp_path: Path, line: str) -> None:
    security = Security(user="anonymous", name="anna", secret="secret://line/password")
    survey = take(project(line, security=security, settings={"timeout_s": 7.5}), tmp_path / "line", root=PRESSURE)
    header = survey.path.read_text("utf-8").splitlines()[0]
    assert not [word for word in ("anna", "secret", "hunter2", "7.5") if word in header]
