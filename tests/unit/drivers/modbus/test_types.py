"""Decimal digits, sign beside amount, and clocks: by hand where a form can be read off the standard, by round trip everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus.address import ORDERS, parse
from app.drivers.modbus.clocks import decode_clock
from app.drivers.modbus.decimals import DECIMAL_TYPES
from app.drivers.modbus.registers import decode_checked, decode_clocks, encode
from app.drivers.modbus.spec import INVALID_CONTENT, SPEC
from app.drivers.modbus.types import FIELD_CLOCKS, REGISTER_TYPES, REGISTERS_OF, about_type, value_type
from app.model.values import INTEGER_LIMITS, SCALAR_TYPES

CLOCKS = tuple(name for name, found in REGISTER_TYPES.items() if found.kind == "clock")
REACH = {
    "bcd16": 10**4, "bcd32": 10**8, "bcd64": 10**16, "mod10k32": 10**8, "mod10k48": 10**12, "mod10k64": 10**16, "smod10k32": 10**8,
    "smod10k48": 10**12, "smod10k64": 10**16, "sm16": 2**15, "sm32": 2**31,
}  # fmt: skip


def one(words: list[int], type_: str, order: str = "ABCD") -> int | None:
    """The value; None where there is none."""
    values, valid = decode_checked(np.array([words], np.uint16), type_, order)
    return int(values[0]) if valid is None or valid[0] else None


def clock(words: list[int], type_: str, order: str = "ABCD") -> str | None:
    return decode_clocks(np.array([words], np.uint16), type_, order)[0]


@pytest.mark.parametrize(
    ("type_", "words", "value"),
    [
        ("bcd16", [0x1234], 1234),
        ("bcd16", [0x9999], 9999),
        ("bcd16", [0x123A], None),
        ("bcd32", [0x1234, 0x5678], 12345678),
        ("bcd64", [0x1234, 0x5678, 0x9012, 0x3456], 1234567890123456),
        ("bcd64", [0x1234, 0x5678, 0x9012, 0xF456], None),
        ("mod10k32", [12, 3456], 123456),
        ("mod10k32", [12, 10000], None),
        ("mod10k48", [1, 2, 3], 100020003),
        ("mod10k64", [9999, 9999, 9999, 9999], 10**16 - 1),
        ("smod10k32", [65536 - 12, 65536 - 3456], -123456),
        ("smod10k32", [0, 65536 - 3456], -3456),
        ("smod10k32", [12, 65536 - 3456], None),
        ("smod10k32", [65536 - 12, 65536 - 10000], None),
        ("sm16", [0x8005], -5),
        ("sm16", [0x0005], 5),
        ("sm16", [0x8000], 0),
        ("sm32", [0x8001, 0x1170], -70000),
    ],
)
def test_that_decimal_digits_are_read_as_they_are_written(type_: str, words: list[int], value: int | None) -> None:
    assert one(words, type_) == value


@pytest.mark.parametrize(
    ("type_", "words", "text"),
    [
        # 2026-03-04 is a Wednesday. 0x69A7BDBF = 1,772,600,767 s = 20,516 days and 18,367 s: 5 h 6 min 7 s.
        ("unix32", [0x69A7, 0xBDBF], "2026-03-04T05:06:07Z"),
        ("unix64", [0, 0, 0x69A7, 0xBDBF], "2026-03-04T05:06:07Z"),
        ("unix64", [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF], "1969-12-31T23:59:59Z"),
        ("unixms64", [0, 0, 0, 1001], "1970-01-01T00:00:01.001Z"),
        # Year 26; month 3 above day 4 with weekday 3 (bits 5…7); hour 5 above minute 6; 7089 ms.
        ("cp56", [0x001A, 0x0364, 0x0506, 0x1BB1], "2026-03-04T05:06:07.089Z"),
        ("cp56", [0x001A, 0x0364, 0x8506, 0x1BB1], "2026-03-04T05:06:07.089Z"),  # summer time
        ("cp56", [0x001A, 0x0364, 0x0586, 0x1BB1], None),  # marked invalid
        ("cp56", [0x001A, 0x0364, 0x0506, 60000], None),
        ("cp56", [0, 0, 0, 0], None),
        ("s7dt", [0x2603, 0x0405, 0x0607, 0x0894], "2026-03-04T05:06:07.089Z"),
        ("s7dt", [0x9012, 0x3123, 0x5959, 0x9991], "1990-12-31T23:59:59.999Z"),
        ("s7dt", [0x260A, 0x0405, 0x0607, 0x0894], None),
        ("ymdhms3", [0x1A03, 0x0405, 0x0607], "2026-03-04T05:06:07Z"),
        ("ymdhms3", [0x1A02, 0x1D05, 0x0607], None),  # 29 February 2026
        ("mdyhms3", [0x0304, 0x7E05, 0x0607], "2026-03-04T05:06:07Z"),
        ("ymdhms6", [2026, 3, 4, 5, 6, 7], "2026-03-04T05:06:07Z"),
        ("ymdhms6", [26, 3, 4, 5, 6, 7], "2026-03-04T05:06:07Z"),
        ("ymdhms6", [126, 3, 4, 5, 6, 7], None),
        ("ymdhms7", [2026, 3, 4, 5, 6, 7, 89], "2026-03-04T05:06:07.089Z"),
        ("ymdhms7", [2026, 3, 4, 5, 6, 7, 1000], None),
        ("ymdhms6", [0xFFFF] * 6, None),
    ],
)
def test_that_clocks_are_read_as_their_source_says(type_: str, words: list[int], text: str | None) -> None:
    assert clock(words, type_) == text


def test_that_octets_of_cp56_in_the_order_of_the_line_are_order_dcba() -> None:
    """IEC 60870-5 sends milliseconds low byte first and the year last; the eighth byte is padding."""
    assert clock([0xB11B, 0x0605, 0x6403, 0x1A00], "cp56", "DCBA") == "2026-03-04T05:06:07.089Z"


@given(st.sampled_from(DECIMAL_TYPES), st.sampled_from(ORDERS), st.data())
def test_that_every_number_comes_back(type_: str, order: str, data: st.DataObject) -> None:
    low = 1 - REACH[type_] if type_.startswith("s") else 0
    value = data.draw(st.integers(low, REACH[type_] - 1))
    assert one(encode(value, type_, order), type_, order) == value
    bottom, top = INTEGER_LIMITS[value_type(type_)]
    assert bottom <= value <= top


@pytest.mark.parametrize("type_", DECIMAL_TYPES)
def test_that_a_number_beyond_the_type_is_refused(type_: str) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode(REACH[type_], type_, "ABCD")
    if not type_.startswith("s"):
        with pytest.raises(ValueError, match="does not fit"):
            encode(-1, type_, "ABCD")


@given(st.sampled_from(CLOCKS), st.sampled_from(ORDERS), st.datetimes(datetime(2000, 1, 1), datetime(2089, 12, 31)))  # noqa: DTZ001  hypothesis wants naive ones
def test_that_every_moment_comes_back_to_the_resolution_of_its_form(type_: str, order: str, moment: datetime) -> None:
    text = clock(encode(moment.isoformat() + "Z", type_, order), type_, order)
    assert text is not None
    fine = timedelta(milliseconds=1) if "." in text else timedelta(seconds=1)
    assert timedelta() <= moment.replace(tzinfo=UTC) - datetime.fromisoformat(text) < fine


@given(st.sampled_from(CLOCKS), st.data())
def test_that_any_registers_are_a_moment_or_none(type_: str, data: st.DataObject) -> None:
    count = REGISTERS_OF[type_]
    words = data.draw(st.lists(st.integers(0, 65535), min_size=count, max_size=count))
    text = decode_clock(words, type_)
    assert text is None or datetime.fromisoformat(text).tzinfo is UTC or datetime.fromisoformat(text).utcoffset() == timedelta()


@pytest.mark.parametrize("type_", sorted(FIELD_CLOCKS))
def test_that_fields_have_a_byte_order_but_no_word_order(type_: str) -> None:
    words = encode("2026-03-04T05:06:07Z", type_, "ABCD")
    assert encode("2026-03-04T05:06:07Z", type_, "CDAB") == words
    assert encode("2026-03-04T05:06:07Z", type_, "BADC") == [int.from_bytes(word.to_bytes(2, "little"), "big") for word in words]


def test_that_every_type_is_a_word_of_the_model_and_its_form_is_told() -> None:
    for name, found in REGISTER_TYPES.items():
        assert found.value in SCALAR_TYPES
        assert SPEC.type_of(f"holding:0:{name}") == found.value
        assert about_type(name) or name in INTEGER_LIMITS or name.startswith("float")
        assert parse(f"holding:0:{name}").count == found.registers
    assert "taken as UTC" in SPEC.describe("holding:0:cp56")["Form"]
    assert "UTC" in SPEC.describe("holding:0:unix32")["Form"]
    assert "taken as UTC" not in SPEC.describe("holding:0:unix32")["Form"]
    assert SPEC.type_of("holding:0.4-7") == "uint16"
    assert SPEC.describe("holding:0.4-7")["Bit"].startswith("4 to 7")
    assert SPEC.status_text(INVALID_CONTENT) == "InvalidContent (0x110)"
