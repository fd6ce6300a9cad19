"""Whatever is given as a list: it is one, or a UserError says why not."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import UserError
from app.taglists import formats, suffixes
from app.taglists.reading import interpret, read_list, read_source
from app.taglists.spreadsheet import text_of
from tests.unit.taglists.lists import MODBUS, OPCUA

WORDS = (
    "Address;Name;Type;Scale;Unit;R/W;Description;40001;100-101;0x64;4x1;U16;FLOAT;BIT 3;0.1;/10;kWh;R;=1"
    "+1;@x;-;Reserved;0=off 1=on;Input registers;1e400;\u0000;�"
)
cells = st.one_of(st.sampled_from(WORDS.split(";")), st.text(max_size=12))
tables = st.lists(st.lists(cells, max_size=8), max_size=12)


@settings(max_examples=120, deadline=None)
@given(tables, st.sampled_from([";", ",", "\t", "|", " "]), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_that_any_cells_are_a_list_or_a_user_error(rows: list[list[str]], delimiter: str, encoding: str) -> None:
    data = "\n".join(delimiter.join(row) for row in rows).encode(encoding, "replace")
    for context in (MODBUS, OPCUA):
        try:
            found = read_list(data, "", context)
        except UserError:
            continue
        for row in found.rows:
            assert (row.tag is None) == bool(row.problems)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["", "a.csv", "a.xlsx", "a.txt", "a.html"]))
def test_that_any_bytes_are_a_list_or_a_user_error_in_every_form(data: bytes, name: str) -> None:
    for form in ["", *formats()]:
        try:
            interpret(read_source(data, name, form=form), MODBUS)
        except UserError:
            continue


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60),
    st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]),
)
def test_that_a_byte_order_mark_tells_the_encoding(text: str, encoding: str) -> None:
    assert text_of(text.encode(encoding)) == text


def test_that_utf_16_without_a_mark_is_known_by_its_zeros() -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        assert text_of("Address;Name;Größe".encode(encoding)) == "Address;Name;Größe"


def test_that_files_that_are_lists_are_known_by_their_suffixes() -> None:
    assert {".csv", ".tsv", ".xlsx", ".txt", ".html"} <= set(suffixes())


def test_that_a_zip_that_is_no_workbook_says_so() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", "Address;Name")
    with pytest.raises(UserError, match="no Excel workbook"):
        read_source(out.getvalue(), "a.zip")
