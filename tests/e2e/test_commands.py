"""``browse``, ``read``, ``watch`` and ``new`` as processes, against the demo plant."""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.model.plant import Endpoint
from app.plant.catalog import POINTS
from app.plant.process import Plant, start_plant
from app.projectfile import open_file
from tests.e2e.commandline import Running, tagloom

LINE = "nsu=urn:tagloom:plant:line;s="
FLOW = LINE + "Line4/Filler1/FT-101.PV"
SAMPLE_KEYS = [
    "endpoint", "id", "value", "type", "quality", "status", "stale", "unit", "source_time", "server_time", "receive_time", "why", "gap",
]  # fmt: skip


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    with start_plant(seed=1) as running:
        yield running


# browse


def test_that_browse_lists_every_variable_of_the_plant_once(plant: Plant, tmp_path: Path) -> None:
    done = tagloom("browse", plant.opcua_url, "--json", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert all(list(line) == ["id", "path", "class", "type"] for line in done.lines)
    variables = [line["id"] for line in done.lines if line["class"] == "variable"]
    assert len(set(variables)) == len(variables)
    assert {point.address for point in POINTS} <= set(variables)


@pytest.mark.parametrize("under", ["/Objects/2:Plant1/2:Packaging/2:Line4/2:Filler1/2:Motor", "INDEX", "URI"])
def test_that_browse_under_a_node_takes_every_form_of_its_id(plant: Plant, tmp_path: Path, under: str) -> None:
    first = tagloom("browse", plant.opcua_url, "--under", "/Objects/2:Plant1/2:Packaging/2:Line4/2:Filler1", "--json", cwd=tmp_path).lines
    motor = next(line["id"] for line in first if line["path"].endswith("/Filler1/Motor"))
    given = {"INDEX": motor.replace("nsu=urn:tagloom:plant:line", "ns=2"), "URI": motor}.get(under, under)
    done = tagloom("browse", plant.opcua_url, "--under", given, cwd=tmp_path)
    rows = [line.split() for line in done.out.splitlines()]
    assert done.code == 0
    assert rows[0] == ["id", "path", "class", "type"]
    assert [LINE + "Line4/Filler1/Motor/Speed", "Plant1/Packaging/Line4/Filler1/Motor/Speed", "variable", "int16"] in rows


def test_that_browse_stops_at_max_and_says_so(plant: Plant, tmp_path: Path) -> None:
    done = tagloom("browse", plant.opcua_url, "--max", "7", "--json", cwd=tmp_path)
    assert (done.code, len(done.lines)) == (0, 7)
    assert "Stopped at 7 nodes" in done.err


def test_that_browse_of_an_unknown_node_could_not_run(plant: Plant, tmp_path: Path) -> None:
    done = tagloom("browse", plant.opcua_url, "--under", "ns=2;s=nowhere", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "nowhere" in done.err


def test_that_browse_of_modbus_shows_units_and_tables(plant: Plant, tmp_path: Path) -> None:
    done = tagloom("browse", f"{plant.modbus_url}?unit=3", "--json", cwd=tmp_path)
    assert {"id": "3/holding", "path": "Unit 3/holding", "class": "table", "type": ""} in done.lines


# read


def test_that_read_gives_values_and_times_of_opc_ua(plant: Plant, tmp_path: Path) -> None:
    ids = ["ns=2;s=Line4/Filler1/FT-101.PV", 'ns=3;s="DB_Filler"."alrVolumes"', "ns=2;s=Line4/Filler1/LastBottle", "i=2258"]
    done = tagloom("read", plant.opcua_url, *ids, "--json", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    flow, volumes, bottle, clock = done.lines
    assert list(flow) == SAMPLE_KEYS
    assert (flow["endpoint"], flow["id"], flow["type"], flow["quality"], flow["status"]) == (
        plant.opcua_url, FLOW, "float32", "good", "Good (0x00000000)",
    )  # fmt: skip
    assert (flow["stale"], flow["unit"]) == (False, None)
    assert all(flow[key].endswith("Z") for key in ("source_time", "server_time", "receive_time"))
    assert volumes["id"] == 'nsu=urn:tagloom:plant:plc;s="DB_Filler"."alrVolumes"'
    assert len(volumes["value"]) == 8
    assert set(bottle["value"]) == {"BottleNumber", "Volume", "Passed", "Recipe"}
    assert clock["value"].endswith("Z")


def test_that_read_gives_values_of_modbus_without_source_times(plant: Plant, tmp_path: Path) -> None:
    done = tagloom("read", plant.modbus_url, "3/holding:100:float32:CDAB", "3/holding:140:str16", "3/coil:0", "--json", cwd=tmp_path)
    assert done.code == 0
    voltage, model, relay = done.lines
    assert 200 < voltage["value"] < 260
    assert (voltage["source_time"], voltage["server_time"]) == (None, None)
    assert (model["value"], relay["type"]) == ("TLM-630 SN004217", "bool")


@pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("never", 0)])
def test_that_a_bad_tag_is_one_bad_line_and_exit_1(plant: Plant, tmp_path: Path, fail_on: str, code: int) -> None:
    done = tagloom("read", plant.modbus_url, "3/holding:125", "3/holding:119", "--json", "--fail-on", fail_on, cwd=tmp_path)
    assert done.code == code
    assert [(line["quality"], line["status"]) for line in done.lines] == [("bad", "IllegalDataAddress (2)"), ("good", "Good (0)")]


def test_that_an_uncertain_tag_is_a_warning(plant: Plant, tmp_path: Path) -> None:
    ph = LINE + "Processing/BufferTank1/AT-309.PV"
    assert tagloom("read", plant.opcua_url, ph, cwd=tmp_path).code == 0
    done = tagloom("read", plant.opcua_url, ph, "--fail-on", "warning", "--json", cwd=tmp_path)
    assert (done.code, done.lines[0]["status"]) == (1, "UncertainLastUsableValue (0x40900000)")


def test_that_a_list_on_standard_input_brings_its_scale_and_unit(plant: Plant, tmp_path: Path) -> None:
    csv = b"name,address,type,order,gain,offset,unit\r\nE,3/holding:112,uint32,ABCD,0.1,,kWh\r\nC,3/input:0,int16,,0.1,100,\r\n"
    done = tagloom("read", plant.modbus_url, "--tags", "-", "--json", cwd=tmp_path, stdin=csv)
    energy, internal = done.lines
    assert (done.code, energy["unit"], internal["unit"]) == (0, "KWH", None)
    assert 40_000 < energy["value"] < 100_000
    assert 100 < internal["value"] < 200


def test_that_addresses_on_standard_input_keep_their_quotes(plant: Plant, tmp_path: Path) -> None:
    given = b'nsu=urn:tagloom:plant:plc;s="DB_Filler"."rFillFlow"\n'
    done = tagloom("read", plant.opcua_url, "--tags", "-", "--json", cwd=tmp_path, stdin=given)
    assert [line["id"] for line in done.lines] == [given.decode().strip()]


def test_that_bad_addresses_are_all_told_before_anything_is_connected(tmp_path: Path) -> None:
    done = tagloom("read", "modbus://127.0.0.1:1", "holding:1x", "foo:2", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "holding:1x" in done.err
    assert "foo:2" in done.err
    assert "connect" not in done.err.lower()


def test_that_an_endpoint_that_is_not_there_is_three_lines_and_exit_2(tmp_path: Path) -> None:
    done = tagloom("read", "opc.tcp://127.0.0.1:1", "i=85", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[0] == "Cannot connect: opc.tcp://127.0.0.1:1"
    assert len(done.err.splitlines()) == 3


def test_that_a_password_in_a_url_is_refused_and_shown_nowhere(tmp_path: Path) -> None:
    done = tagloom("read", "opc.tcp://operator:hunter2@127.0.0.1:4840", "i=85", cwd=tmp_path)
    assert done.code == 2
    assert "hunter2" not in done.out + done.err


# watch


def test_that_watch_prints_every_sample_for_so_long(plant: Plant, tmp_path: Path) -> None:
    done = tagloom(
        "watch", plant.modbus_url, "3/holding:100:float32:CDAB", "3/coil:0", "--for", "2", "--interval", "200", "--json", cwd=tmp_path
    )
    assert (done.code, done.err) == (0, "")
    assert all(list(line) == SAMPLE_KEYS for line in done.lines)
    count = [sum(line["id"] == id_ for line in done.lines) for id_ in ("3/holding:100:float32:CDAB", "3/coil:0")]
    assert 5 <= min(count) <= max(count) <= 13


def test_that_watch_says_which_tags_are_refused_and_goes_on_with_the_others(plant: Plant, tmp_path: Path) -> None:
    done = tagloom("watch", plant.opcua_url, "ns=2;s=nowhere", FLOW, "--for", "2", "--json", cwd=tmp_path)
    (refused,) = [line for line in done.lines if line["id"] != FLOW]
    assert (done.code, refused["quality"], refused["value"], refused["status"]) == (1, "bad", None, "BadNodeIdUnknown (0x80340000)")
    assert len(done.lines) > 3


def test_that_watch_goes_on_over_a_lost_connection_and_marks_what_is_stale(tmp_path: Path) -> None:
    other = LINE + "Line4/Filler1/ActiveRecipe"
    with start_plant(seed=1) as plant:  # its own: it is killed
        watch = Running("watch", plant.opcua_url, FLOW, other, "--for", "60", "--json", cwd=tmp_path)
        try:
            watch.until("both tags are live", lambda: {FLOW, other} <= {line["id"] for line in watch.lines})
            plant.kill_opcua()
            watch.until("both tags are stale", lambda: sum(line["stale"] for line in watch.lines) == 2)
            before = len(watch.lines)
            stale = [line for line in watch.lines if line["stale"]]
            assert {line["id"] for line in stale} == {FLOW, other}
            assert all(line["quality"] == "good" for line in stale)
            assert all(line["value"] is not None for line in stale)
            plant.restart_opcua()
            watch.until("both are live again", lambda: {FLOW, other} <= {line["id"] for line in watch.lines[before:]})
            assert not any(line["stale"] for line in watch.lines[before:])
            assert "lost" in watch.err
            assert "again" in watch.err
            if sys.platform != "win32":
                watch.interrupt()
                assert watch.end() == 0  # nothing is stale any more
        finally:
            watch.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C cannot be sent to one process there")
def test_that_ctrl_c_ends_watch_as_its_time_does(plant: Plant, tmp_path: Path) -> None:
    watch = Running("watch", plant.modbus_url, "3/coil:0", "--json", cwd=tmp_path)
    try:
        watch.until("a sample", lambda: watch.lines)
        watch.interrupt()
        assert watch.end() == 0
        assert "Traceback" not in watch.err
    finally:
        watch.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C cannot be sent to one process there")
def test_that_ctrl_c_before_anything_came_is_130(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never says a word
        watch = Running("watch", f"modbus://127.0.0.1:{silent.getsockname()[1]}", "3/coil:0", "--timeout", "60", cwd=tmp_path)
        try:
            watch.until("it tries to connect", lambda: _threads(watch.process.pid) > 1)
            watch.interrupt()
            assert watch.end() == 130
            assert "Traceback" not in watch.err
        finally:
            watch.close()


def _threads(pid: int) -> int:
    import psutil

    return psutil.Process(pid).num_threads()


# new


def test_that_new_makes_a_project_of_what_a_server_describes(plant: Plant, tmp_path: Path) -> None:
    done = tagloom(
        "new", "line4", "--endpoint", f"plc={plant.opcua_url}", "--under", "/Objects/2:Plant1/2:Packaging/2:Line4/2:Filler1", cwd=tmp_path
    )
    assert (done.code, done.out) == (0, "line4.tagloom\n")
    project = open_file(tmp_path / "line4.tagloom").project
    (endpoint,) = project.all(Endpoint).values()
    tags = {tag.address: tag for tag in project.tags_of(endpoint.id)}
    expected = [point for point in POINTS if point.folder[:4] == ("Plant1", "Packaging", "Line4", "Filler1")]
    assert tags.keys() == {point.address for point in expected}
    flow = tags[FLOW]
    assert (flow.name, flow.type, flow.unit, flow.low, flow.high) == ("FT-101.PV", "float32", "L2", 0.0, 150.0)
    assert flow.path == "Plant1/Packaging/Line4/Filler1/FT-101&.PV"
    assert tags[LINE + "Line4/Filler1/State"].enum["2"] == "EXECUTE"
    assert tags[LINE + "Line4/Filler1/SC-105.SP"].access == "rw"
    assert len({tag.name for tag in tags.values()}) == len(tags)
    assert endpoint.namespaces[2] == "urn:tagloom:plant:line"


def test_that_new_imports_a_list_and_read_takes_the_project_by_name(plant: Plant, tmp_path: Path) -> None:
    (tmp_path / "registers.csv").write_text("name,address,type,order,gain,unit\nVoltage,3/holding:100,float32,CDAB,,V\n", encoding="utf-8")
    made = tagloom(
        "new", "m.tagloom", "--endpoint", "plc=opc.tcp://plant.example", "--endpoint", "meter=modbus://plant.example",
        "--tags", "meter=registers.csv", cwd=tmp_path,
    )  # fmt: skip
    assert made.code == 0, made.err
    done = tagloom("read", "meter", "--project", "m.tagloom", "--endpoint", f"meter={plant.modbus_url}", "--json", cwd=tmp_path)
    (voltage,) = done.lines
    assert (done.code, voltage["endpoint"], voltage["unit"]) == (0, "meter", "VLT")
    watched = tagloom(
        "watch", "meter", "--project", "m.tagloom", "--endpoint", f"meter={plant.modbus_url}", "--for", "1.5", "--json", cwd=tmp_path
    )
    assert watched.code == 0
    assert {line["unit"] for line in watched.lines} == {"VLT"}


def test_that_new_replaces_nothing_and_tells_every_bad_endpoint(tmp_path: Path) -> None:
    (tmp_path / "there.tagloom").write_text("mine", encoding="utf-8")
    done = tagloom("new", "there", "--endpoint", "a=opc.tcp://127.0.0.1:1", "--under", "i=85", cwd=tmp_path)
    assert done.code == 2
    assert "already" in done.err  # told before anything is connected
    assert (tmp_path / "there.tagloom").read_text(encoding="utf-8") == "mine"
    done = tagloom("new", "other", "--endpoint", "a", "--endpoint", "b=ftp://h", cwd=tmp_path)
    assert done.code == 2
    assert "NAME=URL" in done.err
    assert "ftp" in done.err
    assert not (tmp_path / "other.tagloom").exists()


def test_that_new_with_bad_rows_names_them_all_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("address,gain\nholding:1,1\nfoo,1\nholding:2,x\n", encoding="utf-8")
    done = tagloom("new", "m", "--endpoint", "m=modbus://h", "--tags", "r.csv", cwd=tmp_path)
    assert done.code == 2
    assert "r.csv, line 3, column address" in done.err
    assert "r.csv, line 4, column gain" in done.err
    assert not (tmp_path / "m.tagloom").exists()


def test_that_a_package_named_app_in_the_current_folder_is_never_imported(plant: Plant, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('hijacked')", encoding="utf-8")
    done = tagloom("read", plant.modbus_url, "3/coil:0", "--json", cwd=tmp_path)
    assert json.loads(done.out)["quality"] == "good"
