"""File: projects, diagnostics, quit."""

from __future__ import annotations

from pathlib import Path

from app.errors import UserError
from widgets.dialogs import ask_about_unsaved, show_recent, show_save_as
from widgets.dialogs.save_as import PROJECTS
from widgets.files import ask_for_file
from widgets.main_window import MainWindow
from widgets.registry import Action


def _new(window: MainWindow) -> None:
    ask_about_unsaved(window, window.workbench.new)


def _open(window: MainWindow) -> None:
    ask_about_unsaved(window, lambda: ask_for_file(window, window.workbench, "Open project", PROJECTS, window.workbench.open))


def _save(window: MainWindow) -> None:
    if window.workbench.path is None:
        _save_as(window)
        return
    try:
        window.workbench.save()
    except UserError as error:
        window.show_error(error)


def _save_as(window: MainWindow) -> None:
    show_save_as(window)


def _diagnostics(window: MainWindow) -> None:
    def write(path: Path) -> None:
        from app.workspace.diagnostics import save_diagnostics

        save_diagnostics(path, window.workbench.project)
        window.workbench.said.emit(f"Diagnostics saved to {path}")

    ask_for_file(window, window.workbench, "Save diagnostics", "Zip archive (*.zip)", write, save_as="tagloom-diagnostics.zip")


ACTIONS = [
    Action("file.new", "New project", "File", _new, "Ctrl+N", "new", 10),
    Action("file.open", "Open…", "File", _open, "Ctrl+O", "open", 11),
    Action("file.recent", "Open recent…", "File", show_recent, "Ctrl+Shift+O", "folder-open", 12, keywords="last project"),
    Action("file.save", "Save", "File", _save, "Ctrl+S", "save", 20),
    Action("file.save_as", "Save as…", "File", _save_as, "Ctrl+Shift+S", "", 21),
    Action("file.diagnostics", "Save diagnostics…", "File", _diagnostics, "", "", 30, keywords="support log versions"),
    Action("file.quit", "Quit", "File", lambda window: window.close(), "Ctrl+Q", "", 90),
]
