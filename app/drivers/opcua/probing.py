"""The OPC UA hello as the probe says it: on a connection that may turn out to be anybody's. Needs no library."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from typing import Final

from app.drivers.opcua.status import status_text
from app.drivers.probe_connect import Stream

_BUFFER_BYTES: Final = 65_535
LINE_ENDS: Final = int.from_bytes(b"\r\n\r\n", "little")
"""The largest message we accept, 161 MiB: an ordinary number to an OPC UA server, and on the wire two ends of a line, upon which a web,
mail or file server that waits for a whole line says at once who it is."""

_LONGEST_REASON: Final = 4_096
_MORE_S: Final = 0.3
"""How long the rest of a greeting may take."""


@dataclass(frozen=True, slots=True)
class HelloAnswer:
    """What came upon the hello.

    Attributes:
        acknowledge: The ACK message (OPC 10000-6 §7.1.2.4), whole; b"" when something else came.
        refusal: Of an OPC UA server that does not want to talk under this URL: its status and reason.
        other: First bytes of what is not OPC UA; b"" and ``hung_up`` when it closed the connection.
    """

    acknowledge: bytes = b""
    refusal: str = ""
    other: bytes = b""
    hung_up: bool = False
    round_trip_s: float = 0.0


def hello(url: str) -> bytes:
    """OPC 10000-6 §7.1.2.3: version, receive and send buffer, largest message, most chunks, URL."""
    text = url.encode()
    body = struct.pack("<5Ii", 0, _BUFFER_BYTES, _BUFFER_BYTES, LINE_ENDS, 0, len(text)) + text
    return b"HELF" + struct.pack("<I", len(body) + 8) + body


async def greet(stream: Stream, url: str, timeout_s: float) -> HelloAnswer:
    """Say hello once.

    Raises:
        TimeoutError: Silence.
        OSError: The connection broke.
    """
    loop = asyncio.get_running_loop()
    begin_s = loop.time()
    await stream.send(hello(url))
    data = await stream.receive(timeout_s)
    took_s = loop.time() - begin_s
    if not data:
        return HelloAnswer(hung_up=True)
    size = int.from_bytes(data[4:8], "little") if len(data) >= 8 else 0
    while data[:4] in (b"ACKF", b"ERRF") and len(data) < min(size, _LONGEST_REASON):
        more = await stream.receive(max(0.0, begin_s + timeout_s - loop.time()))
        if not more:
            break
        data += more
    if data[:4] == b"ACKF" and len(data) >= 28:
        return HelloAnswer(acknowledge=data, round_trip_s=took_s)
    if data[:4] == b"ERRF":
        return HelloAnswer(refusal=_reason(data), round_trip_s=took_s)
    return HelloAnswer(other=await stream.receive_more(data, _MORE_S))


def _reason(data: bytes) -> str:
    if len(data) < 16:
        return "without a reason"
    status, length = struct.unpack_from("<Ii", data, 8)
    reason = data[16 : 16 + max(length, 0)].decode("utf-8", "replace")
    reason = "".join(letter for letter in reason if letter.isprintable())
    return status_text(status) + (f", {reason}" if reason else "")
