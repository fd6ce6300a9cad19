"""``tagloom-gui``, and the process that commands start when they need the window."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from widgets import quick_start


def main() -> int:
    """Run the window until it is closed."""
    parser = argparse.ArgumentParser(prog="tagloom-gui", description="The Tagloom window.")
    parser.add_argument("project", nargs="?", type=Path)
    parser.add_argument("--endpoint", action="append", default=[], metavar="NAME=URL", help="where an endpoint is reached from here")
    parser.add_argument("--connect", action="store_true", help="connect every endpoint at once")
    parser.add_argument("--theme", choices=("light", "dark", "system"), default="")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="take a picture of every mode, write them there, and end")
    chosen = parser.parse_args()
    quick_start.begin()
    from widgets.application import start

    reach = dict(part.split("=", 1) for part in chosen.endpoint if "=" in part)
    running = start(chosen.project, reach, connect=chosen.connect or bool(chosen.pictures), theme=chosen.theme)
    quick_start.end()
    quick_start.import_the_rest(running.window)
    if chosen.pictures:
        from widgets.tour import Tour

        return Tour(running.window, chosen.pictures).run()
    return running.application.exec()


if __name__ == "__main__":
    sys.exit(main())
