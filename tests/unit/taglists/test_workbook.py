from __future__ import annotations

import contextlib
import io
import re
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from app.errors import UserError
from app.taglists import workbook
from app.taglists.reading import interpret, read_list, read_source
from tests.unit.taglists.lists import modbus, tags


def first_sheet(book: Workbook) -> Worksheet:
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    return sheet


def saved(build: Callable[[Workbook], None]) -> bytes:
    book = Workbook()
    build(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def changed(data: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """A workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, change(text.decode()).encode() if name == part else text)
    return out.getvalue()


ROWS = [("Register", "Name", "Type", "Scale", "Unit"), (40001, "Voltage", "U16", 0.1, "V"), (40002, "Current", "S16", 0.01, "A")]


def simple(book: Workbook) -> None:
    for row in ROWS:
        first_sheet(book).append(list(row))


def test_that_a_workbook_is_read_with_numbers_as_a_person_sees_them() -> None:
    one, two = tags(read_list(saved(simple), "map.xlsx", modbus()))
    assert (one.address, one.name, one.gain, one.unit) == ("holding:0", "Voltage", 0.1, "VLT")
    assert (two.address, two.type) == ("holding:1:int16", "int16")


def test_that_every_visible_sheet_is_read_and_its_title_may_name_the_table() -> None:
    def build(book: Workbook) -> None:
        first_sheet(book).title = "Cover"
        first_sheet(book).append(["Maker", "ACME"])
        for title, name in (("Input registers", "A"), ("Holding registers", "B")):
            sheet = book.create_sheet(title)
            sheet.append(["Address", "Name", "Type"])
            sheet.append([0, name, "U16"])
        hidden = book.create_sheet("Old")
        hidden.append(["Address", "Name", "Type"])
        hidden.sheet_state = "hidden"

    source = read_source(saved(build), "map.xlsx")
    found = interpret(source, modbus())
    assert sorted(row.tag.address for row in found.good if row.tag) == ["holding:0", "input:0"]
    assert {(one.place, one.why) for one in found.skipped} >= {("Cover", "no column of addresses"), ("Old", "a hidden sheet")}
    assert found.rows[0].place.endswith("row 2")


def test_that_merged_cells_count_for_all_they_cover() -> None:
    def build(book: Workbook) -> None:
        sheet = first_sheet(book)
        for row in (
            ["Register map"],
            ["Address", "Measured value", None, "FC"],
            [None, "Name", "Type", None],
            [0, "A", "U16", 4],
            [1, "B", "U16", None],
        ):
            sheet.append(row)
        for area in ("A1:D1", "B2:C2", "D2:D3", "A2:A3", "D4:D5"):
            sheet.merge_cells(area)

    one, two = tags(read_list(saved(build), "map.xlsx", modbus()))
    assert (one.address, one.name) == ("input:0", "A")
    assert (two.address, two.name) == ("input:1", "B")


def test_that_formulas_count_by_their_value_and_one_without_is_a_problem_of_its_row() -> None:
    def build(book: Workbook) -> None:
        simple(book)
        first_sheet(book)["A3"] = "=A2+1"

    data = saved(build)
    found = read_list(data, "map.xlsx", modbus())
    assert [(problem.what, problem.where) for problem in found.problems if problem.what == "No value"] == [("No value", "cell A3")]
    part = "xl/worksheets/sheet1.xml"
    valued = changed(data, part, lambda text: re.sub(r"(<f>A2\+1</f>)<v\s*/>|(<f>A2\+1</f>)<v></v>", r"<f>A2+1</f><v>40002</v>", text))
    assert [tag.address for tag in tags(read_list(valued, "map.xlsx", modbus()))] == ["holding:0", "holding:1:int16"]


def test_that_dates_which_a_spreadsheet_made_of_fractions_are_problems() -> None:
    import datetime as dt

    def build(book: Workbook) -> None:
        simple(book)
        first_sheet(book)["D2"] = dt.datetime(2026, 1, 10)  # noqa: DTZ001  as a spreadsheet has it

    found = read_list(saved(build), "map.xlsx", modbus())
    assert [problem.where for problem in found.problems if problem.what == "No value"] == ["cell D2"]


def test_that_leading_zeros_of_a_number_format_are_kept() -> None:
    def build(book: Workbook) -> None:
        for row in (["Address", "Name", "Type"], [1, "Run", "BOOL"], [40001, "Speed", "U16"]):
            first_sheet(book).append(list(row))
        first_sheet(book)["A2"].number_format = "00000"

    assert [tag.address for tag in tags(read_list(saved(build), "map.xlsx", modbus()))] == ["coil:0", "holding:0"]


def test_that_a_formula_text_in_a_text_cell_stays_text() -> None:
    def build(book: Workbook) -> None:
        simple(book)
        cell = first_sheet(book)["B2"]
        cell.value = "=1+1"
        cell.data_type = "s"

    one, _ = tags(read_list(saved(build), "map.xlsx", modbus()))
    assert one.name == "=1+1"


def test_that_bombs_and_what_is_no_workbook_are_refused_before_they_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(simple)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("[Content_Types].xml", "")
        bomb.writestr("xl/worksheets/sheet1.xml", b"0" * (8 * 2**20))
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("xl/a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("xl/a", "2")
    for content, why in (
        (out.getvalue(), "unpacks to far more"), (plain.getvalue(), "no Excel workbook"), (twice.getvalue(), "a part twice"),
        (data[:300], "damaged"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old .xls"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=why):
            workbook.read(content)
    monkeypatch.setattr(workbook, "MAX_FILE", 100)
    with pytest.raises(UserError, match="the limit is 100"):
        workbook.read(data)
    monkeypatch.setattr(workbook, "MAX_FILE", 10**6)
    monkeypatch.setattr(workbook, "MAX_UNPACKED", 1000)
    with pytest.raises(UserError, match="unpacked it would have"):
        workbook.read(data)


def test_that_entities_and_claims_of_size_do_no_harm() -> None:
    part = "xl/worksheets/sheet1.xml"
    huge = changed(saved(simple), part, lambda text: re.sub(r'<dimension ref="[^"]*"', '<dimension ref="A1:XFD1048576"', text))
    assert len(tags(read_list(huge, "map.xlsx", modbus()))) == 2
    laughs = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    entity = changed(saved(simple), part, lambda text: laughs + text)
    found = b""
    with contextlib.suppress(UserError):
        found = repr(workbook.read(entity)).encode()
    assert len(found) < 10_000


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 4000))
def test_that_a_mutated_workbook_is_a_list_or_a_user_error(garbage: bytes, at: int) -> None:
    data = saved(simple)
    mutated = data[:at] + garbage + data[at + len(garbage) :]
    with contextlib.suppress(UserError):
        read_list(mutated, "map.xlsx", modbus())
