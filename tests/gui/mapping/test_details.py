import pytest
from PySide6.QtWidgets import QStackedWidget

from app.edits.removal import remove
from app.model.mapping import Mapping
from tests.gui.mapping.conftest import SetReading, click
from widgets.details.asset import AssetTypeView, AssetView, AttributeView
from widgets.details.curve import Line
from widgets.main_window import MainWindow
from widgets.workbench import Workbench

TEMPERATURE = "filler-1\0a-filler-producttemperature"


def shown(window: MainWindow) -> AttributeView | AssetView | AssetTypeView:
    window.docks()["details"].show()
    stack = window.docks()["details"].findChild(QStackedWidget)
    assert isinstance(stack, QStackedWidget)
    view = stack.currentWidget()
    assert isinstance(view, AttributeView | AssetView | AssetTypeView)
    return view


@pytest.fixture
def attribute(window: MainWindow, line4: Workbench, set_reading: SetReading) -> AttributeView:
    set_reading("t-temperature", 145.8)
    window.show_mode("map")
    line4.select("attribute", [TEMPERATURE])
    view = shown(window)
    assert isinstance(view, AttributeView)
    return view


def test_that_an_attribute_shows_source_transform_and_it_value(attribute: AttributeView) -> None:
    said = {row.key: row.value for row in attribute.rows.rows()}
    assert said["Source"] == "TT-104.PV"
    assert said["Source now"] == "145.8 °F"
    assert said["Transform"] == "°F → °C, round 2"
    assert said["IT value now"] == "63.22 °C"
    assert said["Review"] == "never reviewed"
    assert said["Comments"] == "J. Weiss: Is the transmitter in °F?"
    more = {row.key: row.value for row in attribute.more.rows()}
    assert more["Address"] == "nsu=urn:tagloom:plant:line;s=Line4/Filler1/TT-104.PV"
    assert more["Server time"].endswith(" UTC")
    assert "server time is delivered" in more["Policies"]


def test_that_the_curve_is_the_transform_over_the_range_of_the_tag(attribute: AttributeView) -> None:
    line = attribute.curve.line
    assert isinstance(line, Line)
    assert (line.low, line.high) == (32.0, 248.0)
    assert line.at(32.0) == pytest.approx(0.0)
    assert line.at(212.0) == pytest.approx(100.0)
    assert attribute.curve.isVisible()


def test_that_a_transform_that_is_no_line_has_no_curve(attribute: AttributeView, line4: Workbench) -> None:
    line4.select("attribute", ["meter-1\0a-meter-inductive"])
    assert not attribute.curve.isVisible()


def test_that_a_new_value_is_shown_when_it_comes(attribute: AttributeView, set_reading: SetReading) -> None:
    set_reading("t-temperature", 212.0)
    assert attribute.rows.value("IT value now") == "100 °C"
    set_reading("t-temperature", 212.0, stale=True)
    assert attribute.rows.value("Quality").startswith("stale")


def test_that_the_device_is_asked_for_the_tag_while_it_is_shown(attribute: AttributeView, line4: Workbench, window: MainWindow) -> None:
    assert "t-temperature" in line4.live._owners["details"]
    window.docks()["details"].hide()
    line4.staleness_ticked.emit()
    assert not line4.live._owners["details"]


def test_that_unmap_is_one_edit_and_the_view_then_offers_a_tag(attribute: AttributeView, line4: Workbench) -> None:
    click(attribute.unmap)
    assert line4.project.get(Mapping, "m-temperature") is None
    assert attribute.map.isVisible()
    assert not attribute.edit.isVisible()
    line4.editor.undo()
    assert attribute.edit.isVisible()


def test_that_findings_about_the_attribute_stand_with_it(window: MainWindow, line4: Workbench, set_reading: SetReading) -> None:
    window.show_mode("map")
    line4._on_check()
    line4.select("attribute", ["filler-2\0a-filler-bottles"])
    view = shown(window)
    assert "MAP-001" in [row.key for row in view.rows.rows()]


def test_that_an_attribute_that_is_gone_says_so(attribute: AttributeView, line4: Workbench) -> None:
    line4.do(remove("Remove", line4.project, ["a-filler-producttemperature"]))
    assert attribute.subtitle.text() == "this attribute is no longer in the project"
    assert attribute.rows.rows() == ()


def test_that_an_asset_shows_path_counts_and_topic(window: MainWindow, line4: Workbench) -> None:
    window.show_mode("map")
    line4.select("asset", ["filler-2"])
    view = shown(window)
    assert view.rows.value("Path") == "ACME/Plant 1/Packaging/Line 4/Filler 2"
    assert view.rows.value("Mapped") == "2 of 13 attributes"
    assert view.rows.value("Missing") == "2 required: bottles, recipe"
    assert view.rows.value("Topic") == "ACME/Plant 1/Packaging/Line 4/Filler 2"


def test_that_a_removed_asset_comes_back_with_its_mappings(window: MainWindow, line4: Workbench) -> None:
    window.show_mode("map")
    line4.select("asset", ["meter-1"])
    view = shown(window)
    assert isinstance(view, AssetView)
    click(view.remove_button)
    assert line4.project.get(Mapping, "m-voltage") is None
    assert "no longer" in view.subtitle.text()
    line4.editor.undo()
    assert line4.project.get(Mapping, "m-voltage") is not None


def test_that_an_asset_type_lists_its_attributes(window: MainWindow, line4: Workbench) -> None:
    window.show_mode("map")
    line4.select("asset type", ["filler"])
    view = shown(window)
    assert view.rows.value("bowlPressure") == "float64, 0 … 800 kPa"
    assert view.rows.value("motor.speed") == "int32, r/min"
    assert view.rows.value("Extends") == "Machine"


def test_that_the_actions_of_the_mapping_menu_follow_the_selection(window: MainWindow, line4: Workbench) -> None:
    def enabled(key: str) -> bool:
        return window.menus.entries([key])[0].isEnabled()

    line4.select("tag", ["t-flow"])
    assert not enabled("mapping.transform")
    assert not enabled("mapping.unmap")
    line4.select("attribute", [TEMPERATURE])
    assert enabled("mapping.transform")
    assert enabled("mapping.approve")
    window.menus.trigger("mapping.unmap")
    assert line4.project.get(Mapping, "m-temperature") is None
    line4.select("asset", ["filler-1"])
    assert enabled("mapping.rename_asset")
    assert not enabled("mapping.transform")


@pytest.mark.parametrize(
    "key",
    ["mapping.new_type", "mapping.edit_type", "mapping.new_asset", "mapping.rename_asset", "mapping.move_asset", "mapping.delivery",
     "mapping.approve", "mapping.import_types", "deploy.review_page"],
)  # fmt: skip
def test_that_every_dialog_of_the_menus_opens_and_closes_without_a_change(window: MainWindow, line4: Workbench, key: str) -> None:
    from PySide6.QtWidgets import QDialog

    line4.select("asset", ["filler-1"])
    window.menus.trigger(key)
    dialogs = [dialog for dialog in window.findChildren(QDialog) if dialog.isVisible()]
    assert len(dialogs) == 1
    dialogs[0].reject()
    assert line4.editor.undo_name == ""
