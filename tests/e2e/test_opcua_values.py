"""What the OPC UA session browses, reads and watches of a real server in another process: names, paths, every type, statuses."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from app.drivers.base import Item, WatchItem
from app.drivers.opcua.session import OpcUaSession
from app.drivers.opcua.spec import SPEC
from app.model.values import Quality
from tests.peers.opcua_connection import connected, first_samples
from tests.peers.opcua_peer import LINE, OpcUaPeer, opcua_peer

WHEN = "2026-03-01T12:30:15.123456Z"
WHEN_NS = int(datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC).timestamp()) * 10**9 + 123_456_000
RECIPE = {
    "Name": "Cola", "State": 2, "Start": {"X": 1.0, "Y": 2.0}, "Points": [{"X": 3.0, "Y": 4.0}], "Steps": [5, -6], "Made": WHEN,
}  # fmt: skip

EXPECTED: dict[str, tuple[str, object]] = {
    "Types.Boolean": ("bool", True),
    "Types.SByte": ("int8", -128),
    "Types.Byte": ("uint8", 255),
    "Types.Int16": ("int16", -32768),
    "Types.UInt16": ("uint16", 65535),
    "Types.Int32": ("int32", -(2**31)),
    "Types.UInt32": ("uint32", 2**32 - 1),
    "Types.Int64": ("int64", -(2**63)),
    "Types.UInt64": ("uint64", 2**64 - 1),
    "Types.Float": ("float32", 1.5),
    "Types.Double": ("float64", 0.1),
    "Types.String": ("string", "Füller ☃"),
    "Types.DateTime": ("datetime", WHEN),
    "Types.Guid": ("guid", "09087e75-8e5e-499b-954f-f2a9603db28a"),
    "Types.ByteString": ("bytes", b"\x00\xff"),
    "Types.NodeId": ("string", LINE + "s=x;y"),
    "Types.QualifiedName": ("string", "Speed"),
    "Types.LocalizedText": ("string", "Ventil"),
    "Types.StatusCode": ("uint32", 0x80340000),
    "Types.Doubles": ("float64[]", [1.0, 2.5]),
    "Types.Strings": ("string[]", ["a", "b"]),
    "Types.Times": ("datetime[]", [WHEN, WHEN]),
    "Types.Matrix": ("int32[]", [[1, 2, 3], [4, 5, 6]]),
    "Structures.Recipe": ("struct", RECIPE),
    "Structures.Recipes": ("struct[]", [RECIPE]),
    "Structures.Maybe": ("struct", {"A": 1}),
    "Structures.Sure": ("struct", {"A": 1, "B": "b"}),
    "Structures.Either": ("struct", {"Text": "word"}),
    "Structures.Unknown": ("struct", {"raw": "AQID", "type": LINE + "i=987654"}),
    "State": ("enum", 2),
    'we;ird="ü" ': ("string", "odd"),
}


@pytest.fixture(scope="module")
def peer() -> Iterator[OpcUaPeer]:
    with opcua_peer("--many", "1000") as running:
        yield running


@pytest.fixture
def own_peer() -> Iterator[Callable[..., OpcUaPeer]]:
    peers: list[OpcUaPeer] = []

    def start(*options: str) -> OpcUaPeer:
        peers.append(OpcUaPeer(*options))
        return peers[-1]

    yield start
    for one in peers:
        one.kill()


# --- browsing


async def test_that_the_root_shows_objects_first(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        root = await session.browse([""])
    assert root.name == ("Objects", "Types", "Views")
    assert root.path == ("", "/Types", "/Views")


async def test_that_children_come_with_path_type_and_names(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        line = await session.browse([LINE + "s=Line1"])
    rows = {node_id: place for place, node_id in enumerate(line.id)}
    speed, weird, types = rows[LINE + "i=1003"], rows[LINE + 's=we;ird="ü" '], rows[LINE + "s=Types"]
    assert (line.path[speed], line.type[speed], line.node_class[speed]) == ("Line1/Speed", "float64", "variable")
    assert (line.path[weird], line.browse_name[weird]) == ("Line1/We&/i&.rd", "We/i.rd")
    assert (line.type[types], line.node_class[types]) == ("FolderType", "object")
    assert line.type[rows[LINE + "s=State"]] == "enum"
    assert line.description[rows[LINE + "i=2001"]] == "At the inlet"
    filled = [name for name in line.__struct_fields__ if isinstance(getattr(line, name), tuple) and name not in ("value", "status")]
    assert len({len(getattr(line, name)) for name in filled}) == 1
    assert (line.value, line.status) == ((), ()), "nobody asked for values"


async def test_that_a_thousand_children_cost_a_handful_of_requests(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        before = sum(session.requests.values())
        big = await session.browse([LINE + "s=Big"])
        cost = sum(session.requests.values()) - before
    assert len(big) == 1000
    assert set(big.type) == {"float64"}
    assert cost <= 12, session.requests


async def test_that_continuation_points_are_followed_and_nothing_is_missing(own_peer: Callable[..., OpcUaPeer]) -> None:
    paged = own_peer("--many", "250", "--page", "40")
    async with connected(paged.url) as session:
        big = await session.browse([LINE + "s=Big", LINE + "s=Line1"])
        assert session.requests["browse next"] >= 6
    assert len([parent for parent in big.parent if parent == 0]) == 250
    assert len(set(big.id)) == len(big)


async def test_that_a_cancelled_browse_gives_its_continuation_points_back(own_peer: Callable[..., OpcUaPeer]) -> None:
    paged = own_peer("--many", "250", "--page", "1")
    points = Item(address=LINE + "s=Points")
    async with connected(paged.url) as session, connected(paged.url) as watcher:
        browsing = asyncio.create_task(session.browse([LINE + "s=Big"]))
        async with asyncio.timeout(10.0):
            while session.requests.get("browse next", 0) < 3:  # noqa: ASYNC110  it has no event to wait for
                await asyncio.sleep(0)
        browsing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await browsing
        async with asyncio.timeout(5.0):
            before = (await watcher.read([points])).sample(0).source_ns
            while (now := (await watcher.read([points])).sample(0)).source_ns == before:  # noqa: ASYNC110  the peer is polled
                await asyncio.sleep(0.02)
        assert now.value == 0
        assert len(await session.browse([LINE + "s=Line1"])) > 5


async def test_that_nodes_that_cannot_be_browsed_are_said_and_the_others_still_come(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        found = await session.browse([LINE + "s=Line1", LINE + "s=Nowhere", "nsu=urn:other;i=1", "nonsense"])
    assert set(found.errors) == {1, 2, 3}
    assert "BadNodeId" in found.errors[1]
    assert "no namespace urn:other" in found.errors[2]
    assert set(found.parent) == {0}


async def test_that_crawling_meets_each_node_once_in_spite_of_cycles(peer: OpcUaPeer) -> None:
    seen: list[str] = []
    paths: dict[str, str] = {}
    parents: list[int] = []
    async with connected(peer.url) as session:
        async for part in session.crawl(LINE + "s=Line1", 10_000):
            seen.extend(part.id)
            parents.extend(part.parent)
            paths |= dict(zip(part.id, part.path, strict=True))
        assert len(await _crawled(session, LINE + "s=Line1", 7)) == 7
    assert len(seen) == len(set(seen))
    assert LINE + "s=Line1" not in seen
    assert paths[LINE + "s=Types.Double"] == "Line1/Types/Double"
    assert all(0 <= parent <= row for row, parent in enumerate(parents))
    assert seen[parents[seen.index(LINE + "s=Types.Double")] - 1] == LINE + "s=Types"


async def _crawled(session: OpcUaSession, root: str, limit: int) -> list[str]:
    return [node_id async for part in session.crawl(root, limit) for node_id in part.id]


async def test_that_a_server_that_bears_few_operations_is_served_in_small_requests(own_peer: Callable[..., OpcUaPeer]) -> None:
    narrow = own_peer("--many", "60", "--most", "7")
    async with connected(narrow.url) as session:
        big = await session.browse([LINE + "s=Big"])
        assert len(big) == 60
        columns = await session.read([Item(address=address) for address in big.id])
        assert [columns.value(row) for row in range(60)] == [float(number) for number in range(60)]
        states = await session.set_watch([WatchItem(address=address, handle=row) for row, address in enumerate(big.id)], [])
        assert not any(state.refused for state in states)
        before = session.requests["read"]
        await session.read([Item(address=address) for address in big.id])
        assert session.requests["read"] - before <= 60 // 4 + 1, "the size that passed was not kept"


# --- reading


async def test_that_every_type_is_read_with_its_value(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        columns = await session.read([Item(address=f"{LINE}s={name}") for name in EXPECTED])
    found = {name: columns.sample(row) for row, name in enumerate(EXPECTED)}
    assert {name: (sample.type, sample.value) for name, sample in found.items()} == EXPECTED
    assert all(sample.quality is Quality.GOOD and sample.source_ns and sample.server_ns for sample in found.values())


async def test_that_every_type_is_watched_with_its_value(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        items = [WatchItem(address=f"{LINE}s={name}", handle=row, interval_ms=100) for row, name in enumerate(EXPECTED)]
        states = await session.set_watch(items, [])
        assert [(state.handle, state.refused) for state in states] == [(row, "") for row in range(len(EXPECTED))]
        samples = await first_samples(session.events(), set(range(len(EXPECTED))))
    assert {name: (samples[row].type, samples[row].value) for row, name in enumerate(EXPECTED)} == EXPECTED


async def test_that_statuses_come_through_reading_and_watching(peer: OpcUaPeer) -> None:
    names = ("Bad", "Uncertain", "Limited")
    async with connected(peer.url) as session:
        read = await session.read([Item(address=f"{LINE}s={name}") for name in names])
        await session.set_watch([WatchItem(address=f"{LINE}s={name}", handle=row) for row, name in enumerate(names)], [])
        watched = await first_samples(session.events(), {0, 1, 2})
    for row, (status, quality) in enumerate([(0x808A0000, Quality.BAD), (0x40900000, Quality.UNCERTAIN), (0x100, Quality.GOOD)]):
        for sample in (read.sample(row), watched[row]):
            assert (sample.status, sample.quality, sample.source_ns) == (status, quality, WHEN_NS)


async def test_that_what_cannot_be_read_is_bad_in_its_place(peer: OpcUaPeer) -> None:
    addresses = [LINE + "s=Nowhere", LINE + "s=Types.Double", "nsu=urn:other;i=1", "nonsense", LINE + "s=Line1"]
    async with connected(peer.url) as session:
        columns = await session.read([Item(address=address) for address in addresses])
    assert list(columns.handle) == [0, 1, 2, 3, 4]
    assert [SPEC.status_text(int(status)).split()[0] for status in columns.status] == [
        "BadNodeIdUnknown", "Good", "BadNodeIdUnknown", "BadNodeIdInvalid", "BadAttributeIdInvalid",
    ]  # fmt: skip
    assert list(columns.quality) == [2, 0, 2, 2, 2]
    assert columns.value(0) is None


async def test_that_gain_and_offset_scale_numbers_and_leave_the_rest(peer: OpcUaPeer) -> None:
    names = ("Types.Int16", "Types.Doubles", "Types.Boolean", "State", "Types.String")
    async with connected(peer.url) as session:
        columns = await session.read([Item(address=f"{LINE}s={name}", gain=0.5, offset=1.0) for name in names])
    assert [(columns.sample(row).type, columns.value(row)) for row in range(5)] == [
        ("float64", -16383.0), ("float64[]", [1.5, 2.25]), ("bool", True), ("enum", 2), ("string", "Füller ☃"),
    ]  # fmt: skip


async def test_that_a_browse_path_is_resolved_and_reported_as_a_node_address(peer: OpcUaPeer) -> None:
    by_uri = SPEC.parse_address("/Objects/2:Line1/2:We&/i&.rd", namespaces=("", "", "urn:peer:line;1"))
    async with connected(peer.url) as session:
        found = await session.details([by_uri, "/Objects/2:Line1/2:Speed", "/Objects/2:Nowhere"])
    assert [details.id for details in found[:2]] == [LINE + 's=we;ird="ü" ', LINE + "i=1003"]
    assert "BadNoMatch" in found[2].error


async def test_that_details_tell_unit_range_access_and_every_attribute(peer: OpcUaPeer) -> None:
    async with connected(peer.url) as session:
        pressure, state, folder, gone = await session.details([LINE + "i=2001", LINE + "s=State", LINE + "s=Line1", LINE + "s=Nowhere"])
    assert (pressure.unit, pressure.low, pressure.high, pressure.access) == ("BAR", 0.0, 16.0, "rw")
    assert (pressure.path, pressure.type, pressure.description) == ("Line1/Pressure", "float64", "At the inlet")
    lines = {attribute.name: attribute.text for attribute in pressure.attributes}
    assert lines["DataType"] == "Double (nsu=http://opcfoundation.org/UA/;i=11)"
    assert lines["AccessLevel"] == "read, write"
    assert (lines["ValueRank"], lines["Value"], lines["EURange"], lines["EngineeringUnits"]) == ("scalar", "2.5", "0.0 … 16.0", "bar (BAR)")
    assert state.enum == {"0": "Off", "1": "Idle", "2": "Run"}
    assert folder.node_class == "object"
    assert gone.error == "BadNodeIdUnknown (0x80340000)"
