"""*Why does this look wrong?* on the energy meter of the demo plant, whose floats have their words reversed (CDAB)."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from app.edits.tags import remove_tags
from app.model.plant import Tag, Unit
from app.plant.process import Plant
from tests.gui.driving import Driver
from widgets.dialogs.why_wrong import WhyWrong
from widgets.models.interpretations import InterpretationsModel
from widgets.notation import SETTING

_HORIZONTAL = Qt.Orientation.Horizontal


@pytest.fixture
def meter(gui: Driver, plant: Plant) -> str:
    endpoint = gui.add_modbus(plant)
    gui.connect(endpoint)
    return endpoint


def asked(gui: Driver, tag: str) -> WhyWrong:
    """As from the tag's menu, until something was read."""
    gui.tags.show_tag(tag)
    index = gui.tags.model.index(gui.tags.model.row_of(tag), 0)
    gui.menu(gui.tags.view, index)["Why does this look wrong?"]()
    dialog = gui.window.findChild(WhyWrong)
    assert isinstance(dialog, WhyWrong)
    return dialog


def judged(gui: Driver, tag: str) -> WhyWrong:
    why = asked(gui, tag)
    gui.until(lambda: why.judgement is not None, "the registers were never judged")
    return why


def found_wrong(gui: Driver, tag: str) -> WhyWrong:
    """Judged anew until it is: one in some hundred pairs of words makes sense in the wrong order too, for as long as the value stands."""
    why = judged(gui, tag)
    gui.until(lambda: why.judgement is not None and why.judgement.verdict == "wrong", "the wrong order was never seen")
    return why


def readings(why: WhyWrong) -> list[str]:
    return [str(why.model.index(row, 1).data()) for row in range(why.model.rowCount())]


def test_that_a_tag_in_the_wrong_order_is_explained_and_nothing_is_changed(gui: Driver, meter: str) -> None:
    (tag,) = gui.add_tags(meter, "3/holding:100:float32:ABCD", names=["voltageL1"])
    before = gui.workbench.project
    why = found_wrong(gui, tag)
    assert why.isVisible()
    assert gui.connect_mode.registers.isVisible()
    assert gui.connect_mode.registers.first.value() == 98, "the grid shows the registers around it"
    assert why.judgement is not None
    assert why.judgement.verdict == "wrong"
    assert readings(why)[0] == "float32 CDAB"
    assert "float32 ABCD (now)" in readings(why)
    assert "float32 CDAB" in why.verdict.text()
    assert 200 < float(why.model.index(0, 3).data()) < 260
    assert why.model.index(0, 4).data(), "every row says why"
    assert gui.workbench.project is before


def test_that_the_order_for_the_whole_unit_is_one_edit_that_undo_takes_back(gui: Driver, meter: str) -> None:
    first, second = gui.add_tags(meter, "3/holding:100:float32:ABCD", "3/holding:102:float32", names=["voltageL1", "voltageL2"])
    why = found_wrong(gui, first)
    why.view.selectRow(0)
    assert why.whole.isEnabled()
    why.whole.click()
    (unit,) = gui.workbench.project.all(Unit).values()
    assert (unit.number, unit.order) == (3, "CDAB")
    assert gui.workbench.project.all(Tag)[first].address == "3/holding:100:float32", "it states no order of its own any more"
    gui.until(lambda: why.judgement is not None and why.judgement.verdict == "plausible", "it is judged anew, and found right")
    assert not why.whole.isEnabled()
    gui.workbench.live.want("test", [second])
    gui.until(lambda: (sample := gui.workbench.live.reading(second).sample) is not None and 200 < float(str(sample.value)) < 260)
    gui.workbench.editor.undo()
    assert not gui.workbench.project.all(Unit)
    assert gui.workbench.project.all(Tag)[first].address == "3/holding:100:float32:ABCD"


def test_that_a_tag_is_read_another_way_when_a_person_says_so(gui: Driver, meter: str) -> None:
    (tag,) = gui.add_tags(meter, "3/holding:101:uint16", names=["voltageL1"], type_="uint16")
    why = judged(gui, tag)
    row = readings(why).index("float32 CDAB")
    why.view.selectRow(row)
    chosen = why.chosen()
    assert chosen is not None
    why.apply.click()
    held = gui.workbench.project.all(Tag)[tag]
    assert held.address == f"3/holding:{101 + chosen.offset}:float32:CDAB"
    assert held.type == "float32"


def test_that_what_a_display_shows_finds_type_and_scale(gui: Driver, meter: str) -> None:
    (tag,) = gui.add_tags(meter, "3/holding:100:int32", names=["voltageL1"], type_="int32")
    why = judged(gui, tag)
    why.expected.setText("about 230")
    assert why.expected.property("invalid")
    why.expected.setText("230,5")
    assert not why.expected.property("invalid")
    gui.until(lambda: readings(why)[0] == "float32 CDAB", "what it should read did not count")
    assert "expected" in str(why.model.index(0, 4).data())


def test_that_there_is_nothing_to_rank_of_a_coil_a_bit_or_a_text_and_that_is_said(gui: Driver, meter: str) -> None:
    coil, bits, text = gui.add_tags(meter, "4/coil:1", "3/holding:100.4-7", "3/holding:140:str8", names=["run", "mode", "serial"])
    for tag, word in ((coil, "neighbours"), (bits, "Bits"), (text, "ASCII")):
        why = asked(gui, tag)
        gui.until(lambda why=why, word=word: word in why.verdict.text(), f"nothing about {word}")  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        assert why.model.rowCount() == 0
        assert not why.apply.isEnabled()
        assert not why.whole.isEnabled()


def test_that_a_register_that_cannot_be_read_is_named(gui: Driver, meter: str) -> None:
    (tag,) = gui.add_tags(meter, "3/holding:120:float32", names=["nothing"])
    why = asked(gui, tag)
    gui.until(lambda: "IllegalDataAddress" in why.verdict.text(), "the refusal was not told")


def test_that_an_opcua_tag_is_not_asked_about_its_registers(gui: Driver, plant: Plant, meter: str) -> None:
    endpoint = gui.add_opcua(plant)
    (tag,) = gui.add_tags(endpoint, "ns=2;s=x", names=["x"])
    gui.tags.show_tag(tag)
    assert "Why does this look wrong?" not in gui.menu(gui.tags.view, gui.tags.model.index(gui.tags.model.row_of(tag), 0))


def test_that_one_switch_of_the_notation_counts_for_grid_table_and_list(gui: Driver, meter: str) -> None:
    (tag,) = gui.add_tags(meter, "3/holding:9999:float32", names=["far"])
    why = asked(gui, tag)
    columns = range(gui.tags.model.columnCount())
    address = next(column for column in columns if gui.tags.model.headerData(column, _HORIZONTAL) == "Address")
    shown = {}
    for notation in ("modicon", "one-based", "hex", ""):
        gui.workbench.set_setting(SETTING, notation)
        grid = gui.connect_mode.registers
        assert grid.notation.currentData() == notation
        assert why.model.notation == notation
        shown[notation] = (gui.tags.model.index(0, address).data(), grid.model.address_text(9999))
    assert shown == {
        "modicon": ("3/410000", "410000"),
        "one-based": ("3/holding:10000", "10000"),
        "hex": ("3/holding:0x270F", "0x270F"),
        "": ("3/holding:9999", "9999"),
    }


def test_that_the_dialog_goes_with_its_tag_and_its_project(gui: Driver, plant: Plant, meter: str) -> None:
    tag, other = gui.add_tags(meter, "3/holding:100:float32", "3/holding:102:float32", names=["voltageL1", "voltageL2"])
    first = judged(gui, tag)
    assert judged(gui, other) is first, "one dialog, of the tag that was asked about last"
    gui.workbench.attempt(lambda: remove_tags(gui.workbench.project, [other]))
    gui.until(lambda: gui.window.findChild(WhyWrong) is None, "it outlives its tag")
    judged(gui, tag)
    gui.workbench.new()
    gui.until(lambda: gui.window.findChild(WhyWrong) is None, "it outlives its project")


def test_that_the_list_keeps_the_rules_of_item_models(gui: Driver, meter: str) -> None:
    (tag,) = gui.add_tags(meter, "3/holding:100:float32", names=["voltageL1"])
    model = InterpretationsModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.set_rows(judged(gui, tag).model.rows)
    assert model.rowCount() > 1
    del tester
