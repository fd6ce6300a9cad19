"""The status bar: one chip per endpoint, and the state of the project in four numbers."""

from __future__ import annotations

import time

from PySide6.QtWidgets import QHBoxLayout, QStatusBar, QWidget

from app.model.mapping import Mapping
from app.model.plant import Endpoint, Tag
from app.model.values import Quality
from app.runtime.state import ConnectionState
from widgets.clock import day_and_time
from widgets.look import ConnectionChip, label, tool_button
from widgets.look import ConnectionState as Dot
from widgets.workbench import Workbench


class StatusBar(QStatusBar):
    """Shows connection states as they change and counts twice a second."""

    def __init__(self, workbench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self._chips: dict[str, ConnectionChip] = {}
        self._row = QWidget()
        self._layout = QHBoxLayout(self._row)
        self._layout.setContentsMargins(4, 0, 4, 0)
        self._layout.setSpacing(12)
        self.addWidget(self._row)
        self._counts = label("", "dim")
        self._pause = tool_button("pause", "Pause all reading (Ctrl+Shift+P)", checkable=True)
        self._pause.clicked.connect(self._on_pause)
        self.addPermanentWidget(self._pause)
        self.addPermanentWidget(self._counts)
        workbench.project_replaced.connect(self._rebuild)
        workbench.edited.connect(self._rebuild)
        workbench.endpoint_changed.connect(self._on_endpoint_changed)
        workbench.staleness_ticked.connect(self._refresh)
        self._rebuild()

    def _rebuild(self) -> None:
        endpoints = self._workbench.project.all(Endpoint)
        if {id_: endpoint.name for id_, endpoint in endpoints.items()} != {id_: chip.property("name") for id_, chip in self._chips.items()}:
            for chip in self._chips.values():
                self._layout.removeWidget(chip)
                chip.hide()  # at once: what is deleted later would be painted below the new ones
                chip.deleteLater()
            self._chips = {id_: self._chip(endpoint) for id_, endpoint in endpoints.items()}
        self._refresh()

    def _chip(self, endpoint: Endpoint) -> ConnectionChip:
        chip = ConnectionChip(endpoint.name)
        chip.setProperty("name", endpoint.name)
        chip.clicked.connect(lambda: self._workbench.select("endpoint", [endpoint.id], endpoint.id))
        self._layout.addWidget(chip)
        return chip

    def _on_pause(self) -> None:
        self._workbench.live.pause(self._pause.isChecked())
        self._refresh()

    def _on_endpoint_changed(self, endpoint: str) -> None:
        if endpoint in self._chips:
            state = self._workbench.live.state(endpoint)
            self._chips[endpoint].set_state(_dot(state), _words(state))
            self._chips[endpoint].setToolTip(str(state.why) if state.why else "")

    def _refresh(self) -> None:
        for endpoint in self._chips:
            self._on_endpoint_changed(endpoint)
        project = self._workbench.project
        mapped = sum(1 for mapping in project.all(Mapping).values() if mapping.sources)
        tags = len(project.all(Tag))
        parts = [f"{tags:,} {'tag' if tags == 1 else 'tags'}", f"{mapped:,} mapped"]
        if bad := self._count_bad():
            parts.append(f"{bad:,} bad")
        self._pause.setChecked(self._workbench.live.paused)
        self._pause.setVisible(bool(self._chips))
        if self._workbench.live.paused:
            parts.append("reading paused")
        self._counts.setText("   ·   ".join(parts))

    def _count_bad(self) -> int:
        readings = (self._workbench.live.reading(tag) for tag in self._workbench.live.wanted())
        return sum(1 for reading in readings if reading.sample is not None and reading.sample.quality is Quality.BAD)


def _dot(state: ConnectionState) -> Dot:
    match state.phase:
        case "connected" if state.as_of_ns is not None:
            return "waiting" if state.held else "snapshot"
        case "connected":
            return "lost" if state.stale else "waiting" if state.held else "connected"
        case "connecting":
            return "connecting"
        case "waiting":
            return "waiting"
    return "off"


def _words(state: ConnectionState) -> str:
    match state.phase:
        case "connected" if state.held:
            return "another device"
        case "connected" if state.as_of_ns is not None:
            return f"snapshot of {day_and_time(state.as_of_ns)}"
        case "connected":
            trip = f"{state.round_trip_s * 1000:.0f} ms" if state.round_trip_s else ""
            return " ".join(filter(None, ("no answer" if state.stale else "", f"{state.values_per_s:,.0f}/s", trip)))
        case "connecting":
            return "connecting…"
        case "waiting":
            left = max(0.0, (state.retry_at_s or 0.0) - time.monotonic())
            return f"retry in {left:.0f} s"
        case "stopped":
            return "not connected"
        case _:
            return "off"
