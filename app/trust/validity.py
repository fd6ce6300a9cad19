"""Whether a certificate is valid at a time, and how a person is told before it ends."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from app.trust.facts import Facts, utc

SOON_DAYS: Final = 60
"""A plant changes a certificate in a planned stop, not in the week in which it ends."""
_DAY_NS: Final = 86_400 * 1_000_000_000

State = Literal["valid", "ends soon", "expired", "not yet valid"]


class Validity(NamedTuple):
    state: State
    text: str


def validity(found: Facts, now_ns: int) -> Validity:
    """``text``: ``until 2031-03-01 12:00 UTC``, ``ends in 12 days: 2026-…``."""
    if now_ns < found.not_before_ns:
        return Validity("not yet valid", f"not valid before {utc(found.not_before_ns)}: check both clocks")
    if now_ns > found.not_after_ns:
        return Validity("expired", f"expired {utc(found.not_after_ns)}")
    days = (found.not_after_ns - now_ns) // _DAY_NS
    if days < SOON_DAYS:
        return Validity("ends soon", f"ends in {days} day{'' if days == 1 else 's'}: {utc(found.not_after_ns)}")
    return Validity("valid", f"until {utc(found.not_after_ns)}")
