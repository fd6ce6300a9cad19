"""Opens by itself what a connection has to ask a person: trust of a certificate, a password. Once each time a person connects."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog, QWidget

from app.errors import EndpointError
from widgets.dialogs.password import show_password
from widgets.dialogs.trust import show_trust
from widgets.workbench import Workbench


class ConnectionQuestions(QObject):
    """While a question is open no other is opened: it comes when the person connects again, or from the endpoint's details."""

    def __init__(self, workbench: Workbench, window: QWidget) -> None:
        super().__init__(window)
        self._workbench, self._window = workbench, window
        self._asked: set[str] = set()
        self._open: QDialog | None = None
        workbench.endpoint_changed.connect(self._on_endpoint_changed)
        workbench.project_replaced.connect(self._asked.clear)

    def _on_endpoint_changed(self, endpoint: str) -> None:
        state = self._workbench.live.state(endpoint)
        if state.phase in ("off", "connecting", "connected"):
            self._asked.discard(endpoint)
            return
        why = state.why
        if self._open is not None or endpoint in self._asked or not isinstance(why, EndpointError):
            return
        if why.code == "certificate":
            self._ask(endpoint, show_trust(self._window, self._workbench, endpoint, why))
        elif why.code == "secret":
            self._ask(endpoint, show_password(self._window, self._workbench, endpoint, why))

    def _ask(self, endpoint: str, dialog: QDialog) -> None:
        self._asked.add(endpoint)
        self._open = dialog
        dialog.finished.connect(self._on_finished)

    def _on_finished(self) -> None:
        self._open = None
