"""File: projects, diagnostics, quit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from app.errors import UserError
from app.workspace.diagnostics import save_diagnostics
from widgets.dialogs.recent import show_recent
from widgets.dialogs.unsaved import ask_about_unsaved
from widgets.main_window import MainWindow
from widgets.registry import Action

PROJECTS = "Tagloom projects (*.tagloom)"


def ask_for_file(window: MainWindow, title: str, filters: str, on_chosen: Callable[[Path], None], *, save_as: str = "") -> None:
    """A file dialog that does not block; ``on_chosen`` gets the path, and a UserError it raises is shown.

    Args:
        window: Parent; where errors are shown.
        title: Of the dialog.
        filters: Qt's form: ``CSV (*.csv);;All files (*)``.
        on_chosen: Called with the chosen path.
        save_as: Proposed name; makes it a dialog for saving.
    """
    dialog = QFileDialog(window, title, str(window.workbench.workspace.last_folder()))
    dialog.setNameFilters(filters.split(";;"))
    if save_as:
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(save_as).suffix.lstrip("."))
        dialog.selectFile(save_as)
    else:
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)

    def chosen(name: str) -> None:
        window.workbench.workspace.set_last_folder(Path(name).parent)
        try:
            on_chosen(Path(name))
        except UserError as error:
            window.show_error(error)

    dialog.fileSelected.connect(chosen)
    dialog.open()


def _new(window: MainWindow) -> None:
    ask_about_unsaved(window, window.workbench.new)


def _open(window: MainWindow) -> None:
    ask_about_unsaved(window, lambda: ask_for_file(window, "Open project", PROJECTS, window.workbench.open))


def _save(window: MainWindow) -> None:
    if window.workbench.path is None:
        _save_as(window)
        return
    try:
        window.workbench.save()
    except UserError as error:
        window.show_error(error)


def _save_as(window: MainWindow) -> None:
    name = window.workbench.path.name if window.workbench.path else f"{window.workbench.project.info.name or 'project'}.tagloom"
    ask_for_file(window, "Save project as", PROJECTS, window.workbench.save, save_as=name)


def _diagnostics(window: MainWindow) -> None:
    def write(path: Path) -> None:
        save_diagnostics(path, window.workbench.project)
        window.workbench.said.emit(f"Diagnostics saved to {path}")

    ask_for_file(window, "Save diagnostics", "Zip archive (*.zip)", write, save_as="tagloom-diagnostics.zip")


ACTIONS = [
    Action("file.new", "New project", "File", _new, "Ctrl+N", "new", 10),
    Action("file.open", "Open…", "File", _open, "Ctrl+O", "open", 11),
    Action("file.recent", "Open recent…", "File", show_recent, "Ctrl+Shift+O", "folder-open", 12, keywords="last project"),
    Action("file.save", "Save", "File", _save, "Ctrl+S", "save", 20),
    Action("file.save_as", "Save as…", "File", _save_as, "Ctrl+Shift+S", "", 21),
    Action("file.diagnostics", "Save diagnostics…", "File", _diagnostics, "", "", 30, keywords="support log versions"),
    Action("file.quit", "Quit", "File", lambda window: window.close(), "Ctrl+Q", "", 90),
]
