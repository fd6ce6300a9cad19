"""Whether a laptop can reach an address by itself, and what to set if not."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.networks import OwnAddress, how_to_join, nearness, own_addresses, worth_listing

LAPTOP = (
    OwnAddress("lo", "127.0.0.1", 8),
    OwnAddress("eth0", "10.20.0.7", 24),
    OwnAddress("wlan0", "172.16.4.9", 16),
    OwnAddress("docker0", "172.17.0.1", 16),
    OwnAddress("eth1", "192.168.0.77", 24, up=False),
    OwnAddress("eth0", "fd00:1::7", 64),
)


@pytest.mark.parametrize(
    ("address", "where", "interface"),
    [
        ("127.0.0.5", "self", None),
        ("10.20.0.7", "self", "eth0"),
        ("10.20.0.200", "near", "eth0"),
        ("172.16.255.1", "near", "wlan0"),
        ("fd00:1::99", "near", "eth0"),
        ("192.168.0.10", "far", None),
        ("10.21.0.1", "far", None),
        ("fd00:2::1", "far", None),
    ],
)
def test_that_an_address_is_near_only_in_a_network_that_is_up(address: str, where: str, interface: str | None) -> None:
    found, own = nearness(address, LAPTOP)
    assert (found, own.interface if own else None) == (where, interface)


def test_that_the_narrowest_network_is_named() -> None:
    own = (OwnAddress("vpn0", "10.0.0.1", 8), OwnAddress("eth0", "10.20.0.7", 24))
    found = nearness("10.20.0.9", own)[1]
    assert found is not None
    assert str(found) == "eth0 10.20.0.7/24"


def test_that_the_list_leaves_out_loopback_other_versions_and_what_is_down_and_puts_made_up_interfaces_last() -> None:
    assert [str(one) for one in worth_listing("192.168.0.10", LAPTOP)] == [
        "eth0 10.20.0.7/24",
        "wlan0 172.16.4.9/16",
        "docker0 172.17.0.1/16",
    ]


def test_that_the_advice_names_an_address_and_the_interfaces_with_a_plug() -> None:
    advice = how_to_join("192.168.0.10", LAPTOP)
    assert "192.168.0.x/24" in advice
    assert "eth0 or wlan0" in advice
    assert "docker0" not in advice
    assert "on eth0," in how_to_join("192.168.0.10", LAPTOP[:2])
    assert "IPv6" in how_to_join("fd00:2::1", LAPTOP)


def test_that_this_computers_own_addresses_are_read_with_interface_and_prefix() -> None:
    own = own_addresses()
    loopback = next(one for one in own if one.address == "127.0.0.1")
    assert loopback.prefix == 8
    assert loopback.interface


@given(st.ip_addresses(v=4), st.integers(1, 32))
def test_that_every_address_of_a_network_is_near_or_ones_own(address: ipaddress.IPv4Address, prefix: int) -> None:
    own = OwnAddress("eth0", str(address), prefix)
    for other in (own.network[0], own.network[-1]):
        where = nearness(str(other), (own,))[0]
        assert where == ("self" if other == address or other.is_loopback else "near")
