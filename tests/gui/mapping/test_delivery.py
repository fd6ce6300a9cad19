import json

import pytest
from PySide6.QtGui import QGuiApplication

from app.mapping.message import topic_of
from app.model.itmodel import Asset
from app.model.mapping import Delivery
from tests.gui.mapping.conftest import SetReading, click, type_into
from widgets.dialogs.delivery import CHOICES, DeliveryDialog, show_delivery
from widgets.main_window import MainWindow
from widgets.message_panel import MessagePanel
from widgets.workbench import Workbench


def choose(dialog: DeliveryDialog, field: str, option: object) -> None:
    box = dialog.boxes[field]
    box.setCurrentIndex(list(CHOICES[field][1]).index(option))
    box.activated.emit(box.currentIndex())


@pytest.fixture
def panel(window: MainWindow, line4: Workbench) -> MessagePanel:
    window.show_mode("map")
    dock = window.docks()["message"]
    dock.show()
    dock.raise_()
    found = dock.widget()
    assert isinstance(found, MessagePanel)
    return found


def test_that_every_closed_option_of_the_delivery_has_a_field() -> None:
    assert set(CHOICES) | {"topic", "period_ms"} == set(Delivery.__struct_fields__) - {"id", "extensions", "asset_type"}


def test_that_the_preview_follows_every_change_and_ok_makes_one_edit(window: MainWindow, line4: Workbench, set_reading: SetReading) -> None:
    set_reading("t-flow", 50.0)
    before = line4.project.all(Delivery)["default-delivery"]
    dialog = show_delivery(window, line4)
    dialog.asset.setCurrentIndex(dialog.asset.findData("filler-1"))
    assert json.loads(dialog.preview.toPlainText())["values"]["fillFlow"]["value"] == pytest.approx(50.9)
    choose(dialog, "keys", "snake_case")
    choose(dialog, "quality", "none")
    choose(dialog, "unit", False)
    assert json.loads(dialog.preview.toPlainText())["values"]["fill_flow"] == pytest.approx(50.9)
    type_into(dialog.topic, "spBv1.0/{site}/{asset}")
    assert dialog.shown_topic.text() == "spBv1.0/Plant 1/Filler 1"
    assert line4.project.all(Delivery)["default-delivery"] == before
    click(dialog.ok)
    assert topic_of(line4.project, line4.project.all(Asset)["filler-1"]) == "spBv1.0/Plant 1/Filler 1"
    line4.editor.undo()
    assert line4.project.all(Delivery)["default-delivery"] == before
    assert line4.editor.undo_name == ""


def test_that_a_change_for_one_type_makes_its_own_delivery_and_default_takes_it_away(window: MainWindow, line4: Workbench) -> None:
    dialog = show_delivery(window, line4, "filler")
    assert "uses the default" in dialog.state.text()
    choose(dialog, "qos", 2)
    assert "its own" in dialog.state.text()
    click(dialog.ok)
    assert line4.project.delivery_for("filler").qos == 2
    assert line4.project.delivery_for("").qos == 1
    again = show_delivery(window, line4, "filler")
    click(again.reset)
    click(again.ok)
    assert line4.project.delivery_for("filler").asset_type == ""


def test_that_changes_of_several_types_are_one_edit(window: MainWindow, line4: Workbench) -> None:
    dialog = show_delivery(window, line4, "filler")
    choose(dialog, "retain", True)
    dialog.scope.setCurrentIndex(dialog.scope.findData("meter"))
    assert dialog.boxes["keys"].currentData() == "snake_case"
    click(dialog.reset)
    click(dialog.ok)
    assert line4.project.delivery_for("filler").retain
    assert line4.project.delivery_for("meter").id == "default-delivery"
    line4.editor.undo()
    assert line4.project.delivery_for("meter").id == "meter-delivery"
    assert not line4.project.delivery_for("filler").retain
    assert line4.editor.undo_name == ""


def test_that_a_topic_that_cannot_be_published_to_is_refused_with_all_reasons(window: MainWindow, line4: Workbench) -> None:
    dialog = show_delivery(window, line4)
    choose(dialog, "trigger", "periodic")
    type_into(dialog.topic, "plant/#/{colour}")
    type_into(dialog.period, "often")
    click(dialog.ok)
    said = dialog.message.details()
    assert "{colour}" in said
    assert "cannot be published to" in said
    assert "'often' is no whole number" in said
    assert line4.editor.undo_name == ""


def test_that_one_message_per_attribute_is_previewed_one_by_one(window: MainWindow, line4: Workbench, set_reading: SetReading) -> None:
    dialog = show_delivery(window, line4, "filler")
    choose(dialog, "message", "attribute")
    assert dialog.shown_topic.text() == "13 messages"
    assert "ACME/Plant 1/Packaging/Line 4/Filler 1/motor.speed" in dialog.preview.toPlainText()


def test_that_the_message_panel_shows_the_selected_asset_live(panel: MessagePanel, line4: Workbench, set_reading: SetReading) -> None:
    set_reading("t-voltage", 230.4)
    line4.select("attribute", ["meter-1\0a-meter-voltagel1"])
    assert panel.topic.text() == "ACME/Plant 1/Packaging/Meter 1"
    assert json.loads(panel.view.toPlainText())["values"]["voltage_l1"]["value"] == pytest.approx(230.4, abs=1e-4)
    assert panel.state.text() == "9 of 10 values are not live"
    set_reading("t-voltage", 231.0)
    panel.refresh()
    assert json.loads(panel.view.toPlainText())["values"]["voltage_l1"]["value"] == 231.0


def test_that_topic_message_and_schema_are_copied(panel: MessagePanel, line4: Workbench, set_reading: SetReading) -> None:
    set_reading("t-voltage", 230.5)
    line4.select("asset", ["meter-1"])
    clipboard = QGuiApplication.clipboard()
    panel.copy_topic.click()
    assert clipboard.text() == "ACME/Plant 1/Packaging/Meter 1"
    panel.copy.click()
    message = json.loads(clipboard.text())
    panel.copy_schema.trigger()
    schema = json.loads(clipboard.text())
    assert schema["$schema"].endswith("2020-12/schema")
    import jsonschema

    jsonschema.validate(message, schema)


def test_that_the_panel_asks_for_its_tags_only_while_it_is_visible(panel: MessagePanel, window: MainWindow, line4: Workbench) -> None:
    line4.select("asset", ["meter-1"])
    assert "t-energy" in line4.live.wanted()
    window.docks()["message"].hide()
    assert "t-energy" not in line4.live.wanted()


def test_that_a_removed_asset_leaves_an_inviting_panel(panel: MessagePanel, line4: Workbench) -> None:
    from app.edits.removal import remove

    line4.select("asset", ["meter-1"])
    line4.do(remove("Remove", line4.project, ["meter-1"]))
    assert not panel.view.isVisible()


def test_that_a_tag_selected_meanwhile_leaves_the_message_in_view(panel: MessagePanel, line4: Workbench) -> None:
    line4.select("asset", ["meter-1"])
    line4.select("tag", ["t-flow"])
    assert panel.topic.text() == "ACME/Plant 1/Packaging/Meter 1"
