"""The lines of a snapshot file, ``NAME.tagloom-snapshot``: JSON Lines in UTF-8, written by machine and read strictly.

The first line is the header. Of an address space a ``node`` line follows for each node, in the order in which it was found level by
level from the root, and a ``children`` line for each node that was browsed, after the lines of all its children: what has no such line
yet is still to be browsed, which is how an unfinished file is continued. Of Modbus there are ``registers`` lines. The last line, ``end``,
holds a digest of all before it; a file without it is unfinished. A line is taken only if it is, byte for byte, what would be written.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec

from app.drivers.base import EndpointReport, NodeAttribute, NodeDetails, UnitSettings
from app.drivers.opcua.questions import NodeContents, Signature
from app.drivers.snapshot.values import ValueFormError, as_json, from_json
from app.model.values import SCALAR_TYPES, Quality, Sample

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

FORMAT: Final = 1
SUFFIX: Final = ".tagloom-snapshot"
PART_SUFFIX: Final = ".part"
"""Behind the name while it is being taken."""
LINE_BYTES: Final = 16 * 2**20
"""A folder with 100,000 variables has one line of about 8 MiB."""
FILE_BYTES: Final = 512 * 2**20
LINES: Final = 2_000_000

_TYPES: Final = frozenset({"", *SCALAR_TYPES, *(f"{word}[]" for word in SCALAR_TYPES)})


class LineFormError(ValueError):
    """A line is not one of a snapshot; the message says what is wrong with it."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of what lines are made of."""


class Line(_Part, frozen=True, kw_only=True, tag_field="kind"):
    """One line."""


class Header(Line, frozen=True, kw_only=True, tag="snapshot"):
    """What was asked, and what answered.

    Attributes:
        endpoint, url: Its name and where it was reached.
        driver: Key of the driver it was taken with, whose addresses stand in the file.
        begun_ns: Wall clock (Unix ns).
        root: Node below which it was taken, "" for Objects.
        ranges: Modbus: ranges that were asked for beside the registers of tags.
        units: Modbus: byte orders of the units.
        report: What answered, as of then.
    """

    format: int
    endpoint: str
    url: str
    driver: str
    begun_ns: int
    root: str = ""
    ranges: str = ""
    units: tuple[UnitSettings, ...] = ()
    report: EndpointReport


class SampleLine(_Part, frozen=True, kw_only=True):
    """A sample; ``value`` in the form of ``values``, times in ns since 1970 UTC, 0 where there is none."""

    value: object = None
    type: str = ""
    quality: int = 0
    status: int = 0
    source_ns: int = 0
    server_ns: int = 0
    receive_ns: int

    @classmethod
    def of(cls, sample: Sample) -> SampleLine:
        """Raises ``ValueFormError``."""
        return cls(
            value=as_json(sample.value), type=sample.type, quality=int(sample.quality), status=sample.status,
            source_ns=sample.source_ns or 0, server_ns=sample.server_ns or 0, receive_ns=sample.receive_ns,
        )  # fmt: skip

    def sample(self) -> Sample:
        return Sample(
            value=from_json(self.value), type=self.type, quality=Quality(self.quality), status=self.status,
            source_ns=self.source_ns or None, server_ns=self.server_ns or None, receive_ns=self.receive_ns,
        )  # fmt: skip


class AttributeLine(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    name: str
    text: str
    status: str


class DetailsLine(_Part, frozen=True, kw_only=True):
    """As ``NodeDetails``; what is None is as in the node's own line."""

    name: str | None = None
    path: str | None = None
    node_class: str | None = None
    type: str | None = None
    description: str | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    enum: dict[str, str] = {}
    access: str = "r"
    attributes: tuple[AttributeLine, ...] = ()
    error: str = ""


class NodeLine(Line, frozen=True, kw_only=True, tag="node"):
    """One node: what browsing its first parent said of it, and what it said of itself.

    Attributes:
        sample: Of a variable.
        method: What a method takes and gives.
        contents: Of a structure, member by member.
        missing: Why some of it is not here although it was asked for.
    """

    id: str
    name: str = ""
    browse_name: str = ""
    path: str = ""
    node_class: str = ""
    type: str = ""
    has_children: bool = True
    description: str = ""
    sample: SampleLine | None = None
    details: DetailsLine | None = None
    method: Signature | None = None
    contents: NodeContents | None = None
    missing: str = ""

    def node_details(self) -> NodeDetails:
        """Everything the source said of it."""
        held = self.details or DetailsLine(error=self.missing or "the snapshot holds no details of it")
        return NodeDetails(
            id=self.id,
            name=self.name if held.name is None else held.name,
            path=self.path if held.path is None else held.path,
            node_class=self.node_class if held.node_class is None else held.node_class,
            type=self.type if held.type is None else held.type,
            unit=held.unit, low=held.low, high=held.high, enum=held.enum, access=held.access,
            description=self.description if held.description is None else held.description,
            attributes=tuple(NodeAttribute(name=one.name, text=one.text, status=one.status) for one in held.attributes),
            error=held.error,
        )  # fmt: skip


class Child(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A node below another. ``path`` and ``browse_name`` only where they are not those of its own line: below a second parent."""

    id: str
    path: str | None = None
    browse_name: str | None = None


class ChildrenLine(Line, frozen=True, kw_only=True, tag="children"):
    """What was found below a node, in its order; ``error`` says why it could not be browsed."""

    of: str
    nodes: tuple[Child, ...] = ()
    error: str = ""


class RegistersLine(Line, frozen=True, kw_only=True, tag="registers"):
    """Registers (two bytes each, the more significant first) or bits (one byte each) that were read together.

    Attributes:
        count: How many were asked for.
        words: Nothing where they were refused, which ``status`` says.
    """

    unit: int
    table: str
    address: int
    count: int
    words: bytes = b""
    status: int = 0
    receive_ns: int


class End(Line, frozen=True, kw_only=True, tag="end"):
    """``ended_ns`` as ``begun_ns``; ``lines`` before this one; ``sha256``, in hex, of them and of this one with nothing for it."""

    ended_ns: int
    lines: int
    sha256: str


AnyLine = Header | NodeLine | ChildrenLine | RegistersLine | End
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final[msgspec.json.Decoder[AnyLine]] = msgspec.json.Decoder(AnyLine)
_NODE: Final = msgspec.json.Decoder(NodeLine)


def line_of(line: AnyLine) -> bytes:
    """With its line feed.

    Raises:
        LineFormError: It holds what JSON cannot (half a surrogate pair), or is too long.
    """
    try:
        data = _ENCODER.encode(line)
    except (UnicodeEncodeError, msgspec.MsgspecError, TypeError, RecursionError) as error:
        raise LineFormError(str(error)) from error
    if len(data) >= LINE_BYTES:
        raise LineFormError(f"the line has {len(data):,} bytes, more than {LINE_BYTES // 2**20} MiB")
    return data + b"\n"


def end_line(before: Hash, ended_ns: int, lines: int) -> End:
    """``before`` is the SHA-256 of the lines before."""
    digest = before.copy()
    digest.update(line_of(End(ended_ns=ended_ns, lines=lines, sha256="")))
    return End(ended_ns=ended_ns, lines=lines, sha256=digest.hexdigest())


def parsed(data: bytes) -> AnyLine:
    """A line without its line feed.

    Raises:
        LineFormError: It is none, or not as it would be written: an unknown or repeated key, NaN, another order, a value that is none.
    """
    try:
        line = _DECODER.decode(data)
        if _ENCODER.encode(line) != data:
            raise LineFormError("it is not as Tagloom writes it: an unknown or repeated key, or another form of a number or text")
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        raise error if isinstance(error, LineFormError) else LineFormError(str(error)) from error
    _check(line)
    return line


def node_of(data: bytes) -> NodeLine:
    """A node's line that was ``parsed`` before, again: lines are kept as bytes, which are smaller."""
    return _NODE.decode(data)


def details_line(row: NodeLine, details: NodeDetails) -> DetailsLine:
    """What is to be written of a node's details beside what its line says already."""

    def other(mine: str, theirs: str) -> str | None:
        return None if mine == theirs else theirs

    return DetailsLine(
        name=other(row.name, details.name), path=other(row.path, details.path), node_class=other(row.node_class, details.node_class),
        type=other(row.type, details.type), description=other(row.description, details.description),
        unit=details.unit, low=_finite(details.low), high=_finite(details.high), enum=dict(details.enum), access=details.access,
        attributes=tuple(AttributeLine(one.name, one.text, one.status) for one in details.attributes), error=details.error,
    )  # fmt: skip


def _finite(number: float | None) -> float | None:
    """A range that is not a number is none; the attribute's text still shows it."""
    return None if number is None or not math.isfinite(number) else float(number)


def _check(line: AnyLine) -> None:
    match line:
        case NodeLine(sample=SampleLine() as held):
            try:
                from_json(held.value)
            except ValueFormError as error:
                raise LineFormError(f"the value is {error}") from error
            if held.type not in _TYPES or held.quality not in set(Quality) or not 0 <= held.status < 2**32:
                raise LineFormError("a type, quality or status that there is not")
            if any(not -(2**63) <= time_ns < 2**63 for time_ns in (held.source_ns, held.server_ns, held.receive_ns)):
                raise LineFormError("a time beyond 64 bits")
        case RegistersLine():
            _check_registers(line)


def _check_registers(line: RegistersLine) -> None:
    if line.table not in ("coil", "discrete", "input", "holding") or not 0 <= line.unit <= 255:
        raise LineFormError("a table or unit that there is not")
    if not (line.address >= 0 and line.count > 0 and line.address + line.count <= 65536 and 0 <= line.status < 2**32):
        raise LineFormError("registers that there are not")
    size = line.count * (1 if line.table in ("coil", "discrete") else 2)
    if len(line.words) != (0 if line.status else size):
        raise LineFormError(f"{len(line.words)} bytes for {line.count} registers")
    if not -(2**63) <= line.receive_ns < 2**63:
        raise LineFormError("a time beyond 64 bits")
