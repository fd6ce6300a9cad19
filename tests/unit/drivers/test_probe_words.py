"""The sentence for a whole host: which step failed, and the next thing to do. On given answers and given addresses."""

from __future__ import annotations

import pytest

from app.drivers import probe_words
from app.drivers.networks import OwnAddress
from app.drivers.probe_connect import NotConnectedError, Refusal
from app.drivers.probe_questions import PORTS, PortKind, ProbeStep, Verdict

HOST = "192.168.0.10"
FAR = (OwnAddress("lo", "127.0.0.1", 8), OwnAddress("eth0", "10.20.0.7", 24), OwnAddress("docker0", "172.17.0.1", 16))
NEAR = (*FAR, OwnAddress("eth1", "192.168.0.77", 24))


def port(number: int, kind: PortKind, **more: object) -> ProbeStep:
    if kind in ("refused", "no answer", "unreachable"):
        refusal: Refusal = kind
        return probe_words.not_connected(number, NotConnectedError(refusal, "words of the system"), HOST)
    if kind in ("silent", "hung up"):
        return probe_words.silent(number, HOST, hung_up=kind == "hung up", asked="an OPC UA hello")
    return ProbeStep(step="port", outcome="fine", port=number, kind=kind, text=f"Port {number}", **more)  # type: ignore[arg-type]  # url


def judged(kinds: dict[int, PortKind], own: tuple[OwnAddress, ...] = NEAR) -> Verdict:
    return probe_words.verdict(HOST, HOST, [port(number, kind) for number, kind in kinds.items()], own)


def test_that_a_laptop_in_another_subnet_is_told_its_own_addresses_and_what_to_set() -> None:
    found = judged(dict.fromkeys(PORTS, "no answer"), FAR)
    assert found.outcome == "failed"
    assert found.why == f"{HOST} is not in any of this computer's networks: eth0 10.20.0.7/24, docker0 172.17.0.1/16"
    assert "192.168.0.x/24 on eth0" in found.fix
    assert found.own == ("eth0 10.20.0.7/24", "docker0 172.17.0.1/16")


def test_that_no_route_is_told_from_no_answer() -> None:
    assert judged(dict.fromkeys(PORTS, "unreachable"), FAR).what == f"No way leads to {HOST}"
    assert "in another network" in judged(dict.fromkeys(PORTS, "no answer"), FAR).what


def test_that_an_interface_without_an_address_from_the_network_is_pointed_at() -> None:
    own = (OwnAddress("eth0", "169.254.8.8", 16),)
    assert "169.254.x.x" in judged(dict.fromkeys(PORTS, "unreachable"), own).why


def test_that_silence_in_ones_own_network_asks_for_power_and_cable_and_not_for_another_subnet() -> None:
    found = judged(dict.fromkeys(PORTS, "no answer"))
    assert "eth1 192.168.0.77/24" in found.why
    assert "cable" in found.fix
    assert "x/24" not in found.fix


def test_that_closed_ports_say_that_the_host_is_there() -> None:
    found = judged({4840: "refused", 502: "refused"}, FAR)
    assert found.what.startswith(f"{HOST} is on")
    assert "ports 4840 and 502" in found.why
    assert "firewall" not in found.why


def test_that_a_port_without_an_answer_beside_closed_ones_is_a_firewalls() -> None:
    found = judged({4840: "no answer", 502: "refused"}, FAR)
    assert "port 4840 did not answer" in found.why
    assert "firewall" in found.why


def test_that_what_else_answers_is_named() -> None:
    web = probe_words.other(4840, b"HTTP/1.1 400 Bad\r\nServer: nginx\r\n\r\n", HOST)
    found = probe_words.verdict(HOST, HOST, [web, port(502, "refused")], NEAR)
    assert "neither OPC UA nor Modbus" in found.what
    assert "a web server (nginx)" in found.why


def test_that_a_device_that_hangs_up_may_have_no_connection_left() -> None:
    found = judged({502: "hung up"})
    assert "connection left" in found.fix


def test_that_a_silent_port_is_named_by_its_usual_use_and_only_as_usual() -> None:
    assert "usually Siemens S7" in port(102, "hung up").text
    assert "usually" not in port(4840, "hung up").text


def test_that_anything_usable_makes_it_fine_in_the_order_of_the_ports() -> None:
    steps = [port(502, "modbus", url="modbus://x"), port(4840, "opcua", url="opc.tcp://x:4840"), port(802, "refused")]
    found = probe_words.verdict(HOST, HOST, steps, FAR)
    assert found.outcome == "fine"
    assert found.what == f"Modbus on port 502 and OPC UA on port 4840 at {HOST}"


def test_that_a_discovery_server_alone_is_no_source_of_data() -> None:
    step = port(4840, "opcua", url="opc.tcp://x:4840", discovery=True)
    found = probe_words.verdict(HOST, HOST, [step], FAR)
    assert found.outcome == "unclear"
    assert "Ask it" in found.fix


@pytest.mark.parametrize(("host", "hint"), [("plc7", "domain"), ("plc7.plant", "IP address")])
def test_that_an_unknown_name_says_so(host: str, hint: str) -> None:
    found = probe_words.name_unknown(host, "no name server knows it")
    assert host in found.what
    assert hint in found.fix


def test_that_the_network_step_tells_own_near_and_far() -> None:
    assert "itself" in probe_words.network_step("127.0.0.1", NEAR).text
    assert probe_words.network_step(HOST, NEAR).outcome == "fine"
    far = probe_words.network_step(HOST, FAR)
    assert far.outcome == "unclear"
    assert "eth0 10.20.0.7/24" in far.text
