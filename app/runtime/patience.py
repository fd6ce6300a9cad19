"""How long a link waits, how often it tries again, and what a connector may use."""

from __future__ import annotations

from typing import Final

import msgspec

BACK_OFF_S: Final = (0.1, 0.5, 1.0, 2.0)
"""From the beginning of one attempt to that of the next: a link that is back is used within two seconds and the time to connect."""
POLITE_AFTER_S: Final = 300.0
POLITE_S: Final = 5.0
"""The step once a loss is so old, and for ``SLOWLY``; from the end of an attempt."""
SHORTEST_S: Final = 0.05
"""Between the end of an attempt and the next, however long it took."""
SETTLED_S: Final = 5.0
"""A connection that lasted so long begins its back-off anew when it is lost."""
SETTLE_S: Final = 2.0
"""A connection that lasted so long ends an outage in the log; one that is lost before is part of it."""
STOOD_STILL_S: Final = 5.0
"""A loop that ticks every second and did not for so long was asleep, or stopped: samples may be missing."""
OPEN_TIMEOUT_S: Final = 10.0
HUNG_TICKS: Final = 20
"""Seconds without any frame (a connector reports its memory every two) after which it hangs. Counted in ticks of a timer and not
in elapsed time, so that a laptop that slept does not blame its connectors."""
START_TICKS: Final = 40
"""So many more, and seconds too, until a process has answered once: it loads its driver, on a slow or busy computer for long."""
MEMORY_LIMIT: Final = 1024 * 2**20
"""Resident bytes; ten times what a connector with 10,000 items uses. On Linux the address space is capped as well."""
ASK_FIRST: Final = frozenset({"user", "secret", "certificate"})
"""Codes of an ``EndpointError`` after which only a person can help: a wrong password that is tried again and again locks the account."""
SLOWLY: Final = frozenset({"rejected"})
"""Codes after which it is tried at the longest step only: each attempt leaves its trace on the server until a person there trusts us."""


class LinkLimits(msgspec.Struct, frozen=True):
    """Injected by tests, which cannot wait or eat memory for so long."""

    back_off_s: tuple[float, ...] = BACK_OFF_S
    polite_s: float = POLITE_S
    settle_s: float = SETTLE_S
    open_timeout_s: float = OPEN_TIMEOUT_S
    hung_ticks: int = HUNG_TICKS
    memory_bytes: int = MEMORY_LIMIT


class BackOff:
    """When the next attempt begins. All times are ``Clock.monotonic_s``; pure."""

    def __init__(self, limits: LinkLimits) -> None:
        self._limits = limits
        self._failures = 0
        self._began_s = float("-inf")

    def begin(self, now_s: float) -> None:
        """An attempt begins now."""
        self._began_s = now_s

    def start_over(self) -> None:
        """What failed before does not count any more."""
        self._failures = 0

    def next_s(self, now_s: float, lost_s: float, *, slowly: bool = False) -> float:
        """Seconds to wait; ``lost_s`` is when the outage began."""
        steps = self._limits.back_off_s
        step_s = steps[min(self._failures, len(steps) - 1)]
        self._failures += 1
        if slowly or now_s - lost_s > POLITE_AFTER_S:
            return max(self._limits.polite_s, step_s)
        return max(SHORTEST_S, min(step_s, self._began_s + step_s - now_s))
