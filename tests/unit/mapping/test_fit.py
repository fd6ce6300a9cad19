from __future__ import annotations

import pytest

from app.errors import UserError
from app.mapping.evaluate import conform
from app.mapping.fit import misfits, suggest_transform
from app.mapping.transform import compile_transform
from app.model.itmodel import Attribute
from app.model.mapping import Cast, EnumNames, Linear, Transform, UnitConversion
from app.model.plant import Tag


def tag(type_: str = "float64", **fields: object) -> Tag:
    return Tag(id="t", endpoint="e", address="a", name="T", type=type_, **fields)  # type: ignore[arg-type]  # fields of Tag


def attribute(data_type: str = "float64", **fields: object) -> Attribute:
    return Attribute(id="a", asset_type="x", name="A", data_type=data_type, **fields)  # type: ignore[arg-type]  # fields of Attribute


def subjects(source: Tag, target: Attribute, *transform: Transform) -> list[tuple[str, str]]:
    return [(misfit.subject, misfit.severity) for misfit in misfits(source, target, transform)]


@pytest.mark.parametrize(
    ("source", "target", "transform", "expected"),
    [
        (tag(), attribute(), [], []),
        (tag("int16"), attribute("int32"), [], []),
        (tag("uint32"), attribute("int16"), [], [("narrowing", "warning")]),
        (tag("uint32", low=0, high=100), attribute("int16"), [], []),
        (tag("float64"), attribute("int16"), [], [("narrowing", "error")]),
        (tag("float64"), attribute("int16"), [Cast(type="int16")], []),
        (tag("int64"), attribute("float64"), [], [("narrowing", "warning")]),
        (tag("string"), attribute("float64"), [], [("type", "error")]),
        (tag("struct"), attribute("float64"), [], [("type", "error")]),
        (tag("float64[]"), attribute("float64"), [], [("type", "error")]),
        (tag("bool"), attribute("int32"), [], []),
        (tag("uint16"), attribute("bool"), [], [("type", "error")]),
        (tag("enum"), attribute("enum", enum={"0": "A"}), [], []),
        (tag("int32"), attribute("enum"), [], [("type", "error")]),
        (tag(""), attribute("int16"), [], []),
        (tag(unit="FAH"), attribute(unit="CEL"), [], [("unit", "error")]),
        (tag(unit="FAH"), attribute(unit="CEL"), [UnitConversion(source="FAH", target="CEL")], []),
        (tag(unit="BAR"), attribute(unit="CEL"), [], [("unit", "error")]),
        (tag(unit="BAR"), attribute(unit="CEL"), [UnitConversion(source="FAH", target="CEL")], [("unit", "error")]),
        (tag(unit=""), attribute(unit="CEL"), [], []),
        (tag(low=0, high=200), attribute(low=0, high=100), [], [("range", "warning")]),
        (tag(low=0, high=27648), attribute(low=0, high=100), [Linear(raw_low=0, raw_high=27648, low=0, high=100)], []),
        (tag(low=32, high=212, unit="FAH"), attribute(low=0, high=100, unit="CEL"), [UnitConversion(source="FAH", target="CEL")], []),
    ],
)  # fmt: skip
def test_that_what_does_not_fit_is_named_and_what_fits_is_not(
    source: Tag, target: Attribute, transform: list[Transform], expected: list[tuple[str, str]]
) -> None:
    assert subjects(source, target, *transform) == expected


def test_that_a_scaled_count_is_judged_by_the_fractions_it_has() -> None:
    energy = tag("uint32", gain=0.1)
    assert subjects(energy, attribute("float64")) == []
    assert subjects(energy, attribute("uint32")) == [("narrowing", "error")]


def test_that_a_conversion_is_suggested_with_its_reason() -> None:
    suggestion = suggest_transform(tag(unit="FAH"), attribute(unit="CEL"))
    assert suggestion.transform == (UnitConversion(source="FAH", target="CEL"),)
    assert "°F" in suggestion.reasons[0]


def test_that_a_converters_raw_count_is_scaled_to_the_range_of_the_attribute() -> None:
    suggestion = suggest_transform(tag("int16", low=0, high=27648), attribute(unit="P1", low=0, high=100))
    assert suggestion.transform == (Linear(raw_low=0, raw_high=27648, low=0, high=100),)


def test_that_source_state_names_are_taken_for_a_text_attribute() -> None:
    suggestion = suggest_transform(tag("enum", enum={"0": "CLOSED", "1": "OPEN"}), attribute("string"))
    assert suggestion.transform == (EnumNames(names={"0": "CLOSED", "1": "OPEN"}),)


def test_that_a_float_for_a_whole_number_gets_a_cast() -> None:
    assert suggest_transform(tag("float32"), attribute("int32")).transform == (Cast(type="int32"),)


def test_that_a_tag_that_can_never_fit_is_refused_with_the_reason() -> None:
    with pytest.raises(UserError, match="the value is in bar, the attribute in °C") as refused:
        suggest_transform(tag(unit="BAR"), attribute(unit="CEL"))
    assert refused.value.fix
    with pytest.raises(UserError):
        suggest_transform(tag("struct"), attribute("float64"))


@pytest.mark.parametrize(
    ("source", "target", "value"),
    [
        (tag("float32"), attribute("int32"), 3.5),
        (tag("enum", enum={"1": "ON"}), attribute("string"), 1),
        (tag("int16"), attribute("float64"), 4),
        (tag("bool"), attribute("int32"), True),
        (tag("enum", enum={"0": "A"}), attribute("enum", enum={"0": "A"}), 0),
        (tag(unit="FAH"), attribute(unit="CEL"), 50.0),
    ],
)
def test_that_a_suggested_transform_gives_values_that_the_attribute_takes(source: Tag, target: Attribute, value: object) -> None:
    conform(compile_transform(suggest_transform(source, target).transform)(value), target)
