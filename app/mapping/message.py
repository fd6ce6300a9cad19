"""What leaves the gateway: topics, messages and their JSON Schema, as the delivery says.

Preview, exporters, JSON Schema and verification all come here, so that they cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as ReadOnly
from typing import Final, NamedTuple

from app.mapping.evaluate import ItValue
from app.mapping.transform import symbol
from app.model.itmodel import Asset, AssetType, Attribute
from app.model.mapping import Delivery
from app.model.project import Project
from app.model.resolve import ResolvedAttribute, attributes, level_names, path_of
from app.model.times import rfc3339
from app.model.values import INTEGER_LIMITS, SAFE_INTEGER, Quality, Value

PLACEHOLDERS: Final = ("enterprise", "site", "area", "line", "cell", "asset", "type", "attribute")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Message(NamedTuple):
    topic: str
    payload: dict[str, object]


def topic_of(project: Project, asset: Asset, attribute_path: str = "") -> str:
    """The topic of an asset's message; with ``attribute_path`` that of the attribute's own message.

    A placeholder without a value is left out with its slash. Names are used as they are: a name that is no legal topic
    level is a finding (UNS-…), not something to be repaired unseen.
    """
    delivery = project.delivery_for(asset.asset_type)
    type_ = project.get(AssetType, asset.asset_type)
    names = {**level_names(project, asset), "asset": asset.name, "type": type_.name if type_ else ""}
    names["attribute"] = key_of(delivery, attribute_path) if attribute_path else ""
    template = delivery.topic
    if delivery.message == "attribute" and "{attribute}" not in template:
        template += "/{attribute}"
    segments = (_PLACEHOLDER.sub(lambda match: names.get(match[1], match[0]), part) for part in template.split("/"))
    return "/".join(filter(None, segments))


def key_of(delivery: Delivery, path: str) -> str:
    """An attribute's key in the message: ``motor.speedSetpoint`` as it is, as ``motor_speed_setpoint`` or ``motorSpeedSetpoint``."""
    if delivery.keys == "name":
        return path
    words = _words(path)
    if delivery.keys == "snake_case":
        return "_".join(word.lower() for word in words) or path
    return (words[0].lower() + "".join(word[:1].upper() + word[1:].lower() for word in words[1:])) if words else path


def _words(path: str) -> list[str]:
    """Parts between signs, and within them where a capital begins a word, in every alphabet: ``FT``, ``Speed``, ``SP``, ``Größe``."""
    words: list[str] = []
    for run in re.findall(r"[^\W_]+", path):
        start = 0
        for place in range(1, len(run)):
            begins = run[place].isupper() and (not run[place - 1].isupper() or run[place + 1 : place + 2].islower())
            if begins:
                words.append(run[start:place])
                start = place
        words.append(run[start:])
    return words


def time_field(delivery: Delivery, time_ns: int | None) -> str | int | None:
    if time_ns is None:
        return None
    if delivery.time == "rfc3339":
        return rfc3339(time_ns)
    return time_ns // 1_000_000 if delivery.time == "epoch_ms" else str(time_ns)


def messages(project: Project, asset: Asset, values: ReadOnly[str, ItValue]) -> list[Message]:
    """The messages of one asset: one, or one per attribute.

    Args:
        values: Attribute path → IT value, for the mapped attributes; an attribute without a mapping is not sent.
    """
    delivery = project.delivery_for(asset.asset_type)
    head = _head(project, asset)
    sent = [(row, values[row.path]) for row in attributes(project, asset.asset_type) if row.path in values]
    if delivery.message == "attribute":
        return [_attribute_message(project, asset, delivery, row, value) for row, value in sent if _is_sent(delivery, value)]
    times = [value.time_ns for _, value in sent if value.time_ns is not None]
    fields = {key_of(delivery, row.path): _field(delivery, row.attribute, value) for row, value in sent if _is_sent(delivery, value)}
    payload: dict[str, object] = {**head, "time": time_field(delivery, max(times, default=None)), "values": fields}
    return [Message(topic_of(project, asset), payload)]


def _head(project: Project, asset: Asset) -> dict[str, object]:
    type_ = project.get(AssetType, asset.asset_type)
    return {"asset": path_of(project, asset), "type": type_.name if type_ else ""}


def _is_sent(delivery: Delivery, value: ItValue) -> bool:
    return value.value is not None or delivery.null == "null"


def _attribute_message(project: Project, asset: Asset, delivery: Delivery, row: ResolvedAttribute, value: ItValue) -> Message:
    payload = {**_head(project, asset), "attribute": key_of(delivery, row.path), **_parts(delivery, row.attribute, value)}
    return Message(topic_of(project, asset, row.path), payload)


def has_parts(delivery: Delivery) -> bool:
    """Whether an attribute is an object with value, quality, unit and time, or the bare value."""
    return delivery.message == "attribute" or delivery.quality != "none" or delivery.unit


def _field(delivery: Delivery, attribute: Attribute, value: ItValue) -> object:
    return _parts(delivery, attribute, value) if has_parts(delivery) else json_value(value.value)


def _parts(delivery: Delivery, attribute: Attribute, value: ItValue) -> dict[str, object]:
    parts: dict[str, object] = {"value": json_value(value.value)}
    if delivery.quality == "text":
        parts["quality"] = value.quality.name.lower()
    elif delivery.quality == "code":
        parts["quality"] = QUALITY_CODES[value.quality]
    if delivery.unit and attribute.unit:
        parts["unit"] = symbol(attribute.unit)
    parts["time"] = time_field(delivery, value.time_ns)
    return parts


QUALITY_CODES: Final = {Quality.GOOD: 192, Quality.UNCERTAIN: 64, Quality.BAD: 0}
"""The OPC classic quality byte (OPC DA 3.00 §6.8), the number that historians and Sparkplug consumers know."""


def json_value(value: Value) -> object:
    """As JSON can carry it without loss: integers beyond 2^53 and byte strings (base64) become text."""
    if isinstance(value, bool) or value is None or isinstance(value, str | float):
        return value
    if isinstance(value, int):
        return value if abs(value) <= SAFE_INTEGER else str(value)
    if isinstance(value, bytes):
        import base64

        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [json_value(part) for part in value]
    if isinstance(value, dict):
        return {key: json_value(part) for key, part in value.items()}
    return str(value)


def json_schema(project: Project, asset_type: str) -> dict[str, object]:
    """JSON Schema 2020-12 of the messages that assets of this type send."""
    delivery = project.delivery_for(asset_type)
    type_ = project.get(AssetType, asset_type)
    rows = attributes(project, asset_type)
    head: dict[str, object] = {"asset": {"type": "string"}, "type": {"const": type_.name if type_ else ""}}
    schema: dict[str, object] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}
    if type_ is not None:
        schema |= {"title": type_.title or type_.name, **({"description": type_.description} if type_.description else {})}
    if delivery.message == "attribute":
        kinds = [_attribute_schema(delivery, row, {**head, "attribute": {"const": key_of(delivery, row.path)}}) for row in rows]
        return schema | ({"oneOf": kinds} if kinds else {})
    values = {
        "type": "object",
        "properties": {key_of(delivery, row.path): _field_schema(delivery, row.attribute) for row in rows},
        "required": [key_of(delivery, row.path) for row in rows if row.attribute.required and delivery.null == "null"],
        "additionalProperties": False,
    }
    return schema | {
        "properties": {**head, "time": _time_schema(delivery), "values": values},
        "required": ["asset", "type", "time", "values"],
        "additionalProperties": False,
    }


def _attribute_schema(delivery: Delivery, row: ResolvedAttribute, head: dict[str, object]) -> dict[str, object]:
    part = _field_schema(delivery, row.attribute)
    properties, required = part["properties"], part["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    return part | {"properties": head | properties, "required": [*head, *required]}


def _field_schema(delivery: Delivery, attribute: Attribute) -> dict[str, object]:
    value = value_schema(attribute, nullable=delivery.null == "null")
    if not has_parts(delivery):
        return value
    properties: dict[str, object] = {"value": value}
    if delivery.quality == "text":
        properties["quality"] = {"enum": [quality.name.lower() for quality in Quality]}
    elif delivery.quality == "code":
        properties["quality"] = {"enum": sorted(QUALITY_CODES.values())}
    if delivery.unit and attribute.unit:
        properties["unit"] = {"const": symbol(attribute.unit)}
    properties["time"] = _time_schema(delivery)
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _time_schema(delivery: Delivery) -> dict[str, object]:
    match delivery.time:
        case "rfc3339":
            return {"type": ["string", "null"], "format": "date-time"}
        case "epoch_ms":
            return {"type": ["integer", "null"]}
        case "epoch_ns":
            return {"type": ["string", "null"], "pattern": "^[0-9]+$", "description": "ns since 1970-01-01 UTC, as text: beyond 2^53"}


def value_schema(attribute: Attribute, *, nullable: bool) -> dict[str, object]:
    """JSON Schema of one attribute's bare value."""
    if attribute.data_type.endswith("[]"):
        items = _scalar_schema(attribute, attribute.data_type[:-2])
        return {"type": ["array", "null"] if nullable else "array", "items": items}
    schema = _scalar_schema(attribute, attribute.data_type)
    if not nullable:
        return schema
    if "enum" in schema:
        names = schema["enum"]
        assert isinstance(names, list)
        return schema | {"enum": [*names, None]}
    kind = schema.get("type")
    return schema | ({"type": [*kind, "null"] if isinstance(kind, list) else [kind, "null"]} if kind else {})


def _scalar_schema(attribute: Attribute, base: str) -> dict[str, object]:
    schema: dict[str, object] = {}
    if base == "enum" and attribute.enum:
        schema["enum"] = list(attribute.enum.values())
    elif base in ("int64", "uint64"):
        schema["type"] = ["integer", "string"]
    elif base in INTEGER_LIMITS:
        low, high = INTEGER_LIMITS[base]
        schema |= {"type": "integer", "minimum": low, "maximum": high}
    elif base in ("float32", "float64"):
        schema["type"] = "number"
    elif base == "bool":
        schema["type"] = "boolean"
    elif base == "struct":
        schema["type"] = "object"
    else:
        schema["type"] = "string"
        schema |= {"format": "date-time"} if base == "datetime" else {"contentEncoding": "base64"} if base == "bytes" else {}
    for key, text in (("title", attribute.title), ("description", attribute.description), ("x-unit", attribute.unit)):
        if text:
            schema[key] = text
    return schema
