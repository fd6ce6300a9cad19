"""The frame codec: what goes in comes out, and whatever else comes is a FrameError."""

from __future__ import annotations

import re
import struct
import time

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.connector import frames
from app.connector.frames import FrameError
from app.connector.payload import COLUMNS, ROW_BYTES, SAMPLE_ROWS
from app.connector.values import DEPTH_LIMIT, VALUE_BYTES
from app.drivers.base import BrowseColumns, EndpointConfig, EndpointReport, Item, ItemState, NodeDetails, WatchItem
from app.model.columns import COLUMN_DTYPES, SampleColumns
from app.model.values import INTEGER_LIMITS, Quality, Sample, Value

plain = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary()
values = st.recursive(plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=8)
times = st.integers(1, 2**62)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    kind = draw(st.sampled_from(["bool", "int16", "uint64", "float64", "string", "struct", "float32[]", "enum", "bytes"]))
    match kind:
        case "bool":
            value: object = draw(st.booleans())
        case "int16" | "uint64":
            value = draw(st.integers(*INTEGER_LIMITS[kind]))
        case "float64":
            value = draw(st.floats(allow_nan=False))
        case "enum":
            value = draw(st.integers(0, 99))
        case _:
            value = draw(values)
    quality = draw(st.sampled_from(Quality))
    if draw(st.booleans()) and quality is Quality.BAD:
        value = None
    return Sample(value, kind, quality, draw(st.integers(0, 2**32 - 1)), draw(st.none() | times), draw(st.none() | times), draw(times))


rows = st.lists(st.tuples(st.integers(0, 2**32 - 1), samples()), max_size=8)


def split(frame: bytes) -> tuple[bytes, bytes]:
    header, payload = frames.lengths(frame[:8])
    assert len(frame) == 8 + header + payload
    return frame[8 : 8 + header], frame[8 + header :]


@given(rows, st.none() | st.integers(0, 2**31))
def test_that_samples_come_through_with_value_type_and_times(rows: list[tuple[int, Sample]], token: int | None) -> None:
    frame, columns = frames.decode_to_parent(*split(frames.encode_samples(SampleColumns.of(rows), token)))
    assert isinstance(frame, frames.Samples if token is None else frames.Replied)
    assert columns is not None
    assert list(columns.samples()) == rows


TO_CHILD: list[frames.ToChild] = [
    frames.Open(config=EndpointConfig(name="A", url="opc.tcp://a:1", secret="s", settings={"x": 1.5, "y": True}), timeout_s=3),
    frames.Browse(token=1, nodes=("", "nsu=urn:x;s=ä"), resume=b"\0\xff"),
    frames.Crawl(token=2, root="", limit=10),
    frames.Read(token=3, items=(Item(address="holding:1"),)),
    frames.Details(token=4, nodes=("a",)),
    frames.Discover(token=5, url="modbus://a"),
    frames.Watch(add=(WatchItem(address="coil:1", handle=7, gain=0.5),), remove=(1, 2)),
    frames.Cancel(token=1),
    frames.Close(),
]
BROWSED = BrowseColumns(
    parent=(0, 0), id=("a", "b"), name=("A", "B"), browse_name=("", ""), path=("/A", "/B"), node_class=("object", "variable"),
    type=("", "int16"), has_children=(True, False), description=("", "text"), errors={1: "BadNodeIdUnknown"}, resume=b"more",
)  # fmt: skip
TO_PARENT: list[frames.ToParent] = [
    frames.Opened(report=EndpointReport(title="T", url="u", limits={"MaxNodesPerRead": 0}, clock_offset_s=-1.5)),
    frames.Failed(failure=frames.Failure(what="w", where="x", why="y", fix="z"), retry=False),
    frames.Lost(why="gone"),
    frames.Replied(token=9, browse=BROWSED, done=False),
    frames.Replied(token=9, details=(NodeDetails(id="a", low=1.0, enum={"0": "off"}),)),
    frames.Replied(token=9, failure=frames.Failure(what="w", where="x", why="y")),
    frames.Items(states=(ItemState(handle=1, interval_ms=250.0), ItemState(handle=2, refused="no"))),
    frames.Alive(round_trip_s=0.25),
    frames.Gap(handles=(1, 2), why="overflow", dropped=3),
    frames.Memory(rss_bytes=1 << 30),
]


@pytest.mark.parametrize("frame", TO_CHILD)
def test_that_every_request_comes_through(frame: frames.ToChild) -> None:
    assert frames.decode_to_child(*split(frames.encode(frame))) == frame


@pytest.mark.parametrize("frame", TO_PARENT)
def test_that_every_answer_comes_through(frame: frames.ToParent) -> None:
    assert frames.decode_to_parent(*split(frames.encode(frame))) == (frame, None)


def some_samples() -> SampleColumns:
    kinds = ["float64", "int16", "bool", "string", "int32[]", "uint64", "struct"]
    values: list[object] = [1.5, 7, True, "text", [1, 2], 2**63, {"a": None}]
    pairs = zip(kinds, values, strict=True)
    return SampleColumns.of([(number, Sample(value, kind, Quality.GOOD, 0, 1, 2, 3)) for number, (kind, value) in enumerate(pairs)])


VALID = [frames.encode(frame) for frame in TO_PARENT] + [frames.encode_samples(some_samples()), frames.encode_samples(some_samples(), 4)]


mutations = st.tuples(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(["set", "insert", "delete", "cut", "flip"]))


@settings(max_examples=600)
@given(st.sampled_from(VALID), st.lists(mutations, min_size=1, max_size=6))
def test_that_a_mutated_frame_decodes_or_is_a_frame_error_and_its_values_can_be_shown(
    frame: bytes, mutations: list[tuple[int, int, str]]
) -> None:
    data = bytearray(frame)
    for place, byte, how in mutations:
        at = place % max(len(data), 1)
        if how == "set" and data:
            data[at] = byte
        elif how == "flip" and data:
            data[at] ^= 1 << byte % 8
        elif how == "insert":
            data[at:at] = bytes([byte])
        elif how == "delete" and data:
            del data[at]
        else:
            del data[at:]
    begun = time.monotonic()
    try:
        header, payload = frames.lengths(bytes(data[:8]))
        _, columns = frames.decode_to_parent(bytes(data[8 : 8 + header]), bytes(data[8 + header : 8 + header + payload]))
    except FrameError:
        columns = None
    if columns is not None:
        for _, sample in columns.samples():
            assert sample.quality in Quality
    assert time.monotonic() - begun < 1


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_that_random_bytes_are_a_frame_error(header: bytes, payload: bytes) -> None:
    try:
        frames.decode_to_parent(header, payload)
    except FrameError:
        return
    assert msgspec.msgpack.decode(header)["type"]


@pytest.mark.parametrize("prefix", [b"", b"\1\0\0", b"\0" * 8, b"\1\0\0\1\0\0\0\0", b"\1\0\0\0\1\0\0\4", b"\xff" * 8])
def test_that_lengths_beyond_the_limits_are_refused_before_anything_is_read(prefix: bytes) -> None:
    with pytest.raises(FrameError):
        frames.lengths(prefix)


def test_that_a_header_that_announces_billions_of_elements_costs_neither_time_nor_memory() -> None:
    begun = time.monotonic()
    for bomb in (b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\x91" * 100_000, b"\xdd\0\xff\xff\xff" * 5_000):
        with pytest.raises(FrameError):
            frames.decode_to_parent(bomb, b"\0" * ROW_BYTES)
        with pytest.raises(FrameError):
            frames.decode_to_parent(*with_value(bomb))
    assert time.monotonic() - begun < 2


def with_value(packed: bytes) -> tuple[bytes, bytes]:
    """A frame with one sample, of a structure that is packed like this."""
    row = SampleColumns.of([(1, Sample(None, "struct", Quality.GOOD, 0, None, None, 1))])
    columns = b"".join(getattr(row, name).tobytes() for name, _ in COLUMNS)
    return msgspec.msgpack.encode({"type": "samples", "rows": 1, "objects": 1}), columns + struct.pack("<II", 0, len(packed)) + packed


MIB = 2**20


@pytest.mark.parametrize(
    "packed",
    [
        b"\xdd" + (3 * MIB).to_bytes(4, "big") + b"\x90" * 3 * MIB,
        b"\xdd" + (3 * MIB).to_bytes(4, "big") + b"\x80" * 3 * MIB,
        b"\xdc\xff\xff" + (b"\x93\x90\x90\x90" * 65_535),
        b"\x91" * (3 * MIB) + b"\xc0",
        b"\xdf" + (MIB).to_bytes(4, "big") + b"\xa0\xc0" * MIB,
        b"\xc4\x01x" * 10,
        b"\x92" + b"\xdc\x80\x00" + b"\x91\xc0" * 32_768 + b"\xc7\x01\x05x",
        msgspec.msgpack.encode("x" * (VALUE_BYTES + 1)),
    ],
    ids=["empty lists", "empty structures", "lists in lists", "deep", "one name", "two values", "a foreign type", "too long"],
)
def test_that_a_value_that_would_become_far_larger_than_it_came_is_refused(packed: bytes) -> None:
    with pytest.raises(FrameError):
        frames.decode_to_parent(*with_value(packed))


@pytest.mark.parametrize(
    "value",
    [
        [float(number) for number in range(100_000)],
        [[float(number)] * 100 for number in range(100)],
        "ü" * MIB,
        b"\x90" * MIB,
        ["\u4e2d\u6587" * 100] * 1_000,
        [b"\x90\x91" * 100] * 1_000,
        {"wide": list(range(50_000)), "texts": ["x" * 1_000] * 100, "deep": {"er": [[1, None, True]] * 9_000}},
    ],
    ids=["array", "matrix", "text", "bytes", "texts", "byte strings", "structure"],
)
def test_that_a_large_value_comes_through(value: Value) -> None:
    columns = SampleColumns.of([(1, Sample(value, "struct", Quality.GOOD, 0, None, None, 1))])
    _, got = frames.decode_to_parent(*split(frames.encode_samples(columns)))
    assert got is not None
    assert got.value(0) == value


def changed(
    columns: SampleColumns, objects: dict[int, object] | None = None, rows: int | None = None, **arrays: object
) -> tuple[bytes, bytes]:
    """A frame as a lying connector would make it, without the checks of our own encoder."""
    data = {name: arrays.get(name, getattr(columns, name)) for name in COLUMN_DTYPES}
    values = columns.objects if objects is None else objects
    bodies = [msgspec.msgpack.encode(value) for value in values.values()]
    payload = b"".join(np.asarray(data[name], dtype).tobytes() for name, dtype in COLUMNS)
    payload += struct.pack(f"<{len(values)}i", *values) + struct.pack(f"<{len(values)}I", *map(len, bodies)) + b"".join(bodies)
    header = {"type": "samples", "rows": len(columns) if rows is None else rows, "objects": len(values)}
    return msgspec.msgpack.encode(header), payload


def test_that_the_hand_made_frame_of_these_tests_is_right_when_nothing_is_changed() -> None:
    assert frames.decode_to_parent(*changed(some_samples()))[1] is not None


@pytest.mark.parametrize(
    "lie",
    [
        {"rows": 6},
        {"rows": -1},
        {"rows": 2**40},
        {"type": [99] * 7},
        {"type": [0xFF] * 7},
        {"quality": [3] * 7},
        {"objects": {}},
        {"objects": {**some_samples().objects, 7: 1}},
        {"objects": {**some_samples().objects, -1: 1}},
        {"objects": {**some_samples().objects, 3: msgspec.msgpack.Ext(5, b"x")}},
        {"objects": {**some_samples().objects, 3: {1: 2}}},
        {"number": [float("nan")] * 7},
        {"number": [float("inf")] * 7},
    ],
    ids=lambda lie: re.sub(r" object at 0x\w+", "", str(lie)),
)
def test_that_a_lie_about_samples_is_refused(lie: dict[str, object]) -> None:
    columns = some_samples()
    with pytest.raises(FrameError):
        frames.decode_to_parent(*changed(columns, **lie))  # type: ignore[arg-type]  # each lie has the right type for its place


@pytest.mark.parametrize(("rows", "is_taken"), [(SAMPLE_ROWS, True), (SAMPLE_ROWS + 1, False)])
def test_that_no_more_rows_are_taken_at_once_than_a_connector_sends(rows: int, is_taken: bool) -> None:
    columns = SampleColumns.of([(handle, Sample(1.0, "float64", Quality.GOOD, 0, None, None, 1)) for handle in range(rows)])
    frame = frames.encode_samples(columns)
    if is_taken:
        _, got = frames.decode_to_parent(*split(frame))
        assert got is not None
        assert len(got) == rows
    else:
        with pytest.raises(FrameError, match="5001 rows, at most 5000"):
            frames.decode_to_parent(*split(frame))


def test_that_a_value_nested_beyond_the_limit_is_refused() -> None:
    deep: object = 1
    for _ in range(DEPTH_LIMIT + 1):
        deep = [deep]
    columns = SampleColumns.of([(1, Sample(deep, "struct", Quality.GOOD, 0, None, None, 1))])
    with pytest.raises(FrameError):
        frames.decode_to_parent(*split(frames.encode_samples(columns)))


def test_that_a_round_trip_that_would_keep_dead_values_alive_is_refused() -> None:
    for seconds in (float("inf"), float("nan"), -1.0, 1e9):
        with pytest.raises(FrameError):
            frames.decode_to_parent(*split(frames.encode(frames.Alive(round_trip_s=seconds))))


def test_that_browse_columns_of_unequal_length_are_refused_at_both_ends() -> None:
    torn = msgspec.structs.replace(BROWSED, name=("A",))
    with pytest.raises(FrameError):
        frames.encode(frames.Replied(token=1, browse=torn))
    header = msgspec.msgpack.encode({"type": "reply", "token": 1, "browse": msgspec.to_builtins(torn)})
    with pytest.raises(FrameError):
        frames.decode_to_parent(header, b"")


def test_that_a_number_that_a_driver_left_out_becomes_none_and_not_a_broken_frame() -> None:
    columns = SampleColumns.of([(1, Sample(5, "int16", Quality.GOOD, 0, None, None, 1))])
    columns.number[0] = float("nan")
    _, got = frames.decode_to_parent(*split(frames.encode_samples(columns)))
    assert got is not None
    assert got.value(0) is None


def test_that_what_is_no_plain_data_is_not_sent() -> None:
    columns = SampleColumns.of([(1, Sample(object(), "struct", Quality.GOOD, 0, None, None, 1))])
    with pytest.raises(FrameError):
        frames.encode_samples(columns)


def test_that_no_text_of_a_frame_shows_the_secret_of_a_connection() -> None:
    frame = frames.Open(config=EndpointConfig(name="PLC", url="opc.tcp://plc:4840", secret="hunter2-canary"))
    assert "hunter2-canary" not in f"{frame!r} {frame} {frame.config!r}"
    assert b"hunter2-canary" in frames.encode(frame)
