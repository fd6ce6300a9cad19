"""The tag table without a device: rows, edits, lists, and how much work it does when there are very many tags."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QInputDialog, QLabel, QLineEdit

from app.edits.tags import remove_tags
from app.edits.watchlists import add_watch_list
from app.model.plant import Endpoint, Group, Tag, WatchList
from app.model.project import Project, ProjectInfo
from app.model.values import Quality, Sample
from app.runtime.state import Reading
from app.search import ordering
from tests.factory import line4_project
from tests.gui.driving import Driver
from widgets.dialogs.group import NewGroupDialog
from widgets.look import Chip
from widgets.models import tag_order
from widgets.models.live_rows import ROWS_AT_ONCE
from widgets.models.tag_table import COLUMNS, DESCRIPTION, NAME, QUALITY, UNIT, VALUE, TagTableModel
from widgets.tag_table import MARGIN_ROWS
from widgets.workbench import Workbench

MANY = 10_000


@pytest.fixture
def line4(workbench: Workbench) -> Workbench:
    workbench.new(line4_project())
    return workbench


def texts(gui: Driver) -> set[str]:
    return {label.text() for label in gui.window.findChildren(QLabel) if label.isVisible()}


def many_tags() -> Project:
    endpoint = Endpoint(id="e", name="plc", addresses={"default": "opc.tcp://127.0.0.1:4840"})
    tags = [
        Tag(
            id=f"t-{number:05d}", endpoint="e", address=f"nsu=urn:x;s=Tag{number}", name=f"Tag {(number * 7919) % MANY:05d}", type="float32"
        )
        for number in range(MANY)
    ]
    return Project(ProjectInfo(id="many", name="Many"), [endpoint, *tags])


@pytest.fixture
def many(workbench: Workbench) -> Workbench:
    workbench.new(many_tags())
    return workbench


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """(row, column) of every call of ``data`` by a view."""
    seen: list[tuple[int, int]] = []
    data = TagTableModel.data

    def counting(self: TagTableModel, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        seen.append((index.row(), index.column()))
        return data(self, index, role)

    monkeypatch.setattr(TagTableModel, "data", counting)
    return seen


def shown(gui: Driver, column: int = NAME) -> list[str]:
    model = gui.tags.model
    return [str(model.index(row, column).data()) for row in range(model.rowCount())]


def select(gui: Driver, *names: str) -> None:
    rows = [shown(gui).index(name) for name in names]
    gui.choose(gui.tags.view, *(gui.tags.model.index(row, NAME) for row in rows))


def show_list(gui: Driver, name: str) -> None:
    next(chip for chip in gui.tags.lists.findChildren(Chip) if chip.words == name).click()


def test_that_the_table_invites_when_there_is_no_tag(gui: Driver) -> None:
    assert gui.tags._empty.isVisible()
    assert not gui.tags.view.isVisible()


def test_that_the_table_keeps_the_rules_of_item_models(gui: Driver, line4: Workbench) -> None:
    tester = QAbstractItemModelTester(gui.tags.model, QAbstractItemModelTester.FailureReportingMode.Warning)
    gui.tags.model.filter("flow")
    gui.tags.model.sort(NAME, Qt.SortOrder.DescendingOrder)
    line4.do(remove_tags(line4.project, ["t-flow"]))
    line4.editor.undo()
    gui.tags.model.filter("")
    line4.new()
    del tester


def test_that_every_word_of_the_filter_must_be_in_name_address_or_description(gui: Driver, line4: Workbench) -> None:
    gui.tags.search.setText("filler1 pv")
    gui.until(lambda: gui.tags.model.rowCount() < len(line4.project.all(Tag)))
    assert set(shown(gui)) == {"FT-101.PV", "PT-102.PV", "LT-103.PV", "TT-104.PV"}
    gui.tags.search.clear_query()
    assert gui.tags.model.rowCount() == len(line4.project.all(Tag))


def test_that_a_click_on_a_heading_sorts_and_a_third_click_gives_the_order_of_the_project_back(gui: Driver, line4: Workbench) -> None:
    before = shown(gui)
    header = gui.tags.view.horizontalHeader()
    header.setSortIndicator(NAME, Qt.SortOrder.AscendingOrder)
    assert shown(gui) == sorted(before, key=str.casefold)
    header.setSortIndicator(NAME, Qt.SortOrder.DescendingOrder)
    assert shown(gui) == sorted(before, key=str.casefold, reverse=True)
    header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
    assert shown(gui) == before


def test_that_the_selection_survives_edits_that_build_the_rows_again(gui: Driver, line4: Workbench) -> None:
    gui.tags.model.sort(NAME)
    select(gui, "Running", "State")
    line4.do(remove_tags(line4.project, ["t-flow"]))
    assert {line4.project.all(Tag)[id_].name for id_ in gui.tags.selected()} == {"Running", "State"}
    assert line4.selection.ids == tuple(gui.tags.selected())
    assert gui.tags.view.currentIndex().data() == "State"


def test_that_f2_renames_in_place_and_undo_names_it_back(gui: Driver, line4: Workbench) -> None:
    select(gui, "Running")
    gui.window.menus.trigger("tags.rename")
    editor = gui.tags.view.findChild(QLineEdit)
    assert editor is not None
    assert editor.text() == "Running"
    editor.setText("FillerRuns")
    gui.press(editor, Qt.Key.Key_Return)
    gui.until(lambda: "FillerRuns" in gui.names())
    assert line4.editor.undo_name == "Rename Running"
    line4.editor.undo()
    assert "Running" in gui.names()


def test_that_a_name_is_not_emptied_and_a_description_can_be(gui: Driver, line4: Workbench) -> None:
    model = gui.tags.model
    row = shown(gui).index("Running")
    assert not model.setData(model.index(row, NAME), "  ")
    assert model.setData(model.index(row, DESCRIPTION), "motor contactor")
    assert model.setData(model.index(row, DESCRIPTION), "")
    assert not model.flags(model.index(row, VALUE)) & Qt.ItemFlag.ItemIsEditable


def test_that_del_removes_the_selected_tags_with_their_mappings_and_undo_restores_all(gui: Driver, line4: Workbench) -> None:
    before = {kind.__name__: dict(line4.project.all(kind)) for kind in (Tag, Endpoint)}
    ids = line4.project.ids()
    select(gui, "FT-101.PV", "State")
    gui.press(gui.tags.view, Qt.Key.Key_Delete)
    gui.until(lambda: "FT-101.PV" not in gui.names(), "Del removed nothing")
    assert not line4.project.mappings_from("t-flow")
    line4.editor.undo()
    assert {kind.__name__: dict(line4.project.all(kind)) for kind in (Tag, Endpoint)} == before
    assert line4.project.ids() == ids


def test_that_copied_rows_are_text_for_a_spreadsheet(gui: Driver, line4: Workbench) -> None:
    select(gui, "FT-101.PV", "Frequency")
    gui.press(gui.tags.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = [line.split("\t") for line in QGuiApplication.clipboard().text().split("\n")]
    assert len(lines) == 3
    assert lines[0][:3] == ["Tag", "Value", "Unit"]
    assert {line[0] for line in lines[1:]} == {"FT-101.PV", "Frequency"}
    assert all(len(line) == len(COLUMNS) for line in lines)


def test_that_a_watch_list_is_made_shown_and_deleted_from_the_menu(gui: Driver, line4: Workbench) -> None:
    select(gui, "State", "Running")
    gui.menu(gui.tags.view, gui.tags.view.currentIndex())["Watch list/New watch list…"]()
    dialog = gui.dialog(QInputDialog)
    assert isinstance(dialog, QInputDialog)
    dialog.setTextValue("Filler")
    dialog.accept()
    show_list(gui, "Filler")
    assert set(shown(gui)) == {"State", "Running"}
    gui.choose(gui.tags.view, gui.tags.model.index(0, 0))
    gui.menu(gui.tags.view, gui.tags.model.index(0, 0))["Remove from this watch list"]()
    assert gui.tags.model.rowCount() == 1
    gui.menu(gui.tags.view, gui.tags.model.index(0, 0))["Delete this watch list"]()
    assert gui.tags.model.rowCount() == len(line4.project.all(Tag))
    line4.editor.undo()
    assert gui.tags.lists.current == ""
    assert gui.tags.model.rowCount() == len(line4.project.all(Tag)), "the chip says All"
    for _ in range(2):
        line4.editor.undo()
    assert not line4.project.all(WatchList)


def test_that_a_watch_list_keeps_its_own_order(gui: Driver, line4: Workbench) -> None:
    line4.do(add_watch_list(line4.project, "Mine", ["t-speed", "t-flow", "t-energy"]))
    show_list(gui, "Mine")
    assert gui.tags.model.tags == ["t-speed", "t-flow", "t-energy"]


def test_that_tags_go_into_a_new_group_with_rate_and_deadband_as_one_edit(gui: Driver, line4: Workbench) -> None:
    select(gui, "State", "Running")
    gui.menu(gui.tags.view, gui.tags.view.currentIndex())["Group/New group…"]()
    dialog = gui.dialog(NewGroupDialog)
    assert isinstance(dialog, NewGroupDialog)
    dialog.name.setText("Fast")
    dialog._on_make()
    assert dialog.message.isVisible(), "a name that is taken must be refused"
    dialog.name.setText("Very fast")
    dialog.interval.setValue(50)
    dialog.deadband.setValue(0.5)
    dialog._on_make()
    made = next(group for group in line4.project.all(Group).values() if group.name == "Very fast")
    assert (made.interval_ms, made.deadband) == (50, 0.5)
    assert {line4.project.all(Tag)[id_].group for id_ in gui.tags.selected()} == {made.id}
    line4.editor.undo()
    assert made.id not in line4.project.all(Group)
    assert line4.project.all(Tag)["t-state"].group == "slow"


def test_that_times_are_local_until_utc_is_asked_for_and_the_heading_says_which(gui: Driver, line4: Workbench) -> None:
    header = gui.tags.model.headerData
    horizontal = Qt.Orientation.Horizontal
    assert header(4, horizontal) == "Source time (local)"
    gui.window.menus.trigger("view.utc")
    assert header(4, horizontal) == "Source time (UTC)"
    assert line4.workspace.setting("utc") is True


def test_that_the_heading_of_values_stands_at_the_right_like_the_values(gui: Driver) -> None:
    alignment = gui.tags.model.headerData(VALUE, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole)
    assert alignment == Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def test_that_the_filter_is_lifted_for_a_tag_that_is_asked_for(gui: Driver, line4: Workbench) -> None:
    gui.tags.search.setText("nothing like it")
    gui.tags.search.ask()
    assert not shown(gui)
    line4.tag_asked.emit("t-speed")
    assert gui.tags.selected() == ["t-speed"]
    assert gui.tags.search.text() == ""


# Ten thousand tags: the work is counted, not the time


def test_that_only_visible_rows_are_asked_of_the_device(gui: Driver, many: Workbench) -> None:
    rows = gui.tags.view.viewport().height() // gui.tags.view.rowHeight(0) + 2
    gui.until(lambda: many.live.wanted())
    assert len(many.live.wanted()) <= rows + 2 * MARGIN_ROWS
    first = many.live.wanted()
    gui.tags.view.verticalScrollBar().setValue(gui.tags.view.verticalScrollBar().maximum())
    gui.until(lambda: many.live.wanted() and not many.live.wanted() & first, "the rows scrolled to are not wanted")
    gui.tags.watch_all.setChecked(True)
    gui.until(lambda: len(many.live.wanted()) == MANY)
    gui.tags.watch_all.setChecked(False)
    gui.until(lambda: len(many.live.wanted()) < 200)


def test_that_a_table_that_is_not_shown_asks_for_nothing(gui: Driver, many: Workbench) -> None:
    gui.until(lambda: many.live.wanted())
    gui.window.docks()["tags"].hide()
    gui.window.show_mode("plot")
    gui.window.docks()["tags"].hide()
    gui.until(lambda: not many.live.wanted(), "a hidden table still loads the device")


@pytest.fixture
def readings(many: Workbench, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What the tags of ``many`` are read as; the same for all is under ""."""
    values = {"": 0.0}

    def reading(tag: str) -> Reading:
        number = values.get(tag, values[""])
        return Reading(sample=Sample(number, "float64", Quality.GOOD, 0, None, None, 1), stale=False, age_s=0.1, interval_ms=100)

    monkeypatch.setattr(many.live, "reading", reading)
    return values


def settle(gui: Driver, many: Workbench, calls: list[tuple[int, int]]) -> None:
    """Until the table has shown what there is, and has nothing to do."""
    many.staleness_ticked.disconnect(gui.tags.model.live_rows.look_at_visible)
    gui.tags.model.live_rows.look_at_visible()
    gui.until(lambda: not gui.tags.model.live_rows.busy, "it goes on and on")
    for _ in range(20):  # the window is painted when the computer has time for it
        calls.clear()
        gui.run(100)
        if not calls:
            break


def test_that_a_frame_repaints_no_more_than_the_visible_cells(
    gui: Driver, many: Workbench, readings: dict[str, float], calls: list[tuple[int, int]]
) -> None:
    view, model = gui.tags.view, gui.tags.model
    gui.until(lambda: many.live.wanted())
    settle(gui, many, calls)
    rows = view.viewport().height() // view.rowHeight(0) + 2
    roles = 12  # of which a delegate asks at most so many per cell
    turns: list[list[int]] = []
    on_turn = model.live_rows._turns.timeout
    on_turn.connect(lambda: turns.append([]))  # after what the table does in it
    model.dataChanged.connect(lambda first, last: turns[-1].extend(range(first.row(), last.row() + 1)) if turns else None)
    turns.append([])
    calls.clear()
    for number in range(5):
        readings[""] = number + 0.5
        many.tags_changed.emit(set(model.tags))
        gui.run(50)
    gui.until(lambda: {row for turn in turns for row in turn} >= set(range(rows - 2)), "a row stays as it was")
    assert 0 < len(calls) <= 5 * rows * len(COLUMNS) * roles
    assert {row for row, _ in calls} <= set(range(rows + 1))
    assert all(len(turn) <= 2 * ROWS_AT_ONCE for turn in turns), "a frame in which many rows are painted is a late one"
    gui.until(lambda: not model.live_rows.busy, "it goes on and on")


def test_that_a_row_is_painted_only_where_it_shows_something_else(
    gui: Driver, many: Workbench, readings: dict[str, float], calls: list[tuple[int, int]]
) -> None:
    model = gui.tags.model
    changed: list[tuple[int, int, int, int]] = []
    gui.until(lambda: many.live.wanted())
    settle(gui, many, calls)
    model.dataChanged.connect(lambda first, last: changed.append((first.row(), first.column(), last.row(), last.column())))
    many.tags_changed.emit(set(model.tags))
    gui.run(400)
    assert not changed, "nothing is different"
    assert not calls
    readings[model.tags[3]] = 7.5
    many.tags_changed.emit(set(model.tags))
    gui.until(lambda: changed)
    gui.run(400)
    assert changed == [(3, VALUE, 3, VALUE)]
    assert model.index(3, VALUE).data() == "7.5"


def test_that_rows_that_stand_elsewhere_show_their_own_values(gui: Driver, many: Workbench, readings: dict[str, float]) -> None:
    model = gui.tags.model
    gui.until(lambda: many.live.wanted())
    readings.update({tag: float(number) for number, tag in enumerate(model.tags[:50])})
    model.live_rows.look_at_visible()
    gui.until(lambda: model.index(5, VALUE).data() == "5")
    model.sort(NAME, Qt.SortOrder.DescendingOrder)
    row = model.row_of("t-00005")
    gui.tags.view.scrollTo(model.index(row, NAME))
    assert model.index(row, VALUE).data() == "5"
    assert model.index(5, VALUE).data() == "0", "the row shows what stood there before"


def test_that_samples_of_tags_out_of_sight_cause_no_work(gui: Driver, many: Workbench, calls: list[tuple[int, int]]) -> None:
    model = gui.tags.model
    changed: list[object] = []
    gui.until(lambda: many.live.wanted())
    settle(gui, many, calls)
    model.dataChanged.connect(lambda *_: changed.append(1))
    many.tags_changed.emit(set(model.tags[200:]))
    gui.run(100)
    assert not changed
    assert not calls


def test_that_filter_and_sort_of_ten_thousand_tags_are_one_reset_and_never_ask_the_model(
    gui: Driver, many: Workbench, calls: list[tuple[int, int]]
) -> None:
    model = gui.tags.model
    resets: list[int] = []
    model.modelReset.connect(lambda: resets.append(model.rowCount()))
    calls.clear()
    model.filter("tag 0001")
    model.filter("")
    model.sort(NAME)
    assert resets == [11, MANY, MANY]  # 00001 and 00010 to 00019
    assert not calls
    assert model.index(0, NAME).data() == "Tag 00000"
    assert model.index(MANY - 1, NAME).data() == "Tag 09999"


def test_that_very_many_tags_are_sorted_in_steps_and_stand_as_before_meanwhile(
    gui: Driver, many: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_order, "AT_ONCE", 100)
    monkeypatch.setattr(tag_order, "STEP_S", 0.0)
    monkeypatch.setattr(ordering, "RUN", 200)
    model = gui.tags.model
    before = list(model.tags)
    by_name = sorted(before, key=lambda id_: many.project.all(Tag)[id_].name, reverse=True)
    model.sort(NAME, Qt.SortOrder.DescendingOrder)
    assert model.order.is_sorting
    assert f"{MANY:,} of {MANY:,} · sorting…" in texts(gui)
    assert list(model.tags) == before
    model.filter("tag 0001")
    assert [row for row in before if row in set(model.tags)] == list(model.tags)
    model.filter("")
    gui.until(lambda: not model.order.is_sorting)
    assert list(model.tags) == by_name
    assert f"{MANY:,} of {MANY:,}" in texts(gui)
    gone = model.tags[3]
    many.do(remove_tags(many.project, [gone]))
    assert model.order.is_sorting
    by_name.remove(gone)
    assert list(model.tags) == by_name
    gui.until(lambda: not model.order.is_sorting)
    assert list(model.tags) == by_name
    model.sort(-1)
    assert list(model.tags) == [id_ for id_ in before if id_ != gone]


def test_that_very_many_tags_are_sorted_by_value_once_and_not_at_every_letter_of_a_filter(
    gui: Driver, many: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_order, "AT_ONCE", MANY - 1)
    model = gui.tags.model
    model.sort(VALUE)
    gui.until(lambda: not model.order.is_sorting)
    model.filter("tag 0001")
    at_a_letter = model.order.is_sorting
    model.sort(VALUE, Qt.SortOrder.DescendingOrder)
    assert (at_a_letter, model.order.is_sorting) == (False, True)


def test_that_a_rename_among_ten_thousand_tags_builds_no_rows_again(gui: Driver, many: Workbench) -> None:
    model = gui.tags.model
    resets: list[int] = []
    model.modelReset.connect(lambda: resets.append(1))
    assert model.setData(model.index(4, NAME), "Another name")
    assert not resets
    assert model.index(4, NAME).data() == "Another name"


def test_that_a_cell_without_a_sample_shows_nothing_that_looks_like_a_value(gui: Driver, line4: Workbench) -> None:
    model = gui.tags.model
    assert {model.index(row, VALUE).data() for row in range(model.rowCount())} == {""}
    assert "good" not in shown(gui, QUALITY)
    assert "l/min" in shown(gui, UNIT)
