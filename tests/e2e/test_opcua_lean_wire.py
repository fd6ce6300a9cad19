"""Every answer to Browse and Read that a crawl of a whole server brings, decoded lean and by asyncua: plain, and signed and encrypted."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_to_binary, struct_from_binary

from app.drivers.opcua import session_browse
from app.drivers.opcua.binary import EXTENSION_OBJECT, decoded_with, passed_response_header
from app.drivers.opcua.references import Browsed
from app.drivers.opcua.session import OpcUaSession
from app.drivers.opcua.values import data_values
from app.trust.store import TrustStore
from tests.e2e.opcua_secure import made_store, peer, running, server_certificate, store
from tests.peers.opcua_connection import connected
from tests.peers.opcua_peer import opcua_peer
from tests.peers.opcua_secure_peer import SecurePeer, config
from tests.peers.opcua_secure_peer import connected as secured
from tests.unit.drivers.opcua.notification_values import NAMESPACES, plain_value, ua

__all__ = ["made_store", "peer", "running", "server_certificate", "store"]


async def answers_of_a_crawl(session: OpcUaSession) -> list[tuple[str, bytes]]:
    channel = session._services.channel
    call = channel.call_body
    heard: list[tuple[str, bytes]] = []

    async def listening(name: str, *args: Any, **named: Any) -> bytes:
        answer = await call(name, *args, **named)
        heard.append((name, answer))
        return answer

    channel.call_body = listening  # type: ignore[method-assign]  # the only place where whole answers pass
    async for page in session.crawl("nsu=http://opcfoundation.org/UA/;i=84", 3000, "values"):
        assert page.errors == {}
    return heard


def compared(heard: list[tuple[str, bytes]]) -> Counter[str]:
    """How many of each kind were the same; the first that is not fails."""
    same: Counter[str] = Counter()
    for name, data in heard:
        if name == "Read":
            theirs = struct_from_binary(ua.ReadResponse, Buffer(data)).Results
            ours = decoded_with(data_values, passed_response_header(data, NAMESPACES))
            assert len(ours) == len(theirs)
            for mine, their in zip(ours, theirs, strict=True):
                expected = their if mine.builtin == EXTENSION_OBJECT else plain_value(their)
                if mine.builtin == EXTENSION_OBJECT:  # asyncua opens those that it knows
                    assert their.Value.VariantType.value == EXTENSION_OBJECT
                else:
                    assert repr(mine) == repr(expected)
                same[f"builtin {mine.builtin}"] += 1
        elif name == "Browse":
            theirs = struct_from_binary(ua.BrowseResponse, Buffer(data)).Results
            found = Browsed(NAMESPACES).results(data)
            assert [len(one.rows) for one in found] == [len(result.References) for result in theirs]
            for one, result in zip(found, theirs, strict=True):
                for seen, their in zip(one.references, result.References, strict=True):
                    far = getattr(their.NodeId, "ServerIndex", 0)
                    asked = ua.NodeId(their.NodeId.Identifier, their.NodeId.NamespaceIndex, their.NodeId.NodeIdType)
                    assert seen.node == (b"" if far else nodeid_to_binary(asked))
                    assert (seen.namespace, seen.name) == (their.BrowseName.NamespaceIndex, their.BrowseName.Name)
                    assert (seen.display, seen.node_class) == (their.DisplayName.Text, int(their.NodeClass))
                    assert seen.type_definition == nodeid_to_binary(their.TypeDefinition)
                    same["references"] += 1
    return same


async def test_that_a_crawl_tells_many_rows_at_a_time_unless_it_is_told_how_many_parents_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_browse, "FEWEST_ROWS", 40)
    monkeypatch.setattr(session_browse, "HELD_BACK_S", 60.0)
    with opcua_peer("--many", "50") as plain:
        async with connected(plain.url) as session:
            pages = [len(page) async for page in session._browser.crawl("", 3000)]
            rounds = [page async for page in session._browser.crawl("", 3000, parents=5)]
    assert all(size >= 40 for size in pages[:-1])
    assert sum(pages) == sum(map(len, rounds)) > 200
    assert len(rounds) > len(pages)
    assert max(len(set(page.parent)) for page in rounds) == 5, "one page for each five parents, whatever is below them"


async def test_that_all_answers_of_a_plain_connection_are_decoded_as_asyncua_does() -> None:
    with opcua_peer("--many", "50") as plain:
        async with connected(plain.url) as session:
            same = compared(await answers_of_a_crawl(session))
    assert same["references"] > 2000
    assert {f"builtin {number}" for number in range(1, 23)} - same.keys() == {"builtin 16", "builtin 18"}, "XmlElement, ExpandedNodeId"


async def test_that_all_answers_of_an_encrypted_connection_are_decoded_as_asyncua_does(peer: SecurePeer, store: TrustStore) -> None:
    async with secured(config(peer.url, store, "Basic256Sha256", "SignAndEncrypt")) as (session, _):
        same = compared(await answers_of_a_crawl(session))
    assert same["references"] > 2000
    assert same["builtin 21"] > 100
