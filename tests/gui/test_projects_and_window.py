"""Opening, saving, closing, finding, crashing, and the layout: what every window must do right."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLabel, QListWidget, QMessageBox, QPushButton

from app.edits import Editor
from app.edits.endpoints import add_endpoint, rename_endpoint
from app.errors import UserError
from app.model.plant import Endpoint
from app.projectfile import open_file, save
from tests.factory import line4_project
from tests.gui.driving import Driver
from widgets.dialogs.crash import CrashHandler
from widgets.dialogs.find import FindDialog, hits

BUTTON = QMessageBox.StandardButton


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "line 4.tagloom"
    save(line4_project(), path, None)
    return path


def edit_something(gui: Driver, name: str = "a") -> None:
    gui.workbench.do(add_endpoint(gui.workbench.project, name, "opc.tcp://127.0.0.1:4840"))


# Files


def test_that_opening_a_project_shows_it_and_connects_nothing(gui: Driver, saved: Path) -> None:
    gui.window.open_project(saved)
    assert gui.window.windowTitle().startswith("line 4.tagloom —")
    assert len(gui.workbench.endpoints()) == 2
    gui.run(200)
    assert {gui.phase(id_) for id_ in gui.workbench.endpoints()} == {"off"}
    assert gui.workbench.editor.is_saved


def test_that_an_edit_marks_the_project_unsaved_and_undo_takes_the_mark_away(gui: Driver, saved: Path) -> None:
    gui.window.open_project(saved)
    edit_something(gui)
    assert "•" in gui.window.windowTitle()
    gui.window.menus.trigger("edit.undo")
    assert "•" not in gui.window.windowTitle()


def test_that_save_writes_what_opens_equal(gui: Driver, saved: Path) -> None:
    gui.window.open_project(saved)
    edit_something(gui)
    gui.window.menus.trigger("file.save")
    assert "•" not in gui.window.windowTitle()
    assert list(open_file(saved).project.elements()) == list(gui.workbench.project.elements())


def test_that_a_new_project_asks_where_to_save_and_remembers_the_folder(gui: Driver, tmp_path: Path) -> None:
    edit_something(gui)
    gui.window.menus.trigger("file.save")
    dialog = gui.dialog(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "new.tagloom"))
    dialog.reject()
    assert (tmp_path / "new.tagloom").is_file()
    assert gui.workbench.path == tmp_path / "new.tagloom"
    assert gui.workbench.workspace.last_folder() == tmp_path
    assert gui.workbench.workspace.recent_projects()[0][0] == tmp_path / "new.tagloom"


def test_that_a_file_that_changed_on_disk_is_not_overwritten(gui: Driver, saved: Path) -> None:
    gui.window.open_project(saved)
    edit_something(gui)
    other = line4_project()
    changed = rename_endpoint(other, "filler-opcua", "by a colleague")
    Editor(other).do(changed)
    save(other, saved, None if not saved.exists() else open_file(saved).fingerprint)
    before = saved.read_bytes()
    gui.window.menus.trigger("file.save")
    assert saved.read_bytes() == before
    assert "line 4.tagloom" in gui.errors()
    assert "•" in gui.window.windowTitle()


@pytest.mark.parametrize("content", [b"", b"{", b'{"kind":"tagloom","format":99}\n\n{"kind":"end"}\n', b"[" * 200_000])
def test_that_a_bad_file_is_refused_and_the_open_project_stays(gui: Driver, saved: Path, tmp_path: Path, content: bytes) -> None:
    gui.window.open_project(saved)
    bad = tmp_path / "bad.tagloom"
    bad.write_bytes(content)
    gui.window.open_project(bad)
    assert "bad.tagloom" in gui.errors()
    assert gui.workbench.path == saved
    assert len(gui.workbench.endpoints()) == 2


def test_that_recent_projects_open_with_one_click_and_lost_ones_say_so(gui: Driver, saved: Path, tmp_path: Path) -> None:
    gui.window.open_project(saved)
    gui.workbench.workspace.remember_project(tmp_path / "lost.tagloom", "Lost")
    gui.workbench.new()
    gui.window.menus.trigger("file.recent")
    rows = gui.dialog().findChild(QListWidget)
    assert rows is not None
    texts = [rows.item(row).text() for row in range(rows.count())]
    assert any("not found" in text and "Lost" in text for text in texts)
    chosen = next(rows.item(row) for row in range(rows.count()) if str(saved) in rows.item(row).text())
    rows.itemActivated.emit(chosen)
    assert gui.workbench.path == saved


@pytest.mark.parametrize("button", [BUTTON.Save, BUTTON.Discard, BUTTON.Cancel])
def test_that_closing_with_unsaved_changes_asks(gui: Driver, saved: Path, button: QMessageBox.StandardButton) -> None:
    gui.window.open_project(saved)
    edit_something(gui, "unsaved")
    gui.window.close()
    assert gui.window.isVisible()
    gui.answer(button)
    kept = any(endpoint.name == "unsaved" for endpoint in open_file(saved).project.all(Endpoint).values())
    assert kept is (button == BUTTON.Save)
    if button == BUTTON.Cancel:
        gui.run(100)
        assert gui.window.isVisible()
    else:
        gui.until(lambda: not gui.window.isVisible())


def test_that_closing_a_new_project_with_save_asks_where_and_then_closes(gui: Driver, tmp_path: Path) -> None:
    edit_something(gui)
    gui.window.close()
    gui.answer(BUTTON.Save)
    dialog = gui.dialog(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "new.tagloom"))
    dialog.reject()
    gui.until(lambda: not gui.window.isVisible(), "saved, but the window stays open")
    assert (tmp_path / "new.tagloom").is_file()


def test_that_another_project_is_opened_only_after_the_question(gui: Driver, saved: Path) -> None:
    edit_something(gui, "unsaved")
    gui.window.open_project(saved)
    assert gui.workbench.path is None
    gui.answer(BUTTON.Discard)
    assert gui.workbench.path == saved


# Undo


def test_that_undo_and_redo_name_what_they_take_back(gui: Driver) -> None:
    edit_something(gui, "press")
    undo = next(action for action in gui.window.actions() if action.objectName() == "edit.undo")
    assert undo.text() == "Undo Add endpoint press"
    gui.window.menus.trigger("edit.undo")
    assert not undo.isEnabled()
    redo = next(action for action in gui.window.actions() if action.objectName() == "edit.redo")
    assert redo.text() == "Redo Add endpoint press"
    gui.window.menus.trigger("edit.redo")
    assert [endpoint.name for endpoint in gui.workbench.endpoints().values()] == ["press"]


def test_that_undoing_what_the_details_show_never_fails(gui: Driver) -> None:
    edit_something(gui, "press")
    (endpoint,) = gui.workbench.endpoints()
    gui.workbench.select("endpoint", [endpoint], endpoint)
    gui.window.menus.trigger("edit.undo")
    gui.window.menus.trigger("edit.redo")
    assert endpoint in gui.workbench.endpoints()


# Find


def test_that_find_goes_to_commands_tags_and_assets(gui: Driver, saved: Path) -> None:
    gui.window.open_project(saved)
    gui.window.menus.trigger("edit.find")
    dialog = gui.dialog(FindDialog)
    assert isinstance(dialog, FindDialog)
    dialog.field.setText("ft-101")
    assert dialog.rows.item(0).text().startswith("FT-101.PV")
    dialog.field.returnPressed.emit()
    assert gui.tags.selected() == ["t-flow"]
    assert gui.window.mode == "connect"

    (asset,) = [hit for hit in hits(gui.window, "packaging meter 1") if hit.detail == "asset"]
    asset.go()
    assert gui.window.mode == "map"
    assert gui.workbench.selection.ids == ("meter-1",)

    command = hits(gui.window, "new project")[0]
    command.go()
    gui.until(lambda: gui.workbench.path is None)


def test_that_find_never_offers_a_command_that_cannot_be_run(gui: Driver) -> None:
    assert not [hit for hit in hits(gui.window, "undo") if hit.text.startswith("Undo")]
    edit_something(gui)
    assert [hit for hit in hits(gui.window, "undo") if hit.text.startswith("Undo")]


# Layout


def test_that_each_mode_keeps_its_own_layout_and_reset_gives_the_default_back(gui: Driver) -> None:
    window = gui.window
    details = window.docks()["details"]
    assert details.isVisible()
    details.hide()
    window.show_mode("map")
    assert details.isVisible()
    window.show_mode("connect")
    assert not details.isVisible()
    window.menus.trigger("view.reset_layout")
    gui.until(lambda: details.isVisible())


def test_that_the_theme_is_kept_for_the_next_time(gui: Driver) -> None:
    gui.window.menus.trigger("view.theme.dark")
    assert gui.workbench.workspace.setting("theme") == "dark"
    gui.window.menus.trigger("view.theme.light")


# Crashes


@pytest.fixture
def handler(gui: Driver) -> Iterator[CrashHandler]:
    before = sys.excepthook
    made = CrashHandler(gui.window)
    made.user_error.connect(gui.window.show_error)
    yield made
    sys.excepthook = before


@pytest.mark.expect_log("the window failed")
def test_that_a_crash_shows_no_traceback_but_copies_it(gui: Driver, handler: CrashHandler) -> None:
    try:
        raise RuntimeError("a mistake in the program")
    except RuntimeError as error:
        handler._on_exception(type(error), error, error.__traceback__)
        handler._on_exception(type(error), error, error.__traceback__)
    dialog = gui.dialog()
    words = "\n".join(label.text() for label in dialog.findChildren(QLabel))
    assert "Traceback" not in words
    assert "RuntimeError" not in words
    copy = next(button for button in dialog.findChildren(QPushButton) if button.text() == "Copy details")
    copy.click()
    copied = QGuiApplication.clipboard().text()
    assert "Traceback" in copied
    assert "a mistake in the program" in copied
    assert dialog.isVisible()
    dialog.reject()


def test_that_a_user_error_that_nobody_caught_is_shown_like_any_other(gui: Driver, handler: CrashHandler) -> None:
    error = UserError("Not done", where="here", why="there is a reason", fix="Try again")
    handler._on_exception(type(error), error, None)
    assert "there is a reason" in gui.errors()
