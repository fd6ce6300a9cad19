"""Values and data types as lines of a tree, member by member. Pure: what a server said was learned before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from app.drivers.opcua.binary import Extension
from app.drivers.opcua.questions import Line
from app.drivers.opcua.structures import Structure
from app.drivers.opcua.words import STRUCTURE_KINDS, value_text
from app.model.values import Value

MOST_LINES: Final = 2000
MOST_ELEMENTS: Final = 200
"""Of one array; the value itself is on one line of the attributes, whole."""

MOST_BYTES: Final = 1024
DEEPEST: Final = 12
SHORT: Final = 8
"""So many plain elements stand beside the name of their array."""

NOT_DESCRIBED: Final = "the server does not describe it (OPC UA 1.03 or older)"
NOT_FITTING: Final = "it is not what the server describes"


class TypesKnown(Protocol):
    """What was learned of a server's data types; the ids are canonical addresses."""

    def structure(self, data_type: str) -> Structure | None: ...
    def names(self, data_type: str) -> Mapping[str, str]: ...
    def owner(self, encoding: str) -> str: ...
    def opened(self, extension: Extension) -> Value: ...
    def is_enum(self, data_type: str) -> bool: ...
    def is_structure(self, data_type: str) -> bool: ...
    def words(self, data_type: str, rank: int, dimensions: Sequence[int] = ()) -> str: ...


def value_lines(value: Value, data_type: str, type_text: str, types: TypesKnown) -> tuple[Line, ...]:
    """What a value holds.

    Args:
        value: With its structures still as they came (``Extension``).
        data_type: Declared for it (for its elements, if it is an array).
        type_text: Shown for the whole.
        types: Knows every data type that is met.
    """
    return _bounded(_value("Value", value, data_type, type_text, 0, types))


def definition_lines(data_type: str, types: TypesKnown) -> tuple[Line, ...]:
    """What a data type is made of; nothing for one without members, such as a number."""
    if not (types.is_structure(data_type) or types.names(data_type) or types.is_enum(data_type)):
        return ()
    return _bounded(_definition(types.words(data_type, -1), data_type, "", "", 0, types, ()))


def _bounded(lines: Iterator[Line]) -> tuple[Line, ...]:
    kept: list[Line] = []
    for line in lines:
        if len(kept) == MOST_LINES:
            kept.append(Line(name="…", text=f"only the first {MOST_LINES:,} lines are shown"))
            break
        kept.append(line)
    return tuple(kept)


def _value(name: str, value: Value, data_type: str, type_text: str, level: int, types: TypesKnown) -> Iterator[Line]:
    if level > DEEPEST:
        yield Line(level=level, name=name, text="… nested deeper", type=type_text)
    elif isinstance(value, Extension):
        yield from _extension(name, value, type_text, level, types)
    elif isinstance(value, dict):
        yield from _members(name, value, data_type, type_text, level, types)
    elif isinstance(value, list):
        yield from _elements(name, value, data_type, type_text, level, types)
    else:
        yield Line(level=level, name=name, text=_named(value, data_type, types), type=type_text)


def _extension(name: str, value: Extension, type_text: str, level: int, types: TypesKnown) -> Iterator[Line]:
    if value.body is None:
        yield Line(level=level, name=name, text="null", type=type_text)
        return
    fields, owner = types.opened(value), types.owner(value.encoding)
    if isinstance(fields, dict):
        shown = types.words(owner, -1) if owner else type_text
        yield from _members(name, fields, owner, shown, level, types)
        return
    why = NOT_FITTING if types.structure(owner) is not None else NOT_DESCRIBED
    yield Line(level=level, name=name, text=f"raw, {len(value.body):,} bytes: {why}", type=type_text)
    yield Line(level=level + 1, name="type id", text=value.encoding)
    yield Line(level=level + 1, name="bytes", text=hex_text(value.body))


def _members(name: str, fields: Mapping[str, Value], data_type: str, type_text: str, level: int, types: TypesKnown) -> Iterator[Line]:
    names = types.names(data_type)
    if names and fields.keys() == {"Value", "ValidBits"}:
        yield Line(level=level, name=name, text=_bits_of_option_set(fields, names), type=type_text)
    else:
        yield Line(level=level, name=name, text="" if fields else "empty", type=type_text)
    structure = types.structure(data_type)
    declared = {field.name: field for field in structure.fields} if structure else {}
    for field_name, value in fields.items():
        field = declared.get(field_name)
        shown = types.words(field.data_type, field.value_rank, field.dimensions) if field else ""
        yield from _value(field_name, value, field.data_type if field else "", shown, level + 1, types)


def _elements(name: str, values: Sequence[Value], data_type: str, type_text: str, level: int, types: TypesKnown) -> Iterator[Line]:
    lengths = _lengths(values)
    flat = all(not isinstance(value, list | dict | Extension) for value in values)
    text = f"{' × '.join(map(str, lengths))} elements" if len(lengths) > 1 else f"{len(values):,} element{'' if len(values) == 1 else 's'}"
    if values and flat and len(values) <= SHORT:
        text = ", ".join(_named(value, data_type, types) for value in values)
    yield Line(level=level, name=name, text=text, type=type_text)
    element = types.words(data_type, -1) if data_type and len(lengths) == 1 else ""
    for place, value in enumerate(values[:MOST_ELEMENTS]):
        yield from _value(f"[{place}]", value, data_type, element, level + 1, types)
    if len(values) > MOST_ELEMENTS:
        yield Line(level=level + 1, name="…", text=f"{len(values) - MOST_ELEMENTS:,} more")


def _lengths(values: Value) -> list[int]:
    lengths: list[int] = []
    while isinstance(values, list):
        lengths.append(len(values))
        values = values[0] if values and all(isinstance(value, list) for value in values) else None
    return lengths


def _named(value: Value, data_type: str, types: TypesKnown) -> str:
    """A plain value, with the name of its state or the names of its bits."""
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return hex_text(value)
    names = types.names(data_type)
    if isinstance(value, bool) or not isinstance(value, int) or not names:
        return value_text(value)
    if types.is_enum(data_type):
        return f"{value} ({names[str(value)]})" if str(value) in names else f"{value} (no such state)"
    return f"{value} ({_bits(value, names)})"


def _bits(value: int, names: Mapping[str, str]) -> str:
    return ", ".join(names.get(str(bit)) or f"bit {bit}" for bit in range(value.bit_length()) if value >> bit & 1) or "none"


def _bits_of_option_set(fields: Mapping[str, Value], names: Mapping[str, str]) -> str:
    """Bit 0 is the lowest of the first byte; of bits that are not valid nothing is said (OPC 10000-3 §8.40)."""
    value, valid = (int.from_bytes(part, "little") if isinstance(part, bytes) else 0 for part in (fields["Value"], fields["ValidBits"]))
    return _bits(value & valid, names)


def hex_text(data: bytes) -> str:
    shown = data[:MOST_BYTES].hex(" ")
    return shown if len(data) <= MOST_BYTES else f"{shown} … {len(data):,} bytes in all"


def _definition(
    name: str, data_type: str, type_text: str, note: str, level: int, types: TypesKnown, above: tuple[str, ...]
) -> Iterator[Line]:
    structure, names = types.structure(data_type), types.names(data_type)
    said = note
    if structure is not None and level == 0:
        said = STRUCTURE_KINDS.get(structure.kind, "structure")
    elif names and level == 0:
        said = "enumeration" if types.is_enum(data_type) else "option set"
    elif level == 0:
        said = NOT_DESCRIBED
    yield Line(level=level, name=name, text=said, type=type_text)
    if data_type in above or level > DEEPEST:
        return
    for number, title in names.items():
        yield Line(level=level + 1, name=number if types.is_enum(data_type) else f"bit {number}", text=title)
    for field in structure.fields if structure is not None else ():
        optional = ("may be of a subtype" if structure.kind > 2 else "optional") if structure is not None and field.optional else ""
        said = " · ".join(filter(None, (optional, field.description if field.description != field.name else "")))
        shown = types.words(field.data_type, field.value_rank, field.dimensions)
        yield from _definition(field.name, field.data_type, shown, said, level + 1, types, (*above, data_type))
