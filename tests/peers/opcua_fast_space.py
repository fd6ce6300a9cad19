"""An OPC UA server whose address space costs it next to nothing: ``python -m tests.peers.opcua_fast_space --port N``.

For benchmarks of clients. Session, security and everything else are asyncua's; Browse and Read of the nodes below ``Space`` are answered
with pieces that were encoded once (by asyncua's encoder), found by the bytes of the NodeId, on the connection itself. A request that was
seen before is answered with the same bytes again. Prints ``ready`` when it serves.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import struct
import sys
import time
from datetime import UTC, datetime
from typing import Any

import asyncua.ua
from asyncua.server.binary_server_asyncio import OPCUAProtocol
from asyncua.server.server import Server
from asyncua.ua.ua_binary import nodeid_to_binary, struct_to_binary

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need

URI = "urn:peer:fast"
INDEX = 2
AREAS, MACHINES, VARIABLES = 10, 50, 200
WHEN = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
KINDS = [
    (11, "Double"), (10, "Float"), (6, "Int32"), (1, "Boolean"), (12, "String"), (290, "Double"), (11, "Double"), (5, "UInt16"),
]  # fmt: skip
"""DataType and variant type by number of a variable, over and over; 290 is Duration."""

_READ, _BROWSE = 631, 527
_DATA_TYPE, _VALUE_RANK, _DESCRIPTION, _VALUE, _CLASS, _BROWSE_NAME, _DISPLAY_NAME = 14, 15, 5, 13, 2, 3, 4
_RELEVANT = (_CLASS, _BROWSE_NAME, _DISPLAY_NAME, _DESCRIPTION, _VALUE, _DATA_TYPE, _VALUE_RANK)
_HEADER = struct.Struct("<3scIIIII")
_NO_ATTRIBUTE = b"\x02" + struct.pack("<I", 0x80350000)
_CHUNK_BYTES = 65_000
_FIXED = {0: 2, 1: 4, 2: 7, 4: 19}


def value_of(number: int, kind: str) -> Any:
    if kind == "Boolean":
        return number % 3 == 0
    if kind == "String":
        return f"text {number}"
    return number + 0.5 if kind in ("Double", "Float") else number


class Space:
    """Pieces by NodeId: the references of a BrowseResult, and attributes as DataValues, the value for each TimestampsToReturn."""

    def __init__(self, areas: int, machines: int, variables: int) -> None:
        self.references: dict[bytes, bytes] = {}
        self.parents: dict[bytes, bytes] = {}
        self.attributes: dict[bytes, dict[int, tuple[bytes, ...]]] = {}
        self._areas, self._machines, self._variables = areas, machines, variables
        self._build()

    def _build(self) -> None:
        areas = [f"Area{a}" for a in range(self._areas)]
        self._folder("Space", "Space", [self._object(f"{area}", area) for area in areas])
        for area in areas:
            machines = [f"Machine{m}" for m in range(self._machines)]
            self._folder(area, area, [self._object(f"{area}.{name}", name) for name in machines])
            for name in machines:
                machine = f"{area}.{name}"
                self._folder(machine, name, [self._variable(machine, v) for v in range(self._variables)])

    def _folder(self, identifier: str, name: str, children: list[bytes]) -> None:
        node = nodeid_to_binary(ua.NodeId(identifier, INDEX))
        self.references[node] = struct.pack("<Iii", 0, -1, len(children)) + b"".join(children)
        self._common(node, name, 1, "")
        self.parents[node] = struct.pack("<Iii", 0, -1, 0)  # whence it is reached is not told

    def _object(self, identifier: str, name: str) -> bytes:
        return self._reference(identifier, name, ua.NodeClass.Object, 61, 35)

    def _variable(self, machine: str, number: int) -> bytes:
        identifier, name = f"{machine}.Value{number}", f"Value{number}"
        node = nodeid_to_binary(ua.NodeId(identifier, INDEX))
        below = [self._property(identifier)] if number == 0 else []
        self.references[node] = struct.pack("<Iii", 0, -1, len(below)) + b"".join(below)
        self._common(node, name, 2, f"Value {number} of {machine}" if number % 10 == 0 else "")
        self._typed(node, number, *KINDS[number % len(KINDS)])
        return self._reference(identifier, name, ua.NodeClass.Variable, 63, 47)

    def _property(self, owner: str) -> bytes:
        node = nodeid_to_binary(ua.NodeId(f"{owner}.Limit", INDEX))
        self.references[node] = struct.pack("<Iii", 0, -1, -1)
        self._common(node, "Limit", 2, "")
        self._typed(node, 7, 11, "Double")
        return self._reference(f"{owner}.Limit", "Limit", ua.NodeClass.Variable, 68, 46)

    def _reference(self, identifier: str, name: str, node_class: Any, definition: int, reference: int) -> bytes:
        return bytes(
            struct_to_binary(
                ua.ReferenceDescription(
                    ReferenceTypeId=ua.NodeId(reference), IsForward=True, NodeId=ua.NodeId(identifier, INDEX),
                    BrowseName=ua.QualifiedName(name, INDEX), DisplayName=ua.LocalizedText(name), NodeClass=node_class,
                    TypeDefinition=ua.NodeId(definition),
                )
            )
        )  # fmt: skip

    def _common(self, node: bytes, name: str, node_class: int, description: str) -> None:
        self.attributes[node] = {
            _CLASS: _always(ua.Variant(node_class, ua.VariantType.Int32)),
            _BROWSE_NAME: _always(ua.Variant(ua.QualifiedName(name, INDEX))),
            _DISPLAY_NAME: _always(ua.Variant(ua.LocalizedText(name))),
            _DESCRIPTION: _always(ua.Variant(ua.LocalizedText(description or None))),
        }

    def _typed(self, node: bytes, number: int, data_type: int, kind: str) -> None:
        value = ua.Variant(value_of(number, kind), ua.VariantType[kind])
        times: tuple[dict[str, Any], ...] = (
            {"SourceTimestamp": WHEN},
            {"ServerTimestamp": WHEN},
            {"SourceTimestamp": WHEN, "ServerTimestamp": WHEN},
            {},
        )
        self.attributes[node] |= {
            _DATA_TYPE: _always(ua.Variant(ua.NodeId(data_type))),
            _VALUE_RANK: _always(ua.Variant(-1, ua.VariantType.Int32)),
            _VALUE: tuple(bytes(struct_to_binary(ua.DataValue(value, StatusCode=None, **some))) for some in times),
        }

    def browsed(self, body: bytes, at: int) -> bytes | None:
        """BrowseResponse behind its header; None where a node is not of this space. ``at`` is behind the request header."""
        at = _skip(body, at) + 12  # the view; then RequestedMaxReferencesPerNode, which is never reached
        (count,) = struct.unpack_from("<i", body, at + 4)
        at += 8
        pieces = [struct.pack("<i", count)]
        for _ in range(count):
            end = _skip(body, at)
            pieces_of = self.parents if body[end] == 1 else self.references
            piece = pieces_of.get(body[at:end])
            if piece is None:
                return None
            pieces.append(piece)
            at = _skip(body, end + 4) + 9
        return b"".join(pieces) + b"\xff\xff\xff\xff"

    def read(self, body: bytes, at: int) -> bytes | None:
        times, count = struct.unpack_from("<Ii", body, at + 8)
        at += 16
        pieces = [struct.pack("<i", count)]
        for _ in range(count):
            end = _skip(body, at)
            attributes = self.attributes.get(body[at:end])
            if attributes is None:
                return None
            attribute = int.from_bytes(body[end : end + 4], "little")
            piece = attributes.get(attribute)
            pieces.append(piece[times] if piece else _NO_ATTRIBUTE)
            at = end + 4
            for _string in range(2):  # index range, then the encoding's name behind its namespace
                (size,) = struct.unpack_from("<i", body, at)
                at += 4 + max(size, 0) + (2 if _string == 0 else 0)
        return b"".join(pieces) + b"\xff\xff\xff\xff"


def _always(variant: Any) -> tuple[bytes, ...]:
    return (bytes(struct_to_binary(ua.DataValue(variant, StatusCode=None))),) * 4


def _skip(body: bytes, at: int) -> int:
    """Where the NodeId that begins there ends."""
    form = body[at] & 0x3F
    if form in _FIXED:
        return at + _FIXED[form]
    (size,) = struct.unpack_from("<i", body, at + 3)
    return int(at + 7 + max(size, 0))


class FastProtocol:
    """Answers for one connection; what it does not know goes to asyncua."""

    def __init__(self, protocol: Any, space: Space, answers: dict[bytes, bytes]) -> None:
        self._protocol, self._space, self._answers = protocol, space, answers
        self._pending = b""

    def received(self, data: bytes, otherwise: Any) -> None:
        self._pending += data
        while len(self._pending) >= 8:
            size = int.from_bytes(self._pending[4:8], "little")
            if len(self._pending) < size:
                return
            chunk, self._pending = self._pending[:size], self._pending[size:]
            if not self._answered(chunk):
                otherwise(chunk)

    def _answered(self, chunk: bytes) -> bool:
        processor = self._protocol.processor
        if not chunk.startswith(b"MSGF") or processor is None or processor.session is None:
            return False
        processor._connection._check_incoming_chunk = _in_any_order
        kind = int.from_bytes(chunk[26:28], "little")
        if chunk[24:26] != b"\x01\x00" or kind not in (_READ, _BROWSE):
            return False
        at = _skip(chunk, 28)
        handle = chunk[at + 8 : at + 12]
        at += 16
        (audit,) = struct.unpack_from("<i", chunk, at)
        at += 8 + max(audit, 0)  # and the time-out hint
        at = _skip(chunk, at) + 1  # an additional header without a body
        asked = chunk[26:28] + chunk[at:]
        answer = self._answers.get(asked)
        if answer is None:
            answer = self._space.read(chunk, at) if kind == _READ else self._space.browsed(chunk, at)
            if answer is None:
                return False
            self._answers[asked] = answer
        self._send(chunk, kind, handle, answer)
        return True

    def _send(self, chunk: bytes, kind: int, handle: bytes, answer: bytes) -> None:
        connection = self._protocol.processor._connection
        _, _, _, channel, token, _, request = _HEADER.unpack_from(chunk)
        body = b"\x01\x00" + struct.pack("<Hq", kind + 3, 0) + handle + bytes(4) + b"\0" + bytes(4) + bytes(3) + answer
        for start in range(0, len(body), _CHUNK_BYTES):
            part = body[start : start + _CHUNK_BYTES]
            connection._sequence_number += 1
            last = b"F" if start + _CHUNK_BYTES >= len(body) else b"C"
            header = _HEADER.pack(b"MSG", last, 24 + len(part), channel, token, connection._sequence_number, request)
            self._protocol.transport.write(header + part)
        self._protocol.processor.session_last_activity = time.monotonic()
        self._protocol.processor.session.touch()


def _in_any_order(_: Any) -> None:
    """Its own check would miss the chunks that were answered before they came to it."""


def hook(space: Space) -> None:
    protocol: Any = OPCUAProtocol
    receive = protocol.data_received
    answers: dict[bytes, bytes] = {}

    def data_received(self: Any, data: bytes) -> None:
        fast = self.__dict__.setdefault("fast", None) or FastProtocol(self, space, answers)
        self.fast = fast
        fast.received(data, lambda chunk: receive(self, chunk))

    protocol.data_received = data_received


async def serve(options: argparse.Namespace) -> None:
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{options.port}/fast")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    await server.register_namespace(URI)
    await server.nodes.objects.add_folder(ua.NodeId("Space", INDEX), f"{INDEX}:Space")
    hook(Space(*options.size))
    async with server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--size", type=int, nargs=3, default=(AREAS, MACHINES, VARIABLES), help="areas, machines in each, variables in each"
    )
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
