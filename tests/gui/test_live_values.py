"""Values of the demo plant in the window: live, stale when nobody answers, and never a line over what nobody saw."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from app.edits.assets import add_asset
from app.edits.tags import set_group
from app.itmodels.base import ReadModel, TypeDraft, edit_from_model
from app.model.itmodel import Asset, AssetType
from app.model.mapping import Mapping
from app.model.plant import Group, Tag
from app.plant.process import Plant
from tests.gui.driving import FILLER, Driver, line_address
from widgets.dialogs.group import group_with
from widgets.dialogs.make_type import MakeTypeDialog
from widgets.look import BADGE_ROLE, QUALITY_ROLE, Badge
from widgets.models.tag_table import NAME, QUALITY, VALUE
from widgets.node_tags import tags_from_nodes
from widgets.plots.grid import PlotGrid

FLOW, LEVEL, PRESSURE = (line_address(f"Line4/Filler1/{name}") for name in ("FT-101.PV", "LT-103.PV", "PT-102.PV"))


def cell(gui: Driver, tag: str, column: int) -> str:
    model = gui.tags.model
    return str(model.index(model.row_of(tag), column).data())


def badge(gui: Driver, tag: str) -> str:
    found = gui.tags.model.index(gui.tags.model.row_of(tag), QUALITY).data(BADGE_ROLE)
    return found.state if isinstance(found, Badge) else ""


def live(gui: Driver, *tags: str) -> None:
    gui.until(lambda: all(badge(gui, tag) == "good" for tag in tags), "no live values")


@pytest.fixture
def flow(gui: Driver, plant: Plant) -> str:
    """A tag with a live value; its id."""
    endpoint = gui.add_opcua(plant)
    (tag,) = gui.add_tags(endpoint, FLOW)
    gui.connect(endpoint)
    live(gui, tag)
    return tag


def test_that_values_of_both_protocols_come_alive_with_quality_times_and_rate(gui: Driver, plant: Plant) -> None:
    opcua, meter = gui.add_opcua(plant), gui.add_modbus(plant)
    (flow,) = gui.add_tags(opcua, FLOW)
    (voltage,) = gui.add_tags(meter, "3/holding:100:float32:CDAB", names=["Voltage L1"])
    gui.workbench.do(group_with(gui.workbench.project, "quick", 200, 0.0, [flow, voltage]))
    gui.connect(opcua, meter)
    live(gui, flow, voltage)
    assert 200 < float(cell(gui, voltage, VALUE)) < 260
    texts = {gui.tags.model.headerData(column, Qt.Orientation.Horizontal): cell(gui, flow, column) for column in range(13)}
    assert texts["Source time (local)"]
    assert texts["Server time (local)"]
    assert texts["Received (local)"]
    assert texts["Rate"] == "200 ms"
    assert not cell(gui, voltage, 4), "Modbus has no source time"
    before = cell(gui, flow, 6)
    gui.until(lambda: cell(gui, flow, 6) != before, "the value is not refreshed")
    index = gui.tags.model.index(gui.tags.model.row_of(flow), VALUE)
    assert index.data(QUALITY_ROLE) == "good"
    assert "Good (0x00000000)" in str(index.data(Qt.ItemDataRole.ToolTipRole))


def test_that_the_table_keeps_the_rules_of_item_models_while_values_come(gui: Driver, flow: str) -> None:
    tester = QAbstractItemModelTester(gui.tags.model, QAbstractItemModelTester.FailureReportingMode.Warning)
    before = cell(gui, flow, 6)
    gui.until(lambda: cell(gui, flow, 6) != before)
    del tester


def test_that_pause_all_reading_asks_nothing_of_any_device_until_it_goes_on(gui: Driver, flow: str) -> None:
    gui.window.menus.trigger("endpoint.pause")
    gui.until(lambda: badge(gui, flow) == "stale", "a paused value looks live")
    received = gui.workbench.live.reading(flow).sample
    gui.run(1200)
    assert gui.workbench.live.reading(flow).sample == received
    gui.window.menus.trigger("endpoint.pause")
    live(gui, flow)


def test_that_a_slower_group_takes_effect_at_the_device(gui: Driver, plant: Plant) -> None:
    meter = gui.add_modbus(plant)
    (voltage,) = gui.add_tags(meter, "3/holding:100:float32:CDAB")
    gui.connect(meter)
    live(gui, voltage)
    gui.workbench.do(group_with(gui.workbench.project, "slow", 2000, 0.0, [voltage]))
    gui.until(lambda: gui.workbench.live.reading(voltage).interval_ms == 2000)
    gui.workbench.do(set_group(gui.workbench.project, [voltage], ""))
    gui.until(lambda: gui.workbench.live.reading(voltage).interval_ms == 1000)
    assert len(gui.workbench.project.all(Group)) == 1


def test_that_a_killed_server_makes_its_tags_stale_at_once_leaves_a_gap_and_comes_back_by_itself(gui: Driver, own_plant: Plant) -> None:
    endpoint, meter = gui.add_opcua(own_plant), gui.add_modbus(own_plant)
    (flow,) = gui.add_tags(endpoint, FLOW)
    (voltage,) = gui.add_tags(meter, "3/holding:100:float32:CDAB")
    gui.workbench.do(group_with(gui.workbench.project, "quick", 100, 0.0, [flow, voltage]))
    gui.connect(endpoint, meter)
    live(gui, flow, voltage)
    plots = gui.plots
    gui.window.show_mode("plot")
    gui.workbench.plot_asked.emit([flow, voltage])
    gui.until(lambda: np.isfinite(curve(plots, flow)[1]).sum() >= 4)
    own_plant.kill_opcua()
    killed = time.monotonic()
    gui.until(lambda: badge(gui, flow) == "stale", "values of a dead server look live")
    assert time.monotonic() - killed < 10
    assert cell(gui, flow, QUALITY).startswith("stale ")
    assert badge(gui, voltage) == "good", "the other endpoint is none of its business"
    gui.until(lambda: "retry" in gui.chip(endpoint), "the chip does not say when it tries again")
    lost_s = (time.time_ns() - plots._base_ns) / 1e9
    own_plant.restart_opcua()
    live(gui, flow)
    gui.until(lambda: (finite_times(plots, flow) > lost_s).sum() >= 4, "nothing is drawn after the loss")
    _, y = curve(plots, flow)
    assert np.isnan(y).any(), "a line is drawn over what nobody saw"
    gap = np.flatnonzero(np.isnan(y))
    assert np.isfinite(y[: gap[0]]).any()
    assert np.isfinite(y[gap[-1] :]).any()
    assert gui.phase(endpoint) == "connected"


def test_that_namespaces_are_noted_once_and_stay_undone(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_opcua(plant)
    gui.add_tags(endpoint, line_address("Line4/Filler1/FT-101.PV"))
    gui.workbench.select("endpoint", [endpoint], endpoint)
    gui.connect(endpoint)
    gui.until(lambda: gui.workbench.endpoints()[endpoint].namespaces, "the namespaces were not noted")
    assert gui.workbench.editor.undo_name == "Note namespaces of filler-opcua"
    gui.workbench.editor.undo()
    gui.run(300)
    assert not gui.workbench.endpoints()[endpoint].namespaces


def test_that_the_first_tags_of_a_server_bring_the_order_of_its_namespaces_in_the_same_edit(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_opcua(plant)
    gui.connect(endpoint)
    address = "nsu=urn:tagloom:plant:line;s=Line4/Filler1/FT-101.PV"
    tags_from_nodes(gui.workbench, endpoint, [address])
    gui.until(lambda: gui.workbench.project.tags_at(endpoint, address), "no tag was made")
    assert "urn:tagloom:plant:line" in gui.workbench.endpoints()[endpoint].namespaces
    gui.workbench.editor.undo()
    assert not gui.workbench.project.tags_at(endpoint, address)
    assert not gui.workbench.endpoints()[endpoint].namespaces


# Plots


def curve(plots: PlotGrid, tag: str) -> tuple[np.ndarray, np.ndarray]:
    """What is drawn of a tag: seconds and values."""
    for pane in plots.panes:
        if tag in pane.tags:
            return pane.curves.lines[tag].x, pane.curves.lines[tag].y
    return np.empty(0), np.empty(0)


def finite_times(plots: PlotGrid, tag: str) -> np.ndarray:
    x, y = curve(plots, tag)
    drawn: np.ndarray = x[np.isfinite(y)]
    return drawn


@pytest.fixture
def plotted(gui: Driver, plant: Plant) -> list[str]:
    """Three tags of the filler, live, two in one plot and one in another; their ids."""
    endpoint = gui.add_opcua(plant)
    tags = gui.add_tags(endpoint, FLOW, LEVEL, PRESSURE)
    gui.workbench.do(group_with(gui.workbench.project, "quick", 100, 0.0, tags))
    gui.connect(endpoint)
    plots = gui.plots
    gui.window.show_mode("plot")
    plots.plot_tags(tags[:2])
    plots.add_pane([tags[2]])
    history = gui.workbench.live.history
    gui.until(lambda: all(len(history.series(tag).value) >= 3 and len(finite_times(plots, tag)) for tag in tags), "nothing is drawn")
    return tags


def wheel(gui: Driver, plots: PlotGrid, clicks: int) -> None:
    viewport = plots.panes[0].plot.viewport()
    at = QPointF(viewport.rect().center() - QPoint(120, 0))
    buttons, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(at, viewport.mapToGlobal(at), QPoint(), QPoint(0, 120 * clicks), buttons, keys, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(viewport, event)


def pan(plots: PlotGrid, seconds: float) -> None:
    """As a drag in the first plot does, in many small steps."""
    box = plots.panes[0].plot.getViewBox()
    for _ in range(20):
        box.translateBy(x=-seconds / 20)
        box.sigRangeChangedManually.emit([True, False])


def test_that_plots_share_their_time_and_follow_it(gui: Driver, plotted: list[str]) -> None:
    plots = gui.plots

    def shown() -> list[list[float]]:
        return [pane.plot.getViewBox().viewRange()[0] for pane in plots.panes]

    for _ in range(3):  # they are drawn one after the other
        right = plots.right_s
        gui.until(lambda right=right: shown()[0] == shown()[1] and plots.right_s > right + 0.1, "the plots show other times")  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        assert shown()[1][1] > right


def test_that_the_wheel_zooms_and_live_goes_on_following(gui: Driver, plotted: list[str]) -> None:
    plots = gui.plots
    before = plots.window_s
    for _ in range(4):
        wheel(gui, plots, 1)
    assert plots.window_s < before / 2
    assert plots.follows
    assert plots.live.isChecked()
    right = plots.right_s
    gui.until(lambda: plots.right_s > right + 0.2, "it does not follow any more")
    width = np.diff(plots.panes[1].plot.getViewBox().viewRange()[0])[0]
    assert width == pytest.approx(plots.window_s, rel=1e-3)


def test_that_panning_back_leaves_live_and_the_button_returns(gui: Driver, plotted: list[str]) -> None:
    plots = gui.plots
    pan(plots, 10.0)
    assert not plots.follows
    assert not plots.live.isChecked()
    held = plots.right_s
    gui.run(400)
    assert plots.right_s == held
    plots.live.click()
    gui.until(lambda: plots.follows and plots.right_s > held + 5)


def test_that_pause_holds_the_picture_while_samples_are_collected(gui: Driver, plotted: list[str]) -> None:
    plots = gui.plots
    gui.press(gui.window.mode_widget("plot"), Qt.Key.Key_Space)
    assert plots.pause.isChecked()
    held = curve(plots, plotted[0])[0].copy()
    count = len(gui.workbench.live.history.series(plotted[0], "receive").value)
    gui.until(lambda: len(gui.workbench.live.history.series(plotted[0], "receive").value) > count + 2, "samples stop while paused")
    assert np.array_equal(curve(plots, plotted[0])[0], held)
    plots.pause.click()
    gui.until(lambda: not np.array_equal(curve(plots, plotted[0])[0], held))


def test_that_the_legend_shows_the_newest_values_with_their_units(gui: Driver, plotted: list[str]) -> None:
    model = gui.plots.panes[0].legend.model()
    assert [model.index(row, 0).data() for row in range(2)] == ["FT-101.PV", "LT-103.PV"]
    gui.until(lambda: model.index(0, 1).data() and model.index(0, 1).data() == cell(gui, plotted[0], VALUE))


def test_that_the_axis_names_the_unit_when_all_curves_share_it(gui: Driver, plant: Plant) -> None:

    endpoint = gui.add_opcua(plant)
    gui.connect(endpoint)
    gui.window.show_mode("plot")
    pane = gui.plots.panes[0]
    tags_from_nodes(gui.workbench, endpoint, [FLOW], pane.add_tags)
    gui.until(lambda: pane.tags)
    axis = pane.plot.getPlotItem().getAxis("left")
    assert axis.labelText == "l/min"
    assert axis.label.isVisible()
    tags_from_nodes(gui.workbench, endpoint, [LEVEL], pane.add_tags)
    gui.until(lambda: len(pane.tags) == 2)
    assert not axis.label.isVisible()


def test_that_a_png_of_all_plots_is_written(gui: Driver, plotted: list[str], tmp_path: Path) -> None:
    gui.plots.save_picture(tmp_path / "plots.png")
    image = QImage(str(tmp_path / "plots.png"))
    assert image.width() >= gui.plots.width()
    colours = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
    assert len(colours) > 3


def test_that_the_visible_samples_are_written_as_csv_and_read_back(gui: Driver, plotted: list[str], tmp_path: Path) -> None:
    plots = gui.plots
    plots.pause.click()
    rows_written = plots.save_csv(tmp_path / "samples.csv")
    with (tmp_path / "samples.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == rows_written > 4
    names = {gui.workbench.project.all(Tag)[tag].name for tag in plotted}
    assert {row["tag"] for row in rows} == names
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    history = gui.workbench.live.history.series(plotted[0])
    flow = [float(row["value"]) for row in rows if row["tag"] == "FT-101.PV"]
    assert flow == pytest.approx(history.value[: len(flow)].tolist())


def test_that_plots_are_kept_with_the_project_and_watched_when_it_is_opened_again(gui: Driver, plotted: list[str], tmp_path: Path) -> None:
    path = tmp_path / "line.tagloom"
    gui.workbench.save(path)
    gui.workbench.open(path)
    assert [pane.tags for pane in gui.plots.panes] == [plotted[:2], plotted[2:]]
    assert set(plotted) <= gui.workbench.live.wanted()
    assert all(gui.phase(id_) == "off" for id_ in gui.workbench.endpoints()), "opening connects nothing"


def test_that_times_of_the_axis_are_local_or_utc(gui: Driver, plotted: list[str]) -> None:
    plots = gui.plots
    assert plots.zone.text() == "Local time"
    plots.zone.click()
    assert plots.zone.text() == "UTC"
    axis = plots.panes[0].axis
    moment = time.gmtime(plots._base_ns / 1e9)
    assert axis.tickStrings([0.0], 1.0, 10.0) == [time.strftime("%H:%M:%S", moment)]


def test_that_a_value_that_does_not_change_is_drawn_on_as_long_as_it_is_live(gui: Driver, plant: Plant) -> None:
    meter = gui.add_opcua(plant)
    (setpoint,) = gui.add_tags(meter, line_address("Line4/Filler1/SC-105.SP"))
    gui.connect(meter)
    gui.window.show_mode("plot")
    gui.plots.plot_tags([setpoint])
    gui.until(lambda: gui.workbench.live.reading(setpoint).sample)
    first = gui.plots.right_s
    gui.until(lambda: len(finite_times(gui.plots, setpoint)) and finite_times(gui.plots, setpoint)[-1] > first + 1, "the line ends")
    assert len(gui.workbench.live.history.series(setpoint).value) == 1


# Drags between the panels


def test_that_a_node_dropped_on_a_plot_becomes_a_tag_and_a_curve(gui: Driver, plant: Plant) -> None:
    gui.connect(gui.add_opcua(plant))
    gui.window.show_mode("plot")
    index = gui.expand("filler-opcua", *FILLER, "FT-101.PV")
    pane = gui.plots.panes[0]
    assert gui.drag(gui.endpoints.tree, [index], pane)
    gui.until(lambda: pane.tags)
    assert gui.names() == {"FT-101.PV"}


def test_that_a_tag_dropped_on_a_plot_is_drawn_and_the_menu_and_key_do_the_same(gui: Driver, flow: str) -> None:
    index = gui.tags.model.index(gui.tags.model.row_of(flow), NAME)
    plots = gui.plots
    gui.window.show_mode("plot")
    assert gui.drag(gui.tags.view, [index], plots.panes[0])
    assert plots.panes[0].tags == [flow]
    plots.panes[0].remove_tag(flow)
    gui.window.show_mode("connect")
    gui.choose(gui.tags.view, index)
    gui.menu(gui.tags.view, index)["Plot"]()
    assert plots.panes[0].tags == [flow]
    plots.panes[0].remove_tag(flow)
    gui.choose(gui.tags.view, index)
    gui.press(gui.tags.view, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    assert plots.panes[0].tags == [flow]
    assert gui.window.mode == "plot"


def assets(gui: Driver) -> None:
    """An asset with one attribute that the flow fits."""
    type_ = TypeDraft(
        "Filler", attributes=[{"name": "fillFlow", "data_type": "float64", "unit": "L2"}, {"name": "recipe", "data_type": "string"}]
    )
    gui.workbench.do(edit_from_model(gui.workbench.project, ReadModel([type_]), "typed"))
    (made,) = gui.workbench.project.all(AssetType)
    gui.workbench.do(add_asset(gui.workbench.project, "Filler 1", made, ""))


@pytest.mark.parametrize("source", ["node", "tag"])
def test_that_what_is_dropped_on_an_attribute_feeds_it(gui: Driver, plant: Plant, source: str) -> None:
    endpoint = gui.add_opcua(plant)
    if source == "tag":
        gui.add_tags(endpoint, FLOW)
    assets(gui)
    gui.connect(endpoint)
    gui.window.show_mode("map")
    view, model = gui.map.view, gui.map.model
    (asset,) = gui.workbench.project.all(Asset)
    attribute = next(iter(gui.workbench.project.attributes_of(next(iter(gui.workbench.project.all(AssetType))))))
    target = model.index_of_id(f"{asset}\0{attribute.id}")
    assert target.isValid()
    at = view.visualRect(target).center()
    if source == "node":
        assert gui.drag(gui.endpoints.tree, [gui.expand("filler-opcua", *FILLER, "FT-101.PV")], view.viewport(), at)
    else:
        assert gui.drag(gui.tags.view, [gui.tags.model.index(0, NAME)], view.viewport(), at)
    gui.until(lambda: gui.workbench.project.all(Mapping), "nothing was mapped")
    (mapping,) = gui.workbench.project.all(Mapping).values()
    assert (mapping.asset, mapping.attribute) == (asset, attribute.id)
    assert gui.workbench.project.all(Tag)[mapping.sources[0]].address == FLOW


# Make asset type from this


def make_type(gui: Driver, name: str) -> None:
    index = gui.expand("filler-opcua", *FILLER[:-1], name)
    gui.menu(gui.endpoints.tree, index)["Make asset type from this…"]()
    dialog = gui.dialog(MakeTypeDialog)
    assert isinstance(dialog, MakeTypeDialog)
    assert dialog.type_name.text() == "Filler"
    assert dialog.asset_name.text() == name
    dialog._on_make()
    assert not dialog.message.isVisible(), dialog.message.details()


def test_that_an_object_becomes_type_asset_tags_and_mappings_as_one_edit_and_the_next_one_uses_the_type(gui: Driver, plant: Plant) -> None:
    gui.connect(gui.add_opcua(plant))
    project = gui.workbench.project
    before = project.ids()
    make_type(gui, "Filler1")
    gui.until(lambda: project.all(Asset))
    (type_,) = project.all(AssetType).values()
    attributes = {attribute.name: attribute for attribute in project.attributes_of(type_.id)}
    assert attributes["FT-101.PV"].unit == "L2"
    assert (attributes["FT-101.PV"].low, attributes["FT-101.PV"].high) == (0.0, 150.0)
    assert not attributes.keys() & {"EURange", "EngineeringUnits", "EnumStrings"}
    assert len(project.all(Mapping)) == len(project.all(Tag)) == len(attributes)
    assert gui.window.mode == "map"
    gui.workbench.editor.undo()
    assert project.ids() == before
    gui.workbench.editor.redo()
    count = len(attributes)
    make_type(gui, "Filler2")
    gui.until(lambda: len(project.all(Asset)) == 2)
    assert len(project.all(AssetType)) == 1
    assert len(project.all(Mapping)) == 2 * count
