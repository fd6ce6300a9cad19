"""Putting very many things in order without stopping a window for it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from time import perf_counter
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

RUN: Final = 2_000
"""Things whose keys are made and sorted between two looks at the clock: some milliseconds."""
MERGED_AT_ONCE: Final = 16_000
"""Two neighbouring runs are one after a sort of both, which takes time in proportion to their length; longer ones are merged one by one."""


class Ordering(Generic[T]):
    """A stable sort that can be left and taken up again.

    Runs are sorted by themselves and merged in pairs, as long as that is a matter of milliseconds; the few long runs that are left are
    merged ``RUN`` things at a time. The keys are asked for once, in the order of the things.

    Attributes:
        result: The things in order, once ``step`` has said that they are; before, those that are in order already.
    """

    def __init__(self, things: Sequence[T], key: Callable[[T], Any], *, descending: bool = False) -> None:
        self.result: list[T] = []
        self._things, self._key, self._descending = things, key, descending
        self._keys: list[Any] = []
        self._work = self._steps()

    def step(self, budget_s: float) -> bool:
        """Go on for about so long (one run over it at the most); True when all are in order."""
        until_s = perf_counter() + budget_s
        return all(perf_counter() <= until_s for _ in self._work)

    def _steps(self) -> Iterator[None]:
        """Runs are of places, which Python's garbage collector need not look at."""
        runs: list[list[int]] = []
        for first in range(0, len(self._things), RUN):
            self._keys += map(self._key, self._things[first : first + RUN])
            runs.append(self._sorted(list(range(first, len(self._keys)))))
            yield
        while len(runs) > 1 and len(runs[0]) * 2 <= MERGED_AT_ONCE:
            merged = []
            for place in range(0, len(runs), 2):
                merged.append(self._sorted([*chain(*runs[place : place + 2])]))
                yield
            runs = merged
        ordered = heapq.merge(*runs, key=self._keys.__getitem__, reverse=self._descending)
        while some := list(islice(ordered, RUN)):
            self.result += map(self._things.__getitem__, some)
            yield

    def _sorted(self, run: list[int]) -> list[int]:
        run.sort(key=self._keys.__getitem__, reverse=self._descending)
        return run
