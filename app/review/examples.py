"""Example messages: what an asset would send, with made-up values that say so. The same on every run."""

from __future__ import annotations

import json
from typing import Final

from app.mapping.evaluate import ItValue
from app.mapping.message import Message, messages
from app.model.itmodel import Asset, Attribute
from app.model.project import Project
from app.model.resolve import attributes
from app.model.values import INTEGER_LIMITS, Quality, Value

EXAMPLE_NS: Final = 1_767_268_800_000_000_000
"""2026-01-01T12:00:00Z: a time that nobody takes for a reading."""


def example_messages(project: Project, asset: Asset, limit: int = 2) -> list[Message]:
    """At most ``limit`` messages of the asset, one value per mapped attribute. Values are the middle of the range where there is one."""
    values = {
        row.path: ItValue(example_value(row.attribute), Quality.GOOD, "", EXAMPLE_NS, "source")
        for row in attributes(project, asset.asset_type)
        if project.mappings_for(asset.id, row.attribute.id, row.within)
    }
    return messages(project, asset, values)[:limit] if values else []


def example_value(attribute: Attribute) -> Value:
    if attribute.data_type.endswith("[]"):
        return [_scalar(attribute, attribute.data_type[:-2])] * 2
    return _scalar(attribute, attribute.data_type)


def _scalar(attribute: Attribute, base: str) -> Value:
    if base == "enum":
        return next(iter(attribute.enum.values()), "example")
    if base == "bool":
        return True
    if base in INTEGER_LIMITS or base in ("float32", "float64"):
        return _number(attribute, base)
    return {
        "datetime": "2026-01-01T12:00:00.000Z",
        "guid": "00000000-0000-4000-8000-000000000000",
        "bytes": b"example",
        "struct": {"example": True},
    }.get(base, "example")


def _number(attribute: Attribute, base: str) -> int | float:
    low, high = attribute.low, attribute.high
    middle = (low + high) / 2 if low is not None and high is not None else low if low is not None else high if high is not None else 1.0
    if base not in INTEGER_LIMITS:
        return round(float(middle), 6)
    bottom, top = INTEGER_LIMITS[base]
    return min(max(round(middle), bottom), top)


def json_text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
