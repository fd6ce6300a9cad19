from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus.address import NOTATIONS, ORDERS, TABLES, Address, in_notation, parse, with_type
from app.drivers.modbus.types import REGISTERS_OF
from app.errors import UserError


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    unit = draw(st.none() | st.integers(0, 255))
    table = draw(st.sampled_from(TABLES))
    place = draw(st.integers(0, 65535))
    if table in ("coil", "discrete"):
        return Address(unit, table, place, None, "bool")
    order = draw(st.sampled_from(("", *ORDERS)))
    kind = draw(st.sampled_from(("bit", "bits", "string", *REGISTERS_OF)))
    if kind == "bits":
        low = draw(st.integers(0, 14))
        return Address(unit, table, place, low, "uint16", 0, order, draw(st.integers(low + 1, 15)))
    if kind == "bit":
        return Address(unit, table, place, draw(st.integers(0, 15)), "bool", 0, order)
    length = draw(st.integers(1, 250)) if kind == "string" else 0
    padding = draw(st.sampled_from(("", "z", "s"))) if kind == "string" else ""
    item = Address(unit, table, 0, None, kind, length, order)
    return Address(unit, table, min(place, 65536 - item.count), None, kind, length, order, None, padding)


@given(addresses(), st.sampled_from(NOTATIONS))
def test_that_every_address_reads_back_from_every_notation(address: Address, notation: str) -> None:
    assert parse(in_notation(address, notation), notation) == address


@given(addresses())
def test_that_the_canonical_text_is_stable(address: Address) -> None:
    assert str(parse(str(address))) == str(address)
    assert str(parse(f"  {str(address).upper()} ")) == str(address)


@given(st.text(alphabet="0123456789/:.-xABCDabcdefholingputcrsz ", max_size=30), st.sampled_from(NOTATIONS))
def test_that_any_text_is_an_address_or_a_user_error_that_names_the_character(text: str, notation: str) -> None:
    try:
        address = parse(text, notation)
    except UserError as error:
        refused = error
    else:
        assert parse(str(address)) == address
        assert address.address >= 0
        assert address.address + address.count <= 65536
        return
    assert refused.why.startswith("at character ")
    assert refused.where == text
    assert "holding" in refused.fix


@given(st.text(max_size=20))
def test_that_odd_characters_do_no_harm(text: str) -> None:
    for notation in NOTATIONS:
        try:
            parse(text, notation)
        except UserError:
            continue


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("3/holding:100:float32:CDAB", "3/holding:100:float32:CDAB"),
        ("input:7:int16", "input:7:int16"),
        ("coil:3", "coil:3"),
        ("coil:3:bool", "coil:3"),
        ("holding:12.5", "holding:12.5"),
        ("holding:12.5:bool", "holding:12.5"),
        ("holding:12.5:bool:BADC", "holding:12.5:bool:BADC"),
        ("holding:40:str32", "holding:40:str32"),
        ("holding:40:uint16", "holding:40"),
        ("holding:40:uint16:badc", "holding:40:uint16:BADC"),
        ("007/HOLDING:0040:FLOAT64", "7/holding:40:float64"),
        ("holding:12.4-7", "holding:12.4-7"),
        ("holding:12.4-7:uint16", "holding:12.4-7"),
        ("holding:12.0-15:UINT16:badc", "holding:12.0-15:uint16:BADC"),
        ("holding:40:STR10Z", "holding:40:str10z"),
        ("holding:40:str10s:badc", "holding:40:str10s:BADC"),
        ("holding:9:MOD10K48:cdab", "holding:9:mod10k48:CDAB"),
        ("holding:9:ymdhms6", "holding:9:ymdhms6"),
    ],
)
def test_that_defaults_are_left_out(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "notation", "canonical"),
    [
        ("40101", "modicon", "holding:100"),
        ("400101", "modicon", "holding:100"),
        ("4x101", "modicon", "holding:100"),
        ("4X00101", "modicon", "holding:100"),
        ("465536", "modicon", "holding:65535"),
        ("00001", "modicon", "coil:0"),
        ("10001", "modicon", "discrete:0"),
        ("39999", "modicon", "input:9998"),
        ("3/40101:float32:CDAB", "modicon", "3/holding:100:float32:CDAB"),
        ("40101.5", "modicon", "holding:100.5"),
        ("40101.4-7", "modicon", "holding:100.4-7"),
        ("49999", "modicon", "holding:9998"),
        ("410000", "modicon", "holding:9999"),
        ("310000", "modicon", "input:9999"),
        ("110000", "modicon", "discrete:9999"),
        ("010000", "modicon", "coil:9999"),
        ("holding:101", "one-based", "holding:100"),
        ("holding:0x64", "hex", "holding:100"),
        ("holding:64", "hex", "holding:100"),
        ("2/input:FFFF", "hex", "2/input:65535"),
    ],
)
def test_that_other_notations_become_canonical(text: str, notation: str, canonical: str) -> None:
    assert str(parse(text, notation)) == canonical


@pytest.mark.parametrize(
    ("text", "notation", "character", "word"),
    [
        ("", "", 1, "empty"),
        ("regs:3", "", 1, "tables are coil, discrete, input, holding"),
        ("40101", "", 1, "notation 'modicon'"),
        ("holding", "", 8, "address is missing"),
        ("holding:", "", 9, "missing or not a number"),
        ("holding:70000", "", 9, "from 0 to 65535"),
        ("holding:0x64", "", 9, "notation 'hex'"),
        ("holding:65535:float32", "", 1, "go beyond"),
        ("  256/holding:1", "", 3, "from 0 to 255"),
        ("x/holding:1", "", 1, "unit id"),
        ("1.5/holding:1", "", 2, "unit id"),
        ("coil:3.1", "", 7, "one bit already"),
        ("coil:3:int16", "", 8, "of type bool"),
        ("coil:3:bool:ABCD", "", 13, "no byte order"),
        ("holding:12:bool", "", 12, "holding:12.0"),
        ("holding:12.5:int16", "", 14, "of type bool"),
        ("holding:12.16", "", 12, "from 0 to 15"),
        ("holding:12:real", "", 12, "perhaps float32"),
        ("holding:12:bcd", "", 12, "perhaps bcd16"),
        ("holding:100-101", "", 12, "nothing may follow"),
        ("holding:100-101:float32", "", 12, "nothing may follow"),
        ("holding:12.7-4", "", 14, "comes after the first"),
        ("holding:12.4-4", "", 14, "one bit alone is holding:12.4"),
        ("holding:12.4-16", "", 14, "from 0 to 15"),
        ("holding:12.4-7:bool", "", 16, "of type uint16"),
        ("holding:12.4-7:int16", "", 16, "of type uint16"),
        ("holding:65533:cp56", "", 1, "go beyond"),
        ("holding:12:int24", "", 12, "types are bool, int16"),
        ("holding:12:str0", "", 12, "1 to 250"),
        ("holding:12:str251", "", 12, "1 to 250"),
        ("holding:12:int32:ACBD", "", 18, "orders are ABCD"),
        ("holding:12:int32:ABCD:x", "", 22, "nothing may follow"),
        ("holding:12abc", "", 11, "nothing may follow"),
        ("holding:0", "one-based", 9, "from 1 to 65536"),
        ("holding:0xFFFFF", "hex", 9, "0xFFFF"),
        ("20001", "modicon", 1, "the first 0, 1, 3 or 4"),
        ("40000", "modicon", 1, "counts from 1"),
        ("4001", "modicon", 1, "five or six digits"),
        ("holding:1", "modicon", 1, "five or six digits"),
    ],
)
def test_that_a_mistake_is_named_with_its_character(text: str, notation: str, character: int, word: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(text, notation)
    assert caught.value.why.startswith(f"at character {character}: ")
    assert word in caught.value.why


def test_that_an_unknown_notation_is_refused() -> None:
    with pytest.raises(UserError, match="one-based, modicon, hex"):
        parse("holding:1", "octal")
    with pytest.raises(UserError, match="one-based, modicon, hex"):
        in_notation(Address(None, "holding", 1), "octal")


@pytest.mark.parametrize(("type_text", "count"), [("int16", 1), ("float32", 2), ("uint64", 4), ("str5", 3), ("str6", 3)])
def test_that_an_item_knows_how_many_registers_it_takes(type_text: str, count: int) -> None:
    assert parse(f"holding:0:{type_text}").count == count


@pytest.mark.parametrize(
    ("text", "type_", "order", "notation", "canonical"),
    [
        ("3/holding:100", "float32", "CDAB", "", "3/holding:100:float32:CDAB"),
        ("3/holding:100 ", "FLOAT32", "cdab", "", "3/holding:100:float32:CDAB"),
        ("holding:100", "", "BADC", "", "holding:100:uint16:BADC"),
        ("holding:100", "uint16", "", "", "holding:100"),
        ("holding:100:float32", "float32", "CDAB", "", "holding:100:float32:CDAB"),
        ("holding:100:float32:CDAB", "", "CDAB", "", "holding:100:float32:CDAB"),
        ("holding:100:str8", "string", "", "", "holding:100:str8"),
        ("40101", "int32", "", "modicon", "holding:100:int32"),
        ("40101:int32", "int32", "DCBA", "modicon", "holding:100:int32:DCBA"),
        ("holding:12.3", "bool", "BADC", "", "holding:12.3:bool:BADC"),
        ("coil:1", "bool", "", "", "coil:1"),
        ("coil:1", "", "", "", "coil:1"),
    ],
)
def test_that_type_and_order_beside_an_address_become_part_of_it(text: str, type_: str, order: str, notation: str, canonical: str) -> None:
    assert str(with_type(text, type_, order, notation)) == canonical


@pytest.mark.parametrize(
    ("text", "type_", "order", "why"),
    [
        ("holding:1:float32", "int32", "", "the address says float32, the type beside it int32"),
        ("holding:1:float32:ABCD", "", "CDAB", "the address says ABCD, the order beside it CDAB"),
        ("holding:1", "real", "", "perhaps float32"),
        ("coil:1", "", "ABCD", "no byte order"),
        ("holding:1.2", "int16", "", "of type bool"),
    ],
)
def test_that_a_type_beside_an_address_may_not_contradict_it(text: str, type_: str, order: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        with_type(text, type_, order)
