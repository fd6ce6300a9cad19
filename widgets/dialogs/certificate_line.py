"""What a server showed as its certificate, in two lines, before it is trusted. Shown, not decided: that is asked on connecting."""

from __future__ import annotations

import time

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.errors import UserError
from app.trust.facts import Facts, facts, spaced, utc
from app.trust.store import TrustStore
from app.workspace.paths import pki_dir
from widgets.look import label


class CertificateLine(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.facts = label("", wrap=True, selectable=True)
        self.state = label("", "dim", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.facts)
        layout.addWidget(self.state)
        self.show_certificate(b"")

    def show_certificate(self, der: bytes) -> None:
        """DER as the server sent it, from anybody; b"" hides the lines."""
        self.setVisible(bool(der))
        if not der:
            return
        try:
            found = facts(der)
        except UserError as error:
            self.facts.setText(f"Server certificate: {error.why}")
            self.state.setText("A connection that needs it will be refused.")
            return
        self.facts.setText(
            f"Server certificate: {found.name}\nThumbprint {spaced(found.thumbprint)}\n"
            f"Valid from {utc(found.not_before_ns)} to {utc(found.not_after_ns)}, {found.key}"
        )
        self.state.setText(_state(der, found))


def _state(der: bytes, found: Facts) -> str:
    store = TrustStore(pki_dir())
    if any(known.der == der for known in store.refused()):
        return "It was refused on this computer."
    if any(known.der == der for known in store.trusted()):
        return "It is trusted on this computer."
    now_ns = time.time_ns()
    late = " It has expired." if found.not_after_ns < now_ns else " It is not valid yet." if found.not_before_ns > now_ns else ""
    return f"Not trusted on this computer yet: you will be asked when it connects.{late}"
