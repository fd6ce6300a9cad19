"""A second observer of the demo plant, with the reference clients: what a gateway delivered is compared with what these read."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from pymodbus.client import AsyncModbusTcpClient

from app.drivers.modbus.address import Address, parse
from app.drivers.opcua import address as opcua
from app.mapping.evaluate import compile_mapping
from app.mapping.message import json_value, key_of
from app.model.itmodel import Asset
from app.model.mapping import Mapping as TagMapping
from app.model.plant import Tag
from app.model.project import Project
from app.model.resolve import attributes
from app.model.values import Quality, Sample, Value

POLL_S = 0.02
REGISTERS = ((3, 100, 20), (3, 140, 8), (4, 14, 2))
"""Unit, first register, count: where the tags of ``tests.factory`` lie."""


class Witness:
    """Collects every change of the OPC UA tags by source time, and every value that the Modbus tags had.

    Attributes:
        changes: Tag id → source time in ms since 1970 → value.
        readings: Tag id → values seen, in order, without repetitions in a row.
    """

    def __init__(self, project: Project, opcua_url: str, modbus_url: str) -> None:
        self.changes: dict[str, dict[int, Value]] = defaultdict(dict)
        self.readings: dict[str, list[Value]] = defaultdict(list)
        self.namespaces: list[str] = []
        self._project, self._opcua_url = project, opcua_url
        self._host, _, self._port = modbus_url.removeprefix("modbus://").partition(":")
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._observe()), name="witness")

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(30), "the witness could not connect"

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)

    async def _observe(self) -> None:
        async with Client(self._opcua_url) as client:
            await self._subscribe(client)
            poller = AsyncModbusTcpClient(self._host, port=int(self._port))
            assert await poller.connect()
            self._ready.set()
            while not self._stop.is_set():
                await self._poll(poller)
                await asyncio.sleep(POLL_S)
            poller.close()

    async def _subscribe(self, client: Client) -> None:
        self.namespaces = await client.get_namespace_array()
        tags = {tag.id: opcua.parse(tag.address) for tag in self._project.all(Tag).values() if not tag.address[0].isdigit()}
        nodes = {}
        for id_, address in tags.items():
            assert isinstance(address, opcua.NodeAddress)
            node = client.get_node(f"ns={self.namespaces.index(address.uri)};{address.kind}={address.identifier}")
            nodes[node.nodeid.to_string()] = id_
        subscription = await client.create_subscription(50, _Handler(nodes, self.changes))
        handles = [client.get_node(text) for text in nodes]
        await subscription.subscribe_data_change(handles, queuesize=50, sampling_interval=ua.Double(20))

    async def _poll(self, client: AsyncModbusTcpClient) -> None:
        """All registers that tags lie in with few requests, so that no change is missed."""
        tags = [(tag, parse(tag.address)) for tag in self._project.all(Tag).values() if tag.address[0].isdigit()]
        words: dict[tuple[int, int], int] = {}
        for unit, start, count in REGISTERS:
            found = (await client.read_holding_registers(start, count=count, device_id=unit)).registers
            words.update({(unit, start + place): word for place, word in enumerate(found)})
        for tag, address in tags:
            value = _decode(words, address, tag) if address.table == "holding" else await _bit(client, address)
            if not self.readings[tag.id] or self.readings[tag.id][-1] != value:
                self.readings[tag.id].append(value)


class _Handler:
    def __init__(self, nodes: Mapping[str, str], changes: dict[str, dict[int, Value]]) -> None:
        self._nodes, self._changes = nodes, changes

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:  # Any: asyncua's own, which has no types
        stamp: datetime = data.monitored_item.Value.SourceTimestamp
        ms = round(stamp.replace(tzinfo=UTC).timestamp() * 1000)
        self._changes[self._nodes[node.nodeid.to_string()]][ms] = value


async def _bit(client: AsyncModbusTcpClient, address: Address) -> Value:
    call = client.read_coils if address.table == "coil" else client.read_discrete_inputs
    return bool((await call(address.address, count=1, device_id=address.unit or 1)).bits[0])


def _decode(registers: Mapping[tuple[int, int], int], address: Address, tag: Tag) -> Value:
    """One item, with struct alone: not with the decoder under test."""
    words = [registers[address.unit or 1, address.address + place] for place in range(address.count)]
    if address.bit is not None:
        return bool(words[0] >> address.bit & 1)
    arranged = list(reversed(words)) if address.order in ("CDAB", "DCBA") and address.type != "string" else words
    raw = b"".join(word.to_bytes(2, "little" if address.order in ("BADC", "DCBA") else "big") for word in arranged)
    if address.type == "string":
        return raw[: address.length].split(b"\0")[0].decode().rstrip()
    codes = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f"}
    (number,) = struct.unpack(codes[address.type], raw)
    return number * tag.gain + tag.offset if (tag.gain, tag.offset) != (1.0, 0.0) else number


@contextmanager
def witness(project: Project, opcua_url: str, modbus_url: str) -> Iterator[Witness]:
    found = Witness(project, opcua_url, modbus_url)
    found.start()
    try:
        yield found
    finally:
        found.stop()


def wanted_of(project: Project, asset: Asset) -> dict[str, TagMapping]:
    """Key in the message → mapping."""
    delivery = project.delivery_for(asset.asset_type)
    found: dict[str, TagMapping] = {}
    for row in attributes(project, asset.asset_type):
        for mapping in project.mappings_for(asset.id, row.attribute.id, row.within):
            found[key_of(delivery, row.path)] = mapping
    return found


def it_value(project: Project, mapping: TagMapping, raw: Value, at_ms: int) -> object:
    """What the project's own evaluation makes of one reading, as JSON."""
    at_ns = at_ms * 1_000_000
    value = list(raw) if isinstance(raw, list | tuple) else int(raw) if isinstance(raw, IntEnum) else raw
    return json_value(compile_mapping(project, mapping)(Sample(value, "", Quality.GOOD, 0, at_ns, at_ns, at_ns)).value)
