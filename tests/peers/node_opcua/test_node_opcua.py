"""node-opcua's server with every companion NodeSet its package carries, and an instance of every concrete object type in them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from app.drivers import open_session
from app.drivers.base import EndpointReport, Session
from app.errors import EndpointError
from app.model.plant import Security
from tests.peers.foreign_opcua import check_everything, check_values, config, trust_server
from tests.peers.installing import node, npm_packages
from tests.peers.mqtt import running, show, wait_until
from tests.peers.server_process import free_port

HERE = Path(__file__).parent
POLICIES = ("Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss")
pytestmark = [pytest.mark.prove("opcua-peers"), pytest.mark.timeout(900)]


class Server(NamedTuple):
    url: str
    log: Path
    pki: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("node-opcua")
    program = npm_packages(HERE / "package.json").parent / "server.js"
    program.write_bytes((HERE / "server.js").read_bytes())
    port, log = free_port(), folder / "log"
    with running([node(), str(program), str(port), str(folder / "pki")], log, cwd=folder):
        wait_until(lambda: re.search(r"^ready$", log.read_text(), re.MULTILINE), 180, "node-opcua")
        yield Server(f"opc.tcp://127.0.0.1:{port}", log, folder / "pki")


async def test_that_all_of_its_companion_models_are_browsed_read_and_watched(server: Server, tmp_path: Path) -> None:
    instances = re.search(r"^instances (\d+)$", server.log.read_text(), re.MULTILINE)
    assert instances is not None
    session = open_session(config(server.url, tmp_path))
    try:
        report = await session.open(20)
        assert len(report.namespaces) > 30
        met = await check_everything(session, report.title)
    finally:
        await session.close()
    show(f"{met}; {len(report.namespaces)} namespaces, {instances[1]} instances of object types")
    assert met.nodes > 10 * int(instances[1])


async def test_that_its_values_of_every_kind_are_read_and_a_matrix_keeps_its_shape(server: Server, tmp_path: Path) -> None:
    session = open_session(config(server.url, tmp_path))
    try:
        await session.open(20)
        await check_values(session)
        (matrix,) = [(await session.details(["nsu=urn:tagloom:proof;s=Matrix"]))[0]]
        assert matrix.type == "int32[]"
    finally:
        await session.close()


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
@pytest.mark.parametrize("policy", POLICIES)
async def test_that_every_policy_and_mode_works_once_both_sides_trust(server: Server, tmp_path: Path, policy: str, mode: str) -> None:
    security = Security(policy=policy, mode=mode)  # type: ignore[arg-type]  # a parameter of the test
    await trust_server(server.url, tmp_path, security)
    with pytest.raises(EndpointError) as refusal:
        await open_and_close(server.url, tmp_path, security)
    assert refusal.value.code == "rejected"
    accept_rejected(server.pki)
    session, report = await accepted(server, tmp_path, security)
    try:
        assert len(report.identity.thumbprint) == 40
        await check_values(session)
    finally:
        await session.close()


@pytest.mark.parametrize("mode", ["None", "Sign", "SignAndEncrypt"])
async def test_that_a_user_signs_in_with_the_right_password_only(server: Server, tmp_path: Path, mode: str) -> None:
    policy = "None" if mode == "None" else "Basic256Sha256"
    security = Security(policy=policy, mode=mode, user="password", name="operator")  # type: ignore[arg-type]  # a parameter of the test
    await trust_server(server.url, tmp_path, security, "proof-password")
    if mode != "None":
        with pytest.raises(EndpointError):
            await open_and_close(server.url, tmp_path, security, "proof-password")
        accept_rejected(server.pki)
    session, _ = await accepted(server, tmp_path, security, "proof-password")
    try:
        await check_values(session)
    finally:
        await session.close()
    with pytest.raises(EndpointError) as refusal:
        await open_and_close(server.url, tmp_path, security, "wrong")
    assert refusal.value.code == "user"


async def accepted(server: Server, pki: Path, security: Security, secret: str = "") -> tuple[Session, EndpointReport]:
    """Attempt after attempt, as the supervisor makes them: the server takes a moment to see that we are trusted now."""
    deadline_s = time.monotonic() + 30
    while True:
        session = open_session(config(server.url, pki, security, secret))
        try:
            return session, await session.open(20)
        except EndpointError as error:
            await session.close()
            if error.code != "rejected" or time.monotonic() > deadline_s:
                raise
            accept_rejected(server.pki)  # it rejects once more, and moves it back, when it had not noticed yet
        await asyncio.sleep(0.5)


async def open_and_close(url: str, pki: Path, security: Security, secret: str = "") -> None:
    session = open_session(config(url, pki, security, secret))
    try:
        await session.open(20)
    finally:
        await session.close()


def accept_rejected(pki: Path) -> None:
    """What the server's owner does: our certificate is moved from the rejected to the trusted ones."""
    trusted = pki / "application" / "trusted" / "certs"
    for certificate in (pki / "application" / "rejected").glob("*.*"):
        certificate.replace(trusted / certificate.name)
