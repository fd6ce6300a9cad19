"""The secure OPC UA server as an object, and a project's side towards it: certificate store, configuration, session."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from app.drivers import open_session
from app.drivers.base import EndpointConfig, EndpointReport
from app.drivers.opcua.session import OpcUaSession
from app.model.plant import Identity, Security
from app.trust.store import TrustStore
from tests.peers.opcua_certificates import Made
from tests.peers.opcua_peer import LINE
from tests.peers.server_process import ServerProcess

SPEED = LINE + "s=Speed"
COUNTER = LINE + "s=Counter"
LONG = LINE + "s=Long"
OPEN_S = 15.0
Mode = Literal["None", "Sign", "SignAndEncrypt"]


class SecurePeer(ServerProcess):
    """Running already."""

    def __init__(self, made: Made) -> None:
        super().__init__("tests.peers.opcua_secure_server", "--certificate", made.paths[0], "--key", made.paths[1])
        self.url = f"opc.tcp://127.0.0.1:{self.port}/peer"
        self.made = made
        self.start()
        self.wait_ready()

    def behave(self, made: Made | None = None, **behaviour: Any) -> None:
        """The whole behaviour from now on (``opcua_secure_server.Behaviour``); nothing named is a good server again."""
        one = made or self.made
        self.tell(json.dumps({"certificate": one.paths[0], "key": one.paths[1], **behaviour}))


def config(
    url: str,
    store: TrustStore | None,
    policy: str = "Basic256Sha256",
    mode: Mode = "SignAndEncrypt",
    *,
    user: Literal["anonymous", "password", "certificate"] = "anonymous",
    name: str = "",
    secret: str = "",
    identity: Identity | None = None,
    timeout_s: float = 5.0,
) -> EndpointConfig:
    return EndpointConfig(
        name="secure peer",
        url=url,
        security=Security(policy=policy, mode=mode, user=user, name=name, secret="secret://secure-peer/password" if secret else ""),
        secret=secret,
        settings={"timeout_s": timeout_s, "publishing_interval_ms": 50},
        pki=str(store.folder) if store is not None else "",
        identity=identity or Identity(),
    )


@asynccontextmanager
async def connected(wanted: EndpointConfig) -> AsyncIterator[tuple[OpcUaSession, EndpointReport]]:
    session = open_session(wanted)
    assert isinstance(session, OpcUaSession)
    try:
        yield session, await session.open(OPEN_S)
    finally:
        await session.close()


def store_that_trusts(folder: Path, *ders: bytes) -> TrustStore:
    store = TrustStore(folder)
    for der in ders:
        store.trust(der)
    return store
