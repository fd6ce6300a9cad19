import sys
from types import ModuleType

import pytest

from app.errors import CollectedError
from app.model.project import FORMAT
from app.projectfile import migrate, read
from app.projectfile.migrate import Row
from tests.unit.projectfile.examples import SMALL


def future_step(rows: list[Row]) -> list[Row]:
    """What ``from_1.py`` may look like one day: tags get a required field of another name."""
    return [
        Row(row.line, {("name" if key == "title" else key): (2 if key == "format" else value) for key, value in row.fields.items()})
        for row in rows
    ]


@pytest.fixture
def format_2(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("from_1")
    module.step = future_step  # type: ignore[attr-defined]  # a module made for this test
    monkeypatch.setitem(sys.modules, f"{migrate.__name__}.from_1", module)
    for name in ("read", "strict"):
        monkeypatch.setattr(sys.modules[f"app.projectfile.{name}"], "FORMAT", 2)


OLD = SMALL.replace(b'"name":"fast"', b'"title":"fast"')


@pytest.mark.usefixtures("format_2")
def test_that_an_older_file_goes_through_its_steps() -> None:
    project = read(OLD, "old")
    assert project.info.format == 2
    assert "fast-aaaaaa" in project


@pytest.mark.usefixtures("format_2")
def test_that_an_error_in_an_older_file_names_the_line_in_that_file() -> None:
    with pytest.raises(CollectedError) as caught:
        read(OLD.replace(b'"number":3', b'"number":"3"'), "old")
    line = OLD[: OLD.index(b'"number"')].count(b"\n") + 1
    assert [problem.where for problem in caught.value.problems] == [f"old:{line}"]


def test_that_there_is_a_step_for_every_older_format() -> None:
    for version in range(1, FORMAT):
        migrate.migrate([], version, version + 1)
