from __future__ import annotations

import pytest

from app.edits import Editor
from app.edits.tags import TagDraft, add_tags, remove_tags, rename, set_group
from app.errors import UserError
from app.model.itmodel import Asset, AssetType, Attribute
from app.model.mapping import Mapping
from app.model.plant import Endpoint, Group, Tag, WatchList
from app.model.project import Project, ProjectInfo
from app.model.reviewing import Approval, Comment, Suppression

ENDPOINT = "plant-aaaaaa"


def tag(id_: str, **fields: str) -> Tag:
    return Tag(id=id_, endpoint=ENDPOINT, address=f"holding:{id_[-1]}", name=id_, **fields)  # type: ignore[arg-type]  # text fields only


@pytest.fixture
def editor() -> Editor:
    return Editor(
        Project(
            ProjectInfo(id="project-aaaaaa"),
            [
                Endpoint(id=ENDPOINT, name="plant", addresses={"default": "modbus://plc"}),
                Group(id="fast", name="fast"),
                tag("t1"),
                tag("t2", group="fast"),
                tag("t3"),
                WatchList(id="list", name="list", tags=("t3", "t1", "t2")),
                WatchList(id="other", name="other", tags=("t3",)),
                AssetType(id="type", name="Filler"),
                Attribute(id="a1", asset_type="type", name="flow", data_type="float64"),
                Attribute(id="a2", asset_type="type", name="level", data_type="float64"),
                Asset(id="asset", asset_type="type", name="Filler 1"),
                Mapping(id="m1", asset="asset", attribute="a1", sources=("t3", "t1")),
                Mapping(id="m2", asset="asset", attribute="a2", sources=("t2",)),
                Approval(id="approval", about="m1", digest="d", by="me", at="2024-01-01T00:00:00Z"),
                Comment(id="comment", about="t1", by="me", at="2024-01-01T00:00:00Z", text="?"),
                Suppression(id="suppression", about="m1", rule="x", by="me", at="2024-01-01T00:00:00Z", why="-"),
            ],
        )
    )


def test_that_added_tags_have_ids_that_depend_on_what_they_are(editor: Editor) -> None:
    drafts = [TagDraft(address="holding:7", name="Flow", unit="MQH", gain=0.1), TagDraft(address="holding:7", name="Flow")]
    first = add_tags(editor.project, ENDPOINT, drafts)
    assert first == add_tags(editor.project, ENDPOINT, drafts)
    assert first.name == "Add 2 tags"
    assert add_tags(editor.project, ENDPOINT, drafts[:1]).name == "Add Flow"
    editor.do(first)
    one, two = editor.project.tags_at(ENDPOINT, "holding:7")
    assert one.id.startswith("flow-")
    assert one.id != two.id
    assert {(one.unit, one.gain), (two.unit, two.gain)} == {("MQH", 0.1), ("", 1.0)}


def test_that_a_removed_tag_takes_its_mappings_and_what_was_said_about_them_along(editor: Editor) -> None:
    before = {element.id: element for element in editor.project.elements()}
    edit = remove_tags(editor.project, ["t1", "t1", "nothing"])
    assert edit.name == "Remove t1"
    editor.do(edit)
    gone = set(before) - editor.project.ids()
    assert gone == {"t1", "m1", "approval", "comment", "suppression"}
    assert editor.project.all(WatchList)["list"].tags == ("t3", "t2")
    assert editor.project.all(WatchList)["other"].tags == ("t3",)
    editor.undo()
    assert {element.id: element for element in editor.project.elements()} == before


def test_that_tags_removed_together_are_one_edit(editor: Editor) -> None:
    edit = remove_tags(editor.project, ["t1", "t2", "t3"])
    assert edit.name == "Remove 3 tags"
    editor.do(edit)
    assert editor.project.all(Tag) == {}
    assert editor.project.all(Mapping) == {}
    assert editor.project.all(WatchList)["list"].tags == ()


def test_that_renaming_keeps_the_id(editor: Editor) -> None:
    edit = rename(editor.project, "t1", " Flow ")
    assert edit.name == "Rename t1 to Flow"
    editor.do(edit)
    assert editor.project.all(Tag)["t1"].name == "Flow"
    with pytest.raises(UserError, match="empty"):
        rename(editor.project, "t1", "  ")
    with pytest.raises(UserError, match="no such tag"):
        rename(editor.project, "nothing", "x")


def test_that_tags_are_put_into_a_group_and_taken_out(editor: Editor) -> None:
    edit = set_group(editor.project, ["t1", "t2", "t3"], "fast")
    assert edit.name == "Put 3 tags into fast"
    assert {change.id for change in edit.changes} == {"t1", "t3"}
    editor.do(edit)
    assert {one.group for one in editor.project.tags_of(ENDPOINT)} == {"fast"}
    assert set_group(editor.project, ["t1"], "").name == "Take t1 out of the group"
    with pytest.raises(UserError, match="no such group"):
        set_group(editor.project, ["t1"], "slow")
