from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit
from pytestqt.qtbot import QtBot

from app.errors import UserError
from app.model.itmodel import AssetType, Attribute, Component
from app.model.mapping import Mapping
from app.model.resolve import attributes
from tests.gui.mapping.conftest import cells, click, type_into
from widgets.dialogs.asset_type import AssetTypeDialog, import_asset_types, import_file, show_asset_type
from widgets.main_window import MainWindow
from widgets.models.attribute_drafts import ENUM, NAME, REQUIRED, TYPE, UNIT
from widgets.workbench import Workbench


def opened(window: MainWindow, asset_type: str = "") -> AssetTypeDialog:
    dialog = show_asset_type(window, window.workbench, asset_type)
    assert dialog is not None
    return dialog


def put(dialog: AssetTypeDialog, row: int, column: int, text: str) -> None:
    """Type into a cell through its editor."""
    index = dialog.model.index(row, column)
    dialog.view.setCurrentIndex(index)
    dialog.view.edit(index)
    editor = dialog.view.indexWidget(index)
    assert isinstance(editor, QLineEdit)
    type_into(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QCoreApplication.processEvents()  # Qt commits after Return with a queued call, and only then closes the editor


def own(workbench: Workbench, asset_type: str) -> dict[str, Attribute]:
    return {attribute.name: attribute for attribute in workbench.project.attributes_of(asset_type)}


def test_that_a_type_is_made_in_the_window_as_one_edit_and_undo_removes_it_whole(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window)
    type_into(dialog.name, "Pump")
    put(dialog, 0, NAME, "flow")
    put(dialog, 0, UNIT, "m3/h")
    click(dialog.ok)
    made = next(type_ for type_ in line4.project.all(AssetType).values() if type_.name == "Pump")
    attribute = own(line4, made.id)["flow"]
    assert (attribute.data_type, attribute.unit) == ("float64", "MQH")
    line4.editor.undo()
    assert made.id not in line4.project
    assert line4.editor.undo_name == ""


def test_that_rows_of_a_spreadsheet_become_attributes(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window)
    type_into(dialog.name, "Valve")
    head = "name\ttype\tunit\tlow\thigh\trequired\tstates\tdescription\n"
    QGuiApplication.clipboard().setText(head + "state\tenum\t\t\t\tyes\t0=CLOSED|1=OPEN\tPosition\nopening\treal\t%\t0\t100,0\n")
    dialog.paste()
    click(dialog.ok)
    made = next(type_ for type_ in line4.project.all(AssetType).values() if type_.name == "Valve")
    found = own(line4, made.id)
    assert found["state"].enum == {"0": "CLOSED", "1": "OPEN"}
    assert found["state"].required
    opening = found["opening"]
    assert (opening.data_type, opening.unit, opening.low, opening.high, opening.required) == ("float32", "P1", 0.0, 100.0, False)


def test_that_every_wrong_cell_is_said_and_nothing_is_done(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window)
    type_into(dialog.name, "Filler")
    QGuiApplication.clipboard().setText("a\tfloat9\nb\tfloat64\tquux\nc\tfloat64\t\t9\t1\nb\tint16\n\tbool\n")
    dialog.paste()
    click(dialog.ok)
    said = dialog.message.details()
    for part in ("Name: an asset type of this name", "Row 1, a: 'float9'", "Row 2, b: 'quux' is not clearly a unit"):
        assert part in said
    for part in ("Row 3, c: the range 9…1", "Row 4, b:", "Row 5: the attribute has no name"):
        assert part in said
    assert dialog.isVisible()
    assert line4.editor.undo_name == ""


def test_that_inherited_attributes_are_shown_dim_and_cannot_be_typed_into(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "filler")
    names = cells(dialog.view, NAME)
    assert names[-3:] == ["running", "state", "stopped"]
    index = dialog.model.index(len(names) - 1, NAME)
    assert not dialog.model.flags(index) & Qt.ItemFlag.ItemIsEditable
    assert index.data(Qt.ItemDataRole.ToolTipRole) == "Inherited from Machine"
    assert not dialog.model.setData(index, "other")
    dialog.extends.setCurrentIndex(dialog.extends.findData(""))
    assert "running" not in cells(dialog.view, NAME)


def test_that_a_renamed_attribute_keeps_its_mapping_and_a_removed_one_takes_it_along(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "filler")
    names = cells(dialog.view, NAME)
    put(dialog, names.index("fillFlow"), NAME, "flow")
    dialog.view.setCurrentIndex(dialog.model.index(names.index("recipe"), NAME))
    dialog.remove_attributes()
    click(dialog.ok)
    assert own(line4, "filler")["flow"].id == "a-filler-fillflow"
    assert line4.project.get(Mapping, "m-fill-flow") is not None
    assert line4.project.get(Mapping, "m-recipe") is None
    line4.editor.undo()
    assert line4.project.get(Mapping, "m-recipe") is not None
    assert "fillFlow" in own(line4, "filler")


def test_that_an_untouched_type_is_left_exactly_as_it_is(window: MainWindow, line4: Workbench) -> None:
    click(opened(window, "meter").ok)
    assert line4.editor.undo_name == ""


def test_that_what_the_form_does_not_show_survives_a_change(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "machine")
    type_into(dialog.version, "3")
    click(dialog.ok)
    assert line4.project.all(AssetType)["machine"].abstract
    assert own(line4, "machine")["state"].title == "Machine state"
    assert line4.project.all(AssetType)["machine"].version == "3"


def test_that_required_is_a_tick_and_the_type_a_list(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "motor")
    index = dialog.model.index(0, REQUIRED)
    dialog.model.setData(index, Qt.CheckState.Checked.value, Qt.ItemDataRole.CheckStateRole)
    dialog.view.setCurrentIndex(dialog.model.index(0, TYPE))
    dialog.view.edit(dialog.model.index(0, TYPE))
    box = dialog.view.indexWidget(dialog.model.index(0, TYPE))
    assert isinstance(box, QComboBox)
    box.setCurrentText("uint16")
    click(dialog.ok)
    speed = own(line4, "motor")["speed"]
    assert (speed.required, speed.data_type) == (True, "uint16")


def test_that_a_component_is_added_and_one_that_contains_the_type_itself_is_refused(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "motor")
    dialog.add_component()
    for column, text in enumerate(("fan", "EnergyMeter", "")):
        dialog.parts.model().setData(dialog.parts.model().index(0, column), text)
    click(dialog.ok)
    assert "fan.voltageL1" in [row.path for row in attributes(line4.project, "motor")]
    again = opened(window, "motor")
    again.parts.model().setData(again.parts.model().index(0, 1), "Filler")
    click(again.ok)
    assert "Component 1, fan: it would contain itself" in again.message.details()
    assert [part.type for part in line4.project.all(Component).values() if part.name == "fan"] == ["meter"]


def test_that_the_table_of_attributes_is_a_correct_model(window: MainWindow, line4: Workbench, qtbot: QtBot) -> None:
    dialog = opened(window, "filler")
    tester = QAbstractItemModelTester(dialog.model, QAbstractItemModelTester.FailureReportingMode.Warning)
    dialog.model.paste("x\tbool\ny\tbool", 20, ENUM)
    dialog.model.paste("x\tbool\ny\tbool", 20, NAME)
    dialog.model.remove([0, 3, 400])
    dialog.model.set_inherited([])
    assert cells(dialog.view, NAME)[-1] == "y"
    tester.deleteLater()


def test_that_a_json_schema_is_imported_as_one_edit_and_its_losses_are_shown(window: MainWindow, line4: Workbench, tmp_path: Path) -> None:
    source = tmp_path / "pump.schema.json"
    flow = '{"type": "number", "x-unit": "furlong/blink"}'
    source.write_text(f'{{"title": "Pump", "type": "object", "properties": {{"flow": {flow}}}, "oneOf": []}}')
    before = set(line4.project.all(AssetType))
    said: list[UserError] = []
    line4.failed.connect(said.append)
    import_file(line4, source)
    assert len(set(line4.project.all(AssetType)) - before) == 1
    assert "furlong/blink" in said[0].why
    assert "oneOf" in said[0].why
    line4.editor.undo()
    assert set(line4.project.all(AssetType)) == before


def test_that_a_file_of_no_known_format_is_refused_by_its_suffix(window: MainWindow, line4: Workbench, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no model format has this suffix"):
        import_file(line4, tmp_path / "model.xyz")


def test_that_the_import_asks_for_a_file_and_shows_what_is_wrong_with_it(window: MainWindow, line4: Workbench, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[]")
    said: list[UserError] = []
    line4.failed.connect(said.append)
    dialog = import_asset_types(window, line4)
    assert isinstance(dialog, QFileDialog)
    dialog.fileSelected.emit(str(wrong))
    dialog.close()
    assert said[0].where == "wrong.json"
