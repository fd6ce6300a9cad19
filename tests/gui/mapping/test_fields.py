import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from app.units import codes
from app.units.table import require
from widgets.fields import NamesField, integer_of, number_of, number_text, unit_code, unit_text, unit_words


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_that_a_number_survives_its_text(value: float) -> None:
    assert number_of(number_text(value)) == value


@pytest.mark.parametrize(("text", "value"), [("1,5", 1.5), ("−3", -3.0), ("1e-3", 0.001), ("0x1F", 31.0), (" 7 ", 7.0)])
def test_that_numbers_are_read_as_people_type_them(text: str, value: float) -> None:
    assert number_of(text) == value


@pytest.mark.parametrize("text", ["", "nan", "inf", "1,2,3", "12 bar", "1.5.2"])
def test_that_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the message is Python's own
        number_of(text)


def test_that_whole_numbers_beyond_a_float_stay_whole() -> None:
    assert integer_of(str(2**63 - 1)) == 2**63 - 1
    assert integer_of("0xFF00") == 0xFF00


def test_that_the_text_of_every_unit_is_read_back_as_that_unit() -> None:
    wrong = [code for code in codes() if unit_code(unit_text(code)) != code or unit_code(unit_words(require(code))) != code]
    assert wrong == []


def test_that_an_unclear_unit_is_refused_with_what_it_may_mean() -> None:
    with pytest.raises(ValueError, match="not clearly a unit"):
        unit_code("mw")


@given(st.dictionaries(st.integers(-5, 99).map(str), st.from_regex(r"[A-Za-z][A-Za-z0-9_ ]{0,8}[A-Za-z0-9]", fullmatch=True), max_size=6))
def test_that_names_of_numbers_survive_the_field(qapp: QApplication, names: dict[str, str]) -> None:
    field = NamesField("names")
    field.set_names(names)
    assert field.names() == names
