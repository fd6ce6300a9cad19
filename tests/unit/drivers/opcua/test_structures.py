import contextlib
import struct
from typing import Any

import asyncua.ua
import pytest
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.opcua.address import UA_NAMESPACE
from app.drivers.opcua.binary import DecodingError, Extension, Reader, decoded
from app.drivers.opcua.structures import (
    OPTION_SET,
    STRUCTURE,
    UNION,
    WITH_OPTIONAL_FIELDS,
    WITH_SUBTYPED_VALUES,
    FieldType,
    Structure,
    StructureField,
    read_enum_definition,
    read_structure,
    read_structure_definition,
    read_whole,
    undecoded,
)

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need
NAMESPACES = (UA_NAMESPACE, "urn:server", "urn:line")
INT32 = f"nsu={UA_NAMESPACE};i=6"
STRING = f"nsu={UA_NAMESPACE};i=12"
POINT = "nsu=urn:line;i=1"


def structure(kind: int, *fields: StructureField) -> Structure:
    return Structure(kind, "", fields)


def field(name: str, data_type: str = INT32, rank: int = -1, *, optional: bool = False) -> StructureField:
    return StructureField(name, data_type, rank, optional)


POINT_STRUCTURE = structure(STRUCTURE, field("X"), field("Y"))
TYPES = {INT32: FieldType(6), STRING: FieldType(12), POINT: FieldType(22, POINT_STRUCTURE)}


def read(what: Structure, body: bytes) -> dict[str, object]:
    return decoded(lambda reader: read_structure(reader, what, TYPES), body, NAMESPACES)


def ints(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}i", *numbers)


def test_that_definitions_are_read_as_asyncua_wrote_them() -> None:
    definition = ua.StructureDefinition(
        DefaultEncodingId=ua.NodeId(5001, 2),
        BaseDataType=ua.NodeId(22),
        StructureType=ua.StructureType.StructureWithOptionalFields,
        Fields=[
            ua.StructureField(Name="A", DataType=ua.NodeId(6), ValueRank=-1, IsOptional=False),
            ua.StructureField(Name="B", DataType=ua.NodeId(1, 2), ValueRank=1, ArrayDimensions=[0], IsOptional=True),
        ],
    )
    assert decoded(read_structure_definition, struct_to_binary(definition), NAMESPACES) == Structure(
        WITH_OPTIONAL_FIELDS, "nsu=urn:line;i=5001", (field("A"), field("B", POINT, 1, optional=True))
    )
    fields = [ua.EnumField(Value=-1, Name="Off"), ua.EnumField(Value=7, Name="On", DisplayName=ua.LocalizedText("An"))]
    assert decoded(read_enum_definition, struct_to_binary(ua.EnumDefinition(Fields=fields)), NAMESPACES).names == {"-1": "Off", "7": "An"}


def test_that_nested_structures_and_arrays_are_read() -> None:
    line = structure(STRUCTURE, field("From", POINT), field("Via", POINT, 1), field("Names", STRING, 1))
    body = ints(1, 2) + ints(2, 3, 4, 5, 6) + ints(1) + b"\x01\0\0\0a"
    assert read(line, body) == {"From": {"X": 1, "Y": 2}, "Via": [{"X": 3, "Y": 4}, {"X": 5, "Y": 6}], "Names": ["a"]}


def test_that_a_matrix_is_read_row_by_row() -> None:
    assert read(structure(STRUCTURE, field("M", INT32, 2)), ints(2, 2, 3) + ints(1, 2, 3, 4, 5, 6)) == {"M": [[1, 2, 3], [4, 5, 6]]}


@given(st.sets(st.integers(0, 3)))
def test_that_absent_optional_fields_are_left_out(there: set[int]) -> None:
    what = structure(WITH_OPTIONAL_FIELDS, field("Always"), *(field(f"O{number}", optional=True) for number in range(4)))
    body = struct.pack("<I", sum(1 << number for number in there)) + ints(9, *sorted(there))
    assert read(what, body) == {"Always": 9} | {f"O{number}": number for number in sorted(there)}


def test_that_a_union_has_the_one_field_that_is_there() -> None:
    either = structure(UNION, field("Number"), field("Text", STRING))
    assert read(either, ints(1, 42)) == {"Number": 42}
    assert read(either, ints(2, 1) + b"x") == {"Text": "x"}
    assert read(either, ints(0)) == {}
    with pytest.raises(DecodingError, match="union field 3"):
        read(either, ints(3))


def test_that_a_field_that_may_be_of_a_subtype_is_an_extension_object() -> None:
    body = b"\x01\x02\x07\x00" + b"\x01" + ints(2) + b"ab"
    what = structure(WITH_SUBTYPED_VALUES, field("P", POINT, optional=True))
    assert read(what, body) == {"P": Extension("nsu=urn:line;i=7", b"ab")}


def test_that_an_undescribed_field_is_an_error_and_shown_raw() -> None:
    with pytest.raises(DecodingError, match="not described"):
        read(structure(STRUCTURE, field("A", "nsu=urn:line;i=99")), ints(1))
    assert undecoded(Extension("nsu=urn:line;i=5", b"\1\2\3")) == {"raw": "AQID", "type": "nsu=urn:line;i=5"}


@given(st.integers(0, 4), st.binary(max_size=100))
def test_that_any_body_is_a_structure_or_a_decoding_error(kind: int, body: bytes) -> None:
    what = structure(kind, field("P", POINT, 2, optional=True), field("N", STRING, 1), field("Q", POINT))
    with contextlib.suppress(DecodingError):
        read(what, body)
    with contextlib.suppress(DecodingError):
        decoded(read_structure_definition, body, NAMESPACES)


def test_that_bytes_left_over_mean_another_structure() -> None:
    def whole(body: bytes) -> object:
        return decoded(lambda reader: read_whole(reader, POINT_STRUCTURE, TYPES), body, NAMESPACES)

    assert whole(ints(1, 2)) == {"X": 1, "Y": 2}
    with pytest.raises(DecodingError, match="4 bytes left over"):
        whole(ints(1, 2, 3))


def test_that_option_sets_are_read_as_asyncua_wrote_them() -> None:
    types = {field.data_type: FieldType(15) for field in OPTION_SET.fields}
    body = struct_to_binary(ua.OptionSet(Value=b"\x05", ValidBits=b"\x07"))
    assert decoded(lambda reader: read_whole(reader, OPTION_SET, types), body, NAMESPACES) == {"Value": b"\x05", "ValidBits": b"\x07"}


def test_that_descriptions_and_stated_lengths_of_fields_are_kept() -> None:
    fields = [
        ua.StructureField(
            Name="A", Description=ua.LocalizedText("at the inlet"), DataType=ua.NodeId(6), ValueRank=2, ArrayDimensions=[2, 0]
        )
    ]
    definition = ua.StructureDefinition(DefaultEncodingId=ua.NodeId(5001, 2), BaseDataType=ua.NodeId(22), Fields=fields)
    (read_back,) = decoded(read_structure_definition, struct_to_binary(definition), NAMESPACES).fields
    assert (read_back.description, read_back.dimensions) == ("at the inlet", (2, 0))


def test_that_a_recursive_structure_is_bounded() -> None:
    node = structure(STRUCTURE, field("Next", "nsu=urn:line;i=3", 1))
    types = {"nsu=urn:line;i=3": FieldType(22, node)}
    with pytest.raises(DecodingError, match="nested deeper"):
        decoded(lambda reader: read_structure(reader, node, types), ints(1) * 1000, NAMESPACES)


def test_that_a_matrix_of_nothing_does_not_fill_the_memory() -> None:
    empty = {"nsu=urn:line;i=4": FieldType(22, structure(STRUCTURE))}
    what = structure(STRUCTURE, field("M", "nsu=urn:line;i=4", 3))
    with pytest.raises(DecodingError, match="a matrix of"):
        decoded(lambda reader: read_structure(reader, what, empty), ints(3, 1000, 1000, 1000) + b"\0" * 4000, NAMESPACES)


def test_that_a_reader_is_left_behind_its_structure() -> None:
    reader = Reader(ints(1, 2, 3), NAMESPACES)
    assert read_structure(reader, POINT_STRUCTURE, TYPES) == {"X": 1, "Y": 2}
    assert (reader.at, reader.depth) == (8, 0)
