"""Devices made with the npm package modbus-serial: TCP, RTU, and RTU over TCP."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.peers.foreign_modbus import BAUD, check_device, serial_over_tcp, serial_pair
from tests.peers.installing import node, npm_packages
from tests.peers.mqtt import running, wait_until
from tests.peers.server_process import free_port

HERE = Path(__file__).parent
pytestmark = [pytest.mark.prove("modbus-peers"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def server() -> list[str]:
    modules = npm_packages(HERE / "package.json")
    program = modules.parent / "server.js"
    program.write_bytes((HERE / "server.js").read_bytes())
    return [node(), str(program)]


async def test_that_a_modbus_serial_device_is_read_and_watched_over_tcp(server: list[str], tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    with running([*server, "tcp", str(port)], log, cwd=tmp_path):
        wait_until(lambda: "ready" in log.read_text(), 20, "the device")
        await check_device(f"modbus://127.0.0.1:{port}", (1, 2, 3))


async def test_that_a_modbus_serial_device_is_read_and_watched_over_a_serial_line(server: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serial_pair(tmp_path) as (ours, theirs), running([*server, "rtu", theirs, str(BAUD)], log, cwd=tmp_path):
        wait_until(lambda: "ready" in log.read_text(), 20, "the device")
        await check_device(f"modbus-rtu:{ours}?baudrate={BAUD}&parity=E", (1, 2, 3))


async def test_that_a_modbus_serial_device_is_read_and_watched_over_a_serial_device_server(server: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serial_over_tcp(tmp_path) as (url, theirs), running([*server, "rtu", theirs, str(BAUD)], log, cwd=tmp_path):
        wait_until(lambda: "ready" in log.read_text(), 20, "the device")
        await check_device(url, (1, 2, 3))
