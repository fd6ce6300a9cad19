"""DataValues of every kind as asyncua encodes them, and what asyncua's decoder makes of the bytes, as plain values of ours."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncua.ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from hypothesis import strategies as st

from app.drivers.opcua.binary import DataValue, Extension, node_text, ticks_to_text
from app.model.values import Value
from tests.strategies import texts

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need
NAMESPACES = ("http://opcfoundation.org/UA/", "urn:server", "urn:line")

times = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001  made aware here
indexes = st.integers(0, 3)
node_ids = st.one_of(
    st.builds(ua.NodeId, st.integers(1, 2**32 - 1), indexes),
    st.builds(ua.NodeId, st.text("aü;=", min_size=1, max_size=5), indexes),
    st.builds(ua.NodeId, st.uuids(), indexes),
    st.builds(lambda data, index: ua.NodeId(data, index, ua.NodeIdType.ByteString), st.binary(max_size=4), indexes),
)
extensions = st.builds(
    lambda number, body: ua.ExtensionObject(ua.NodeId(number, 2), body), st.integers(70_000, 90_000), st.binary(max_size=9)
)
localized = st.builds(ua.LocalizedText, st.none() | texts, st.none() | st.just("de"))
named = st.builds(ua.QualifiedName, texts, indexes)


def _whole(bits: int, signed: bool) -> st.SearchStrategy[int]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    near = [number for number in (2**53, 2**53 + 1, -(2**53), -(2**53) - 1, low, high, 0) if low <= number <= high]
    return st.integers(low, high) | st.sampled_from(near)


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "Boolean": st.booleans(), "SByte": _whole(8, True), "Byte": _whole(8, False), "Int16": _whole(16, True), "UInt16": _whole(16, False),
    "Int32": _whole(32, True), "UInt32": _whole(32, False), "Int64": _whole(64, True), "UInt64": _whole(64, False),
    "Float": st.floats(width=32), "Double": st.floats(), "String": st.none() | texts, "DateTime": times, "Guid": st.uuids(),
    "ByteString": st.none() | st.binary(max_size=9), "XmlElement": texts.map(ua.XmlElement), "NodeId": node_ids,
    "StatusCode": st.integers(0, 2**32 - 1).map(ua.StatusCode), "QualifiedName": named, "LocalizedText": localized,
    "ExtensionObject": extensions,
}  # fmt: skip


def _variants(kind: str) -> st.SearchStrategy[Any]:
    number, scalar = ua.VariantType[kind], SCALARS[kind]
    listed = st.lists(scalar, max_size=4).map(lambda values: ua.Variant(values, number, is_array=True))
    matrix = st.lists(scalar, min_size=6, max_size=6).map(lambda v: ua.Variant([v[:3], v[3:]], number, [2, 3]))
    return st.one_of(scalar.map(lambda value: ua.Variant(value, number)), listed, matrix)


flat_variants = st.one_of([_variants(kind) for kind in SCALARS])
nested_variants = st.one_of(
    st.lists(flat_variants, max_size=3).map(lambda values: ua.Variant(values, ua.VariantType.Variant, is_array=True)),
    st.builds(lambda inner: ua.Variant(ua.DataValue(inner), ua.VariantType.DataValue), flat_variants),
)
statuses = st.none() | st.sampled_from([0, 0x480, 0x40900000, 0x80340000, 0xC0000000]).map(ua.StatusCode)
picoseconds = st.none() | st.integers(0, 2**16 - 1)


def _data_value(variant: Any, status: Any, source: datetime | None, server: datetime | None, parts: tuple[int | None, int | None]) -> Any:
    """Picoseconds of the source only without a time of the server: asyncua 2.1.0 puts them behind it, OPC 10000-6 §5.2.2.17 before."""
    return ua.DataValue(variant, status, source, server, parts[0] if server is None else None, parts[1])


data_values = st.builds(
    _data_value,
    st.one_of(st.just(ua.Variant()), st.none(), flat_variants, nested_variants),
    statuses,
    st.none() | times,
    st.none() | times,
    st.tuples(picoseconds, picoseconds),
)
"""Every built-in type, array, matrix, null, status and time, in every combination that the encoder knows."""


def notification(values: Sequence[tuple[int, Any]]) -> bytes:
    """Body of a DataChangeNotification of (client handle, asyncua's DataValue)."""
    changes = ua.DataChangeNotification()
    changes.MonitoredItems = [ua.MonitoredItemNotification(ClientHandle=client, Value=value) for client, value in values]
    body: bytes = struct_to_binary(changes)
    return body


def reference(body: bytes) -> list[tuple[int, DataValue]]:
    """What asyncua's decoder makes of it."""
    items = struct_from_binary(ua.DataChangeNotification, Buffer(body)).MonitoredItems
    return [(item.ClientHandle, plain_value(item.Value)) for item in items]


def plain_value(value: Any) -> DataValue:
    variant = value.Value
    is_null = variant is None or variant.VariantType == ua.VariantType.Null
    return DataValue(
        0 if is_null else variant.VariantType.value,
        False if is_null else variant.is_array,
        None if is_null else _plain(variant.Value, variant.VariantType),
        value.StatusCode.value if value.StatusCode is not None else 0,
        _ticks(value.SourceTimestamp),
        _ticks(value.ServerTimestamp),
    )


def _ticks(when: datetime | None) -> int:
    return (when.replace(tzinfo=UTC) - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10 if when is not None else 0


def _plain(value: Any, kind: Any) -> Value:
    if isinstance(value, list):
        return [_plain(element, kind) for element in value]
    if kind in (ua.VariantType.String, ua.VariantType.XmlElement):
        return (value.Value if isinstance(value, ua.XmlElement) else value) or ""
    if kind == ua.VariantType.ByteString:
        return value or b""
    if kind == ua.VariantType.LocalizedText:
        return value.Text or ""
    if kind == ua.VariantType.DateTime:
        return ticks_to_text(_ticks(value))
    if kind == ua.VariantType.ExtensionObject:
        return Extension(_node(value.TypeId), value.Body)
    if kind == ua.VariantType.StatusCode:
        return int(value.value)
    if kind == ua.VariantType.QualifiedName:
        uri = NAMESPACES[value.NamespaceIndex] if value.NamespaceIndex < len(NAMESPACES) else f"#{value.NamespaceIndex}"
        return value.Name or "" if value.NamespaceIndex == 0 else f"nsu={uri};{value.Name or ''}"
    return _plain_other(value)


def _plain_other(value: Any) -> Value:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, ua.NodeId):
        return _node(value)
    if isinstance(value, ua.Variant):
        return None if value.VariantType == ua.VariantType.Null else _plain(value.Value, value.VariantType)
    if isinstance(value, ua.DataValue):
        return plain_value(value).value
    plain: Value = value
    return plain


def _node(node: Any) -> str:
    kinds = {ua.NodeIdType.String: "s", ua.NodeIdType.Guid: "g", ua.NodeIdType.ByteString: "b"}
    kind = kinds.get(node.NodeIdType, "i")
    shown = base64.b64encode(node.Identifier).decode() if kind == "b" else str(node.Identifier)
    return node_text(NAMESPACES, node.NamespaceIndex, kind, shown)  # type: ignore[arg-type]  # one of the four letters
