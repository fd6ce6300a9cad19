"""How long the owner of a project is kept from its work: gaps of a 16 ms tick, as a window's, on a machine that has other work too.

A gap counts from the time at which the tick was due. What the machine gave to others is taken off where it says so (Linux: the time
that this process's threads stood in the run queue, ``/proc/self/task/*/schedstat``): a busy neighbour is no stall of ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

TICK_S = 0.016
_TASKS = Path("/proc/self/task")


def waited_s() -> float:
    """Time that threads of this process were ready to run and did not; 0 where the system does not tell."""
    total_ns = 0
    for task in _TASKS.iterdir() if _TASKS.is_dir() else ():
        try:
            total_ns += int((task / "schedstat").read_text().split()[1])
        except (OSError, IndexError):
            continue
    return total_ns / 1e9


class Ticker:
    """``run`` calls ``tick`` every 16 ms on the calling thread, until that returns True.

    Attributes:
        ticks: How many there were.
        worst_s: Longest gap beyond the tick's own time, without what others took.
        worst_raw_s: The same with it.
    """

    def __init__(self) -> None:
        self.ticks = 0
        self.worst_s = self.worst_raw_s = 0.0

    def run(self, tick: Callable[[], bool], timeout_s: float) -> bool:
        """Whether ``tick`` said that it was enough."""
        begun = last = time.monotonic()
        waited = waited_s()
        while time.monotonic() - begun < timeout_s:
            if tick():
                return True
            self.ticks += 1
            time.sleep(max(0.0, last + TICK_S - time.monotonic()))
            now = time.monotonic()
            raw_s = now - last - TICK_S
            if raw_s > self.worst_raw_s or raw_s > TICK_S:
                waited, before = waited_s(), waited
                self.worst_raw_s = max(self.worst_raw_s, raw_s)
                self.worst_s = max(self.worst_s, raw_s - (waited - before))
            elif self.ticks % 8 == 0:
                waited = waited_s()
            last = time.monotonic()
        return False
