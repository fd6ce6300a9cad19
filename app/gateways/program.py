"""The delivery of a project as plain data, for the interpreters that run inside gateways.

``resources/templates/gateways/delivery.js`` and ``delivery.star`` hold fixed program text that reads this data; no name of a
plant ever becomes program text. Numbers that belong together are worked out here once (units become gain and offset), so
that both interpreters compute with the very numbers that ``app.mapping`` uses.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping as ReadOnly
from collections.abc import Sequence
from typing import Final

from app.errors import UserError
from app.gateways.base import Options
from app.gateways.feeds import Feed, delivered
from app.mapping.members import parse_path
from app.mapping.message import has_parts, key_of, topic_of
from app.mapping.transform import leading_parts, symbol
from app.model.itmodel import Asset, AssetType
from app.model.mapping import (
    Bit,
    Cast,
    Clamp,
    Delivery,
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
from app.model.project import Project
from app.model.resolve import path_of
from app.model.values import INTEGER_LIMITS
from app.units import conversion

Step = dict[str, object]
NEVER: Final[Step] = {"op": "never"}
"""What cannot be done with any value makes the whole transform impossible, so it stands alone."""
COLLECT_MS: Final = 100
"""Changes of one asset that come within this time go into one message."""


def steps_of(transform: Sequence[Transform]) -> list[Step]:
    """Operators with their numbers worked out.

    Raises:
        UserError: A unit conversion that can never work.
    """
    parts = leading_parts(transform)
    picks: list[Step] = [{"op": "part", "path": list(parse_path(part.path))} for part in parts]
    steps = picks + [_step(op) for op in transform[len(parts) :]]
    return [NEVER] if NEVER in steps else steps


def _step(op: Transform) -> Step:
    match op:
        case Part():
            return NEVER  # only in front it is one
        case Linear():
            return _linear(op)
        case GainOffset():
            return {"op": "gain", "gain": float(op.gain), "offset": float(op.offset)}
        case UnitConversion():
            affine = conversion(op.source, op.target)
            return {"op": "gain", "gain": float(affine.gain), "offset": float(affine.offset)}
        case Sqrt():
            return {"op": "sqrt", "high": float(op.high)} if op.high > 0 else NEVER
        case Bit():
            return {"op": "bit", "index": op.index}
        case Mask():
            return {"op": "mask", "mask": str(op.mask), "shift": op.shift}  # text: beyond 2^53 a JSON number is no integer everywhere
        case EnumNames():
            return {"op": "enum", "names": dict(op.names), "other": op.other}
        case Clamp():
            return {"op": "clamp", "low": _float(op.low), "high": _float(op.high)}
        case Cast():
            return {"op": "cast", "type": op.type, "rounding": op.rounding}
        case Round():
            return {"op": "round", "digits": op.digits}
        case Not() | Trim():
            return {"op": str(type(op).__struct_config__.tag)}


def _linear(op: Linear) -> Step:
    span = op.raw_high - op.raw_low
    if span == 0:
        return NEVER
    bottom, top = sorted((float(op.low), float(op.high)))
    gain = float((op.high - op.low) / span)
    if not math.isfinite(gain):
        return NEVER  # a span so narrow that every value but one is infinite
    return {
        "op": "linear", "raw_low": float(op.raw_low), "gain": gain, "low": float(op.low), "bottom": bottom, "top": top, "clamp": op.clamp,
    }  # fmt: skip


def collect_of(options: Options) -> int:
    """The option ``collect_ms``.

    Raises:
        UserError: It is no whole number from 20 to 60,000.
    """
    text = options.values.get("collect_ms", str(COLLECT_MS))
    if not text.isascii() or not text.isdigit() or not 20 <= int(text[:6]) <= 60_000:
        raise UserError("Cannot export", where=f"collect_ms={text}", why="it is no number of milliseconds from 20 to 60000")
    return int(text)


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def attribute_program(mapping: Mapping, feed: Feed, delivery: Delivery, source: str) -> dict[str, object]:
    """How one attribute's value is made, and its fixed parts of a message.

    Args:
        source: Id under which the target's inputs hand in the samples.
    """
    attribute, tag = feed.row.attribute, feed.tag
    scaled = (tag.gain != 1.0 or tag.offset != 0.0) and tag.type not in ("bool", "string")
    return {
        "key": key_of(delivery, feed.row.path),
        "unit": symbol(attribute.unit) if delivery.unit and attribute.unit else None,
        "source": source,
        "scale": [float(tag.gain), float(tag.offset)] if scaled else None,
        "deadband": feed.deadband,
        "steps": steps_of(mapping.transform),
        "type": attribute.data_type,
        "enum": dict(attribute.enum),
        "time": mapping.time,
        "quality": mapping.quality,
        "hold_ms": mapping.hold_s * 1000.0,
    }


def program_of(project: Project, feeds: Sequence[Feed], sources: ReadOnly[str, str], collect_ms: int) -> list[dict[str, object]]:
    """The part of the data that says what is sent.

    Args:
        sources: Mapping id → source id; a mapping that is not here is not sent.
    """
    assets: list[dict[str, object]] = []
    for asset, delivery, rows in delivered(project, [feed for feed in feeds if feed.mapping.id in sources]):
        assets.append(
            {
                "topic": topic_of(project, asset),
                "head": _head(project, asset),
                "message": delivery.message,
                "time": delivery.time,
                "quality": delivery.quality,
                "parts": has_parts(delivery),
                "null": delivery.null,
                "qos": delivery.qos,
                "retain": delivery.retain,
                "trigger": delivery.trigger,
                "period_ms": max(delivery.period_ms, collect_ms),
                "attributes": [
                    {
                        **attribute_program(feed.mapping, feed, delivery, sources[feed.mapping.id]),
                        "topic": topic_of(project, asset, feed.row.path) if delivery.message == "attribute" else "",
                    }
                    for feed in rows
                ],
            }
        )
    return assets


def _head(project: Project, asset: Asset) -> dict[str, str]:
    type_ = project.get(AssetType, asset.asset_type)
    return {"asset": path_of(project, asset), "type": type_.name if type_ else ""}


def limits_text() -> dict[str, list[str]]:
    """Integer type → its limits as text, for interpreters with integers of any size."""
    return {name: [str(low), str(high)] for name, (low, high) in INTEGER_LIMITS.items()}


def as_json(data: object) -> str:
    """Compact, ASCII only, in the order of the data. A dollar sign is written as its escape: some gateways look for ``${`` in any text."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False).replace("$", "\\u0024")
