"""What an mDNS announcement says becomes a URL that needs no name service."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.drivers.opcua.announced import SERVICE, announced

TXT: dict[bytes, bytes | None] = {b"path": b"/UA/Filler", b"caps": b"DA,HD"}


def test_that_the_announced_address_stands_before_the_name() -> None:
    found = announced(f"Filler 1.{SERVICE}", "plc7.local.", 4841, ["fe80::1%2", "10.0.0.7"], TXT, "eth0")
    assert found.url == "opc.tcp://10.0.0.7:4841/UA/Filler"
    assert (found.name, found.host, found.capabilities, found.interface) == ("Filler 1", "plc7.local", ("DA", "HD"), "eth0")
    assert found.addresses == ("10.0.0.7", "fe80::1%2")


def test_that_without_an_address_the_name_has_to_do() -> None:
    assert announced(f"x.{SERVICE}", "plc7.local.", 4840, [], {}, "eth0").url == "opc.tcp://plc7.local:4840"


def test_that_an_ipv6_address_stands_in_brackets_and_an_empty_path_is_none() -> None:
    found = announced(f"x.{SERVICE}", "plc7.local.", 4840, ["fd00::7"], {b"path": b"/", b"caps": None}, "eth0")
    assert found.url == "opc.tcp://[fd00::7]:4840"
    assert found.capabilities == ()


@given(st.text(max_size=80), st.binary(max_size=80), st.binary(max_size=80))
def test_that_nothing_announced_reaches_a_screen_unclean(name: str, path: bytes, caps: bytes) -> None:
    found = announced(f"{name}.{SERVICE}", "h.local.", 4840, ["10.0.0.7"], {b"path": path, b"caps": caps}, "eth0")
    for text in (found.name, found.url, *found.capabilities):
        assert all(letter.isprintable() for letter in text)
