from hypothesis import given
from hypothesis import strategies as st

from app.edits import Edit, Editor
from app.edits.assets import remove_asset_type, remove_assets, remove_attributes, remove_component, remove_place
from app.edits.endpoints import remove_endpoint
from app.edits.removal import remove
from app.edits.tags import remove_tags
from app.model.itmodel import AssetType
from app.model.plant import Tag, WatchList
from app.model.project import Project
from app.projectfile import read, write
from tests import strategies
from tests.unit.edits.plants import filling_line

MAPPING_PARTS = {"flow-map", "approved-a", "comment-a", "comment-b"}


def gone(edit: Edit) -> set[str]:
    return {change.id for change in edit.changes if change.after is None}


def done(project: Project, edit: Edit) -> Project:
    Editor(project).do(edit)
    assert strategies.same(read(write(project), "x"), project)
    return project


def test_that_an_endpoint_takes_its_tags_their_mappings_and_what_was_said_about_them() -> None:
    project = filling_line()
    edit = remove_endpoint(project, "opc-a")
    assert edit.name == "Remove endpoint opc"
    assert gone(edit) == {"opc-a", "flow-a", "speed-a", "speed-map", "suppressed-a"} | MAPPING_PARTS
    assert done(project, edit).all(WatchList)["mine-a"].tags == ("power-a",)


def test_that_a_group_leaves_its_tags_behind() -> None:
    project = filling_line()
    assert gone(edit := remove("Remove group", project, ["fast-a"])) == {"fast-a"}
    assert done(project, edit).all(Tag)["flow-a"].group == ""


def test_that_a_type_takes_attributes_parts_and_assets_but_not_the_types_that_extend_it() -> None:
    project = filling_line()
    assert gone(remove_asset_type(project, "motor-type")) == {"motor-type", "speed-attr", "motor-part", "speed-map"}
    edit = remove_asset_type(project, "machine-a")
    assert gone(edit) == {"machine-a", "state-attr"}
    assert done(project, edit).all(AssetType)["filler-type"].extends == ""


def test_that_places_assets_attributes_and_components_take_their_mappings() -> None:
    project = filling_line()
    everything = {"filler-1", "speed-map"} | MAPPING_PARTS
    assert gone(remove_place(project, "plant-a")) == {"plant-a", "line-a"} | everything
    assert gone(remove_assets(project, ["filler-1"])) == everything
    assert gone(remove_attributes(project, ["flow-attr"])) == {"flow-attr"} | MAPPING_PARTS
    assert gone(remove_component(project, "motor-part")) == {"motor-part", "speed-map"}


def test_that_tags_are_removed_in_the_same_way_by_their_own_edit() -> None:
    project = filling_line()
    assert gone(remove_tags(project, ["flow-a"])) >= {"flow-a", "flow-map", "approved-a", "comment-a"}


def test_that_unknown_ids_are_ignored() -> None:
    assert remove("Remove", filling_line(), ["nobody"]).changes == ()


@given(strategies.projects(), st.data())
def test_that_removing_anything_leaves_a_project_that_a_file_can_hold(project: Project, data: st.DataObject) -> None:
    before = list(project.elements())
    ids = sorted(project.ids() - {project.info.id})
    if ids:
        editor = Editor(project)
        editor.do(remove("Remove", project, data.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=4))))
        assert strategies.same(read(write(project), "x"), project)
        editor.undo()
    assert list(project.elements()) == before
