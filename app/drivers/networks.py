"""The networks this computer is in, and whether an address is in one of them. Reads the interfaces; sends nothing."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import psutil

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_VIRTUAL = re.compile(
    r"lo\d*$|docker|br-|veth|virbr|vmnet|vboxnet|cni|flannel|awdl|llw|bridge|gif|stf|anpi|ap\d|loopback|vmware|virtualbox", re.I
)
_TUNNEL = re.compile(r"u?tun|tap|wg|ppp|zt|tailscale|vpn", re.I)


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """One address of this computer. ``str`` is ``eth0 10.0.0.5/24``."""

    interface: str
    address: str
    prefix: int
    up: bool = True

    def __str__(self) -> str:
        return f"{self.interface} {self.address}/{self.prefix}"

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        return ipaddress.ip_network(f"{self.address}/{self.prefix}", strict=False)

    @property
    def is_cable(self) -> bool:
        """As far as the name tells: an interface into which a network is plugged, or a radio, not one that software made."""
        return not _VIRTUAL.match(self.interface) and not _TUNNEL.match(self.interface)


Nearness = Literal["self", "near", "far"]


def own_addresses() -> tuple[OwnAddress, ...]:
    """Every IP address of this computer, with its interface as the system names it."""
    states = psutil.net_if_stats()
    found = []
    for interface, addresses in psutil.net_if_addrs().items():
        up = interface not in states or states[interface].isup
        for one in addresses:
            if one.family in (socket.AF_INET, socket.AF_INET6):
                address = one.address.partition("%")[0]
                found.append(OwnAddress(interface, address, _prefix(one.netmask, address), up))
    return tuple(found)


def nearness(address: str, own: Sequence[OwnAddress]) -> tuple[Nearness, OwnAddress | None]:
    """Whether an address is this computer's, in one of its networks (and in which), or only behind a router."""
    wanted = ipaddress.ip_address(address.partition("%")[0])
    if wanted.is_loopback:
        return "self", None
    for one in own:
        if ipaddress.ip_address(one.address) == wanted:
            return "self", one
    near = [one for one in own if one.up and one.prefix and wanted.version == one.network.version and wanted in one.network]
    if near:
        return "near", max(near, key=lambda one: one.prefix)
    return "far", None


def worth_listing(address: str, own: Sequence[OwnAddress]) -> tuple[OwnAddress, ...]:
    """Those a person compares with an address: of its IP version, up, no loopback; what software made comes last."""
    version = ipaddress.ip_address(address.partition("%")[0]).version
    listed = [
        one
        for one in own
        if one.up and ipaddress.ip_address(one.address).version == version and not ipaddress.ip_address(one.address).is_loopback
    ]
    return tuple(sorted(listed, key=lambda one: (not one.is_cable, one.interface)))


def how_to_join(address: str, own: Sequence[OwnAddress]) -> str:
    """What to set so that a device at ``address`` can be reached without a router: a sentence."""
    wanted = ipaddress.ip_address(address.partition("%")[0])
    if wanted.version == 6:
        return "Give this computer an address in the device's IPv6 network, or go through a router or VPN that leads there"
    example = f"{str(wanted).rpartition('.')[0]}.x/24"
    cables = list(dict.fromkeys(one.interface for one in own if one.up and one.is_cable))
    where = cables[0] if len(cables) == 1 else f"the interface that leads to it ({' or '.join(cables)})" if cables else "that interface"
    return f"Set a free address such as {example} on {where}, or use a router or VPN that leads to {wanted}"


def _prefix(netmask: str | None, address: str) -> int:
    """Of ``255.255.255.0``, ``ffff:ffff::`` or, on Windows for IPv6, nothing: the usual 64 then."""
    version = ipaddress.ip_address(address).version
    if not netmask:
        return 64 if version == 6 else 32
    return f"{int(ipaddress.ip_address(netmask)):b}".count("1")
