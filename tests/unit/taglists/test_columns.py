from __future__ import annotations

import pytest

from app.errors import UserError
from app.taglists.columns import Layout, header_score, recognise
from app.taglists.corrections import named, remember, remembered
from app.taglists.reading import read_source
from app.taglists.words import Meaning
from tests.unit.taglists.lists import modbus, read_text, tags


def layout_of(text: str) -> Layout:
    return read_source(text.encode()).layouts[0]


class Memory(dict[str, str]):
    def state(self, name: str) -> str:
        return self.get(name, "")

    def set_state(self, name: str, text: str) -> None:
        self[name] = text


ENGLISH = (
    "Register;Name;Data type;Scale;Unit;R/W;Description\n100;Voltage;U16;0.1;V;R;Between L1 and N\n101;Current;S16;0.01;A;R;Of phase L1\n"
)
GERMAN = (
    "Adresse;Bezeichnung;Datentyp;Faktor;Einheit;Zugriff;Beschreibung\n"
    "100;Spannung;U16;0,1;V;R;Zwischen L1 und N\n101;Strom;S16;0,01;A;R;Von L1\n"
)
MEANINGS: tuple[Meaning, ...] = ("address", "name", "type", "gain", "unit", "access", "description")


@pytest.mark.parametrize("text", [ENGLISH, GERMAN, "Maker: ACME;;;;;;\nDevice PM5;;;;;;\n\n" + ENGLISH])
def test_that_columns_are_recognised_by_their_headings(text: str) -> None:
    assert layout_of(text).meanings == MEANINGS


@pytest.mark.parametrize(
    ("heading", "cells", "meaning"),
    [
        ("Function code", ("03", "04"), "function"), ("FC", ("3", "3"), "function"), ("Funktionscode", ("3, 16", "4"), "function"),
        ("Quantity of registers", ("2", "1"), "length"), ("Size [words]", ("2", "1"), "length"), ("Anzahl Register", ("2", "1"), "length"),
        ("Unit id", ("3", "4"), "unit_id"), ("Slave", ("3", "4"), "unit_id"), ("Multiplier", ("0.1", "1"), "gain"), ("Divisor", ("10",
        "100"), "divisor"),
        ("Byte order", ("CDAB", "ABCD"), "order"), ("Wertebereich", ("0-100", "0…10"), "range"), ("Bit", ("3", "4"), "bit"),
        ("Register type", ("holding", "input"), "table"), ("Min", ("0", "1"), "low"), ("Colour", ("red", "blue"), ""),
    ],
)  # fmt: skip
def test_that_the_less_usual_columns_are_recognised_too(heading: str, cells: tuple[str, str], meaning: str) -> None:
    found = layout_of(f"Address;Name;Type;{heading}\n100;Voltage;U16;{cells[0]}\n102;Current;U16;{cells[1]}\n")
    assert found.meanings[3] == meaning


def test_that_content_speaks_against_a_heading_that_cannot_be_true() -> None:
    found = layout_of("Device;Register;Offset;Name;Data type\nPM5;40001;0;Voltage;U16\nPM5;40002;-5;Current;U16\n")
    assert found.meanings == ("", "address", "offset", "name", "type")


def test_that_an_offset_is_the_address_where_there_is_no_other() -> None:
    assert layout_of("Offset;Signal;Format\n0;Voltage;REAL\n2;Current;REAL\n").meanings == ("address", "name", "type")


def test_that_headings_in_two_rows_with_merged_cells_are_one() -> None:
    found = layout_of("Register;;Measured value;\nDec;Hex;Name;Type\n100;0x64;Voltage;U16\n101;0x65;Current;U16\n")
    assert found.first == 2
    assert "name" in found.meanings
    assert "type" in found.meanings
    assert found.column("address") in (0, 1)


def test_that_columns_without_headings_are_recognised_by_content() -> None:
    found = layout_of("40001\tVoltage of phase L1\tUINT16\tV\tR\n40002\tCurrent of phase L1\tINT16\tA\tR\n")
    assert found.meanings == ("address", "name", "type", "unit", "access")
    assert found.key == ""


def test_that_a_correction_moves_a_meaning_and_is_remembered_for_the_same_headings_only() -> None:
    memory = Memory()
    text = "Reg;Index;Item text;Kind of data\n100;1;Voltage;U16\n102;2;Current;U16\n"
    source = read_source(text.encode(), memory=memory)
    fixed = named(source.layouts[0], {"address": "Index", "description": "Item text", "name": ""})
    assert fixed.meanings == ("", "address", "description", "type")
    remember(memory, fixed)
    again = read_source(text.replace("100", "200").encode(), memory=memory).layouts[0]
    assert again.meanings == fixed.meanings
    assert again.corrected
    other = read_source(text.replace("Index", "Number").encode(), memory=memory).layouts[0]
    assert not other.corrected


def test_that_a_layout_as_it_was_recognised_is_not_kept_and_a_broken_memory_does_no_harm() -> None:
    memory = Memory()
    found = layout_of(ENGLISH)
    remember(memory, found)
    assert not memory
    for text in ("[", "[1]", '["address"]', '["address","address","","","","",""]', '{"a":1}'):
        memory.set_state("tags.columns." + found.key, text)
        assert remembered(memory, found) == found


def test_that_columns_are_named_by_heading_number_or_letter() -> None:
    found = layout_of(ENGLISH)
    assert named(found, {"address": "name"}).column("address") == 1
    assert named(found, {"address": "2"}).column("address") == 1
    assert named(found, {"address": "B"}).column("address") == 1
    with pytest.raises(UserError, match="Register"):
        named(found, {"address": "nothing"})
    with pytest.raises(UserError, match="function, unit_id"):
        named(found, {"adress": "A"})


def test_that_a_row_of_values_is_no_heading() -> None:
    assert header_score(["100", "Voltage", "0.1", "230"]) < 1.5
    assert recognise(read_source(b"100;Voltage;U16\n102;Current;U16").tables[0]).first == 0


def test_that_two_descriptions_are_a_name_and_a_description() -> None:
    (tag,) = tags(read_text("Register;Description;Type;Remarks\n0;Voltage L1;U16;of the mains\n"))
    assert (tag.name, tag.description) == ("Voltage L1", "of the mains")


def test_that_columns_that_were_not_used_are_told() -> None:
    assert read_text("Register;Name;Type;Colour\n0;Voltage;U16;red\n").ignored == ("Colour",)


def test_that_cells_beyond_the_last_heading_are_told_of() -> None:
    found = read_text("Register;Name\n0;A\n1;B;stray\n2;C\n3;D\n", modbus())
    assert [problem.what for problem in found.problems] == ["Too many cells"]
