"""A node-opcua server of the year 2020: the demo server of its samples, as it was released then."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.drivers import open_session
from app.model.plant import Security
from tests.peers.foreign_opcua import check_everything, config, trust_server
from tests.peers.installing import node, npm_packages
from tests.peers.mqtt import running, show, wait_until
from tests.peers.server_process import free_port

DEADLY = "SessionsDiagnosticsSummary"
"""This server ends with a TypeError when the diagnostics of a session that has gone are read."""

pytestmark = [pytest.mark.prove("opcua-peers"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("node-opcua-2020")
    program = npm_packages(Path(__file__).with_name("package.json")) / "node-opcua-samples" / "bin" / "simple_server.js"
    port, log = free_port(), folder / "log"
    env = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}  # where it keeps its certificates
    with running([node(), str(program), "--port", str(port)], log, cwd=folder, env=env):
        wait_until(lambda: "server now waiting for connections" in log.read_text(), 180, "the server of 2020")
        yield f"opc.tcp://127.0.0.1:{port}"


async def test_that_all_it_has_is_browsed_read_and_watched(url: str, tmp_path: Path) -> None:
    session = open_session(config(url, tmp_path))
    try:
        report = await session.open(20)
        met = await check_everything(session, report.title, but=DEADLY)
    finally:
        await session.close()
    show(str(met))
    assert met.variables > 500


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
async def test_that_it_is_reached_secured_with_its_demo_user(url: str, tmp_path: Path, mode: str) -> None:
    security = Security(policy="Basic256Sha256", mode=mode, user="password", name="user1")  # type: ignore[arg-type]  # a parameter
    await trust_server(url, tmp_path, security, "password1")
    session = open_session(config(url, tmp_path, security, "password1"))
    try:
        report = await session.open(20)
        met = await check_everything(session, report.title, but=DEADLY)
    finally:
        await session.close()
    assert met.variables > 500
