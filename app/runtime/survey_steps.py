"""What a survey wants, asks, and tells: shared by ``survey`` and its takers."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

from app.errors import UserError
from app.runtime.state import Result

PER_S: Final = 100.0
"""Nodes or registers per second unless told otherwise: a node costs a server some thirty attribute reads."""
RATES: Final = (1.0, 5000.0)
Stage = Literal["reading", "waiting", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be taken.

    Attributes:
        path: Of the file; the suffix is added where it is missing.
        root: OPC UA: node below which everything is taken, "" for Objects.
        ranges: Modbus: ``3/holding:0-99, input:5``, beside the registers of the project's tags.
        per_s: Nodes or registers asked for per second, at most.
    """

    path: Path
    root: str = ""
    ranges: str = ""
    per_s: float = PER_S


class Asking(NamedTuple):
    """One request: ``make`` asks it and gives its token, ``cost`` nodes or registers are what it counts for."""

    make: Callable[[], int]
    cost: int


Answer = list[Result] | UserError
"""Every part of the answer, or why there is none."""
Taking = Generator[Asking | None, Answer, None]
"""None asks for nothing: it gives the thread a pause."""


@dataclass(slots=True)
class Progress:
    """How far it is. ``found`` are nodes or registers known so far: of an address space it grows while that is browsed."""

    stage: Stage = "reading"
    taken: int = 0
    found: int = 0
    asked: int = 0
    open: int = 0
    per_s: float = 0.0
    left_s: float | None = None
    words: str = ""
    error: UserError | None = None

    @property
    def ended(self) -> bool:
        return self.stage in ("done", "failed", "cancelled")
