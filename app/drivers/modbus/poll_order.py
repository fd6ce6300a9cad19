"""Which block is read next: of the unit that has had least of the line, the most urgent one.

A unit that answers slowly, or not at all, takes its time of the line from its own next requests, not from those of the others: each unit
with something to read gets the same share of the time (start-time fair queueing, Goyal, Vin and Cheng 1996), and what one does not need
goes to the others.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

Job = TypeVar("Job")
LOOK: Final = 32
"""Blocks of a unit among which one is looked for that can go at once, while several requests may be in flight."""


@dataclass(slots=True)
class _Unit(Generic[Job]):
    used_s: float = 0.0
    waiting: list[tuple[float, int, Job]] = field(default_factory=list)


class PollOrder(Generic[Job]):
    """Jobs of units by urgency."""

    def __init__(self) -> None:
        self._units: dict[int, _Unit[Job]] = {}
        self._number = 0
        self._now_s = 0.0
        """Used time of the unit that was served last: one that had nothing to read for a while has saved up no more than that."""

    def __len__(self) -> int:
        return sum(len(unit.waiting) for unit in self._units.values())

    def add(self, number: int, due_s: float, job: Job) -> None:
        """What is due at the same time goes in the order in which it was added."""
        unit = self._units.setdefault(number, _Unit())
        if not unit.waiting:
            unit.used_s = max(unit.used_s, self._now_s)
        self._number += 1
        heapq.heappush(unit.waiting, (due_s, self._number, job))

    def used(self, number: int, seconds: float) -> None:
        """A job of this unit has taken so long."""
        self._units[number].used_s += seconds

    def next(self, goes: Callable[[Job], bool]) -> Job | None:
        """Take the next job: the most urgent of the unit that ``goes`` says could go at once, or just the most urgent."""
        waiting = [unit for unit in self._units.values() if unit.waiting]
        if not waiting:
            return None
        unit = min(waiting, key=lambda one: one.used_s)
        self._now_s = max(self._now_s, unit.used_s)
        passed: list[tuple[float, int, Job]] = []
        found = None
        while unit.waiting and len(passed) < LOOK and found is None:
            entry = heapq.heappop(unit.waiting)
            if goes(entry[2]):
                found = entry[2]
            else:
                passed.append(entry)
        if found is None:
            found = passed.pop(0)[2]
        for entry in passed:
            heapq.heappush(unit.waiting, entry)
        return found
