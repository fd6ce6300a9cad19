"""A certificate that is about to end is named before it does."""

from __future__ import annotations

import dataclasses

import pytest

from app.trust.facts import Facts
from app.trust.validity import SOON_DAYS, validity

DAY_NS = 86_400 * 1_000_000_000
BEGIN_NS = 1_700_000_000 * 1_000_000_000
FACTS = Facts(
    subject="CN=x", issuer="CN=x", name="x", serial="1", thumbprint="A" * 40, sha256="A" * 64, not_before_ns=BEGIN_NS,
    not_after_ns=BEGIN_NS + 1000 * DAY_NS, application_uri="", hosts=(), key="RSA 2048", key_bits=2048, signature="SHA-256",
    self_signed=True, is_ca=False, authority=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (-1, "not yet valid"),
        (0, "valid"),
        (1000 - SOON_DAYS - 1, "valid"),
        (1000 - SOON_DAYS + 1, "ends soon"),
        (999, "ends soon"),
        (1001, "expired"),
    ],
)
def test_that_the_state_follows_the_day(day: int, state: str) -> None:
    assert validity(FACTS, BEGIN_NS + day * DAY_NS).state == state


def test_that_the_days_that_are_left_are_counted() -> None:
    assert validity(FACTS, BEGIN_NS + 999 * DAY_NS).text.startswith("ends in 1 day: ")
    assert validity(FACTS, BEGIN_NS + 990 * DAY_NS).text.startswith("ends in 10 days: ")
    never = dataclasses.replace(FACTS, not_after_ns=2**62)
    assert validity(never, BEGIN_NS).state == "valid"
