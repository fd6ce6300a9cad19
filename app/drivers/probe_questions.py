"""Questions about what is at an address, before there is an endpoint: one host, one discovery server, the network around.

Each is asked once, after a person pressed a button, of exactly what that person saw listed.
"""

from __future__ import annotations

from typing import Final, Literal

from app.drivers.base import EndpointReport, Wire
from app.drivers.questions import Anywhere, Progress, Question

PORTS: Final = (4840, 48010, 53530, 62541, 502, 802)
"""Asked unless a person edits the list: OPC UA as registered and of three widespread toolkits; Modbus TCP; Modbus over TLS."""

MOST_PORTS: Final = 32
"""More is a scan, which is another thing and not done here."""

StepKind = Literal["name", "network", "port"]
Outcome = Literal["asking", "fine", "failed", "unclear"]
"""``unclear``: nothing is wrong as far as can be seen, but it may be the cause; or something answers, and it is not what was looked for."""

PortKind = Literal["", "opcua", "modbus", "modbus-tls", "other", "silent", "hung up", "refused", "no answer", "unreachable"]
"""What a port turned out to be. ``silent``: accepts the connection and says nothing. ``hung up``: accepts and closes. ``refused``: the
host is there and nothing listens. ``no answer``: not even that. ``unreachable``: a router or this computer says no way leads there."""


class ProbeStep(Wire, frozen=True, kw_only=True, tag="step"):
    """One step, told when it begins ("asking") and when it is done. A later one replaces an earlier one of the same ``step`` and ``port``.

    Attributes:
        text: A sentence for a person.
        kind: Of a port that is done.
        address: IP address that was asked, "" before a name was resolved.
        url: How to reach what answers, as an endpoint's address; "" where nothing usable does.
        report: What OPC UA or Modbus said of itself.
        discovery: What answers is an OPC UA discovery server: it lists others and has no data of its own.
        certificate: DER that a TLS server showed; b"" without.
    """

    step: StepKind
    outcome: Outcome
    text: str
    port: int = 0
    kind: PortKind = ""
    address: str = ""
    url: str = ""
    report: EndpointReport | None = None
    discovery: bool = False
    certificate: bytes = b""


class Verdict(Wire, frozen=True, kw_only=True, tag="verdict"):
    """What it all means for the whole host; the last answer.

    Attributes:
        outcome: "fine" when something usable answered.
        what, why, fix: As of ``UserError``; ``fix`` is the next thing to do.
        own: This computer's addresses, ``eth0 10.0.0.5/24``, where they matter.
    """

    outcome: Outcome
    what: str
    why: str = ""
    fix: str = ""
    own: tuple[str, ...] = ()


class Probe(Anywhere, frozen=True, kw_only=True, tag="probe.host"):
    """What answers at a host. One connection to each port, for a port without a usual protocol at most a second one.

    Attributes:
        host: Name or IP address, without brackets.
        url: Where a person typed one: says what is spoken at its port, and its path is used.
    """

    ANSWERS = ProbeStep | Progress | Verdict
    ANSWERED_BY = "app.drivers.probe"
    timeout_s: float = 90.0
    host: str
    ports: tuple[int, ...] = PORTS
    url: str = ""


class FoundServer(Wire, frozen=True, kw_only=True, tag="server"):
    """A server that a discovery server lists (OPC 10000-4 §7.2 ApplicationDescription), and what it said when it was asked itself.

    Attributes:
        kind: Its ApplicationType in words.
        urls: As the discovery server lists them.
        url: The one that answered, made usable from here; "" when none did, and then ``trouble`` says why.
        note: What was changed in the URL, and why.
    """

    name: str
    application_uri: str = ""
    kind: Literal["server", "client", "client and server", "discovery server"] = "server"
    urls: tuple[str, ...] = ()
    url: str = ""
    note: str = ""
    trouble: str = ""
    report: EndpointReport | None = None


class FindServers(Anywhere, frozen=True, kw_only=True, tag="probe.servers"):
    """The servers that a discovery server knows (OPC 10000-4 §5.5.2), each asked for its endpoints (§5.5.4).

    Attributes:
        url: ``opc.tcp://…`` of the discovery server; any OPC UA server at least lists itself.
    """

    ANSWERS = FoundServer | Progress
    ANSWERED_BY = "app.drivers.opcua.discovery"
    timeout_s: float = 60.0
    url: str


class Announced(Wire, frozen=True, kw_only=True, tag="announced"):
    """A server that announces itself by multicast DNS (OPC 10000-12 §4.3.5 and Annex C).

    Attributes:
        url: Made of the announced IP address, which needs no name service; of the host name where no address came.
        host: Host name as announced.
        capabilities: Of ``caps``: DA, HD, AC, LDS … (OPC 10000-12 Annex D).
        interface: Own interface on which it was heard.
    """

    name: str
    url: str
    host: str = ""
    addresses: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    interface: str = ""


class Listened(Wire, frozen=True, kw_only=True, tag="listened"):
    """How it went on one own interface; ``trouble`` "" is well."""

    interface: str
    address: str
    trouble: str = ""


class FindOnNetwork(Anywhere, frozen=True, kw_only=True, tag="probe.network"):
    """Who announces itself as OPC UA server on the networks this computer is in. Nobody is connected to, no address is tried.

    Attributes:
        seconds: How long to listen.
        addresses: Own addresses to listen at; none means every one that is up, but the loopback.
    """

    ANSWERS = Announced | Listened | Progress
    ANSWERED_BY = "app.drivers.opcua.discovery"
    timeout_s: float = 60.0
    seconds: float = 4.0
    addresses: tuple[str, ...] = ()


QUESTIONS: tuple[type[Question], ...] = (Probe, FindServers, FindOnNetwork)
