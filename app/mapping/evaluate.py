"""From a tag's sample to the IT value of an attribute, as the mapping says. Pure but for the hold policy's memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from app.errors import UserError
from app.mapping.cast import TransformError, cast_value
from app.mapping.transform import Step, compile_transform
from app.model.itmodel import Attribute
from app.model.mapping import Mapping
from app.model.project import Project
from app.model.values import INTEGER_LIMITS, Quality, Sample, Value


class ItValue(NamedTuple):
    """What IT gets for one attribute.

    Attributes:
        value: None exactly when there is no usable value; ``reason`` then says why.
        time_ns: ns since 1970 UTC, None without a sample.
        time_kind: ``source``, ``server`` or ``receive``: which clock ``time_ns`` really is, whatever the mapping asked for.
    """

    value: Value
    quality: Quality
    reason: str
    time_ns: int | None
    time_kind: str


NOTHING = ItValue(None, Quality.BAD, "no value yet", None, "receive")


def compile_mapping(project: Project, mapping: Mapping) -> Callable[[Sample | None], ItValue]:
    """Make one mapping ready. Valid until an edit touches the mapping, its attribute or its tags.

    A mapping that can never work (unknown attribute, impossible unit conversion) gives bad quality with that reason each time.
    """
    attribute = project.get(Attribute, mapping.attribute)
    if attribute is None:
        return _never(f"the attribute {mapping.attribute} is not in the project")
    try:
        step = compile_transform(mapping.transform)
    except UserError as error:
        return _never(f"{error.what}: {error.why}")
    return _Compiled(mapping, attribute, step)


def evaluate(project: Project, mapping: Mapping, sample: Sample | None) -> ItValue:
    """One value, once. What is evaluated again and again is compiled first."""
    return compile_mapping(project, mapping)(sample)


def _never(reason: str) -> Callable[[Sample | None], ItValue]:
    return lambda _: ItValue(None, Quality.BAD, reason, None, "receive")


class _Compiled:
    def __init__(self, mapping: Mapping, attribute: Attribute, step: Step) -> None:
        self._mapping, self._attribute, self._step = mapping, attribute, step
        self._held: ItValue | None = None
        self._held_at_ns = 0

    def __call__(self, sample: Sample | None) -> ItValue:
        if sample is None:
            return NOTHING
        result = self._fresh(sample)
        if self._mapping.quality == "pass":
            return result
        if result.quality is Quality.GOOD:
            self._held, self._held_at_ns = result, sample.receive_ns
            return result
        held = self._held
        if self._mapping.quality == "hold" and held and sample.receive_ns - self._held_at_ns <= self._mapping.hold_s * 1e9:
            return held._replace(quality=Quality.UNCERTAIN, reason=f"last good value, held: {result.reason}")
        return result._replace(value=None, reason=result.reason or "the quality is not good")

    def _fresh(self, sample: Sample) -> ItValue:
        time_ns, kind = _time(sample, self._mapping.time)
        if sample.value is None:
            return ItValue(None, Quality.BAD, f"the source sent no value (status 0x{sample.status:X})", time_ns, kind)
        try:
            value = conform(self._step(sample.value), self._attribute)
        except TransformError as error:
            return ItValue(None, Quality.BAD, str(error), time_ns, kind)
        except OverflowError:
            return ItValue(None, Quality.BAD, "the result is too large", time_ns, kind)
        if isinstance(value, float) and not math.isfinite(value):
            return ItValue(None, Quality.BAD, "not a number" if math.isnan(value) else "infinite", time_ns, kind)
        return ItValue(
            value,
            sample.quality,
            "" if sample.quality is Quality.GOOD else f"source quality is {sample.quality.name.lower()}",
            time_ns,
            kind,
        )


def _time(sample: Sample, wanted: str) -> tuple[int, str]:
    if wanted == "source" and sample.source_ns is not None:
        return sample.source_ns, "source"
    if wanted in ("source", "server") and sample.server_ns is not None:
        return sample.server_ns, "server"
    return sample.receive_ns, "receive"


def conform(value: Value, attribute: Attribute) -> Value:
    """The value as the attribute's type asks, without rounding: a fraction does not silently become a whole number.

    Raises:
        TransformError: It does not fit; the reason names the operator to add.
    """
    type_ = attribute.data_type
    if type_ == "enum":
        return _member(value, attribute)
    if type_ in INTEGER_LIMITS and isinstance(value, float) and not value.is_integer():
        raise TransformError(f"{value:g} is no whole number: add a cast with the rounding that is meant")
    if type_ in INTEGER_LIMITS and isinstance(value, str):
        raise TransformError(f"{value!r} is text: add a cast to {type_}")
    if type_ == "string" and not isinstance(value, str):
        raise TransformError(f"{value!r} is no text: add an enum or a cast to string")
    return cast_value(value, type_) if type_ else value


def _member(value: Value, attribute: Attribute) -> str:
    if isinstance(value, str):
        if not attribute.enum or value in attribute.enum.values():
            return value
        raise TransformError(f"{value!r} is not one of {', '.join(attribute.enum.values())}")
    if isinstance(value, bool | int) or (isinstance(value, float) and value.is_integer()):
        name = attribute.enum.get(str(int(value)))
        if name is not None:
            return name
    raise TransformError(f"{value!r} is not a member of the enumeration")
