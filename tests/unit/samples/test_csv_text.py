"""CSV: RFC 4180, harmless in a spreadsheet, numbers stay numbers."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.samples.csv_text import cell, safe_text, time_cell, write_rows

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


@given(st.text() | st.sampled_from(FORMULA).flatmap(lambda sign: st.text().map(lambda rest: sign + rest)))
def test_that_no_text_is_a_formula_and_the_text_can_be_had_back(text: str) -> None:
    safe = safe_text(text)
    assert not safe.startswith(FORMULA)
    assert safe in (text, "'" + text)


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]))
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.none(),
            min_size=2,
            max_size=2,
        ),
        max_size=5,
    )
)
def test_that_rows_are_read_back_as_written(rows: list[list[str | float | None]]) -> None:
    out = io.StringIO(newline="")
    assert write_rows(out, ["a", "b"], rows) == len(rows)
    assert out.getvalue().endswith("\r\n")
    read = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    assert read[0] == ["a", "b"]
    for got, row in zip(read[1:], rows, strict=True):
        for text, value in zip(got, row, strict=True):
            assert (float(text) == value) if isinstance(value, float) else text == (value or "")


def test_that_quotes_commas_and_line_ends_are_quoted_as_rfc_4180_says() -> None:
    out = io.StringIO(newline="")
    write_rows(out, ["a"], [['say "x", y\r\nz'], [-3.2], ["-3.2"]])
    assert out.getvalue() == '"a"\r\n"say ""x"", y\r\nz"\r\n-3.2\r\n"-3.2"\r\n'


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-3.2, -3.2), (2**63, 2**63), (True, "true"), ("-3.2", "'-3.2"), (None, None), (float("nan"), None), (float("inf"), None),
     (b"\xff", "/w=="), ([1, 2], "[1,2]"), ({"a": None}, '{"a":null}')],
)  # fmt: skip
def test_that_each_value_has_its_cell(value: object, expected: object) -> None:
    assert cell(value) == expected
    assert type(cell(value)) is type(expected)


def test_that_a_time_that_the_protocol_does_not_have_is_empty() -> None:
    assert [time_cell(time_ns) for time_ns in (None, 0, 10**9)] == [None, None, "1970-01-01T00:00:01.000Z"]
