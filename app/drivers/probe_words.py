"""What a probe says in words: of each port, and of the host as a whole. Pure, so that each case can be tested without a network."""

from __future__ import annotations

from collections.abc import Sequence

from app.drivers.first_bytes import USUAL, shown, what_answered
from app.drivers.networks import OwnAddress, how_to_join, nearness, worth_listing
from app.drivers.probe_connect import NotConnectedError
from app.drivers.probe_questions import PortKind, ProbeStep, Verdict


def name_unknown(host: str, why: str) -> Verdict:
    name = host.rpartition(".")[2]
    short = "" if name != host else ", or write the whole name with its domain: short names are often known inside the plant's network only"
    fix = f"Check the spelling, or use the IP address{short}"
    return Verdict(outcome="failed", what=f'The name "{host}" is not known here', why=why, fix=fix)


def network_step(address: str, own: Sequence[OwnAddress]) -> ProbeStep:
    """Whether the host can be reached directly."""
    where, mine = nearness(address, own)
    if where == "self":
        return ProbeStep(step="network", outcome="fine", text=f"{address} is this computer itself", address=address)
    if where == "near" and mine is not None:
        return ProbeStep(step="network", outcome="fine", text=f"{address} is in this computer's network {mine}", address=address)
    text = f"{address} is in none of this computer's networks ({_listed(address, own)}): it is reached through a router or VPN, if at all"
    return ProbeStep(step="network", outcome="unclear", text=text, address=address)


def not_connected(port: int, error: NotConnectedError, address: str) -> ProbeStep:
    texts = {
        "refused": f"Port {port}: closed, the connection is refused",
        "no answer": f"Port {port}: no answer, not even a refusal",
        "unreachable": f"Port {port}: no way to the host ({error.words})",
    }
    return ProbeStep(step="port", outcome="failed", port=port, kind=error.kind, text=texts[error.kind], address=address)


def other(port: int, data: bytes, address: str) -> ProbeStep:
    """Something answers that is neither."""
    named = what_answered(data)
    text = f"Port {port}: {named} answers, not OPC UA or Modbus" if named else f"Port {port}: what answers is unknown here: {shown(data)}"
    return ProbeStep(step="port", outcome="unclear", port=port, kind="other", text=text, address=address)


def silent(port: int, address: str, *, hung_up: bool, asked: str) -> ProbeStep:
    """Connected, and then nothing, or the end."""
    usual = f"; this port is usually {USUAL[port]}" if port in USUAL else ""
    did = "accepts the connection and closes it again" if hung_up else "accepts the connection and does not answer"
    kind: PortKind = "hung up" if hung_up else "silent"
    text = f"Port {port} {did} upon {asked}{usual}"
    return ProbeStep(step="port", outcome="unclear", port=port, kind=kind, text=text, address=address)


def verdict(host: str, address: str, ports: Sequence[ProbeStep], own: Sequence[OwnAddress]) -> Verdict:
    """Of all ports of a host whose name is known."""
    usable = [port for port in ports if port.url and not port.discovery]
    if usable:
        return Verdict(outcome="fine", what=_and([_short(port) for port in usable]) + f" at {host}")
    if any(port.discovery for port in ports):
        fix = "Ask it for the servers it knows, and add one of those"
        return Verdict(outcome="unclear", what=f"At {host} is a discovery server, which has no data of its own", why="", fix=fix)
    answering = [port for port in ports if port.kind in ("opcua", "modbus", "modbus-tls", "other", "silent", "hung up")]
    if answering:
        return _something_else(host, answering)
    if any(port.kind == "refused" for port in ports):
        return _closed(host, ports)
    return _nothing(host, address, ports, own)


def _short(port: ProbeStep) -> str:
    titles = {"opcua": "OPC UA", "modbus": "Modbus", "modbus-tls": "TLS on the port of secured Modbus"}
    return f"{titles.get(port.kind, port.kind)} on port {port.port}"


def _something_else(host: str, answering: Sequence[ProbeStep]) -> Verdict:
    why = ". ".join(port.text for port in answering)
    if any(port.kind == "opcua" for port in answering):
        fix = "Check the path of the URL against the server's own settings"
        return Verdict(outcome="failed", what=f"The OPC UA server at {host} refuses", why=why, fix=fix)
    if all(port.kind in ("silent", "hung up") for port in answering):
        what = f"{host} accepts a connection but speaks neither OPC UA nor Modbus with this computer"
        fix = (
            "Check whether the device allows this computer's address, and has a connection left: many take only one or two Modbus clients. "
            "Modbus behind a gateway may need another unit id"
        )
        return Verdict(outcome="failed", what=what, why=why, fix=fix)
    fix = "Check the address: is this the controller? If so, find the port of OPC UA or Modbus in its settings and add it to the list"
    return Verdict(outcome="failed", what=f"{host} answers, but is neither OPC UA nor Modbus on the ports asked", why=why, fix=fix)


def _closed(host: str, ports: Sequence[ProbeStep]) -> Verdict:
    closed = [port.port for port in ports if port.kind == "refused"]
    silent_ports = [port.port for port in ports if port.kind == "no answer"]
    why = f"the host is there: it refused the connection on {_ports(closed)}"
    fix = "Switch OPC UA or Modbus TCP on in the device's settings (it may need a licence), or find its port there and add it to the list"
    if silent_ports:
        why += f"; {_ports(silent_ports)} did not answer at all, which is what a firewall does"
        fix += f". For {_ports(silent_ports)}, ask who runs the firewall between here and there, or look at the device's own"
    return Verdict(outcome="failed", what=f"{host} is on, but has none of these ports open", why=why, fix=fix)


def _nothing(host: str, address: str, ports: Sequence[ProbeStep], own: Sequence[OwnAddress]) -> Verdict:
    where, mine = nearness(address, own)
    listed = tuple(str(one) for one in worth_listing(address, own))
    shown_host = host if host == address else f"{host} ({address})"
    if where == "self":
        why = "nothing listens on this computer's own ports, or its own firewall drops the connection"
        return Verdict(outcome="failed", what=f"Nothing answers at {shown_host}, which is this computer", why=why, fix="Start the server")
    if where == "near" and mine is not None:
        asked = _ports([port.port for port in ports])
        why = f"it would be in this computer's network {mine}, but nothing at this address answered on {asked}"
        fix = "Check that the device is on, its cable and its address; a ping helps. A firewall on the device can look the same"
        return Verdict(outcome="failed", what=f"Nothing answers at {shown_host}", why=why, fix=fix, own=listed)
    no_way = any(port.kind == "unreachable" for port in ports)
    what = f"No way leads to {shown_host}" if no_way else f"Nothing answers at {shown_host}, which is in another network than this computer"
    why = f"{address} is not in any of this computer's networks: {_listed(address, own)}"
    if any(one.address.startswith("169.254.") for one in worth_listing(address, own)):
        why += "; an address 169.254.x.x means that the computer was given none on that interface"
    return Verdict(outcome="failed", what=what, why=why, fix=how_to_join(address, own), own=listed)


def _listed(address: str, own: Sequence[OwnAddress]) -> str:
    return ", ".join(str(one) for one in worth_listing(address, own)) or "no interface has an address"


def _ports(numbers: Sequence[int]) -> str:
    return ("port " if len(numbers) == 1 else "ports ") + _and([str(number) for number in numbers])


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
