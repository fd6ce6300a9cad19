from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus.types import REGISTER_TYPES
from app.taglists.datatypes import Kind, kind, order


@pytest.mark.parametrize(
    ("texts", "type_"),
    [
        ("U16 UINT16 UInt_16 WORD 16-bit-unsigned ushort", "uint16"),
        ("S16 INT16 I16 SHORT short", "int16"),
        ("U32 UINT32 UDINT DWORD ULONG acc32", "uint32"),
        ("S32 INT32 DINT LONG sint32", "int32"),
        ("U64 UINT64 ULINT LWORD", "uint64"),
        ("S64 INT64 LINT", "int64"),
        ("REAL FLOAT32 F32 IEEE754-32 float32 single", "float32"),
        ("DOUBLE FLOAT64 LREAL F64", "float64"),
        ("FLOAT16 half", "float16"),
        ("BCD16", "bcd16"),
        ("BCD32", "bcd32"),
        ("MOD10K48", "mod10k48"),
        ("ENUM16 BITFIELD16 bitmap16", "uint16"),
        ("ENUM32 BITFIELD32", "uint32"),
        ("BOOL Boolean coil", "bool"),
        ("unix32 unixtime", "unix32"),
        ("s7dt", "s7dt"),
    ],
)
def test_that_the_names_of_types_are_understood(texts: str, type_: str) -> None:
    for text in texts.split():
        found = kind(text)
        assert found is not None, text
        assert found.type == type_, text


@pytest.mark.parametrize("text", ["Unsigned 16 bit", "16 bit unsigned integer", "Unsigned Int 16", "unsigned integer (16 bit)"])
def test_that_types_in_several_words_are_understood(text: str) -> None:
    assert kind(text) == Kind(type="uint16")


@pytest.mark.parametrize(
    ("text", "family", "usual"),
    [("UINT", "uint", 16), ("INT", "int", 16), ("FLOAT", "float", 32), ("IEEE754", "float", 32), ("BCD", "bcd", 16), ("MOD10K", "mod10k",
    32), ("signed", "int", 16)],
)  # fmt: skip
def test_that_words_without_a_width_leave_it_open(text: str, family: str, usual: int) -> None:
    found = kind(text)
    assert found is not None
    assert (found.type, found.family, found.usual) == ("", family, usual)


@pytest.mark.parametrize(
    ("text", "length"), [("STRING(16)", 16), ("STRING[16]", 16), ("CHAR[8]", 8), ("str32", 32), ("ASCII", None), ("UTF8", None)]
)
def test_that_texts_have_their_length(text: str, length: int | None) -> None:
    found = kind(text)
    assert found is not None
    assert (found.type, found.length) == ("string", length)


@pytest.mark.parametrize(
    ("text", "bit", "last"), [("BIT 3", 3, None), ("BIT3", 3, None), ("Bit[15]", 15, None), ("BIT 4-7", 4, 7), ("b0", 0, None)]
)
def test_that_bits_are_bits(text: str, bit: int, last: int | None) -> None:
    found = kind(text)
    assert found is not None
    assert (found.bit, found.last_bit) == (bit, last)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("big endian", "ABCD"), ("Big-Endian", "ABCD"), ("Hi-Lo", "ABCD"), ("MSW first", "ABCD"), ("high word first", "ABCD"), ("ABCD",
        "ABCD"),
        ("little endian", "DCBA"), ("DCBA", "DCBA"), ("LE", "DCBA"), ("swapped", "CDAB"), ("CDAB", "CDAB"), ("Lo-Hi", "CDAB"),
        ("word swap", "CDAB"),
        ("low word first", "CDAB"), ("byte swap", "BADC"), ("BADC", "BADC"), ("big endian byte swap", "BADC"),
        ("little endian byte swap", "CDAB"),
        ("word and byte swap", "DCBA"), ("1-0-3-2", "CDAB"), ("nothing of the kind", ""),
    ],
)  # fmt: skip
def test_that_orders_are_understood(text: str, expected: str) -> None:
    assert order(text)[0] == expected


def test_that_a_type_may_carry_its_order() -> None:
    found = kind("FLOAT32 CDAB")
    assert found == Kind(type="float32", order="CDAB")
    assert kind("float (swapped)") == Kind(family="float", usual=32, order="CDAB")


@pytest.mark.parametrize("text", ["", "U17", "voltage", "BIT 16", "12", "-", "see manual"])
def test_that_what_is_no_type_is_none(text: str) -> None:
    assert kind(text) is None


@given(st.text(max_size=30))
def test_that_any_text_is_a_type_or_none(text: str) -> None:
    found = kind(text)
    assert found is None or found.type or found.family


@given(st.sampled_from(sorted(REGISTER_TYPES)))
def test_that_every_type_word_of_an_address_is_understood(word: str) -> None:
    assert kind(word) == Kind(type=word)
    assert kind(word.upper()) == Kind(type=word)
