from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers import specs
from app.edits import Editor
from app.edits.tags import TagDraft
from app.errors import UserError
from app.model.plant import Endpoint, Group
from app.model.project import Project, ProjectInfo
from app.taglists import formats
from app.taglists.base import Context, TagList, edit_from_rows
from app.taglists.columns import OWN as COLUMNS
from app.taglists.own_csv import write
from app.taglists.reading import read_list

MODBUS = Context(specs()["modbus"])
OPCUA = Context(specs()["opcua"], ("http://opcfoundation.org/UA/", "urn:plant"))
HEADER = ",".join(COLUMNS)


def drafts(found: TagList) -> list[TagDraft]:
    assert found.problems == []
    return [row.tag for row in found.rows if row.tag is not None]


def read(data: bytes, context: Context) -> TagList:
    return read_list(data, "", context)


def read_text(text: str, context: Context = MODBUS) -> TagList:
    return read(text.encode(), context)


def test_that_the_format_is_found() -> None:
    assert ".csv" in formats()["csv"].suffixes
    assert {"csv", "xlsx", "html", "pdf", "kepware"} <= formats().keys()


def test_that_a_row_becomes_a_tag_with_type_and_order_in_its_address() -> None:
    (tag,) = drafts(read_text(HEADER + "\nFlow,3/holding:100,float32,CDAB,0.1,-5,m³/h,Filler flow,rw\n"))
    assert tag == TagDraft(
        name="Flow",
        address="3/holding:100:float32:CDAB",
        type="float32",
        gain=0.1,
        offset=-5.0,
        unit="MQH",
        description="Filler flow",
        access="rw",
    )


def test_that_for_opc_ua_the_type_is_the_tags() -> None:
    (tag,) = drafts(read_text("Address,Data type,Name\nns=1;s=Flow,float32,Flow\n", OPCUA))
    assert tag == TagDraft(address="nsu=urn:plant;s=Flow", name="Flow", type="float32")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_that_delimiters_encodings_and_line_ends_are_recognised(delimiter: str, encoding: str, newline: str) -> None:
    cells = [["Order", "Address", "Xyzzy", "TYPE", "Factor", "Comment"], ["CDAB", "holding:7", "x", "int32", '"0,5"', "Größe in °C"]]
    text = newline.join(delimiter.join(row) for row in cells) + newline * 3
    found = read(text.encode(encoding), MODBUS)
    (tag,) = drafts(found)
    assert (tag.address, tag.gain, tag.description, tag.name) == ("holding:7:int32:CDAB", 0.5, "", "Größe in °C")
    assert found.ignored == ("Xyzzy",)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("Level\tholding:5\tint16\nTemp\tholding:6", ["holding:5:int16", "holding:6"]),
        ("holding:5\nholding:6:float32\n", ["holding:5", "holding:6:float32"]),
        ("Zero,holding:5\nMode,coil:1", ["holding:5", "coil:1"]),
        ("Level;holding:5;;;0,1", ["holding:5"]),
    ],
)
def test_that_rows_pasted_without_a_header_have_the_columns_in_order(text: str, addresses: list[str]) -> None:
    assert [tag.address for tag in drafts(read_text(text))] == addresses


def test_that_a_semicolon_inside_an_address_is_no_delimiter() -> None:
    found = read_text("Flow,nsu=urn:plant;s=Line.Flow,float64\nTemp,nsu=urn:plant;i=7,", OPCUA)
    assert [(tag.name, tag.address, tag.type) for tag in drafts(found)] == [
        ("Flow", "nsu=urn:plant;s=Line.Flow", "float64"),
        ("Temp", "nsu=urn:plant;i=7", ""),
    ]


def test_that_other_names_of_columns_are_understood_and_our_own_come_first() -> None:
    found = read_text("id,Tag Name,ADDRESS,Byte-Order,Scale,EU,R/W\n17,Flow,holding:1:float32,cdab,2,kW,RO")
    (tag,) = drafts(found)
    assert (tag.name, tag.address, tag.gain, tag.unit, tag.access) == ("Flow", "holding:1:float32:CDAB", 2.0, "KWT", "r")
    assert found.ignored == ("id",)


def test_that_modicon_addresses_are_read_where_the_list_has_them() -> None:
    (tag,) = drafts(read(b"address,type\n40101,float32", Context(specs()["modbus"], (), "modicon")))
    assert tag.address == "holding:100:float32"


def test_that_every_problem_of_every_row_is_told_with_line_and_column_and_good_rows_are_taken() -> None:
    lines = [
        HEADER,
        "A,holding:1,float32,,,,,,",
        "B,holding:x,,,abc,1.234,,,maybe",
        "",
        'C,,,,,,,"two',
        'lines",',
        "D,holding:2,real,,0,1e400,,,",
        "E,holding:3:int16,int32,,,,,,",
        "F,holding:4,,,,,,,,surplus",
        "G,holding:9,,,,,,,r",
    ]
    found = read_text("\n".join(lines))
    assert [row.tag.name for row in found.good if row.tag] == ["A", "G"]
    assert [(problem.where, problem.what) for problem in found.problems] == [
        ("line 3, column address", "Not an address"),
        ("line 3, column gain", "Not a number"),
        ("line 3, column access", "Unknown access"),
        ("line 5, column address", "No address"),
        ("line 7, column gain", "A gain of 0"),
        ("line 7, column offset", "Not a number"),
        ("line 8, column address", "Two types"),
        ("line 9", "Too many cells"),
    ]
    assert dict(found.rows[1].cells)["gain"] == "abc"


def test_that_opc_ua_has_no_order_and_only_known_types() -> None:
    found = read_text("address,type,order\nnsu=urn:plant;i=1,double,CDAB\nnsu=urn:plant;i=2,float32[],", OPCUA)
    assert [problem.where for problem in found.problems] == ["line 2, column order", "line 2, column type"]
    assert [row.tag.type for row in found.good if row.tag] == ["float32[]"]


def test_that_a_repeated_name_or_address_is_marked_and_usable() -> None:
    found = read_text("name,address\nA,holding:1\nB,holding:1\nA,holding:2\nA,holding:1")
    assert [row.marks for row in found.rows] == [
        (),
        ("same address as line 2",),
        ("same name as line 2",),
        ("same name as line 2", "same address as line 2"),
    ]
    assert len(found.good) == 4


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is empty"),
        (b"\xef\xbb\xbf\r\n;;;\r\n", "it is empty"),
        (b"name,unit\nFlow,kW", 'no column "address"'),
        (b"PK\x03\x04\0\0\0", "workbook"),
        (b'name,address\nA,"' + b"x" * 200_000, "field larger"),
    ],
)
def test_that_what_is_no_list_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(UserError, match=why):
        read(data, MODBUS)


def test_that_a_list_without_any_address_has_only_problems() -> None:
    found = read_text("just some words\nand more of them")
    assert found.good == []
    assert len(found.problems) == 2


texts = st.text(st.characters(codec="utf-8"), max_size=20).map(str.strip)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def tags(draw: st.DrawFn) -> TagDraft:
    address = draw(st.sampled_from(["holding:1:float32:CDAB", "3/coil:7", "input:9", "holding:4.3", "holding:8:str9"]))
    return TagDraft(
        name=draw(texts.filter(bool)),
        address=address,
        type=MODBUS.spec.type_of(address),
        gain=draw(numbers.filter(bool)),
        offset=draw(numbers),
        unit=draw(st.sampled_from(["", "KWT", "MQH", "CEL", "P1", "D46", "VA", "no such unit"])),
        description=draw(texts),
        access=draw(st.sampled_from(["r", "rw", "w"])),
    )


@given(st.lists(tags(), min_size=1, max_size=8))
def test_that_what_is_written_reads_back(some: list[TagDraft]) -> None:
    assert drafts(read(write(some), MODBUS)) == some


@given(st.lists(st.builds(TagDraft, name=st.text(), address=st.text(), description=st.text(), unit=st.text()), max_size=5))
def test_that_no_written_cell_is_active_in_a_spreadsheet(some: list[TagDraft]) -> None:
    import csv
    import io

    rows = list(csv.reader(io.StringIO(write(some).decode("utf-8-sig"), newline="")))
    assert len(rows) == len(some) + 1
    for row in rows:
        for column, cell in zip(COLUMNS, row, strict=True):
            assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n", "\0") or (column in ("gain", "offset") and float(cell) < 0)


@given(st.binary(max_size=300))
def test_that_any_bytes_are_a_list_or_a_user_error(data: bytes) -> None:
    for context in (MODBUS, OPCUA):
        try:
            found = read(data, context)
        except UserError:
            continue
        assert all((row.tag is None) == bool(row.problems) for row in found.rows)


def test_that_importing_is_one_named_edit_and_importing_twice_adds_nothing() -> None:
    plant = Endpoint(id="plant-aaaaaa", name="plant", addresses={"default": "modbus://plc"})
    editor = Editor(Project(ProjectInfo(id="project-aaaaaa"), [plant, Group(id="fast-aaaaaa", name="fast")]))
    found = read_text("name,address\n" + "".join(f"T{n},holding:{n}\n" for n in range(12)) + "bad,x\nT1,holding:1\n")
    edit = edit_from_rows(editor.project, plant.id, found.rows, "fast-aaaaaa")
    assert edit.name == "Import 12 tags"
    editor.do(edit)
    assert sorted(tag.address for tag in editor.project.tags_of(plant.id)) == sorted(f"holding:{n}" for n in range(12))
    assert {tag.group for tag in editor.project.tags_of(plant.id)} == {"fast-aaaaaa"}
    assert edit_from_rows(editor.project, plant.id, found.rows).changes == ()
    editor.undo()
    assert editor.project.tags_of(plant.id) == []
    with pytest.raises(UserError, match="no such endpoint"):
        edit_from_rows(editor.project, "nothing", found.rows)
    with pytest.raises(UserError, match="no such group"):
        edit_from_rows(editor.project, plant.id, found.rows, "slow")
