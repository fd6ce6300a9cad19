"""The exported configuration in the real Telegraf, on the demo plant, with a real broker."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.gateways import Options, exporters, write_export
from app.model.mapping import Mapping
from app.model.project import Project
from app.plant.process import Plant, start_plant
from tests.factory import METER, OPCUA, line4_project
from tests.peers.delivery_check import check_messages, check_outage, proof_project, wait_for_all
from tests.peers.mqtt import broker, running, show, subscriber, wait_until
from tests.peers.witness import witness

VERSION = "v1.39.0"
TAGS = (
    "custom", "inputs.mock", "inputs.modbus", "inputs.opcua_listener", "processors.starlark", "outputs.mqtt", "serializers.template",
)  # fmt: skip
WATCH_S = 20.0

pytestmark = [
    pytest.mark.prove("telegraf"),
    pytest.mark.timeout(3000),
    pytest.mark.allow_log("^WARNING asyncua", reason="the witness's own library"),
]


@pytest.fixture(scope="module")
def telegraf() -> Path:
    """Telegraf with the plugins that the export uses, built once from its Go module."""
    program = Path(tempfile.gettempdir()) / f"tagloom-proof-telegraf-{VERSION}" / "telegraf"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        pytest.skip("go is not installed, with which Telegraf is built")
    package = f"github.com/influxdata/telegraf/cmd/telegraf@{VERSION}"
    env = {**os.environ, "GOBIN": str(program.parent), "GOFLAGS": "-mod=mod"}
    command = [go, "install", "-trimpath", "-ldflags=-s -w", "-tags", ",".join(TAGS), package]
    done = subprocess.run(command, env=env, capture_output=True, timeout=2400, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return program


def export(project: Project, plant: Plant | None, folder: Path) -> Path:
    reach = {OPCUA: plant.opcua_url, METER: plant.modbus_url} if plant else {}
    write_export(exporters()["telegraf"].render(project, Options(reach=reach)), folder)
    return folder / "telegraf.conf"


@contextmanager
def gateway(program: Path, project: Project, plant: Plant, port: int, folder: Path, *arguments: str) -> Iterator[Path]:
    config = export(project, plant, folder / "export")
    env = {**os.environ, "MQTT_SERVER": f"mqtt://127.0.0.1:{port}", "HOME": "/replaced"}
    log = folder / "telegraf.log"
    with running([str(program), "--config", str(config), *arguments], log, cwd=folder, env=env):
        yield log


@pytest.mark.parametrize("handling", ["--strict-env-handling", "--non-strict-env-handling"])
def test_that_telegraf_delivers_what_the_reference_clients_read(telegraf: Path, tmp_path: Path, handling: str) -> None:
    with start_plant() as plant, broker(tmp_path) as port:
        project = proof_project(())  # no namespace list: URIs need none
        with (
            witness(project, plant.opcua_url, plant.modbus_url) as seen,
            subscriber(port) as sink,
            gateway(telegraf, project, plant, port, tmp_path, handling) as log,
        ):
            try:
                wait_for_all(project, sink, 60)
                began = len(sink.messages)
                time.sleep(WATCH_S)  # the time during which values are compared
                compared = check_messages(project, sink.messages, seen)
            except AssertionError:
                show(log.read_text(errors="replace")[-4000:])
                raise
            assert set(compared) == set(project.all(Mapping))
            assert len(sink.messages) - began > WATCH_S
            assert " E! " not in log.read_text()
            show(f"telegraf {handling}: {len(sink.messages)} messages, {sum(compared.values())} values compared")
        with subscriber(port) as late:
            wait_until(lambda: any(message.retain for message in late.messages), 10, "the retained message of the meter")


def test_that_telegraf_sends_nothing_stale_when_a_server_dies(telegraf: Path, tmp_path: Path) -> None:
    with start_plant() as plant, broker(tmp_path) as port:
        project = proof_project(())
        with subscriber(port) as sink, gateway(telegraf, project, plant, port, tmp_path):
            wait_for_all(project, sink, 60)
            check_outage(project, sink, plant.kill_opcua, plant.restart_opcua, "m-fill-flow")
            check_outage(project, sink, plant.kill_modbus, plant.restart_modbus, "m-voltage")


def test_that_telegraf_accepts_the_configuration_of_the_example(telegraf: Path, tmp_path: Path) -> None:
    config = export(line4_project(), None, tmp_path)
    done = subprocess.run([str(telegraf), "config", "check", "--config", str(config)], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
