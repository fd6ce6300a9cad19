"""Asks for a password or passphrase that a connection needs. It goes to ``app.secrets``, never into the project."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from app.errors import UserError
from widgets.look import MessageBar, label, set_kind
from widgets.workbench import Workbench


class PasswordDialog(QDialog):
    """Connects with what was typed. The keyring is offered where there is one that keeps secrets safe, and named."""

    def __init__(self, workbench: Workbench, endpoint: str, why: UserError | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workbench, self._endpoint = workbench, endpoint
        held = workbench.endpoint(endpoint)
        assert held is not None
        self._reference = held.security.secret
        certificate = held.security.user == "certificate"
        what = "Passphrase" if certificate else "Password"
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"{what} for {held.name}")
        self.setMinimumWidth(440)
        self.password = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.password.setAccessibleName(what)
        self.keep = QCheckBox()
        words = self._offer_keyring()
        self.message = MessageBar()
        self.message.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.ok = buttons.addButton("Connect", QDialogButtonBox.ButtonRole.AcceptRole)
        set_kind(self.ok, "primary")
        self.ok.setDefault(True)
        self.ok.setEnabled(False)
        form = QFormLayout()
        form.addRow("User certificate" if certificate else "User", label(held.security.name or "none", selectable=True))
        form.addRow(what, self.password)
        form.addRow("", self.keep)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        if why is not None and getattr(why, "code", "") == "user":
            layout.addWidget(label(f"{why.what}: {why.why}", "bad", wrap=True, selectable=True))
        layout.addLayout(form)
        layout.addWidget(label(f"{words} It is never written into the project, a log or an export.", "dim", wrap=True))
        layout.addWidget(self.message)
        layout.addWidget(buttons)
        self.password.textChanged.connect(lambda text: self.ok.setEnabled(bool(text)))
        buttons.accepted.connect(self._on_ok)
        buttons.rejected.connect(self.reject)
        workbench.project_replaced.connect(self.reject)
        self.password.setFocus()

    def _offer_keyring(self) -> str:
        """What happens to it, in words."""
        try:
            self.keep.setText(f"Keep it in {self._workbench.secrets.keyring_name()}")
        except UserError as error:
            self.keep.hide()
            return f"It is known until this program ends: {error.why}."
        return ""

    def _on_ok(self) -> None:
        secret = self.password.text()
        secrets = self._workbench.secrets
        try:
            secrets.remember_for_session(self._reference, secret)
            if self.keep.isChecked():
                secrets.keep_in_keyring(self._reference, secret)
        except UserError as error:
            self.message.show_error(error)
            return
        self._workbench.live.connect(self._endpoint)
        self.accept()


def show_password(parent: QWidget | None, workbench: Workbench, endpoint: str, why: UserError | None = None) -> PasswordDialog:
    dialog = PasswordDialog(workbench, endpoint, why, parent)
    dialog.open()
    return dialog
