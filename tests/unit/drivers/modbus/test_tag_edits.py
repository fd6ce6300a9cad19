from __future__ import annotations

import pytest

from app.drivers.modbus.address import parse
from app.drivers.modbus.tag_edits import order_of_unit, read_as, use_order, with_order
from app.edits import Editor
from app.edits.endpoints import add_endpoint, set_unit
from app.edits.tags import TagDraft, add_tags
from app.errors import UserError
from app.model.plant import Endpoint, Tag, Unit
from app.model.project import Project, ProjectInfo


@pytest.fixture
def editor() -> Editor:
    """One endpoint with unit 3, named and CDAB."""
    editor = Editor(Project(ProjectInfo(id="p", name="p")))
    editor.do(add_endpoint(editor.project, "meter", "modbus://10.0.0.5?unit=3"))
    editor.do(set_unit(editor.project, endpoint(editor), 3, name="main meter", order="CDAB"))
    return editor


def endpoint(editor: Editor) -> str:
    return next(iter(editor.project.all(Endpoint)))


def added(editor: Editor, *addresses: str) -> list[str]:
    editor.do(add_tags(editor.project, endpoint(editor), [TagDraft(address=address, name=address) for address in addresses]))
    return [editor.project.tags_at(endpoint(editor), address)[0].id for address in addresses]


@pytest.mark.parametrize(
    ("address", "order", "default", "text"),
    [
        ("holding:0:float32", "CDAB", "ABCD", "holding:0:float32:CDAB"),
        ("holding:0:float32", "CDAB", "CDAB", "holding:0:float32"),
        ("holding:0:int16", "CDAB", "ABCD", "holding:0:int16"),
        ("holding:0:int16", "DCBA", "ABCD", "holding:0:int16:DCBA"),
        ("holding:0:int16", "DCBA", "BADC", "holding:0:int16"),
        ("holding:0:str8", "CDAB", "ABCD", "holding:0:str8"),
        ("holding:0:ymdhms6", "CDAB", "ABCD", "holding:0:ymdhms6"),
        ("holding:0:ymdhms6", "BADC", "ABCD", "holding:0:ymdhms6:BADC"),
        ("holding:0:cp56", "CDAB", "ABCD", "holding:0:cp56:CDAB"),
    ],
)
def test_that_an_order_is_stated_only_where_it_makes_a_difference(address: str, order: str, default: str, text: str) -> None:
    assert str(with_order(parse(address), order, default)) == text


def test_that_another_reading_is_one_edit_and_states_no_order_that_the_unit_has(editor: Editor) -> None:
    (tag,) = added(editor, "3/holding:101:uint16:ABCD")
    edit = read_as(editor.project, tag, 3, offset=-1, type_="float32", order="CDAB", gain=0.1)
    editor.do(edit)
    held = editor.project.all(Tag)[tag]
    assert (held.address, held.type, held.gain) == ("3/holding:100:float32", "float32", 0.1)
    assert edit.name == "Read 3/holding:101:uint16:ABCD as float32 CDAB at 100"
    editor.do(read_as(editor.project, tag, 3, offset=0, type_="bcd32", order="ABCD", gain=1.0))
    assert editor.project.all(Tag)[tag].address == "3/holding:100:bcd32:ABCD"
    assert editor.project.all(Tag)[tag].type == "uint32"
    editor.undo()
    editor.undo()
    assert editor.project.all(Tag)[tag].address == "3/holding:101:uint16:ABCD"


def test_that_a_reading_beyond_the_last_register_is_refused(editor: Editor) -> None:
    (tag,) = added(editor, "3/holding:65535")
    with pytest.raises(UserError, match="go beyond the last one"):
        read_as(editor.project, tag, 3, offset=0, type_="float32", order="ABCD", gain=1.0)
    with pytest.raises(UserError, match="no such tag"):
        read_as(editor.project, "gone", 3, offset=0, type_="float32", order="ABCD", gain=1.0)


def test_that_the_order_of_a_unit_is_one_edit_and_keeps_its_name_and_other_tags(editor: Editor) -> None:
    mine, other = added(editor, "3/holding:100:float32:DCBA", "3/holding:102:float32:BADC")
    editor.do(use_order(editor.project, endpoint(editor), 3, "ABCD", [mine]))
    (unit,) = editor.project.all(Unit).values()
    assert (unit.name, unit.order) == ("main meter", "ABCD")
    assert order_of_unit(editor.project, endpoint(editor), 3) == "ABCD"
    assert editor.project.all(Tag)[mine].address == "3/holding:100:float32"
    assert editor.project.all(Tag)[other].address == "3/holding:102:float32:BADC"
    editor.undo()
    assert editor.project.all(Tag)[mine].address == "3/holding:100:float32:DCBA"
    assert order_of_unit(editor.project, endpoint(editor), 3) == "CDAB"
    assert order_of_unit(editor.project, endpoint(editor), 4) == "ABCD"
