"""Servers that a discovery server lists, and those that announce themselves; on 127.0.0.1 only."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import pytest
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from app.drivers.opcua.announced import SERVICE
from app.drivers.opcua.discovery import answer
from app.drivers.probe_questions import Announced, FindOnNetwork, FindServers, FoundServer, Listened
from app.drivers.questions import Anywhere
from app.errors import EndpointError, UserError
from tests.peers.discovery_server import UNKNOWN_HOST
from tests.peers.listeners import listener, web
from tests.peers.server_process import free_port


@pytest.fixture(scope="module")
def lister() -> Iterator[int]:
    port, dead = free_port(), free_port()
    command = [sys.executable, "-m", "tests.peers.discovery_server", str(port), str(dead)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield port
    process.kill()
    process.communicate()


async def servers(url: str) -> list[FoundServer]:
    return [found async for found in answer(FindServers(url=url)) if isinstance(found, FoundServer)]


async def test_that_every_listed_server_is_asked_and_an_unknown_name_is_replaced_with_a_note(lister: int) -> None:
    found = {server.name: server for server in await servers(f"opc.tcp://127.0.0.1:{lister}")}
    assert set(found) == {"Elsewhere", "Switched off", "Web only", "A client"}
    elsewhere = found["Elsewhere"]
    assert elsewhere.urls == (f"opc.tcp://{UNKNOWN_HOST}:{lister}/lister",)
    assert elsewhere.url == f"opc.tcp://127.0.0.1:{lister}/lister"
    assert f'listed as "{UNKNOWN_HOST}"' in elsewhere.note
    assert "127.0.0.1, which answered, is used instead" in elsewhere.note
    assert elsewhere.report is not None
    assert elsewhere.report.offered[0].advice


async def test_that_a_listed_server_that_cannot_be_used_says_why(lister: int) -> None:
    found = {server.name: server for server in await servers(f"opc.tcp://127.0.0.1:{lister}")}
    assert "nothing listens" in found["Switched off"].trouble
    assert "opc.tcp" in found["Web only"].trouble
    assert found["A client"].kind == "client"
    assert found["A client"].trouble
    assert not any(found[name].url for name in ("Switched off", "Web only", "A client"))


async def test_that_a_closed_port_and_another_protocol_say_so() -> None:
    with pytest.raises(EndpointError, match="nothing listens"):
        await servers(f"opc.tcp://127.0.0.1:{free_port()}")
    async with listener(web) as found:
        with pytest.raises(EndpointError, match="a web server"):
            await servers(f"opc.tcp://127.0.0.1:{found.port}")
    with pytest.raises(UserError):
        await servers("modbus://127.0.0.1")


@pytest.fixture
async def announcing() -> AsyncIterator[ServiceInfo]:
    """A server announced on the loopback only: nothing leaves this computer."""
    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])
    info = ServiceInfo(
        SERVICE,
        f"Filler 1.{SERVICE}",
        port=4841,
        parsed_addresses=["127.0.0.1"],
        properties={"path": "/UA", "caps": "DA,HD"},
        server="filler1.local.",
    )
    await (await zeroconf.async_register_service(info))
    yield info
    await zeroconf.async_unregister_all_services()
    await zeroconf.async_close()


async def heard(question: Anywhere) -> tuple[list[Listened], list[Announced]]:
    listened: list[Listened] = []
    found: list[Announced] = []
    async for one in answer(question):
        listened += [one] if isinstance(one, Listened) else []
        found += [one] if isinstance(one, Announced) else []
    return listened, found


async def test_that_a_server_that_announces_itself_is_heard_with_its_address(announcing: ServiceInfo) -> None:
    listened, found = await heard(FindOnNetwork(seconds=2.0, addresses=("127.0.0.1",)))
    assert [one.trouble for one in listened] == [""]
    assert [(one.name, one.url, one.capabilities) for one in found] == [("Filler 1", "opc.tcp://127.0.0.1:4841/UA", ("DA", "HD"))]


async def test_that_without_an_interface_there_is_nothing_to_listen_on() -> None:
    with pytest.raises(EndpointError, match="no network"):
        await heard(FindOnNetwork(seconds=1.0, addresses=("203.0.113.1",)))
