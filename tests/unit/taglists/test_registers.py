from __future__ import annotations

import pytest

from app.taglists.base import TagList
from tests.unit.taglists.lists import addresses, modbus, read_text, tags


def table(heading: str, *rows: str) -> TagList:
    return read_text("\n".join([heading, *rows]) + "\n", modbus(base=0))


def test_that_ranges_and_lengths_give_the_width_of_types_that_leave_it_open() -> None:
    found = table("Address;Name;Type;Words", "10;A;UINT;1", "12;B;UINT;2", "14;C;INT;4", "20;D;FLOAT;2", "22;E;FLOAT;4", "30;F;ENUM;1")
    assert addresses(found) == [
        "holding:10",
        "holding:12:uint32",
        "holding:14:int64",
        "holding:20:float32",
        "holding:22:float64",
        "holding:30",
    ]
    assert addresses(table("Address;Name;Type", "10-11;A;UINT", "12-15;B;FLOAT", "20-21;C;")) == [
        "holding:10:uint32", "holding:12:float64", "holding:20:uint32",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("10;A;U16;2", "Type and length do not fit"), ("10-12;A;U32;3", "Type and length do not fit"), ("10-11;A;U32;4", "Two lengths"),
        ("10;A;FLOAT32;1", "Type and length do not fit"), ("10;A;STRING(16);3", "Type and length do not fit"), ("10;A;STRING;-",
        "A text without a length"),
        ("10;A;U17;1", "Unknown type"), ("10;A;U16;many", "Not a number of registers"), ("65535;A;U32;2", "Not a Modbus address"),
    ],
)  # fmt: skip
def test_that_lengths_that_contradict_the_type_are_problems(row: str, what: str) -> None:
    found = table("Address;Name;Type;Words", row, "100;Good;U16;1", "102;Also;U32;2", "104;Third;U64;4")
    assert [problem.what for problem in found.problems] == [what]
    assert len(found.good) == 3


def test_that_lengths_in_bytes_or_bits_are_known_by_heading_or_by_what_agrees() -> None:
    assert addresses(table("Address;Name;Type;Size (bytes)", "10;A;U16;2", "12;B;U32;4")) == ["holding:10", "holding:12:uint32"]
    assert addresses(table("Address;Name;Type;Size", "10;A;U16;16", "12;B;U32;32", "14;C;UINT;32")) == [
        "holding:10", "holding:12:uint32", "holding:14:uint32",
    ]  # fmt: skip


def test_that_texts_have_their_length_in_bytes() -> None:
    found = table("Address;Name;Type;Words", "10;A;STRING(16);8", "20;B;ASCII;4", "30;C;CHAR[8];", "40;D;STRING(8);8")
    assert addresses(found) == ["holding:10:str16", "holding:20:str8", "holding:30:str8", "holding:40:str16"]
    assert "counts registers" in found.rows[3].marks[0]


def test_that_bits_come_from_address_column_or_type() -> None:
    assert addresses(table("Address;Name;Type", "10.3;A;BOOL", "10;B;BIT 4", "11 bit 5;C;")) == [
        "holding:10.3",
        "holding:10.4",
        "holding:11.5",
    ]
    found = table("Address;Bit;Name;Type", "10;0;A;BOOL", ";1;B;BOOL", ";4-7;C;", "12;;D;U16")
    assert addresses(found) == ["holding:10.0", "holding:10.1", "holding:10.4-7", "holding:12"]


def test_that_a_bool_in_a_register_is_its_bit_0_and_says_so() -> None:
    found = table("Address;Name;Type", "10;A;BOOL")
    assert addresses(found) == ["holding:10.0"]
    assert found.rows[0].marks == ("a bool in a register is read as its bit 0",)


def test_that_tables_come_from_column_function_code_or_section() -> None:
    found = table("Address;Table;Name;Type", "1;holding;A;U16", "2;input;B;U16", "3;coil;C;BOOL", "4;discrete inputs;D;")
    assert addresses(found) == ["holding:1", "input:2", "coil:3", "discrete:4"]
    found = table("Address;FC;Name;Type", "1;03;A;U16", "2;4;B;U16", "3;3, 6, 16;C;U16", "4;1;D;BOOL")
    assert addresses(found) == ["holding:1", "input:2", "holding:3", "coil:4"]
    assert [row.tag.access for row in found.good if row.tag] == ["r", "r", "rw", "r"]
    found = table("Address;Name;Type", "Input registers;;", "1;A;U16", "Holding registers;;", "2;B;U16")
    assert addresses(found) == ["input:1", "holding:2"]
    assert [one.why for one in found.skipped] == [
        "a title; the rows below it are of the table input",
        "a title; the rows below it are of the table holding",
    ]


def test_that_contradicting_tables_are_a_problem() -> None:
    found = read_text("Address;FC;Name;Type\n40001;3;A;U16\n40002;3;B;U16\n40003;3;D;U16\n4x0004;4;C;U16\n")
    assert [problem.what for problem in found.problems] == ["Two tables"]


def test_that_unit_ids_come_from_their_column_or_from_what_was_said() -> None:
    found = table("Slave;Address;Name;Type", "3;1;A;U16", "4;2;B;U16", "300;3;C;U16")
    assert [row.tag.address for row in found.good if row.tag] == ["3/holding:1", "4/holding:2"]
    assert [problem.what for problem in found.problems] == ["No unit id"]
    assert addresses(read_text("Address;Name;Type\n0;A;U16\n", modbus(unit=7))) == ["7/holding:0"]


def test_that_orders_come_from_column_type_or_the_words_around() -> None:
    found = table("Address;Name;Type;Word order", "1;A;U32;big endian", "3;B;REAL;swapped", "5;C;U16;", "6;D;S32;Lo-Hi")
    assert addresses(found) == ["holding:1:uint32:ABCD", "holding:3:float32:CDAB", "holding:5", "holding:6:int32:CDAB"]
    assert addresses(table("Address;Name;Type", "1;A;FLOAT32 CDAB")) == ["holding:1:float32:CDAB"]
    found = table("Word order: low word first;;", "Address;Name;Type", "1;A;U32", "3;B;U16")
    assert addresses(found) == ["holding:1:uint32:CDAB", "holding:3"]
    assert found.notes == ("Byte order CDAB, as words beside the table say",)


def test_that_scale_unit_range_access_and_states_become_the_tags() -> None:
    found = table(
        "Address;Name;Type;Factor;Unit;Range;Access;Description",
        "1;A;S16;/10;°C;-40…150;R/W;Outside",
        "2;B;U16;;0.1 V;;RO;",
        "3;C;U16;;;0=off 1=on;RW;Mode",
        "4;D;U16;1;V x 10;;;",
        "5;E;U16;0,01;A;0-65535;R;",
    )
    one, two, three, four, five = tags(found)
    assert (one.gain, one.unit, one.low, one.high, one.access, one.description) == (0.1, "CEL", -40.0, 150.0, "rw", "Outside")
    assert (two.gain, two.unit) == (0.1, "VLT")
    assert three.enum == {"0": "off", "1": "on"}
    assert (four.gain, four.unit) == (0.1, "VLT")
    assert (five.gain, five.low, five.high) == (0.01, None, None)


def test_that_a_divisor_divides_and_two_scales_contradict() -> None:
    (tag,) = tags(table("Address;Name;Type;Divisor", "1;A;U16;100"))
    assert tag.gain == 0.01
    found = table("Address;Name;Type;Factor;Unit", "1;A;U16;0.01;0.1 V", "2;B;U16;0.1;V")
    assert [problem.what for problem in found.problems] == ["Two scales"]


def test_that_types_of_the_grammar_are_taken_and_others_are_errors_of_their_row() -> None:
    found = table("Address;Name;Type", "1;A;BCD32", "3;B;MOD10K48", "6;C;unix32", "8;D;FLOAT16", "9;E;BCD48", "10;F;EUI48")
    assert [row.tag.address for row in found.good if row.tag] == [
        "holding:1:bcd32",
        "holding:3:mod10k48",
        "holding:6:unix32",
        "holding:8:float16",
    ]
    assert [problem.where for problem in found.problems] == ["line 6, column address", "line 7, column type"]


def test_that_reserved_rows_repeated_headings_and_rests_are_skipped_with_the_reason() -> None:
    found = table(
        "Address;Name;Type;Description", "1;A;U16;First", ";;;goes on here", "2;Reserved;;", "Address;Name;Type;Description",
        "3;C;ENUM16;0=off",
        ";;;1=on", "4;;;",
    )  # fmt: skip
    one, two = tags(found)
    assert (one.description, two.enum) == ("First goes on here", {"0": "off", "1": "on"})
    assert [(one.place, one.why) for one in found.skipped] == [
        ("line 3", "goes on with line 2"), ("line 4", "reserved"), ("line 5", "the heading again"), ("line 7", "goes on with line 6"),
        ("line 8", "only an address"),
    ]  # fmt: skip


def test_that_overlapping_registers_are_marked_and_bits_of_one_register_are_not() -> None:
    found = table("Address;Name;Type", "1;A;U32", "2;B;U16", "5.0;C;BOOL", "5.1;D;BOOL", "5;E;U16", "7;F;U16", "7;G;U16")
    assert [row.marks for row in found.rows] == [(), ("overlaps line 2",), (), (), (), (), ("same address as line 7",)]


def test_that_text_that_looks_like_a_formula_stays_text() -> None:
    (tag,) = tags(table("Address;Name;Type;Description", '1;=HYPERLINK("x");U16;"@SUM(A1)+cmd|calc"'))
    assert tag.name == '=HYPERLINK("x")'
    assert tag.description == "@SUM(A1)+cmd|calc"
