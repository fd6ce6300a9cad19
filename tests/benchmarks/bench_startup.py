"""From the start of the process to the painted, usable window: beside a bare PySide6 window, and beside a start that imports everything.

All three are started in turn, on one core, as processes that end themselves (``tests.benchmarks.started``); the medians count. The
product opens the example project, as a user would who has opened it before: with the bytecode that Python keeps of all that it has imported
once, which all three have. *Usable* is when the window has been painted and the event
loop has nothing left to do; what it does later is printed too (``late``), so that work put off is seen.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PROJECT = CHECKOUT / "projects" / "bottling-line.tagloom"
OF_BARE = 2.0
OF_EAGER = 0.4
LATE_MS = 100.0
LIMIT_S = 120.0
WAYS = {"bare": ["bare"], "tagloom": ["widgets", str(PROJECT)], "eager": ["eager", str(PROJECT)]}
"""Name → arguments of ``started``."""


def start(arguments: list[str], folder: str) -> dict[str, float]:
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "PYTHONPYCACHEPREFIX": str(Path(folder) / "bytecode"),
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
        **{f"TAGLOOM_{kind}_DIR": str(Path(folder) / kind.lower()) for kind in ("CONFIG", "DATA", "CACHE", "LOG")},
    }
    began_s = time.monotonic()
    command = [sys.executable, "-m", "tests.benchmarks.started", *arguments]
    ended = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if ended.returncode or not ended.stdout.strip():
        raise SystemExit(f"{arguments[0]} did not start:\n{ended.stdout}\n{ended.stderr}")
    told: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return {**told, "wall_s": told["monotonic_s"] - began_s}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    told: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        for arguments in WAYS.values():
            start(arguments, folder)  # once before, so that the file cache and the workspace are as on any day
        for _ in range(chosen.rounds):
            for way, arguments in WAYS.items():
                told[way].append(start(arguments, folder))
    medians = {
        way: {key: statistics.median(run[key] for run in runs) for key in ("wall_s", "cpu_s", "late_ms", "modules")}
        for way, runs in told.items()
    }
    for way, median in medians.items():
        print(
            f"  {way:<8} {median['wall_s'] * 1000:7.0f} ms to the usable window, {median['cpu_s'] * 1000:7.0f} ms CPU, "
            f"{median['modules']:5.0f} modules, late {median['late_ms']:.0f} ms"
        )
    of_bare = medians["tagloom"]["cpu_s"] / medians["bare"]["cpu_s"]
    of_eager = medians["tagloom"]["cpu_s"] / medians["eager"]["cpu_s"]
    wall = {way: medians["tagloom"]["wall_s"] / medians[way]["wall_s"] for way in ("bare", "eager")}
    print(f"  {of_bare:.2f} x a bare window in CPU, {wall['bare']:.2f} x in time (bound: {OF_BARE:g})")
    print(f"  {of_eager:.2f} x a start that imports everything in CPU, {wall['eager']:.2f} x in time (bound: {OF_EAGER:g})")
    late_ms = medians["tagloom"]["late_ms"]
    print(f"  longest moment in the second after: {late_ms:.0f} ms (bound: {LATE_MS:g})")
    missed = of_bare > OF_BARE or of_eager > OF_EAGER or late_ms > LATE_MS
    print("missed" if missed else "all bounds kept")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
