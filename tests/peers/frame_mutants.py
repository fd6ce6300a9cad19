"""Frames of a connector that went wrong: good ones of every kind, and mutants of them. Seeded, so that each can be made again."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator

import msgspec
import numpy as np

from app.connector import frames
from app.connector.payload import COLUMNS
from app.drivers.base import (
    BrowseColumns,
    EndpointReport,
    Exchange,
    ItemState,
    Learned,
    NodeAttribute,
    NodeDetails,
    OfferedEndpoint,
)
from app.model.columns import SampleColumns
from app.model.plant import Identity
from app.model.values import Quality, Sample

HANDLES = range(1, 21)
HOSTILE: tuple[object, ...] = (
    -1, 0, 2**31, 2**32, 2**63 - 1, -(2**63), 2**64 - 1,
    float("nan"), float("inf"), -1e308, "", "x" * 20_000, "\0\u202e", b"", b"\xff" * 64,
    None, True, [], {}, [[]] * 100,
    {"a": {}}, [None] * 10_000, {"": None}, msgspec.msgpack.Ext(5, b"x"), msgspec.msgpack.Ext(-1, b"\xff" * 8),
)  # fmt: skip


def samples(seed: int = 0, rows: int = 20) -> SampleColumns:
    kinds: list[tuple[str, object]] = [
        ("float64", 1.5), ("int16", -7), ("bool", True), ("string", "text"), ("int32[]", [1, 2]), ("uint64", 2**63),
        ("struct", {"a": None, "b": [{"c": 1.5}]}), ("datetime", "2026-03-01T12:30:15Z"), ("bytes", b"\x00\xff"), ("enum", 3),
    ]  # fmt: skip
    pairs = []
    for row in range(rows):
        kind, value = kinds[(seed + row) % len(kinds)]
        pairs.append((HANDLES[row % len(HANDLES)], Sample(value, kind, Quality.GOOD, 0, 10**18, 10**18, 10**18)))
    return SampleColumns.of(pairs)


def opened() -> bytes:
    report = EndpointReport(
        title="Peer 1.0", url="sim://x", namespaces=("urn:a",), offered=(OfferedEndpoint(url="u", policy="None", mode="None"),),
        units=(1, 2), limits={"MaxNodesPerRead": 100}, round_trip_s=0.01, clock_offset_s=0.5, notes=("a note",),
        identity=Identity(application_uri="urn:peer"), found={"read": 50}, granted={"session time-out": "60 s"},
    )  # fmt: skip
    return frames.encode(frames.Opened(report=report))


def items() -> bytes:
    return frames.encode(frames.Items(states=tuple(ItemState(handle=handle, interval_ms=100.0, note="n") for handle in HANDLES)))


BROWSE = BrowseColumns(
    parent=(0, 0), id=("a", "b"), name=("A", "B"), browse_name=("", ""), path=("/A", "/B"), node_class=("object", "variable"),
    type=("", "int16"), has_children=(True, False), description=("", "text"), errors={1: "BadNodeIdUnknown"}, resume=b"more",
)  # fmt: skip
FAILURE = frames.Failure(what="w", where="x", why="y", fix="z", code="certificate", evidence=b"DER")


def failed() -> bytes:
    return frames.encode(frames.Failed(failure=FAILURE))


def parted_reply() -> tuple[bytes, bytes]:
    """A part of a reply that has more, and the last one."""
    return frames.encode(frames.Replied(token=9, browse=BROWSE, done=False, more=True)), frames.encode(
        frames.Replied(token=9, browse=BROWSE, done=False)
    )


def good() -> list[bytes]:
    """One of each kind; what a connector never sends by itself, such as an answer that nobody asked for, as well."""
    details = (NodeDetails(id="a", low=1.0, high=2.0, enum={"0": "off"}, attributes=(NodeAttribute(name="n", text="t"),)),)
    exchange = Exchange(at_ns=10**18, sent=True, size=12, text="Read", data=b"abc", round_trip_s=0.1)
    return [
        opened(),
        items(),
        frames.encode_samples(samples()),
        frames.encode_samples(samples(3, 200)),
        frames.encode_samples(samples(5), 7),
        failed(),
        frames.encode(frames.Lost(why="gone")),
        *parted_reply(),
        frames.encode(frames.Replied(token=9, details=details)),
        frames.encode(frames.Replied(token=9, failure=FAILURE)),
        frames.encode(frames.Replied(token=9, answer=b"\x81\xa4type\xa4alive")),
        frames.encode(frames.Alive(round_trip_s=0.25)),
        frames.encode(frames.Gap(handles=(1, 2), why="overflow", dropped=3)),
        frames.encode(frames.Taught(learned=Learned(limits={"read": 10}, quarantined={"a": "b"}))),
        frames.encode(frames.Traced(exchanges=(exchange,) * 3, dropped=1)),
        frames.encode(frames.Memory(rss_bytes=1 << 27)),
    ]


def mutants(seed: int, count: int) -> Iterator[bytes]:
    """One after the other, each of one good frame (or two)."""
    chance, sound = random.Random(seed), good()
    ways = (_flipped, _set, _cut, _grown, _spliced, _lengths, _header, _header, _column, _column, _objects, _bomb)
    for _ in range(count):
        way = chance.choice(ways)
        yield way(chance, chance.choice(sound), chance.choice(sound))


def _parts(frame: bytes) -> tuple[bytes, bytes]:
    header, _ = frames.lengths(frame[:8])
    return frame[8 : 8 + header], frame[8 + header :]


def framed(header: bytes, payload: bytes) -> bytes:
    return struct.pack("<II", len(header), len(payload)) + header + payload


def _flipped(chance: random.Random, frame: bytes, _: bytes) -> bytes:
    """Past the lengths as a rule: a wrong length ends it all at once."""
    data = bytearray(frame)
    for _bit in range(chance.randint(1, 8)):
        data[chance.randrange(0 if chance.random() < 0.1 else 8, len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _set(chance: random.Random, frame: bytes, _: bytes) -> bytes:
    data = bytearray(frame)
    at = chance.randrange(8, len(data))
    for offset in range(chance.choice([1, 1, 2, 4, 8])):
        if at + offset < len(data):
            data[at + offset] = chance.choice([0, 0x7F, 0x80, 0x90, 0xC1, 0xC7, 0xD6, 0xDD, 0xDF, 0xFF, chance.randrange(256)])
    return bytes(data)


def _cut(chance: random.Random, frame: bytes, _: bytes) -> bytes:
    header, payload = _parts(frame)
    whole = header + payload
    begin = chance.randrange(len(whole))
    end = min(len(whole), begin + chance.randint(1, 16))
    if end <= len(header):
        return framed(header[:begin] + header[end:], payload)
    return framed(header, payload[: max(begin - len(header), 0)] + payload[end - len(header) :])


def _grown(chance: random.Random, frame: bytes, _: bytes) -> bytes:
    header, payload = _parts(frame)
    more = chance.randbytes(chance.randint(1, 64))
    at = chance.randrange(len(header) + 1)
    return framed(header, payload + more) if chance.random() < 0.5 else framed(header[:at] + more + header[at:], payload)


def _spliced(_: random.Random, frame: bytes, other: bytes) -> bytes:
    return framed(_parts(frame)[0], _parts(other)[1])


def _lengths(chance: random.Random, frame: bytes, _: bytes) -> bytes:
    header, payload = struct.unpack("<II", frame[:8])
    edge = (0, 1, header - 1, header + 1, frames.HEADER_LIMIT, frames.PAYLOAD_LIMIT, 2**31 - 1, 2**31, 2**32 - 1)
    if chance.random() < 0.5:
        header = chance.choice(edge)
    else:
        payload = chance.choice(edge)
    return struct.pack("<II", max(header, 0), max(payload, 0)) + frame[8:]


def _header(chance: random.Random, frame: bytes, other: bytes) -> bytes:
    """The header's own fields, with values that they should not have, at any depth."""
    header, payload = _parts(frame)
    tree = msgspec.msgpack.decode(header)
    _spoil(chance, tree, msgspec.msgpack.decode(_parts(other)[0]))
    return framed(msgspec.msgpack.encode(tree), payload)


def _spoil(chance: random.Random, tree: object, other: dict[str, object]) -> None:
    while True:
        keys: list[object] = list(tree) if isinstance(tree, dict) else list(range(len(tree))) if isinstance(tree, list) else []
        if not keys:
            return
        key = chance.choice([key for key in keys if key != "type" or chance.random() < 0.1] or keys)
        inner = tree[key]  # type: ignore[index]  # one of its own
        if isinstance(inner, dict | list) and inner and chance.random() < 0.7:
            tree = inner
            continue
        replaced: object = chance.choice([*HOSTILE, *other.values()])
        if isinstance(tree, dict) and chance.random() < 0.15:
            del tree[key]
        elif isinstance(tree, dict) and chance.random() < 0.1:
            tree[chance.choice(["rows", "objects", "token", "more", "x"])] = replaced
        else:
            tree[key] = replaced  # type: ignore[index]
        return


def _column(chance: random.Random, frame: bytes, _: bytes) -> bytes:
    """One column of good samples with other numbers in it, the frame itself as it should be."""
    columns = samples(chance.randrange(10), chance.choice([1, 20, 2_000]))
    name, dtype = chance.choice(COLUMNS)
    array = getattr(columns, name).astype(dtype)
    raw = np.frombuffer(chance.randbytes(array.itemsize * 3), dtype)
    array[chance.randrange(len(array)) :: chance.randint(1, 5)] = chance.choice([raw[0], raw[1], raw[2]])
    body = b"".join((array if one == name else getattr(columns, one)).astype(kind).tobytes() for one, kind in COLUMNS)
    return framed(*_samples_of(columns, body, list(columns.objects), [msgspec.msgpack.encode(value) for value in columns.objects.values()]))


def _samples_of(columns: SampleColumns, body: bytes, rows: list[int], values: list[bytes], count: int | None = None) -> tuple[bytes, bytes]:
    places = np.array(rows, np.int64).astype("<u4").tobytes() + np.array(list(map(len, values)), "<u4").tobytes()
    header = {"type": "samples", "rows": len(columns), "objects": len(rows) if count is None else count}
    return msgspec.msgpack.encode(header), body + places + b"".join(values)


def _objects(chance: random.Random, frame: bytes, _: bytes) -> bytes:
    """Values that are none, of the wrong row, twice, too few, too many, or hostile."""
    columns = samples(chance.randrange(10))
    body = b"".join(getattr(columns, name).astype(dtype).tobytes() for name, dtype in COLUMNS)
    rows, values = list(columns.objects), [msgspec.msgpack.encode(value) for value in columns.objects.values()]
    at = chance.randrange(len(rows))
    change: Callable[[], object] = chance.choice(
        [
            lambda: values.__setitem__(at, msgspec.msgpack.encode(chance.choice(HOSTILE))),
            lambda: values.__setitem__(at, chance.randbytes(chance.randint(0, 40))),
            lambda: rows.__setitem__(at, chance.choice([0, rows[0], len(columns), 2**32 - 1])),
            lambda: (rows.pop(at), values.pop(at)),
        ]
    )
    change()
    count = chance.choice([None, None, None, 0, len(rows) + 1, 2**31, -1])
    return framed(*_samples_of(columns, body, rows, values, count))


def _bomb(chance: random.Random, frame: bytes, _: bytes) -> bytes:
    """Much in little: what becomes far larger, or slower, than it came. A rare one, as each is large."""
    size = chance.choice([1_000, 10_000, 100_000] * 10 + [frames.HEADER_LIMIT - 200])
    element = chance.choice([b"\x90", b"\x80", b"\x91\xc0", b"\x81\xa0\xc0", b"\x01", b"\xa0", b"\xc0", b"\xdd\xff\xff\xff\xff", b"\x91"])
    much = b"\xdd" + (size // len(element)).to_bytes(4, "big") + element * (size // len(element))
    if chance.random() < 0.5:
        columns = SampleColumns.of([(1, Sample(None, "struct", Quality.GOOD, 0, None, None, 1))])
        body = b"".join(getattr(columns, name).astype(dtype).tobytes() for name, dtype in COLUMNS)
        return framed(*_samples_of(columns, body, [0], [much]))
    place = chance.choice(
        [b"\x82\xa4type\xa3gap\xa7handles", b"\x83\xa4type\xa5reply\xa5token\x09\xa6browse\x81\xa2id", b"\x82\xa4type\xa5items\xa6states"]
    )
    return framed(place + much, b"")
