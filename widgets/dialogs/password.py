"""Asks for a password or passphrase that a connection needs. It goes to ``app.secrets``, never into the project."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from app.errors import UserError
from app.runtime.opening import secret_reference
from widgets.dialogs.raised import raised
from widgets.keyring import ask_keyring_name, keep_in_keyring
from widgets.look import MessageBar, label, set_kind
from widgets.workbench import Workbench

_NEVER = "It is never written into the project, a log or an export."


class PasswordDialog(QDialog):
    """Connects with what was typed. The keyring is offered where there is one that keeps secrets safe, and named."""

    def __init__(self, workbench: Workbench, endpoint: str, why: UserError | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workbench, self.endpoint = workbench, endpoint
        held = workbench.endpoint(endpoint)
        assert held is not None
        self._reference = secret_reference(held)
        certificate = held.security.user == "certificate"
        what = "Passphrase" if certificate else "Password"
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"{what} for {held.name}")
        self.setMinimumWidth(440)
        self.password = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.password.setAccessibleName(what)
        self.keep = QCheckBox("Keep it in the keyring of this computer")
        self.keep.setEnabled(False)
        self._note = label(_NEVER, "dim", wrap=True)
        self.message = MessageBar()
        self.message.hide()
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.ok = self._buttons.addButton("Connect", QDialogButtonBox.ButtonRole.AcceptRole)
        set_kind(self.ok, "primary")
        self.ok.setDefault(True)
        self.ok.setEnabled(False)
        self._form = QFormLayout()
        self._form.addRow("Endpoint", label(f"{held.name}, {workbench.live.url_of(endpoint)}", wrap=True, selectable=True))
        self._form.addRow("User certificate" if certificate else "User", label(held.security.name or "none", selectable=True))
        self._form.addRow(what, self.password)
        self._form.addRow("", self.keep)
        self._build(why)
        self.password.textChanged.connect(lambda text: self.ok.setEnabled(bool(text)))
        self._buttons.accepted.connect(self._on_ok)
        self._buttons.rejected.connect(self.reject)
        workbench.project_replaced.connect(self.reject)
        ask_keyring_name(self, workbench.secrets, self._on_keyring)
        self.password.setFocus()

    def _build(self, why: UserError | None) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        if why is not None and getattr(why, "code", "") == "user":
            layout.addWidget(label(f"{why.what}: {why.why}", "bad", wrap=True, selectable=True))
        layout.addLayout(self._form)
        layout.addWidget(self._note)
        layout.addStretch(1)
        layout.addWidget(self.message)
        layout.addWidget(self._buttons)

    def _on_keyring(self, found: str | UserError) -> None:
        """What happens to the secret, in words."""
        if isinstance(found, UserError):
            self._form.setRowVisible(self.keep, False)
            self._note.setText(f"It is known until this program ends: {found.why}. {_NEVER}")
        else:
            self.keep.setText(f"Keep it in {found}")
            self.keep.setEnabled(True)

    def _on_ok(self) -> None:
        secret, workbench = self.password.text(), self._workbench
        try:
            workbench.secrets.remember_for_session(self._reference, secret)
        except UserError as error:
            self.message.show_error(error)
            return
        if self.keep.isChecked():
            keep_in_keyring(workbench, workbench.secrets, self._reference, secret, workbench.failed.emit)
        workbench.live.connect(self.endpoint)
        self.accept()


def needs_password(workbench: Workbench, endpoint: str) -> bool:
    """Whether somebody signs in with what can be typed here."""
    held = workbench.endpoint(endpoint)
    return held is not None and held.security.user != "anonymous" and bool(secret_reference(held))


def show_password(parent: QWidget | None, workbench: Workbench, endpoint: str, why: UserError | None = None) -> PasswordDialog:
    """The one that is open for this endpoint, where there is one."""
    return raised(parent, PasswordDialog, endpoint) or _shown(PasswordDialog(workbench, endpoint, why, parent))


def _shown(dialog: PasswordDialog) -> PasswordDialog:
    dialog.show()
    return dialog
