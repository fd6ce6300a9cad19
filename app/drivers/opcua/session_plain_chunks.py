"""Messages without security, OPC 10000-6 §6.7.2, past asyncua's general way, which makes seven objects of each chunk.

Nothing is left out that the general way checks: channel, security token, a sequence number that rises by one, and the chunks of one message
behind each other. Whatever is not plain (security, a request of several chunks, an aborted answer, a new token, a number that jumped, a
trace that looks on) goes that way; it decides, and says what is wrong. Chunks of one answer may go either way, in turn.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from asyncua import ua
from asyncua.client.ua_client import UASocketProtocol
from asyncua.common.connection import MessageChunk
from asyncua.common.utils import Buffer

_HEAD: Final = struct.Struct("<4sIIIII")
"""Kind and finality, size, channel id, token id, sequence number, request id."""
_FINAL: Final = b"MSGF"
_MORE: Final = b"MSGC"
_LAST_SEQUENCE: Final = 0xFFFF_FC00 - 1
"""Where numbers may begin anew (OPC 10000-6 §6.7.2.4) is left to the library."""
_HOOKS: Final = frozenset({"message_to_binary", "receive_from_header_and_body"})


def encoded(protocol: UASocketProtocol, message: bytes, number: int) -> bytes | None:
    """The message as it is sent with this request id; None where it is not plain."""
    connection = protocol._connection
    size = _HEAD.size + len(message)
    if not _is_plain(protocol) or size > connection._limits.max_send_buffer or connection._sequence_number >= _LAST_SEQUENCE:
        return None
    connection._sequence_number += 1
    token = connection.security_token
    return _HEAD.pack(_FINAL, size, token.ChannelId, token.TokenId, connection._sequence_number, number) + message


def taken(protocol: UASocketProtocol, chunk: bytes) -> bool:
    """Hand the answer that a whole chunk completes to who waits for it; False where it is not plain, and nothing was done."""
    if not chunk.startswith((_FINAL, _MORE)) or not _is_plain(protocol):
        return False
    connection = protocol._connection
    kind, _, channel, token, sequence, number = _HEAD.unpack_from(chunk)
    known = connection.security_token
    last = connection._peer_sequence_number
    if (channel, token) != (known.ChannelId, known.TokenId) or last is None or sequence != last + 1 or sequence > _LAST_SEQUENCE:
        return False
    answer = protocol._callbackmap.get(number)
    parts: list[Any] = connection._incoming_parts  # Any: its MessageChunk says nothing of its attributes
    if answer is None or protocol.receive_buffer or (parts and parts[0].SequenceHeader.RequestId != number):
        return False
    connection._peer_sequence_number = sequence
    body = chunk[_HEAD.size :]
    if kind == _MORE:
        parts.append(MessageChunk(connection.security_policy.symmetric_cryptography, body))
        parts[-1].SequenceHeader.RequestId = number
        connection._incoming_size += len(body)
        return True
    if parts:
        body = b"".join([*(part.Body for part in parts), body])
        connection._drop_incoming_parts()
    del protocol._callbackmap[number]
    if not answer.done():  # it may have been given up
        answer.set_result(Buffer(body))
    return True


def _is_plain(protocol: UASocketProtocol) -> bool:
    connection = protocol._connection
    return connection.security_policy.Mode == ua.MessageSecurityMode.None_ and _HOOKS.isdisjoint(vars(connection))
