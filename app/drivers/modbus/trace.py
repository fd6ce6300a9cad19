"""What went over the wire, kept until the window takes it."""

from __future__ import annotations

from collections import deque
from typing import Final

from app.drivers.base import Exchange, Traffic

MOST_WAITING: Final = 2000
MOST_AT_ONCE: Final = 500


class Recorder:
    """Bounded: what comes while nobody takes anything is counted and dropped, the newest first."""

    def __init__(self) -> None:
        self._waiting: deque[Exchange] = deque()
        self._dropped = 0

    def add(self, exchange: Exchange) -> None:
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(exchange)
        else:
            self._dropped += 1

    def take(self) -> Traffic | None:
        """The oldest ones as one event, None when there are none."""
        if not self._waiting and not self._dropped:
            return None
        taken = tuple(self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting))))
        dropped, self._dropped = (self._dropped, 0) if not self._waiting else (0, self._dropped)
        return Traffic(exchanges=taken, dropped=dropped)

    def clear(self) -> None:
        self._waiting.clear()
        self._dropped = 0
