import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.opcua.spec import SPEC
from app.errors import UserError


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        (" opc.tcp://PLC-7 ", "opc.tcp://plc-7:4840"),
        ("OPC.TCP://10.0.0.5:48010/", "opc.tcp://10.0.0.5:48010"),
        ("opc.tcp://[FE80::1]:4840/UA/Line", "opc.tcp://[fe80::1]:4840/UA/Line"),
    ],
)
def test_that_a_url_is_made_canonical(typed: str, canonical: str) -> None:
    assert SPEC.parse_url(typed) == canonical
    assert SPEC.parse_url(canonical) == canonical


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("10.0.0.5", "begins with"),
        ("http://10.0.0.5", "begins with"),
        ("opc.tcp://", "host is missing"),
        ("opc.tcp://a b", "space"),
        ("opc.tcp://a:99999", "Port out of range"),
        ("opc.tcp://a:0", "port 0"),
        ("opc.tcp://a/?x=1", "no meaning"),
        ("opc.tcp://[::1", "Invalid IPv6"),
    ],
)
def test_that_what_is_no_url_is_refused_with_its_reason(typed: str, why: str) -> None:
    with pytest.raises(UserError, match=why) as refused:
        SPEC.parse_url(typed)
    assert refused.value.fix


def test_that_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(UserError) as refused:
        SPEC.parse_url("opc.tcp://operator:hunter2@plc:4840")
    assert "hunter2" not in str(refused.value)


@given(st.text(max_size=60))
def test_that_any_text_is_a_url_or_is_refused(text: str) -> None:
    for typed in (text, f"opc.tcp://{text}"):
        with contextlib.suppress(UserError):
            canonical = SPEC.parse_url(typed)
            assert SPEC.parse_url(canonical) == canonical


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "Good (0x00000000)"),
        (0x00000480, "Good (0x00000480)"),
        (0x00000100, "Good (0x00000100)"),
        (0x80340000, "BadNodeIdUnknown (0x80340000)"),
        (0x80340480, "BadNodeIdUnknown (0x80340480)"),
        (0x40900000, "UncertainLastUsableValue (0x40900000)"),
        (0x8FFF0000, "Bad (0x8FFF0000)"),
        (0x4FFF0000, "Uncertain (0x4FFF0000)"),
        (0x0FFF0000, "Good (0x0FFF0000)"),
        (0xFFFFFFFF, "Bad (0xFFFFFFFF)"),
        (-1, "Bad (0xFFFFFFFF)"),
    ],
)
def test_that_a_status_is_its_name_and_its_whole_number(status: int, text: str) -> None:
    assert SPEC.status_text(status) == text


def test_that_an_address_is_shown_short_and_taken_apart() -> None:
    node = "nsu=urn:line%3B1;s=Filler.Speed"
    path = "/Objects/nsu=urn:line;Line&.1"
    assert SPEC.short_address(node) == "s=Filler.Speed"
    assert SPEC.describe(node) == {"Namespace URI": "urn:line;1", "Identifier type": "String", "Identifier": "Filler.Speed"}
    assert SPEC.short_address(path) == "/Objects/Line.1"
    assert SPEC.describe(path)["Namespace URIs"] == "http://opcfoundation.org/UA/, urn:line"
    assert SPEC.type_of(node) == ""
    assert SPEC.short_address("nonsense") == "nonsense"


def test_that_another_notation_is_refused() -> None:
    with pytest.raises(UserError):
        SPEC.parse_address("i=85", notation="modicon")
