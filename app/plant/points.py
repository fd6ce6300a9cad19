"""The words in which the catalogue describes what the servers of the demo plant offer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID

LINE_NAMESPACE = "urn:tagloom:plant:line"
PLC_NAMESPACE = "urn:tagloom:plant:plc"

Scalar = bool | int | float | str | bytes | datetime | UUID
Value = Scalar | Sequence[Scalar]

FAST_MS = 100
MEDIUM_MS = 200
SLOW_MS = 1000


class PointType(StrEnum):
    """Data types of the variables, by their OPC UA names; `STRUCTURE` and `ENUMERATION` are types of our own."""

    BOOLEAN = "Boolean"
    SBYTE = "SByte"
    BYTE = "Byte"
    INT16 = "Int16"
    UINT16 = "UInt16"
    INT32 = "Int32"
    UINT32 = "UInt32"
    INT64 = "Int64"
    UINT64 = "UInt64"
    FLOAT = "Float"
    DOUBLE = "Double"
    STRING = "String"
    DATE_TIME = "DateTime"
    GUID = "Guid"
    BYTE_STRING = "ByteString"
    LOCALIZED_TEXT = "LocalizedText"
    ENUMERATION = "Enumeration"
    STRUCTURE = "Structure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One OPC UA variable.

    `source` is the attribute of the simulated line that it shows, as a dotted path; `constant` is used instead where
    a value never changes. `low` and `high` become EURange, `unit` (a UNECE Rec 20 code) EngineeringUnits.
    `status` is a fixed quality by its OPC UA name; `status_source` is an attribute that holds such a name.
    What a client writes is clamped to `low` .. `high`, as a PLC does.
    """

    folder: tuple[str, ...]
    name: str
    identifier: str
    namespace: str
    data_type: PointType
    description: str
    source: str = ""
    constant: Value | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    update_ms: int = SLOW_MS
    digits: int = 3
    writable: bool = False
    status: str = "Good"
    status_source: str = ""
    array: bool = False
    members: type[IntEnum] | None = None

    @property
    def address(self) -> str:
        """The tag's address in canonical form."""
        return f"nsu={self.namespace};s={self.identifier}"

    @property
    def analog(self) -> bool:
        """It is an AnalogItemType: that type demands a range (OPC 10000-8 §5.3.2.3)."""
        return self.low is not None and self.high is not None


@dataclass(frozen=True, slots=True)
class Place:
    """An object of the address space while its variables are written down: where it is, and what it shows."""

    folder: tuple[str, ...]
    prefix: str
    source: str
    namespace: str = LINE_NAMESPACE

    def part(self, name: str, source: str = "") -> "Place":
        """A child object; `source` is relative to this one's."""
        path = f"{self.source}.{source}".lstrip(".") if source else self.source
        return replace(self, folder=(*self.folder, name), prefix=f"{self.prefix}/{name}", source=path)

    def point(
        self,
        name: str,
        data_type: PointType,
        source: str,
        description: str,
        *,
        unit: str = "",
        span: tuple[float, float] | None = None,
        update_ms: int = SLOW_MS,
        digits: int = 3,
        writable: bool = False,
        status: str = "Good",
        status_source: str = "",
        members: type[IntEnum] | None = None,
        array: bool = False,
        constant: Value | None = None,
    ) -> Point:
        """A variable of this object; `source` and `status_source` are relative to the object's."""
        return Point(
            folder=self.folder,
            name=name,
            identifier=f"{self.prefix}/{name}",
            namespace=self.namespace,
            data_type=data_type,
            description=description,
            source=self._absolute(source),
            constant=constant,
            unit=unit,
            low=span[0] if span else None,
            high=span[1] if span else None,
            update_ms=update_ms,
            digits=digits,
            writable=writable,
            status=status,
            status_source=self._absolute(status_source),
            members=members,
            array=array,
        )

    def _absolute(self, source: str) -> str:
        return f"{self.source}.{source}".lstrip(".") if source else ""
