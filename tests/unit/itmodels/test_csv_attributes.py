from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edits import Editor
from app.errors import CollectedError, UserError
from app.itmodels.base import edit_from_model
from app.itmodels.csv_attributes import read
from app.model.project import Project, ProjectInfo

HEAD = "type,attribute,data_type,unit,low,high,required,enum,description\n"


def rows(text: str, name: str = "pump.csv") -> list[dict[str, object]]:
    return [fields for draft in read(text.encode(), name).types for fields in draft.attributes]


def test_that_a_row_is_an_attribute() -> None:
    (fields,) = rows(HEAD + "Pump,flow,float32,l/min,0,120,yes,,At the outlet\n")
    assert fields == {
        "name": "flow", "data_type": "float32", "unit": "L2", "low": 0.0, "high": 120.0, "required": True, "enum": {},
        "description": "At the outlet",
    }  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_that_any_usual_delimiter_is_read_with_decimal_comma_where_it_can_be(delimiter: str) -> None:
    text = delimiter.join(["attribute", "low", "high"]) + "\n" + delimiter.join(["flow", "0" if delimiter == "," else "0,5", "120"]) + "\n"
    (fields,) = rows(text)
    assert fields["low"] == (0.0 if delimiter == "," else 0.5)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_that_files_of_a_spreadsheet_are_read_in_their_encodings(encoding: str) -> None:
    data = "attribute;unit;description\r\ntemp;°C;Kühlwasser\r\n".encode(encoding)
    (draft,) = read(data, "folder/Pumpe.csv").types
    assert draft.name == "Pumpe"
    assert draft.attributes[0]["unit"] == "CEL"
    assert draft.attributes[0]["description"] == "Kühlwasser"


def test_that_rows_without_a_type_belong_to_the_one_above() -> None:
    text = HEAD + "Pump,a,bool,,,,,,\n,b,bool,,,,,,\n\nMotor,a,bool,,,,,,\n"
    assert {draft.name: [fields["name"] for fields in draft.attributes] for draft in read(text.encode(), "x.csv").types} == {
        "Pump": ["a", "b"],
        "Motor": ["a"],
    }


def test_that_a_column_type_that_holds_data_types_is_taken_for_what_it_is() -> None:
    (fields,) = rows("name,type\nflow,REAL\n")
    assert fields["data_type"] == "float32"


@pytest.mark.parametrize(
    ("text", "data_type"),
    [
        ("REAL", "float32"),
        ("LREAL", "float64"),
        ("DINT", "int32"),
        ("Boolean", "bool"),
        ("int16[]", "int16[]"),
        ("", "float64"),
        ("text", "string"),
    ],
)
def test_that_words_of_other_tools_are_understood(text: str, data_type: str) -> None:
    assert rows(f"attribute,data_type\na,{text}\n")[0]["data_type"] == data_type


@pytest.mark.parametrize("text", ["0=CLOSED|1=OPEN", "CLOSED|OPEN", '"CLOSED,OPEN"', "CLOSED;OPEN"])
def test_that_enumerations_have_numbers_and_names(text: str) -> None:
    (fields,) = rows(f"attribute,enum\na,{text}\n")
    assert (fields["data_type"], fields["enum"]) == ("enum", {"0": "CLOSED", "1": "OPEN"})


def test_that_quoted_cells_may_hold_delimiters_and_line_breaks_and_lines_stay_right() -> None:
    text = 'attribute,low,description\na,,"one, two\nthree"\nb,x,\n'
    with pytest.raises(CollectedError) as refused:
        read(text.encode(), "x.csv")
    assert [problem.where for problem in refused.value.problems] == ["x.csv:4"]


def test_that_every_bad_row_is_reported_with_its_line_and_nothing_is_taken() -> None:
    text = (
        HEAD + "P,a,float33,,,,,,\nP,b,bool,,x,,,,\nP,,bool,,,,,,\nP,c,bool,,,,maybe,,\nP,d,bool,,,,,,\nP,d,bool,,,,,,\nP,e,,,,,,one=1,\n"
    )
    with pytest.raises(CollectedError) as refused:
        read(text.encode(), "x.csv")
    assert [problem.where for problem in refused.value.problems] == [f"x.csv:{line}" for line in (2, 3, 4, 5, 7, 8)]
    assert all(problem.fix for problem in refused.value.problems)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", HEAD])
def test_that_a_file_without_names_or_rows_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        read(text.encode(), "x.csv")


@pytest.mark.parametrize("number", ["nan", "inf", "1e999"])
def test_that_a_limit_that_no_project_can_hold_is_a_bad_row(number: str) -> None:
    with pytest.raises(CollectedError):
        read(f"attribute,low\na,{number}\n".encode(), "x.csv")


CELLS = st.sampled_from(["", "a", "b", "bool", "REAL", "0", "1,5", "yes", "0=A|1=B", "°C", '"', "\x00", "nan", "=1", "x[]"])


@given(st.lists(st.lists(CELLS, max_size=9), max_size=6), st.sampled_from([",", ";", "\t"]))
def test_that_any_table_is_read_into_a_model_that_a_project_can_hold_or_refused(table: list[list[str]], delimiter: str) -> None:
    text = HEAD.replace(",", delimiter) + "\n".join(delimiter.join(row) for row in table)
    project = Project(ProjectInfo(id="p", name="P"))
    try:
        Editor(project).do(edit_from_model(project, read(text.encode(), "x.csv"), "x.csv"))
    except UserError:
        assert list(project.elements()) == [project.info]


@given(st.binary(max_size=300))
def test_that_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(UserError):
        read(data, "x.csv")
