"""The window when another device answers than the project knows: it says so everywhere, and shows no value."""

from __future__ import annotations

from app.edits.edit import replace, with_fields
from app.edits.endpoints import confirm_identity
from app.model.plant import Endpoint, Identity
from app.plant.process import Plant
from tests.gui.driving import Driver, line_address
from widgets.look import BADGE_ROLE, Badge
from widgets.models.address_space import STATE_ROLE
from widgets.models.tag_table import QUALITY
from widgets.node_tags import tags_from_nodes, with_namespaces


def identity(gui: Driver, endpoint: str) -> Identity:
    return gui.workbench.project.all(Endpoint)[endpoint].identity


def test_that_the_first_tags_note_who_answers_in_the_same_step_and_later_ones_do_not(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_opcua(plant)
    gui.connect(endpoint)
    address = line_address("Line4/Filler1/FT-101.PV")
    tags_from_nodes(gui.workbench, endpoint, [address])
    gui.until(lambda: gui.workbench.project.tags_at(endpoint, address), "no tag was made")
    assert identity(gui, endpoint).application_uri == "urn:tagloom:plant:server"
    gui.workbench.editor.undo()
    assert identity(gui, endpoint) == Identity()
    assert not gui.workbench.project.tags_of(endpoint)
    gui.add_tags(endpoint, address)
    later = with_namespaces(gui.workbench, endpoint, replace("Nothing", gui.workbench.project, []))
    assert all(isinstance(change.after, Endpoint) and change.after.identity == Identity() for change in later.changes)


def test_that_another_device_is_told_in_tree_status_and_readings_until_it_is_confirmed(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_opcua(plant)
    (tag,) = gui.add_tags(endpoint, line_address("Line4/Filler1/FT-101.PV"))
    held = gui.workbench.project.all(Endpoint)[endpoint]
    gui.workbench.do(replace("Know", gui.workbench.project, [with_fields(held, identity=Identity(application_uri="urn:other"))]))
    gui.workbench.live.want("test", [tag])
    gui.connect(endpoint)
    top = gui.endpoints.model.index(0, 0)
    assert gui.endpoints.model.data(top, STATE_ROLE) == ("another device", "warn")
    gui.until(lambda: "another device" in gui.chip(endpoint), "the status bar does not say so")
    gui.run(500)
    reading = gui.workbench.live.reading(tag)
    assert reading.sample is None
    badge = gui.tags.model.index(gui.tags.model.row_of(tag), QUALITY).data(BADGE_ROLE)
    assert isinstance(badge, Badge)
    assert (badge.state, badge.words) == ("other device", "another device")
    assert reading.problem == "another device answers: application URI urn:other → urn:tagloom:plant:server"
    gui.until(lambda: gui.endpoints.model.rowCount(top) > 1, "a held device cannot be browsed")
    assert with_namespaces(gui.workbench, endpoint, replace("Nothing", gui.workbench.project, [])).changes == ()
    report = gui.workbench.live.state(endpoint).report
    assert report is not None
    gui.workbench.do(confirm_identity(gui.workbench.project, endpoint, report.identity))
    gui.until(lambda: gui.workbench.live.reading(tag).sample is not None and not gui.workbench.live.reading(tag).stale, "it is still held")
