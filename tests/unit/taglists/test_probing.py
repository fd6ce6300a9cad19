from __future__ import annotations

import struct

from app.drivers import specs
from app.drivers.modbus.address import parse
from app.model.values import Quality, Sample, Value
from app.taglists.probing import at_base, items_of, telling_rows, verdict
from tests.unit.taglists.lists import read_text

LIST = (
    "Address;Name;Type;Scale;Unit;Range;States\n100;Voltage;REAL;1;V;0-300;\n102;Flag;BIT 0;;;;\n120;Mode;U16;;;;1=auto 2=manual\n"
    "140;Serial;STRING(8);;;;\n160;Level;U16;0.1;%;0-100;\n"
)
STATUS = specs()["modbus"].status_text


def sample(value: Value, status: int = 0) -> Sample:
    quality = Quality.BAD if value is None else Quality.GOOD
    return Sample(value, "", quality, status, None, None, 0)


def test_that_the_rows_with_the_most_telling_values_are_chosen_once_per_place() -> None:
    found = read_text(LIST)
    tellings = telling_rows(found.rows, found.numbering)
    assert [telling.row.tag.name for telling in tellings if telling.row.tag] == ["Voltage", "Serial", "Mode"]
    assert tellings[0].addresses == ("holding:100:float32", "holding:99:float32")
    assert [item.address for item in items_of(tellings)][:2] == ["holding:100:float32", "holding:99:float32"]


def test_that_an_address_moves_by_the_difference_of_the_bases_and_stays_within_the_registers() -> None:
    assert at_base("3/holding:100:float32:CDAB", used=0, wanted=1) == "3/holding:99:float32:CDAB"
    assert at_base("holding:99", used=1, wanted=0) == "holding:100"
    assert at_base("holding:0", used=0, wanted=1) == ""
    assert at_base("holding:65534:uint32", used=1, wanted=0) == ""


def told(*values: Value) -> tuple[int | None, str]:
    found = read_text(LIST)
    tellings = telling_rows(found.rows, found.numbering)
    result = verdict(tellings, [sample(value, 2 if value is None else 0) for value in values], STATUS)
    return result.base, result.why


def test_that_values_in_range_tell_the_base_and_why() -> None:
    base, why = told(230.1, 4.6e-41, "SN-12345", "\x01\xff", 1, 4711)
    assert base == 0
    assert why.startswith("Base 0 is plausible: ")
    assert told(None, 229.8, None, "SN-12345", None, 2)[0] == 1


def test_that_a_high_word_beside_its_neighbours_low_one_is_not_taken_for_the_right_base() -> None:
    low, high, next_low = struct.pack(">f", 229.472)[2:], struct.pack(">f", 229.472)[:2], struct.pack(">f", 228.735)[2:]
    at_0, at_1 = (struct.unpack(">f", words)[0] for words in (high + next_low, low + high))
    found = read_text("Address;Name;Type;Unit\n100;Voltage L1;FLOAT32;V\n")
    result = verdict(telling_rows(found.rows, found.numbering), [sample(at_0), sample(at_1)], STATUS)
    assert result.base is None
    assert "base 1 fits as well with the words swapped (CDAB): Voltage L1 is 229." in result.why
    assert "or 229.472 V" in result.why


def test_that_values_which_do_not_tell_are_said_to() -> None:
    assert told(None, None, None, None, None, None) == (None, "The device refuses these registers at either base: check unit id and table")
    base, why = told(230.0, 231.0, "SN-12345", "N-123456", 1, 2)
    assert base is None
    assert "do not tell" in why


def test_that_a_row_at_the_first_register_is_read_at_one_base_only() -> None:
    found = read_text("Address;Name;Type;Unit\n0;Voltage;REAL;V\n20;Current;REAL;A\n")
    tellings = telling_rows(found.rows, found.numbering)
    items = items_of(tellings)
    assert sum(parse(item.address).address == 0 for item in items) == 1
    assert len(items) == 3
    result = verdict(tellings, [sample(value) for value in (230.0, 5.0, 5.1)], STATUS)
    texts = {row.tag.name: (zero.text, one.text) for row, zero, one in result.rows if row.tag}
    assert texts["Voltage"] == ("230 V", "no such register")


def test_that_nothing_is_probed_where_there_are_only_bits() -> None:
    found = read_text("Address;Name;Type\n10.0;A;BOOL\n4x11.1;B;BOOL\n")
    assert telling_rows(found.rows, found.numbering) == []
    assert verdict([], [], STATUS).base is None
