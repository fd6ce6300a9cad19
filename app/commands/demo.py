from __future__ import annotations

import click

from app.commands.terminal.taught import TaughtCommand


@click.command(
    "demo",
    cls=TaughtCommand,
    examples=(
        "tagloom demo",
        "tagloom demo --headless",
    ),
)
@click.option("--headless", is_flag=True, help="Open no window, even where there is a display.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same noise and stops of the line.")
def demo(headless: bool, seed: int) -> int:
    """See everything, on a plant that runs here.

    Starts a bottling line with real OPC UA and Modbus servers on 127.0.0.1, and opens the window on the example project, connected to
    them. They end when the window is closed.

    Without a display, or with --headless, it makes the same journey by itself: connects, browses, watches, maps, records, saves,
    checks, exports to every target, writes the review page, and leaves all of it with a picture of every mode in "tagloom-demo".
    """
    from app.commands.terminal.journey import run_headless, run_in_window
    from app.commands.terminal.window import has_display

    return run_headless(seed) if headless or not has_display() else run_in_window(seed)


COMMAND = demo
