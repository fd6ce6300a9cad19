"""Snapshots in the window: taken beside the work, opened without a plant, mapped and checked, and never taken for live."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QUrl

from app.drivers.snapshot.contents import read_contents
from app.drivers.snapshot.writing import part_of
from app.edits import Editor
from app.edits.assets import add_asset, add_asset_type, add_attribute
from app.errors import UserError
from app.model.itmodel import Asset, Attribute
from app.model.mapping import Mapping
from app.model.plant import Endpoint, Tag
from app.model.project import Project, ProjectInfo
from app.plant.process import Plant
from app.runtime.live import LiveProject
from app.runtime.survey import Survey
from app.runtime.survey_steps import Wish
from tests.gui.driving import LINE, Driver, line_address
from widgets.details.endpoint import EndpointView
from widgets.dialogs.take_snapshot import TakeSnapshotDialog
from widgets.models.address_space import STATE_ROLE
from widgets.reading_text import quality_text
from widgets.snapshots import open_snapshot

FILLER = "/Objects" + "".join(f"/nsu={LINE};{name}" for name in ("Plant1", "Packaging", "Line4", "Filler1"))
FLOW = line_address("Line4/Filler1/FT-101.PV")


@pytest.fixture(scope="session")
def files(plant: Plant, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A snapshot of each endpoint of the plant, taken by the runtime alone."""
    folder = tmp_path_factory.mktemp("snapshots")
    endpoints = [
        Endpoint(id="filler", name="filler-opcua", addresses={"default": plant.opcua_url}),
        Endpoint(id="meter", name="meter-modbus", addresses={"default": plant.modbus_url}),
    ]
    live = LiveProject(Editor(Project(ProjectInfo(id="p", name="P"), endpoints)))
    found: dict[str, Path] = {}
    try:
        for id_, wish in (
            ("filler", Wish(folder / "filler", root=FILLER, per_s=5000)),
            ("meter", Wish(folder / "meter", ranges="3/holding:100-130", per_s=5000)),
        ):
            live.connect(id_)
            live.wait_connected(id_, 20)
            survey = Survey(live, id_, wish)
            while not survey.progress.ended:
                for reply in live.pump().replies:
                    survey.on_reply(reply)
                survey.step()
                live.idle(0.01)
            assert survey.progress.error is None, survey.progress.error
            found[id_] = survey.path
    finally:
        live.close()
    return found


def dropped(gui: Driver, path: Path) -> bool:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    return gui.drop(data, gui.window)


def card(gui: Driver, endpoint: str) -> EndpointView:
    gui.workbench.select("endpoint", [endpoint], endpoint)
    found = gui.window.docks()["details"].widget().findChild(EndpointView)
    assert isinstance(found, EndpointView)
    return found


def test_that_a_dropped_snapshot_is_browsed_mapped_and_checked_without_any_plant(gui: Driver, files: dict[str, Path]) -> None:
    workbench = gui.workbench
    assert dropped(gui, files["filler"])
    (endpoint,) = workbench.endpoints().values()
    gui.until(lambda: gui.phase(endpoint.id) == "connected", "the snapshot did not open")
    assert endpoint.addresses["default"].startswith("opc.tcp://")
    assert endpoint.identity.application_uri == "urn:tagloom:plant:server"
    assert len(endpoint.namespaces) == 4
    flow = gui.expand("filler-opcua", "Filler1", "FT-101.PV")
    assert gui.endpoints.model.index(0, 0).data(STATE_ROLE) == ("snapshot", "stale")

    assert gui.drag(gui.endpoints.tree, [flow], gui.tags._empty)
    gui.until(lambda: len(workbench.project.all(Tag)) == 1, "no tag was made")
    (tag,) = workbench.project.all(Tag).values()
    assert (tag.address, tag.type, tag.unit) == (FLOW, "float32", "L2")
    gui.until(lambda: workbench.live.reading(tag.id).sample is not None, "no value came")
    reading = workbench.live.reading(tag.id)
    assert reading.stale
    assert quality_text(reading).startswith("as of ")

    type_ = add_asset_type(workbench.project, "Filler")
    workbench.do(type_)
    workbench.do(add_attribute(workbench.project, type_.changes[0].id, "flow", "float64"))
    workbench.do(add_asset(workbench.project, "Filler1", type_.changes[0].id))
    gui.window.show_mode("map")
    view = gui.map.view
    view.expandAll()
    (asset,), (held,) = workbench.project.all(Asset), workbench.project.all(Attribute)
    attribute = gui.map.model.index_of_id(f"{asset}\0{held}")
    assert attribute.isValid()
    assert gui.drag(gui.endpoints.tree, [flow], view.viewport(), view.visualRect(attribute).center())
    gui.until(lambda: workbench.project.all(Mapping), "nothing was mapped")
    (mapping,) = workbench.project.all(Mapping).values()
    assert mapping.sources == (tag.id,)
    gui.until(lambda: not workbench._check.isActive(), "no check ran")
    assert not [one for one in workbench.findings if one.severity == "error"], workbench.findings
    assert gui.errors() == ""


def test_that_nothing_of_a_snapshot_looks_live(gui: Driver, files: dict[str, Path]) -> None:
    open_snapshot(gui.workbench, files["meter"])
    (endpoint,) = gui.workbench.endpoints()
    gui.until(lambda: gui.phase(endpoint) == "connected", "the snapshot did not open")
    (tag,) = gui.add_tags(endpoint, "3/holding:100:float32", names=["energy"])
    gui.window.show_mode("connect")
    gui.until(lambda: gui.workbench.live.reading(tag).sample is not None, "no value came")
    told: list[bool] = []
    deadline_s = time.monotonic() + 1.5
    gui.until(lambda: told.append(gui.workbench.live.reading(tag).stale) is None and time.monotonic() > deadline_s)  # type: ignore[func-returns-value]  # it is looked at each time
    assert all(told)
    assert gui.workbench.live.history.tags() == []
    gui.until(lambda: "snapshot of 20" in gui.chip(endpoint), gui.chip(endpoint))
    view = card(gui, endpoint)
    assert "nothing of it is live" in view.subtitle.text()
    keys = {row.key for row in view.rows.rows()}
    assert "Reached as" in keys
    assert not keys & {"Round trip", "Watched"}
    assert view.back.isVisible()


def test_that_the_endpoint_of_then_is_found_again_and_the_project_stays(gui: Driver, plant: Plant, files: dict[str, Path]) -> None:
    other, meter = gui.add_opcua(plant, "another name"), gui.add_modbus(plant, unit=None)
    before = gui.workbench.project
    open_snapshot(gui.workbench, files["filler"])
    open_snapshot(gui.workbench, files["meter"])
    for endpoint in (other, meter):
        gui.until(lambda id_=endpoint: gui.workbench.live.state(id_).as_of_ns is not None)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    assert [one.addresses for one in gui.workbench.endpoints().values()] == [one.addresses for one in before.all(Endpoint).values()]
    kept = gui.workbench.workspace.reach(gui.workbench.project.info.id)
    assert kept[other] == f"snapshot:{files['filler']}"
    with pytest.raises(UserError, match="another protocol"):
        open_snapshot(gui.workbench, files["meter"], other)

    gui.workbench.select("endpoint", [other], other)
    gui.window.menus.trigger("endpoint.back_to_device")
    gui.until(lambda: gui.phase(other) == "connected" and gui.workbench.live.state(other).as_of_ns is None, "it is not back")
    assert other not in gui.workbench.workspace.reach(gui.workbench.project.info.id)
    assert not card(gui, other).back.isVisible()


def test_that_a_file_that_is_none_is_refused_in_the_window(gui: Driver, tmp_path: Path) -> None:
    path = tmp_path / "x.tagloom-snapshot"
    path.write_text("nonsense\n")
    assert dropped(gui, path)
    assert "begin like a snapshot" in gui.errors()
    assert not gui.workbench.endpoints()


def dialog(gui: Driver, endpoint: str, path: Path) -> TakeSnapshotDialog:
    gui.workbench.select("endpoint", [endpoint], endpoint)
    gui.window.menus.trigger("endpoint.take_snapshot")
    found = gui.dialog(TakeSnapshotDialog)
    assert isinstance(found, TakeSnapshotDialog)
    assert not found.isModal()
    found.file.setText(str(path))
    return found


def test_that_a_snapshot_is_taken_stopped_and_gone_on_with(gui: Driver, plant: Plant, tmp_path: Path) -> None:
    endpoint = gui.add_opcua(plant)
    gui.connect(endpoint)
    path = tmp_path / "mine.tagloom-snapshot"
    opened = dialog(gui, endpoint, path)
    opened.root.setText("/Objects/2:Plant1/2:Packaging/2:Line4/2:Filler1")
    opened.rate.setValue(300)
    opened.begin.click()
    gui.until(lambda: opened.bar.value() > 30, "it does not go on")
    assert opened.stop.isVisible()
    assert "found so far" in opened.said.text()
    opened.stop.click()
    begun = part_of(path).read_bytes()
    assert not path.exists()
    assert opened.begin.text() == "Go on"
    assert "not asked for again" in opened.noticed.text()
    opened.rate.setValue(5000)
    opened.begin.click()
    gui.until(lambda: path.exists(), "it was not finished", 30_000)
    assert path.read_bytes().startswith(begun)
    contents = read_contents(path)
    assert contents.tree is not None
    assert FLOW in contents.tree
    gui.until(lambda: opened.begin.isHidden())
    opened.close_button.click()


def test_that_problems_are_said_in_the_dialog_and_closing_it_keeps_what_was_taken(gui: Driver, plant: Plant, tmp_path: Path) -> None:
    endpoint = gui.add_modbus(plant)
    gui.connect(endpoint)
    path = tmp_path / "meter.tagloom-snapshot"
    opened = dialog(gui, endpoint, path)
    opened.begin.click()
    gui.until(lambda: "never read blindly" in opened.message.details(), "it did not say so")
    opened.ranges.setText("holding:1-")
    opened.begin.click()
    assert "Not a range" in opened.message.details()
    opened.ranges.setText("3/holding:100-400")
    opened.rate.setValue(150)
    opened.begin.click()
    gui.until(lambda: opened.bar.value() > 0, "it does not go on")
    opened.reject()
    assert part_of(path).exists()
    assert not path.exists()


def test_that_the_actions_are_there_when_they_can_be_used(gui: Driver, plant: Plant, files: dict[str, Path]) -> None:
    def enabled(key: str) -> bool:
        return gui.window.menus.entries([key])[0].isEnabled()

    assert not enabled("endpoint.take_snapshot")
    endpoint = gui.add_opcua(plant)
    gui.connect(endpoint)
    gui.workbench.select("endpoint", [endpoint], endpoint)
    gui.until(lambda: enabled("endpoint.take_snapshot") and not enabled("endpoint.back_to_device"))
    open_snapshot(gui.workbench, files["filler"], endpoint)
    gui.until(lambda: gui.workbench.live.state(endpoint).as_of_ns is not None)
    gui.workbench.select("", [])
    gui.workbench.select("endpoint", [endpoint], endpoint)
    gui.until(lambda: enabled("endpoint.back_to_device") and not enabled("endpoint.take_snapshot"))
