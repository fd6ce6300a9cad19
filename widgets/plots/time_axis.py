"""A time axis that shows clock time, for plots whose x is seconds since a base (float64 seconds since 1970 lose nanoseconds)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pyqtgraph as pg


class ClockAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph is not typed
    """x is seconds since ``base_ns``; ticks are local time, or UTC."""

    def __init__(self, base_ns: int, *, utc: bool = False) -> None:
        super().__init__("bottom")
        self._base_s = base_ns / 1e9
        self.utc = utc
        self.enableAutoSIPrefix(False)

    def show_utc(self, *, utc: bool) -> None:
        self.utc = utc
        self.picture = None  # pyqtgraph draws the axis again only when it thinks it has to
        self.update()

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
