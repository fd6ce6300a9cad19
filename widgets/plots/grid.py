"""Plots in a grid with one time axis: live or scrolled back, paused, exported."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.projectfile.view import PlotView, View
from app.samples.csv_export import write_series_csv
from app.samples.history import TimeKind
from widgets.clock import is_utc
from widgets.look import button, tool_button
from widgets.plots.pane import PlotPane
from widgets.workbench import Workbench

FRAME_MS: Final = 100
"""So often each plot is drawn."""
MOST_TURNS: Final = 5
"""Plots are drawn one after the other within that time, in at most so many turns: fifty curves at once would be a late frame."""
SHORTEST_S: Final = 0.05
FIT_EVERY: Final = 5
"""y is fitted every fifth frame (twice a second): a scale that jumps with every sample cannot be read."""
LEGEND_EVERY: Final = 3
WINDOWS: Final = (("30 s", 30.0), ("1 min", 60.0), ("5 min", 300.0), ("15 min", 900.0), ("1 h", 3600.0))
KINDS: Final = (("Source time", "source"), ("Server time", "server"), ("Receive time", "receive"))


class PlotGrid(QWidget):
    """All plots of the window.

    Signals:
        picture_asked: The person wants a PNG; the mode asks for a file.
        csv_asked: The same for CSV.
    """

    picture_asked = Signal()
    csv_asked = Signal()

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._base_ns = time.time_ns()
        self.panes: list[PlotPane] = []
        self.window_s, self.right_s = 60.0, 0.0
        self.follows, self.paused = True, False
        self._columns, self._frame = 1, 0
        self._turn, self._turns = 0, 1
        self._build()
        self._timer = QTimer(self, interval=FRAME_MS)
        self._timer.timeout.connect(self._on_turn)
        self._timer.start()
        workbench.project_replaced.connect(self.load)
        workbench.edited.connect(self._on_edited)
        workbench.setting_changed.connect(self._on_setting_changed)
        self.load()

    def _build(self) -> None:
        self.live = button("Live", "play", tip="Follow the newest samples")
        self.live.setCheckable(True)
        self.live.setChecked(True)
        self.pause = button("Pause", "pause", tip="Hold the picture; samples are still collected (Space)")
        self.pause.setCheckable(True)
        self.span = QComboBox()
        self.span.setAccessibleName("Time window")
        for title, seconds in WINDOWS:
            self.span.addItem(title, seconds)
        self.span.setCurrentIndex(1)
        self.kind = QComboBox()
        self.kind.setAccessibleName("Which time")
        for title, key in KINDS:
            self.kind.addItem(title, key)
        self.zone = button("", kind="flat", tip="Local time or UTC, here and in the tables")
        self._name_zone()
        add = button("Add plot", "plot-add")
        side = button("Side by side", "map", tip="One or two plots in a row")
        side.setCheckable(True)
        fit = tool_button("zoom-fit", "Fit values (double click)")
        picture = tool_button("image", "Save as PNG…")
        csv = tool_button("csv", "Export CSV…")
        bar = QHBoxLayout()
        for widget in (self.live, self.pause, self.span, self.kind, self.zone, fit):
            bar.addWidget(widget)
        bar.addStretch(1)
        for widget in (add, side, picture, csv):
            bar.addWidget(widget)
        self._grid = QGridLayout()
        self._grid.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(bar)
        layout.addLayout(self._grid, 1)
        self.live.toggled.connect(self._on_live)
        self.pause.toggled.connect(self._on_pause)
        self.span.activated.connect(lambda _: self._on_span())
        self.zone.clicked.connect(lambda: self._workbench.set_setting("utc", not is_utc(self._workbench)))
        add.clicked.connect(lambda: self.add_pane())
        side.toggled.connect(lambda on: self._arrange(2 if on else 1))
        fit.clicked.connect(self._fit)
        picture.clicked.connect(self.picture_asked)
        csv.clicked.connect(self.csv_asked)

    # Panes

    def load(self) -> None:
        """Build the plots that the view of the project has; one empty plot when it has none."""
        for pane in list(self.panes):
            self._drop(pane)
        view = self._workbench.view
        self.window_s = view.window_s
        self._columns = view.columns
        for plot in view.plots or (PlotView(),):
            self.add_pane(list(plot.tags), keep=False)
        self._want()

    def add_pane(self, tags: list[str] | None = None, *, keep: bool = True) -> PlotPane:
        pane = PlotPane(self._workbench, self._base_ns)
        pane.moved.connect(self._on_moved)
        pane.changed.connect(self._keep)
        pane.closed.connect(lambda: self.close_pane(pane))
        pane.axis.show_utc(utc=is_utc(self._workbench))
        pane.set_tags(tags or [])
        self.panes.append(pane)
        self._arrange(self._columns)
        if keep:
            self._keep()
        return pane

    def plot_tags(self, tags: list[str]) -> None:
        """Add tags to the first empty plot, else to the last one."""
        pane = next((pane for pane in self.panes if not pane.tags), self.panes[-1] if self.panes else self.add_pane())
        pane.add_tags(tags)

    def close_pane(self, pane: PlotPane) -> None:
        self._drop(pane)
        if not self.panes:
            self.add_pane(keep=False)
        self._arrange(self._columns)
        self._keep()

    def _drop(self, pane: PlotPane) -> None:
        self.panes.remove(pane)
        self._grid.removeWidget(pane)
        pane.hide()
        pane.deleteLater()

    def _arrange(self, columns: int) -> None:
        self._columns = columns
        self._turn, self._turns = 0, max(1, min(MOST_TURNS, len(self.panes)))
        self._timer.setInterval(FRAME_MS // self._turns)
        for number, pane in enumerate(self.panes):
            self._grid.addWidget(pane, number // columns, number % columns)

    def _keep(self) -> None:
        plots = tuple(PlotView(tuple(pane.tags)) for pane in self.panes if pane.tags)
        self._workbench.view = View(plots, self._columns, self.window_s)
        self._want()

    def _on_edited(self) -> None:
        for pane in self.panes:
            pane.set_tags(pane.tags)
        self._want()

    def _want(self) -> None:
        tags = [tag for pane in self.panes for tag in pane.tags]
        self._workbench.live.want("plot", tags)
        self._workbench.live.history.keep_long(tags)

    # Time

    def _now_s(self) -> float:
        return (time.time_ns() - self._base_ns) / 1e9

    def _on_turn(self) -> None:
        """Draw some of the plots when they are shown and not held; a hidden plot costs nothing. All of a round end at one time."""
        if not self.isVisible() or self.paused:
            return
        if self._turn == 0:
            self._frame += 1
            if self.follows:
                self.right_s = self._now_s()
        self._draw(self.panes[self._turn :: self._turns], fit_y=self._frame % FIT_EVERY == 1, legend=self._frame % LEGEND_EVERY == 1)
        self._turn = (self._turn + 1) % self._turns

    def redraw(self, *, fit_y: bool = True) -> None:
        self._draw(self.panes, fit_y=fit_y, legend=True)

    def _draw(self, panes: Sequence[PlotPane], *, fit_y: bool, legend: bool) -> None:
        kind = cast("TimeKind", self.kind.currentData())
        for pane in panes:
            pane.draw(self.right_s - self.window_s, self.right_s, kind, fit_y=fit_y)
            if legend:
                pane.refresh_legend()

    def _on_moved(self, left_s: float, right_s: float) -> None:
        """Zoomed: what follows the newest samples goes on following. Panned back in time: it stands still from then on."""
        width_s = max(right_s - left_s, SHORTEST_S)
        zoomed = abs(width_s - self.window_s) > 1e-6 * self.window_s
        self.follows = self.follows and (zoomed or right_s >= self.right_s - 1e-6 * width_s)
        self.window_s = width_s
        if not self.follows:
            self.right_s = right_s
        elif not self.paused:
            self.right_s = self._now_s()
        self.live.blockSignals(True)
        self.live.setChecked(self.follows)
        self.live.blockSignals(False)
        self.redraw(fit_y=False)

    def _on_setting_changed(self, name: str) -> None:
        if name == "utc":
            self._name_zone()
            self.redraw(fit_y=False)

    def _name_zone(self) -> None:
        self.zone.setText("UTC" if is_utc(self._workbench) else "Local time")
        for pane in self.panes:
            pane.axis.show_utc(utc=is_utc(self._workbench))

    def _on_live(self, on: bool) -> None:
        self.follows = on
        if on:
            self.pause.setChecked(False)

    def _fit(self) -> None:
        for pane in self.panes:
            pane.fit_y()

    def _on_pause(self, on: bool) -> None:
        self.paused = on

    def _on_span(self) -> None:
        self.window_s = float(self.span.currentData())
        self._keep()
        self.redraw()

    # Export

    def save_picture(self, path: Path) -> None:
        """All plots as they are shown, at the screen's resolution."""
        self.grab().save(str(path))

    def save_csv(self, path: Path) -> int:
        """What is visible in time, of all curves; the number of rows written."""
        t0_ns = self._base_ns + int((self.right_s - self.window_s) * 1e9)
        t1_ns = self._base_ns + int(self.right_s * 1e9)
        kind = cast("TimeKind", self.kind.currentData())
        found = [(tag, id_) for pane in self.panes for id_ in pane.tags if (tag := self._workbench.tag(id_))]
        series = [(tag.name, tag.unit, self._workbench.live.history.series(id_, kind)) for tag, id_ in found]
        return write_series_csv(path, series, t0_ns, t1_ns)
