from __future__ import annotations

import pytest

from app.edits import Editor
from app.edits.endpoints import set_unit
from app.edits.tags import TagDraft, add_tags
from app.errors import UserError
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Project, ProjectInfo
from app.taglists.compare import compare, edit_of
from tests.unit.taglists.lists import modbus, read_text

METER = Endpoint(id="meter-aaaaaa", name="meter", addresses={"default": "modbus://plc?unit=3"})
HEAD = "Address;Name;Type;Scale;Unit\n"
FIRST = HEAD + "0;Voltage;U16;0.1;V\n1;Current;U16;0.01;A\n2;Energy;U32;0.1;kWh\n"


@pytest.fixture
def editor() -> Editor:
    return Editor(Project(ProjectInfo(id="project-aaaaaa"), [METER, Group(id="fast-aaaaaa", name="fast")]))


def bring(editor: Editor, text: str, **options: object) -> None:
    found = read_text(text)
    editor.do(edit_of(editor.project, compare(editor.project, METER.id, found.rows, found.stated), **options))  # type: ignore[arg-type]  # options of the call


def by_name(editor: Editor) -> dict[str, Tag]:
    return {tag.name: tag for tag in editor.project.all(Tag).values()}


def test_that_a_list_goes_in_as_one_edit_that_one_undo_takes_back(editor: Editor) -> None:
    bring(editor, FIRST, group="fast-aaaaaa")
    assert editor.undo_name == "Import 3 tags"
    assert {tag.address for tag in by_name(editor).values()} == {"holding:0", "holding:1", "holding:2:uint32"}
    assert {tag.group for tag in by_name(editor).values()} == {"fast-aaaaaa"}
    editor.undo()
    assert not by_name(editor)


def test_that_importing_the_same_list_again_changes_nothing(editor: Editor) -> None:
    bring(editor, FIRST)
    found = read_text(FIRST)
    compared = compare(editor.project, METER.id, found.rows, found.stated)
    assert (len(compared.new), len(compared.changed), len(compared.same), len(compared.gone)) == (0, 0, 3, 0)
    assert edit_of(editor.project, compared).changes == ()


def test_that_an_updated_list_is_new_changed_gone_and_same(editor: Editor) -> None:
    bring(editor, FIRST)
    before = by_name(editor)
    found = read_text(HEAD + "0;Voltage;U16;0.01;kV\n1;Current;U16;0.01;A\n9;Power;S16;1;W\n")
    compared = compare(editor.project, METER.id, found.rows, found.stated)
    assert [row.tag.name for row in compared.new if row.tag] == ["Power"]
    assert [change.text for change in compared.changed] == ["gain 0.1 → 0.01, unit VLT → KVT"]
    assert [tag.name for tag in compared.gone] == ["Energy"]
    assert [row.tag.name for row in compared.same if row.tag] == ["Current"]
    editor.do(edit_of(editor.project, compared, remove_gone=True))
    assert editor.undo_name == "Import Power, update Voltage, remove Energy"
    after = by_name(editor)
    assert (after["Voltage"].id, after["Voltage"].gain) == (before["Voltage"].id, 0.01)
    assert "Energy" not in after
    editor.undo()
    assert by_name(editor) == before


def test_that_what_the_list_says_nothing_about_is_not_compared_and_names_are_a_persons_own(editor: Editor) -> None:
    bring(editor, FIRST)
    voltage = by_name(editor)["Voltage"]
    editor.do(add_tags(editor.project, METER.id, [TagDraft(address="coil:1", name="Run", type="bool")]))
    found = read_text("Address;Name;Type\n0;U L1-N;U16\n1;Current;U16\n2;Energy;U32\n")
    compared = compare(editor.project, METER.id, found.rows, found.stated)
    assert (len(compared.same), compared.changed, compared.new) == (3, (), ())
    assert compared.gone == (), "coils are not what the list is about"
    assert by_name(editor)["Voltage"] == voltage


def test_that_a_moved_register_is_the_same_tag_by_its_name(editor: Editor) -> None:
    bring(editor, FIRST)
    found = read_text(HEAD + "0;Voltage;U16;0.1;V\n1;Current;U16;0.01;A\n40;Energy;U32;0.1;kWh\n")
    compared = compare(editor.project, METER.id, found.rows, found.stated)
    assert [change.text for change in compared.changed] == ["address holding:2:uint32 → holding:40:uint32"]
    assert compared.gone == ()


def test_that_a_row_that_stands_twice_goes_in_once(editor: Editor) -> None:
    bring(editor, HEAD + "0;Voltage;U16;0.1;V\n0;Voltage;U16;0.1;V\n0;Same place;U16;0.1;V\n")
    assert sorted(by_name(editor)) == ["Same place", "Voltage"]


def test_that_an_order_of_all_rows_becomes_the_units_and_stays_out_of_the_tags(editor: Editor) -> None:
    bring(editor, "Address;Name;Type;Word order\n0;A;U32;CDAB\n2;B;REAL;CDAB\n4;C;U16;\n")
    assert sorted(tag.address for tag in by_name(editor).values()) == ["holding:0:uint32", "holding:2:float32", "holding:4"]
    assert [(unit.number, unit.order) for unit in editor.project.units_of(METER.id)] == [(3, "CDAB")]
    found = read_text("Address;Name;Type;Word order\n0;A;U32;CDAB\n2;B;REAL;CDAB\n4;C;U16;\n")
    assert edit_of(editor.project, compare(editor.project, METER.id, found.rows, found.stated)).changes == ()
    editor.undo()
    assert editor.project.units_of(METER.id) == []


def test_that_orders_stay_overrides_where_rows_disagree_or_other_tags_rely_on_the_units(editor: Editor) -> None:
    bring(editor, "Address;Name;Type;Word order\n0;A;U32;CDAB\n2;B;REAL;ABCD\n")
    assert sorted(tag.address for tag in by_name(editor).values()) == ["holding:0:uint32:CDAB", "holding:2:float32:ABCD"]
    editor.undo()
    editor.do(add_tags(editor.project, METER.id, [TagDraft(address="holding:90:uint32", name="Old", type="uint32")]))
    bring(editor, "Address;Name;Type;Word order\n0;A;U32;CDAB\n")
    assert by_name(editor)["A"].address == "holding:0:uint32:CDAB"
    assert editor.project.units_of(METER.id) == []


def test_that_an_order_that_the_unit_has_already_is_no_override(editor: Editor) -> None:
    editor.do(set_unit(editor.project, METER.id, 3, order="CDAB"))
    bring(editor, "Address;Name;Type;Word order\n0;A;U32;CDAB\n")
    assert by_name(editor)["A"].address == "holding:0:uint32"


def test_that_units_are_told_apart_by_their_id(editor: Editor) -> None:
    bring(editor, "Slave;Address;Name;Type\n4;0;A;U16\n5;0;B;U16\n")
    found = read_text("Slave;Address;Name;Type\n4;0;A;U16\n")
    compared = compare(editor.project, METER.id, found.rows, found.stated)
    assert compared.gone == (), "unit 5 is not what this list is about"
    assert len(compared.same) == 1


def test_that_an_endpoint_or_group_that_is_not_there_is_said(editor: Editor) -> None:
    with pytest.raises(UserError, match="no such endpoint"):
        compare(editor.project, "nothing", read_text(FIRST, modbus()).rows)
    found = compare(editor.project, METER.id, read_text(FIRST).rows)
    with pytest.raises(UserError, match="no such group"):
        edit_of(editor.project, found, group="slow")
