"""Structures decoded from the server's own description of them: data in, data out, no generated code (OPC 10000-6 §5.2.6, §5.2.7).

A server of OPC UA 1.04 or later describes a structure in the DataTypeDefinition attribute of its data type (OPC 10000-3 §8.48). The
session fetches the descriptions; here they are read and used.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Final

from app.drivers.opcua.address import UA_NAMESPACE
from app.drivers.opcua.binary import EXTENSION_OBJECT, VARIANT, DecodingError, Extension, Reader
from app.model.values import Value

STRUCTURE: Final = 0
WITH_OPTIONAL_FIELDS: Final = 1
UNION: Final = 2
WITH_SUBTYPED_VALUES: Final = 3
UNION_WITH_SUBTYPED_VALUES: Final = 4
"""StructureType, OPC 10000-3 §8.48."""


@dataclass(frozen=True, slots=True)
class StructureField:
    """``data_type`` is the canonical address of the data type. ``optional`` means "subtypes allowed" in the two subtyped kinds.

    ``dimensions`` are the greatest lengths of an array, () where none is stated.
    """

    name: str
    data_type: str
    value_rank: int
    optional: bool
    description: str = field(default="", compare=False)
    dimensions: tuple[int, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Structure:
    kind: int
    encoding: str
    fields: tuple[StructureField, ...]


@dataclass(frozen=True, slots=True)
class Enumeration:
    """Number → name."""

    names: dict[str, str]


DataTypeDefinition = Structure | Enumeration

OPTION_SET: Final = Structure(
    STRUCTURE,
    "",
    tuple(StructureField(name, f"nsu={UA_NAMESPACE};i=15", -1, optional=False) for name in ("Value", "ValidBits")),
)
"""How every option set that is derived from OptionSet is written (OPC 10000-3 §8.40); its own definition only names the bits."""


@dataclass(frozen=True, slots=True)
class FieldType:
    """How a data type is written inside a structure: as a built-in type (22 ExtensionObject and 24 Variant included), or as a structure."""

    builtin: int
    structure: Structure | None = None


def read_structure_definition(reader: Reader) -> Structure:
    """StructureDefinition, binary encoding i=122."""
    encoding = reader.node_id()
    reader.node_id()
    kind = reader.int32()
    fields = []
    for _ in range(reader.count()):
        name, description = reader.text(), reader.localized_text()
        data_type, value_rank = reader.node_id(), reader.int32()
        lengths = tuple(length for length in reader.array(7) if isinstance(length, int))
        reader.uint32()
        optional = bool(reader.byte())
        fields.append(StructureField(name, data_type, value_rank, optional, description, lengths if any(lengths) else ()))
    return Structure(kind, encoding, tuple(fields))


def read_enum_definition(reader: Reader) -> Enumeration:
    """EnumDefinition, binary encoding i=123. The display name is what a person reads; the name is its fallback."""
    names = {}
    for _ in range(reader.count()):
        number = reader.scalar(8)
        shown = reader.localized_text()
        reader.localized_text()
        name = reader.text()
        names[str(number)] = shown or name
    return Enumeration(names)


def read_structure(reader: Reader, structure: Structure, types: Mapping[str, FieldType]) -> dict[str, Value]:
    """Fields by name; absent optional ones are left out, of a union only the one that is there.

    Args:
        reader: Stands at the body.
        structure: What is in it.
        types: Of every data type that ``structure`` or what it holds refers to.

    Raises:
        DecodingError: The body does not fit, or a data type is missing in ``types``.
    """
    reader.deeper()
    fields = structure.fields
    if structure.kind in (UNION, UNION_WITH_SUBTYPED_VALUES):
        switch = reader.uint32()
        if switch > len(fields):
            raise DecodingError(f"union field {switch} of {len(fields)}")
        present = fields[switch - 1 : switch] if switch else ()
    elif structure.kind == WITH_OPTIONAL_FIELDS:
        mask = reader.uint32()
        optional = [field for field in fields if field.optional]
        absent = {field.name for bit, field in enumerate(optional) if not mask >> bit & 1}
        present = tuple(field for field in fields if field.name not in absent)
    else:
        present = fields
    subtyped = structure.kind in (WITH_SUBTYPED_VALUES, UNION_WITH_SUBTYPED_VALUES)
    values = {field.name: _read_field(reader, field, types, subtyped=subtyped and field.optional) for field in present}
    reader.depth -= 1
    return values


def read_whole(reader: Reader, structure: Structure, types: Mapping[str, FieldType]) -> dict[str, Value]:
    """``read_structure`` of a body that has nothing else in it: bytes left over mean that it is not what its description says."""
    values = read_structure(reader, structure, types)
    if left := len(reader.data) - reader.at:
        raise DecodingError(f"{left} bytes left over")
    return values


def _read_field(reader: Reader, field: StructureField, types: Mapping[str, FieldType], *, subtyped: bool) -> Value:
    field_type = types.get(field.data_type)
    if field_type is None:
        raise DecodingError(f"the data type of field {field.name} is not described")
    if subtyped:
        field_type = FieldType(EXTENSION_OBJECT if field_type.structure else VARIANT)
    if field.value_rank < 0:
        return _read_one(reader, field_type, types)
    count = reader.count()
    if field.value_rank <= 1:
        return [_read_one(reader, field_type, types) for _ in range(count)]
    # OPC 10000-6 §5.2.5: a matrix inside a structure is its dimensions as Int32[], then the elements row by row.
    reader.at -= 4
    dimensions = [reader.int32() for _ in range(reader.count())]
    if any(size < 0 for size in dimensions) or prod(dimensions) > len(reader.data) - reader.at:
        raise DecodingError(f"a matrix of {dimensions} announced, {len(reader.data) - reader.at} bytes left")
    return _read_matrix(reader, field_type, types, dimensions)


def _read_matrix(reader: Reader, field_type: FieldType, types: Mapping[str, FieldType], dimensions: list[int]) -> list[Value]:
    if not dimensions:
        return []
    if len(dimensions) == 1:
        return [_read_one(reader, field_type, types) for _ in range(dimensions[0])]
    return [_read_matrix(reader, field_type, types, dimensions[1:]) for _ in range(dimensions[0])]


def _read_one(reader: Reader, field_type: FieldType, types: Mapping[str, FieldType]) -> Value:
    if field_type.structure is not None:
        return read_structure(reader, field_type.structure, types)
    return reader.scalar(field_type.builtin)


def undecoded(extension: Extension) -> dict[str, Value]:
    """What is shown of a structure without a description: its bytes and the address of its encoding. Never dropped."""
    return {"raw": base64.b64encode(extension.body or b"").decode("ascii"), "type": extension.encoding}
