from app.edits.removal import remove
from app.model.itmodel import Asset, AssetType, Place
from app.model.project import Project
from app.model.resolve import path_of
from app.review.approval import review_state
from tests.gui.mapping.conftest import click, type_into
from widgets.dialogs.asset import show_move_asset, show_new_asset, show_rename_asset
from widgets.dialogs.asset_type import AssetTypeDialog
from widgets.main_window import MainWindow
from widgets.workbench import Workbench


def paths(project: Project) -> set[str]:
    return {path_of(project, asset) for asset in project.all(Asset).values()}


def test_that_an_asset_is_made_at_a_place_that_is_there(window: MainWindow, line4: Workbench) -> None:
    before = len(line4.project.all(Place))
    dialog = show_new_asset(window, line4, "packaging")
    type_into(dialog.name, "Meter 2")
    dialog.type.setCurrentIndex(dialog.type.findData("meter"))
    assert "ACME/Plant 1/Packaging/Meter 2 gets 10 attributes" in dialog.summary.text()
    click(dialog.ok)
    assert "ACME/Plant 1/Packaging/Meter 2" in paths(line4.project)
    assert len(line4.project.all(Place)) == before
    line4.editor.undo()
    assert "ACME/Plant 1/Packaging/Meter 2" not in paths(line4.project)


def test_that_missing_places_of_a_typed_path_are_made_in_the_same_edit(window: MainWindow, line4: Workbench) -> None:
    places = set(line4.project.all(Place))
    dialog = show_new_asset(window, line4, "line-4-place")
    type_into(dialog.name, "Filler 9")
    dialog.type.setCurrentIndex(dialog.type.findData("filler"))
    dialog.place.levels["line"].setEditText("Line 5")
    dialog.place.levels["cell"].setEditText("Cell A")
    assert dialog.place.places.currentIndex() == -1
    click(dialog.ok)
    assert "ACME/Plant 1/Packaging/Line 5/Cell A/Filler 9" in paths(line4.project)
    assert len(set(line4.project.all(Place)) - places) == 2
    line4.editor.undo()
    assert set(line4.project.all(Place)) == places
    assert line4.editor.undo_name == ""


def test_that_a_path_typed_as_it_is_there_chooses_that_place(window: MainWindow, line4: Workbench) -> None:
    dialog = show_new_asset(window, line4)
    dialog.place.levels["enterprise"].setEditText("ACME")
    dialog.place.levels["site"].setEditText("Plant 1")
    assert dialog.place.places.currentData() == "plant-1"


def test_that_everything_missing_is_said_at_once(window: MainWindow, line4: Workbench) -> None:
    line4.do(remove("Remove", line4.project, list(line4.project.all(AssetType))))
    dialog = show_new_asset(window, line4)
    click(dialog.ok)
    assert "Asset type: no asset type is chosen" in dialog.message.details()
    assert "Name: the name is empty" in dialog.message.details()
    assert dialog.isVisible()


def test_that_a_name_that_is_taken_at_the_place_is_refused(window: MainWindow, line4: Workbench) -> None:
    dialog = show_new_asset(window, line4, "line-4-place")
    type_into(dialog.name, "Filler 1")
    click(dialog.ok)
    assert "an asset of this name is there already" in dialog.message.details()
    assert line4.editor.undo_name == ""


def test_that_the_first_type_can_be_made_from_the_dialog_and_is_then_chosen(window: MainWindow, line4: Workbench) -> None:
    dialog = show_new_asset(window, line4)
    click(dialog.new_type)
    child = next(widget for widget in dialog.children() if isinstance(widget, AssetTypeDialog))
    type_into(child.name, "Pump")
    click(child.ok)
    assert dialog.type.currentText() == "Pump"


def test_that_a_rename_changes_path_and_topic_and_lapses_approvals(window: MainWindow, line4: Workbench) -> None:
    assert review_state(line4.project, "m-fill-flow") == "approved"
    dialog = show_rename_asset(window, line4, "filler-1")
    assert dialog is not None
    type_into(dialog.name, "Filler A")
    click(dialog.ok)
    assert "ACME/Plant 1/Packaging/Line 4/Filler A" in paths(line4.project)
    assert review_state(line4.project, "m-fill-flow") == "changed"
    line4.editor.undo()
    assert review_state(line4.project, "m-fill-flow") == "approved"


def test_that_a_move_takes_the_asset_to_a_new_place(window: MainWindow, line4: Workbench) -> None:
    dialog = show_move_asset(window, line4, "meter-1")
    assert dialog is not None
    dialog.place.levels["area"].setEditText("Utilities")
    click(dialog.ok)
    assert "ACME/Plant 1/Utilities/Meter 1" in paths(line4.project)


def test_that_an_asset_that_is_gone_opens_no_dialog(window: MainWindow, line4: Workbench) -> None:
    assert show_rename_asset(window, line4, "nothing") is None
    assert show_move_asset(window, line4, "nothing") is None
