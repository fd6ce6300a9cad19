"""One thing that is wrong with a certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Code = Literal[
    "untrusted", "refused", "changed", "expired", "not yet valid", "wrong host", "wrong uri", "weak key", "weak signature",
    "incomplete chain", "bad signature", "revoked", "no revocation list", "wrong use", "not a certificate",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        text: What, which dates, which host: plain words, without a final period.
        can_accept: Whether a person may overrule it.
        fix: What to do about it.
        about: The host, application URI or thumbprint that it is about; "" when it is about the certificate alone.
        accepted: It was accepted before, for this very certificate: it is told, and does not count.
    """

    code: Code
    text: str
    can_accept: bool
    fix: str = ""
    about: str = ""
    accepted: bool = False

    @property
    def acceptance(self) -> str:
        """What to give to ``TrustStore.trust(accepting=…)`` so that just this is accepted, and not the same code of another host."""
        return f"{self.code}:{self.about}" if self.about else self.code
