"""The window while 100,000 values a second arrive, and while 100,000 nodes are crawled: does it stay as quick as when it is idle?

The real window (offscreen), Connect with its tag table, a project of 10,000 tags that are all watched, a connector process that feeds
each of them ten times a second over the real pipe, on the other core. Stretches of idle, of load and of a crawl take turns; what counts
is the gap between ticks of a precise 16 ms timer in the window's thread. All values that were sent have to have arrived, and all nodes.

Before anything is measured, values have come for half a minute, so that what leaves the full rings of the history is paid for, and one
crawl has been made, which is told by itself: the host of a virtual machine gives the memory of 100,000 nodes at its first use only.
"""

from __future__ import annotations

import argparse
import gc
import sys
from typing import Final

from tests.benchmarks.window_feed import PERIOD_S, Fed, Phase, fed_window

BOUND: Final = 1.15
BOUNDED: Final = ("values", "crawl")
SETTLE_S = 1.0


def crawl(fed: Fed, into: Phase, nodes: int) -> None:
    """Read everything below a node, as *Find* does, and wait until it is known."""
    crawling = fed.window.findChildren(type(_crawl_of(fed)))[0]
    crawling.start("plc", "", "Plant", per_s=10**9, limit=nodes)
    fed.ticks.measure(into, 120, lambda: not crawling.running)
    assert crawling.count == nodes, f"{crawling.count:,} of {nodes:,} nodes came: {crawling.words}"
    cache = fed.window.workbench.workspace.nodes
    fed.run(120, lambda: cache.unwritten == 0)  # what follows is measured by itself
    assert cache.unwritten == 0, "the browse cache was not written"


def _crawl_of(fed: Fed):  # type: ignore[no-untyped-def]  # widgets.crawl.Crawl, imported when the window is
    from widgets.crawl import Crawl

    return fed.window.findChild(Crawl)


def measure(tags: int, nodes: int, rounds: int, seconds: float, warm_s: float) -> dict[str, Phase]:
    phases = {"idle": Phase(), "values": Phase(), "first": Phase(), "crawl": Phase()}
    with fed_window(tags) as fed:
        fed.window.show_mode("connect")
        fed.ask("do:feed")
        fed.run(warm_s)
        fed.ask("do:hush")
        print(f"{fed.live.history.bytes / 1e6:.0f} MB of history, {fed.live.history.usage('t09999').bytes / 1000:.1f} kB for a tag")
        if nodes:
            crawl(fed, phases["first"], nodes)
        for _ in range(rounds):
            fed.run(SETTLE_S)
            fed.ticks.measure(phases["idle"], seconds)
            if nodes:
                crawl(fed, phases["crawl"], nodes)
            fed.ask("do:feed")
            fed.run(SETTLE_S)
            fed.ticks.measure(phases["values"], seconds)
            fed.ask("do:hush")
        sent = fed.all_arrived()
        print(f"{sent:,} values were sent and as many arrived, {tags / PERIOD_S:,.0f} a second")
    return phases


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tags", type=int, default=10_000)
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm", type=float, default=30.0)
    parser.add_argument("--no-gc", action="store_true", help="without Python's garbage collector, to see what it costs")
    chosen = parser.parse_args()
    if chosen.no_gc:
        gc.disable()
    phases = measure(chosen.tags, chosen.nodes, chosen.rounds, chosen.seconds, chosen.warm)
    idle, failed = phases["idle"], False
    for name, phase in phases.items():
        if phase.gaps_ms:
            ratio = phase.p(99) / idle.p(99)
            bound = BOUND if name in BOUNDED else None
            failed |= bound is not None and ratio > bound
            print(f"{name:<7} {phase}   p99 {ratio:.2f} x idle" + (f" (bound {bound})" if bound else ""))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
