"""What data types mean: our type words for them, and structures decoded by the server's own description.

asyncua's ``load_data_type_definitions`` would do the latter by generating and executing code from what the server sends; here the
description is data (``app.drivers.opcua.structures``). Only structures of namespace 0 are decoded by asyncua's own, compiled-in classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from operator import itemgetter
from typing import Final, NamedTuple

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary

from app.drivers.opcua import words
from app.drivers.opcua.address import UA_NAMESPACE, NodeAddress, parse
from app.drivers.opcua.binary import BUILTIN_TYPES, EXTENSION_OBJECT, VARIANT, DataValue, DecodingError, Extension, Reader, decoded
from app.drivers.opcua.requests import numeric
from app.drivers.opcua.samples import extensions_in, without_extensions
from app.drivers.opcua.session_nodes import Nodes, well_formed
from app.drivers.opcua.session_services import VALUE, Services
from app.drivers.opcua.standard_types import STANDARD_BASES
from app.drivers.opcua.structures import (
    OPTION_SET,
    DataTypeDefinition,
    Enumeration,
    FieldType,
    Structure,
    read_enum_definition,
    read_structure_definition,
    read_whole,
    undecoded,
)
from app.drivers.opcua.together import both
from app.errors import UserError
from app.model.values import Value

DATA_TYPE: Final = 14
VALUE_RANK: Final = 15
DATA_TYPE_DEFINITION: Final = 23

_HAS_SUBTYPE: Final = numeric(45)
_HAS_PROPERTY: Final = numeric(46)
_HAS_ENCODING: Final = numeric(38)
_STRUCTURE_DEFINITION: Final = f"nsu={UA_NAMESPACE};i=122"
_ENUM_DEFINITION: Final = f"nsu={UA_NAMESPACE};i=123"
_NULL: Final = f"nsu={UA_NAMESPACE};i=0"
_MAX_ROUNDS: Final = 32


_LAST_FLAT: Final = EXTENSION_OBJECT - 1
"""Built-in types above it may hold structures."""

_BUILTIN: Final = itemgetter(DataValue._fields.index("builtin"))
_BYTE_STRING: Final = 15
_UNSIGNED: Final = frozenset({3, 5, 7, 9})
"""Built-in types Byte to UInt64: what is derived from them may be an option set."""


class Base(NamedTuple):
    """What a data type is made of: a built-in type (0: any), and whether it is an enumeration, a number, a structure of named bits."""

    builtin: int
    enum: bool = False
    number: bool = False
    option_set: bool = False


def _base_types() -> dict[str, Base]:
    known = {number: Base(number, number=2 <= number <= 11) for number in range(1, 24)}
    known |= {24: Base(0), 25: Base(0), 26: Base(0, number=True), 27: Base(0, number=True), 28: Base(0, number=True)}
    known[29] = Base(6, enum=True)
    known[12755] = Base(EXTENSION_OBJECT, option_set=True)
    known |= {number: known[base] for number, base in STANDARD_BASES.items()}
    return {f"nsu={UA_NAMESPACE};i={number}": base for number, base in known.items()}


_BASE_TYPES: Final = _base_types()
_UNKNOWN: Final = Base(0)


class DataTypes:
    """Lives as long as one connection; every question to the server is asked once."""

    def __init__(self, services: Services, nodes: Nodes) -> None:
        self._services = services
        self._nodes = nodes
        self._bases: dict[str, Base] = dict(_BASE_TYPES)
        self._definitions: dict[str, DataTypeDefinition | None] = {}
        self._fields: dict[str, FieldType] = {field.data_type: FieldType(_BYTE_STRING) for field in OPTION_SET.fields}
        self._encodings: dict[str, Structure | type | None] = {}
        self._owners: dict[str, str] = {}
        self._missing: set[str] = set()

    def base(self, data_type: str) -> Base:
        return self._bases.get(data_type, _UNKNOWN)

    def word(self, data_type: str, value_rank: int) -> str:
        """Type word of a variable, "" where the server leaves it open; ``load`` must have seen the type."""
        base = self.base(data_type)
        word = "enum" if base.enum else BUILTIN_TYPES.get(base.builtin, "")
        return f"{word}[]" if word and value_rank >= 0 else word

    async def load(self, data_types: Iterable[str]) -> None:
        """Find what these data types are derived from, one level of the type tree per round of requests.

        Those of namespace 0 are known, and a structure says that it is one: mostly one round is enough.
        """
        chains = {data_type: [data_type] for data_type in data_types if data_type and data_type not in self._bases}
        if not chains:
            return
        for _ in range(_MAX_ROUNDS):
            heads = {chain[-1] for chain in chains.values()}
            nodes = {head: node for head in heads if (node := self._node(head)) is not None}
            browsing = self._services.browse(list(nodes.values()), direction="inverse", reference=_HAS_SUBTYPE)
            answers, _ = await both(browsing, self._load_definitions(data_type for data_type, chain in chains.items() if len(chain) == 1))
            above = {head: found.references[0].id for head, found in zip(nodes, answers, strict=True) if found.rows}
            for data_type, chain in list(chains.items()):
                parent = above.get(chain[-1])
                if parent is None or parent in self._bases or parent in chain:
                    self._bases |= dict.fromkeys(chain, self._bases.get(parent or "", _UNKNOWN))
                    del chains[data_type]
                elif self.structure(data_type) is not None:
                    self._bases[data_type] = Base(EXTENSION_OBJECT)
                    del chains[data_type]
                else:
                    chain.append(parent)
            if not chains:
                return

    def _node(self, text: str) -> ua.NodeId | None:
        try:
            address = parse(text)
        except UserError:
            return None
        return self._nodes.node_id(address) if isinstance(address, NodeAddress) else None

    async def enumeration(self, data_type: str) -> dict[str, str]:
        """Number → name, of an option set bit → name, as the data type states them; empty where it states none.

        A server older than OPC UA 1.04 states them in properties of the data type instead of its definition (OPC 10000-3 §5.8.3).
        """
        await self._load_definitions([data_type])
        if self._definitions.get(data_type) is None and (node := self._node(data_type)) is not None:
            self._definitions[data_type] = Enumeration(await self._names_in_properties(node))
        return self.names(data_type)

    async def _names_in_properties(self, node: ua.NodeId) -> dict[str, str]:
        (found,) = await self._services.browse([node], reference=_HAS_PROPERTY)
        properties = {reference.name: reference.node for reference in found.references if reference.node}
        wanted = [name for name in ("EnumStrings", "OptionSetValues", "EnumValues") if name in properties]
        answers = await self.finished(await self._services.read([(properties[name], VALUE) for name in wanted])) if wanted else []
        named = [
            words.enum_names(None if name == "EnumValues" else answer.value, answer.value if name == "EnumValues" else None)
            for name, answer in zip(wanted, answers, strict=True)
        ]
        return next((names for names in reversed(named) if names), {})

    async def explain(self, data_types: Iterable[str]) -> None:
        """Find the definitions of these data types and of all that their fields are made of, names of states and bits included."""
        wanted = {data_type for data_type in data_types if data_type}
        await self.load(wanted)
        await self._load_fields(wanted)
        for data_type in sorted(self.reached(wanted)):
            base = self.base(data_type)
            if data_type not in _BASE_TYPES and (base.enum or base.option_set or base.builtin in _UNSIGNED):
                await self.enumeration(data_type)

    def reached(self, data_types: Iterable[str]) -> set[str]:
        """These data types and those of all fields inside them, as far as loaded."""
        seen: set[str] = set()
        level = set(data_types)
        while level := level - seen:
            seen |= level
            level = {inner.data_type for data_type in level if (found := self.structure(data_type)) for inner in found.fields}
        return seen

    def structure(self, data_type: str) -> Structure | None:
        """The definition of a structure that was loaded; None of what is none, and of what the server does not describe."""
        definition = self._definitions.get(data_type)
        return definition if isinstance(definition, Structure) else None

    def names(self, data_type: str) -> dict[str, str]:
        """Of an enumeration number → name, of an option set bit → name; as far as loaded."""
        definition = self._definitions.get(data_type)
        return definition.names if isinstance(definition, Enumeration) else {}

    def owner(self, encoding: str) -> str:
        """The data type of an encoding, "" where it is not known."""
        return self._owners.get(encoding, "")

    async def _load_definitions(self, data_types: Iterable[str]) -> None:
        wanted = {text: node for text in data_types if text not in self._definitions and (node := self._node(text)) is not None}
        if not wanted:
            return
        answers = await self._services.read([(node, DATA_TYPE_DEFINITION) for node in wanted.values()])
        for text, answer in zip(wanted, answers, strict=True):
            self._definitions[text] = _definition(answer.value, self._services.namespaces)

    async def finished(self, values: Sequence[DataValue]) -> list[DataValue]:
        """The same values with every structure decoded, or shown raw where the server describes none."""
        if max(map(_BUILTIN, values), default=0) <= _LAST_FLAT:
            return list(values)
        self._missing = {extension.encoding for value in values for extension in extensions_in(value.value)} - self._encodings.keys()
        for _ in range(_MAX_ROUNDS):
            if self._missing:
                await self._learn(self._missing)
            self._missing = set()
            done = [value._replace(value=self._finished(value.value)) if value.builtin > _LAST_FLAT else value for value in values]
            if not self._missing:  # else: structures inside structures, seen only now
                break
        return done

    def _finished(self, value: Value) -> Value:
        try:
            return without_extensions(value, self._decode)
        except RecursionError:
            return [undecoded(extension) for extension in extensions_in(value)]

    async def _learn(self, encodings: Iterable[str]) -> None:
        """Find the structure behind each encoding: its data type, that type's definition, and the types of all its fields."""
        asked: dict[str, ua.NodeId] = {}
        for text in list(encodings):
            node = self._node(text)
            compiled = ua.extension_objects_by_typeid.get(node) if node is not None and node.NamespaceIndex == 0 else None
            if node is None or compiled is not None:
                self._encodings[text] = compiled
            else:
                asked[text] = node  # not written down before it is known: others decode meanwhile
        found = await self._services.browse(list(asked.values()), direction="inverse", reference=_HAS_ENCODING) if asked else []
        owners = {text: answer.references[0].id for text, answer in zip(asked, found, strict=True) if answer.rows}
        await self.load(owners.values())
        await self._load_fields(owners.values())
        by_encoding = {definition.encoding: data_type for data_type in self._definitions if (definition := self.structure(data_type))}
        for text in asked:
            owner = owners.get(text) or by_encoding.get(text, "")
            if owner:
                self._owners[text] = owner
            known = self.structure(owner) or self.structure(by_encoding.get(text, ""))
            self._encodings[text] = OPTION_SET if known is None and self.base(owner).option_set else known

    async def _load_fields(self, data_types: Iterable[str]) -> None:
        """Definitions of these structures and of everything inside them."""
        level = set(data_types)
        for _ in range(_MAX_ROUNDS):
            await self._load_definitions(level)
            inner = {
                field.data_type
                for data_type in level
                if isinstance(definition := self._definitions.get(data_type), Structure)
                for field in definition.fields
            }
            await self.load(inner)
            level = {data_type for data_type in inner if data_type not in self._fields}
            structured = {data_type for data_type in level if self.base(data_type).builtin == EXTENSION_OBJECT}
            await self._load_definitions(structured)
            for data_type in level:
                if (field_type := self._field_type(data_type)) is not None:
                    self._fields[data_type] = field_type
            level = structured
            if not level:
                return

    def _field_type(self, data_type: str) -> FieldType | None:
        base = self.base(data_type)
        if base.builtin == 0:
            return FieldType(VARIANT)
        if base.builtin != EXTENSION_OBJECT or data_type in _BASE_TYPES:
            return FieldType(base.builtin)
        definition = self.structure(data_type) or (OPTION_SET if base.option_set else None)
        return FieldType(EXTENSION_OBJECT, definition) if definition is not None else None

    def _decode(self, extension: Extension) -> Value:
        if extension.body is None and extension.encoding == _NULL:
            return None
        if extension.encoding not in self._encodings:
            self._missing.add(extension.encoding)
        fields = self.opened(extension)
        return undecoded(extension) if fields is None else fields

    def opened(self, extension: Extension) -> Value:
        """Its fields, those of structures inside it not yet decoded; None where it is not described, or not what is described."""
        known = self._encodings.get(extension.encoding)
        if known is None or extension.body is None:
            return None
        try:
            if isinstance(known, Structure):
                return decoded(lambda reader: read_whole(reader, known, self._fields), extension.body, self._services.namespaces)
            return self._plain(struct_from_binary(known, Buffer(extension.body)))
        except DecodingError:
            return None
        except Exception:  # the library's decoder leaks whatever a wrong body provokes
            return None

    def _plain(self, value: object) -> Value:
        """A value of asyncua's own classes as plain data."""
        if isinstance(value, ua.LocalizedText):
            return well_formed(value.Text)
        if isinstance(value, ua.QualifiedName):
            return well_formed(value.Name)
        if isinstance(value, ua.NodeId):
            return self._nodes.text(value)
        if isinstance(value, ua.StatusCode):
            return value.value
        if isinstance(value, ua.Variant):
            return self._plain(value.Value)
        if isinstance(value, ua.ExtensionObject):
            return undecoded(Extension(self._nodes.text(value.TypeId), value.Body))
        if is_dataclass(value):
            return {field.name: self._plain(getattr(value, field.name)) for field in fields(value)}
        return self._plain_simple(value)

    def _plain_simple(self, value: object) -> Value:
        if isinstance(value, list | tuple):
            return [self._plain(element) for element in value]
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, datetime):
            return value.replace(tzinfo=None).isoformat() + "Z"
        if isinstance(value, str):
            return well_formed(value)
        if value is None or isinstance(value, bool | int | float | bytes):
            return value
        return str(value)


def _definition(value: Value, namespaces: Sequence[str]) -> DataTypeDefinition | None:
    if not isinstance(value, Extension) or value.body is None:
        return None
    read = {_STRUCTURE_DEFINITION: _structure, _ENUM_DEFINITION: _enumeration}.get(value.encoding)
    try:
        return decoded(read, value.body, namespaces) if read else None
    except DecodingError:
        return None


def _structure(reader: Reader) -> DataTypeDefinition:
    return read_structure_definition(reader)


def _enumeration(reader: Reader) -> DataTypeDefinition:
    return read_enum_definition(reader)
