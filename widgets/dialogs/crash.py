"""What a person sees when the program itself is wrong: a sentence, where the log is, and a button that copies the details."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from app.errors import UserError
from app.workspace.paths import log_dir
from widgets.look import label

_LOGGER = logging.getLogger(__name__)


class CrashHandler(QObject):
    """Takes the place of ``sys.excepthook``: logs, and shows the dialog once for a burst of errors.

    Signals:
        user_error: A UserError that nobody caught: it is shown like any other, not as a crash.
    """

    user_error = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._window = parent
        self._dialog: QDialog | None = None

    def install(self) -> None:
        sys.excepthook = self._on_exception

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, UserError):
            self.user_error.emit(error)
            return
        if issubclass(kind, KeyboardInterrupt):
            QGuiApplication.quit()
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        _LOGGER.error("the window failed:\n%s", details)
        if self._dialog is None:
            self._dialog = crash_dialog(details, self._window)
            self._dialog.finished.connect(self._on_finished)
            self._dialog.open()

    def _on_finished(self) -> None:
        self._dialog = None


def crash_dialog(details: str, parent: QWidget | None = None) -> QDialog:
    """The dialog; ``details`` is only in the clipboard after *Copy details*, never on the screen."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("Tagloom made a mistake")
    layout = QVBoxLayout(dialog)
    layout.addWidget(label("Something went wrong inside Tagloom.", "title"))
    layout.addWidget(label("Your project is still open and can be saved. Connections go on in their own processes.", wrap=True))
    layout.addWidget(label(f"The details are in the log: {log_dir()}", "dim", wrap=True, selectable=True))
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    copy = buttons.addButton("Copy details", QDialogButtonBox.ButtonRole.ActionRole)
    copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(details))
    buttons.rejected.connect(dialog.reject)
    layout.addWidget(buttons)
    return dialog
