"""The exported flows in the real Node-RED, on the demo plant, with a real broker."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.gateways import Options, exporters, write_export
from app.model.mapping import Mapping
from app.model.project import Project
from app.plant.process import Plant, start_plant
from tests.factory import METER, OPCUA
from tests.peers.delivery_check import check_messages, check_outage, newest_cell, proof_project, wait_for_all
from tests.peers.installing import node, npm_packages
from tests.peers.mqtt import broker, running, show, subscriber, wait_until
from tests.peers.server_process import free_port
from tests.peers.witness import Witness, witness

PACKAGE = Path(__file__).with_name("package.json")
WATCH_S = 20.0

pytestmark = [
    pytest.mark.prove("node-red"),
    pytest.mark.timeout(1500),
    pytest.mark.allow_log("^WARNING asyncua", reason="the witness's own library"),
]


@pytest.fixture(scope="module")
def node_modules() -> Path:
    """Node-RED and the two packages."""
    return npm_packages(PACKAGE)


@contextmanager
def node_red(project: Project, plant: Plant, port: int, modules: Path, folder: Path) -> Iterator[Path]:
    """The export of a project in a running Node-RED; gives its log."""
    export = folder / "export"
    rendered = exporters()["node-red"].render(project, Options(reach={OPCUA: plant.opcua_url, METER: plant.modbus_url}))
    write_export(rendered, export)
    (export / "node_modules").symlink_to(modules)
    env = {**os.environ, "MQTT_HOST": "127.0.0.1", "MQTT_PORT": str(port), "PORT": str(free_port()), "HOME": str(folder)}
    log = folder / "node-red.log"
    with running([node(), str(modules / "node-red" / "red.js"), "--settings", "settings.js", "--userDir", "."], log, cwd=export, env=env):
        yield log


def namespaces(plant: Plant) -> list[str]:
    observer = Witness(project_without_tags(), plant.opcua_url, plant.modbus_url)
    observer.start()
    observer.stop()
    return observer.namespaces


def project_without_tags() -> Project:
    from app.model.project import ProjectInfo

    return Project(ProjectInfo(id="none"))


def test_that_node_red_delivers_what_the_reference_clients_read(node_modules: Path, tmp_path: Path) -> None:
    with start_plant() as plant, broker(tmp_path) as port:
        project = proof_project(namespaces(plant))
        with (
            witness(project, plant.opcua_url, plant.modbus_url) as seen,
            subscriber(port) as sink,
            node_red(project, plant, port, node_modules, tmp_path) as log,
        ):
            try:
                wait_for_all(project, sink, 90)
                began = len(sink.messages)
                time.sleep(WATCH_S)  # the time during which values are compared
                compared = check_messages(project, sink.messages, seen)
            except AssertionError:
                show(log.read_text(errors="replace")[-4000:])
                raise
            assert set(compared) == set(project.all(Mapping))
            assert len(sink.messages) - began > WATCH_S
            show(f"node-red: {len(sink.messages)} messages, {sum(compared.values())} values compared")
        with subscriber(port) as late:
            wait_until(lambda: any(message.retain for message in late.messages), 10, "the retained message of the meter")


def test_that_node_red_sends_nothing_stale_when_a_server_dies(node_modules: Path, tmp_path: Path) -> None:
    with start_plant() as plant, broker(tmp_path) as port:
        project = proof_project(namespaces(plant))
        with subscriber(port) as sink, node_red(project, plant, port, node_modules, tmp_path) as log:
            try:
                wait_for_all(project, sink, 90)
                check_outage(project, sink, plant.kill_modbus, plant.restart_modbus, "m-voltage")
                check_outage(project, sink, plant.kill_opcua, plant.restart_opcua, "m-fill-flow")
            except AssertionError:
                show(log.read_text(errors="replace")[-4000:])
                raise


def test_that_a_moved_namespace_gives_no_value_of_another_node(node_modules: Path, tmp_path: Path) -> None:
    """The known loss of an index-only target, as the loss report says it: here the values stop."""
    with start_plant() as plant, broker(tmp_path) as port:
        order = namespaces(plant)
        project = proof_project([*order[:2], "urn:somebody:else", *order[2:]])
        with subscriber(port) as sink, node_red(project, plant, port, node_modules, tmp_path):
            wait_until(lambda: newest_cell(project, sink, "m-voltage").get("quality") == 192, 90, "the meter")
            time.sleep(5.0)  # long enough for values of the OPC UA server, were there any
            assert newest_cell(project, sink, "m-fill-flow").get("value") is None
