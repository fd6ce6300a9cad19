from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import UserError
from app.mapping.cast import TransformError
from app.mapping.transform import affine_of, compile_transform, result_type, transform_text
from app.model.mapping import (
    Bit,
    Cast,
    Clamp,
    EnumNames,
    GainOffset,
    Linear,
    Mask,
    Not,
    Op,
    Part,
    Round,
    Sqrt,
    Transform,
    Trim,
    UnitConversion,
)
from app.model.values import Value

CASES: list[tuple[list[Transform], Value, Value]] = [
    ([Part(path="[1]"), GainOffset(gain=2)], [1, 2.5], 5.0),
    ([Linear(raw_low=0, raw_high=27648, low=0, high=16)], 13824, 8.0),
    ([Linear(raw_low=0, raw_high=10, low=0, high=100)], 12, 120.0),
    ([Linear(raw_low=0, raw_high=10, low=0, high=100, clamp=True)], 12, 100.0),
    ([Linear(raw_low=0, raw_high=10, low=100, high=0, clamp=True)], -3, 100.0),
    ([GainOffset(gain=0.1, offset=-5)], 100, 5.0),
    ([Sqrt(high=100)], 25.0, 50.0),
    ([Sqrt(high=100)], -4.0, 0.0),
    ([Bit(index=4)], 0b10000, True),
    ([Bit(index=15)], -1, True),
    ([Mask(mask=0xF0, shift=4)], 0x1234, 3),
    ([EnumNames(names={"0": "CLOSED", "1": "OPEN"})], 1, "OPEN"),
    ([EnumNames(names={"0": "CLOSED"}, other="?")], 7, "?"),
    ([EnumNames(names={"1": "ON"})], True, "ON"),
    ([UnitConversion(source="FAH", target="CEL")], 212.0, 100.0),
    ([UnitConversion(source="RPM", target="HTZ")], 1500, 25.0),
    ([Clamp(low=0, high=10)], 12.5, 10),
    ([Clamp(low=0)], -0.5, 0),
    ([Cast(type="int16")], 2.5, 2),
    ([Cast(type="int16", rounding="ceil")], 2.1, 3),
    ([Cast(type="int16", rounding="floor")], -2.1, -3),
    ([Cast(type="int16", rounding="truncate")], -2.9, -2),
    ([Cast(type="string")], True, "true"),
    ([Cast(type="float64")], "3.25", 3.25),
    ([Round(digits=1)], 2.345, 2.3),
    ([Not()], 0, True),
    ([Not()], True, False),
    ([Trim()], "  COLA\x00\x00 ", "COLA"),
    ([GainOffset(gain=2), GainOffset(offset=1)], [1, 2], [3.0, 5.0]),
]


@pytest.mark.parametrize(("transform", "value", "expected"), CASES, ids=lambda part: repr(part)[:60])
def test_that_each_operator_gives_the_value_that_its_definition_says(transform: list[Transform], value: Value, expected: Value) -> None:
    result = compile_transform(transform)(value)
    assert type(result) is type(expected)
    if isinstance(expected, float):
        assert result == pytest.approx(expected, rel=1e-12)
    else:
        assert result == expected


REFUSALS: list[tuple[list[Transform], Value, str]] = [
    ([Bit(index=0)], 1.5, "no whole number"),
    ([Mask(mask=1)], "x", "no whole number"),
    ([EnumNames(names={"0": "A"})], 3, "3 has no name"),
    ([Cast(type="int8")], 200, "does not fit int8"),
    ([Cast(type="int8")], math.nan, "no int8"),
    ([Cast(type="float32")], 1e300, "does not fit float32"),
    ([Cast(type="bool")], 2, "neither 0 nor 1"),
    ([Cast(type="float64")], "abc", "no number"),
    ([Cast(type="float64[]")], 1.0, "no array"),
    ([Not()], "x", "neither true nor false"),
    ([Trim()], 5, "no text"),
    ([GainOffset(gain=2)], "5", "no number"),
    ([GainOffset(gain=2)], None, "no value"),
]


@pytest.mark.parametrize(("transform", "value", "reason"), REFUSALS, ids=lambda part: repr(part)[:60])
def test_that_what_an_operator_cannot_do_is_refused_with_the_reason(transform: list[Transform], value: Value, reason: str) -> None:
    with pytest.raises(TransformError, match=reason):
        compile_transform(transform)(value)


@pytest.mark.parametrize(
    ("op", "reason"),
    [
        (UnitConversion(source="CEL", target="BAR"), "bar"),
        (UnitConversion(source="CEL", target="no unit"), "no unit"),
        (Linear(raw_low=5, raw_high=5, low=0, high=1), "empty"),
        (Sqrt(high=0), "above 0"),
        (Cast(type="colour"), "no type"),
    ],
)
def test_that_an_operator_that_can_never_work_is_refused_before_any_value_comes(op: Transform, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        compile_transform([op])


def test_that_every_operator_of_the_model_is_compiled_typed_and_shown() -> None:
    shown = {type(op) for transform, _, _ in CASES for op in transform}
    assert shown == set(Op.__subclasses__())
    for transform, _, _ in CASES:
        assert transform_text(transform)
        assert result_type(transform, "int16[]")


finite = st.floats(-1e6, 1e6)
affine_ops: st.SearchStrategy[Transform] = st.one_of(
    st.builds(GainOffset, gain=finite, offset=finite),
    st.builds(Linear, raw_low=st.just(0.0), raw_high=st.floats(1, 1e5), low=finite, high=finite),
    st.just(UnitConversion(source="FAH", target="CEL")),
    st.just(Cast(type="float64")),
)


@given(st.lists(affine_ops, max_size=4), finite)
def test_that_the_affine_form_of_a_transform_computes_what_the_operators_do(transform: list[Transform], value: float) -> None:
    affine = affine_of(transform)
    assert affine is not None
    gain, offset = affine
    result = compile_transform(transform)(value)
    assert isinstance(result, float)
    scale = abs(gain * value) + abs(offset) + 1.0
    assert gain * value + offset == pytest.approx(result, rel=1e-6, abs=1e-6 * scale)


@pytest.mark.parametrize(
    "transform", [[Clamp(low=0)], [Bit(index=1)], [Round()], [Linear(raw_low=0, raw_high=1, low=0, high=1, clamp=True)]]
)
def test_that_a_transform_that_is_not_affine_says_so(transform: list[Transform]) -> None:
    assert affine_of(transform) is None


def test_that_transforms_read_as_an_engineer_would_write_them() -> None:
    assert transform_text([UnitConversion(source="FAH", target="CEL"), Round(digits=1)]) == "°F → °C, round 1"
    assert transform_text([Linear(raw_low=0, raw_high=27648, low=0, high=100)]) == "0…27648 → 0…100"
    assert transform_text([GainOffset(gain=0.01)]) == "gain 0.01"
    assert transform_text([EnumNames(names={"0": "A", "1": "B"})]) == "enum, 2 states"
