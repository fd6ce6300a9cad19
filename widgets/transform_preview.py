"""What a mapping makes of the value of this moment, operator by operator."""

from __future__ import annotations

from typing import NamedTuple

from app.errors import UserError
from app.mapping.cast import TransformError
from app.mapping.evaluate import ItValue, evaluate
from app.mapping.transform import compile_transform, symbol, transform_text
from app.model.itmodel import Attribute
from app.model.mapping import GainOffset, Linear, Mapping, Sqrt, UnitConversion
from app.model.plant import Tag
from app.model.project import Project
from app.model.values import INTEGER_LIMITS, Quality, Sample, Value
from app.runtime.clock import SYSTEM_CLOCK
from app.runtime.state import Reading
from widgets.reading_text import plain, quality_key, value_text


class Stage(NamedTuple):
    """One row of the chain: source, an operator, or the IT value.

    Attributes:
        reason: Why there is no value, or why it is not good.
        quality: A key of the value delegate.
    """

    words: str
    value: str
    unit: str
    quality: str
    reason: str
    tip: str = ""

    @property
    def refused(self) -> bool:
        """The text under ``value`` is the reason why there is none."""
        return self.value != "" and self.value == self.reason


def trial_sample(text: str, type_: str) -> Sample:
    """A good sample of now with the value that was typed: a number where it is one, true and false, else text."""
    value: Value = text.strip()
    if type_ != "string":
        try:
            value = int(text, 0)
        except ValueError:
            try:
                value = float(text.replace(",", "."))
            except ValueError:
                value = {"true": True, "false": False}.get(text.strip().lower(), text.strip())
    if type_ == "bool" and value in (0, 1):
        value = bool(value)
    if type_ not in INTEGER_LIMITS and type_ not in ("bool", "enum", "") and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    return Sample(value, type_, Quality.GOOD, 0, None, None, SYSTEM_CLOCK.wall_ns())


def stages(
    project: Project, mapping: Mapping, tag: Tag | None, attribute: Attribute | None, reading: Reading | None, trial: str = ""
) -> list[Stage]:
    """Source, one stage per operator, IT value.

    Args:
        mapping: As it is being edited; need not be in the project.
        reading: Of the tag; None without one.
        trial: A value to try instead, "" for the live one.
    """
    sample = trial_sample(trial, tag.type if tag else "") if trial.strip() else reading.sample if reading else None
    tried = bool(trial.strip())
    quality = "good" if tried else (quality_key(reading) or "stale") if reading else "stale"
    why = "" if sample is not None or reading is None else reading.problem or "no value yet"
    found = [_source(tag, reading, sample, tried, quality, why)]
    unit = symbol(tag.unit) if tag else ""
    for number, op in enumerate(mapping.transform, 1):
        unit = symbol(op.target) if isinstance(op, UnitConversion) else "" if isinstance(op, Linear | GainOffset | Sqrt) else unit
        found.append(_after(mapping, number, sample, unit, quality, why))
    found.append(_it_value(project, mapping, attribute, sample, quality, why))
    return found


def _source(tag: Tag | None, reading: Reading | None, sample: Sample | None, tried: bool, quality: str, why: str) -> Stage:
    if tag is None:
        return Stage("No source tag", "", "", "bad", "the mapping has no source tag")
    words = f"Source   {tag.name}"
    if sample is None or reading is None:
        return Stage(words, why, "", "stale", why, tag.address)
    value = plain(sample.value) if tried else value_text(reading, tag)
    return Stage(words, value, symbol(tag.unit), quality, "" if tried else reading.problem, tag.address)


def _after(mapping: Mapping, number: int, sample: Sample | None, unit: str, quality: str, why: str) -> Stage:
    steps = mapping.transform[:number]
    words = f"{number}   {transform_text(steps[-1:])}"
    if sample is None:
        return Stage(words, "", unit, "stale", why)
    try:
        return Stage(words, plain(compile_transform(steps)(sample.value)), unit, quality, "")
    except (TransformError, OverflowError) as error:
        reason = str(error) if isinstance(error, TransformError) else "the result is too large"
        return Stage(words, reason, "", "bad", reason)
    except UserError as error:
        return Stage(words, error.why, "", "bad", error.why)


def _it_value(project: Project, mapping: Mapping, attribute: Attribute | None, sample: Sample | None, quality: str, why: str) -> Stage:
    words = f"IT value   {attribute.name}" if attribute else "IT value"
    if sample is None:
        return Stage(words, "", "", "stale", why)
    value = evaluate(project, mapping, sample)
    return Stage(words, it_text(value), it_unit(value, attribute), it_quality(value, quality), value.reason)


def it_text(value: ItValue) -> str:
    """The value; without one, the reason."""
    return plain(value.value) if value.value is not None else value.reason


def it_unit(value: ItValue, attribute: Attribute | None) -> str:
    return symbol(attribute.unit) if attribute and value.value is not None else ""


def it_quality(value: ItValue, source: str) -> str:
    """The worse of what the value says of itself and what the reading says of its source (stale)."""
    if value.value is None:
        return "bad"
    return "stale" if source == "stale" else value.quality.name.lower()
