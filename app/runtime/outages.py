"""The times an endpoint was away, for its details: when, how long, why. Pure: times go in."""

from __future__ import annotations

from typing import Final

import msgspec

KEPT: Final = 10


class Outage(msgspec.Struct, frozen=True):
    """One time without connection.

    Attributes:
        began_ns: Wall clock of the loss (Unix ns).
        lasted_s: By the monotonic clock; None while it lasts.
        why: The first reason that was given; a person who disconnects makes no outage.
    """

    began_ns: int
    lasted_s: float | None
    why: str


class Outages:
    """The last ``KEPT`` of one endpoint, oldest first."""

    def __init__(self) -> None:
        self.seen: tuple[Outage, ...] = ()
        self._began_s = 0.0

    def lost(self, began_ns: int, now_s: float, why: str) -> None:
        """A connection that was there is gone. A reason that comes later completes an outage that has none."""
        last = self.seen[-1] if self.seen else None
        if last is not None and last.lasted_s is None:
            if why and not last.why:
                self.seen = (*self.seen[:-1], Outage(last.began_ns, None, why))
            return
        self._began_s = now_s
        self.seen = (*self.seen, Outage(began_ns, None, why))[-KEPT:]

    def ended(self, now_s: float) -> None:
        """It is connected again, or nobody wants it to be any more."""
        if self.seen and self.seen[-1].lasted_s is None:
            last = self.seen[-1]
            self.seen = (*self.seen[:-1], Outage(last.began_ns, max(0.0, now_s - self._began_s), last.why))
