import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.snapshot.values import ValueFormError, as_json, from_json
from app.model.values import Value

NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.floats(width=32, allow_nan=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def through(value: Value) -> Value:
    return from_json(msgspec.json.decode(msgspec.json.encode(as_json(value))))


@given(VALUES)
def test_that_every_value_comes_back_with_its_type(value: Value) -> None:
    assert repr(through(value)) == repr(value)


@given(VALUES)
def test_that_a_reader_without_this_program_sees_plain_json(value: Value) -> None:
    text = msgspec.json.encode(as_json(value))
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_that_what_json_has_not_is_an_object_that_says_so() -> None:
    assert as_json([math.inf, -math.inf, b"\x01\x02", {"a": 1.0}]) == [
        {"float": "Infinity"},
        {"float": "-Infinity"},
        {"bytes": "AQI="},
        {"struct": {"a": 1.0}},
    ]
    assert math.isnan(through(math.nan))  # type: ignore[arg-type]  # it is a float
    assert through({"struct": {"bytes": "AQI="}}) == {"struct": {"bytes": "AQI="}}


@pytest.mark.parametrize(
    "wrong", [{}, {"a": 1}, {"float": "1"}, {"float": 1}, {"bytes": "§"}, {"struct": []}, {"float": "NaN", "b": 1}, [{"x": 1}]]
)
def test_that_any_other_object_is_refused(wrong: object) -> None:
    with pytest.raises(ValueFormError):
        from_json(wrong)


def test_that_depth_and_size_are_bounded() -> None:
    deep: Value = 1
    for _ in range(40):
        deep = [deep]
    for refuse in (as_json, from_json):
        with pytest.raises(ValueFormError):
            refuse(deep)
    for value in (2**64, -(2**63) - 1, object()):
        with pytest.raises(ValueFormError):
            as_json(value)
