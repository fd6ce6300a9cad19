"""Our decoder against asyncua's encoder, and against bytes that nobody sane would send."""

import struct
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncua.ua
import pytest
from asyncua.ua.ua_binary import struct_to_binary, variant_to_binary
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.opcua.address import UA_NAMESPACE
from app.drivers.opcua.binary import (
    MAX_DEPTH,
    DataValue,
    DecodingError,
    Extension,
    Reader,
    decoded,
    read_response_header,
    ticks_to_ns,
    ticks_to_text,
)

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need
NAMESPACES = (UA_NAMESPACE, "urn:server", "urn:line")
GUID = uuid4()

SCALARS: list[tuple[str, Any, object]] = [
    ("Boolean", True, True),
    ("SByte", -5, -5),
    ("UInt64", 2**64 - 1, 2**64 - 1),
    ("Double", 0.1, 0.1),
    ("String", "Ü", "Ü"),
    ("String", None, ""),
    ("ByteString", b"\0\xff", b"\0\xff"),
    ("Guid", GUID, str(GUID)),
    ("DateTime", datetime(2026, 3, 1, 1, 2, 3, 456789, UTC), "2026-03-01T01:02:03.456789Z"),
    ("XmlElement", ua.XmlElement("<a/>"), "<a/>"),
    ("NodeId", ua.NodeId(85), f"nsu={UA_NAMESPACE};i=85"),
    ("NodeId", ua.NodeId(300, 2), "nsu=urn:line;i=300"),
    ("NodeId", ua.NodeId(70000, 2), "nsu=urn:line;i=70000"),
    ("NodeId", ua.NodeId("a;b", 2), "nsu=urn:line;s=a;b"),
    ("NodeId", ua.NodeId(GUID, 1), f"nsu=urn:server;g={GUID}"),
    ("NodeId", ua.NodeId(b"\1", 1, ua.NodeIdType.ByteString), "nsu=urn:server;b=AQ=="),
    ("NodeId", ua.NodeId(7, 9), "nsu=#9;i=7"),
    ("ExpandedNodeId", ua.ExpandedNodeId(7, 0, NamespaceUri="urn:x", ServerIndex=0), "nsu=urn:x;i=7"),
    ("ExpandedNodeId", ua.ExpandedNodeId(7, 1, ServerIndex=3), "svr=3;nsu=urn:server;i=7"),
    ("StatusCode", ua.StatusCode(0x80340000), 0x80340000),
    ("QualifiedName", ua.QualifiedName("Speed", 0), "Speed"),
    ("QualifiedName", ua.QualifiedName("Speed", 2), "nsu=urn:line;Speed"),
    ("LocalizedText", ua.LocalizedText("Ventil", "de"), "Ventil"),
    ("LocalizedText", ua.LocalizedText(None), ""),
]


@pytest.mark.parametrize(("kind", "value", "expected"), SCALARS, ids=[f"{kind}-{number}" for number, (kind, *_) in enumerate(SCALARS)])
def test_that_every_built_in_type_is_decoded_as_asyncua_encoded_it(kind: str, value: Any, expected: object) -> None:
    number = ua.VariantType[kind].value
    assert decoded(Reader.variant, variant_to_binary(ua.Variant(value, ua.VariantType[kind])), NAMESPACES) == (number, False, expected)
    if value is not None:
        array = variant_to_binary(ua.Variant([value, value], ua.VariantType[kind]))
        assert decoded(Reader.variant, array, NAMESPACES) == (number, True, [expected, expected])


def test_that_a_matrix_is_nested_and_a_lying_one_stays_flat() -> None:
    data = variant_to_binary(ua.Variant([[1, 2, 3], [4, 5, 6]], ua.VariantType.Int16, [2, 3]))
    assert decoded(Reader.variant, data, NAMESPACES)[2] == [[1, 2, 3], [4, 5, 6]]
    lie = data[:-4] + struct.pack("<i", 2**31 - 1)
    assert decoded(Reader.variant, lie, NAMESPACES)[2] == [1, 2, 3, 4, 5, 6]


def test_that_a_structure_stays_bytes_until_it_is_described() -> None:
    data = variant_to_binary(ua.Variant(ua.Range(1.0, 2.0), ua.VariantType.ExtensionObject))
    assert decoded(Reader.variant, data, NAMESPACES)[2] == Extension(f"nsu={UA_NAMESPACE};i=886", struct.pack("<dd", 1.0, 2.0))


@given(st.booleans(), st.booleans(), st.integers(0, 2**32 - 1))
def test_that_a_data_value_keeps_status_and_both_times(source: bool, server: bool, status: int) -> None:
    when = datetime(2026, 3, 1, tzinfo=UTC)
    value = ua.DataValue(
        ua.Variant(1.5),
        ua.StatusCode(status),
        SourceTimestamp=when if source else None,
        ServerTimestamp=when + timedelta(seconds=1) if server else None,
    )
    ticks = int((when - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10**7
    expected = DataValue(11, False, 1.5, status, ticks if source else 0, ticks + 10**7 if server else 0)
    reader = Reader(struct_to_binary(value), NAMESPACES)
    assert reader.data_value() == expected
    assert reader.at == len(reader.data)


@given(st.integers(0, 63))
def test_that_each_part_of_a_data_value_may_be_missing(mask: int) -> None:
    """Order by OPC 10000-6 §5.2.2.17; asyncua writes the server's time before the source's picoseconds, so it is no judge here."""
    parts = [b"\x06\x05\0\0\0", struct.pack("<I", 0x80000000), struct.pack("<q", 1), b"\7\7", struct.pack("<q", 2), b"\7\7"]
    bits = [0x01, 0x02, 0x04, 0x10, 0x08, 0x20]
    data = bytes([mask]) + b"".join(part for bit, part in zip(bits, parts, strict=True) if mask & bit)
    reader = Reader(data, NAMESPACES)
    value = reader.data_value()
    assert reader.at == len(data)
    assert (value.value, value.status, value.source_ticks, value.server_ticks) == (
        5 if mask & 1 else None, 0x80000000 if mask & 2 else 0, 1 if mask & 4 else 0, 2 if mask & 8 else 0,
    )  # fmt: skip


@given(st.integers(1, 2_650_467_743_989_999_999))
def test_that_every_100_ns_of_a_time_is_kept(ticks: int) -> None:
    text = ticks_to_text(ticks)
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    whole = datetime.fromisoformat(seconds) - datetime(1601, 1, 1)  # noqa: DTZ001  both are UTC
    assert (whole.days * 86400 + whole.seconds) * 10**7 + int(fraction.ljust(7, "0") or 0) == ticks


def test_that_times_without_meaning_are_none() -> None:
    assert ticks_to_ns(0) == 0
    assert ticks_to_ns(-1) == 0
    assert ticks_to_ns(2**63 - 1) == 0
    assert ticks_to_ns(116_444_736_000_000_001) == 100
    assert ticks_to_text(0) == "1601-01-01T00:00:00Z"
    assert ticks_to_text(2**63 - 1) == "9999-12-31T23:59:59Z"


def test_that_a_response_header_is_read_to_its_end() -> None:
    header = ua.ResponseHeader(ServiceResult=ua.StatusCode(0x80100000), StringTable=["a", "b"])
    data = b"\x01\x00" + struct.pack("<H", 634) + struct_to_binary(header) + b"rest"
    reader = Reader(data, NAMESPACES)
    assert read_response_header(reader) == 0x80100000
    assert reader.data[reader.at :] == b"rest"


@given(st.binary(max_size=200))
def test_that_any_bytes_are_a_value_or_a_decoding_error(data: bytes) -> None:
    for read in (Reader.variant, Reader.data_value, Reader.node_id, Reader.diagnostic_info, Reader.extension):
        try:
            decoded(read, data, NAMESPACES)
        except DecodingError:
            continue


def test_that_nesting_is_bounded() -> None:
    def nest(levels: int) -> bytes:
        return b"\x98\x01\x00\x00\x00" * levels + b"\x01\x01"

    assert decoded(Reader.variant, nest(MAX_DEPTH - 1), NAMESPACES)
    with pytest.raises(DecodingError, match="nested deeper"):
        decoded(Reader.variant, nest(100_000), NAMESPACES)
    with pytest.raises(DecodingError, match="nested deeper"):
        decoded(Reader.diagnostic_info, b"\x40" * 100_000, NAMESPACES)


def test_that_a_length_beyond_the_message_is_refused_before_it_is_believed() -> None:
    for announced in (b"\x8b\xff\xff\xff\x7f", b"\x8c\xff\xff\xff\x7f", b"\x0c\xff\xff\xff\x7f", b"\x96\xff\xff\xff\x7f"):
        with pytest.raises(DecodingError, match="announced"):
            decoded(Reader.variant, announced, NAMESPACES)
