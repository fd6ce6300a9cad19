"""Scan a Modbus endpoint: unit ids, registers, SunSpec, identification. Begun by a person, one request after the other, never by itself."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from app.edits import Edit
from widgets.dialogs.scan_device import IdentifyPage, SunSpecPage
from widgets.dialogs.scan_page import ScanPage
from widgets.dialogs.scan_registers import RegistersPage
from widgets.dialogs.scan_units import UnitsPage
from widgets.look import button, label
from widgets.workbench import Workbench

_WARNING = (
    "Nothing is written, and nothing is sent before you press Start. But a read can have effects on some devices: a counter that is reset "
    "by reading, a register that stops the device. Scan while the machine may stop."
)


class ScanDialog(QDialog):
    """Stands beside the window and blocks nothing; one scan at a time. Closing it ends the scan."""

    def __init__(self, workbench: Workbench, endpoint: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._workbench, self.endpoint = workbench, endpoint
        held = workbench.endpoint(endpoint)
        self.setWindowTitle(f"Scan {held.name if held else endpoint}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.units = UnitsPage(workbench, endpoint)
        self.registers = RegistersPage(workbench, endpoint)
        self.sunspec = SunSpecPage(workbench, endpoint)
        self.identify = IdentifyPage(workbench, endpoint)
        self.pages: tuple[ScanPage, ...] = (self.units, self.registers, self.sunspec, self.identify)
        self.tabs = QTabWidget()
        self.why_not = label("", "warn", wrap=True)
        self.connect_now = button("Connect", "link")
        self._build()
        for page in self.pages:
            page.ran.connect(self._refresh)
        self.connect_now.clicked.connect(lambda: workbench.live.connect(endpoint))
        workbench.endpoint_changed.connect(self._on_endpoint_changed)
        workbench.staleness_ticked.connect(self._on_tick)
        workbench.project_replaced.connect(self.reject)
        workbench.edited.connect(self._on_edited)
        self._refresh()

    def _build(self) -> None:
        for page in self.pages:
            self.tabs.addTab(page, page.TITLE)
        self.connect_now.setAutoDefault(False)
        trouble = QHBoxLayout()
        trouble.addWidget(self.why_not, 1)
        trouble.addWidget(self.connect_now)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(label(_WARNING, "dim", wrap=True))
        layout.addLayout(trouble)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(close)
        self.resize(900, 600)

    # When it may scan

    def _why_not(self) -> str:
        live = self._workbench.live
        if live.paused:
            return "Reading is paused: nothing is asked of any device. Go on with Endpoint ▸ Pause all reading."
        if live.state(self.endpoint).phase != "connected":
            return "Not connected: there is nothing to ask."
        return ""

    def _refresh(self) -> None:
        why = self._why_not()
        running = next((page for page in self.pages if page.is_running), None)
        for page in self.pages:
            busy = f"{running.TITLE} is being asked for" if running is not None and running is not page else ""
            page.forbid(why or busy)
        self.why_not.setText(why)
        self.why_not.setVisible(bool(why))
        self.connect_now.setVisible(self._workbench.live.state(self.endpoint).phase in ("off", "stopped"))

    def _on_tick(self) -> None:
        if self._workbench.live.paused:
            for page in self.pages:
                page.cancel("Ended because reading was paused.")
        if self.why_not.text() != self._why_not():
            self._refresh()

    def _on_endpoint_changed(self, endpoint: str) -> None:
        if endpoint == self.endpoint:
            self._refresh()

    def _on_edited(self, _: Edit) -> None:
        if self._workbench.endpoint(self.endpoint) is None:
            self.reject()
        else:
            self._refresh()

    def done(self, result: int) -> None:
        for page in self.pages:
            page.cancel()
        super().done(result)


def show_scan(parent: QWidget | None, workbench: Workbench, endpoint: str) -> ScanDialog | None:
    """The one dialog of this endpoint; None when there is no such endpoint."""
    if workbench.endpoint(endpoint) is None:
        return None
    window = parent.window() if parent is not None else None
    open_ones = window.findChildren(ScanDialog) if window is not None else []
    dialog = next((one for one in open_ones if one.endpoint == endpoint and one.isVisible()), None)
    dialog = dialog or ScanDialog(workbench, endpoint, window)
    dialog.show()
    dialog.raise_()
    return dialog
