from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import UserError
from app.taglists.places import as_hex, find_place, place


@pytest.mark.parametrize(
    ("text", "form", "number", "table", "count", "bit"),
    [
        ("40001", "decimal", 40001, "", None, None),
        ("400001", "decimal", 400001, "", None, None),
        ("4x1", "modicon", 1, "holding", None, None),
        ("4X0001", "modicon", 1, "holding", None, None),
        ("3x0101", "modicon", 101, "input", None, None),
        ("4:0001", "modicon", 1, "holding", None, None),
        ("0:0012", "modicon", 12, "coil", None, None),
        ("0x64", "hex", 100, "", None, None),
        ("0x0100", "hex", 256, "", None, None),
        ("64h", "hex", 100, "", None, None),
        ("0FAh", "hex", 250, "", None, None),
        ("$64", "hex", 100, "", None, None),
        ("16#64", "hex", 100, "", None, None),
        ("100", "decimal", 100, "", None, None),
        ("100-101", "decimal", 100, "", 2, None),
        ("100 – 103", "decimal", 100, "", 4, None),
        ("100…101", "decimal", 100, "", 2, None),
        ("100..101", "decimal", 100, "", 2, None),
        ("100, 101", "decimal", 100, "", 2, None),
        ("100,101", "decimal", 100, "", 2, None),
        ("100/101", "decimal", 100, "", 2, None),
        ("100 to 101", "decimal", 100, "", 2, None),
        ("100 bis 101", "decimal", 100, "", 2, None),
        ("40009-10", "decimal", 40009, "", 2, None),
        ("40,001", "decimal", 40001, "", None, None),
        ("40 001", "decimal", 40001, "", None, None),
        ("0x64-0x65", "hex", 100, "", 2, None),
        ("40001.5", "decimal", 40001, "", None, 5),
        ("100 bit 3", "decimal", 100, "", None, 3),
        ("4x12.15", "modicon", 12, "holding", None, 15),
        ("%MW100", "decimal", 100, "holding", None, None),
        ("HR 100", "decimal", 100, "holding", None, None),
        ("Holding register 100", "decimal", 100, "holding", None, None),
        (" 40001 *", "decimal", 40001, "", None, None),
    ],
)  # fmt: skip
def test_that_addresses_are_read_as_lists_write_them(
    text: str, form: str, number: int, table: str, count: int | None, bit: int | None
) -> None:
    found = place(text)
    assert (found.form, found.number, found.table, found.count, found.bit) == (form, number, table, count, bit)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"), ("abc", "no number"), ("101-100", "ends before"), ("100-400", "301 registers"), ("40001.16", "bit 16"), ("4x1 4x",
        "no number"),
        ("999999", "beyond"), ("1.234.567", "no number"), ("=1+1", "no number"),
    ],
)  # fmt: skip
def test_that_what_is_no_address_says_why(text: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        place(text)


@given(st.text(max_size=30))
def test_that_any_text_is_a_place_or_a_user_error(text: str) -> None:
    found = find_place(text)
    assert found is None or found.number >= 0
    as_hex(text)


def test_that_bare_hexadecimal_numbers_are_read_where_the_column_has_them() -> None:
    found = as_hex("1A2B")
    assert found is not None
    assert found.number == 0x1A2B
    assert as_hex("12-") is None
