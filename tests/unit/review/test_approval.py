from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from app.edits import Editor
from app.edits.edit import create, replace, with_fields
from app.errors import UserError
from app.model.element import Element
from app.model.itmodel import Asset, AssetType, Attribute, Component, Place
from app.model.mapping import Delivery, Mapping
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Project
from app.model.reviewing import Approval
from app.review.approval import approve, closure_digest, newest_approval, review_state
from tests.factory import OPCUA, line4_project

FLOW = "m-fill-flow"

UNCHANGING: dict[type[Element], set[str]] = {
    Mapping: {"note"},
    Tag: {"name", "description", "access"},
    Endpoint: {"name", "addresses", "description", "settings"},
    Group: {"name", "queue_size", "description"},
    Attribute: {"title", "description", "semantic_ids"},
    AssetType: {"title", "version", "extends", "abstract", "uri", "semantic_ids", "description"},
    Asset: {"title", "description"},
    Place: {"description", "level"},
    Delivery: set(),
}
"""Fields of the closure's elements whose change leaves what IT receives as it was. ``id`` and ``extensions`` never count."""


@dataclass(frozen=True)
class Case:
    kind: type[Element]
    id: str
    field: str
    value: object
    voids: bool


CLOSURE: list[tuple[type[Element], str]] = [
    (Mapping, FLOW), (Tag, "t-flow"), (Endpoint, OPCUA), (Group, "fast"), (Attribute, "a-filler-fillflow"), (AssetType, "filler"),
    (Asset, "filler-1"), (Place, "line-4-place"), (Delivery, "default-delivery"),
]  # fmt: skip

OTHER: dict[tuple[type[Element], str], object] = {
    (Mapping, "asset"): "filler-2", (Mapping, "attribute"): "a-filler-bowllevel", (Mapping, "within"): ["filler-motor"],
    (Mapping, "sources"): ["t-flow-2"], (Mapping, "transform"): [{"op": "not"}], (Mapping, "time"): "server", (Mapping, "quality"): "hold",
    (Tag, "endpoint"): "meter-modbus", (Tag, "type"): "float64", (Tag, "group"): "slow", (Tag, "enum"): {"1": "x"}, (Tag, "access"): "rw",
    (Endpoint, "addresses"): {"default": "opc.tcp://other:4840"}, (Endpoint, "security"): {"policy": "Basic256Sha256", "mode": "Sign"},
    (Endpoint, "identity"): {"application_uri": "urn:other"}, (Endpoint, "namespaces"): ["urn:one"],
    (Endpoint, "settings"): {"timeout_s": 3.0}, (Attribute, "asset_type"): "meter", (Attribute, "data_type"): "float32",
    (Attribute, "enum"): {"1": "x"}, (Attribute, "semantic_ids"): ["x"],
    (AssetType, "extends"): "", (AssetType, "semantic_ids"): ["x"], (Asset, "asset_type"): "machine", (Asset, "place"): "packaging",
    (Place, "level"): "cell", (Place, "parent"): "", (Delivery, "asset_type"): "motor", (Delivery, "message"): "attribute",
    (Delivery, "keys"): "camelCase", (Delivery, "time"): "epoch_ns", (Delivery, "quality"): "code", (Delivery, "null"): "omit",
    (Delivery, "qos"): 2, (Delivery, "trigger"): "periodic",
}  # fmt: skip


def cases() -> Iterator[Case]:
    """Every field of every element of the closure, with another value."""
    project = line4_project()
    for kind, id_ in CLOSURE:
        element = project.all(kind)[id_]
        for field in element.__struct_fields__:
            if field not in ("id", "extensions"):
                yield Case(kind, id_, field, _other(kind, field, getattr(element, field)), field not in UNCHANGING[kind])


def _other(kind: type[Element], field: str, now: object) -> object:
    if (kind, field) in OTHER:
        return OTHER[kind, field]
    if isinstance(now, bool):
        return not now
    if isinstance(now, str):
        return f"{now}x"
    return 7 if now is None or isinstance(now, int | float) else pytest.fail(f"no other value for {kind.__name__}.{field}")


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: f"{case.kind.__name__}.{case.field}")
def test_that_a_field_voids_the_approval_exactly_when_it_changes_what_it_receives(case: Case) -> None:
    project = line4_project()
    changed = with_fields(project.all(case.kind)[case.id], **{case.field: case.value})
    assert changed != project.all(case.kind)[case.id]
    project.swap(replace("Change", project, [changed]).changes)  # by the project itself: some of these no editor would let in
    assert (review_state(project, FLOW) == "changed") == case.voids


@pytest.mark.parametrize(
    ("kind", "id_", "fields"),
    [
        (Tag, "t-voltage", {"gain": 2.0}),
        (Endpoint, "meter-modbus", {"security": {"mode": "Sign"}}),
        (Endpoint, OPCUA, {"identity": {"application_uri": "urn:tagloom:plant", "product": "firmware 2.0", "thumbprint": "renewed"}}),
        (Attribute, "a-meter-model", {"data_type": "int8"}),
        (Mapping, "m-flow-2", {"transform": [{"op": "not"}]}),
        (Delivery, "meter-delivery", {"qos": 2}),
        (Asset, "meter-1", {"name": "Other"}),
    ],
)
def test_that_what_lies_outside_the_closure_voids_nothing(kind: type[Element], id_: str, fields: dict[str, object]) -> None:
    project = line4_project()
    Editor(project).do(replace("Change", project, [with_fields(project.all(kind)[id_], **fields)]))
    assert review_state(project, FLOW) == "approved"


def test_that_namespaces_in_another_order_void_nothing_and_a_missing_one_does() -> None:
    project = line4_project()
    endpoint = project.all(Endpoint)[OPCUA]
    editor = Editor(project)
    editor.do(replace("Reorder", project, [with_fields(endpoint, namespaces=list(reversed(endpoint.namespaces)))]))
    assert review_state(project, FLOW) == "approved"
    editor.do(replace("Lose", project, [with_fields(endpoint, namespaces=list(endpoint.namespaces[1:]))]))
    assert review_state(project, FLOW) == "changed"


def test_that_an_inherited_attribute_counts_and_so_does_its_replacement() -> None:
    project = line4_project()
    editor = Editor(project)
    editor.do(approve(project, ["m-state"], by="A", at="2026-03-02T09:30:00Z"))
    inherited = project.all(Attribute)["a-machine-state"]
    editor.do(replace("Change", project, [with_fields(inherited, required=False)]))
    assert review_state(project, "m-state") == "changed"
    editor.undo()
    assert review_state(project, "m-state") == "approved"
    editor.do(create("Replace", [Attribute(id="own-state", asset_type="filler", name="state", data_type="string")]))
    assert review_state(project, "m-state") == "changed"


def test_that_an_override_of_the_delivery_voids_the_mappings_of_its_type_only() -> None:
    project = line4_project()
    Editor(project).do(create("Override", [Delivery(id="own", asset_type="filler", qos=2)]))
    assert review_state(project, FLOW) == "changed"
    assert review_state(project, "m-voltage") == "approved"
    assert review_state(project, "default-delivery") == "approved"


def test_that_the_path_of_a_component_counts() -> None:
    project = line4_project()
    editor = Editor(project)
    editor.do(approve(project, ["m-speed"], by="A", at="2026-03-02T09:30:00Z"))
    editor.do(replace("Rename", project, [with_fields(project.all(Component)["filler-motor"], name="drive")]))
    assert review_state(project, "m-speed") == "changed"


def test_that_states_go_from_never_reviewed_to_approved_to_changed_and_back_by_undo() -> None:
    project = line4_project()
    editor = Editor(project)
    assert review_state(project, "m-bottles") == "never reviewed"
    editor.do(approve(project, ["m-bottles"], by="  A. Reyes ", at="2026-03-02T09:30:00Z", why="Counted by hand"))
    assert review_state(project, "m-bottles") == "approved"
    newest = newest_approval(project, "m-bottles")
    assert newest is not None
    assert (newest.by, newest.why) == ("A. Reyes", "Counted by hand")
    editor.do(replace("Scale", project, [with_fields(project.all(Tag)["t-bottles"], gain=2.0)]))
    assert review_state(project, "m-bottles") == "changed"
    editor.undo()
    assert review_state(project, "m-bottles") == "approved"
    editor.undo()
    assert review_state(project, "m-bottles") == "never reviewed"
    editor.redo()
    assert review_state(project, "m-bottles") == "approved"


def test_that_a_change_taken_back_by_hand_is_approved_again() -> None:
    project = line4_project()
    editor, tag = Editor(project), project.all(Tag)["t-flow"]
    editor.do(replace("Scale", project, [with_fields(tag, gain=2.0)]))
    editor.do(replace("Scale back", project, [tag]))
    assert review_state(project, FLOW) == "approved"


def test_that_approving_again_after_a_change_keeps_the_old_approval_and_counts_once() -> None:
    project = line4_project()
    editor = Editor(project)
    editor.do(replace("Scale", project, [with_fields(project.all(Tag)["t-flow"], gain=2.0)]))
    editor.do(approve(project, [FLOW, "m-voltage"], by="B", at="2026-03-03T09:30:00Z"))
    assert len(project.approvals_about(FLOW)) == 2
    assert len(project.approvals_about("m-voltage")) == 1  # it was approved as it is
    newest = newest_approval(project, FLOW)
    assert newest is not None
    assert newest.by == "B"


def test_that_an_approval_without_a_name_is_refused() -> None:
    with pytest.raises(UserError, match="name of the reviewer"):
        approve(line4_project(), [FLOW], by="  ", at="2026-03-03T09:30:00Z")


def test_that_a_digest_is_of_content_and_not_of_ids_made_up_on_the_way() -> None:
    assert closure_digest(line4_project(), FLOW) == closure_digest(line4_project(), FLOW)
    assert len(closure_digest(line4_project(), FLOW)) == 64
    with pytest.raises(KeyError):
        closure_digest(line4_project(), "nothing")


def test_that_an_approval_of_another_content_does_not_count() -> None:
    project = line4_project()
    forged = Approval(id="forged", about="m-model", digest="0" * 64, by="M", at="2026-03-03T09:30:00Z")
    Editor(project).do(create("Forge", [forged]))
    assert review_state(project, "m-model") == "changed"


def test_that_every_kind_whose_change_could_matter_is_tried(request: pytest.FixtureRequest) -> None:
    del request
    assert {case.kind for case in cases()} == set(UNCHANGING)
    assert isinstance(line4_project(), Project)
