"""Whether a tag fits an attribute: types, units and ranges along a transform, and the transform that would make it fit.

Used at the moment of mapping (refuse, or warn at once) and by the checks, so that both say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from app.errors import UserError
from app.mapping.transform import affine_of, result_type, symbol
from app.model.itmodel import Attribute
from app.model.mapping import Bit, Cast, Clamp, EnumNames, GainOffset, Linear, Sqrt, Transform, UnitConversion
from app.model.plant import Tag
from app.model.values import INTEGER_LIMITS, NUMERIC_TYPES
from app.units import compatibility

_EXACT_INTEGERS = {"float32": 2**24, "float64": 2**53}
"""Largest magnitude below which a float type holds every integer."""


class Misfit(NamedTuple):
    """One reason why values would be wrong, or not arrive.

    Attributes:
        subject: ``type``, ``narrowing``, ``unit`` or ``range``: each is a rule of the checks.
        severity: ``error`` when the value cannot be right, ``warning`` when it may be wrong.
    """

    subject: Literal["type", "narrowing", "unit", "range"]
    severity: Literal["error", "warning"]
    message: str
    fix: str


def value_type(tag: Tag) -> str:
    """Type of the tag's values: a source scale makes float64 of numbers (the connector applies it)."""
    base = tag.type.removesuffix("[]")
    scaled = (tag.gain != 1 or tag.offset != 0) and base in NUMERIC_TYPES
    return tag.type.replace(base, "float64") if scaled else tag.type


def misfits(tag: Tag, attribute: Attribute, transform: Sequence[Transform]) -> list[Misfit]:
    """Everything that does not fit, worst first."""
    found = [
        *_type_misfits(tag, attribute, transform),
        *_unit_misfits(tag, attribute, transform),
        *_range_misfits(tag, attribute, transform),
    ]
    return sorted(found, key=lambda misfit: misfit.severity != "error")


def _type_misfits(tag: Tag, attribute: Attribute, transform: Sequence[Transform]) -> Iterator[Misfit]:
    source, target = result_type(transform, value_type(tag)), attribute.data_type
    if not source or not target or source == target:
        return
    if source.endswith("[]") != target.endswith("[]"):
        yield Misfit(
            "type",
            "error",
            f"the source gives {_article(source)}, the attribute is {_article(target)}",
            "Add the operator for a part of the value, such as [0]",
        )
        return
    source, target = source.removesuffix("[]"), target.removesuffix("[]")
    if source in NUMERIC_TYPES and target in NUMERIC_TYPES:
        yield from _narrowing(tag, source, target, transform)
    elif not _carries(source, target, attribute, tag):
        yield Misfit("type", "error", f"{source} cannot become {target}", _type_fix(source, target))


def _carries(source: str, target: str, attribute: Attribute, tag: Tag) -> bool:
    """Whether values pass although the words differ (the same rules as ``app.mapping.evaluate.conform``)."""
    if target == "enum":
        return source == "string" or ((source in INTEGER_LIMITS or source in ("bool", "enum")) and bool(attribute.enum))
    if source == "enum":
        return target in INTEGER_LIMITS or target in ("float32", "float64") or (target == "bool" and set(tag.enum) <= {"0", "1"})
    if source == "bool":
        return target in NUMERIC_TYPES
    if target == "bool":
        return source in INTEGER_LIMITS and tag.low == 0 and tag.high == 1
    if target == "string":
        return source in ("datetime", "guid")
    return False


def _type_fix(source: str, target: str) -> str:
    if source == "struct":
        return "Add the operator for a part of the value, such as motor[3].temp"
    if target == "bool":
        return "Add the operator bit"
    if target in ("string", "enum") and source in INTEGER_LIMITS | {"bool": (0, 1), "enum": (0, 0)}:
        return "Add the operator enum, with a name for each number"
    return f"Add a cast to {target}, or map another tag"


def _narrowing(tag: Tag, source: str, target: str, transform: Sequence[Transform]) -> Iterator[Misfit]:
    if any(isinstance(op, Cast) and op.type == target for op in transform):
        return
    low, high = _span(tag, source, transform)
    if target in INTEGER_LIMITS:
        if source not in INTEGER_LIMITS:
            yield Misfit(
                "narrowing",
                "error",
                f"{source} values have fractions, {target} has none",
                f"Add a cast to {target} with the rounding that is meant",
            )
            return
        bottom, top = INTEGER_LIMITS[target]
        if low < bottom or high > top:
            message = f"{source} reaches {low:g}…{high:g}, {target} holds {bottom}…{top}"
            yield Misfit("narrowing", "warning", message, f"Make the attribute {source}, or state the range of the tag")
    elif source in INTEGER_LIMITS and max(abs(low), abs(high)) > _EXACT_INTEGERS[target]:
        yield Misfit(
            "narrowing", "warning", f"{target} does not hold every {source}: large counts lose digits", f"Make the attribute {source}"
        )
    elif source == "float64" and target == "float32" and not transform and value_type(tag) == "float64":
        yield Misfit("narrowing", "warning", "float32 keeps 7 digits of the 16 that float64 has", "Make the attribute float64")


def _span(tag: Tag, source: str, transform: Sequence[Transform]) -> tuple[float, float]:
    """What values can reach: the tag's stated range when no operator changes it, else all the type holds."""
    if tag.low is not None and tag.high is not None and not transform:
        return tag.low, tag.high
    low, high = INTEGER_LIMITS.get(source, (float("-inf"), float("inf")))
    return float(low), float(high)


def _unit_misfits(tag: Tag, attribute: Attribute, transform: Sequence[Transform]) -> Iterator[Misfit]:
    if any(isinstance(op, Bit | EnumNames) for op in transform) or not attribute.unit:
        return
    current, scaled = tag.unit, False
    for op in transform:
        if isinstance(op, UnitConversion):
            if current and op.source != current and not scaled:
                message = f"the conversion starts from {symbol(op.source)}, the tag is in {symbol(current)}"
                yield Misfit("unit", "error", message, f"Convert from {symbol(current)}")
            current, scaled = op.target, False
        elif isinstance(op, Linear | GainOffset | Sqrt):
            scaled = True
    if not current or scaled or current == attribute.unit:
        return
    kind, reason = compatibility(current, attribute.unit)
    pair = f"the value is in {symbol(current)}, the attribute in {symbol(attribute.unit)}"
    if kind == "incompatible":
        yield Misfit("unit", "error", f"{pair}: {reason}", "Map another tag, or correct the unit of the tag or the attribute")
    elif kind == "convertible":
        yield Misfit("unit", "error", pair, f"Convert {symbol(current)} → {symbol(attribute.unit)}")
    elif kind == "questionable":
        yield Misfit("unit", "warning", f"{pair}: {reason}", "Make sure that both mean the same quantity")


def _range_misfits(tag: Tag, attribute: Attribute, transform: Sequence[Transform]) -> Iterator[Misfit]:
    if tag.low is None or tag.high is None or (attribute.low is None and attribute.high is None):
        return
    try:
        affine = affine_of([op for op in transform if not isinstance(op, Clamp)])
    except UserError:
        return  # an impossible conversion is the unit rule's finding
    if affine is None or any(isinstance(op, Clamp) for op in transform):
        return
    gain, offset = affine
    low, high = sorted((tag.low * gain + offset, tag.high * gain + offset))
    slack = 1e-9 * max(abs(low), abs(high), 1.0)
    if (attribute.low is not None and low < attribute.low - slack) or (attribute.high is not None and high > attribute.high + slack):
        allowed = f"{_end(attribute.low)}…{_end(attribute.high)}"
        message = f"the source reaches {low:g}…{high:g}, the attribute allows {allowed}"
        yield Misfit("range", "warning", message, "Correct the scaling, or widen the range of the attribute")


def _end(limit: float | None) -> str:
    return "" if limit is None else f"{limit:g}"


def _article(type_: str) -> str:
    return f"an array of {type_[:-2]}" if type_.endswith("[]") else f"a single {type_}"


class Suggestion(NamedTuple):
    transform: tuple[Transform, ...]
    reasons: tuple[str, ...]


def suggest_transform(tag: Tag, attribute: Attribute) -> Suggestion:
    """The operators that make the tag fit, each with its reason; none when it fits as it is.

    Raises:
        UserError: No operator can: the kinds of value or of unit differ.
    """
    steps: list[Transform] = []
    reasons: list[str] = []
    if attribute.data_type in ("string", "enum") and tag.enum and not _carries(value_type(tag), attribute.data_type, attribute, tag):
        steps.append(EnumNames(names=dict(tag.enum)))
        reasons.append(f"the source numbers its {len(tag.enum)} states")
    elif (
        attribute.unit
        and tag.unit
        and tag.unit != attribute.unit
        and compatibility(tag.unit, attribute.unit)[0] in ("convertible", "questionable")
    ):
        steps.append(UnitConversion(source=tag.unit, target=attribute.unit))
        reasons.append(f"the tag is in {symbol(tag.unit)}, the attribute in {symbol(attribute.unit)}")
    elif not tag.unit and attribute.unit and _is_raw_span(tag, attribute):
        assert tag.low is not None
        assert tag.high is not None
        assert attribute.low is not None
        assert attribute.high is not None
        steps.append(Linear(raw_low=tag.low, raw_high=tag.high, low=attribute.low, high=attribute.high))
        reasons.append(f"the tag is a raw number of {tag.low:g}…{tag.high:g}")
    made = result_type(steps, value_type(tag))
    if attribute.data_type in INTEGER_LIMITS and made in ("float32", "float64"):
        steps.append(Cast(type=attribute.data_type))
        reasons.append(f"the attribute is {attribute.data_type}")
    hard = [misfit for misfit in misfits(tag, attribute, steps) if misfit.severity == "error"]
    if hard:
        raise UserError(f"{tag.name} does not fit {attribute.name}", where=tag.address, why=hard[0].message, fix=hard[0].fix)
    return Suggestion(tuple(steps), tuple(reasons))


def _is_raw_span(tag: Tag, attribute: Attribute) -> bool:
    """A converter's count (0…27648, 4000…20000 and the like): integers over a wide span, with a range on both sides."""
    ranges = (tag.low, tag.high, attribute.low, attribute.high)
    return value_type(tag) in INTEGER_LIMITS and None not in ranges and tag.high not in (tag.low, attribute.high)
