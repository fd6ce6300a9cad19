from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import UserError
from app.taglists import pdf_text
from app.taglists.base import TagList
from app.taglists.reading import read_list, read_source
from tests.unit.taglists.lists import modbus, tags
from tests.unit.taglists.pdf_map import PATH, ROWS, Map, register_map


def agrees(found: TagList, map_: Map) -> None:
    """Every good row is as the truth says, every bad one is named, nothing else came of the text."""
    got = {row.tag.address: row.tag for row in found.good if row.tag is not None}
    assert got.keys() == {truth.address for truth in map_.good}
    for truth in map_.good:
        tag = got[truth.address]
        have = (tag.name, tag.type, tag.gain, tag.unit, tag.access, tag.description, dict(tag.enum))
        assert have == (truth.name, truth.type, truth.gain, truth.unit, truth.access, truth.description, truth.enum)
    bad = {dict(row.cells)["address"]: row for row in found.rows if row.tag is None}
    assert bad.keys() == map_.bad.keys()
    for address, word in map_.bad.items():
        assert any(word in problem.what.lower() + problem.where for problem in bad[address].problems), bad[address].problems
    assert {one.text.split()[0] for one in found.skipped if one.why == "reserved"} == set(map_.reserved)


def test_that_600_rows_of_a_pdf_go_in_as_they_are_and_bad_ones_are_named() -> None:
    text = PATH.read_text(encoding="utf-8")
    map_ = register_map()
    assert text == map_.text, "run python -m tests.unit.taglists.pdf_map"
    assert len(map_.good) + len(map_.bad) == ROWS
    assert len(map_.bad) == 14
    assert any(line.endswith("-") for line in text.splitlines()), "words are cut"
    source = read_source(text.encode(), "map.txt")
    assert source.form.key == "pdf"
    found = read_list(text.encode(), "map.txt", modbus())
    agrees(found, map_)
    assert (found.numbering.style, found.numbering.base) == ("modicon", 1)


@pytest.mark.parametrize(("seed", "form", "heading"), [(1, "plain", True), (2, "hex", True), (3, "modicon", False), (4, "plain", False)])
def test_that_other_forms_of_addresses_and_a_missing_heading_are_understood(seed: int, form: str, heading: bool) -> None:
    map_ = register_map(seed, 90, form=form, **({} if heading else {"heading": ""}))
    found = read_list(map_.text.encode(), "", modbus(base=None if form == "modicon" else 0))
    agrees(found, map_)


def test_that_names_may_stand_before_the_address() -> None:
    text = (
        "Name Address Type Unit Access Description\nVoltage phase L1 100 UINT16 V R Between L1 and the neu-\ntral conductor\n"
        "Voltage phase L2 101 UINT16 V R Same, second phase\nActive power 102-103 INT32 W R/W Of all\nphases\n"
    )
    found = read_list(text.encode(), "", modbus(base=0))
    assert [(tag.name, tag.address, tag.description) for tag in tags(found)] == [
        ("Voltage phase L1", "holding:100", "Between L1 and the neutral conductor"),
        ("Voltage phase L2", "holding:101", "Same, second phase"),
        ("Active power", "holding:102:int32", "Of all phases"),
    ]


def test_that_a_compound_keeps_its_hyphen_where_the_text_has_it_elsewhere() -> None:
    text = (
        "Register Name Type Description\n40001 A U16 phase-to-neutral value\n40002 B U16 another phase-\nto-neutral value\n"
        "40003 C U16 a tem-\nperature\n"
    )
    assert [tag.description for tag in tags(read_list(text.encode(), "", modbus()))] == [
        "phase-to-neutral value", "another phase-to-neutral value", "a temperature",
    ]  # fmt: skip


def test_that_titles_notes_and_page_furniture_are_skipped_with_the_reason() -> None:
    text = (
        "ACME PM5\n2.1 Input registers\nRegister Name Type Unit\n1 Voltage U16 V\nNote: not in version 1,\nsee 12.\nPage 1 of 2\nACME PM5\n"
        "Register Name Type Unit\n2 Current U16 A\nPage 2 of 2\n"
    )
    found = read_list(text.encode(), "", modbus(base=0))
    assert [tag.address for tag in tags(found)] == ["input:1", "input:2"]
    whys = {one.place: one.why for one in found.skipped}
    assert whys["line 5"] == "a note"
    assert whys["line 6"] == "text between rows"
    assert whys["line 7"] == whys["line 11"] == "header or footer of a page"
    assert whys["line 9"] == "the heading again"
    assert whys["line 2"] == "a title; the rows below it are of the table input"


def test_that_text_without_any_row_is_refused() -> None:
    with pytest.raises(UserError, match="no line begins like a row"):
        pdf_text.read(b"just some words\nand more of them")
    with pytest.raises(UserError, match="copy them"):
        read_list(b"%PDF-1.7 binary", "map.pdf", modbus())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "40001",
                "40002",
                "100-101",
                "0x10",
                "U16",
                "FLOAT",
                "V",
                "kW",
                "R",
                "R/W",
                "Name",
                "Register",
                "Type",
                "Page",
                "1",
                "of",
                "2",
                "-",
                "0.1",
                "\n",
                "\n",
                "\x0c",
                "Note:",
                "é",
            ]
        ),
        max_size=60,
    )
)
def test_that_any_words_are_a_table_or_a_user_error(words: list[str]) -> None:
    try:
        read_list(" ".join(words).encode(), "", modbus())
    except UserError:
        return
