import pytest
from PySide6.QtWidgets import QComboBox

from app.edits.removal import remove
from app.mapping.transform import transform_text
from app.model.mapping import Bit, Cast, EnumNames, GainOffset, Linear, Mapping, Part, Round, UnitConversion
from app.model.values import Quality
from tests.gui.mapping.conftest import SetReading, cells, click, type_into
from widgets.dialogs.operator_form import OPERATORS, TITLES, OperatorForm, fresh, sentence_of
from widgets.dialogs.transform import TransformDialog, show_transform
from widgets.fields import NamesField, NumberField, UnitField
from widgets.main_window import MainWindow
from widgets.workbench import Workbench


def opened(window: MainWindow, mapping: str) -> TransformDialog:
    dialog = show_transform(window, window.workbench, mapping)
    assert dialog is not None
    return dialog


def held(workbench: Workbench, mapping: str) -> Mapping:
    return workbench.project.all(Mapping)[mapping]


def test_that_every_closed_operator_is_in_the_menu_with_a_name_and_a_sentence(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "m-flow-2")
    menu = dialog.add.menu()
    assert menu is not None
    assert [action.text() for action in menu.actions()] == [TITLES[kind] for kind in OPERATORS]
    assert all(sentence_of(kind) and "``" not in sentence_of(kind) for kind in OPERATORS)


@pytest.mark.parametrize("kind", OPERATORS, ids=lambda kind: kind.__name__)
def test_that_the_form_of_an_operator_gives_back_what_it_shows(line4: Workbench, kind: type) -> None:
    form = OperatorForm()
    tag, mapping = line4.tag("t-temperature"), held(line4, "m-temperature")
    attribute = line4.project.element(mapping.attribute)
    op = fresh(kind, tag, attribute)  # type: ignore[arg-type]  # the element is an Attribute
    form.show_operator(op)
    assert form.operator() == op
    form.deleteLater()


def test_that_the_preview_shows_the_value_after_each_operator_and_the_it_value(
    window: MainWindow, line4: Workbench, set_reading: SetReading
) -> None:
    set_reading("t-temperature", 145.8)
    dialog = opened(window, "m-temperature")
    assert cells(dialog.chain, 0) == ["Source   TT-104.PV", "1   °F → °C", "2   round 2", "IT value   productTemperature"]
    source, converted, rounded, it_value = cells(dialog.chain, 1)
    assert (source, rounded, it_value) == ("145.8", "63.22", "63.22")
    assert float(converted) == pytest.approx(63.2222, abs=1e-4)
    set_reading("t-temperature", 212.0)
    assert cells(dialog.chain, 1)[-1] == "100"


def test_that_ok_makes_one_edit_of_operators_and_policies_and_undo_takes_both_back(window: MainWindow, line4: Workbench) -> None:
    before = held(line4, "m-flow-2")
    dialog = opened(window, "m-flow-2")
    dialog.add_operator(GainOffset)
    gain = dialog.form.field("gain")
    assert isinstance(gain, NumberField)
    type_into(gain, "0,01")
    dialog.quality.setCurrentIndex(dialog.quality.findData("hold"))
    type_into(dialog.hold, "12")
    type_into(dialog.note, "as on the HMI")
    click(dialog.ok)
    after = held(line4, "m-flow-2")
    assert after.transform == (GainOffset(gain=0.01),)
    assert (after.quality, after.hold_s, after.note) == ("hold", 12.0, "as on the HMI")
    line4.editor.undo()
    assert held(line4, "m-flow-2") == before
    assert line4.editor.undo_name == ""


def test_that_cancel_changes_nothing(window: MainWindow, line4: Workbench) -> None:
    before = held(line4, "m-temperature")
    dialog = opened(window, "m-temperature")
    dialog.remove_operator()
    dialog.reject()
    assert held(line4, "m-temperature") == before


def test_that_operators_are_moved_and_removed_where_the_selection_is(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "m-temperature")
    dialog.chain.setCurrentCell(2, 0)
    click(dialog.up)
    assert [type(step) for step in dialog.steps] == [Round, UnitConversion]
    assert dialog.chain.currentRow() == 1
    click(dialog.remove)
    assert [type(step) for step in dialog.steps] == [UnitConversion]
    dialog.chain.setCurrentCell(0, 0)
    assert not dialog.remove.isEnabled()


def test_that_a_unit_mismatch_is_shown_at_once_with_its_fix_and_suggest_mends_it(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "m-temperature")
    assert dialog.misfits.text() == "The tag fits the attribute: type, unit and range."
    dialog.chain.setCurrentCell(1, 0)
    click(dialog.remove)
    assert "the value is in °F, the attribute in °C" in dialog.misfits.text()
    assert "Convert °F → °C" in dialog.misfits.text()
    click(dialog.suggest)
    assert dialog.steps == [UnitConversion(source="FAH", target="CEL")]
    assert "the tag is in °F" in dialog.message.details()
    assert dialog.misfits.text().startswith("The tag fits")


def test_that_a_field_that_is_no_number_is_shown_and_ok_refuses_until_it_is_mended(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "m-flow-2")
    dialog.add_operator(Linear)
    raw_low = dialog.form.field("raw_low")
    type_into(raw_low, "4 mA")
    assert "'4 mA' is no number" in dialog.misfits.text()
    click(dialog.ok)
    assert dialog.isVisible()
    assert "'4 mA' is no number" in dialog.message.details()
    assert line4.editor.undo_name == ""
    type_into(raw_low, "4000")
    click(dialog.ok)
    assert transform_text(held(line4, "m-flow-2").transform) == "4000…150 → 0…200"


def test_that_an_unknown_unit_is_refused_by_name_and_a_symbol_is_understood(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "m-temperature")
    dialog.chain.setCurrentCell(1, 0)
    target = dialog.form.field("target")
    assert isinstance(target, UnitField)
    type_into(target, "quux")
    assert "'quux' is not clearly a unit" in dialog.misfits.text()
    type_into(target, "K")
    assert dialog.steps[0] == UnitConversion(source="FAH", target="KEL")


def test_that_names_of_numbers_are_typed_or_pasted_and_bad_lines_are_said(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "m-relay")
    dialog.chain.setCurrentCell(1, 0)
    names = dialog.form.field("names")
    assert isinstance(names, NamesField)
    names.setPlainText("0\topen\n1\tclosed\n2=stuck")
    assert dialog.steps == [EnumNames(names={"0": "open", "1": "closed", "2": "stuck"})]
    names.setPlainText("0 = open\nx = closed")
    assert "'x' is no whole number" in dialog.misfits.text()


def test_that_a_part_of_a_value_is_typed_checked_and_taken_from_the_tried_value(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "m-flow-2")
    dialog.steps.clear()
    dialog.add_operator(Part)
    path = dialog.form.field("path")
    assert isinstance(path, QComboBox)
    path.setEditText("motor[")
    assert "cannot be read from character 6 on" in dialog.misfits.text()
    path.setEditText("value.motor[1].temp")
    assert dialog.steps == [Part(path="motor[1].temp")]
    assert "cannot be read" not in dialog.misfits.text()


def test_that_parts_of_a_value_that_comes_later_are_offered_and_what_is_typed_stays(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "m-flow-2")
    dialog.add_operator(Part)
    path = dialog.form.field("path")
    assert isinstance(path, QComboBox)
    assert path.count() == 0
    path.setEditText("[1]")
    dialog.form.offer_parts(["[0]", "[1]", "[2]"])
    assert [path.itemText(at) for at in range(path.count())] == ["[0]", "[1]", "[2]"]
    assert path.currentText() == "[1]"


def test_that_types_are_chosen_from_a_list_and_rounding_by_words(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "m-flow-2")
    dialog.add_operator(Cast)
    type_, rounding = dialog.form.field("type"), dialog.form.field("rounding")
    assert isinstance(type_, QComboBox)
    assert isinstance(rounding, QComboBox)
    type_.setCurrentText("int32")
    rounding.setCurrentIndex(rounding.findData("floor"))
    assert dialog.steps == [Cast(type="int32", rounding="floor")]


def test_that_a_bit_beyond_63_is_refused_by_the_struct_itself(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "m-inductive")
    dialog.chain.setCurrentCell(1, 0)
    type_into(dialog.form.field("index"), "64")
    assert "<= 63" in dialog.misfits.text()
    click(dialog.ok)
    assert dialog.isVisible()
    assert held(line4, "m-inductive").transform == (Bit(index=7),)


def test_that_a_value_can_be_tried_without_a_plant(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "m-phases")
    assert "not connected" in cells(dialog.chain, 1)[0]
    type_into(dialog.trial, "0xC7")
    assert cells(dialog.chain, 1) == ["199", "7", "7", "7"]
    type_into(dialog.trial, "nonsense")
    assert "is no whole number" in cells(dialog.chain, 1)[1]


def test_that_stale_and_bad_sources_are_not_shown_as_good(window: MainWindow, line4: Workbench, set_reading: SetReading) -> None:
    from widgets.look import QUALITY_ROLE

    dialog = opened(window, "m-level")
    set_reading("t-level", 50.0, stale=True)
    qualities = [dialog.chain.model().index(row, 1).data(QUALITY_ROLE) for row in range(dialog.chain.rowCount())]
    assert qualities == ["stale", "stale", "stale"]
    set_reading("t-level", 50.0, quality=Quality.BAD)
    assert "source quality is bad" in cells(dialog.chain, 1)[-1]


def test_that_the_device_is_asked_for_the_tag_only_while_the_dialog_is_open(window: MainWindow, line4: Workbench) -> None:
    dialog = opened(window, "m-temperature")
    assert "t-temperature" in line4.live.wanted()
    dialog.reject()
    assert "t-temperature" not in line4.live.wanted()


def test_that_a_mapping_that_is_gone_opens_no_dialog(window: MainWindow, line4: Workbench) -> None:
    line4.do(remove("Remove", line4.project, ["m-flow-2"]))
    assert show_transform(window, line4, "m-flow-2") is None
