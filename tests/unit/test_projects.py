"""The example projects: what is pinned here is what ``projects/README.md`` says of them."""

from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from app.check import run
from app.drivers.modbus import address as modbus
from app.drivers.opcua.address import escape_name
from app.gateways import Options, exporters
from app.model.itmodel import Asset, AssetType, Component
from app.model.mapping import Delivery, Mapping
from app.model.plant import Endpoint, Group, Tag, Unit, WatchList
from app.model.project import Project
from app.model.reviewing import Approval
from app.plant.catalog import POINTS, REGISTERS
from app.projectfile import read, write
from app.projectfile.view import read_view
from app.review.approval import review_state
from app.review.page import render_page

EXAMPLES = ("bottling-line", "energy-meter")
FOLDER = Path(str(files("projects")))


def project_of(name: str) -> Project:
    return read((FOLDER / f"{name}.tagloom").read_bytes(), name)


def test_that_every_project_in_the_folder_is_an_example_of_these_tests() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.tagloom")) == sorted(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_that_an_example_is_written_as_it_stands(name: str) -> None:
    assert write(project_of(name)) == (FOLDER / f"{name}.tagloom").read_bytes()


def test_that_the_bottling_line_has_the_findings_that_it_is_to_show() -> None:
    found = Counter((finding.severity, finding.rule) for finding in run(project_of("bottling-line")))
    assert found == {("error", "MAP-001"): 1, ("warning", "MAP-005"): 2, ("warning", "MAP-007"): 2, ("warning", "SEC-001"): 1}


def test_that_the_energy_meter_is_clean() -> None:
    assert run(project_of("energy-meter")) == []


def test_that_the_energy_meter_is_wholly_approved() -> None:
    project = project_of("energy-meter")
    assert {review_state(project, id_) for id_ in (*project.all(Mapping), *project.all(Delivery))} == {"approved"}


def test_that_the_bottling_line_shows_every_review_state_and_one_change_since_approval() -> None:
    project = project_of("bottling-line")
    states = Counter(review_state(project, id_) for id_ in project.all(Mapping))
    assert states["changed"] == 1
    assert min(states["approved"], states["never reviewed"]) > 10
    assert {review_state(project, id_) for id_ in project.all(Delivery)} == {"approved"}


def test_that_the_bottling_line_shows_every_part_of_a_project() -> None:
    project = project_of("bottling-line")
    assert {endpoint.name for endpoint in project.all(Endpoint).values()} == {"filler-opcua", "meter-modbus"}
    assert {unit.number for unit in project.all(Unit).values()} == {3, 4}
    assert {group.name for group in project.all(Group).values()} == {"fast", "normal", "slow"}
    assert {type_.name for type_ in project.all(AssetType).values()} == {
        "Machine", "Filler", "Capper", "Tank", "EnergyMeter", "Drive", "Motor",
    }  # fmt: skip
    assert len(project.all(Asset)) == 7
    assert len(project.all(Component)) == 3
    assert len(project.all(Delivery)) == 2
    assert {one.name for one in project.all(WatchList).values()} == {"Filling", "Energy"}
    operators = {type(op).__name__ for mapping in project.all(Mapping).values() for op in mapping.transform}
    assert operators == {"Linear", "UnitConversion", "Cast", "Round", "Bit", "EnumNames", "Trim"}
    assert len(project.all(Approval)) > 30


def test_that_the_plots_of_the_bottling_line_draw_tags_of_it() -> None:
    view = read_view(FOLDER / "bottling-line.tagloom")
    tags = project_of("bottling-line").all(Tag)
    drawn = [tag for plot in view.plots for tag in plot.tags]
    assert len(view.plots) == 4
    assert [tag for tag in drawn if tag not in tags] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_that_tags_are_what_the_catalogue_of_the_plant_says(name: str) -> None:
    """Type and access of variables are compared with the running plant (``tests/e2e/test_commands_projects.py``)."""
    points = {point.address: point for point in POINTS}
    registers = {str(modbus.parse(register.canonical)): register for register in REGISTERS}
    for tag in project_of(name).all(Tag).values():
        if point := points.get(tag.address):
            assert tag.path == "/".join(map(escape_name, (*point.folder, point.name)))
            assert (tag.unit, tag.low, tag.high, tag.description) == (point.unit, point.low, point.high, point.description)
            assert {int(number): word for number, word in tag.enum.items()} == {m.value: m.name for m in point.members or ()}
        elif register := registers.get(tag.address):
            assert (tag.unit, tag.gain, tag.description) == (register.unit, register.scale, register.description)
        else:
            place, dot, bit = tag.address.partition(".")
            assert dot
            assert int(bit) in dict(registers[place].bits)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("target", sorted(exporters()))
def test_that_every_export_of_an_example_is_the_same_each_time_and_carries_every_mapping(name: str, target: str) -> None:
    first = exporters()[target].render(project_of(name), Options())
    second = exporters()[target].render(project_of(name), Options())
    assert (first.files, first.losses) == (second.files, second.losses)
    errors = [loss.place for loss in first.losses if loss.severity == "error"]
    assert errors == (["Northspring/Plant1/Packaging/Line4/Filling/Filler2/recipe"] if name == "bottling-line" else [])


@pytest.mark.parametrize("name", EXAMPLES)
def test_that_the_review_page_of_an_example_is_the_same_each_time(name: str) -> None:
    assert render_page(project_of(name), name) == render_page(project_of(name), name)
