"""What a person typed as the place to look at: an address, a name, with or without a port, or a URL."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from app.drivers import is_offline, spec_for
from app.drivers.base import EndpointReport, OfferedEndpoint
from app.drivers.modbus.url import ModbusUrl
from app.drivers.probe_questions import MOST_PORTS, PORTS, Probe, ProbeStep
from app.errors import CollectedError, UserError

_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?")
_UNPROTECTED = "None"
UserKind = Literal["anonymous", "password", "certificate"]
_EXAMPLE = "For example 192.168.0.10, plc-4.plant, 192.168.0.10:4841 or opc.tcp://192.168.0.10:4840"


class Target(NamedTuple):
    """``url`` is canonical, "" for a bare host; ``port`` None where none was typed."""

    host: str
    port: int | None = None
    url: str = ""

    @property
    def ports(self) -> tuple[int, ...]:
        """What to ask: the port that was typed, else the usual ones."""
        return PORTS if self.port is None else (self.port,)

    @property
    def is_probed(self) -> bool:
        """Whether ``Probe`` knows what to say there; RTU over TCP and serial lines are opened by their driver."""
        return not self.url or self.url.partition(":")[0] in ("opc.tcp", "modbus", "modbus-tls")

    def probe(self, ports: Iterable[int] = ()) -> Probe:
        return Probe(host=self.host, ports=tuple(ports) or self.ports, url=self.url)


def target(text: str) -> Target:
    """Raises ``UserError``: no host, no port, or a scheme that no driver speaks."""
    text = text.strip()
    if is_offline(text):
        fix = "Open it with Endpoint, Open snapshot, or as --endpoint NAME=snapshot:FILE"
        raise UserError("Not an address", where=text, why="a snapshot is a file, and nothing answers there", fix=fix)
    if re.match(r"[A-Za-z][A-Za-z0-9.+-]*://", text):
        url = spec_for(text).parse_url(text)
        parts = urlsplit(url)
        return Target(host_of(parts.hostname or ""), parts.port or _default_port(url), url)
    try:
        ipaddress.IPv6Address(text.partition("%")[0])
    except ValueError:
        pass
    else:
        return Target(text)
    host, colon, port = text.rpartition(":") if "]:" in text or text.count(":") == 1 else (text, "", "")
    if colon and (not re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) or not 0 < int(port) < 65536):
        raise _bad(text, "after the colon stands a port from 1 to 65535")
    return Target(host_of(host), int(port) if colon else None)


def host_of(text: str) -> str:
    """Host name or IP address, without brackets. Raises ``UserError``."""
    host = text.strip().removeprefix("[").removesuffix("]")
    if not host:
        raise _bad(text, "the host is missing")
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if re.fullmatch(r"[0-9.]+", host) or not _NAME.fullmatch(host):
            raise _bad(text, "it is neither an IP address nor a host name") from None
    return host


def ports_of(text: str) -> tuple[int, ...]:
    """Ports as people list them: separated by commas, semicolons or spaces; each once.

    Raises:
        UserError: None, too many, or one that is none; a CollectedError names every one.
    """
    problems: list[UserError] = []
    ports: list[int] = []
    for word in re.split(r"[\s,;]+", text.strip()):
        if re.fullmatch(r"[0-9]{1,5}", word, re.ASCII) and 0 < int(word) < 65536:
            ports.append(int(word))
        elif word:
            problems.append(UserError("Not a port", where=word, why="a port is a number from 1 to 65535", fix="Correct it or take it out"))
    ports = list(dict.fromkeys(ports))
    if problems:
        raise (
            CollectedError("Cannot ask these ports", where=text, problems=problems, fix="Separate ports by commas")
            if problems[1:]
            else problems[0]
        )
    if not ports:
        raise UserError("No port to ask", where=text, why="the list is empty", fix=f"The usual ones are {', '.join(map(str, PORTS))}")
    if len(ports) > MOST_PORTS:
        why = f"these are {len(ports)} ports; more than {MOST_PORTS} would be a scan, which can disturb a controller"
        raise UserError("Too many ports", where=f"{ports[0]} … {ports[-1]}", why=why, fix="Name those that the device's settings show")
    return tuple(ports)


def url_with_host(url: str, host: str) -> str:
    """The same URL at another host."""
    parts = urlsplit(url)
    shown = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=shown + (f":{parts.port}" if parts.port else "")).geturl()


def discovery_url(text: str) -> str:
    """``opc.tcp://…`` of a discovery server: a URL, or a host at the registered port of discovery servers (4840).

    Raises:
        UserError: As ``target``, or a URL of another protocol.
    """
    found = target(text)
    shown = f"[{found.host}]" if ":" in found.host else found.host
    url = found.url or f"opc.tcp://{shown}:{found.port or 4840}"
    if not url.startswith("opc.tcp:"):
        raise UserError("Not a discovery server", where=url, why="discovery servers are OPC UA servers", fix="Write opc.tcp://host:4840")
    return spec_for(url).parse_url(url)


def url_with_path(url: str, others: Iterable[str]) -> str:
    """The same place with the path that a server's own URLs have; as it is where they differ, or are none."""
    paths = set()
    for other in others:
        try:
            paths.add(urlsplit(other).path.rstrip("/"))
        except ValueError:
            return url
    return url + paths.pop() if len(paths) == 1 and not urlsplit(url).path else url


def with_unit(url: str, unit: int) -> str:
    """A Modbus URL whose tags without a unit id mean this unit."""
    parsed = ModbusUrl(url)
    parsed.unit = unit
    return str(ModbusUrl(str(parsed)))


def unit_of(url: str) -> int | None:
    """Unit id that a Modbus URL names; None for another protocol."""
    return ModbusUrl(url).unit if spec_for(url).key == "modbus" else None


def proposed_name(url: str) -> str:
    """``192.168.0.10-opcua``: host, or serial port, and protocol."""
    key = spec_for(url).key
    if "://" not in url:
        return f"{url.partition(':')[2].partition('?')[0].rpartition('/')[2].lower()}-{key}"
    return f"{urlsplit(url).hostname or 'endpoint'}-{key}"


def usable_offers(report: EndpointReport) -> tuple[OfferedEndpoint, ...]:
    """The ways to connect that can be used, best first; of several alike (one for each network card) the first."""
    seen: dict[tuple[str, str], OfferedEndpoint] = {}
    for offer in sorted(report.offered, key=lambda one: (-one.rank, -one.level)):
        if offer.rank > 0:
            seen.setdefault((offer.policy, offer.mode), offer)
    return tuple(seen.values())


def step_of_report(report: EndpointReport) -> ProbeStep:
    """What a driver found at a URL by itself, as a probe tells it."""
    key = spec_for(report.url).key
    units = f", unit {report.units[0]} answers" if report.units else ""
    text = f"{report.title}{units}"
    return ProbeStep(step="port", outcome="fine", kind="opcua" if key == "opcua" else "modbus", text=text, url=report.url, report=report)


def is_legacy(offer: OfferedEndpoint) -> bool:
    return offer.advice.startswith("Legacy")


def user_kinds(offer: OfferedEndpoint) -> tuple[tuple[UserKind, str], ...]:
    """Who may sign in this way, and why that is not to be done ("" is fine). A server that states nobody takes anonymous ones."""
    kinds: list[tuple[UserKind, str]] = []
    for kind in ("anonymous", "password", "certificate"):
        if kind in (offer.users or ("anonymous",)):
            clear = kind == "password" and offer.password_policy == _UNPROTECTED
            kinds.append((kind, "The password would cross the network in clear text, so it is not sent this way." if clear else ""))
    return tuple(kinds)


def _default_port(url: str) -> int:
    return ModbusUrl(url).port if spec_for(url).key == "modbus" else spec_for(url).default_port


def _bad(text: str, why: str) -> UserError:
    return UserError("Not an address", where=text or "the address", why=why, fix=_EXAMPLE)
