from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus.address import ORDERS
from app.drivers.modbus.marks import DENORMAL, INFINITE, INVALID, NAN, marks, value_marks
from app.drivers.modbus.registers import encode
from app.drivers.modbus.types import REGISTER_TYPES


@pytest.mark.parametrize(
    ("value", "type_", "mark"),
    [
        (1e-40, "float32", DENORMAL), (1e-310, "float64", DENORMAL), (1e-7, "float16", DENORMAL), (math.nan, "float32", NAN),
        (-math.inf, "float64", INFINITE), (65535, "uint16", "0xFFFF: the usual sign for no value"),
        (-32768, "int16", "0x8000: the usual sign for no value"), (32767, "int16", "0x7FFF: the usual sign for no value"),
        (2**32 - 1, "uint32", "0xFFFFFFFF: the usual sign for no value"), (-(2**31), "int32", "0x80000000: the usual sign for no value"),
        (2**64 - 1, "uint64", "0xFFFFFFFFFFFFFFFF: the usual sign for no value"),
    ],
)  # fmt: skip
def test_that_what_is_no_physical_value_is_marked_in_every_order(value: float, type_: str, mark: str) -> None:
    for order in ORDERS:
        assert marks(encode(value, type_, order), type_, order) == (mark,)
    assert value_marks(value, type_) == (mark,)


def test_that_contents_of_another_type_are_marked() -> None:
    assert marks([0x12A4], "bcd16") == (INVALID,)
    assert marks([0, 0, 0, 0], "cp56") == (INVALID,)


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (0.0, "float32"), (231.4, "float32"), (-1, "int16"), (0, "uint16"), (True, "bool"), ("x", "string"), (None, "uint16"),
        (70000, "uint16"), (1e60, "float32"), (65535.0, "uint16"),
    ],
)  # fmt: skip
def test_that_ordinary_values_and_what_does_not_fit_are_not_marked(value: object, type_: str) -> None:
    assert value_marks(value, type_) == ()


@given(st.sampled_from(sorted(REGISTER_TYPES)), st.lists(st.integers(0, 65535), max_size=8), st.sampled_from(ORDERS))
def test_that_any_words_are_marked_or_not(type_: str, words: list[int], order: str) -> None:
    assert all(isinstance(mark, str) for mark in marks(words, type_, order))
