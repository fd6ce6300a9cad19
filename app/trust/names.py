"""Whether a certificate is that of the host we connect to (RFC 6125 §6.4, OPC 10000-4 §6.1.3). The common name never counts."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def names_host(names: Iterable[str], host: str) -> bool:
    """Whether one of the subject alternative names is this host.

    Args:
        names: DNS names and addresses of the certificate. An address that stands there as a DNS name counts: many devices do that.
        host: As in a URL: a name in any case, IPv4, or IPv6 with or without brackets and zone.
    """
    address = address_of(host)
    if address is not None:
        return any(address_of(name) == address for name in names)
    return any(_same_name(name, _folded(host)) for name in names)


def address_of(text: str) -> Address | None:
    """IPv4 and its mapped form in IPv6 are one; a zone (``%eth0``) means something on one computer only and is left out."""
    bare = text.strip().removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address


def _same_name(name: str, host: str) -> bool:
    folded = _folded(name)
    if folded.startswith("*."):  # one label, the first, and never that of a whole top-level domain
        rest = folded.removeprefix("*")
        return host.count(".") >= 2 and host.partition(".")[1] + host.partition(".")[2] == rest
    return folded != "" and folded == host


def _folded(name: str) -> str:
    """Lower case, without the final dot of a full name, in the ASCII form that certificates hold (RFC 5890)."""
    text = name.strip().rstrip(".").lower()
    if text.isascii():
        return text
    try:
        return text.encode("idna").decode()
    except UnicodeError:
        return text
