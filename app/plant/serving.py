"""What both servers of the demo plant share as processes: options, announcement, pace, and when to end."""

import argparse
import asyncio
import json
import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.plant.physics import STEP_S, Line

HOST = "127.0.0.1"
MAX_REPLAY_S = 600.0
MAX_CATCH_UP_S = 5.0
LAST_GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Options:
    """How one server process was started. Port 0 lets the system choose a free one."""

    port: int
    seed: int
    epoch: datetime
    with_parent: bool


def parse_options(title: str, arguments: Sequence[str] | None) -> Options:
    """Reads the command line of a server process."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1; 0 chooses a free one")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same noise and stops")
    parser.add_argument("--epoch", type=float, default=None, help="when the line was started, seconds since 1970")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    given = parser.parse_args(arguments)
    epoch_s = math.floor((time.time() if given.epoch is None else given.epoch) / STEP_S) * STEP_S
    return Options(given.port, given.seed, datetime.fromtimestamp(epoch_s, UTC), given.with_parent)


def announce(**facts: str | int) -> None:
    """One JSON line on standard output: the server is ready, and where."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def log_warnings() -> None:
    """Only warnings of the libraries reach standard error."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")


class Pace:
    """Keeps a line in step with the wall clock.

    Two processes with the same seed and epoch show the same values. A process that starts late replays what it missed,
    up to ten minutes; after a longer absence its line starts afresh, as a controller does after a power cut. When the
    clock jumps, or the laptop slept, the line goes on from where it stood and only its time of day moves.
    """

    def __init__(self, seed: int, epoch: datetime, now: datetime) -> None:
        if (now - epoch).total_seconds() > MAX_REPLAY_S or now < epoch:
            epoch = now
        self.line = Line(seed=seed, epoch=epoch)
        self._run_to(now)

    def advance(self, now: datetime) -> int:
        """Steps the line up to `now`; returns how many steps that took."""
        behind_s = (now - self.line.now).total_seconds()
        if not -MAX_CATCH_UP_S < behind_s < MAX_CATCH_UP_S:
            self.line.epoch = now - timedelta(seconds=self.line.elapsed_s + STEP_S)
        return self._run_to(now)

    def wait_s(self, now: datetime) -> float:
        """Seconds until the next step is due."""
        return max(0.001, STEP_S - (now - self.line.now).total_seconds())

    def _run_to(self, now: datetime) -> int:
        due = int((now - self.line.now).total_seconds() / STEP_S)
        for _ in range(due):
            self.line.step()
        return max(0, due)


def stop_event(*, with_parent: bool) -> asyncio.Event:
    """An event that is set when this process shall end: a signal, or the parent's end of standard input closed.

    Call it on the running loop. The parent's death closes the pipe on every system, so no server outlives it.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    signal.signal(signal.SIGTERM, on_signal)
    # Ctrl+C in a terminal reaches parent and children alike: then the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN if with_parent else on_signal)
    if with_parent:
        threading.Thread(target=_wait_for_parent, args=(loop, stop), name="parent", daemon=True).start()
    return stop


def _wait_for_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # os.read, not sys.stdin: a daemon thread inside a buffered reader aborts the interpreter at exit.
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stop.set)
    time.sleep(LAST_GRACE_S)
    os._exit(3)  # the orderly way hung; nothing may be left running
