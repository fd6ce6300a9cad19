"""File dialogs that do not block and that remember the folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from app.errors import UserError
from widgets.workbench import Workbench


def ask_for_file(
    parent: QWidget,
    workbench: Workbench,
    title: str,
    filters: str,
    on_chosen: Callable[[Path], object],
    *,
    save_as: str = "",
    folder: bool = False,
) -> QFileDialog:
    """Show a file dialog; ``on_chosen`` gets the path, and a UserError or OSError that it raises is shown in the window.

    Args:
        parent: Above whose window it is shown.
        workbench: Where the last folder is remembered.
        title: Of the dialog.
        filters: Qt's form: ``CSV (*.csv);;All files (*)``.
        on_chosen: Called with the chosen path.
        save_as: Proposed name; makes it a dialog for saving.
        folder: Ask for a folder instead.
    """
    dialog = QFileDialog(parent.window(), title, str(workbench.workspace.last_folder()))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if filters:
        dialog.setNameFilters(filters.split(";;"))
    if folder:
        dialog.setFileMode(QFileDialog.FileMode.Directory)
    elif save_as:
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(save_as).suffix.lstrip("."))
        dialog.selectFile(save_as)
    else:
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)

    def chosen(name: str) -> None:
        path = Path(name)
        workbench.workspace.set_last_folder(path if folder else path.parent)
        try:
            on_chosen(path)
        except UserError as error:
            workbench.failed.emit(error)
        except OSError as error:
            workbench.failed.emit(UserError("Not done", where=name, why=error.strerror or str(error), fix="Choose another place"))

    dialog.fileSelected.connect(chosen)
    dialog.open()
    return dialog
