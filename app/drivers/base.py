"""The contract every protocol driver keeps: a ``Spec`` that needs no library, and a ``Session`` in the connector process.

A driver is a folder: ``spec.py`` ends in ``SPEC``, ``session.py`` ends in ``open_session``. Nothing else names it.
Everything here crosses the pipe between window and connector, so it is msgspec structs of plain values.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, Protocol, runtime_checkable

import msgspec

from app.model.columns import SampleColumns
from app.model.plant import Identity, Security

if TYPE_CHECKING:
    from app.drivers.questions import Question


class Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of what crosses the pipe."""


class UnitSettings(Wire, frozen=True, kw_only=True):
    number: int
    order: str = "ABCD"


class Learned(Wire, frozen=True, kw_only=True, tag="learned"):
    """What a session found out about its device by running into it; an event, and given to the next session, so that it need not again.

    Attributes:
        limits: Name → number that works (the driver's own names; OPC UA: operations per request, by service).
        quarantined: Canonical address → why it is asked for by itself only, or not at all: it spoils every request that holds it.
    """

    limits: dict[str, int] = {}
    quarantined: dict[str, str] = {}


class EndpointConfig(Wire, frozen=True, kw_only=True):
    """All a session needs to know of an endpoint.

    Attributes:
        secret: Password, or passphrase of the user certificate's key; resolved just before it is sent and never stored.
        pki: Folder of the certificate store (``app.trust``): own certificate and key, trusted and refused ones. "" has none, and
            then no certificate of a server is accepted.
        identity: What the project says is at this address; the session reads ``identity.register`` for its report.
        learned: What earlier sessions told as ``Learned``, merged by the supervisor.
    """

    name: str
    url: str
    security: Security = Security()
    secret: str = ""
    settings: dict[str, bool | int | float | str] = {}
    units: tuple[UnitSettings, ...] = ()
    pki: str = ""
    identity: Identity = Identity()
    learned: Learned = Learned()

    def __repr__(self) -> str:
        """Without the secret: this text ends up in logs and tracebacks."""
        return f"EndpointConfig(name={self.name!r}, url={self.url!r}, security={self.security!r})"


class OfferedEndpoint(Wire, frozen=True, kw_only=True):
    """One way to connect that the server offers (OPC 10000-4 §7.14 EndpointDescription).

    Attributes:
        users: Of "anonymous", "password", "certificate", "token".
        level: The server's own order (securityLevel); 0 is "not recommended".
        certificate: DER of the server's certificate; b"" where it sends none.
        password_policy: Policy under which a password would be encrypted here ("None" is in clear text), "" where none is taken.
        rank: Ours: higher is better; the best one is offered first.
        advice: Why it stands there, a sentence; "legacy" offers begin with "Legacy".
    """

    url: str
    policy: str
    mode: str
    users: tuple[str, ...] = ()
    level: int = 0
    certificate: bytes = b""
    password_policy: str = ""
    rank: int = 0
    advice: str = ""


class EndpointReport(Wire, frozen=True, kw_only=True):
    """What answered.

    Attributes:
        title: One line for a person: product and version, or "Modbus TCP device".
        round_trip_s: Of the cheapest request.
        clock_offset_s: Server's clock minus ours; None where the protocol has none.
        limits: Name → number as the server publishes them (OPC UA OperationLimits); 0 is "no limit stated".
        notes: Sentences a person should read: an unresolvable host name replaced by the one that worked, and the like.
        identity: What is at this address, for comparison with what the project says.
        found: Name → number of limits found by running into them (``limits`` are the published ones).
        granted: Name → text of what the server granted instead of what was asked for: session time-out, token lifetime, rates.
        as_of_ns: Wall clock of a snapshot's values (Unix ns); None for what is live.
    """

    title: str
    url: str
    application_uri: str = ""
    product: str = ""
    namespaces: tuple[str, ...] = ()
    offered: tuple[OfferedEndpoint, ...] = ()
    units: tuple[int, ...] = ()
    limits: dict[str, int] = {}
    round_trip_s: float = 0.0
    clock_offset_s: float | None = None
    notes: tuple[str, ...] = ()
    identity: Identity = Identity()
    found: dict[str, int] = {}
    granted: dict[str, str] = {}
    as_of_ns: int | None = None


NodeClass = Literal[
    "object",
    "variable",
    "method",
    "object type",
    "variable type",
    "data type",
    "reference type",
    "view",
    "unit",
    "table",
]


class BrowseColumns(Wire, frozen=True, kw_only=True):
    """Children of one or more nodes, all columns of one length.

    Attributes:
        parent: Index into the ``nodes`` asked for (browse), or of an earlier row + number of roots (crawl).
        id: Canonical id, usable as an address when ``node_class`` is "variable".
        name: Display name.
        browse_name: OPC UA qualified name as ``<namespace URI>:<name>`` where the URI differs from the parent's, else the bare name.
        path: Browse path from Objects (OPC UA: ``/2:Line1/2:Speed`` is index bound, so: names joined by "/" with "&" escapes).
        type: Type word of ``app.model.values`` for variables; type definition's name for objects.
        has_children: False only where it is known.
        value, status: What variables held, and its status in the protocol's own code, as of the crawl; empty where it was not asked for.
        errors: Index into ``nodes`` → why this one could not be browsed; the others are still there.
        resume: Opaque; pass it to ``browse`` to go on (continuation points), None when all is here.
    """

    parent: tuple[int, ...] = ()
    id: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    browse_name: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    node_class: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    has_children: tuple[bool, ...] = ()
    description: tuple[str, ...] = ()
    value: tuple[object, ...] = ()
    status: tuple[int, ...] = ()
    errors: dict[int, str] = {}
    resume: bytes | None = None

    def __len__(self) -> int:
        return len(self.id)

    def is_data(self, row: int) -> bool:
        """Whether the row is a variable with data of the process: a property (EURange, EnumStrings) only describes one.

        Properties are the variables that can have nothing below them (OPC 10000-3 §5.6.1), which ``has_children`` says.
        """
        return self.node_class[row] == "variable" and self.has_children[row]


class Item(Wire, frozen=True, kw_only=True):
    """One thing to read. The session applies ``gain`` and ``offset`` to numbers (float64 unless 1 and 0)."""

    address: str
    gain: float = 1.0
    offset: float = 0.0


class WatchItem(Item, frozen=True, kw_only=True):
    """One thing to watch. ``handle`` is the caller's number and comes back in every sample."""

    handle: int
    interval_ms: int = 1000
    deadband: float = 0.0
    queue_size: int = 10
    type: str = ""
    path: str = ""


IDENTITY_CHANGED: Final = "identity changed"
"""How ``ItemState.refused`` begins where another variable stands at the tag's address than the tag was made of: its value is withheld."""


class ItemState(Wire, frozen=True, kw_only=True):
    """What the device made of a watched item: the rate it granted, or why it refused.

    Attributes:
        note: A sentence about an item that is watched in another way than asked for, such as without its deadband.
        rebind: Canonical address under which the tag's variable is now, where that is not the tag's own; "" where it is, and where it is
            not known. Not refused: it was found by its browse path and is watched there. Refused: another variable has taken its id
            (the value is withheld), and this is where the tag's own seems to have gone.
        queue_size, publishing_ms: As granted, OPC UA only: values that the server keeps for us between two publishes, and the time between.
    """

    handle: int
    interval_ms: float | None = None
    refused: str = ""
    status: int = 0
    note: str = ""
    rebind: str = ""
    queue_size: int = 0
    publishing_ms: float = 0.0


class NodeAttribute(Wire, frozen=True, kw_only=True):
    """One line of the details panel: a name, a text to show, and the bare value for copying."""

    name: str
    text: str
    status: str = ""


class NodeDetails(Wire, frozen=True, kw_only=True):
    """Everything the source says of one node or register.

    ``unit`` is a UNECE code where the source's EUInformation has one, else the symbol it shows. ``enum`` is number → name.
    """

    id: str
    name: str = ""
    path: str = ""
    node_class: str = ""
    type: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    enum: dict[str, str] = {}
    access: str = "r"
    description: str = ""
    attributes: tuple[NodeAttribute, ...] = ()
    error: str = ""


class Alive(Wire, frozen=True, kw_only=True, tag="alive"):
    """Proof of life: bytes came, or our probe was answered. Sent at least once a second while that is so."""

    round_trip_s: float = 0.0


class Gap(Wire, frozen=True, kw_only=True, tag="gap"):
    """Samples of these handles (all when empty) are known to be missing before the next ones."""

    handles: tuple[int, ...] = ()
    why: str = ""


class ItemStates(Wire, frozen=True, kw_only=True, tag="items"):
    states: tuple[ItemState, ...] = ()


class Ended(Wire, frozen=True, kw_only=True, tag="ended"):
    """The connection is lost; the last event of a session."""

    why: str = ""


class Exchange(Wire, frozen=True, kw_only=True):
    """One message on the wire, for the Wire panel.

    Attributes:
        at_ns: Wall clock (Unix ns) when it was sent or had come.
        sent: True from us to the device.
        size: Bytes on the wire.
        text: Its meaning in one line: ``Read holding 100…109 of unit 3``, ``PublishResponse, 120 values``.
        data: The raw bytes (Modbus); the first few only where messages are large or encrypted.
        round_trip_s: Of an answer; 0 for a request and for what came unasked.
        trouble: Why it is not as it should be; "" is right.
    """

    at_ns: int
    sent: bool
    size: int
    text: str
    data: bytes = b""
    round_trip_s: float = 0.0
    trouble: str = ""


class Traffic(Wire, frozen=True, kw_only=True, tag="traffic"):
    """Exchanges since the last one, in order; only while ``Session.trace`` is on. ``dropped`` were too many to tell."""

    exchanges: tuple[Exchange, ...]
    dropped: int = 0


Event = SampleColumns | Alive | Gap | ItemStates | Learned | Traffic | Ended


class Session(Protocol):
    """One attempt at one connection.

    Lives on the connector's event loop and is thrown away when it fails; the supervisor makes the next.
    """

    async def open(self, timeout_s: float) -> EndpointReport:
        """Connect.

        Raises:
            EndpointError: what, where, why, fix: which step failed and what the person can do.
        """
        ...

    async def close(self) -> None:
        """Release everything. Safe twice, and after a failed open."""

    async def browse(self, nodes: Sequence[str], resume: bytes | None = None) -> BrowseColumns:
        """Children of many nodes at once; ``""`` is the root. A node that cannot be browsed is in ``errors``."""
        ...

    def crawl(self, root: str, limit: int) -> AsyncIterator[BrowseColumns]:
        """Everything below ``root``, at most ``limit`` rows, level by level, each node once; rows carry their whole ``path``."""
        ...

    async def read(self, items: Sequence[Item]) -> SampleColumns:
        """Read now; order and length of ``items``, handles 0…n-1. A refused item has quality BAD and its status; it does not raise."""
        ...

    async def details(self, nodes: Sequence[str]) -> list[NodeDetails]:
        """Everything about these nodes, in order; one that cannot be read carries ``error``."""
        ...

    async def set_watch(self, add: Sequence[WatchItem], remove: Sequence[int]) -> list[ItemState]:
        """Begin and end watching. One state per added item: revised rate, or refused and why."""
        ...

    def ask(self, question: Question) -> AsyncIterator[Wire]:
        """Answer what only this driver can: see ``app.drivers.questions``. Answers come one or many, of ``question.ANSWERS``.

        Raises:
            EndpointError: The device refused, or this driver does not know the question.
        """
        ...

    def trace(self, on: bool) -> None:
        """Tell what goes over the wire as ``Traffic`` events, or stop. Costs nothing while off."""

    def events(self) -> AsyncIterator[Event]:
        """What happens, in order, until ``Ended``. Called once. ``Alive`` also comes when no value changed."""
        ...


class SettingField(Wire, frozen=True, kw_only=True):
    """One setting of a driver, from which dialogs and validation are made."""

    name: str
    title: str
    kind: Literal["bool", "int", "float", "text", "choice"]
    default: bool | int | float | str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    unit: str = ""
    help: str = ""


@runtime_checkable
class Spec(Protocol):
    """What is known of a protocol without its library: URLs, address grammar, settings, status codes. Pure and cheap to import.

    ``default_port`` is 0 where there is none. A spec whose URLs lead to files has ``offline = True`` beside (``app.drivers.is_offline``).
    """

    key: str
    title: str
    schemes: tuple[str, ...]
    default_port: int
    settings: tuple[SettingField, ...]
    source_times: bool

    def parse_url(self, text: str) -> str:
        """Canonical URL.

        Raises:
            UserError: Not a URL of this protocol, and what one looks like.
        """
        ...

    def parse_address(self, text: str, *, namespaces: Sequence[str] = (), notation: str = "") -> str:
        """Canonical address.

        Args:
            text: What a person typed or pasted.
            namespaces: Namespace URIs by index, where index forms are to be accepted.
            notation: Modbus only: "" zero-based canonical, "modicon", "one-based", "hex".

        Raises:
            UserError: What is wrong, at which character, and an example of a right one.
        """
        ...

    def type_of(self, address: str) -> str:
        """Type word that the address itself states (Modbus), "" where only the source knows (OPC UA)."""
        ...

    def status_text(self, status: int) -> str:
        """``Good (0x00000000)``, ``IllegalDataAddress (2)``: stable, documented form."""
        ...

    def short_address(self, address: str) -> str:
        """How the address is shown in a narrow column."""
        ...

    def describe(self, address: str) -> Mapping[str, str]:
        """Title → text of each part of an address, for the details panel without a connection."""
        ...


@runtime_checkable
class TypedAddresses(Protocol):
    """A ``Spec`` whose addresses state type and byte order (Modbus), so that columns of a tag list become part of the address."""

    def with_type(self, address: str, type_: str, order: str, *, notation: str = "") -> str:
        """Canonical address with this type and order; "" leaves either to the address.

        Raises:
            UserError: As ``parse_address``, or the address states another type or order itself.
        """
        ...


@runtime_checkable
class Notations(Protocol):
    """A ``Spec`` whose addresses people write in several ways (Modbus), of which each chooses one."""

    notations: Mapping[str, str]
    """Notation → title; the first, "", is that of the project file."""

    def in_notation(self, address: str, notation: str) -> str:
        """A canonical address as a person who uses this notation reads it, without type and order.

        Raises:
            UserError: Not an address, or no such notation.
        """
        ...


class Load(Wire, frozen=True, kw_only=True):
    """What watching some items would ask of a device, at most: as if every value changed all the time.

    Attributes:
        busy: Share of its time in which a device that serves one request at a time, or the line to it, would be occupied; above 1 it
            cannot keep up. None where requests do not wait for one another, or where it cannot be told.
        warnings: Sentences: what is more than the device allows or can do.
    """

    requests_per_s: float
    values_per_s: float
    bytes_per_s: float
    busy: float | None = None
    warnings: tuple[str, ...] = ()


@runtime_checkable
class LoadOf(Protocol):
    """A ``Spec`` that can tell beforehand what watching costs."""

    def load_of(self, config: EndpointConfig, items: Sequence[WatchItem], report: EndpointReport | None) -> Load:
        """``report`` is of the connection where there is one: with its limits and its round trip the estimate says more."""
        ...
