import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands.terminal.tables import VALUE_WIDTH, aligned, plain, put_table, value_text


@pytest.mark.parametrize(("value", "type_", "text"), [
    (float(np.float32(101.108)), "float32", "101.108"), (0.1 * 482201, "float64", "48220.1"), (12000.0, "float64", "12000"),
    (2**63, "uint64", "9223372036854775808"), (math.nan, "float64", "nan"), (True, "bool", "true"),
    ("a\nb\x1b[31m", "string", "a�b�[31m"), (None, "", ""),
    ([1.5, 2.0], "float64[]", "[1.5, 2.0]"), ({"a": b"\x00"}, "struct", '{"a": "AA=="}'),
])  # fmt: skip
def test_that_values_are_shown_with_the_digits_they_have(value: object, type_: str, text: str) -> None:
    assert value_text(value, type_) == text


def test_that_a_long_value_is_cut_visibly() -> None:
    text = value_text(list(range(1000)), "int32[]")
    assert len(text) == VALUE_WIDTH
    assert text.endswith("…")


def test_that_columns_are_as_wide_as_their_widest_cell_and_lines_end_without_spaces() -> None:
    assert aligned([["id", "value"], ["a", ""], ["名前", "1"]]) == ["id    value", "a", "名前  1"]


def test_that_a_table_is_plain_text_where_stdout_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    put_table(("id", "status"), [("a", "Good (0)"), ("long", "Bad")])
    assert capfd.readouterr().out == "id    status\na     Good (0)\nlong  Bad\n"


@given(st.text())
def test_that_no_text_of_a_device_moves_the_cursor(text: str) -> None:
    assert all(letter.isprintable() or letter not in "\x00\x07\x08\t\n\r\x1b\x7f\x9b" for letter in plain(text))
