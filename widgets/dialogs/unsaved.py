"""Asks what to do with unsaved changes, before anything that would lose them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMessageBox

from app.errors import UserError
from widgets.dialogs.save_as import show_save_as

if TYPE_CHECKING:
    from widgets.main_window import MainWindow


def ask_about_unsaved(window: MainWindow, go: Callable[[], object]) -> None:
    """Call ``go`` at once when nothing is unsaved, else after Save or Don't save. Never blocks."""
    workbench = window.workbench
    if workbench.editor.is_saved:
        go()
        return
    buttons = QMessageBox.StandardButton
    box = QMessageBox(QMessageBox.Icon.Question, "Tagloom", f"Save the changes in {workbench.title}?", parent=window)
    box.setInformativeText("Without saving, everything since the last save is lost.")
    box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
    box.setDefaultButton(buttons.Save)

    def on_clicked() -> None:
        chosen = box.standardButton(box.clickedButton())
        if chosen == buttons.Discard:
            go()
        elif chosen == buttons.Save and workbench.path is None:
            show_save_as(window, go)
        elif chosen == buttons.Save:
            try:
                workbench.save()
            except UserError as error:
                window.show_error(error)
            else:
                go()

    box.buttonClicked.connect(on_clicked)
    box.open()
