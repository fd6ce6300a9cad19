import json
from importlib import resources
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from app.model.project import Project
from app.projectfile import write
from app.projectfile.schema import SCHEMA_FILE, schema_bytes
from tests import strategies
from tests.unit.projectfile.examples import LINES

PUBLISHED = (resources.files("resources") / SCHEMA_FILE).read_bytes()
VALIDATOR = jsonschema.Draft202012Validator(json.loads(PUBLISHED))


def test_that_the_published_schema_is_that_of_the_code() -> None:
    assert schema_bytes() == PUBLISHED, "renew it: python -m app.projectfile.schema > resources/project-line.schema.json"


def test_that_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(PUBLISHED))


@pytest.mark.parametrize("line", LINES)
def test_that_example_lines_of_every_kind_are_valid(line: str) -> None:
    VALIDATOR.validate(json.loads(line))


@given(strategies.projects(2))
def test_that_every_line_we_write_is_valid(project: Project) -> None:
    for line in write(project).decode().split("\n"):
        if line:
            VALIDATOR.validate(json.loads(line))


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "tag", "id": "t", "endpoint": "e", "address": "x"},
        {"kind": "tag", "id": "t", "endpoint": "e", "address": "x", "name": "t", "lwo": 1},
        {"kind": "tag", "id": "T 1", "endpoint": "e", "address": "x", "name": "t"},
        {"kind": "unit", "id": "u", "endpoint": "e", "number": 256},
        {"kind": "part", "id": "u"},
        {"kind": "tagloom", "id": "p"},
        {"kind": "tagloom", "id": "p", "format": 2},
        {"kind": "mapping", "id": "m", "asset": "a", "attribute": "b", "transform": [{"op": "run"}]},
        {"kind": "end", "id": "e"},
        [],
    ],
)
def test_that_lines_that_reading_refuses_are_invalid(line: Any) -> None:  # Any: JSON of any shape
    assert not VALIDATOR.is_valid(line)
