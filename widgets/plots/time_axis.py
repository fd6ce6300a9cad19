"""Axes that are cheap to paint, and one that shows clock time, for plots whose x is seconds since a base.

(float64 seconds since 1970 lose nanoseconds.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from widgets.look import color
from widgets.look.theme import mixed

DAY_S: Final = 86_400.0
STEPS_S: Final = (
    *(base * 10.0**power for power in (-3, -2, -1) for base in (1, 2, 5)),
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 21_600.0, 43_200.0, DAY_S,
)  # fmt: skip
TICK_PX: Final = 110
"""Room for one time of day, and as much again."""


class LightAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph is not typed
    """Draws lines and words as they were worked out, lines in the colour that they have on the panel.

    pyqtgraph 0.14 keeps a QPicture of them, in which every word has its font by name: each time it is played, and it is with every
    repaint of the plot, Qt looks for that font anew. And its lines are translucent, which takes Qt a hundred times as long as to fill
    a row of pixels. The two together took twice as long as ten curves.
    """

    picture: object
    """pyqtgraph sets it to None where something is not any more as it was."""
    _ticks: list[tuple[QRect, QColor]]
    _line_and_words: tuple[object, list[object], object] | None

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.save()
        if self.picture is None:
            specs = self.generateDrawSpecs(painter)
            self._line_and_words = (specs[0], [], specs[2]) if specs is not None else None
            self._ticks = [_filled(*tick) for tick in specs[1]] if specs is not None else []
            self.picture = True
        for place, tint in self._ticks:
            painter.fillRect(place, tint)
        if self._line_and_words is not None:
            self.drawPicture(painter, *self._line_and_words)
        painter.restore()


def _filled(pen: QPen, begin: QPointF, end: QPointF) -> tuple[QRect, QColor]:
    """A horizontal or vertical line one pixel wide as what is to be filled, and with what."""
    left, top = math.floor(min(begin.x(), end.x())), math.floor(min(begin.y(), end.y()))
    width, height = abs(round(end.x() - begin.x())), abs(round(end.y() - begin.y()))
    return QRect(left, top, max(width, 1), max(height, 1)), mixed(pen.color(), color("panel"), pen.color().alphaF())


class ClockAxis(LightAxis):
    """x is seconds since ``base_ns``; ticks are local time, or UTC."""

    def __init__(self, base_ns: int, *, utc: bool = False) -> None:
        super().__init__("bottom")
        self._base_s = base_ns / 1e9
        self.utc = utc
        self._local_s = (datetime.fromtimestamp(self._base_s, UTC).astimezone().utcoffset() or timedelta()).total_seconds()
        self.enableAutoSIPrefix(False)

    def show_utc(self, *, utc: bool) -> None:
        self.utc = utc
        self.picture = None  # pyqtgraph draws the axis again only when it thinks it has to
        self.update()

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:  # noqa: N803  pyqtgraph's own names
        """Steps of a clock (15 s, 1 min) where pyqtgraph would take tens; at full steps of the clock, not of the base."""
        wanted_s = (maxVal - minVal) / max(2.0, size / TICK_PX)
        place = next((place for place, step in enumerate(STEPS_S) if step >= wanted_s), len(STEPS_S) - 1)
        offset_s = -(self._base_s % DAY_S) - (0.0 if self.utc else self._local_s)
        return [(STEPS_S[place], offset_s % STEPS_S[place])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """As many digits of a second as the spacing needs."""
        digits = 0 if spacing >= 1 else 1 if spacing >= 0.1 else 3
        return [self._text(value, digits, spacing) for value in values]

    def _text(self, value: float, digits: int, spacing: float) -> str:
        moment = datetime.fromtimestamp(self._base_s + value, UTC)
        moment = moment if self.utc else moment.astimezone()
        if spacing >= 86_400:
            return moment.strftime("%d %b")
        text = moment.strftime("%H:%M" if spacing >= 60 else "%H:%M:%S")
        return f"{text}.{moment.microsecond // 10 ** (6 - digits):0{digits}d}" if digits else text
