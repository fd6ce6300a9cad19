from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from app.model.plant import Identity
from app.trust.judge import Verdict, judge
from app.trust.store import TrustStore
from tests.certificates import HOST, NOW_NS, URI, Made

Judging = Callable[..., Verdict]


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(tmp_path / "pki", now_ns=lambda: NOW_NS)


@pytest.fixture
def verdict(store: TrustStore) -> Judging:
    """Judges certificates, of a server that is what it should be unless the test says otherwise."""

    def judged(
        *chain: Made | bytes,
        host: str = HOST,
        application_uri: str = URI,
        known: Identity | None = None,
        now_ns: int = NOW_NS,
        min_bits: int = 2048,
    ) -> Verdict:
        der = [one.der if isinstance(one, Made) else one for one in chain]
        return judge(store, der, host=host, application_uri=application_uri, known=known or Identity(), now_ns=now_ns, min_bits=min_bits)

    return judged


def codes(found: Verdict) -> Sequence[str]:
    """Of what counts against it."""
    return [one.code for one in found.problems if not one.accepted]
