"""What is at an address, on real listeners of every kind: named, in words, with one connection to each port."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.drivers.networks import OwnAddress
from app.drivers.probe import probe
from app.drivers.probe_questions import PortKind, Probe, ProbeStep, Verdict
from app.drivers.questions import Progress
from app.errors import UserError
from app.trust.facts import facts
from tests.peers.listeners import Listener, hang_up, listener, server_context, silence, ssh, web
from tests.peers.opcua_peer import OpcUaPeer
from tests.peers.server_process import free_port

OWN = (OwnAddress("lo", "127.0.0.1", 8), OwnAddress("eth0", "10.20.0.7", 24))


@pytest.fixture(scope="module")
def opcua() -> Iterator[OpcUaPeer]:
    peer = OpcUaPeer()
    yield peer
    peer.kill()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For silence, which is there for ever: it need not be waited for as long as on a slow network."""
    monkeypatch.setattr("app.drivers.probe.ANSWER_S", 0.4)
    monkeypatch.setattr("app.drivers.probe.MODBUS_S", 0.4)


@pytest.fixture(scope="module")
def modbus() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "tests.peers.modbus_server", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield port
    process.kill()
    process.communicate()


async def answers(*ports: int, url: str = "", host: str = "127.0.0.1") -> tuple[dict[int, ProbeStep], Verdict, list[ProbeStep]]:
    """The last step of each port, the verdict, and all steps."""
    found: list[ProbeStep] = []
    verdict: Verdict | None = None
    async for answer in probe(Probe(host=host, ports=ports, url=url), own=lambda: OWN):
        assert verdict is None, "nothing comes after the verdict"
        if isinstance(answer, ProbeStep):
            found.append(answer)
        elif isinstance(answer, Verdict):
            verdict = answer
        else:
            assert isinstance(answer, Progress)
    assert verdict is not None
    return {step.port: step for step in found if step.step == "port"}, verdict, found


async def test_that_an_opcua_server_is_found_with_its_ways_to_connect(opcua: OpcUaPeer) -> None:
    steps, verdict, _ = await answers(opcua.port)
    step = steps[opcua.port]
    assert (step.kind, step.outcome, step.url) == ("opcua", "fine", opcua.url)
    assert step.report is not None
    assert step.report.title == "Difficult peer"
    assert step.report.offered[0].advice
    assert verdict.outcome == "fine"


async def test_that_a_modbus_device_is_found_by_its_identification(modbus: int) -> None:
    steps, verdict, _ = await answers(modbus, url=f"modbus://127.0.0.1:{modbus}")
    step = steps[modbus]
    assert (step.kind, step.outcome, step.url) == ("modbus", "fine", f"modbus://127.0.0.1:{modbus}")
    assert "Loom, T-1, 2.3" in step.text
    assert "unit 1 answers" in step.text
    assert verdict.what == f"Modbus on port {modbus} at 127.0.0.1"


@pytest.mark.usefixtures("impatient")
async def test_that_on_a_port_without_a_usual_protocol_modbus_is_asked_after_the_hello(modbus: int) -> None:
    assert (await answers(modbus))[0][modbus].kind == "modbus"


@pytest.mark.parametrize(
    ("talk", "kind", "words"),
    [
        (web, "other", "a web server (GoAhead-Webs) answers"),
        (ssh, "other", "an SSH server (SSH-2.0-dropbear) answers"),
        (silence, "silent", "does not answer upon an OPC UA hello"),
        (hang_up, "hung up", "closes it again"),
    ],
)
@pytest.mark.usefixtures("impatient")
async def test_that_what_else_answers_is_named(talk: object, kind: PortKind, words: str) -> None:
    async with listener(talk) as found:  # type: ignore[arg-type]  # the four are of type Talk
        steps, verdict, _ = await answers(found.port, url=f"opc.tcp://127.0.0.1:{found.port}")
    assert steps[found.port].kind == kind
    assert words in steps[found.port].text
    assert verdict.outcome == "failed"
    assert verdict.fix


@pytest.mark.parametrize(("url", "most"), [("opc.tcp://127.0.0.1:{}", 1), ("modbus://127.0.0.1:{}", 1), ("", 2)])
async def test_that_a_port_gets_one_polite_connection_and_a_nameless_one_a_second(url: str, most: int) -> None:
    async with listener(hang_up) as found:
        await answers(found.port, url=url.format(found.port))
        assert found.connections == most
        hello = [data for data in found.received if data.startswith(b"HELF")]
        requests = [data for data in found.received if data.startswith(b"\x00\x01\x00\x00\x00\x05\x01\x2b\x0e")]
        assert len(hello) + len(requests) == most


async def test_that_a_closed_port_says_that_the_host_is_there() -> None:
    port = free_port()
    steps, verdict, _ = await answers(port)
    assert steps[port].kind == "refused"
    assert verdict.what.startswith("127.0.0.1 is on")


@pytest.mark.parametrize("wants", [False, True])
async def test_that_tls_is_recognised_by_its_handshake_with_or_without_a_certificate_of_ours(tmp_path: Path, wants: bool) -> None:
    async with listener(silence, server_context(tmp_path, wants_certificate=wants)) as found:
        steps, _, _ = await answers(found.port, url=f"modbus-tls://127.0.0.1:{found.port}")
    step = steps[found.port]
    assert step.kind == "modbus-tls"
    assert "TLS" in step.text
    assert facts(step.certificate).name == "meter 7"


async def test_that_something_else_on_the_tls_port_is_named() -> None:
    async with listener(ssh) as found:
        steps, _, _ = await answers(found.port, url=f"modbus-tls://127.0.0.1:{found.port}")
    assert "SSH" in steps[found.port].text


async def test_that_every_port_is_told_twice_when_it_is_asked_and_when_it_is_done() -> None:
    ports = [free_port() for _ in range(3)]
    _, _, steps = await answers(*ports)
    assert [step.text for step in steps][:1] == ["127.0.0.1 is this computer itself"]
    for port in ports:
        assert [step.outcome for step in steps if step.port == port] == ["asking", "failed"]


async def test_that_closing_in_the_middle_leaves_no_connection(opcua: OpcUaPeer) -> None:
    async with listener(silence) as found:
        asking = probe(Probe(host="127.0.0.1", ports=(found.port, opcua.port), url=""), own=lambda: OWN)
        async for answer in asking:
            if isinstance(answer, ProbeStep) and answer.port == opcua.port and answer.outcome == "fine":
                break
        await asking.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_that_a_host_or_a_list_that_is_none_is_refused() -> None:
    for question in (Probe(host="a b"), Probe(host="127.0.0.1", ports=()), Probe(host="127.0.0.1", ports=tuple(range(1, 100)))):
        with pytest.raises(UserError):
            async for _ in probe(question):
                pass


async def test_that_a_name_that_nobody_knows_is_the_step_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    found = [answer async for answer in probe(Probe(host="plc7"))]
    assert isinstance(found[0], ProbeStep)
    assert (found[0].step, found[0].outcome) == ("name", "failed")
    assert isinstance(found[1], Verdict)
    assert "plc7" in found[1].what


@pytest.fixture
async def quiet() -> AsyncIterator[Listener]:
    async with listener(silence) as found:
        yield found


async def test_that_nothing_but_the_listed_ports_is_connected_to(quiet: Listener) -> None:
    await answers(free_port())
    assert quiet.connections == 0
