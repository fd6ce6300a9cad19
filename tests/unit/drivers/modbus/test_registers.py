from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus.address import ORDERS
from app.drivers.modbus.registers import (
    READINGS,
    decode,
    decode_bit_ranges,
    decode_bits,
    decode_string,
    encode,
    encode_string,
    interpretations,
)
from app.drivers.modbus.types import MACHINE_TYPES, REGISTERS_OF

FORMS = {
    "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q", "float16": "e", "float32": "f", "float64": "d",
}  # fmt: skip


def bytes_in(raw: bytes, order: str) -> bytes:
    """The bytes of a big-endian value as they lie on the wire; an independent second writing of the orders, by pairs."""
    pairs = [raw[at : at + 2] for at in range(0, len(raw), 2)]
    if order in ("CDAB", "DCBA"):
        pairs.reverse()
    if order in ("BADC", "DCBA"):
        pairs = [pair[::-1] for pair in pairs]
    return b"".join(pairs)


@pytest.mark.parametrize(
    ("order", "words"),
    [("ABCD", [0x0102, 0x0304]), ("CDAB", [0x0304, 0x0102]), ("BADC", [0x0201, 0x0403]), ("DCBA", [0x0403, 0x0201])],
)
def test_that_each_order_is_what_its_letters_say(order: str, words: list[int]) -> None:
    """A is 0x01, the most significant byte, D is 0x04; checked by hand."""
    assert decode(np.array([words], np.uint16), "uint32", order).tolist() == [0x01020304]
    assert encode(0x01020304, "uint32", order) == words


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("ABCD", [0x0102, 0x0304, 0x0506, 0x0708]),
        ("CDAB", [0x0708, 0x0506, 0x0304, 0x0102]),
        ("BADC", [0x0201, 0x0403, 0x0605, 0x0807]),
        ("DCBA", [0x0807, 0x0605, 0x0403, 0x0201]),
    ],
)
def test_that_the_orders_of_64_bits_reverse_words_and_swap_bytes(order: str, words: list[int]) -> None:
    assert decode(np.array([words], np.uint16), "uint64", order).tolist() == [0x0102030405060708]


@pytest.mark.parametrize(("order", "value"), [("ABCD", 0x0102), ("CDAB", 0x0102), ("BADC", 0x0201), ("DCBA", 0x0201)])
def test_that_16_bits_know_byte_order_only(order: str, value: int) -> None:
    assert decode(np.array([[0x0102]], np.uint16), "uint16", order).tolist() == [value]


def test_that_a_float_is_right_in_all_four_orders() -> None:
    """123.5 is 0x42F70000 (IEEE 754: sign 0, exponent 133, fraction 0x770000), by hand."""
    for order, words in {"ABCD": [0x42F7, 0], "CDAB": [0, 0x42F7], "BADC": [0xF742, 0], "DCBA": [0, 0xF742]}.items():
        assert decode(np.array([words], np.uint16), "float32", order).tolist() == [123.5]


@given(st.sampled_from(sorted(FORMS)), st.sampled_from(ORDERS), st.lists(st.binary(min_size=8, max_size=8), min_size=1, max_size=5))
def test_that_decoding_equals_struct_bit_for_bit(type_: str, order: str, raws: list[bytes]) -> None:
    size = 2 * REGISTERS_OF[type_]
    raws = [raw[:size] for raw in raws]
    words = np.array([struct.unpack(f">{size // 2}H", bytes_in(raw, order)) for raw in raws], np.uint16)
    got = decode(words, type_, order)
    assert got.shape == (len(raws),)
    assert got.astype(got.dtype.newbyteorder(">")).tobytes() == b"".join(raws)
    for value, raw in zip(got.tolist(), raws, strict=True):
        (want,) = struct.unpack(f">{FORMS[type_]}", raw)
        assert value == want or (math.isnan(value) and math.isnan(want))
    encoded = [encode(value, type_, order) for value in got]
    if not any(isinstance(value, float) and math.isnan(value) for value in got.tolist()):
        assert encoded == words.tolist()


def test_that_every_machine_type_is_compared_with_struct() -> None:
    assert set(FORMS) == set(MACHINE_TYPES)


@given(st.integers(0, 65535), st.integers(0, 15), st.integers(0, 15), st.sampled_from(ORDERS))
def test_that_bits_of_a_register_are_a_number(word: int, one: int, other: int, order: str) -> None:
    low, high = sorted((one, other))
    got = decode_bit_ranges(np.array([word], np.uint16), np.array([low], np.uint8), np.array([high], np.uint8), order)
    digits = f"{int.from_bytes(word.to_bytes(2, 'little' if order in ('BADC', 'DCBA') else 'big'), 'big'):016b}"
    assert got.tolist() == [int(digits[15 - high : 16 - low], 2)]


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=20), st.sampled_from(ORDERS), st.data())
def test_that_a_bit_is_counted_from_the_least_significant_after_byte_order(words: list[int], order: str, data: st.DataObject) -> None:
    bits = [data.draw(st.integers(0, 15)) for _ in words]
    got = decode_bits(np.array(words, np.uint16), np.array(bits, np.uint8), order)
    for word, bit, value in zip(words, bits, got.tolist(), strict=True):
        number = int.from_bytes(word.to_bytes(2, "little" if order in ("BADC", "DCBA") else "big"), "big")
        assert value is bool(number & (1 << bit))


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=20), st.sampled_from(ORDERS))
def test_that_a_string_comes_back(text: str, order: str) -> None:
    length = len(text.encode()) + 1
    assert decode_string(encode_string(text, length, order), length, order) == text.rstrip(" ")


@pytest.mark.parametrize(
    ("padding", "raw", "text"),
    [
        ("", b"AB  \0\0", "AB"), ("z", b"AB  \0\0", "AB  "), ("s", b"AB    ", "AB"), ("s", b"A\0B   ", "A\0B"), ("", b"A\0B   ", "A"),
    ],
)  # fmt: skip
def test_that_the_padding_says_where_a_string_ends(padding: str, raw: bytes, text: str) -> None:
    for order in ORDERS:
        pairs = [raw[at : at + 2] for at in range(0, len(raw), 2)]
        words = [int.from_bytes(pair, "little" if order in ("BADC", "DCBA") else "big") for pair in pairs]
        assert decode_string(words, 6, order, padding) == text
    fill = b" " if padding == "s" else b"\0"
    assert encode_string("AB", 4, "ABCD", padding) == [0x4142, int.from_bytes(fill * 2, "big")]


def test_that_strings_end_at_nul_lose_padding_and_fall_back_to_latin_1() -> None:
    assert decode_string([0x4142, 0x0043], 4, "ABCD") == "AB"
    assert decode_string([0x4241, 0x2043], 4, "BADC") == "ABC"
    assert decode_string([0x4142, 0x4344], 3, "ABCD") == "ABC"
    assert decode_string([0xB043, 0x2020], 4, "ABCD") == "°C"
    assert decode_string([], 0, "ABCD") == ""


def test_that_a_register_row_shows_the_word_in_every_form() -> None:
    first, second = interpretations([0x42F7, 0x0000], 100)
    assert (first.address, first.word, first.hex, first.bits, first.text) == (100, 0x42F7, "0x42F7", "0100 0010 1111 0111", "B.")
    assert set(first.readings) == set(READINGS)
    assert first.readings["float32", "ABCD"].text == "123.5"
    assert first.readings["int16", "ABCD"].value == 0x42F7
    assert first.readings["int16", "BADC"].value == 0xF742 - 0x10000
    assert first.readings["uint32", "CDAB"].value == 0x000042F7
    assert first.readings["uint32", "DCBA"].value == 0x0000F742
    assert first.readings["float32", "CDAB"].mark == "denormal"
    assert set(second.readings) == {("int16", "ABCD"), ("int16", "BADC"), ("uint16", "ABCD"), ("uint16", "BADC")}


def test_that_no_value_signs_are_marked() -> None:
    rows = interpretations([0xFFFF, 0xFFFF, 0x8000, 0x0000, 0x7F80, 0x0000], 0)
    assert [row.mark for row in rows] == ["0xFFFF", "0xFFFF", "0x8000", "", "", ""]
    assert rows[0].readings["uint32", "ABCD"].mark == "0xFFFFFFFF"
    assert rows[0].readings["int32", "ABCD"].mark == "0xFFFFFFFF"
    assert rows[0].readings["float32", "ABCD"].mark == "NaN"
    assert rows[2].readings["int32", "ABCD"].mark == "0x80000000"
    assert rows[4].readings["float32", "ABCD"].mark == "infinite"
    assert rows[3].readings["uint16", "ABCD"].mark == ""


@given(st.lists(st.integers(0, 65535), max_size=30), st.integers(0, 60000))
def test_that_every_register_of_a_range_has_a_row(words: list[int], start: int) -> None:
    rows = interpretations(words, start)
    assert [(row.address, row.word) for row in rows] == list(enumerate(words, start))
    for place, row in enumerate(rows):
        for (type_, order), cell in row.readings.items():
            raw = bytes_in(struct.pack(f">{REGISTERS_OF[type_]}H", *words[place : place + REGISTERS_OF[type_]]), order)
            (want,) = struct.unpack(f">{FORMS[type_]}", raw)
            assert cell.value == want or (math.isnan(cell.value) and cell.mark == "NaN")
