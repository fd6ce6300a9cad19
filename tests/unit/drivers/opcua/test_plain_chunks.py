"""The short way of plain messages against asyncua's own, and what it leaves to that."""

from __future__ import annotations

import asyncio
import struct

import pytest
from asyncua import ua
from asyncua.client.ua_client import UASocketProtocol
from asyncua.common.connection import TransportLimits
from asyncua.crypto.security_policies import SecurityPolicyNone

from app.drivers.opcua.session_plain_chunks import encoded, taken

CHANNEL, TOKEN, SEQUENCE, REQUEST = 7, 11, 41, 5


def opened() -> UASocketProtocol:
    """A protocol as it is after OpenSecureChannel, with one request under way."""
    protocol = UASocketProtocol(1.0, SecurityPolicyNone(), limits=TransportLimits(65_536, 65_536, 0, 0))  # type: ignore[no-untyped-call]  # asyncua's
    connection = protocol._connection
    connection.security_token.ChannelId, connection.security_token.TokenId = ua.UInt32(CHANNEL), ua.UInt32(TOKEN)
    connection._peer_sequence_number, connection._sequence_number = SEQUENCE, 99
    protocol._callbackmap[REQUEST] = asyncio.get_running_loop().create_future()
    return protocol


def chunk(
    body: bytes = b"body", *, kind: bytes = b"MSGF", channel: int = CHANNEL, token: int = TOKEN, sequence: int = SEQUENCE + 1
) -> bytes:
    return struct.pack("<4sIIIII", kind, 24 + len(body), channel, token, sequence, REQUEST) + body


async def test_that_a_plain_message_has_the_same_bytes_as_the_library_gives_it() -> None:
    ours, theirs = opened(), opened()
    for body in (b"x", bytes(range(256)) * 100):
        assert encoded(ours, body, REQUEST) == theirs._connection.message_to_binary(body, request_id=REQUEST)
    assert ours._connection._sequence_number == theirs._connection._sequence_number == 101


async def test_that_an_answer_reaches_who_waits_for_it_and_the_next_one_must_follow() -> None:
    protocol = opened()
    answer = protocol._callbackmap[REQUEST]
    assert taken(protocol, chunk())
    assert bytes(await answer) == b"body"
    assert REQUEST not in protocol._callbackmap
    assert protocol._connection._peer_sequence_number == SEQUENCE + 1


@pytest.mark.parametrize(
    "data",
    [
        chunk(kind=b"MSGA"),
        chunk(kind=b"MSGC", sequence=SEQUENCE + 2),
        chunk(kind=b"OPNF"),
        chunk(channel=CHANNEL + 1),
        chunk(token=TOKEN + 1),
        chunk(sequence=SEQUENCE),
        chunk(sequence=SEQUENCE + 2),
    ],
)
async def test_that_what_is_not_plain_or_not_next_is_left_to_the_library(data: bytes) -> None:
    protocol = opened()
    assert not taken(protocol, data)
    assert not protocol._callbackmap[REQUEST].done()
    assert protocol._connection._peer_sequence_number == SEQUENCE


@pytest.mark.parametrize("by_library", [(), (0,), (1,), (2,), (0, 1), (1, 2)])
async def test_that_an_answer_of_several_chunks_is_put_together_whichever_way_each_of_them_goes(by_library: tuple[int, ...]) -> None:
    protocol = opened()
    answer = protocol._callbackmap[REQUEST]
    chunks = [chunk(bytes((number,)) * 3, kind=b"MSGF" if number == 2 else b"MSGC", sequence=SEQUENCE + 1 + number) for number in range(3)]
    for number, one in enumerate(chunks):
        assert not answer.done()
        if number in by_library:
            protocol.data_received(one)
        else:
            assert taken(protocol, one)
    assert bytes(await answer) == bytes((0, 0, 0, 1, 1, 1, 2, 2, 2))
    assert protocol._connection._incoming_parts == []
    assert protocol._connection._incoming_size == 0


async def test_that_a_chunk_of_another_answer_in_between_is_left_to_the_library() -> None:
    protocol = opened()
    protocol._callbackmap[REQUEST + 1] = asyncio.get_running_loop().create_future()
    assert taken(protocol, chunk(kind=b"MSGC"))
    other = struct.pack("<4sIIIII", b"MSGF", 28, CHANNEL, TOKEN, SEQUENCE + 2, REQUEST + 1) + b"body"
    assert not taken(protocol, other)
    assert not protocol._callbackmap[REQUEST + 1].done()


async def test_that_a_message_larger_than_one_chunk_and_a_traced_one_go_the_general_way() -> None:
    protocol = opened()
    assert encoded(protocol, bytes(65_536), REQUEST) is None
    protocol._connection.message_to_binary = lambda *_, **__: b""  # type: ignore[method-assign]  # as the trace does
    assert encoded(protocol, b"body", REQUEST) is None
    assert not taken(protocol, chunk())


async def test_that_an_answer_to_a_request_given_up_is_thrown_away() -> None:
    protocol = opened()
    protocol._callbackmap[REQUEST].cancel()
    assert taken(protocol, chunk())
    assert REQUEST not in protocol._callbackmap
