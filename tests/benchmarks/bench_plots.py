"""Fifty live curves of 2,000 columns while 100,000 values a second arrive, of which the fifty are plotted.

The real window (offscreen) with five plots of ten curves over five minutes at ten samples a second, wide enough for 2,000 columns.
Stretches take turns: idle (the plots are paused), replay (the plots are fed what a recording of their fifty tags would give: 500 values a
second, and nothing else arrives), live (the same plots while values of 10,000 tags arrive). What counts: the gap between ticks of a
precise 16 ms timer, and the CPU of the window's thread. What arrivals cost is the median of what they cost in each round, in which replay
and live come first in turns: machines get slower and faster. The list of tags is hidden, as it paints values of its own
(``bench_window`` has them).

Beside: what a frame of the same curves costs in a bare pyqtgraph plot by ``setData`` of all points, and by its own downsampling.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from app.model.columns import SampleColumns
from app.model.columns import type_code as code_of
from app.samples.handles import TagHandles
from tests.benchmarks.window_feed import Fed, Phase, fed_window

IDLE_BOUND = 1.15
POINTS_BOUND = 0.05
CURVES, PANES, COLUMNS, SPAN_S, PER_S = 50, 5, 2_000, 300, 10


def fill(fed: Fed, tags: list[str]) -> None:
    """The last five minutes of the plotted tags, as if they had been watched."""
    known = TagHandles(dict(enumerate(tags, 1)))
    random, now_ns = np.random.default_rng(2), time.time_ns()
    rows = SPAN_S * PER_S
    times = now_ns - np.arange(rows, 0, -1, dtype=np.int64) * (10**9 // PER_S)
    for handle in range(1, len(tags) + 1):
        fed.live.history.append(
            known,
            SampleColumns(
                handle=np.full(rows, handle, np.uint32),
                type=np.full(rows, code_of("float64"), np.uint8),
                quality=np.zeros(rows, np.uint8),
                status=np.zeros(rows, np.uint32),
                number=50 + np.cumsum(random.normal(0, 1, rows)),
                source_ns=times,
                server_ns=times,
                receive_ns=times,
            ),
        )


@contextmanager
def bare(fed: Fed, tags: list[str], *, auto: bool) -> Iterator[Callable[[], None]]:
    """The same curves in plots of pyqtgraph alone: draws a frame that sets all points of all curves."""
    import pyqtgraph as pg

    series = [fed.live.history.series(tag) for tag in tags]
    plots = []
    for pane in range(PANES):
        plot = pg.PlotWidget()
        plot.resize(COLUMNS, 180)
        curves = [plot.plot(pen=pg.mkPen("b", width=1)) for _ in range(CURVES // PANES)]
        if auto:  # on the plot: adding a curve resets what was set on the curve
            plot.getPlotItem().setDownsampling(auto=True, mode="peak")
            plot.getPlotItem().setClipToView(True)
        plots.append((plot, list(zip(curves, series[pane * len(curves) :], strict=False))))

    def draw() -> None:
        for plot, pairs in plots:
            for curve, one in pairs:
                curve.setData((one.time_ns - one.time_ns[0]) / 1e9, one.value)
            plot.grab()

    yield draw
    for plot, _ in plots:
        plot.close()


def frames_ms(draw: dict[str, Callable[[], None]], rounds: int = 9) -> dict[str, float]:
    """Median CPU of one frame of each, drawn and painted; they take turns."""
    spent: dict[str, list[float]] = {name: [] for name in draw}
    for _ in range(rounds):
        for name, one in draw.items():
            began = time.thread_time()
            one()
            spent[name].append((time.thread_time() - began) * 1000)
    return {name: statistics.median(times) for name, times in spent.items()}


class Measured(NamedTuple):
    phases: dict[str, Phase]
    frame_ms: dict[str, float]
    more: list[float]
    """Of each round, what the window's thread took of a core while all arrived, less what it took in the replay."""


def measure(rounds: int, seconds: float) -> Measured:
    phases = {"idle": Phase(), "replay": Phase(), "live": Phase()}
    more: list[float] = []
    with fed_window(10_000) as fed:
        fed.window.resize(COLUMNS + 900, 1200)
        fed.window.show_mode("plot")
        fed.window.docks()["tags"].hide()
        from widgets.plots.grid import PlotGrid

        (grid,) = fed.window.findChildren(PlotGrid)
        tags = [f"t{number:05d}" for number in range(CURVES)]
        fill(fed, tags)
        grid.plot_tags(tags[: CURVES // PANES])
        for pane in range(1, PANES):
            grid.add_pane(tags[pane * CURVES // PANES : (pane + 1) * CURVES // PANES])
        grid.span.setCurrentIndex(grid.span.findData(float(SPAN_S)))
        grid.span.activated.emit(grid.span.currentIndex())
        fed.run(2)
        widths = [pane.plot.getViewBox().width() for pane in grid.panes]
        drawn = [len(line.x) for pane in grid.panes for line in pane.curves.lines.values()]
        assert len(drawn) == CURVES
        assert min(widths) >= COLUMNS, f"the plots are {min(widths):.0f} columns wide"
        assert min(drawn) >= COLUMNS, f"only {min(drawn)} points of a curve are drawn"

        def frame() -> None:
            grid.redraw()
            for pane in grid.panes:
                pane.plot.grab()

        with bare(fed, tags, auto=False) as naive, bare(fed, tags, auto=True) as auto:
            frame_ms = frames_ms({"ours": frame, "all points": naive, "pyqtgraph's downsampling": auto})
        for number in range(rounds):
            grid.pause.setChecked(True)
            fed.run(1)
            fed.ticks.measure(phases["idle"], seconds)
            grid.pause.setChecked(False)
            took = {}
            for name in ("replay", "live") if number % 2 else ("live", "replay"):
                fed.ask("do:feed" if name == "live" else f"do:feed {CURVES}")
                fed.run(1)
                before_s = phases[name].ui_s, phases[name].wall_s
                fed.ticks.measure(phases[name], seconds)
                took[name] = (phases[name].ui_s - before_s[0]) / (phases[name].wall_s - before_s[1])
                fed.ask("do:hush")
            more.append(took["live"] - took["replay"])
        print(f"{fed.all_arrived():,} values were sent and as many arrived")
    return Measured(phases, frame_ms, more)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3.0)
    chosen = parser.parse_args()
    phases, frame_ms, more = measure(chosen.rounds, chosen.seconds)
    ours_ms = frame_ms["ours"]
    print(f"a frame of {CURVES} curves, CPU: " + "   ".join(f"{name} {ms:.1f} ms" for name, ms in frame_ms.items()))
    for name, phase in phases.items():
        print(f"{name:<7} {phase}")
    bound_ms = ours_ms + IDLE_BOUND * phases["idle"].p(99)
    gap_ms, points = phases["live"].p(99), statistics.median(more)
    print(f"live gap p99 {gap_ms:.1f} ms; bound {bound_ms:.1f} (one frame {ours_ms:.1f} + {IDLE_BOUND} x idle p99)")
    print(
        f"arrivals raise the CPU of the window's thread by {100 * points:.1f} points (median of {len(more)} rounds: "
        f"{', '.join(f'{100 * one:.1f}' for one in sorted(more))}); bound {100 * POINTS_BOUND:.0f}"
    )
    return int(gap_ms > bound_ms or points > POINTS_BOUND or ours_ms > min(frame_ms.values()))


if __name__ == "__main__":
    sys.exit(main())
