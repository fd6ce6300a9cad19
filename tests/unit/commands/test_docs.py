"""What README and the description of the command line say of commands is so."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest

from app.check.base import Finding
from app.commands import tagloom
from app.commands.terminal.lines import finding_line, found_line, node_line, sample_line, step_line
from app.drivers.base import BrowseColumns
from app.drivers.probe_questions import FoundServer, ProbeStep
from app.gateways import exporters
from app.model.values import Quality, Sample

ROOT = Path(__file__).parents[3]
PAGES = ("README.md", "resources/docs/command-line.md")


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_that_every_command_line_of_the_page_is_one(page: str) -> None:
    lines = re.findall(r"^tagloom .*$", text_of(page), re.MULTILINE)
    context = click.Context(tagloom, info_name="tagloom")
    assert len(lines) >= 7
    for line in lines:
        _, name, *arguments = shlex.split(line)
        command = tagloom.get_command(context, name)
        if isinstance(command, click.Group):
            name, *arguments = arguments
            command = command.get_command(context, name)
        assert command is not None, line
        command.make_context(name, arguments)


def test_that_every_command_has_its_part_of_the_page() -> None:
    text = text_of("resources/docs/command-line.md")
    for name in tagloom.list_commands(click.Context(tagloom)):
        assert re.search(rf"^## .*\b{name}\b", text, re.MULTILINE), name
        assert f"\ntagloom {name}" in text


def test_that_the_json_forms_of_the_page_are_those_of_the_code() -> None:
    shown = [list(json.loads(line)) for line in re.findall(r"^\{.*\}$", text_of("resources/docs/command-line.md"), re.MULTILINE)]
    columns = BrowseColumns(id=("i",), path=("p",), node_class=("variable",), type=("bool",))
    sample = Sample(1, "int16", Quality.GOOD, 0, None, None, 0)
    forms = (
        step_line(ProbeStep(step="port", outcome="fine", text="")),
        found_line(FoundServer(name="")),
        node_line(columns, 0),
        sample_line("e", "a", sample, status="Good (0)", unit=""),
        finding_line(Finding("R", "error", "id", "p", "m")),
    )
    assert shown == [list(form) for form in forms]


def test_that_the_pages_name_every_gateway_target() -> None:
    for exporter in exporters().values():
        assert exporter.title in text_of("README.md")
        assert f"--target {exporter.key}" in text_of("resources/docs/command-line.md")


@pytest.mark.parametrize("page", [*PAGES, "projects/README.md", "resources/docs/CHANGELOG.md"])
def test_that_links_to_other_pages_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+\.(?:md|html))\)", text_of(page)):
        assert (ROOT / page).parent.joinpath(target).is_file(), target
