"""One plot: curves of tags over a common time axis, with a legend that shows the newest values."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDragMoveEvent, QDropEvent, QIcon, QPixmap, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHeaderView, QMenu, QTableWidget, QTableWidgetItem, QWidget

from app.mapping.transform import symbol
from app.samples.history import TimeKind
from app.samples.points import Curve, Span
from widgets.clock import is_utc
from widgets.look import EmptyState, calm_table, color, plain_tip, row_px, theme, value_font
from widgets.mime import nodes_of, tags_of
from widgets.node_tags import tags_from_nodes
from widgets.plots.curves import Curves, Points
from widgets.plots.spans import BEHIND, Shades, shaded, span_words
from widgets.plots.time_axis import ClockAxis, LightAxis
from widgets.reading_text import quality_key, status_text, value_text
from widgets.workbench import Workbench

LEGEND_PX = 250
GRID_SHARE = 0.22
"""How much of the dim colour is in the lines of the grid: they can be followed, and no curve is taken for one."""
QWIDGETSIZE_MAX = (1 << 24) - 1
"""Qt's own constant, which PySide does not export: no limit."""
TIP_LINES = 12
NARROW_PX = 620
"""Below this width the legend stands over the curves, not beside them."""


class PlotPane(QWidget):
    """Draws what it is told; the grid decides when, and over which time.

    Signals:
        moved: (left s, right s) since the base: the person zoomed or panned in time.
        tags_dropped: list[str] of tag ids to be added.
        changed: Tags were added or removed by the person.
        closed: The person removed this plot.
    """

    moved = Signal(float, float)
    tags_dropped = Signal(object)
    changed = Signal()
    closed = Signal()

    def __init__(self, workbench: Workbench, base_ns: int) -> None:
        super().__init__()
        self._workbench, self._base_ns = workbench, base_ns
        self._spans: dict[str, list[Span]] = {}
        self._y_is_free = True
        self.setAcceptDrops(True)
        self._build()
        theme().changed.connect(self.refresh_colors)
        self.refresh_colors()

    def _build(self) -> None:
        self.axis = ClockAxis(self._base_ns)
        self.plot = pg.PlotWidget(axisItems={"bottom": self.axis, "left": LightAxis("left")})
        item = self.plot.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.showGrid(x=True, y=True, alpha=GRID_SHARE)
        item.getViewBox().setDefaultPadding(0.02)
        item.getAxis("left").setWidth(64)
        for unseen in ("top", "right"):  # else they write their labels with each frame
            item.getAxis(unseen).unlinkFromView()
        item.disableAutoRange()
        item.getViewBox().sigRangeChangedManually.connect(self._on_moved)
        self.plot.scene().sigMouseClicked.connect(self._on_clicked)
        self.plot.scene().sigMouseMoved.connect(self._on_hovered)
        self.shades = Shades()
        item.addItem(self.shades, ignoreBounds=True)
        self.curves = Curves()
        item.addItem(self.curves, ignoreBounds=True)
        self.legend = QTableWidget(0, 2)
        calm_table(self.legend, "Legend")
        self.legend.horizontalHeader().hide()
        self.legend.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.legend.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.legend.setMouseTracking(True)
        self.legend.cellEntered.connect(self._on_legend_entered)
        self.legend.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.legend.customContextMenuRequested.connect(self._on_legend_menu)
        self.empty = EmptyState("plot-add", "Drag tags here", "From the tags, or from the address space.")
        layout = self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (self.plot, self.empty, self.legend):
            layout.addWidget(widget, 0 if widget is self.legend else 1)
        self._show_right_page()

    # Curves

    @property
    def tags(self) -> list[str]:
        return list(self.curves.lines)

    def set_tags(self, tags: Sequence[str]) -> None:
        """Draw exactly these tags that the project has."""
        wanted = [tag for tag in dict.fromkeys(tags) if self._workbench.tag(tag)]
        for tag in self.tags:
            if tag not in wanted:
                self.curves.remove(tag)
        for tag in wanted:
            if tag not in self.curves.lines:
                self.curves.add(tag)
        self.refresh_colors()
        self._label_values()
        self._show_right_page()

    def _label_values(self) -> None:
        """The unit stands at the axis when all curves share it."""
        units = {tag.unit for id_ in self.tags if (tag := self._workbench.tag(id_))}
        shared = symbol(units.pop()) if len(units) == 1 else ""
        axis = self.plot.getPlotItem().getAxis("left")
        axis.setLabel(shared)
        axis.showLabel(bool(shared))

    def add_tags(self, tags: Sequence[str]) -> None:
        self.set_tags([*self.tags, *tags])
        self.changed.emit()

    def remove_tag(self, tag: str) -> None:
        self.set_tags([other for other in self.tags if other != tag])
        self.changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_legend()

    def _place_legend(self) -> None:
        narrow = self.width() < NARROW_PX
        self._row.setDirection(QBoxLayout.Direction.BottomToTop if narrow else QBoxLayout.Direction.LeftToRight)
        rows = min(3, max(1, self.legend.rowCount()))
        self.legend.setMinimumSize(0 if narrow else LEGEND_PX, rows * row_px() + 4 if narrow else 0)
        self.legend.setMaximumSize(QWIDGETSIZE_MAX if narrow else LEGEND_PX, rows * row_px() + 4 if narrow else QWIDGETSIZE_MAX)

    def _show_right_page(self) -> None:
        for widget in (self.plot, self.legend):
            widget.setVisible(bool(self.curves.lines))
        self.empty.setVisible(not self.curves.lines)

    # Drawing

    def draw(self, left_s: float, right_s: float, kind: TimeKind, *, fit_y: bool) -> None:
        """Draw the samples between two times (seconds since the base): at most two points per pixel and curve, spikes kept."""
        columns = max(100, int(self.plot.getViewBox().width()))
        t0_ns, t1_ns = self._base_ns + int(left_s * 1e9), self._base_ns + int(right_s * 1e9)
        low, high = np.inf, -np.inf
        self._spans = {}
        for tag in self.tags:
            known = self._workbench.live.history.curve(tag, t0_ns, t1_ns, columns, kind)
            x, y = _points(known, self._base_ns)
            x, y = self._drawn_on(tag, kind, known.spans, x, y, left_s, right_s)
            self.curves.set_line(tag, x, y)
            if known.spans:
                self._spans[tag] = known.spans
            if len(known.low):
                low, high = np.fmin(low, np.fmin.reduce(y)), np.fmax(high, np.fmax.reduce(y))
        self.curves.update()
        self.shades.show_spans(shaded(self._spans.values(), self._base_ns, right_s))
        box = self.plot.getViewBox()
        box.setXRange(left_s, right_s, padding=0)
        if fit_y and self._y_is_free and low <= high:
            slack = (high - low) * 0.08 or max(abs(high) * 0.05, 0.5)
            box.setYRange(low - slack, high + slack, padding=0)
        # Else pyqtgraph applies the new ranges in the middle of painting, which moves what was just painted: all is painted twice.
        self.plot.scene().prepareForPaint()

    def _drawn_on(
        self, tag: str, kind: TimeKind, spans: list[Span], x: Points, y: Points, left_s: float, right_s: float
    ) -> tuple[Points, Points]:
        """With a live tag's newest value drawn on until now: a server sends changes only, and no change is no gap.

        Where the server said after a gap that the value is still that of before, it is drawn on from when it said so.
        """
        reading = self._workbench.live.reading(tag)
        sample = reading.sample
        if sample is None or reading.stale or not isinstance(sample.value, bool | int | float):
            return x, y
        end_s = min(right_s, (time.time_ns() - self._base_ns) / 1e9)
        last_s = ((getattr(sample, f"{kind}_ns") or sample.receive_ns) - self._base_ns) / 1e9
        if spans and spans[-1].kind == "gap" and spans[-1].end_ns is None:
            spans[-1] = spans[-1]._replace(end_ns=max(sample.receive_ns, spans[-1].begin_ns))
            x, y = np.concatenate((x, [last_s])), np.concatenate((y, [np.nan]))
            last_s = max(last_s, (sample.receive_ns - self._base_ns) / 1e9)
        if last_s >= end_s:
            return x, y
        return np.concatenate((x, [max(last_s, left_s), end_s])), np.concatenate((y, [float(sample.value)] * 2))

    def refresh_colors(self) -> None:
        self.plot.setBackground(color("panel"))
        for name in ("left", "bottom"):
            axis = self.plot.getPlotItem().getAxis(name)
            axis.setZValue(BEHIND - 1)  # its grid
            axis.setPen(color("line"))
            axis.setTickPen(color("dim"))
            axis.setTextPen(color("dim"))
        for number, tag in enumerate(self.tags):
            self.curves.set_color(tag, theme().series(number))
        self.shades.update()
        self._rebuild_legend()

    # Legend

    def _rebuild_legend(self) -> None:
        self.legend.setRowCount(len(self.curves.lines))
        for row, id_ in enumerate(self.tags):
            tag = self._workbench.tag(id_)
            name = QTableWidgetItem(tag.name if tag else id_)
            name.setIcon(_swatch(theme().series(row)))
            value = QTableWidgetItem("")
            value.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.setFont(value_font())
            self.legend.setItem(row, 0, name)
            self.legend.setItem(row, 1, value)
        self._place_legend()
        self.refresh_legend()

    def refresh_legend(self) -> None:
        """The newest value of every curve, grey while it is stale."""
        for row, id_ in enumerate(self.tags):
            tag = self._workbench.tag(id_)
            cell = self.legend.item(row, 1)
            if tag is None or cell is None:
                continue
            reading = self._workbench.live.reading(id_)
            text = f"{value_text(reading, tag)} {symbol(tag.unit)}".strip()
            tint = color({"stale": "stale", "bad": "bad", "uncertain": "warn"}.get(quality_key(reading), "text"))
            if text != cell.text():  # also the same text set again has the table painted
                cell.setText(text)
            if tint != cell.foreground().color():
                cell.setForeground(tint)

    def _on_legend_menu(self, at: QPoint) -> None:
        row = self.legend.rowAt(at.y())
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if 0 <= row < len(self.curves.lines):
            tag = self.tags[row]
            menu.addAction("Remove from the plot").triggered.connect(lambda: self.remove_tag(tag))
        menu.addAction("Close this plot").triggered.connect(self.closed.emit)
        menu.popup(self.legend.viewport().mapToGlobal(at))

    # Mouse

    def _on_moved(self, mask: Sequence[bool]) -> None:
        """The person zoomed or panned: x goes to the grid; a changed y stays until a double click fits it again."""
        if mask[1]:
            self._y_is_free = False
        (left, right), _ = self.plot.getViewBox().viewRange()
        self.moved.emit(left, right)

    def words_at(self, x_s: float, within_s: float) -> list[str]:
        """What is to be said of a time: for each curve without a good value there, which one, since when and why."""
        at_ns, slack_ns = self._base_ns + int(x_s * 1e9), int(within_s * 1e9)
        return [
            f"{self._name(id_)}: {self._span_words(id_, span)}"
            for id_, spans in self._spans.items()
            for span in spans
            if span.begin_ns - slack_ns <= at_ns and (span.end_ns is None or at_ns <= span.end_ns + slack_ns)
        ]

    def _name(self, id_: str) -> str:
        tag = self._workbench.tag(id_)
        return tag.name if tag else id_

    def _span_words(self, id_: str, span: Span) -> str:
        tag = self._workbench.tag(id_)
        status = status_text(self._workbench.endpoint(tag.endpoint), span.status) if tag and span.status else ""
        return span_words(span, status, utc=is_utc(self._workbench))

    def _on_hovered(self, at: QPointF) -> None:
        box = self.plot.getViewBox()
        words: list[str] = []
        if self._spans and box.sceneBoundingRect().contains(at):
            words = self.words_at(box.mapSceneToView(at).x(), 3 * box.viewPixelSize()[0])
        text = plain_tip("\n".join([*words[:TIP_LINES], *(["…"] if len(words) > TIP_LINES else [])])) if words else ""
        self.plot.setToolTip(text)

    def _on_legend_entered(self, row: int, _: int) -> None:
        """What is kept of the curve, and its last gap; found out when somebody looks."""
        id_, cell = self.tags[row], self.legend.item(row, 0)
        tag = self._workbench.tag(id_)
        usage = self._workbench.live.history.usage(id_)
        last = [f"Last: {self._span_words(id_, span)}" for span in self._spans.get(id_, [])[-1:]]
        if cell is not None:
            cell.setToolTip(plain_tip("\n".join([tag.address if tag else "", *([str(usage)] if usage.rows else []), *last])))

    def _on_clicked(self, event: object) -> None:
        if event.double():  # type: ignore[attr-defined]  # pyqtgraph's MouseClickEvent is not typed
            self.fit_y()

    def fit_y(self) -> None:
        self._y_is_free = True

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if tags_of(event.mimeData()) or nodes_of(event.mimeData()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        if tags := tags_of(event.mimeData()):
            self.add_tags(tags)
        elif nodes := nodes_of(event.mimeData()):
            tags_from_nodes(self._workbench, nodes.endpoint, nodes.ids, self.add_tags)


def _points(curve: Curve, base_ns: int) -> tuple[Points, Points]:
    """Seconds since the base and values: two of a time where low and high are not the same."""
    x = (curve.time_ns - base_ns) / 1e9
    twice = 1 + (curve.high > curve.low)
    if len(twice) == int(twice.sum()):
        return x, curve.low
    x, y = np.repeat(x, twice), np.repeat(curve.low, twice)
    y[np.cumsum(twice) - 1] = curve.high
    return x, y


def _swatch(tint: QColor) -> QIcon:
    picture = QPixmap(10, 10)
    picture.fill(tint)
    return QIcon(picture)
