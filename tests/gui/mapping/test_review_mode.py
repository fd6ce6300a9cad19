from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.edits import replace
from app.edits.edit import with_fields
from app.edits.mappings import set_transform
from app.model.mapping import GainOffset, Mapping
from app.model.plant import Tag
from app.model.reviewing import Comment
from app.review.approval import newest_approval, review_state
from tests.gui.mapping.conftest import click, type_into
from widgets.dialogs.approve import ApproveDialog, CommentDialog, show_approve, show_comment
from widgets.main_window import MainWindow
from widgets.models.review_table import STATE
from widgets.modes import review
from widgets.review_mode import ReviewMode
from widgets.review_states import states_of
from widgets.workbench import Workbench


@pytest.fixture
def mode(window: MainWindow, line4: Workbench) -> ReviewMode:
    window.show_mode("review")
    found = window.mode_widget("review")
    assert isinstance(found, ReviewMode)
    return found


def select(mode: ReviewMode, *ids: str) -> None:
    selection = mode.view.selectionModel()
    selection.clearSelection()
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for id_ in ids:
        assert mode.model.row_of(id_) >= 0, f"{id_} is not shown"
        selection.select(mode.model.index(mode.model.row_of(id_), 0), flags)


def opened(kind: type[ApproveDialog | CommentDialog]) -> ApproveDialog | CommentDialog:
    found = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, kind) and widget.isVisible()]
    return found[-1]


def state_shown(mode: ReviewMode, id_: str) -> str:
    return str(mode.model.index(mode.model.row_of(id_), STATE).data())


def test_that_all_mappings_and_deliveries_stand_there_with_their_counts(mode: ReviewMode, line4: Workbench) -> None:
    assert {row.id for row in mode.model.rows} == {*line4.project.all(Mapping), "default-delivery", "meter-delivery"}
    assert mode.model.counts() == {"all": 27, "never reviewed": 24, "changed": 0, "approved": 3, "commented": 1}
    mode.model.show_only("approved", "")
    assert {row.id for row in mode.model.rows} == {"m-fill-flow", "m-voltage", "default-delivery"}
    mode.model.show_only("all", "tt-104")
    assert [row.id for row in mode.model.rows] == ["m-temperature"]


def test_that_approve_change_and_undo_show_approved_changed_and_approved(mode: ReviewMode, line4: Workbench, qtbot: QtBot) -> None:
    select(mode, "m-temperature", "m-pressure")
    assert mode.approve.text() == "Approve 2…"
    click(mode.approve)
    dialog = opened(ApproveDialog)
    assert isinstance(dialog, ApproveDialog)
    type_into(dialog.name, "A. Reviewer")
    type_into(dialog.why, "against the loop sheet")
    click(dialog.ok)
    assert review_state(line4.project, "m-temperature") == review_state(line4.project, "m-pressure") == "approved"
    newest = newest_approval(line4.project, "m-temperature")
    assert newest is not None
    assert (newest.by, newest.why) == ("A. Reviewer", "against the loop sheet")
    qtbot.waitUntil(lambda: state_shown(mode, "m-temperature") == "approved")
    line4.do(set_transform(line4.project, "m-temperature", [GainOffset(gain=2.0)]))
    qtbot.waitUntil(lambda: state_shown(mode, "m-temperature") == "changed")
    assert state_shown(mode, "m-pressure") == "approved"
    line4.editor.undo()
    qtbot.waitUntil(lambda: state_shown(mode, "m-temperature") == "approved")
    line4.editor.undo()
    qtbot.waitUntil(lambda: state_shown(mode, "m-temperature") == "never reviewed")
    assert line4.editor.undo_name == ""


def test_that_a_changed_tag_lapses_what_it_feeds_and_a_changed_endpoint_all(mode: ReviewMode, line4: Workbench) -> None:
    states = states_of(line4)
    assert states.state("m-fill-flow") == "approved"
    line4.do(replace("Rescale", line4.project, [with_fields(line4.project.all(Tag)["t-flow"], gain=2.0)]))
    assert states.state("m-fill-flow") == "changed"
    assert states.state("m-voltage") == "approved"
    endpoint = line4.endpoint("meter-modbus")
    assert endpoint is not None
    line4.do(replace("Address", line4.project, [with_fields(endpoint, identity={"application_uri": "urn:other"})]))
    assert states.state("m-voltage") == review_state(line4.project, "m-voltage") == "changed"


def test_that_states_kept_in_memory_are_those_of_the_project_after_any_edit(mode: ReviewMode, line4: Workbench) -> None:
    states = states_of(line4)
    for _ in range(3):
        assert {id_: states.state(id_) for id_ in states.ids()} == {id_: review_state(line4.project, id_) for id_ in states.ids()}
        line4.do(set_transform(line4.project, "m-voltage", [GainOffset(gain=3.0 + len(line4.editor.undo_name))]))
        line4.editor.undo()


def test_that_the_name_of_the_reviewer_is_asked_for_and_remembered(window: MainWindow, line4: Workbench) -> None:
    dialog = show_approve(window, line4, ["m-state"], ["Filler 1/state"])
    type_into(dialog.name, " ")
    click(dialog.ok)
    assert "needs the name of the reviewer" in dialog.message.details()
    assert line4.editor.undo_name == ""
    type_into(dialog.name, "J. Weiss")
    click(dialog.ok)
    assert show_approve(window, line4, ["m-running"], ["Filler 1/running"]).name.text() == "J. Weiss"


def test_that_what_is_approved_already_is_not_approved_twice(window: MainWindow, line4: Workbench) -> None:
    dialog = show_approve(window, line4, ["m-voltage"], ["Meter 1/voltageL1"])
    assert not dialog.ok.isEnabled()


def test_that_an_approval_can_be_revoked_and_undone(mode: ReviewMode, line4: Workbench) -> None:
    select(mode, "m-voltage")
    assert "Approved by A. Reyes on 2026-03-02 (Compared with the HMI)." in mode.strip.sentence.text()
    click(mode.strip.revoke)
    assert review_state(line4.project, "m-voltage") == "never reviewed"
    line4.editor.undo()
    assert review_state(line4.project, "m-voltage") == "approved"


def test_that_a_changed_row_says_by_whom_it_was_approved_and_that_no_copy_is_kept(mode: ReviewMode, line4: Workbench, qtbot: QtBot) -> None:
    line4.do(set_transform(line4.project, "m-voltage", [GainOffset(gain=2.0)]))
    select(mode, "m-voltage")
    qtbot.waitUntil(lambda: "changed since" in mode.strip.sentence.text())
    assert "Approved by A. Reyes on 2026-03-02" in mode.strip.sentence.text()
    assert "no copy" in mode.strip.sentence.text()


def test_that_comments_are_added_resolved_and_reopened(mode: ReviewMode, line4: Workbench, qtbot: QtBot) -> None:
    select(mode, "m-state")
    click(mode.strip.comment)
    dialog = opened(CommentDialog)
    assert isinstance(dialog, CommentDialog)
    click(dialog.ok)
    assert "nothing is written" in dialog.message.details()
    dialog.text.setPlainText("Is HOLDING part of it?")
    click(dialog.ok)
    assert [comment.text for comment in line4.project.comments_about("m-state")] == ["Is HOLDING part of it?"]
    assert mode.model.counts()["commented"] == 2
    comment = line4.project.comments_about("m-state")[0]
    mode.strip._turn(comment)
    assert line4.project.all(Comment)[comment.id].resolved
    line4.editor.undo()
    line4.editor.undo()
    assert line4.project.comments_about("m-state") == []


def test_that_a_comment_dialog_that_is_cancelled_leaves_nothing(window: MainWindow, line4: Workbench) -> None:
    dialog = show_comment(window, line4, "m-state", "Filler 1/state")
    dialog.text.setPlainText("never mind")
    dialog.reject()
    assert line4.editor.undo_name == ""


def test_that_rows_are_sorted_by_any_column_and_keep_their_selection(mode: ReviewMode, line4: Workbench, qtbot: QtBot) -> None:
    for column in range(mode.model.columnCount()):
        mode.view.sortByColumn(column, mode.view.horizontalHeader().sortIndicatorOrder())
        assert len(mode.model.rows) == 27
    select(mode, "m-relay")
    line4.do(set_transform(line4.project, "m-voltage", [GainOffset(gain=2.0)]))
    qtbot.waitUntil(lambda: state_shown(mode, "m-voltage") == "changed")
    assert [row.id for row in mode.selected()] == ["m-relay"]


def test_that_a_selected_row_is_shown_in_the_details(mode: ReviewMode, line4: Workbench) -> None:
    select(mode, "m-speed")
    assert line4.selection.ids == ("filler-1\0a-motor-speed\0filler-motor",)


def test_that_the_rail_counts_what_waits_for_review(mode: ReviewMode, line4: Workbench) -> None:
    assert review.MODE.count(line4) == 24


def test_that_an_empty_project_says_what_comes_first(window: MainWindow) -> None:
    window.show_mode("review")
    mode = window.mode_widget("review")
    assert isinstance(mode, ReviewMode)
    assert not mode.view.isVisible()


def test_that_the_table_is_a_correct_model(mode: ReviewMode, line4: Workbench, qtbot: QtBot) -> None:
    tester = QAbstractItemModelTester(mode.model, QAbstractItemModelTester.FailureReportingMode.Warning)
    mode.model.show_only("changed", "")
    mode.model.show_only("all", "")
    line4.new()
    qtbot.waitUntil(lambda: not mode.model.rows)
    tester.deleteLater()


def test_that_the_review_page_is_written_to_the_chosen_file(mode: ReviewMode, tmp_path: Path) -> None:
    dialog = mode.write_page()
    dialog.fileSelected.emit(str(tmp_path / "line4.html"))
    dialog.close()
    page = (tmp_path / "line4.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") or page.lower().startswith("<!doctype html>")
    assert "productTemperature" in page
