"""Shades behind the curves where values are missing, bad or uncertain, and the words that say why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.samples.points import Span, SpanKind
from widgets.look import color
from widgets.reading_text import age_text

Shade = tuple[float, float, SpanKind]
"""Left and right in seconds since the base of the plot, and what it is."""

BEHIND: Final = -50
_TOKENS: Final[dict[SpanKind, str]] = {"gap": "stale", "bad": "bad", "uncertain": "warn"}
_OPACITY: Final[dict[SpanKind, int]] = {"gap": 44, "bad": 40, "uncertain": 34}
_ORDER: Final[tuple[SpanKind, ...]] = ("uncertain", "gap", "bad")
_WORDS: Final[dict[SpanKind, str]] = {"gap": "no samples", "bad": "bad quality", "uncertain": "uncertain quality"}


class Shades(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph is not typed
    """Bands over the whole height of a plot. All curves share one of a kind: a loss of the connection is one band, not fifty."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(BEHIND)
        self.shades: list[Shade] = []

    def show_spans(self, shades: list[Shade]) -> None:
        if shades != self.shades:
            self.shades = shades
            self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(self.viewRect())

    def viewRangeChanged(self) -> None:
        self.prepareGeometryChange()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        view = self.viewRect()
        least = self.pixelVectors()[0].x() if self.pixelVectors()[0] is not None else 0.0
        for left, right, kind in self.shades:
            tint = color(_TOKENS[kind])
            tint.setAlpha(_OPACITY[kind])
            painter.fillRect(QRectF(left, view.top(), max(right - left, least), view.height()), tint)


def shaded(spans: Iterable[list[Span]], base_ns: int, now_s: float) -> list[Shade]:
    """Those of all curves, of one kind joined where they touch; what goes on ends at ``now_s``."""
    shades: list[Shade] = []
    every = [span for curve in spans for span in curve]
    for kind in _ORDER:
        edges = sorted(
            ((span.begin_ns - base_ns) / 1e9, now_s if span.end_ns is None else (span.end_ns - base_ns) / 1e9)
            for span in every
            if span.kind == kind
        )
        joined: list[list[float]] = []
        for left, right in edges:
            if joined and left <= joined[-1][1]:
                joined[-1][1] = max(joined[-1][1], right)
            else:
                joined.append([left, right])
        shades += [(left, right, kind) for left, right in joined]
    return shades


def span_words(span: Span, status: str, *, utc: bool) -> str:
    """``connection lost 13:02:11–13:02:19 (8 s): the server closed the connection``."""
    what, _, why = span.why.partition(": ")
    begin = _clock(span.begin_ns, utc=utc)
    if span.end_ns is None:
        times = f"since {begin}"
    else:
        times = f"{begin}–{_clock(span.end_ns, utc=utc)} ({age_text((span.end_ns - span.begin_ns) / 1e9)})"
    reason = why or status
    return f"{what or _WORDS[span.kind]} {times}" + (f": {reason}" if reason else "")


def _clock(time_ns: int, *, utc: bool) -> str:
    moment = datetime.fromtimestamp(time_ns / 1e9, UTC)
    return (moment if utc else moment.astimezone()).strftime("%H:%M:%S")
