"""Moments without a good value in the plots: a shade and the reason, never a line across."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QTableWidgetItem

from app.edits.edit import create
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Tag
from app.model.values import Quality, Sample
from app.samples.points import Span
from tests.gui.driving import Driver
from widgets.plots.pane import PlotPane
from widgets.plots.spans import shaded, span_words

SECOND = 10**9
LOST = "connection lost: the server closed the connection"


@pytest.fixture
def begin_ns() -> int:
    return time.time_ns() // SECOND * SECOND - 50 * SECOND


def feed(gui: Driver, at_ns: int, seconds: range, quality: Quality = Quality.GOOD) -> None:
    status = 0 if quality is Quality.GOOD else 0x80340000
    rows = []
    for second in seconds:
        value, moment = None if quality is Quality.BAD else 20 + 5 * float(np.sin(second / 3)), at_ns + second * SECOND
        rows.append((1, Sample(value, "float64", quality, status, moment, None, moment)))
    gui.workbench.live.history.append({1: "t"}, SampleColumns.of(rows))


@pytest.fixture
def pane(gui: Driver, begin_ns: int) -> PlotPane:
    """Ten good seconds, ten lost, five bad, five uncertain, and good ones until now."""
    plc = Endpoint(id="plc", name="plc", addresses={"default": "opc.tcp://127.0.0.1:4840"})
    gui.workbench.do(create("Add", [plc, Tag(id="t", endpoint="plc", address="nsu=urn:x;s=T", name="Temperature")]))
    feed(gui, begin_ns, range(10))
    gui.workbench.live.history.gap("t", begin_ns + 10 * SECOND, LOST)
    feed(gui, begin_ns, range(20, 25), Quality.BAD)
    feed(gui, begin_ns, range(25, 30), Quality.UNCERTAIN)
    feed(gui, begin_ns, range(30, 50))
    gui.window.show_mode("plot")
    gui.plots.plot_tags(["t"])
    gui.plots.pause.click()
    gui.plots.right_s = (begin_ns + 55 * SECOND - gui.plots._base_ns) / 1e9
    gui.plots.redraw()
    return gui.plots.panes[0]


def x_of(gui: Driver, at_ns: int) -> float:
    return (at_ns - gui.plots._base_ns) / 1e9


def test_that_a_loss_bad_and_uncertain_values_are_shaded_and_no_line_leads_across(gui: Driver, pane: PlotPane, begin_ns: int) -> None:
    shades = {kind: (round(left - x_of(gui, begin_ns)), round(right - x_of(gui, begin_ns))) for left, right, kind in pane.shades.shades}
    assert shades == {"gap": (9, 20), "bad": (20, 25), "uncertain": (25, 30)}
    x, y, _ = pane.curves.lines["t"]
    inside = (x > x_of(gui, begin_ns) + 9.5) & (x < x_of(gui, begin_ns) + 24.5)
    assert np.isnan(y[inside]).all()
    assert inside.any()
    image = pane.plot.grab().toImage()
    box = pane.plot.getViewBox()

    def pixel(second: float) -> int:
        top = box.viewRange()[1][1] - 0.02 * (box.viewRange()[1][1] - box.viewRange()[1][0])
        at = pane.plot.mapFromScene(box.mapViewToScene(QPointF(x_of(gui, begin_ns) + second, top)))
        scale = image.devicePixelRatio()
        return int(image.pixel(int(at.x() * scale), int(at.y() * scale)))

    assert len({pixel(second) for second in (5.3, 15.3, 22.3, 27.3)}) == 4, "the bands cannot be told apart"


def test_that_hovering_says_what_is_missing_when_and_why(gui: Driver, pane: PlotPane, begin_ns: int) -> None:
    (words,) = pane.words_at(x_of(gui, begin_ns) + 15, 0.1)
    assert words.startswith("Temperature: connection lost ")
    assert words.endswith("(11 s): the server closed the connection")
    (words,) = pane.words_at(x_of(gui, begin_ns) + 22, 0.1)
    assert "bad quality" in words
    assert "BadNodeIdUnknown" in words
    assert pane.words_at(x_of(gui, begin_ns) + 40, 0.1) == []
    box = pane.plot.getViewBox()
    for second, expected in ((15, "the server closed the connection"), (40, "")):
        pane._on_hovered(box.mapViewToScene(QPointF(x_of(gui, begin_ns) + second, box.viewRect().center().y())))
        assert expected in pane.plot.toolTip()
    assert pane.plot.toolTip() == ""


def test_that_the_legend_says_what_is_kept_of_a_tag_and_its_last_gap(gui: Driver, pane: PlotPane) -> None:
    pane._on_legend_entered(0, 0)
    cell = pane.legend.item(0, 0)
    assert isinstance(cell, QTableWidgetItem)
    assert "41 samples" in cell.toolTip()
    assert "kB of memory" in cell.toolTip()
    assert "Last: uncertain quality" in cell.toolTip()


def test_that_spans_of_one_kind_that_touch_are_one_shade_and_what_goes_on_reaches_until_now() -> None:
    one = [Span(0, 2 * SECOND, "gap"), Span(5 * SECOND, None, "gap")]
    other = [Span(SECOND, 3 * SECOND, "gap"), Span(SECOND, 2 * SECOND, "bad")]
    assert shaded([one, other], 0, 9.0) == [(0.0, 3.0, "gap"), (5.0, 9.0, "gap"), (1.0, 2.0, "bad")]


def test_that_a_span_is_told_in_words() -> None:
    at = 1_700_000_000 * SECOND
    assert span_words(Span(at, at + 8 * SECOND, "gap", LOST), "", utc=True) == (
        "connection lost 22:13:20–22:13:28 (8 s): the server closed the connection"
    )
    assert span_words(Span(at, None, "gap", "not watched"), "", utc=True) == "not watched since 22:13:20"
    assert span_words(Span(at, None, "gap"), "", utc=True) == "no samples since 22:13:20"
    assert span_words(Span(at, at + SECOND, "bad"), "BadX", utc=True) == "bad quality 22:13:20–22:13:21 (1 s): BadX"
