from collections.abc import Callable

import pytest

from app.edits import Edit, Editor
from app.edits import assets as assets_
from app.edits import endpoints as endpoints_
from app.edits import mappings as mappings_
from app.edits import watchlists as lists_
from app.edits.projects import describe_project, new_project
from app.errors import UserError
from app.model.itmodel import Asset, AssetType, Attribute, Place
from app.model.mapping import Delivery, GainOffset, Mapping
from app.model.plant import Endpoint, Identity, Security, Unit, WatchList
from app.model.project import Project
from tests.unit.edits.plants import filling_line

Build = Callable[[Project], Edit]


@pytest.fixture
def project() -> Project:
    return filling_line()


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda p: endpoints_.add_endpoint(p, " plc ", "opc.tcp://plc:4840"), "Add endpoint plc"),
        (lambda p: endpoints_.rename_endpoint(p, "opc-a", "filler"), "Rename opc to filler"),
        (lambda p: endpoints_.set_address(p, "opc-a", "opc.tcp://vpn:1", address="vpn"), "Set vpn address of opc"),
        (lambda p: endpoints_.set_security(p, "opc-a", Security(policy="Basic256Sha256")), "Set security of opc"),
        (lambda p: endpoints_.set_settings(p, "opc-a", {"timeout_s": 4.0}), "Set opc"),
        (lambda p: endpoints_.set_namespaces(p, "opc-a", ("urn:x",)), "Note namespaces of opc"),
        (lambda p: endpoints_.note_identity(p, "opc-a", Identity(application_uri="urn:x")), "Note identity of opc"),
        (lambda p: endpoints_.note_answer(p, "opc-a", namespaces=("urn:x",)), "Note what answers as opc"),
        (lambda p: endpoints_.confirm_identity(p, "opc-a", Identity(product="Acme 2.0")), "Confirm identity of opc"),
        (lambda p: endpoints_.name_register(p, "meter-a", "holding:100"), "Name identity register of meter"),
        (lambda p: endpoints_.set_unit(p, "meter-a", 3, name="drive", order="CDAB"), "Set unit 3 of meter"),
        (lambda p: endpoints_.set_unit(p, "meter-a", 7, name="meter"), "Set unit 7 of meter"),
        (lambda p: assets_.add_asset_type(p, "Capper", extends="machine-a"), "Add asset type Capper"),
        (lambda p: assets_.rename_asset_type(p, "machine-a", "Device"), "Rename Machine to Device"),
        (lambda p: assets_.set_extends(p, "motor-type", "machine-a"), "Set what Motor extends"),
        (lambda p: assets_.add_attribute(p, "filler-type", "count", "int32", unit="C62", required=True), "Add attribute count"),
        (lambda p: assets_.rename_attribute(p, "flow-attr", "fillFlow"), "Rename flow to fillFlow"),
        (lambda p: assets_.change_attribute(p, "flow-attr", low=0.0, high=5.0), "Change flow"),
        (lambda p: assets_.remove_attributes(p, ["flow-attr", "state-attr"]), "Remove 2 attributes"),
        (lambda p: assets_.add_component(p, "filler-type", "spare", "motor-type"), "Add component spare"),
        (lambda p: assets_.add_asset(p, "Filler 2", "filler-type", "line-a"), "Add asset Filler 2"),
        (lambda p: assets_.rename_asset(p, "filler-1", "Filler A"), "Rename Filler 1 to Filler A"),
        (lambda p: assets_.move_asset(p, "filler-1", ""), "Move Filler 1"),
        (lambda p: assets_.rename_place(p, "line-a", "Line 5"), "Rename Line 4 to Line 5"),
        (lambda p: mappings_.map_attribute(p, "filler-1", "state-attr", "power-a"), "Map state"),
        (lambda p: mappings_.map_attribute(p, "filler-1", "speed-attr", "power-a", within=("motor-part",)), "Map motor.speed"),
        (lambda p: mappings_.set_transform(p, "flow-map", [GainOffset(gain=2.0)]), "Set transform of Filler 1 flow"),
        (lambda p: mappings_.set_sources(p, "flow-map", ["power-a"]), "Set source of Filler 1 flow"),
        (lambda p: mappings_.set_policies(p, ["flow-map", "speed-map"], quality="hold", hold_s=5.0), "Set policies of 2 attributes"),
        (lambda p: mappings_.unmap(p, ["speed-map"]), "Unmap Filler 1 motor.speed"),
        (lambda p: mappings_.set_delivery(p, qos=0), "Set default delivery"),
        (lambda p: mappings_.set_delivery(p, "filler-type", qos=0), "Set delivery of Filler"),
        (lambda p: mappings_.remove_delivery(p, "delivery-a"), "Remove default delivery"),
        (lambda p: lists_.add_watch_list(p, "all", ["flow-a", "flow-a"]), "Add watch list all"),
        (lambda p: lists_.rename_watch_list(p, "mine-a", "yours"), "Rename mine to yours"),
        (lambda p: lists_.set_watched(p, "mine-a", ["flow-a"]), "Change watch list mine"),
        (lambda p: lists_.remove_watch_list(p, "mine-a"), "Remove watch list mine"),
        (lambda p: describe_project(p, name="Line 5", description="x"), "Describe project"),
    ],
)
def test_that_every_edit_has_a_name_for_the_menu_can_be_done_and_taken_back(project: Project, build: Build, name: str) -> None:
    before = list(project.elements())
    editor = Editor(project)
    edit = build(project)
    assert edit.name == name
    editor.do(edit)
    assert list(project.elements()) != before
    editor.undo()
    assert list(project.elements()) == before


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (lambda p: endpoints_.add_endpoint(p, "opc", "x://"), "an endpoint of this name is there already"),
        (lambda p: endpoints_.add_endpoint(p, "  ", "x://"), "the name is empty"),
        (lambda p: endpoints_.rename_endpoint(p, "opc-a", "meter"), "there already"),
        (lambda p: endpoints_.set_address(p, "opc-a", ""), "every endpoint has a default address"),
        (lambda p: endpoints_.set_unit(p, "meter-a", 256), "<= 255"),
        (lambda p: assets_.add_asset_type(p, "Motor"), "an asset type of this name"),
        (lambda p: assets_.set_extends(p, "machine-a", "filler-type"), "inherit from itself"),
        (lambda p: assets_.add_attribute(p, "filler-type", "flow", "int32"), "an attribute of this name"),
        (lambda p: assets_.change_attribute(p, "flow-attr", low="cold"), "Expected `float | null`"),
        (lambda p: assets_.add_asset(p, "Filler 1", "filler-type", "line-a"), "an asset of this name"),
        (lambda p: assets_.ensure_places(p, [("line", "Line 4"), ("site", "Plant 1")])[0], "a site does not stand below a line"),
        (lambda p: assets_.ensure_places(p, [("site", " ")])[0], "the name is empty"),
        (lambda p: mappings_.set_delivery(p, qos=3), "Invalid enum value 3"),
        (lambda p: lists_.add_watch_list(p, "mine"), "a watch list of this name"),
    ],
)
def test_that_what_cannot_be_is_said_before_it_is_done(project: Project, build: Build, why: str) -> None:
    with pytest.raises(UserError) as caught:
        build(project)
    assert why in caught.value.why


def test_that_a_renamed_thing_may_keep_its_own_name(project: Project) -> None:
    assert endpoints_.rename_endpoint(project, "opc-a", "opc").changes == ()


def test_that_a_new_endpoint_is_the_first_change_and_has_its_default_address(project: Project) -> None:
    editor = Editor(project)
    edit = endpoints_.add_endpoint(project, "plc", "opc.tcp://plc:4840")
    editor.do(edit)
    assert project.all(Endpoint)[edit.changes[0].id].addresses == {"default": "opc.tcp://plc:4840"}
    editor.do(endpoints_.set_address(project, "opc-a", "opc.tcp://vpn:1", address="vpn"))
    editor.do(endpoints_.set_address(project, "opc-a", "", address="vpn"))
    assert project.all(Endpoint)["opc-a"].addresses == {"default": "opc.tcp://h:1"}


def identity_after(project: Project, edit: Edit, endpoint: str = "opc-a") -> Identity:
    """The edit is done."""
    Editor(project).do(edit)
    return project.all(Endpoint)[endpoint].identity


def test_that_noting_who_answers_fills_in_what_is_not_known_and_changes_nothing_that_is(project: Project) -> None:
    first = Identity(application_uri="urn:x", product="Acme 1.0")
    assert identity_after(project, endpoints_.note_identity(project, "opc-a", first)) == first
    later = Identity(application_uri="urn:y", thumbprint="ab" * 20, product="Acme 2.0", register="holding:1", value="7")
    assert identity_after(project, endpoints_.note_identity(project, "opc-a", later)) == Identity(
        application_uri="urn:x", thumbprint="ab" * 20, product="Acme 1.0"
    )
    assert endpoints_.note_identity(project, "opc-a", later).changes == ()


def test_that_what_answers_is_noted_as_one_change(project: Project) -> None:
    edit = endpoints_.note_answer(project, "opc-a", namespaces=("urn:a", "urn:b"), identity=Identity(application_uri="urn:x"))
    assert len(edit.changes) == 1
    Editor(project).do(edit)
    held = project.all(Endpoint)["opc-a"]
    assert (held.namespaces, held.identity.application_uri) == (("urn:a", "urn:b"), "urn:x")
    assert endpoints_.note_answer(project, "opc-a", namespaces=("urn:b",)).changes == ()


def test_that_a_register_tells_from_the_moment_its_value_is_noted_until_another_is_named(project: Project) -> None:
    identity_after(project, endpoints_.name_register(project, "meter-a", "holding:100"), "meter-a")
    assert (
        identity_after(project, endpoints_.note_identity(project, "meter-a", Identity(register="holding:9", value="1")), "meter-a").value
        == ""
    )
    read = Identity(register="holding:100", value="4711")
    assert identity_after(project, endpoints_.note_identity(project, "meter-a", read), "meter-a") == read
    assert endpoints_.name_register(project, "meter-a", "holding:100").changes == ()
    renamed = endpoints_.name_register(project, "meter-a", "holding:200")
    assert identity_after(project, renamed, "meter-a") == Identity(register="holding:200")


def test_that_confirming_forgets_the_device_of_before_but_not_the_certificate_of_the_same_application(project: Project) -> None:
    known = Identity(application_uri="urn:x", thumbprint="ab" * 20, product="Acme 1.0", register="holding:100", value="1")
    identity_after(project, endpoints_.name_register(project, "opc-a", "holding:100"))
    identity_after(project, endpoints_.note_identity(project, "opc-a", known))
    newer = Identity(application_uri="urn:x", product="Acme 2.0", register="holding:100", value="2")
    assert identity_after(project, endpoints_.confirm_identity(project, "opc-a", newer)) == Identity(
        application_uri="urn:x", thumbprint="ab" * 20, product="Acme 2.0", register="holding:100", value="2"
    )
    other = Identity(application_uri="urn:y")
    assert identity_after(project, endpoints_.confirm_identity(project, "opc-a", other)) == Identity(
        application_uri="urn:y", register="holding:100"
    )


def test_that_a_unit_is_changed_where_it_is_and_made_where_it_is_not(project: Project) -> None:
    editor = Editor(project)
    editor.do(endpoints_.set_unit(project, "meter-a", 3, order="CDAB"))
    editor.do(endpoints_.set_unit(project, "meter-a", 7))
    assert {unit.number: unit.order for unit in project.all(Unit).values()} == {3: "CDAB", 7: "ABCD"}


def test_that_only_the_missing_places_of_a_path_are_made(project: Project) -> None:
    edit, innermost = assets_.ensure_places(project, [("site", "Plant 1"), ("line", "Line 4")])
    assert (edit.changes, innermost) == ((), "line-a")
    edit, innermost = assets_.ensure_places(project, [("site", "Plant 1"), ("line", "Line 5"), ("cell", "Cell 1")])
    Editor(project).do(edit.then(assets_.add_asset(project, "Filler 9", "filler-type", innermost), "Add Filler 9"))
    made = {place.name: place.parent for place in project.all(Place).values() if place.name in ("Line 5", "Cell 1")}
    assert made["Line 5"] == "plant-a"
    assert project.all(Place)[made["Cell 1"]].name == "Line 5"
    assert next(asset for asset in project.all(Asset).values() if asset.name == "Filler 9").place == innermost


def test_that_mapping_again_keeps_id_note_and_policies_and_takes_source_and_transform(project: Project) -> None:
    Editor(project).do(mappings_.map_attribute(project, "filler-1", "flow-attr", "power-a", transform=[GainOffset(gain=2.0)]))
    held = project.mappings_for("filler-1", "flow-attr")
    assert [(one.id, one.note, one.sources, one.transform) for one in held] == [
        ("flow-map", "as agreed", ("power-a",), (GainOffset(gain=2.0),))
    ]


def test_that_an_attribute_and_the_same_one_inside_a_component_are_mapped_apart(project: Project) -> None:
    editor = Editor(project)
    editor.do(mappings_.map_attribute(project, "filler-1", "speed-attr", "power-a"))
    assert {mapping.within for mapping in project.all(Mapping).values() if mapping.attribute == "speed-attr"} == {(), ("motor-part",)}


def test_that_an_override_of_a_delivery_begins_as_the_default_and_leaves_it_alone(project: Project) -> None:
    editor = Editor(project)
    editor.do(mappings_.set_delivery(project, "filler-type", retain=True))
    assert (project.delivery_for("filler-type").qos, project.delivery_for("filler-type").retain) == (2, True)
    assert project.delivery_for("").id == "delivery-a"
    editor.do(mappings_.remove_delivery(project, project.delivery_for("filler-type").id))
    assert project.delivery_for("filler-type").id == "delivery-a"
    editor.do(mappings_.remove_delivery(project, "delivery-a"))
    editor.do(mappings_.set_delivery(project, qos=0))
    assert [delivery.asset_type for delivery in project.all(Delivery).values()] == [""]


def test_that_tags_are_appended_to_a_watch_list_once(project: Project) -> None:
    editor = Editor(project)
    editor.do(lists_.set_watched(project, "mine-a", ["speed-a"]))
    editor.do(lists_.add_to_watch_list(project, "mine-a", ["flow-a", "speed-a"]))
    assert project.all(WatchList)["mine-a"].tags == ("speed-a", "flow-a")


def test_that_two_new_projects_of_one_name_are_two_projects() -> None:
    assert new_project("Line").info.id != new_project("Line").info.id


def test_that_new_elements_of_one_name_get_ids_of_their_own(project: Project) -> None:
    editor = Editor(project)
    editor.do(assets_.add_asset(project, "Filler 1", "filler-type", ""))
    editor.do(assets_.rename_asset_type(project, "motor-type", "Drive"))
    editor.do(assets_.add_asset_type(project, "Motor"))
    editor.do(assets_.rename_asset_type(project, next(t.id for t in project.all(AssetType).values() if t.name == "Motor"), "Engine"))
    editor.do(assets_.add_asset_type(project, "Motor"))
    editor.do(assets_.add_attribute(project, "filler-type", "a", "int32"))
    assert len({*project.ids()}) == len(list(project.elements()))
    assert len(project.all(Attribute)) == 4
