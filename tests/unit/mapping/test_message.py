from __future__ import annotations

from typing import Any, get_args, get_type_hints

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edits import Editor
from app.edits.assets import ensure_places
from app.edits.mappings import set_delivery
from app.mapping.evaluate import ItValue
from app.mapping.message import json_schema, json_value, key_of, messages, topic_of
from app.model.itmodel import Asset, AssetType
from app.model.mapping import Delivery
from app.model.project import Project
from app.model.resolve import attributes
from app.model.values import Quality, Value
from tests.factory import line4_project

NS = 1_700_000_000_123_000_000


def filler(project: Project) -> Asset:
    return next(asset for asset in project.all(Asset).values() if asset.asset_type == "filler")


def example(data_type: str, enum: dict[str, str]) -> Value:
    if data_type.endswith("[]"):
        return [1.5, 2.5]
    return {"bool": True, "string": "x", "enum": next(iter(enum.values()), "A"), "float32": 1.5, "float64": 2.5}.get(data_type, 7)


def values_of(project: Project, asset: Asset) -> dict[str, ItValue]:
    return {
        row.path: ItValue(example(row.attribute.data_type, row.attribute.enum), Quality.GOOD, "", NS, "source")
        for row in attributes(project, asset.asset_type)
    }


CHOICES = {
    name: get_args(hint) for name, hint in get_type_hints(Delivery).items() if name in ("message", "keys", "time", "quality", "null")
}


@pytest.mark.parametrize(
    "choice",
    [{name: value} for name, values in CHOICES.items() for value in values]
    + [{"unit": True}, {"unit": False}, {"unit": False, "quality": "none"}],
    ids=str,
)
def test_that_every_message_passes_its_own_json_schema(choice: dict[str, Any]) -> None:  # Any: one closed option of Delivery
    project = line4_project()
    editor = Editor(project)
    editor.do(set_delivery(project, **choice))
    for asset in project.all(Asset).values():
        editor.do(set_delivery(project, asset.asset_type, **choice))
        schema = json_schema(project, asset.asset_type)
        jsonschema.Draft202012Validator.check_schema(schema)
        for message in messages(project, asset, values_of(project, asset)):
            jsonschema.validate(msgspec.json.decode(msgspec.json.encode(message.payload)), schema)


def test_that_a_wrong_type_in_a_message_fails_the_schema() -> None:
    project = line4_project()
    values = values_of(project, filler(project))
    values["fillFlow"] = values["fillFlow"]._replace(value="a lot")
    (message,) = messages(project, filler(project), values)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(message.payload, json_schema(project, "filler"))


def test_that_a_level_without_a_place_leaves_no_empty_topic_level() -> None:
    project = line4_project()
    assert "//" not in topic_of(project, filler(project))
    homeless = Asset(id="x", name="Lonely", asset_type="filler")
    assert topic_of(project, homeless) == "Lonely"


def test_that_a_null_value_is_sent_or_left_out_as_the_delivery_says() -> None:
    project = line4_project()
    asset = filler(project)
    values = {"fillFlow": ItValue(None, Quality.BAD, "no value yet", None, "receive")}
    editor = Editor(project)
    editor.do(set_delivery(project, "filler", null="null"))
    (message,) = messages(project, asset, values)
    assert "fillFlow" in message.payload["values"]  # type: ignore[operator]  # it is a dict
    editor.do(set_delivery(project, "filler", null="omit"))
    (message,) = messages(project, asset, values)
    assert message.payload["values"] == {}


def test_that_one_message_per_attribute_has_a_topic_of_its_own() -> None:
    project = line4_project()
    Editor(project).do(set_delivery(project, "filler", message="attribute"))
    found = messages(project, filler(project), values_of(project, filler(project)))
    assert len({message.topic for message in found}) == len(found) > 5
    assert any(message.topic.endswith("/motor.speed") for message in found)


@pytest.mark.parametrize(
    ("path", "snake", "camel"),
    [
        ("fillFlow", "fill_flow", "fillFlow"),
        ("FT-101.PV", "ft_101_pv", "ft101Pv"),
        ("motor.Speed SP", "motor_speed_sp", "motorSpeedSp"),
        ("größe", "größe", "größe"),
    ],
)
def test_that_keys_are_rewritten_as_the_delivery_says(path: str, snake: str, camel: str) -> None:
    assert key_of(Delivery(id="d"), path) == path
    assert key_of(Delivery(id="d", keys="snake_case"), path) == snake
    assert key_of(Delivery(id="d", keys="camelCase"), path) == camel


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(json_values)
def test_that_any_value_becomes_json_that_a_javascript_reader_keeps_exactly(value: Value) -> None:
    def safe(part: object) -> bool:
        if isinstance(part, bool) or part is None or isinstance(part, str | float):
            return True
        if isinstance(part, int):
            return abs(part) <= 2**53
        if isinstance(part, list):
            return all(map(safe, part))
        return isinstance(part, dict) and all(map(safe, part.values()))

    assert safe(json_value(value))


def test_that_places_at_every_level_fill_the_topic() -> None:
    project = line4_project()
    editor = Editor(project)
    edit, cell = ensure_places(project, [("enterprise", "Acme"), ("site", "Ulm"), ("area", "Pack"), ("line", "L4"), ("cell", "C1")])
    editor.do(edit)
    asset = Asset(id="new", name="Filler 9", asset_type="filler", place=cell)
    assert topic_of(project, asset).endswith("Acme/Ulm/Pack/L4/C1/Filler 9") or "Acme/Ulm/Pack/L4" in topic_of(project, asset)
    assert project.get(AssetType, "filler") is not None
