from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import UserError
from app.mapping.cast import TransformError
from app.mapping.members import parse_path, path_text, paths_in, pick
from app.mapping.transform import compile_transform, result_type, transform_text
from app.model.mapping import GainOffset, Part, Round
from app.model.values import Value

MACHINE: Value = {
    "motor": [{"temp": 20.5, "state": 1}, {"temp": 80.25, "state": 2}],
    "name": "M1",
    "flow.rate": [[1, 2, 3], [4, 5, 6]],
    "empty": {},
}

paths = st.lists(st.one_of(st.integers(0, 10**9 - 1), st.text(min_size=1, max_size=8)), min_size=1, max_size=6).map(tuple)


@given(paths)
def test_that_every_path_survives_being_written(path: tuple[str | int, ...]) -> None:
    assert parse_path(path_text(path)) == path


@given(st.text(max_size=20))
def test_that_any_text_is_a_path_or_a_clear_refusal(text: str) -> None:
    with contextlib.suppress(UserError):
        path = parse_path(text)
        assert parse_path(path_text(path)) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("motor[3].temp", ("motor", 3, "temp")),
        ("value.motor[3].temp", ("motor", 3, "temp")),
        ("[1,2]", (1, 2)),
        ("[1][2]", (1, 2)),
        ('["flow.rate"][0,1]', ("flow.rate", 0, 1)),
        ("value[2]", (2,)),
        ('["value"]', ("value",)),
        ("größe", ("größe",)),
    ],
)
def test_that_a_path_is_read_as_engineers_write_it(text: str, path: tuple[str | int, ...]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["", "value", ".a", "a.", "a..b", "a[", "a[-1]", "a[x]", "a b", "[1]b", '["a', "3a", "a[1.5]", "a]"])
def test_that_a_wrong_path_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UserError) as refusal:
        parse_path(text)
    assert "motor[3].temp" in refusal.value.fix


@pytest.mark.parametrize(
    ("path", "value"),
    [("motor[1].temp", 80.25), ("name", "M1"), ('["flow.rate"][1,2]', 6), ('["flow.rate"][0]', [1, 2, 3]), ("motor[0].state", 1)],
)
def test_that_a_part_is_picked_by_its_path(path: str, value: Value) -> None:
    assert pick(MACHINE, parse_path(path)) == value


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("motor[2].temp", "motor has 2 elements, [2] is none of them"),
        ("motor.temp", "motor is no structure"),
        ("pump", "the value has no field pump; it has motor, name, flow.rate, empty"),
        ("name[0]", "name is no array"),
        ("empty.x", "empty has no field x; it has none"),
    ],
)
def test_that_a_part_which_is_not_there_says_what_is(path: str, why: str) -> None:
    with pytest.raises(TransformError) as refusal:
        pick(MACHINE, parse_path(path))
    assert str(refusal.value) == why


def test_that_the_parts_one_can_choose_are_all_found_again() -> None:
    found = paths_in(MACHINE)
    assert found[:3] == ["motor[0].temp", "motor[0].state", "motor[1].temp"]
    assert '["flow.rate"][1][2]' in found
    assert all(not isinstance(pick(MACHINE, parse_path(path)), list | dict) for path in found)
    assert len(paths_in(list(range(5_000)), 100)) == 100


def test_that_a_part_is_taken_before_an_array_is_transformed_element_by_element() -> None:
    assert compile_transform([Part(path="motor[1].temp"), GainOffset(gain=2), Round(digits=0)])(MACHINE) == 160
    assert compile_transform([Part(path='["flow.rate"]'), Part(path="[1]"), GainOffset(gain=10)])(MACHINE) == [40.0, 50.0, 60.0]


def test_that_a_part_behind_another_operator_can_never_work() -> None:
    with pytest.raises(UserError, match="Move it to the front"):
        compile_transform([GainOffset(gain=2), Part(path="[0]")])


def test_that_the_type_of_an_element_is_known_and_of_a_field_is_not() -> None:
    assert result_type([Part(path="[3]")], "float64[]") == "float64"
    assert result_type([Part(path="[3]"), Round(digits=1)], "int16[]") == "float64"
    assert result_type([Part(path="motor.temp")], "struct") == ""
    assert transform_text([Part(path="motor[3].temp"), Round(digits=1)]) == "motor[3].temp, round 1"
