"""How many requests may be under way at once on one connection, and how that is found out. Pure.

Many devices answer one request at a time whatever comes, and some drop, mix up or refuse what comes too early. So it begins with one, and
is tried only where a transaction id tells the replies apart and one unit is asked (behind a gateway to a serial line there is one request
at a time anyway). After ``STEP`` good replies the number is doubled, up to ``MOST``, for as long as that pays; at the first sign that the
device does not bear it the connection goes back to one, for good: the sign is told (``blamed``), so that the next one does not try again.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Final

IN_FLIGHT: Final = "in flight"
"""Name of the limit in ``base.Learned``."""
MOST: Final = 8
"""That is tried unasked."""
MOST_BY_HAND: Final = 16
"""Messaging on TCP/IP V1.0b §4.2.2 lets a device take 1 to 16 transactions at once (NumberMaxOfServerTransaction)."""
STEP: Final = 16
PAYS: Final = 1.2
"""So much more must come in the same time, or the doubled number is taken back: a device that works one request after the other gains
nothing, and a person's read would wait longer."""
PROVEN: Final = 500
"""Good replies of several in flight after which a connection that ends, or falls silent as a whole, is not put down to their number."""


@dataclass(slots=True)
class Window:
    """See the module.

    Attributes:
        limit: Requests that may be in flight now.
        finding_out: Whether more are tried; False where a person or an earlier session has settled it.
        timeout_s: Of a reply; replies that need a quarter of it are a reason not to ask for more at once.
        blamed: Why it is one at a time for good, "" while it is not.
    """

    limit: int = 1
    finding_out: bool = False
    timeout_s: float = 1.0
    blamed: str = ""
    _unit: int | None = None
    _good: int = 0
    _before_s: float = 0.0
    """Time per reply with the last number that paid."""
    _taken_s: list[float] = field(default_factory=list)

    def asks(self, unit: int) -> None:
        """A request to this unit is about to be made. A second unit on the connection means a gateway."""
        if self._unit is None:
            self._unit = unit
        elif unit != self._unit and self.finding_out:
            self.limit, self.finding_out = 1, False

    def answered(self, in_flight: int, taken_s: float) -> None:
        """A right reply came, ``taken_s`` after its request, when so many had been in flight with it."""
        if in_flight > 1:
            self._good += 1
        if not self.finding_out or in_flight < self.limit:
            return
        self._taken_s.append(taken_s)
        if len(self._taken_s) == STEP:
            self._next_step()

    def _next_step(self) -> None:
        taken_s = statistics.median(self._taken_s)
        each_s = taken_s / self.limit
        self._taken_s.clear()
        if self.limit > 1 and (each_s * PAYS > self._before_s or taken_s > self.timeout_s / 4):
            self.limit //= 2
            self.finding_out = False
        elif self.limit >= MOST:
            self.finding_out = False
        else:
            self._before_s = each_s
            self.limit *= 2

    def blame(self, why: str) -> None:
        """What happened shows that the device does not bear several."""
        self.limit, self.finding_out = 1, False
        self.blamed = self.blamed or why

    def lost(self, why: str) -> None:
        """A reply is missing, or the connection has ended, while several were in flight: perhaps because of that."""
        if self._good < PROVEN:
            self.blame(why)
        else:
            self.finding_out = self.finding_out or self.limit > 1
            self.limit, self._before_s = 1, 0.0
            self._taken_s.clear()
