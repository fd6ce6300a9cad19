from __future__ import annotations

import pytest

from app.drivers.base import NodeDetails
from app.edits import Editor
from app.errors import UserError
from app.itmodels.from_selection import Selection, edit_from_selection
from app.model.itmodel import Asset, AssetType, Attribute
from app.model.mapping import Mapping
from app.model.plant import Tag
from app.model.project import Project
from tests.factory import line4_project

ROOT = "Plant1/Line4/Pump1"


def node(name: str, type_: str = "float32", *, below: str = "", **more: object) -> NodeDetails:
    path = "/".join(part for part in (ROOT, below, name) if part)
    return NodeDetails(id=f"nsu=urn:x;s={path}", name=name, path=path, node_class="variable", type=type_, **more)  # type: ignore[arg-type]  # fields of NodeDetails


def selection(*nodes: NodeDetails, type_name: str = "Pump", asset_name: str = "Pump1") -> Selection:
    return Selection(
        endpoint="filler-opcua", nodes=nodes, root_path=ROOT, type_name=type_name, asset_name=asset_name, place="line-4-place", group="slow"
    )


def made(project: Project, chosen: Selection) -> list[str]:
    edit, skipped = edit_from_selection(project, chosen)
    Editor(project).do(edit)
    return skipped


def pump(project: Project) -> dict[str, Attribute]:
    type_ = next(type_ for type_ in project.all(AssetType).values() if type_.name == "Pump")
    return {attribute.name: attribute for attribute in project.attributes_of(type_.id)}


def test_that_variables_become_type_asset_tags_and_mappings_in_one_edit() -> None:
    project = line4_project()
    flow = node("Flow", unit="L2", low=0.0, high=150.0, description="At the outlet", access="rw")
    before = list(project.elements())
    editor = Editor(project)
    edit, skipped = edit_from_selection(project, selection(flow, node("State", "int32", enum={"0": "OFF", "1": "ON"})))
    editor.do(edit)
    assert skipped == []
    attribute = pump(project)["Flow"]
    assert (attribute.data_type, attribute.unit, attribute.low, attribute.high) == ("float32", "L2", 0.0, 150.0)
    assert pump(project)["State"].data_type == "enum"
    asset = next(asset for asset in project.all(Asset).values() if asset.name == "Pump1")
    assert asset.place == "line-4-place"
    (mapping,) = project.mappings_for(asset.id, attribute.id)
    tag = project.all(Tag)[mapping.sources[0]]
    assert (tag.address, tag.name, tag.unit, tag.group, tag.access) == (flow.id, "Pump1/Flow", "L2", "slow", "rw")
    editor.undo()
    assert list(project.elements()) == before


def test_that_names_that_occur_twice_are_told_apart_by_what_stands_above_them() -> None:
    project = line4_project()
    made(project, selection(node("State", below="Valve1"), node("State", below="Valve2"), node("Flow")))
    assert set(pump(project)) == {"Valve1.State", "Valve2.State", "Flow"}


def test_that_the_next_object_of_the_same_shape_uses_the_type() -> None:
    project = line4_project()
    made(project, selection(node("Flow"), node("Level")))
    types = set(project.all(AssetType))
    second = [NodeDetails(id=f"nsu=urn:x;s=2/{name}", name=name, path=f"{ROOT}/{name}", type="float32") for name in ("Flow", "Level")]
    made(project, selection(*second, asset_name="Pump2"))
    assert set(project.all(AssetType)) == types
    assert len([asset for asset in project.all(Asset).values() if asset.name.startswith("Pump")]) == 2


def test_that_a_type_with_inherited_attributes_is_used_for_what_it_inherits_too() -> None:
    project = line4_project()
    nodes = [node(name, "bool") for name in ("running", "stopped")] + [node("recipe", "string")]
    made(project, selection(*nodes, type_name="Filler", asset_name="Filler 3"))
    asset = next(asset for asset in project.all(Asset).values() if asset.name == "Filler 3")
    assert asset.asset_type == "filler"
    assert {mapping.attribute for mapping in project.mappings_of(asset.id)} == {"a-machine-running", "a-machine-stopped", "a-filler-recipe"}


def test_that_an_object_with_more_than_the_type_has_is_refused() -> None:
    project = line4_project()
    made(project, selection(node("Flow")))
    with pytest.raises(UserError, match="no attribute Level"):
        edit_from_selection(project, selection(node("Flow"), node("Level"), asset_name="Pump2"))


def test_that_a_source_that_is_a_tag_already_is_used_as_it_is() -> None:
    project = line4_project()
    known = project.all(Tag)["t-flow"]
    made(project, selection(NodeDetails(id=known.address, name="Flow", path=f"{ROOT}/Flow", type="float32")))
    assert len(project.tags_at("filler-opcua", known.address)) == 1
    assert [mapping.sources for mapping in project.all(Mapping).values() if mapping.id not in line4_project()] == [("t-flow",)]


def test_that_one_node_selected_twice_makes_one_tag() -> None:
    project = line4_project()
    made(project, selection(node("Flow"), node("Flow")))
    assert len(project.tags_at("filler-opcua", node("Flow").id)) == 1


def test_that_nodes_without_a_type_are_left_out_and_named() -> None:
    project = line4_project()
    skipped = made(project, selection(node("Flow"), node("Odd", ""), node("Gone", error="BadNodeIdUnknown")))
    assert skipped == ["Odd: its type is unknown", "Gone: BadNodeIdUnknown"]
    assert set(pump(project)) == {"Flow"}


@pytest.mark.parametrize("nodes", [[], [node("Odd", "")]])
def test_that_a_selection_without_a_usable_variable_is_refused(nodes: list[NodeDetails]) -> None:
    with pytest.raises(UserError, match="No asset type made"):
        edit_from_selection(line4_project(), selection(*nodes))


@pytest.mark.parametrize("chosen", [selection(node("Flow"), type_name=" "), selection(node("Flow"), asset_name="")])
def test_that_type_and_asset_need_names(chosen: Selection) -> None:
    with pytest.raises(UserError, match="name"):
        edit_from_selection(line4_project(), chosen)


def test_that_an_asset_of_this_name_at_this_place_is_not_made_again() -> None:
    project = line4_project()
    made(project, selection(node("Flow")))
    with pytest.raises(UserError, match="Pump1"):
        edit_from_selection(project, selection(node("Flow")))
