"""A small picture of an affine transform: raw values across, IT values up, and where the live value stands on it."""

from __future__ import annotations

import math
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.look import color, scaled_font, value_font

_HEIGHT_PX = 132
_DOT_PX = 4.0


class Line(NamedTuple):
    """it = gain · raw + offset, for raw values of ``low`` to ``high``."""

    gain: float
    offset: float
    low: float
    high: float
    raw_unit: str = ""
    it_unit: str = ""

    def at(self, raw: float) -> float:
        return self.gain * raw + self.offset


class Curve(QWidget):
    """Hidden while there is no line to draw."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line: Line | None = None
        self._raw: float | None = None
        self._trusted = True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def sizeHint(self) -> QSize:
        return QSize(220, _HEIGHT_PX)

    def show_line(self, line: Line | None, raw: float | None, *, trusted: bool = True) -> None:
        """Args: raw: The live value, None for none. trusted: False greys the point (stale or bad)."""
        if line is not None and not (line.high > line.low and math.isfinite(line.at(line.low)) and math.isfinite(line.at(line.high))):
            line = None
        usable = raw if raw is not None and math.isfinite(raw) else None
        if (line, usable, trusted) != (self._line, self._raw, self._trusted):
            self._line, self._raw, self._trusted = line, usable, trusted
            self.update()
        self.setVisible(line is not None)
        if line is not None:
            self.setAccessibleName(f"{line.low:g} {line.raw_unit} gives {line.at(line.low):g} {line.it_unit}, "
                                   f"{line.high:g} {line.raw_unit} gives {line.at(line.high):g} {line.it_unit}")  # fmt: skip

    @property
    def line(self) -> Line | None:
        return self._line

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._line is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(scaled_font(value_font(self.font()), 0.88))
        self._paint(painter, self._line)
        painter.end()

    def _paint(self, painter: QPainter, line: Line) -> None:
        metrics = painter.fontMetrics()
        bottom, top = sorted((line.at(line.low), line.at(line.high)))
        words = [f"{top:.4g} {line.it_unit}".strip(), f"{bottom:.4g} {line.it_unit}".strip()]
        left = max(metrics.horizontalAdvance(text) for text in words) + 8
        box = QRectF(left, 4, self.width() - left - 5, self.height() - metrics.height() - 12)
        painter.setPen(QPen(color("line"), 1))
        painter.drawRect(box)
        painter.setPen(color("dim"))
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(0, box.top() - 2, left - 6, metrics.height()), right, words[0])
        painter.drawText(QRectF(0, box.bottom() - metrics.height() + 2, left - 6, metrics.height()), right, words[1])
        below = QRectF(box.left(), box.bottom() + 4, box.width(), metrics.height())
        painter.drawText(below, int(Qt.AlignmentFlag.AlignLeft), f"{line.low:.4g} {line.raw_unit}".strip())
        painter.drawText(below, int(Qt.AlignmentFlag.AlignRight), f"{line.high:.4g} {line.raw_unit}".strip())
        painter.setPen(QPen(color("accent"), 2))
        painter.drawLine(_point(box, line, line.low, bottom, top), _point(box, line, line.high, bottom, top))
        if self._raw is not None and line.low <= self._raw <= line.high:
            self._paint_live(painter, box, _point(box, line, self._raw, bottom, top))

    def _paint_live(self, painter: QPainter, box: QRectF, at: QPointF) -> None:
        tint = color("accent" if self._trusted else "stale")
        painter.setPen(QPen(color("dim"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(at.x(), box.bottom()), at)
        painter.drawLine(QPointF(box.left(), at.y()), at)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tint)
        painter.drawEllipse(at, _DOT_PX, _DOT_PX)


def _point(box: QRectF, line: Line, raw: float, bottom: float, top: float) -> QPointF:
    across = (raw - line.low) / (line.high - line.low)
    up = (line.at(raw) - bottom) / (top - bottom) if top > bottom else 0.5
    return QPointF(box.left() + across * box.width(), box.bottom() - up * box.height())
