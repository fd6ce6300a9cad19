from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.taglists.spreadsheet import ACTIVE, number, records, safe, written


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), ("0,1", 0.1), ("0.1", 0.1), ("-3.2", -3.2), ("−3,2", -3.2), ("+1e-3", 0.001), (",5", 0.5), ("5.", 5.0), ("1,234", 1.234)],
)
def test_that_a_number_may_have_a_decimal_comma(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "x", "1.234,5", "1,234.5", "nan", "inf", "1e999", "0x10", "1 000", "1_000", "٣"])
def test_that_anything_else_is_no_number(text: str) -> None:
    assert number(text) is None


@given(st.text())
def test_that_a_safe_text_is_not_active_and_reads_back(text: str) -> None:
    protected = safe(text)
    assert protected[:1] not in ACTIVE or not protected
    ((_, cells),) = records(written([[protected, "x"]]).decode("utf-8-sig"), ",")
    assert cells[0] == text.strip()


def test_that_a_record_knows_the_line_on_which_it_begins() -> None:
    assert records('a,b\n\n"c\nc",d\ne,f', ",") == [(1, ["a", "b"]), (3, ["c\nc", "d"]), (5, ["e", "f"])]
