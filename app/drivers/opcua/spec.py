"""What is known of OPC UA without a library and without a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from app.drivers.base import EndpointConfig, EndpointReport, Load, SettingField, Spec, WatchItem
from app.drivers.opcua import address as addresses
from app.drivers.opcua.load import load_of
from app.drivers.opcua.status import status_text
from app.errors import UserError

URL_EXAMPLE = "For example opc.tcp://192.168.0.10:4840"
PUBLISHING_MS = 200

SETTINGS: tuple[SettingField, ...] = (
    SettingField(
        name="timeout_s", title="Request time-out", kind="float", default=10.0, low=0.5, high=120.0, unit="s",
        help="How long one request may take before it counts as failed.",
    ),
    SettingField(
        name="publishing_interval_ms", title="Publishing interval", kind="int", default=PUBLISHING_MS, low=10, high=60_000, unit="ms",
        help="How often the server sends what it has sampled. The rate of a tag is set by its group.",
    ),
    SettingField(
        name="max_nodes_per_call", title="Nodes per request", kind="int", default=500, low=1, high=10_000,
        help="Upper limit for browsing, reading and watching; a lower limit of the server itself is kept too.",
    ),
)  # fmt: skip


class OpcUaSpec:
    """See ``app.drivers.opcua.address`` for the address grammar."""

    key = "opcua"
    title = "OPC UA"
    schemes: tuple[str, ...] = ("opc.tcp",)
    default_port = 4840
    settings: tuple[SettingField, ...] = SETTINGS
    source_times = True
    polls = False

    def parse_url(self, text: str) -> str:
        """``opc.tcp://host:port[/path]`` with the port always written. User names and passwords are refused: they would end up in files."""
        text = text.strip()
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise _bad_url(text, str(error)) from None
        if parts.scheme.lower() not in self.schemes:
            raise _bad_url(text, 'an OPC UA URL begins with "opc.tcp://"')
        if not host or any(letter.isspace() for letter in parts.netloc):
            raise _bad_url(text, "the host is missing" if not host else "the host contains a space")
        if "@" in parts.netloc:
            raise _bad_url("opc.tcp://…@" + parts.netloc.rpartition("@")[2], "a URL never carries a user name or password")
        if parts.query or parts.fragment:
            raise _bad_url(text, '"?" and "#" have no meaning here')
        if port == 0:
            raise _bad_url(text, "port 0 cannot be connected to")
        shown = f"[{host}]" if ":" in host else host
        return f"opc.tcp://{shown}:{port or self.default_port}{parts.path.rstrip('/')}"

    def parse_address(self, text: str, *, namespaces: Sequence[str] = (), notation: str = "") -> str:
        if notation:
            raise UserError("Unknown notation", where=notation, why="OPC UA addresses have one notation", fix=addresses.EXAMPLE)
        return str(addresses.parse(text, namespaces))

    def type_of(self, address: str) -> str:
        """Always unknown: only the server says what type a node has."""
        return ""

    def status_text(self, status: int) -> str:
        return status_text(status)

    def short_address(self, address: str) -> str:
        """Without the namespace: ``s=Line1.Speed``, ``/Objects/Line1/Speed``. Text that is no address comes back as it is."""
        try:
            parsed = addresses.parse(address)
        except UserError:
            return address
        if isinstance(parsed, addresses.NodeAddress):
            return f"{parsed.kind}={parsed.identifier}"
        return "".join(f"{step.separator}{step.name}" for step in parsed.steps)

    def describe(self, address: str) -> Mapping[str, str]:
        parsed = addresses.parse(address)
        if isinstance(parsed, addresses.NodeAddress):
            kind = addresses.KIND_TITLES[parsed.kind]
            return {"Namespace URI": parsed.uri, "Identifier type": kind, "Identifier": parsed.identifier}
        uris = dict.fromkeys(step.uri for step in parsed.steps)
        return {"Browse path": self.short_address(address), "Namespace URIs": ", ".join(uris)}

    def load_of(self, config: EndpointConfig, items: Sequence[WatchItem], report: EndpointReport | None) -> Load:
        return load_of(config, PUBLISHING_MS, items, report)


def _bad_url(where: str, why: str) -> UserError:
    return UserError("Not an OPC UA URL", where=where, why=why, fix=URL_EXAMPLE)


SPEC: Spec = OpcUaSpec()
