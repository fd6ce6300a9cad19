"""How often a plot is painted, and that its grid can be seen."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QColor

from tests.gui.driving import Driver
from tests.gui.test_plot_spans import begin_ns, pane
from widgets.look import color, theme
from widgets.look.theme import Choice
from widgets.plots.pane import PlotPane

__all__ = ["begin_ns", "pane"]


class Paints(QObject):
    """Counts how often something is painted."""

    def __init__(self, watched: QObject) -> None:
        super().__init__()
        self.count = 0
        watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def contrast(one: QColor, other: QColor) -> float:
    """As of WCAG 2.2: 1 is none."""

    def luminance(of: QColor) -> float:
        parts = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (of.redF(), of.greenF(), of.blueF()))
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_that_a_plot_that_is_drawn_is_painted_once(gui: Driver, pane: PlotPane) -> None:
    gui.run(300)
    paints = Paints(pane.plot.viewport())
    right_s = gui.plots.right_s
    for number in range(1, 6):
        pane.draw(right_s - 60 + number, right_s + number, "source", fit_y=True)
        gui.run(60)
        assert paints.count == number


@pytest.mark.parametrize("choice", ["dark", "light"])
def test_that_lines_of_the_grid_are_seen_and_no_curve_is_taken_for_one(gui: Driver, pane: PlotPane, choice: Choice) -> None:
    before = theme().choice
    theme().choose(choice)
    try:
        gui.run(100)
        pane.plot.grab()
        for name in ("left", "bottom"):
            strongest = max(contrast(tint, color("panel")) for _, tint in pane.plot.getPlotItem().getAxis(name)._ticks)
            assert 1.15 <= strongest <= 1.8
    finally:
        theme().choose(before)
