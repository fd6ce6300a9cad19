"""All curves of one plot as one item: what is drawn is exactly what was given, and nothing is computed that the plot does not need.

A ``PlotDataItem`` each asks for its bounds twice a frame, copies its data for downsampling and logarithms that are never used, and
tells four signals of it: twice as long as drawing takes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

Points = npt.NDArray[np.float64]


class Line(NamedTuple):
    """One curve: seconds since the base and values, NaN where it is interrupted."""

    x: Points
    y: Points
    path: QPainterPath


class Curves(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph is not typed
    """Curves by tag, drawn in the order in which they were added."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, Line] = {}
        self._pens: dict[str, QPen] = {}

    def add(self, tag: str) -> None:
        nothing = np.zeros(0)
        self.lines[tag] = Line(nothing, nothing, QPainterPath())

    def remove(self, tag: str) -> None:
        del self.lines[tag]
        self._pens.pop(tag, None)
        self.update()

    def set_color(self, tag: str, tint: QColor) -> None:
        self._pens[tag] = pg.mkPen(tint, width=1)
        self.update()

    def set_line(self, tag: str, x: Points, y: Points) -> None:
        """What is drawn of a tag from now on; ``update`` is for whoever has set all."""
        whole = not np.isnan(y).any()
        path = pg.arrayToQPath(x, y, connect="all" if whole else "finite", finiteCheck=not whole)
        self.lines[tag] = Line(x, y, path)

    def boundingRect(self) -> QRectF:
        return QRectF(self.viewRect())

    def viewRangeChanged(self) -> None:
        self.prepareGeometryChange()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for tag, line in self.lines.items():
            painter.setPen(self._pens[tag])
            painter.drawPath(line.path)
