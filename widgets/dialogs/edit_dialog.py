"""The shape of every dialog that changes the project: a form, problems in place, OK makes one edit."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QVBoxLayout, QWidget

from app.edits import Edit
from app.errors import CollectedError, UserError
from widgets.look import MessageBar, set_kind
from widgets.workbench import Workbench

SCREEN_SHARE = 0.94
"""No dialog is larger than this share of the screen it opens on: a laptop on the line has 1366x768."""


class EditDialog(QDialog):
    """A dialog whose OK is one edit. Opened with ``open()``; it goes when another project is opened.

    A subclass fills ``body`` and says in ``make_edit`` what is to be done; what that raises is shown above the buttons, and the
    dialog stays as it is, with nothing done.
    """

    def __init__(self, workbench: Workbench, title: str, ok: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.workbench = workbench
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        self.message = MessageBar()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.ok: QPushButton = self.buttons.addButton(ok, QDialogButtonBox.ButtonRole.AcceptRole)
        set_kind(self.ok, "primary")
        self.ok.setDefault(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addLayout(self.body, 1)
        layout.addWidget(self.message)
        layout.addWidget(self.buttons)
        self.message.hide()
        self.buttons.accepted.connect(self._on_ok)
        self.buttons.rejected.connect(self.reject)
        workbench.project_replaced.connect(self.reject)

    def make_edit(self) -> Edit:
        """The whole change.

        Raises:
            UserError: What is wrong with what was typed; a CollectedError when it is more than one thing.
        """
        raise NotImplementedError

    def _on_ok(self) -> None:
        try:
            self.workbench.do(self.make_edit())
        except UserError as error:
            self.show_problems(error)
            return
        self.accept()

    def show_problems(self, error: UserError) -> None:
        """Every problem on a line of its own, in the dialog."""
        if isinstance(error, CollectedError):
            lines = "\n".join(f"{problem.where}: {problem.why}" for problem in error.problems)
            self.message.show_message(error.what, "error", why=lines, fix=error.fix)
        else:
            self.message.show_error(error)

    def showEvent(self, event: QShowEvent) -> None:
        room = self.screen().availableSize() * SCREEN_SHARE
        self.resize(self.size().boundedTo(room))
        super().showEvent(event)
