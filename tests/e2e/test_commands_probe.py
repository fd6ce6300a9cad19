"""``tagloom probe`` and ``tagloom discover`` as a person starts them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.commandline import tagloom
from tests.peers.opcua_peer import OpcUaPeer
from tests.peers.server_process import free_port


@pytest.fixture(scope="module")
def opcua() -> Iterator[OpcUaPeer]:
    peer = OpcUaPeer()
    yield peer
    peer.kill()


def test_that_probe_names_what_answers_and_what_is_closed(opcua: OpcUaPeer, tmp_path: Path) -> None:
    closed = free_port()
    done = tagloom("probe", "127.0.0.1", "--ports", f"{opcua.port}, {closed}", cwd=tmp_path)
    assert done.code == 0, done.err
    assert f"Port {closed}: closed" in done.out
    assert "no security, user: anonymous" in done.out
    assert done.out.splitlines()[-1] == f"OPC UA on port {opcua.port} at 127.0.0.1"


def test_that_probe_tells_each_step_as_a_line_of_json(opcua: OpcUaPeer, tmp_path: Path) -> None:
    done = tagloom("probe", opcua.url, "--json", cwd=tmp_path)
    assert done.code == 0, done.err
    network, port = done.lines
    assert (network["step"], network["outcome"]) == ("network", "fine")
    assert (port["port"], port["kind"], port["url"]) == (opcua.port, "opcua", opcua.url)
    assert port["offers"][0]["policy"] == "None"


def test_that_probe_says_why_nothing_usable_answers_and_ends_with_2(tmp_path: Path) -> None:
    port = free_port()
    done = tagloom("probe", f"127.0.0.1:{port}", cwd=tmp_path)
    assert done.code == 2
    assert "127.0.0.1 is on, but has none of these ports open" in done.err
    assert f"Port {port}: closed" in done.out


@pytest.mark.parametrize("arguments", [["probe", "a b"], ["probe", "127.0.0.1", "--ports", "x"], ["discover", "modbus://127.0.0.1"]])
def test_that_wrong_arguments_are_refused(arguments: list[str], tmp_path: Path) -> None:
    done = tagloom(*arguments, cwd=tmp_path)
    assert done.code == 2
    assert not done.out


def test_that_discover_lists_the_servers_of_a_discovery_server(opcua: OpcUaPeer, tmp_path: Path) -> None:
    done = tagloom("discover", opcua.url, "--json", cwd=tmp_path)
    assert done.code == 0, done.err
    (server,) = done.lines
    assert (server["name"], server["url"], server["trouble"]) == ("Difficult peer", opcua.url, "")
    assert server["offers"]
