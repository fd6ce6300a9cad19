"""Wall and elapsed time, injected so that jumps and sleep are unit-tested."""

from __future__ import annotations

import sys
import time
from typing import Final, Protocol


class Clock(Protocol):
    """Two times: what the computer believes, and what has passed.

    ``wall_ns`` may jump. ``monotonic_s`` only goes on, during sleep too where the system can tell; ages and time-outs are of it.
    """

    def wall_ns(self) -> int: ...

    def monotonic_s(self) -> float: ...


class SystemClock:
    def wall_ns(self) -> int:
        return time.time_ns()

    def monotonic_s(self) -> float:
        """Seconds, with the time the computer slept on Linux and macOS (their ``time.monotonic`` leaves it out)."""
        if sys.platform == "linux":
            seconds = time.clock_gettime(time.CLOCK_BOOTTIME)
        elif sys.platform == "darwin":
            seconds = time.clock_gettime(time.CLOCK_MONOTONIC)
        else:
            seconds = time.monotonic()
        return seconds


SYSTEM_CLOCK: Final[Clock] = SystemClock()
