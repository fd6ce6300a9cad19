"""Values that say whose they are and when they were made: of which server, which variable, at which millisecond.

A telltale is a whole number below 2^53, so that it survives int64, uint64 and float64 alike.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple

_TIMES: Final = 10**11
"""Milliseconds since 1970 modulo this: unique for three years."""


class Telltale(NamedTuple):
    """``owner`` is server * 1000 + space * 100 + number: see ``owner``. ``made_ms`` since 1970, modulo ``_TIMES``."""

    owner: int
    made_ms: int

    @property
    def age_s(self) -> float:
        """Since it was made, by this computer's clock, on which its server runs as well."""
        now_ms = time.time_ns() // 10**6 % _TIMES
        return ((now_ms - self.made_ms + _TIMES // 2) % _TIMES - _TIMES // 2) / 1000


def owner(server: int, space: int, number: int) -> int:
    """``server`` 1…8; ``space`` 0…9: namespace, or unit id; ``number`` 0…99 of the variable within it."""
    return server * 1000 + space * 100 + number


def value_of(owner_code: int) -> int:
    """What that variable shows now."""
    return owner_code * _TIMES + time.time_ns() // 10**6 % _TIMES


def read(value: int | float) -> Telltale:
    return Telltale(*divmod(int(value), _TIMES))
