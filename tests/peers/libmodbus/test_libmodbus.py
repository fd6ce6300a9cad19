"""Devices made with libmodbus, as many real ones are: TCP, RTU, and RTU over TCP."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.peers.foreign_modbus import BAUD, check_device, serial_over_tcp, serial_pair
from tests.peers.installing import compiled, debian_package
from tests.peers.mqtt import running, wait_until
from tests.peers.server_process import free_port

pytestmark = [pytest.mark.prove("modbus-peers"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def server() -> Path:
    debian_package("/usr/include/modbus/modbus.h", "libmodbus-dev", "pkg-config", "gcc")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmodbus"], check=True, capture_output=True, text=True).stdout.split()
    return compiled(Path(__file__).with_name("server.c"), flags)


async def test_that_a_libmodbus_device_is_read_and_watched_over_tcp(server: Path, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    with running([str(server), "tcp", str(port)], log, cwd=tmp_path):
        wait_until(lambda: "ready" in log.read_text(), 20, "the device")
        await check_device(f"modbus://127.0.0.1:{port}", (1, 2, 3))


async def test_that_a_libmodbus_device_is_read_and_watched_over_a_serial_line(server: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serial_pair(tmp_path) as (ours, theirs), running([str(server), "rtu", theirs, str(BAUD)], log, cwd=tmp_path):
        wait_until(lambda: "ready" in log.read_text(), 20, "the device")
        await check_device(f"modbus-rtu:{ours}?baudrate={BAUD}&parity=E", (1,))


async def test_that_a_libmodbus_device_is_read_and_watched_over_a_serial_device_server(server: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serial_over_tcp(tmp_path) as (url, theirs), running([str(server), "rtu", theirs, str(BAUD)], log, cwd=tmp_path):
        wait_until(lambda: "ready" in log.read_text(), 20, "the device")
        await check_device(url, (1,))
