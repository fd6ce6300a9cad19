"""Jobs for the interpreters of ``interpreters.py``, and what ``app.mapping`` itself makes of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from msgspec import structs

from app.gateways.base import Options
from app.gateways.feeds import feeds_of
from app.gateways.program import program_of, steps_of
from app.mapping.evaluate import compile_mapping
from app.mapping.message import json_value, messages
from app.model.itmodel import Asset, AssetType, Attribute
from app.model.mapping import (
    Bit,
    Cast,
    Clamp,
    EnumNames,
    GainOffset,
    Linear,
    Mapping,
    Mask,
    Not,
    Part,
    Round,
    Sqrt,
    Transform,
    Trim,
    UnitConversion,
)
from app.model.plant import Tag
from app.model.project import Project, ProjectInfo
from app.model.resolve import attributes
from app.model.values import Quality, Sample
from tests.unit.gateways.interpreters import typed

START_NS = 1_767_225_600_000_000_000  # 2026-01-01

moderate = st.floats(-1e12, 1e12).map(lambda value: 0.0 if value == 0 else value)
any_float = st.floats()
names = st.dictionaries(st.integers(-5, 40).map(str), st.text(max_size=6), max_size=4)
transforms = st.one_of(
    st.builds(Part, path=st.sampled_from(["[0]", "[1]", "[0][1]", "a.b"])),
    st.builds(Linear, raw_low=moderate, raw_high=moderate, low=moderate, high=moderate, clamp=st.booleans()),
    st.builds(GainOffset, gain=moderate, offset=moderate),
    st.builds(Sqrt, high=moderate),
    st.builds(Bit, index=st.integers(0, 63)),
    st.builds(Mask, mask=st.integers(0, 2**63 - 1), shift=st.integers(0, 63)),
    st.builds(EnumNames, names=names, other=st.none() | st.text(max_size=4)),
    st.sampled_from([UnitConversion(source="FAH", target="CEL"), UnitConversion(source="BAR", target="KPA")]),
    st.builds(Clamp, low=st.none() | moderate, high=st.none() | moderate),
    st.builds(
        Cast,
        type=st.sampled_from(
            [
                "bool",
                "int8",
                "uint8",
                "int16",
                "uint16",
                "int32",
                "uint32",
                "int64",
                "uint64",
                "float32",
                "float64",
                "string",
                "enum",
                "int32[]",
            ]
        ),
        rounding=st.sampled_from(["half_even", "floor", "ceil", "truncate"]),
    ),
    st.builds(Round, digits=st.integers(-20, 20) | st.integers(-308, 308)),
    st.just(Not()),
    st.just(Trim()),
)
numeric_texts = st.one_of(
    st.integers().map(str), moderate.map(repr), st.sampled_from(["1e3", " 12 ", "+7", ".5", "5.", "nan", "-inf", "1e", "", "-"])
)
ascii_texts = st.text(st.characters(codec="ascii", exclude_characters="_"), max_size=8)
scalars = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**64 - 1), st.integers(-300, 300), moderate, any_float,
    st.integers(-100, 100).map(lambda value: value / 2), numeric_texts, ascii_texts,
)  # fmt: skip
values = scalars | st.lists(scalars, max_size=3)
types = st.sampled_from(
    ["bool", "int8", "uint16", "int32", "int64", "uint64", "float32", "float64", "string", "enum", "datetime", "float64[]", "int32[]"]
)


def one_attribute(transform: Sequence[Transform], data_type: str, enum: dict[str, str]) -> tuple[Project, Mapping]:
    mapping = Mapping(id="m", asset="x", attribute="a", transform=tuple(transform))
    elements = [
        AssetType(id="t", name="T"), Attribute(id="a", asset_type="t", name="a", data_type=data_type, enum=enum),
        Asset(id="x", name="X", asset_type="t"), mapping,
    ]  # fmt: skip
    return Project(ProjectInfo(id="p"), elements), mapping


def job_for(
    transform: Sequence[Transform], data_type: str, enum: dict[str, str], value: object, quality: int
) -> dict[str, Any]:  # Any: JSON
    """One sample through one attribute, sent on its own."""
    attribute = {
        "key": "a", "topic": "t/a", "unit": None, "source": "s", "scale": None, "deadband": 0.0, "steps": steps_of(transform),
        "type": data_type, "enum": enum, "time": "source", "quality": "pass", "hold_ms": 0.0,
    }  # fmt: skip
    asset = {
        "topic": "t", "head": {}, "message": "attribute", "time": "epoch_ns", "quality": "text", "parts": True, "null": "null", "qos": 0,
        "retain": False, "trigger": "change", "period_ms": 1000, "attributes": [attribute],
    }  # fmt: skip
    event = {
        "kind": "sample", "source": "s", "value": typed(value), "quality": quality, "source_ns": str(START_NS), "server_ns": None,
        "now_ns": START_NS + 5,
    }  # fmt: skip
    return {"plan": {"assets": [asset], "sources": {"s": {"watch": "w"}}, "watches": {"w": 1000}}, "now_ns": START_NS, "events": [event]}


def expected(transform: Sequence[Transform], data_type: str, enum: dict[str, str], value: object, quality: int) -> tuple[object, str]:
    """(JSON value, quality) that the project's own evaluation gives."""
    project, mapping = one_attribute(transform, data_type, enum)
    made = compile_mapping(project, mapping)(Sample(value, "", Quality(quality), 0, START_NS, None, START_NS + 5))
    return json_value(made.value), made.quality.name.lower()


def same_json(wanted: object, found: object) -> bool:
    """Whether both are one JSON value: 1 and 1.0 are, true and 1 are not; what is not finite is null in JSON."""
    if isinstance(wanted, float) and not math.isfinite(wanted):
        return found is None
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(same_json, wanted, found))
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in (wanted, found)]
    if all(numbers):
        return float(wanted) == float(found)  # type: ignore[arg-type]  # both are numbers
    return not any(numbers) and type(wanted) is type(found) and wanted == found


def plan_of(project: Project, collect_ms: int = 100) -> tuple[dict[str, Any], dict[str, str]]:  # Any: JSON
    """The delivery of a whole project, with every tag as its own source; and mapping id → source."""
    found = feeds_of(project, Options())
    sources = {feed.mapping.id: feed.tag.id for feed in found.feeds}
    plan = {
        "assets": program_of(project, found.feeds, sources, collect_ms),
        "sources": {source: {"watch": "w"} for source in sources.values()},
        "watches": {"w": 60_000},
    }
    return plan, sources


def messages_of(project: Project, samples: dict[str, Sample]) -> dict[str, object]:
    """Topic → payload that ``app.mapping.message`` makes of the newest sample of every tag."""
    made: dict[str, object] = {}
    for asset in project.all(Asset).values():
        cells = {}
        for row in attributes(project, asset.asset_type):
            for mapping in project.mappings_for(asset.id, row.attribute.id, row.within):
                cells[row.path] = compile_mapping(project, mapping)(_scaled(project, mapping, samples))
        if cells:
            made.update({message.topic: message.payload for message in messages(project, asset, cells)})
    return made


def _scaled(project: Project, mapping: Mapping, samples: dict[str, Sample]) -> Sample | None:
    """With the source's own gain and offset, which drivers apply and gateways have to."""
    tag, sample = project.all(Tag)[mapping.sources[0]], samples.get(mapping.sources[0])
    if sample is None or (tag.gain, tag.offset) == (1.0, 0.0):
        return sample
    assert isinstance(sample.value, int | float)
    return structs.replace(sample, value=sample.value * tag.gain + tag.offset)
