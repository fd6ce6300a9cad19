"""JSON Schema 2020-12 of one line, made from the elements; published as ``resources/project-line.schema.json``.

To renew the file: ``python -m app.projectfile.schema`` (a test keeps file and code equal).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Final, cast

import msgspec

from app.model.element import Element, Json
from app.model.ids import ID_FORM, ID_LENGTH
from app.model.lines import End
from app.model.project import FORMAT, KINDS
from app.model.references import REFERENCES

SCHEMA_FILE: Final = "project-line.schema.json"


def line_schema() -> dict[str, Json]:
    """What any line of a project file must be. It cannot say what holds between lines: order, references, the header."""
    kinds = (*KINDS.values(), End)
    schemas, components = msgspec.json.schema_components(kinds, schema_hook=_any_json, ref_template="#/$defs/{name}")
    for kind in KINDS.values():
        _name_references(kind, cast("dict[str, dict[str, Json]]", components[kind.__name__]["properties"]))
    components["ProjectInfo"]["required"].append("format")  # it has a default, made anew each time so that it is always written
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of a Tagloom project file",
        "description": f"File format {FORMAT}. Every line that is not empty, of a file whose name ends in .tagloom, is one of these.",
        "oneOf": list(schemas),
        "$defs": {name: _tidy(components[name]) for name in sorted(components)},
    }


def schema_bytes() -> bytes:
    return json.dumps(line_schema(), indent=2, ensure_ascii=False).encode() + b"\n"


def _any_json(kind: type) -> dict[str, Json]:
    if kind is object:
        return {"description": "Any JSON value"}
    raise NotImplementedError(kind)


def _name_references(kind: type[Element], properties: dict[str, dict[str, Json]]) -> None:
    properties["id"].update({"pattern": f"^{ID_FORM.pattern}$", "maxLength": ID_LENGTH})
    if kind is KINDS["tagloom"]:
        properties["format"].update({"const": FORMAT})
    for reference in REFERENCES.get(kind, ()):
        to = " or ".join(to.__name__ for to in reference.to) or "any element"
        properties[reference.field]["description"] = f"Id{'s' if reference.many else ''} of {to}"


def _tidy(schema: dict[str, Json]) -> dict[str, Json]:
    """Without the titles that only repeat the name, and with the first paragraph of each docstring only."""
    return dict(_tidied(schema))


def _tidied(schema: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    for key, value in schema.items():
        if key == "description" and isinstance(value, str):
            yield key, " ".join(value.split("\n\n")[0].split())
        elif key != "title":
            yield key, value


if __name__ == "__main__":
    sys.stdout.buffer.write(schema_bytes())
