"""Opens by itself what a connection has to ask a person: trust of a certificate, a password. Once each time a person connects."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from app.errors import EndpointError
from widgets.dialogs import needs_password, show_password, show_trust
from widgets.workbench import Workbench


class ConnectionQuestions(QObject):
    """One question at a time: the next comes when the one before was answered, and none above a dialog that blocks the window."""

    def __init__(self, workbench: Workbench, window: QWidget) -> None:
        super().__init__(window)
        self._workbench, self._window = workbench, window
        self._asked: dict[str, EndpointError] = {}
        self._open: QDialog | None = None
        workbench.endpoint_changed.connect(self._on_endpoint_changed)
        workbench.staleness_ticked.connect(self._on_tick)
        workbench.project_replaced.connect(self._asked.clear)

    def _on_endpoint_changed(self, endpoint: str) -> None:
        self._ask_about(endpoint)

    def _on_tick(self) -> None:
        """Questions that had to wait for another dialog."""
        for endpoint in self._workbench.endpoints():
            self._ask_about(endpoint)

    def _ask_about(self, endpoint: str) -> None:
        """Each refusal is asked about once. It is told by its error: between two of them no other state need be seen."""
        state = self._workbench.live.state(endpoint)
        why = state.why
        if self._open is not None or state.phase != "stopped" or not isinstance(why, EndpointError) or self._asked.get(endpoint) is why:
            return
        if not self._window.isVisible() or QApplication.activeModalWidget() is not None:
            return
        if why.code == "certificate":
            self._ask(endpoint, why, show_trust(self._window, self._workbench, endpoint, why))
        elif why.code in ("secret", "user") and needs_password(self._workbench, endpoint):
            self._ask(endpoint, why, show_password(self._window, self._workbench, endpoint, why))

    def _ask(self, endpoint: str, why: EndpointError, dialog: QDialog) -> None:
        self._asked[endpoint] = why
        self._open = dialog
        dialog.finished.connect(self._on_finished)

    def _on_finished(self) -> None:
        self._open = None
