"""How long the owner of a project is kept from its work: gaps of a 16 ms tick, as a window's, on a machine that has other work too.

A gap counts from the time at which the tick was due. What the machine gave to others is taken off where it says so (Linux: the time for
which a thread stood in the run queue, ``/proc/self/task/*/schedstat``): a busy neighbour is no stall of ours. The ticking thread's own
waits count in full; those of another one only while the ticking thread neither ran nor waited for the machine: it may have waited for
what the other holds (the interpreter). Where it computes itself, nothing is taken off.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

TICK_S = 0.016
_TASKS = Path("/proc/self/task")


def waits_s() -> dict[int, float]:
    """By thread: for how long it was ready to run and did not, in all; {} where the system does not tell."""
    waits = {}
    for task in _TASKS.iterdir() if _TASKS.is_dir() else ():
        try:
            waits[int(task.name)] = int((task / "schedstat").read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            continue
    return waits


class Moment(NamedTuple):
    """On the ticking thread: ``ran_s`` is its CPU time."""

    at_s: float
    ran_s: float
    waits_s: dict[int, float]

    @classmethod
    def now(cls) -> Moment:
        return cls(time.monotonic(), time.thread_time(), waits_s())

    def gap_s(self, before: Moment, asleep_s: float) -> float:
        """Longer than a tick by so much, without what others took; ``asleep_s`` of the time it wanted to do nothing."""
        took_s = self.at_s - before.at_s
        waited = {thread: wait - before.waits_s.get(thread, wait) for thread, wait in self.waits_s.items()}
        own_s = waited.pop(threading.get_native_id(), 0.0)
        held_s = max(0.0, took_s - asleep_s - own_s - (self.ran_s - before.ran_s))
        return took_s - TICK_S - own_s - min(held_s, max(waited.values(), default=0.0))


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
        last = Moment.now()
        end_s = last.at_s + timeout_s
        while last.at_s < end_s:
            if tick():
                return True
            self.ticks += 1
            asleep_s = max(0.0, last.at_s + TICK_S - time.monotonic())
            time.sleep(asleep_s)
            now = Moment.now()
            self.worst_raw_s = max(self.worst_raw_s, now.at_s - last.at_s - TICK_S)
            self.worst_s = max(self.worst_s, now.gap_s(last, asleep_s))
            last = now
        return False
