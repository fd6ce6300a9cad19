import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.plant.modbus_map import Register, Table
from app.plant.registers import encode, reorder


def make_register(type_: str, order: str = "", scale: float = 1.0) -> Register:
    return Register(unit_id=3, table=Table.HOLDING, address=0, type=type_, source="", description="", order=order, scale=scale)


@pytest.mark.parametrize(("order", "words"), [("ABCD", "0A0B 0C0D"), ("CDAB", "0C0D 0A0B"), ("BADC", "0B0A 0D0C"), ("DCBA", "0D0C 0B0A")])
def test_that_the_four_orders_are_what_their_names_say(order: str, words: str) -> None:
    assert encode(make_register("uint32", order), 0x0A0B0C0D) == [int(word, 16) for word in words.split()]


@given(st.binary(min_size=2, max_size=16).filter(lambda data: len(data) % 2 == 0), st.sampled_from(["", "ABCD", "CDAB", "BADC", "DCBA"]))
def test_that_an_order_undoes_itself(data: bytes, order: str) -> None:
    assert reorder(reorder(data, order), order) == data


@given(st.floats(width=32, allow_nan=False))
def test_that_a_float_is_its_ieee_754_words_low_word_first_in_cdab(value: float) -> None:
    low, high = encode(make_register("float32", "CDAB"), value)
    assert struct.unpack(">f", struct.pack(">HH", high, low))[0] == value


@given(st.floats(min_value=-1e9, max_value=1e9))
def test_that_a_scaled_int16_is_the_nearest_count_or_the_end_of_its_range(value: float) -> None:
    (word,) = encode(make_register("int16", scale=0.1), value)
    raw = word - 65536 if word > 32767 else word
    assert raw == max(-32768, min(32767, round(value / 0.1)))


def test_that_a_negative_power_is_twos_complement() -> None:
    assert encode(make_register("int16", scale=0.1), -8.9) == [65536 - 89]


def test_that_text_fills_its_registers_and_no_more() -> None:
    assert encode(make_register("str4"), "AB") == [0x4142, 0]
    assert encode(make_register("str4"), "ABCDEF") == [0x4142, 0x4344]
