"""Who signs in at an OPC UA server: nobody by name, a user with a password, or a user certificate.

A password or passphrase goes to ``app.secrets`` and never into the project, an edit or the journal.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QWidget

from app.drivers.base import OfferedEndpoint
from app.drivers.probe_target import UserKind, user_kinds
from app.errors import UserError
from app.model.plant import Security
from app.trust.store import StoredUser, TrustStore
from app.workspace.paths import pki_dir
from widgets.keyring import keep_in_keyring
from widgets.look import label
from widgets.workbench import Workbench

_TITLES: dict[UserKind, str] = {"anonymous": "Anonymous", "password": "User and password", "certificate": "User certificate"}
_ALL: tuple[tuple[UserKind, str], ...] = (("anonymous", ""), ("password", ""), ("certificate", ""))
SESSION, KEYRING = "Until this program ends", "In this computer's keyring"


class SignIn(QWidget):
    """A form. ``allow`` says what a server takes.

    Signals:
        changed: Any of it.
    """

    changed = Signal()

    def __init__(self, workbench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self._users: list[StoredUser] = TrustStore(pki_dir()).users()
        self.kind = QComboBox()
        self.kind.setAccessibleName("Sign in")
        self.name = QLineEdit()
        self.name.setAccessibleName("User")
        self.password = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.password.setAccessibleName("Password")
        self.keep = QComboBox()
        self.keep.addItems([SESSION, KEYRING])
        self.keep.setAccessibleName("Keep the password")
        self.certificate = QComboBox()
        self.certificate.addItems([user.name for user in self._users])
        self.certificate.setAccessibleName("User certificate")
        self.note = label("", "warn", wrap=True)
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.addRow("Sign in", self.kind)
        self.form.addRow("User", self.name)
        self.form.addRow("Certificate", self.certificate)
        self.form.addRow("Password", self.password)
        self.form.addRow("Keep it", self.keep)
        self.form.addRow(self.note)
        self.kind.currentIndexChanged.connect(self._refresh)
        self.name.textChanged.connect(self.changed)
        self.certificate.currentIndexChanged.connect(self._refresh)
        self.allow(None)

    def allow(self, offer: OfferedEndpoint | None) -> None:
        """Show the kinds of user that this way to connect takes; all of them where it is not known."""
        before = self.chosen
        self._kinds = _ALL if offer is None else user_kinds(offer)
        self.kind.blockSignals(True)
        self.kind.clear()
        self.kind.addItems([_TITLES[kind] for kind, _ in self._kinds])
        kinds = [kind for kind, _ in self._kinds]
        self.kind.setCurrentIndex(kinds.index(before) if before in kinds else 0)
        self.kind.blockSignals(False)
        self._refresh()

    def set_security(self, security: Security) -> None:
        kinds = [kind for kind, _ in self._kinds]
        if security.user in kinds:
            self.kind.setCurrentIndex(kinds.index(security.user))
        self.name.setText(security.name)
        source = self._workbench.secrets.source(security.secret) if security.secret else ""
        self.password.setPlaceholderText(f"known: {source}" if source else "not known on this computer")
        if security.user == "certificate":
            if self.certificate.findText(security.name) < 0:
                self.certificate.addItem(security.name)
            self.certificate.setCurrentText(security.name)
        self._refresh()

    @property
    def chosen(self) -> UserKind:
        place = self.kind.currentIndex()
        return self._kinds[place][0] if place >= 0 else "anonymous"

    @property
    def needs_passphrase(self) -> bool:
        name = self.certificate.currentText()
        return self.chosen == "certificate" and any(user.encrypted for user in self._users if user.name == name)

    def security(self, offer: OfferedEndpoint | None) -> Security:
        """Policy and mode of the offer, and the user; without a reference to a secret.

        Raises:
            UserError: A name is missing, or the password would not be protected.
        """
        kind = self.chosen
        reason = dict(self._kinds).get(kind, "")
        if reason:
            raise UserError("Cannot sign in this way", where="Sign in", why=reason, fix="Choose a way to connect that encrypts")
        name = "" if kind == "anonymous" else self.name.text().strip() if kind == "password" else self.certificate.currentText()
        if kind == "password" and not name:
            raise UserError("The user is missing", where="User", why="a password belongs to a user", fix="Write the user's name")
        if kind == "certificate" and not name:
            fix = "Import one: tagloom trust import-user"
            raise UserError("There is no user certificate", where="Certificate", why="none was imported on this computer", fix=fix)
        policy, mode = (offer.policy, offer.mode) if offer is not None else ("None", "None")
        if mode not in ("None", "Sign", "SignAndEncrypt"):
            raise UserError("Cannot connect this way", where=mode, why="this program does not know this mode", fix="Choose another way")
        return Security(policy=policy, mode=mode, user=kind, name=name)  # type: ignore[arg-type]  # mypy does not narrow a str by "in"

    def keep_secret(self, reference: str) -> None:
        """Have the password or passphrase known under its reference, as chosen. Nothing typed is nothing kept.

        It is known for this session at once. Where no keyring keeps it, the window says so when that is known.
        """
        secret = self.password.text()
        if not reference or not secret:
            return
        secrets = self._workbench.secrets
        secrets.remember_for_session(reference, secret)
        if self.keep.currentText() == KEYRING:
            keep_in_keyring(self._workbench, secrets, reference, secret, self._workbench.failed.emit)

    def _refresh(self) -> None:
        kind = self.chosen
        secret = kind == "password" or self.needs_passphrase
        visible = {self.name: kind == "password", self.certificate: kind == "certificate", self.password: secret, self.keep: secret}
        for field, shown in visible.items():
            self.form.setRowVisible(field, shown)
        note = dict(self._kinds).get(kind, "")
        if kind == "certificate" and not self.certificate.count():
            note = "No user certificate was imported on this computer yet."
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.changed.emit()
