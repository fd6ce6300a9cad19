"""The import dialog: every form of a list, corrections, the base with live values, re-import, and how much work ten thousand rows are."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import QMimeData, QModelIndex, QPersistentModelIndex, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester

from app.model.plant import Endpoint, Tag
from app.model.project import Project, ProjectInfo
from app.plant.process import Plant
from app.taglists.words import MEANINGS
from tests.factory import line4_project
from tests.gui.driving import Driver
from widgets.dialogs import import_tags_reading
from widgets.dialogs.import_tags import ImportTagsDialog, show_import_file, show_paste_tags
from widgets.dialogs.import_tags_rows import BECOMES, FIXED, RESULT, RowsModel
from widgets.workbench import Workbench

FIXTURE = Path(__file__).parents[1] / "data" / "register_map_pdf.txt"
MAP = "Adresse;Bezeichnung;Datentyp;Faktor;Einheit\n101;Spannung;FLOAT32 CDAB;1;V\n117;Frequenz;S16;0,01;Hz\n149;Kaputt;U17;1;-\n"
OWN = """name;address;type;order;gain;unit
Voltage L3;3/holding:104;float32;CDAB;;V
Current;3/holding:106;float33;CDAB;;A
Power;3/holding:118;int16;;0,1;kW
"""


@pytest.fixture
def line4(workbench: Workbench) -> Workbench:
    workbench.new(line4_project())
    workbench.select("endpoint", ["meter-modbus"], "meter-modbus")
    return workbench


@pytest.fixture
def meter(workbench: Workbench) -> Workbench:
    """A project with one Modbus endpoint that nobody connects."""
    endpoint = Endpoint(id="meter-aaaaaa", name="meter", addresses={"default": "modbus://127.0.0.1:1?unit=3"})
    workbench.new(Project(ProjectInfo(id="p-aaaaaa"), [endpoint]))
    return workbench


def texts(dialog: ImportTagsDialog, column: int) -> list[str]:
    return [str(dialog.model.index(row, column).data() or "") for row in range(dialog.model.rowCount())]


def read(gui: Driver, dialog: ImportTagsDialog | None) -> ImportTagsDialog:
    assert dialog is not None
    gui.until(lambda: not dialog._reader.busy, "the list was never read")
    return dialog


def correct(dialog: ImportTagsDialog, column: int, meaning: str) -> None:
    """Choose a meaning under a heading, as a person does."""
    combo = dialog.header.combo(column)
    at = MEANINGS.index(meaning)
    combo.setCurrentIndex(at)
    combo.activated.emit(at)


def test_that_rows_pasted_from_a_spreadsheet_become_tags(gui: Driver, line4: Workbench) -> None:
    QGuiApplication.clipboard().setText("name\taddress\ttype\torder\tunit\nVoltage L2\t3/holding:102\tfloat32\tCDAB\tV\n")
    gui.press(gui.tags.view, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    dialog = gui.dialog(ImportTagsDialog)
    assert isinstance(dialog, ImportTagsDialog)
    assert dialog.endpoint.currentText() == "meter-modbus"
    assert not dialog.base.isVisible(), "addresses in our own form have no base"
    dialog.go.click()
    (tag,) = line4.project.tags_at("meter-modbus", "3/holding:102:float32:CDAB") or line4.project.tags_at(
        "meter-modbus", "3/holding:102:float32"
    )
    assert (tag.name, tag.unit, tag.type) == ("Voltage L2", "VLT", "float32")


def test_that_a_table_of_a_web_page_is_pasted_with_its_cells(gui: Driver, meter: Workbench) -> None:
    html = "<table><tr><th>Address</th><th>Name</th><th>Type</th></tr><tr><td>0</td><td>Voltage</td><td>U16</td></tr></table>"
    data = QMimeData()
    data.setHtml(html)
    data.setText("Address Name Type 0 Voltage U16")
    QGuiApplication.clipboard().setMimeData(data)
    gui.window.show_mode("connect")
    gui.tags.paste()
    QGuiApplication.clipboard().setText("")  # data of a test must not be there when the application ends
    dialog = read(gui, cast("ImportTagsDialog", gui.dialog(ImportTagsDialog)))
    assert texts(dialog, BECOMES) == ["holding:0"]
    dialog.reject()


def test_that_rows_are_pasted_where_there_are_no_tags_yet(gui: Driver, meter: Workbench) -> None:
    QGuiApplication.clipboard().setText(MAP)
    gui.window.show_mode("connect")
    empty = gui.tags._empty
    assert empty.isVisible()
    gui.press(empty, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    read(gui, cast("ImportTagsDialog", gui.dialog(ImportTagsDialog))).reject()
    del meter


def test_that_bad_rows_say_why_and_good_rows_go_in_as_one_edit(gui: Driver, line4: Workbench) -> None:
    dialog = read(gui, show_paste_tags(gui.window, line4, OWN))
    assert texts(dialog, RESULT) == ["new", "problem", "new"]
    assert "float33" in texts(dialog, BECOMES)[1]
    dialog.view.setCurrentIndex(dialog.model.index(1, 0))
    assert dialog.detail.isVisible()
    assert "Write one such as" in dialog.detail.text()
    assert dialog.go.text() == "Import 2"
    assert dialog.summary.text() == "2 of 3 rows will be added, 1 has a problem"
    before = len(line4.project.all(Tag))
    dialog.go.click()
    assert len(line4.project.all(Tag)) == before + 2
    assert line4.editor.undo_name == "Import 2 tags"
    line4.editor.undo()
    assert len(line4.project.all(Tag)) == before


def test_that_an_import_needs_an_endpoint_and_says_so(gui: Driver) -> None:
    assert show_paste_tags(gui.window, gui.workbench, OWN) is None
    assert "Add the endpoint first" in gui.errors()


def test_that_the_rows_keep_the_rules_of_item_models(gui: Driver, meter: Workbench) -> None:
    dialog = read(gui, show_paste_tags(gui.window, meter, MAP))
    tester = QAbstractItemModelTester(dialog.model, QAbstractItemModelTester.FailureReportingMode.Warning)
    dialog.model.filter("bad")
    dialog.notation.setCurrentIndex(2)
    correct(dialog, 0, "")
    del tester
    assert RowsModel().rowCount() == 0
    dialog.reject()


def test_that_a_correction_under_a_heading_counts_at_once_and_for_the_next_list_of_this_kind(gui: Driver, meter: Workbench) -> None:
    text = "Nummer;Register;Was;Datentyp\n7;100;Spannung;U16\n8;102;Strom;U16\n"
    dialog = read(gui, show_paste_tags(gui.window, meter, text))
    correct(dialog, 0, "address")
    gui.until(lambda: texts(dialog, BECOMES) == ["holding:7", "holding:8"])
    assert dialog.header.combo(1).currentData() == ""
    dialog.reject()
    again = read(gui, show_paste_tags(gui.window, meter, text.replace("100", "200")))
    assert texts(again, BECOMES) == ["holding:7", "holding:8"]
    correct(again, 0, "")
    gui.until(lambda: again.message.isVisible())
    assert "address" in again.message.details()
    assert not again.go.isEnabled()
    again.reject()


def test_that_the_base_is_asked_before_import_and_chosen_once(gui: Driver, meter: Workbench) -> None:
    dialog = read(gui, show_paste_tags(gui.window, meter, MAP))
    assert dialog.base.isVisible()
    assert not dialog.go.isEnabled()
    assert "Say first where counting begins" in dialog.summary.text()
    assert dialog.base.connect_button.isVisible()
    dialog.base.bases[1].click()
    gui.until(lambda: dialog.go.isEnabled())
    assert (
        texts(dialog, BECOMES)[:2] == ["holding:100:float32:CDAB", "holding:116:int16"]
        or texts(dialog, BECOMES)[0] == "holding:100:float32"
    )
    dialog.unit.setValue(5)
    gui.until(lambda: texts(dialog, BECOMES)[1].startswith("5/"))
    dialog.reject()


def test_that_three_rows_are_shown_live_at_both_bases_with_a_verdict(gui: Driver, plant: Plant) -> None:
    endpoint = gui.add_modbus(plant)
    gui.connect(endpoint)
    gui.workbench.select("endpoint", [endpoint], endpoint)
    dialog = read(gui, show_paste_tags(gui.window, gui.workbench, MAP))
    gui.until(lambda: dialog.base.told is not None, "no value came")
    told = dialog.base.told
    assert told is not None
    assert told.base == 1
    shown = {cell.text() for row in dialog.base.values for cell in row if cell.isVisible()}
    assert any(text.endswith(" V") for text in shown)
    assert "Base 1 is plausible" in dialog.base.answer.text()
    assert not dialog.go.isEnabled(), "the verdict proposes, a person chooses"
    dialog.base.bases[1].click()
    gui.until(lambda: dialog.go.isEnabled())
    dialog.go.click()
    addresses = {tag.address for tag in gui.workbench.project.tags_of(endpoint)}
    assert addresses == {"holding:100:float32", "holding:116:int16"}
    assert [unit.order for unit in gui.workbench.project.units_of(endpoint)] == ["CDAB"]


def test_that_an_updated_list_is_compared_and_not_added_again(gui: Driver, meter: Workbench) -> None:
    first = "Address;Name;Type;Scale\n0;A;U16;0.1\n1;B;U16;1\n2;C;U16;1\n"
    read(gui, show_paste_tags(gui.window, meter, first)).go.click()
    dialog = read(gui, show_paste_tags(gui.window, meter, "Address;Name;Type;Scale\n0;A;U16;0.01\n1;B;U16;1\n9;D;U16;1\n"))
    assert texts(dialog, RESULT) == ["changed", "as it is", "new", "not in list"]
    assert texts(dialog, BECOMES)[0] == "gain 0.1 → 0.01"
    assert dialog.update_changed.isVisible()
    dialog.remove_gone.setChecked(True)
    assert "1 tag will be removed" in dialog.summary.text()
    dialog.go.click()
    assert {tag.name: tag.gain for tag in meter.project.all(Tag).values()} == {"A": 0.01, "B": 1.0, "D": 1.0}
    same = read(gui, show_paste_tags(gui.window, meter, "Address;Name;Type;Scale\n0;A;U16;0.01\n"))
    assert not same.go.isEnabled()
    same.reject()


def test_that_a_dropped_file_opens_the_import(gui: Driver, meter: Workbench, tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    path.write_text(MAP, encoding="utf-8")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    assert gui.drop(data, gui.window)
    dialog = read(gui, cast("ImportTagsDialog", gui.dialog(ImportTagsDialog)))
    assert "map.csv" in dialog.windowTitle()
    assert dialog.model.rowCount() == 3
    dialog.reject()
    assert show_import_file(gui.window, meter, tmp_path / "nothing.csv") is None
    assert "nothing.csv" in gui.errors()


def test_that_the_fixture_of_600_rows_of_a_pdf_is_shown_with_its_problems(gui: Driver, meter: Workbench) -> None:
    dialog = read(gui, show_import_file(gui.window, meter, FIXTURE))
    assert dialog.summary.text() == "586 of 600 rows will be added, 14 have problems"
    assert "Modicon" in dialog.base.why.text()
    dialog.chips._chips["bad"].click()
    assert dialog.model.rowCount() == 14
    dialog.chips._chips[""].click()
    dialog.go.click()
    assert len(meter.project.all(Tag)) == 586


def test_that_ten_thousand_rows_are_read_in_slices_and_only_visible_cells_are_made(
    gui: Driver, meter: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "long.csv"
    path.write_text("Address;Name;Type\n" + "".join(f"{row};Tag {row};U16\n" for row in range(10_000)), encoding="utf-8")
    monkeypatch.setattr(import_tags_reading, "SLICE_S", 0.005)
    turns: list[int] = []
    calls: list[int] = []
    data = RowsModel.data

    def counting(self: RowsModel, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        calls.append(index.row())
        return data(self, index, role)

    monkeypatch.setattr(RowsModel, "data", counting)
    dialog = show_import_file(gui.window, meter, path)
    assert dialog is not None
    dialog._reader.went_on.connect(lambda done, _: turns.append(done))
    read(gui, dialog)
    assert len(turns) >= 5, "the window got no turn while rows were read"
    calls.clear()
    dialog.view.scrollToBottom()
    dialog.view.viewport().repaint()
    rows = dialog.view.viewport().height() // dialog.view.rowHeight(0) + 2
    assert 0 < len(set(calls)) <= rows
    assert len(calls) <= rows * (len(FIXED) + 3) * 12
    assert dialog.go.text() == "Import 10,000"
    dialog.reject()
