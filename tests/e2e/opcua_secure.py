"""Fixtures of the tests of OPC UA security: one server for a module, good again after each test, and a certificate store that trusts it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.trust.store import TrustStore
from tests.peers.opcua_certificates import Made, certificate
from tests.peers.opcua_secure_peer import SecurePeer, store_that_trusts


@pytest.fixture(scope="module")
def server_certificate(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return certificate(tmp_path_factory.mktemp("server"), "Secure peer")


@pytest.fixture(scope="module")
def running(server_certificate: Made) -> Iterator[SecurePeer]:
    peer = SecurePeer(server_certificate)
    yield peer
    peer.kill()


@pytest.fixture
def peer(running: SecurePeer) -> Iterator[SecurePeer]:
    yield running
    running.behave()


@pytest.fixture(scope="module")
def made_store(tmp_path_factory: pytest.TempPathFactory, server_certificate: Made) -> Path:
    """With our own certificate, which takes a while to make."""
    store = store_that_trusts(tmp_path_factory.mktemp("pki") / "pki", server_certificate.der)
    store.own()
    return store.folder


@pytest.fixture
def store(made_store: Path, tmp_path: Path) -> TrustStore:
    return TrustStore(Path(shutil.copytree(made_store, tmp_path / "pki")))
