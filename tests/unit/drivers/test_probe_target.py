"""What people type as an address becomes a host, its ports and, where they typed one, a URL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.probe_questions import MOST_PORTS, PORTS
from app.drivers.probe_target import Target, ports_of, target, url_with_host, url_with_path
from app.errors import CollectedError, UserError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.168.0.10", Target("192.168.0.10")),
        (" plc-4.plant ", Target("plc-4.plant")),
        ("192.168.0.10:4841", Target("192.168.0.10", 4841)),
        ("fd00::1", Target("fd00::1")),
        ("[fd00::1]:502", Target("fd00::1", 502)),
        ("[fd00::1]", Target("fd00::1")),
        ("opc.tcp://plc/path", Target("plc", 4840, "opc.tcp://plc:4840/path")),
        ("modbus://plc", Target("plc", 502, "modbus://plc")),
        ("modbus://plc:1502?unit=3", Target("plc", 1502, "modbus://plc:1502?unit=3")),
    ],
)
def test_that_an_address_is_read_as_typed(text: str, expected: Target) -> None:
    assert target(text) == expected


@pytest.mark.parametrize(
    "text", ["", "a b", "plc:", "plc:0", "plc:70000", "plc:x", "192.168.0", "300.1.1.1", "gopher://x", "opc.tcp://", "-x", "a..b"]
)
def test_that_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        target(text)


def test_that_a_port_that_was_typed_is_the_only_one_asked() -> None:
    assert target("plc").probe().ports == PORTS
    assert target("plc:4841").probe().ports == (4841,)
    assert target("plc:4841").probe((502, 4840)).ports == (502, 4840)


def test_that_ports_are_read_in_any_separation_each_once() -> None:
    assert ports_of(" 4840, 502;802  502\n62541") == (4840, 502, 802, 62541)


@pytest.mark.parametrize("text", ["", " , ", "0", "70000", "48 40x", " ".join(map(str, range(1, MOST_PORTS + 2)))])
def test_that_a_wrong_list_of_ports_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        ports_of(text)


def test_that_every_wrong_port_is_named_at_once() -> None:
    with pytest.raises(CollectedError) as caught:
        ports_of("4840 x 70000")
    assert [problem.where for problem in caught.value.problems] == ["x", "70000"]


@given(st.text(max_size=40))
def test_that_any_text_is_an_address_or_a_user_error(text: str) -> None:
    try:
        found = target(text)
    except UserError:
        return
    assert found.host
    assert not any(letter.isspace() or letter in "/?#@[]" for letter in found.host)


def test_that_a_host_is_replaced_and_nothing_else() -> None:
    assert url_with_host("opc.tcp://plc:4841/a", "10.0.0.1") == "opc.tcp://10.0.0.1:4841/a"
    assert url_with_host("opc.tcp://plc:4841", "fd00::1") == "opc.tcp://[fd00::1]:4841"


def test_that_the_servers_own_path_is_used_where_there_is_one() -> None:
    base = "opc.tcp://10.0.0.1:4840"
    assert url_with_path(base, ["opc.tcp://plc:4840/peer/", "opc.tcp://other:1/peer"]) == f"{base}/peer"
    assert url_with_path(base, ["opc.tcp://plc:4840/a", "opc.tcp://plc:4840/b"]) == base
    assert url_with_path(f"{base}/x", ["opc.tcp://plc:4840/a"]) == f"{base}/x"
    assert url_with_path(base, ["opc.tcp://[broken"]) == base
