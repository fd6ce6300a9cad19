from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.edits import Editor
from app.errors import UserError
from app.itmodels.base import ReadModel, TypeDraft, edit_from_model
from app.itmodels.json_schema import read
from app.model.itmodel import AssetType
from app.model.project import Project, ProjectInfo
from app.model.resolve import attributes


def model(schema: object, name: str = "pump.schema.json") -> ReadModel:
    return read(json.dumps(schema).encode(), name)


def one(**properties: object) -> dict[str, dict[str, object]]:
    """Attributes by name of a schema with these properties."""
    return {str(fields["name"]): fields for fields in model({"title": "T", "properties": properties}).types[0].attributes}


def by_name(found: ReadModel) -> dict[str, TypeDraft]:
    return {draft.name: draft for draft in found.types}


def imported(found: ReadModel) -> Project:
    """A project into which the model went as an edit."""
    project = Project(ProjectInfo(id="p", name="P"))
    Editor(project).do(edit_from_model(project, found, "pump.schema.json"))
    return project


@pytest.mark.parametrize(
    ("schema", "data_type"),
    [
        ({"type": "boolean"}, "bool"), ({"type": "integer"}, "int64"), ({"type": "number"}, "float64"), ({"type": "string"}, "string"),
        ({"type": "number", "format": "float"}, "float32"), ({"type": "integer", "format": "uint16"}, "uint16"),
        ({"type": "integer", "minimum": 0, "maximum": 200}, "uint8"), ({"type": "integer", "minimum": -1, "maximum": 200}, "int16"),
        ({"type": "integer", "minimum": 0, "maximum": 2**64 - 1}, "uint64"), ({"type": "string", "format": "date-time"}, "datetime"),
        ({"type": "string", "format": "uuid"}, "guid"), ({"type": "string", "contentEncoding": "base64"}, "bytes"),
        ({"type": "object"}, "struct"), ({"type": "array", "items": {"type": "number"}}, "float64[]"),
        ({"type": ["number", "null"]}, "float64"), ({"type": ["integer", "string"]}, "int64"), ({"type": "array"}, "string[]"),
        ({"type": "array", "items": {"type": "array", "items": {"type": "boolean"}}}, "bool[]"),
    ],
)  # fmt: skip
def test_that_types_are_taken_as_narrow_as_they_are_stated(schema: dict[str, object], data_type: str) -> None:
    assert one(a=schema)["a"]["data_type"] == data_type


def test_that_ranges_requirements_and_texts_are_taken() -> None:
    schema = {
        "title": "Pump",
        "required": ["flow"],
        "properties": {"flow": {"type": "number", "minimum": 0, "maximum": 120, "title": "Flow", "description": "At the outlet"}},
    }
    (fields,) = model(schema).types[0].attributes
    assert fields == {
        "name": "flow", "required": True, "title": "Flow", "description": "At the outlet",
        "low": 0.0, "high": 120.0, "data_type": "float64",
    }  # fmt: skip


@pytest.mark.parametrize(("text", "unit"), [("CEL", "CEL"), ("°C", "CEL"), ("bar", "BAR"), ("l/min", "L2")])
def test_that_units_are_read_as_code_or_symbol(text: str, unit: str) -> None:
    assert one(a={"type": "number", "x-unit": text})["a"]["unit"] == unit
    assert one(a={"type": "number", "unit": text})["a"]["unit"] == unit


def test_that_an_unknown_unit_is_kept_and_reported() -> None:
    found = model({"title": "T", "properties": {"a": {"type": "number", "x-unit": "wobbles"}}})
    assert found.types[0].attributes[0]["unit"] == "wobbles"
    assert "wobbles" in found.losses[0]
    assert "#/properties/a" in found.losses[0]


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": ["CLOSED", "OPEN"]},
        {"type": "string", "enum": ["CLOSED", "OPEN"]},
        {"oneOf": [{"const": 0, "title": "CLOSED"}, {"const": 1, "title": "OPEN"}]},
        {"oneOf": [{"const": "CLOSED"}, {"const": "OPEN"}]},
    ],
)
def test_that_enumerations_have_numbers_and_names(schema: dict[str, object]) -> None:
    fields = one(a=schema)["a"]
    assert (fields["data_type"], fields["enum"]) == ("enum", {"0": "CLOSED", "1": "OPEN"})


def test_that_an_enumeration_of_numbers_is_not_made_one_of_names_in_silence() -> None:
    found = model({"title": "T", "properties": {"a": {"type": "integer", "enum": [1, 2, 4]}}})
    assert found.types[0].attributes[0]["data_type"] == "int64"
    assert any("enum" in loss for loss in found.losses)


def test_that_a_reference_to_an_object_is_a_component_and_one_to_a_value_an_attribute() -> None:
    schema = {
        "title": "Pump",
        "properties": {"motor": {"$ref": "#/$defs/Motor"}, "flow": {"$ref": "#/$defs/Flow", "x-unit": "l/min"}},
        "$defs": {"Motor": {"properties": {"speed": {"type": "integer"}}}, "Flow": {"type": "number", "minimum": 0}},
    }
    found = by_name(model(schema))
    assert found["Pump"].components == [("motor", "Motor", "")]
    assert found["Pump"].attributes == [{"name": "flow", "required": False, "low": 0.0, "data_type": "float64", "unit": "L2"}]
    assert [fields["name"] for fields in found["Motor"].attributes] == ["speed"]


def test_that_a_nested_object_is_a_component_of_a_type_of_its_own() -> None:
    found = by_name(model({"title": "Pump", "properties": {"motor": {"type": "object", "properties": {"speed": {"type": "integer"}}}}}))
    assert found["Pump"].components == [("motor", "Motor", "")]
    assert "Motor" in found


def test_that_two_nested_objects_of_one_name_are_two_types() -> None:
    part = {"type": "object", "properties": {"speed": {"type": "integer"}}}
    found = by_name(model({"title": "Line", "properties": {"a": {"properties": {"motor": part}}, "b": {"properties": {"motor": part}}}}))
    assert {"Line", "A", "B", "Motor", "Motor 2"} == set(found)
    assert found["B"].components == [("motor", "Motor 2", "")]


def test_that_the_first_reference_of_all_of_is_what_the_type_extends() -> None:
    schema = {
        "title": "Filler",
        "allOf": [{"$ref": "#/$defs/Machine"}, {"properties": {"flow": {"type": "number"}}, "required": ["flow"]}],
        "$defs": {"Machine": {"properties": {"running": {"type": "boolean"}}}},
    }
    found = model(schema)
    assert by_name(found)["Filler"].extends == "Machine"
    project = imported(found)
    filler = next(type_ for type_ in project.all(AssetType).values() if type_.name == "Filler")
    assert [(row.path, row.attribute.required) for row in attributes(project, filler.id)] == [("running", False), ("flow", True)]


def test_that_definitions_of_older_drafts_are_read() -> None:
    found = model({"definitions": {"Pump": {"properties": {"flow": {"type": "number"}}}}})
    assert set(by_name(found)) == {"Pump"}


def test_that_a_type_that_contains_itself_ends() -> None:
    found = model({"title": "Node", "properties": {"child": {"$ref": "#"}, "name": {"type": "string"}}})
    assert by_name(found)["Node"].components == [("child", "Node", "")]


def test_that_types_that_extend_each_other_are_refused() -> None:
    schema = {"$defs": {"A": {"allOf": [{"$ref": "#/$defs/B"}]}, "B": {"allOf": [{"$ref": "#/$defs/A"}]}}}
    with pytest.raises(UserError, match="itself"):
        model(schema)


@pytest.mark.parametrize("ref", ["https://example.org/pump.json", "other.json#/Motor", "file:///etc/passwd"])
def test_that_a_reference_out_of_the_file_is_refused_by_name(ref: str) -> None:
    with pytest.raises(UserError, match="leads out of the file") as refused:
        model({"title": "Pump", "properties": {"motor": {"$ref": ref}}})
    assert refused.value.where.endswith("#/properties/motor")


@pytest.mark.parametrize("schema", [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/missing"}])
def test_that_a_reference_in_a_circle_or_to_nothing_is_refused(schema: dict[str, object]) -> None:
    loop = {"title": "T", "properties": {"x": schema}, "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}
    with pytest.raises(UserError):
        model(loop)


def test_that_what_has_no_counterpart_is_reported_with_its_place() -> None:
    found = model({"title": "T", "properties": {"a": {"type": "string"}}, "patternProperties": {"^x": {}}, "if": {}})
    assert [loss.split(":")[0] for loss in found.losses] == ["#", "#"]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b'"text"', b"{}", b"[" * 200_000, b'{"title": "T", "properties": {}}'])
def test_that_what_is_no_schema_of_objects_is_refused(data: bytes) -> None:
    if data.startswith(b'{"title"'):
        assert read(data, "x.json").types[0].attributes == []
        return
    with pytest.raises(UserError):
        read(data, "x.json")


def test_that_a_deep_schema_is_refused_and_does_not_end_the_program() -> None:
    schema: dict[str, object] = {"type": "number"}
    for _ in range(300):
        schema = {"properties": {"a": schema}}
    arrays: dict[str, object] = {"type": "number"}
    for _ in range(300):
        arrays = {"type": "array", "items": arrays}
    nested: dict[str, object] = {"properties": {"a": {"type": "number"}}}
    for _ in range(300):
        nested = {"allOf": [nested]}
    for deep in (schema, {"title": "T", "properties": {"a": arrays}}, nested):
        with pytest.raises(UserError, match="deep"):
            model(deep)


WORDS = st.sampled_from(
    ["type", "properties", "$ref", "allOf", "oneOf", "enum", "items", "required", "title", "const", "$defs", "x-unit", "minimum", "format"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["object", "array", "number", "string", "integer", "#", "#/$defs/a", "#/$defs/a/properties/b", "", "°C", "a/b"])
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.sampled_from(["a", "b"]), inner, max_size=5),
    max_leaves=30,
)


@settings(max_examples=300)
@given(st.dictionaries(WORDS, VALUES, max_size=6))
def test_that_any_json_is_read_into_a_model_that_a_project_can_hold_or_refused(schema: dict[str, object]) -> None:
    try:
        project = imported(model({"properties": {"p": schema}, **schema}))
    except UserError:
        return
    assert project.all(AssetType)


@given(st.binary(max_size=200))
def test_that_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(UserError):
        read(data, "x.json")
