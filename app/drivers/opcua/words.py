"""Attributes and well-known properties of nodes in words a person reads. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Final

from app.drivers.opcua.binary import BUILTIN_TYPES, DataValue
from app.model.values import Value

ATTRIBUTE_NAMES: Final[dict[int, str]] = {
    1: "NodeId", 2: "NodeClass", 3: "BrowseName", 4: "DisplayName", 5: "Description", 6: "WriteMask", 7: "UserWriteMask",
    8: "IsAbstract", 9: "Symmetric", 10: "InverseName", 11: "ContainsNoLoops", 12: "EventNotifier", 13: "Value", 14: "DataType",
    15: "ValueRank", 16: "ArrayDimensions", 17: "AccessLevel", 18: "UserAccessLevel", 19: "MinimumSamplingInterval",
    20: "Historizing", 21: "Executable", 22: "UserExecutable", 23: "DataTypeDefinition", 24: "RolePermissions",
    25: "UserRolePermissions", 26: "AccessRestrictions", 27: "AccessLevelEx",
}  # fmt: skip
"""OPC 10000-6 Annex A.1."""

INDEXED_ID: Final = "NodeId by index"
"""Title of the id with the namespace as a number, which is valid until the server starts anew."""

UNECE_URI: Final = "http://www.opcfoundation.org/UA/units/un/cefact"
"""Namespace of EUInformation whose unitId is a UNECE Rec 20 code, OPC 10000-8 §5.6.4.3."""

_ACCESS_BITS: Final = ("read", "write", "history read", "history write", "semantic change", "status write", "timestamp write")
_EVENT_BITS: Final = ("subscribe to events", "", "history read", "history write")
_WRITE_BITS: Final = (
    "AccessLevel", "ArrayDimensions", "BrowseName", "ContainsNoLoops", "DataType", "Description", "DisplayName", "EventNotifier",
    "Executable", "Historizing", "InverseName", "IsAbstract", "MinimumSamplingInterval", "NodeClass", "NodeId", "Symmetric",
    "UserAccessLevel", "UserExecutable", "UserWriteMask", "ValueRank", "WriteMask", "Value", "DataTypeDefinition", "RolePermissions",
    "AccessRestrictions", "AccessLevelEx",
)  # fmt: skip
"""WriteMask, OPC 10000-3 §8.60."""

_VALUE: Final = 13
_RANKS: Final = {-3: "scalar or one dimension", -2: "any", -1: "scalar", 0: "one or more dimensions", 1: "one dimension"}


def value_text(value: Value) -> str:
    """A value on one line: text bare, everything else as JSON with bytes in base64."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_as_text)


def _as_text(value: object) -> str:
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value)


def attribute_text(number: int, value: Value, type_names: Mapping[str, str]) -> str:
    if value is None:
        return ""
    if number == 14 and isinstance(value, str):
        return f"{type_names[value]} ({value})" if type_names.get(value) else value
    if isinstance(value, int) and not isinstance(value, bool):
        if number == 12:
            return _bits(value, _EVENT_BITS)
        if number in (17, 18, 27):
            return _bits(value, _ACCESS_BITS)
        if number in (6, 7):
            return _bits(value, _WRITE_BITS)
        if number == 15:
            return _RANKS.get(value, f"{value} dimensions")
    if number == 16 and isinstance(value, list):
        return " × ".join(str(length) if length else "any" for length in value)
    if number == 23:
        return definition_text(value)
    if isinstance(value, bool) and number != _VALUE:
        return "yes" if value else "no"
    if number == 19 and isinstance(value, int | float):
        return {-1.0: "not known", 0.0: "0 ms (continuously)"}.get(float(value), f"{value:g} ms")
    return value_text(value)


def definition_text(definition: Value) -> str:
    """What a data type is, on one line, of a decoded StructureDefinition or EnumDefinition."""
    fields = definition.get("Fields") if isinstance(definition, dict) else None
    if not isinstance(definition, dict) or not isinstance(fields, list):
        return value_text(definition)
    names = ", ".join(str(field.get("Name") or "") for field in fields if isinstance(field, dict))
    kind = definition.get("StructureType")
    return f"{STRUCTURE_KINDS.get(kind, 'structure') if isinstance(kind, int) else 'names'}: {names}"


STRUCTURE_KINDS: Final = {
    0: "structure", 1: "structure with optional fields", 2: "union", 3: "structure that allows subtypes", 4: "union that allows subtypes",
}  # fmt: skip
"""StructureType, OPC 10000-3 §8.48."""


def rank_text(rank: int, dimensions: Sequence[int] = ()) -> str:
    """What stands behind the word of a type: "" for a scalar, ``[]``, ``[2 × 3]`` where the lengths are stated, ``[,]`` where not."""
    if rank == -1:
        return ""
    if rank in (-2, -3):
        return " or array"
    if any(dimensions):
        return f"[{' × '.join(str(length) if length else 'any' for length in dimensions)}]"
    return "[…]" if rank == 0 else f"[{',' * (rank - 1)}]"


def _bits(value: int, titles: tuple[str, ...]) -> str:
    return ", ".join(title for bit, title in enumerate(titles) if title and value >> bit & 1) or "none"


def access(user: DataValue | None, everyone: DataValue | None) -> str:
    """``r``, ``rw`` or ``w`` of what this user may do; ``r`` where the server does not say or allows neither."""
    for level in (user, everyone):
        if level is not None and isinstance(level.value, int):
            return {2: "w", 3: "rw"}.get(level.value & 3, "r")
    return "r"


def type_of_value(data: DataValue | None) -> str:
    """Type word of what was sent, for variables whose data type is open (BaseDataType, Number)."""
    word = BUILTIN_TYPES.get(data.builtin, "") if data is not None else ""
    return f"{word}[]" if word and data is not None and data.is_array else word


def limits(eu_range: Value) -> tuple[float | None, float | None]:
    """Low and high of a Range, (None, None) where it is none or says nothing (low not below high)."""
    if isinstance(eu_range, dict):
        low, high = eu_range.get("Low"), eu_range.get("High")
        if isinstance(low, int | float) and isinstance(high, int | float) and low < high:
            return float(low), float(high)
    return None, None


def unit(eu: Value) -> str:
    """UNECE code of an EUInformation where it has one, else the symbol it shows."""
    if not isinstance(eu, dict):
        return ""
    number = eu.get("UnitId")
    if eu.get("NamespaceUri") == UNECE_URI and isinstance(number, int) and number > 0:
        code = number.to_bytes(4, "big").lstrip(b"\0")
        if code.isalnum() and len(code) <= 3:
            return code.decode("ascii")
    return str(eu.get("DisplayName") or "")


def enum_names(strings: Value, values: Value) -> dict[str, str]:
    """Number → name from EnumValues (preferred: its numbers may have holes) or EnumStrings (counted from 0), OPC 10000-3 §8.40."""
    if isinstance(values, list) and values:
        rows = [row for row in values if isinstance(row, dict)]
        return {str(row.get("Value")): str(row.get("DisplayName") or "") for row in rows}
    return {str(number): str(name) for number, name in enumerate(strings)} if isinstance(strings, list) else {}


def property_text(name: str, value: Value) -> str:
    if name in ("EURange", "InstrumentRange") and isinstance(value, dict):
        return f"{value_text(value.get('Low'))} … {value_text(value.get('High'))}"
    if name == "EngineeringUnits" and isinstance(value, dict):
        shown, code = str(value.get("DisplayName") or ""), unit(value)
        return f"{shown} ({code})" if code != shown else shown
    return value_text(value)
