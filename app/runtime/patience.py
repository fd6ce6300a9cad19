"""How long a link waits, how often it tries again, and what a connector may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BACK_OFF_S: Final = (0.5, 1.0, 2.0, 4.0, 5.0)
SETTLED_S: Final = 5.0
"""A connection that lasted so long begins its back-off anew when it is lost."""
OPEN_TIMEOUT_S: Final = 10.0
HUNG_TICKS: Final = 20
"""Seconds without any frame (a connector reports its memory every two) after which it hangs. Counted in ticks of a timer and not
in elapsed time, so that a laptop that slept does not blame its connectors."""
MEMORY_LIMIT: Final = 1024 * 2**20
"""Resident bytes; ten times what a connector with 10,000 items uses. On Linux the address space is capped as well."""
ASK_FIRST: Final = frozenset({"user", "secret", "certificate"})
"""Codes of an ``EndpointError`` after which only a person can help: a wrong password that is tried again and again locks the account."""
SLOWLY: Final = frozenset({"rejected"})
"""Codes after which it is tried at the longest step only: each attempt leaves its trace on the server until a person there trusts us."""


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """Injected by tests, which cannot wait or eat memory for so long."""

    back_off_s: tuple[float, ...] = BACK_OFF_S
    open_timeout_s: float = OPEN_TIMEOUT_S
    hung_ticks: int = HUNG_TICKS
    memory_bytes: int = MEMORY_LIMIT
