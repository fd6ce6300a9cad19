"""``snapshot`` as a process, and the other commands on what it made when the plant is gone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.drivers.snapshot.writing import part_of
from app.plant.process import start_plant
from tests.e2e.commandline import Running, tagloom

LINE = "nsu=urn:tagloom:plant:line;s="
FILLER = "/Objects/2:Plant1/2:Packaging/2:Line4/2:Filler1"
FLOW = LINE + "Line4/Filler1/FT-101.PV"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a project and a snapshot of each of its endpoints; the plant is gone."""
    cwd = tmp_path_factory.mktemp("site")
    with start_plant(seed=1) as plant:
        ends = ("--endpoint", f"filler={plant.opcua_url}", "--endpoint", f"meter={plant.modbus_url}")
        assert tagloom("new", "line.tagloom", *ends, cwd=cwd).code == 0
        wrong = tagloom("snapshot", "line.tagloom", "--endpoint", "filler", "--root", "ns=2;s=nowhere", cwd=cwd)
        assert (wrong.code, list(cwd.glob("*.part"))) == (2, [])
        opcua = tagloom("snapshot", "line.tagloom", "--endpoint", "filler", "--root", FILLER, "--rate", "5000", cwd=cwd)
        assert (opcua.code, opcua.out) == (0, ""), opcua.err
        meter = tagloom("snapshot", plant.modbus_url, "-o", "meter", "--registers", "3/holding:100-130", "--rate", "1000", cwd=cwd)
        assert meter.code == 0, meter.err
        live = tagloom("browse", plant.opcua_url, "--under", FILLER, cwd=cwd)
        (cwd / "browsed.txt").write_text(live.out, "utf-8")
        again = tagloom("snapshot", plant.modbus_url, "-o", "meter", "--registers", "3/holding:100-130", cwd=cwd)
        assert (again.code, "there already" in again.err) == (2, True)
    return cwd


def test_that_browse_and_read_work_on_the_file_in_place_of_the_endpoint(folder: Path) -> None:
    reach = ("--project", "line.tagloom", "--endpoint", "filler=snapshot:line-filler.tagloom-snapshot")
    browsed = tagloom("browse", "filler", *reach, "--under", FILLER, cwd=folder)
    assert browsed.code == 0, browsed.err
    assert browsed.out == (folder / "browsed.txt").read_text("utf-8")
    done = tagloom("read", "filler", FLOW, *reach, "--json", cwd=folder)
    (line,) = done.lines
    assert (done.code, line["id"], line["type"], line["stale"]) == (0, FLOW, "float32", True)
    assert isinstance(line["value"], float)
    assert "not of now" in done.err


def test_that_the_file_alone_is_enough(folder: Path) -> None:
    done = tagloom("read", "snapshot:meter.tagloom-snapshot", "3/holding:100:float32", "3/holding:300", "--json", cwd=folder)
    there, missing = done.lines
    assert (there["quality"], there["stale"]) == ("good", True)
    assert (missing["value"], missing["status"]) == (None, "NotInSnapshot (0x112)")
    watched = tagloom("watch", "snapshot:meter.tagloom-snapshot", "3/holding:100:float32", "--for", "1", "--json", cwd=folder)
    assert [(line["value"], line["stale"]) for line in watched.lines] == [(there["value"], True)]
    assert watched.code == 1


def test_that_the_project_is_not_changed_by_looking_at_a_snapshot(folder: Path) -> None:
    before = (folder / "line.tagloom").read_bytes()
    tagloom("browse", "filler", "--project", "line.tagloom", "--endpoint", "filler=snapshot:line-filler.tagloom-snapshot", cwd=folder)
    assert (folder / "line.tagloom").read_bytes() == before


def test_that_a_snapshot_is_no_address_of_a_project(folder: Path) -> None:
    assert tagloom("new", "bad.tagloom", "--endpoint", "x=snapshot:meter.tagloom-snapshot", cwd=folder).code == 0
    checked = tagloom("check", "bad.tagloom", "--json", cwd=folder)
    assert checked.code == 1
    assert "SRC-004" in [line["rule"] for line in checked.lines]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("opc.tcp://127.0.0.1:1",), "no file is named"),
        (("line.tagloom",), "Which endpoint"),
        (("line.tagloom", "--endpoint", "nobody"), "No such endpoint"),
        (("opc.tcp://127.0.0.1:1", "-o", "x", "--registers", "holding:0"), "no Modbus one"),
        (("modbus://127.0.0.1:1", "-o", "x", "--root", "i=85"), "no address space"),
        (("modbus://127.0.0.1:1", "-o", "x", "--registers", "holding"), "Not a range"),
        (("opc.tcp://127.0.0.1:1", "-o", "x", "--root", "what"), "what"),
    ],
)
def test_that_what_cannot_be_is_said_before_anything_is_connected(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    done = tagloom("snapshot", *arguments, cwd=folder)
    assert done.code == 2
    assert said in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C of a child reaches its whole console there")
def test_that_an_interrupted_command_goes_on_where_it_was(tmp_path: Path) -> None:
    with start_plant(seed=1) as plant:
        command = ("snapshot", plant.modbus_url, "-o", "meter", "--registers", "3/holding:100-200")
        running = Running(*command, "--rate", "200", cwd=tmp_path)
        part = part_of(tmp_path / "meter.tagloom-snapshot")
        running.until("some registers are there", lambda: part.exists() and part.read_bytes().count(b"\n") > 3)
        running.interrupt()
        assert running.end() == 130
        assert "the same command goes on with it" in running.err
        begun = part.read_bytes()
        done = tagloom(*command, "--rate", "5000", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "gone on with" in done.err
    assert (tmp_path / "meter.tagloom-snapshot").read_bytes().startswith(begun)
