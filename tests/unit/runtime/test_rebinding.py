from __future__ import annotations

from app.drivers.base import ItemState, NodeDetails
from app.runtime.rebinding import candidates, rebindings
from tests.factory import line4_project

MOVED = ItemState(handle=1, rebind="nsu=urn:a;i=7")
TAKEN = ItemState(handle=2, refused="identity changed: …", rebind="nsu=urn:a;i=8")
RETYPED = ItemState(handle=3, refused="identity changed: …")


def test_that_the_tags_own_variable_stands_before_what_has_taken_its_place() -> None:
    project = line4_project()
    found = candidates(project, {"t-flow": TAKEN, "t-voltage": MOVED, "t-gone": MOVED}.items())
    told = [(one.tag, one.way, one.address, one.withheld) for one in found]
    own = project.element("t-flow")
    assert told == [
        ("t-flow", "moved", "nsu=urn:a;i=8", True),
        ("t-flow", "taken", own.address, True),  # type: ignore[union-attr]  # it is a tag
        ("t-voltage", "moved", "nsu=urn:a;i=7", False),
    ]


def test_that_a_retyped_variable_can_only_be_taken_as_it_is() -> None:
    (one,) = candidates(line4_project(), {"t-flow": RETYPED}.items())
    assert (one.way, one.withheld, one.endpoint) == ("taken", True, "filler-opcua")


def test_that_a_tag_that_was_re_bound_meanwhile_is_no_candidate() -> None:
    project = line4_project()
    own = project.element("t-flow")
    assert candidates(project, {"t-flow": ItemState(handle=1, rebind=own.address)}.items()) == []  # type: ignore[union-attr]  # a tag


def test_that_the_fingerprint_is_what_was_read_just_now_and_what_cannot_be_read_is_left() -> None:
    chosen = candidates(line4_project(), {"t-flow": MOVED, "t-voltage": MOVED}.items())
    read = NodeDetails(id="nsu=urn:a;i=7", node_class="variable", type="int32", path="Line4/Flow")
    (one,) = rebindings(chosen, [read, NodeDetails(id="x", error="BadNodeIdUnknown")])
    assert one == ("t-flow", "nsu=urn:a;i=7", "int32", "Line4/Flow")
    assert rebindings(chosen[:1], [NodeDetails(id="x", node_class="object")]) == []
