"""A clock that can be set: the runtime's own times jump, as after a change of the computer's time or a sleep, while true time goes on."""

from __future__ import annotations

from app.runtime.clock import SYSTEM_CLOCK


class ShiftedClock:
    def __init__(self) -> None:
        self._wall_ns, self._monotonic_s = 0, 0.0

    def wall_ns(self) -> int:
        return SYSTEM_CLOCK.wall_ns() + self._wall_ns

    def monotonic_s(self) -> float:
        return SYSTEM_CLOCK.monotonic_s() + self._monotonic_s

    def set_wall(self, seconds: float) -> None:
        """Somebody sets the computer's time forward, or back; nothing has passed."""
        self._wall_ns += int(seconds * 1e9)

    def sleep(self, seconds: float) -> None:
        """The computer slept: both times go on."""
        self.set_wall(seconds)
        self._monotonic_s += seconds
