"""The simulator that comes with pymodbus, run from an environment of its own: TCP, RTU, and RTU over TCP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.peers.foreign_modbus import BAUD, COUNT, check_device, expected, serial_pair
from tests.peers.installing import python_packages
from tests.peers.mqtt import running, wait_until
from tests.peers.server_process import free_port

pytestmark = [pytest.mark.prove("modbus-peers"), pytest.mark.timeout(600)]
WORDS = -(-COUNT // 16)
"""Its coils lie sixteen to a register, so a block of ``COUNT`` of them ends a little later."""


@pytest.fixture(scope="module")
def python() -> Path:
    return python_packages(Path(__file__).with_name("packages.txt"))


async def test_that_the_simulator_is_read_and_watched_over_tcp(python: Path, tmp_path: Path) -> None:
    port = free_port()
    with simulator(python, tmp_path, {"comm": "tcp", "host": "127.0.0.1", "port": port, "framer": "socket"}):
        title = await check_device(f"modbus://127.0.0.1:{port}", (1,), ends=())
    assert title == "Tagloom proof simulator 1.0"


async def test_that_the_simulator_is_read_and_watched_over_rtu_over_tcp(python: Path, tmp_path: Path) -> None:
    port = free_port()
    with simulator(python, tmp_path, {"comm": "tcp", "host": "127.0.0.1", "port": port, "framer": "rtu"}):
        await check_device(f"modbus-rtutcp://127.0.0.1:{port}", (1,), ends=())


async def test_that_the_simulator_is_read_and_watched_over_a_serial_line(python: Path, tmp_path: Path) -> None:
    with serial_pair(tmp_path) as (ours, theirs):  # without parity: with it, this server hears nothing on a pseudo-terminal
        line = {"comm": "serial", "port": theirs, "framer": "rtu", "baudrate": BAUD, "parity": "N", "stopbits": 1, "bytesize": 8}
        with simulator(python, tmp_path, line):
            await check_device(f"modbus-rtu:{ours}?baudrate={BAUD}&parity=N", (1,), ends=())


@contextmanager
def simulator(python: Path, folder: Path, line: dict[str, object]) -> Iterator[None]:
    identity = {"VendorName": "Tagloom", "ProductCode": "proof simulator", "MajorMinorRevision": "1.0"}
    setup = folder / "setup.json"
    setup.write_text(json.dumps({"server_list": {"server": {**line, "identity": identity}}, "device_list": {"device": device()}}))
    log, http = folder / "log", free_port()
    program = python.with_name("pymodbus.simulator")
    command = [str(python), str(program), "--json_file", str(setup), "--modbus_server", "server", "--modbus_device", "device"]
    command += ["--http_host", "127.0.0.1", "--http_port", str(http), "--log", "info", "--log_file", str(folder / "server.log")]
    with running(command, log, cwd=folder):
        wait_until(lambda: "Modbus server started" in log.read_text() or "Running on" in log.read_text(), 30, "the simulator")
        yield


def device() -> dict[str, object]:
    """Blocks that are not shared: coils, discrete inputs, input and holding registers follow each other.

    Behind each block lies the next one, and right behind the last the simulator fails (exception 4), so no end of them can be tested.
    """
    values: list[dict[str, int]] = []
    for block, table in enumerate(("coil", "discrete")):
        for word in range(WORDS):
            bits = sum(int(expected(1, table, word * 16 + bit)) << bit for bit in range(16))
            values.append({"addr": block * WORDS + word, "value": bits})
    registers: list[dict[str, int]] = []
    for block, table in enumerate(("input", "holding")):
        registers += [{"addr": 2 * WORDS + block * COUNT + word, "value": int(expected(1, table, word))} for word in range(COUNT)]
    sizes = {"co size": WORDS, "di size": WORDS, "hr size": COUNT, "ir size": COUNT}
    none = {"bits": 0, "uint16": 0, "uint32": 0, "float32": 0.0, "float64": 0.0, "string": " "}
    nothing = dict.fromkeys(none)
    setup = {**sizes, "shared blocks": False, "type exception": False, "defaults": {"value": none, "action": nothing}}
    empty: dict[str, object] = {name: [] for name in ("invalid", "write", "uint32", "float32", "float64", "string", "repeat")}
    return {"setup": setup, "bits": values, "uint16": registers, **empty}
