"""The status bar: one chip per endpoint, and the state of the project in four numbers."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QSizePolicy, QStatusBar, QWidget

from app.model.mapping import Mapping
from app.model.plant import Tag
from app.runtime.clock import SYSTEM_CLOCK
from widgets.clock import is_utc
from widgets.connection_row import ConnectionRow
from widgets.connection_text import Calm
from widgets.look import ElidedLabel, tool_button
from widgets.workbench import Workbench


class StatusBar(QStatusBar):
    """Shows connection states as they change and counts twice a second."""

    def __init__(self, workbench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self._calm: dict[str, Calm] = {}
        self.row = ConnectionRow()
        self.row.chosen.connect(lambda endpoint: workbench.select("endpoint", [endpoint], endpoint))
        self.addWidget(self.row, 1)
        self._counts = ElidedLabel("", "dim")
        self._counts.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._message = ""
        self._rest = QTimer(self, singleShot=True)
        self._rest.timeout.connect(self.clearMessage)
        self._pause = tool_button("pause", "Pause all reading (Ctrl+Shift+P)", checkable=True)
        self._pause.clicked.connect(self._on_pause)
        self.addPermanentWidget(self._pause)
        self.addPermanentWidget(self._counts)
        workbench.project_replaced.connect(self._rebuild)
        workbench.edited.connect(self._rebuild)
        workbench.endpoint_changed.connect(self._on_endpoint_changed)
        workbench.staleness_ticked.connect(self._refresh)
        self._rebuild()

    def showMessage(self, message: str, timeout: int | None = 0) -> None:
        """In place of the numbers: Qt's own way hides the connections meanwhile. ``timeout`` in milliseconds; 0 is for ever."""
        self._message = message
        if timeout:
            self._rest.start(timeout)
        self._refresh_counts()

    def clearMessage(self) -> None:
        self._message = ""
        self._refresh_counts()

    def currentMessage(self) -> str:
        return self._message

    def _rebuild(self) -> None:
        names = {id_: endpoint.name for id_, endpoint in self._workbench.endpoints().items()}
        self._calm = {id_: self._calm.get(id_) or Calm() for id_ in names}
        self.row.set_endpoints(names)
        self._refresh()

    def _on_pause(self) -> None:
        self._workbench.live.pause(self._pause.isChecked())
        self._refresh()

    def _on_endpoint_changed(self, endpoint: str) -> None:
        if endpoint in self._calm:
            state = self._workbench.live.state(endpoint)
            shown = self._calm[endpoint].show(state, SYSTEM_CLOCK.monotonic_s(), utc=is_utc(self._workbench))
            self.row.show_state(endpoint, shown)

    def _refresh(self) -> None:
        for endpoint in self._calm:
            self._on_endpoint_changed(endpoint)
        self._pause.setChecked(self._workbench.live.paused)
        self._pause.setVisible(bool(self._calm))
        self._refresh_counts()

    def _refresh_counts(self) -> None:
        if self._message:
            self._counts.setText(self._message)
            return
        project = self._workbench.project
        mapped = sum(1 for mapping in project.all(Mapping).values() if mapping.sources)
        tags = len(project.all(Tag))
        parts = [f"{tags:,} {'tag' if tags == 1 else 'tags'}", f"{mapped:,} mapped"]
        if bad := self._count_bad():
            parts.append(f"{bad:,} bad")
        if self._workbench.live.paused:
            parts.append("reading paused")
        self._counts.setText("   ·   ".join(parts))

    def _count_bad(self) -> int:
        """Of watched tags; withheld ones count: their value is not one of the tag. 10,000 readings twice a second would be felt."""
        return self._workbench.live.bad()
