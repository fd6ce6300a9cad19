from __future__ import annotations

import pytest

from tests.unit.taglists.lists import addresses, modbus, read_text

HEAD = "Address;Name;Type\n"


def rows(*texts: str) -> str:
    return HEAD + "".join(f"{text};T{at};U16\n" for at, text in enumerate(texts))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("40001", "40102"), ["holding:0", "holding:101"]),
        (("400001", "465536"), ["holding:0", "holding:65535"]),
        (("30001", "40001"), ["input:0", "holding:0"]),
        (("4x1", "3x0002"), ["holding:0", "input:1"]),
        (("4:0001", "4:0002"), ["holding:0", "holding:1"]),
    ],
)
def test_that_modicon_numbers_count_from_one_by_definition(texts: tuple[str, ...], expected: list[str]) -> None:
    found = read_text(rows(*texts))
    assert addresses(found) == expected
    assert (found.numbering.style, found.numbering.base) == ("modicon", 1)


def test_that_a_coil_of_a_modicon_list_is_no_hexadecimal_number() -> None:
    found = read_text("Address;Name;Type\n0x0012;Run;BOOL\n4x0100;Speed;U16\n")
    assert addresses(found) == ["coil:11", "holding:99"]


@pytest.mark.parametrize(
    ("text", "base", "why"),
    [
        (rows("0", "1"), 0, "smallest address is 0"),
        (rows("1", "65536"), 1, "65536"),
        ("Registers are zero-based;;\n" + rows("10", "12"), 0, "zero-based"),
        ("Adressen nullbasiert;;\n" + rows("10", "12"), 0, "nullbasiert"),
        ("All addresses are 1-based;;\n" + rows("10", "12"), 1, "1-based"),
        ("Protocol address;Name;Type\n10;A;U16\n12;B;U16\n", 0, "Protocol address"),
        ("Register;Address (hex);Name;Type\n101;0x64;A;U16\n102;0x65;B;U16\n", None, ""),
    ],
)
def test_that_the_list_itself_may_say_where_counting_begins(text: str, base: int | None, why: str) -> None:
    found = read_text(text)
    if base is None:  # either column is right: what comes out must be the same
        assert found.numbering.style in ("plain", "hex")
        return
    assert found.numbering.base == base
    assert why in found.numbering.why


def test_that_a_second_column_of_addresses_one_less_tells_the_base() -> None:
    found = read_text("Register;Name;Type;Modbus addr\n101;A;U16;100\n105;B;U16;104\n")
    assert addresses(found) == ["holding:100", "holding:104"]


def test_that_nobody_guesses_where_nothing_tells() -> None:
    found = read_text(rows("100", "102"))
    assert found.numbering.is_open
    assert read_text(rows("0x64", "0x66")).numbering.is_open
    assert addresses(read_text(rows("100", "102"), modbus(base=1))) == ["holding:99", "holding:101"]
    assert addresses(read_text(rows("100", "102"), modbus(base=0))) == ["holding:100", "holding:102"]
    assert addresses(read_text(rows("0x64", "66h"), modbus(base=0))) == ["holding:100", "holding:102"]


def test_that_five_digits_are_plain_numbers_where_the_table_contradicts_them() -> None:
    text = "Address;Table;Name;Type\n30051;holding;A;U16\n40631;holding;B;U16\n"
    found = read_text(text, modbus(base=0))
    assert addresses(found) == ["holding:30051", "holding:40631"]


def test_that_round_numbers_such_as_40000_are_no_modicon_numbers() -> None:
    found = read_text(rows("40000", "40002"), modbus(base=0))
    assert addresses(found) == ["holding:40000", "holding:40002"]


def test_that_a_person_may_say_how_numbers_are_meant() -> None:
    assert addresses(read_text(rows("40001", "40002"), modbus(notation="plain", base=1))) == ["holding:40000", "holding:40001"]
    assert addresses(read_text(rows("0064", "00C8"), modbus(notation="hex", base=0))) == ["holding:100", "holding:200"]
    assert addresses(read_text(rows("100", "102"), modbus(notation="one-based"))) == ["holding:99", "holding:101"]
    assert addresses(read_text(rows("40000", "40001"), modbus(notation="modicon", base=0))) == ["holding:0", "holding:1"]


def test_that_a_column_of_bare_hexadecimal_numbers_is_known_by_its_letters_or_heading() -> None:
    assert addresses(read_text(rows("00FA", "00FC"), modbus(base=0))) == ["holding:250", "holding:252"]
    assert addresses(read_text("Address (hex);Name;Type\n0010;A;U16\n0020;B;U16\n", modbus(base=0))) == ["holding:16", "holding:32"]


def test_that_numbers_before_the_first_register_are_problems_of_their_rows() -> None:
    found = read_text(rows("0", "5", "70000"), modbus(base=1))
    assert [problem.where for problem in found.problems] == ["line 2, column address", "line 4, column address"]
    assert [row.tag.address for row in found.good if row.tag] == ["holding:4"]
