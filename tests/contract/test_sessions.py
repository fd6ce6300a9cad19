"""What every driver keeps, whatever its protocol. A new driver is found by itself; to be run live it adds one peer below."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec import structs

from app.drivers import open_session, spec_for, specs
from app.drivers.base import Alive, Ended, EndpointConfig, Item, Session, Spec, WatchItem
from app.drivers.snapshot.lines import AttributeLine, DetailsLine
from app.errors import EndpointError, UserError
from app.model.columns import COLUMN_DTYPES, SampleColumns
from app.model.values import Quality
from tests.peers.modbus_peer import modbus_peer
from tests.peers.opcua_peer import LINE, OpcUaPeer
from tests.peers.server_process import free_port
from tests.unit.drivers.snapshot.making import tree_lines, variable, write

SPECS = list(specs().values())
every_spec = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.key)


@dataclass
class Peer:
    """A real device: ``good`` can be read, ``missing`` cannot, each of them alone."""

    url: str
    good: str
    missing: str
    kill: Callable[[], None]


def _opcua() -> Peer:
    peer = OpcUaPeer()
    return Peer(peer.url, LINE + "s=Types.Double", LINE + "s=Nowhere", peer.kill)


def _modbus() -> Peer:
    port = free_port()
    stack = contextlib.ExitStack()
    stack.enter_context(modbus_peer(port))
    return Peer(f"modbus://127.0.0.1:{port}?unit=1", "holding:10:int16", "holding:200:int16", stack.close)


def _snapshot() -> Peer:
    """A file; it is gone as a stick is that somebody pulls out."""
    path = Path(tempfile.mkdtemp()) / "line.tagloom-snapshot"
    now_ns = time.time_ns()
    line = variable("Double", 2.5, "float64")
    assert line.sample is not None
    line = structs.replace(line, sample=structs.replace(line.sample, receive_ns=now_ns))
    write(path, tree_lines(structs.replace(line, details=DetailsLine(attributes=(AttributeLine("NodeId", line.id, ""),)))))

    def kill() -> None:
        path.unlink(missing_ok=True)
        if path.parent.exists():
            path.parent.rmdir()

    return Peer(f"snapshot:{path}", line.id, line.id + ".nowhere", kill)


PEERS: dict[str, Callable[[], Peer]] = {"opcua": _opcua, "modbus": _modbus, "snapshot": _snapshot}


@pytest.fixture(params=sorted(specs()), scope="module")
def driver(request: pytest.FixtureRequest) -> str:
    key: str = request.param
    return key


@pytest.fixture(scope="module")
def peer(driver: str) -> Iterator[Peer]:
    running = PEERS[driver]()
    yield running
    running.kill()


@contextlib.asynccontextmanager
async def connected(peer: Peer):  # type: ignore[no-untyped-def]  # an async generator; the decorator types the result
    session = open_session(EndpointConfig(name="peer", url=peer.url))
    try:
        await session.open(10.0)
        yield session
    finally:
        await session.close()


# --- spec


def test_that_every_driver_has_a_peer_to_be_run_against() -> None:
    assert set(PEERS) == set(specs())


def test_that_no_two_drivers_claim_one_scheme() -> None:
    schemes = [scheme for spec in SPECS for scheme in spec.schemes]
    assert len(schemes) == len(set(schemes))
    assert all(spec_for(f"{scheme}:x") is spec for spec in SPECS for scheme in spec.schemes)


@every_spec
def test_that_a_spec_is_whole(spec: Spec) -> None:
    assert isinstance(spec, Spec)
    assert specs()[spec.key] is spec
    assert spec.title
    assert 0 <= spec.default_port < 65536
    names = [field.name for field in spec.settings]
    assert len(names) == len(set(names))
    for field in spec.settings:
        kinds = {"bool": bool, "int": int, "float": float, "text": str, "choice": str}
        assert type(field.default) is kinds[field.kind], field.name
        assert field.title
        if field.kind == "choice":
            assert field.default in field.choices
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            assert field.low is None or field.low <= field.default
            assert field.high is None or field.default <= field.high


@every_spec
def test_that_a_spec_imports_no_protocol_library(spec: Spec) -> None:
    code = f"import sys, app.drivers.{spec.key}.spec; print([n for n in ('asyncua', 'pymodbus') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@every_spec
@pytest.mark.parametrize("nonsense", ["", " ", "nonsense", "http://host", "\x00", "::::"])
def test_that_nonsense_is_refused_with_a_reason_and_an_example(spec: Spec, nonsense: str) -> None:
    for parse in (spec.parse_url, spec.parse_address):
        with pytest.raises(UserError) as refused:
            parse(nonsense)
        assert refused.value.why
        assert refused.value.fix


@every_spec
def test_that_status_zero_is_good_and_any_other_has_a_name_and_its_number(spec: Spec) -> None:
    assert spec.status_text(0).startswith("Good")
    for status in (1, 2, 0x80340000, 0xFFFFFFFF):
        text = spec.status_text(status)
        assert text.endswith(")")
        assert "(" in text
        assert text == spec.status_text(status)


# --- session


async def test_that_a_session_has_the_whole_protocol(peer: Peer) -> None:
    session = open_session(EndpointConfig(name="peer", url=peer.url))
    await session.close()  # one that was never opened
    assert not {name for name in vars(Session) if not name.startswith("_")} - set(dir(session))


async def test_that_nothing_there_is_an_endpoint_error_with_the_address_and_a_way_on(driver: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"{specs()[driver].schemes[0]}://127.0.0.1:{closed.getsockname()[1]}"
        session = open_session(EndpointConfig(name="nothing", url=url))
        with pytest.raises(EndpointError) as refused:
            await session.open(5.0)
        await session.close()
        await session.close()
    assert "127.0.0.1" in refused.value.where
    assert refused.value.why
    assert refused.value.fix


async def test_that_opening_tells_what_answered(peer: Peer) -> None:
    session = open_session(EndpointConfig(name="peer", url=peer.url))
    try:
        report = await session.open(10.0)
    finally:
        await session.close()
        await session.close()
    assert report.title
    assert report.url
    assert report.round_trip_s > 0


async def test_that_the_canonical_address_is_stable(peer: Peer, driver: str) -> None:
    spec = specs()[driver]
    for address in (peer.good, peer.missing):
        canonical = spec.parse_address(address)
        assert spec.parse_address(canonical) == canonical
        assert spec.short_address(canonical)
        assert all(text for pair in spec.describe(canonical).items() for text in pair)


async def test_that_reading_keeps_order_and_length_and_does_not_raise_for_one_item(peer: Peer, driver: str) -> None:
    async with connected(peer) as session:
        columns = await session.read([Item(address=peer.missing), Item(address=peer.good), Item(address=peer.good, gain=2.0)])
        assert len(await session.read([])) == 0
    assert list(columns.handle) == [0, 1, 2]
    assert {name: getattr(columns, name).dtype.str for name in COLUMN_DTYPES} == {
        name: dtype.replace("u1", "|u1") for name, dtype in COLUMN_DTYPES.items()
    }
    assert [Quality(int(quality)) for quality in columns.quality] == [Quality.BAD, Quality.GOOD, Quality.GOOD]
    assert columns.status[0] != 0
    assert columns.value(0) is None
    assert columns.value(2) == 2 * columns.value(1)
    assert columns.sample(2).type == "float64"
    assert (columns.sample(1).source_ns is not None) == specs()[driver].source_times
    assert abs(int(columns.receive_ns[1]) - time.time_ns()) < 60e9


async def test_that_the_tree_has_a_root_and_an_unknown_node_is_an_error_in_its_place(peer: Peer) -> None:
    async with connected(peer) as session:
        root = await session.browse([""])
        assert len(root) > 0
        again = await session.browse(["nonsense", root.id[0]])
    assert 0 in again.errors
    assert 1 not in again.errors
    assert set(again.parent) <= {1}
    columns = {name: getattr(root, name) for name in root.__struct_fields__ if isinstance(getattr(root, name), tuple)}
    assert set(columns) >= {"parent", "id", "name", "path", "node_class", "type", "has_children", "value", "status"}
    for name, column in columns.items():
        assert len(column) == len(root) or (name in ("value", "status") and not column), name


async def test_that_details_come_in_order_with_an_error_where_there_is_nothing(peer: Peer) -> None:
    async with connected(peer) as session:
        good, bad = await session.details([peer.good, "nonsense"])
    assert not good.error
    assert good.attributes
    assert good.type
    assert bad.error


async def test_that_watching_tells_values_and_life_and_ends_with_the_session(peer: Peer) -> None:
    async with connected(peer) as session:
        states = await session.set_watch([WatchItem(address=peer.good, handle=77, interval_ms=100)], [])
        assert [(state.handle, state.refused) for state in states] == [(77, "")]
        assert states[0].interval_ms is not None
        seen: set[type] = set()
        events = session.events()
        async with asyncio.timeout(10.0):
            async for event in events:
                seen.add(type(event))
                if isinstance(event, SampleColumns):
                    assert set(event.handle) == {77}
                if {SampleColumns, Alive} <= seen:
                    break
        assert await session.set_watch([], [77]) == []
        await session.close()
        async with asyncio.timeout(5.0):
            assert [type(event) async for event in events][-1:] in ([Ended], [])


async def test_that_a_killed_device_ends_the_session_and_then_nothing_more_comes(driver: str) -> None:
    peer = PEERS[driver]()
    try:
        async with connected(peer) as session:
            await session.set_watch([WatchItem(address=peer.good, handle=1, interval_ms=100)], [])
            events = session.events()
            async with asyncio.timeout(15.0):
                async for event in events:
                    if isinstance(event, SampleColumns):
                        break
                peer.kill()
                rest = [event async for event in events]
        assert isinstance(rest[-1], Ended)
        assert rest[-1].why
        assert sum(isinstance(event, Ended) for event in rest) == 1
    finally:
        peer.kill()
