"""``check``, ``export``, ``review`` and ``open`` as processes, on the example projects; and these against the demo plant."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from app.gateways import exporters
from app.model.plant import Endpoint, Tag
from app.plant.process import Plant, start_plant
from app.projectfile import open_file
from tests.e2e.commandline import tagloom

EXAMPLES = ("bottling-line", "energy-meter")


def path_of(name: str) -> Path:
    return Path(str(files("projects") / f"{name}.tagloom"))


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    with start_plant(seed=1) as running:
        yield running


def test_that_check_prints_findings_as_json_and_exits_by_fail_on(tmp_path: Path) -> None:
    done = tagloom("check", path_of("bottling-line"), "--json", cwd=tmp_path)
    assert done.code == 1
    assert all(list(line) == ["rule", "severity", "place", "message", "fix"] for line in done.lines)
    assert [line["rule"] for line in done.lines if line["severity"] == "error"] == ["MAP-001"]
    assert done.err == "bottling-line.tagloom: 1 error, 5 warnings\n"
    assert tagloom("check", path_of("bottling-line"), "--fail-on", "never", cwd=tmp_path).code == 0


def test_that_check_of_a_clean_project_prints_nothing(tmp_path: Path) -> None:
    done = tagloom("check", path_of("energy-meter"), "--fail-on", "info", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, "", "energy-meter.tagloom: nothing found\n")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\x00\xff", b"[" * 200_000, b'{"kind":"tagloom","id":"x","format":99}\n\n{"kind":"end"}\n']
)
@pytest.mark.parametrize(
    "arguments", [["check"], ["review", "--out", "o.html"], ["export", "--target", "telegraf", "--out", "o"], ["open"]]
)
def test_that_a_bad_project_file_is_refused_with_its_name_by_every_command(tmp_path: Path, content: bytes, arguments: list[str]) -> None:
    (tmp_path / "bad.tagloom").write_bytes(content)
    done = tagloom(*arguments, "bad.tagloom", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "bad.tagloom" in done.err
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["bad.tagloom"]


def test_that_a_project_that_is_not_there_could_not_run(tmp_path: Path) -> None:
    assert tagloom("check", "nothing.tagloom", cwd=tmp_path).code == 2
    assert tagloom("check", tmp_path, cwd=tmp_path).code == 2


@pytest.mark.parametrize("target", sorted(exporters()))
def test_that_export_writes_the_files_it_names_and_the_losses(tmp_path: Path, target: str) -> None:
    done = tagloom("export", path_of("bottling-line"), "--target", target, "--out", "gateway", "--json", cwd=tmp_path)
    assert done.code == 1  # the recipe of Filler2 is required and not mapped
    named = [tmp_path / line["file"] for line in done.lines]
    assert all(path.is_file() for path in named)
    losses = json.loads((tmp_path / "gateway" / "losses.json").read_text(encoding="utf-8"))
    assert all(list(loss) == ["place", "what", "consequence"] for loss in losses)
    assert all(loss["what"] in done.err for loss in losses)
    again = tagloom("export", path_of("bottling-line"), "--target", target, "--out", "gateway", "--fail-on", "never", cwd=tmp_path)
    assert (again.code, again.out.splitlines()) == (0, [line["file"] for line in done.lines])


def test_that_export_reaches_endpoints_elsewhere_when_it_is_said(tmp_path: Path) -> None:
    override = "meter=modbus://192.0.2.7:1502"
    done = tagloom("export", path_of("energy-meter"), "--target", "telegraf", "--out", "g", "--endpoint", override, cwd=tmp_path)
    assert done.code == 0
    content = "".join((tmp_path / line).read_text(encoding="utf-8") for line in done.out.splitlines())
    assert "192.0.2.7:1502" in content
    assert "plant.example" not in content


@pytest.mark.parametrize("arguments", [
    ["--target", "nothing"], ["--target", "telegraf", "--option", "nothing=1"], ["--target", "telegraf", "--option", "x"],
    ["--target", "telegraf", "--endpoint", "nobody=modbus://h"],
])  # fmt: skip
def test_that_export_refuses_what_it_does_not_know_and_writes_nothing(tmp_path: Path, arguments: list[str]) -> None:
    done = tagloom("export", path_of("energy-meter"), "--out", "g", *arguments, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert not (tmp_path / "g").exists()


def test_that_export_leaves_foreign_files_alone_unless_told(tmp_path: Path) -> None:
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / "telegraf.conf").write_text("mine", encoding="utf-8")
    arguments = ("export", path_of("energy-meter"), "--target", "telegraf", "--out", "g")
    done = tagloom(*arguments, cwd=tmp_path)
    assert (done.code, (tmp_path / "g" / "telegraf.conf").read_text(encoding="utf-8")) == (2, "mine")
    assert tagloom(*arguments, "--overwrite", cwd=tmp_path).code == 0


def test_that_review_writes_one_page_that_loads_nothing(tmp_path: Path) -> None:
    done = tagloom("review", path_of("bottling-line"), "--out", "page.html", cwd=tmp_path)
    assert (done.code, done.out) == (0, "page.html\n")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "productTemperature" in page
    assert "MAP-001" in page
    assert 'src="http' not in page


def test_that_open_without_a_display_says_so(tmp_path: Path) -> None:
    done = tagloom("open", path_of("energy-meter"), cwd=tmp_path)
    assert done.code == 2
    assert "DISPLAY" in done.err


@pytest.mark.parametrize("name", EXAMPLES)
def test_that_every_tag_of_the_examples_can_be_read_on_the_plant_with_its_type(plant: Plant, tmp_path: Path, name: str) -> None:
    project = open_file(path_of(name)).project
    for endpoint in project.all(Endpoint).values():
        url = plant.opcua_url if endpoint.addresses["default"].startswith("opc.tcp") else plant.modbus_url
        arguments = ("read", endpoint.name, "--project", path_of(name), "--endpoint", f"{endpoint.name}={url}", "--json")
        done = tagloom(*arguments, cwd=tmp_path)
        tags = {tag.address: tag for tag in project.all(Tag).values() if tag.endpoint == endpoint.id}
        assert [line["id"] for line in done.lines if line["id"] not in tags] == []
        assert len(done.lines) == len(tags)
        for line in done.lines:
            tag = tags[line["id"]]
            scaled = (tag.gain, tag.offset) != (1.0, 0.0)
            if tag.name == "BufferTank1/PT-308.PV":  # its sensor is broken
                assert line["status"] == "BadSensorFailure (0x808C0000)"
            else:
                assert (line["type"], line["unit"]) == ("float64" if scaled else tag.type, tag.unit or None), tag.name
                assert line["quality"] in ("good", "uncertain"), tag.name


def test_that_watching_the_example_accepts_every_fingerprint(plant: Plant, tmp_path: Path) -> None:
    arguments = ("--project", path_of("bottling-line"), "--endpoint", f"filler-opcua={plant.opcua_url}", "--for", "4", "--json")
    done = tagloom("watch", "filler-opcua", *arguments, cwd=tmp_path)
    bad = {line["id"]: line["status"] for line in done.lines if line["quality"] == "bad"}
    assert bad == {"nsu=urn:tagloom:plant:line;s=Processing/BufferTank1/PT-308.PV": "BadSensorFailure (0x808C0000)"}
    project = open_file(path_of("bottling-line")).project
    wanted = {tag.address for tag in project.all(Tag).values() if tag.address.startswith("nsu=")}
    assert {line["id"] for line in done.lines} == wanted
