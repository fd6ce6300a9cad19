"""Who answers at an address: the first message of OPC UA (OPC 10000-6 §7.1.2), sent by hand on a connection of its own.

The library reports a closed port, a web server and silence alike, as a time-out. A person needs to know which it is.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from time import monotonic
from urllib.parse import urlsplit

from app.drivers.opcua.status import status_text
from app.errors import EndpointError

_BUFFER_BYTES = 65_535
_LONGEST_REASON = 4_096
STEP_S = 3.0
"""For the socket, and for the answer to hello: the repetitions of TCP become rare in a black hole, so a new attempt is sooner through."""
_CONNECT = "Cannot connect"


def hello_message(url: str) -> bytes:
    text = url.encode()
    body = struct.pack("<5I", 0, _BUFFER_BYTES, _BUFFER_BYTES, 0, 0) + struct.pack("<i", len(text)) + text
    return b"HELF" + struct.pack("<I", len(body) + 8) + body


async def greet(url: str, timeout_s: float) -> float:
    """Connect, say hello, hang up.

    Returns:
        Seconds from hello to acknowledge.

    Raises:
        EndpointError: Name unknown, port closed, silence, refusal, or another protocol; each told apart.
    """
    timeout_s = min(timeout_s, STEP_S)
    reader, writer = await _connect(url, timeout_s)
    try:
        async with asyncio.timeout(timeout_s):
            begin = monotonic()
            writer.write(hello_message(url))
            head = await _first_bytes(reader)
            if head[:4] == b"ACKF":
                return monotonic() - begin
            raise await _refusal(url, head, reader)
    except TimeoutError:
        why = f"the port accepts connections but did not answer an OPC UA hello within {timeout_s:g} s"
        raise EndpointError(_CONNECT, where=url, why=why, fix="Check the port: is it really the OPC UA server's?") from None
    except OSError as error:
        why = f"the connection was closed instead of an answer ({_reason(error)})"
        raise EndpointError(_CONNECT, where=url, why=why, fix="Check the port, and whether the server has connections left") from error
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _connect(url: str, timeout_s: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 4840
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.open_connection(host, port)
    except TimeoutError:
        why = f"no answer from {host} within {timeout_s:g} s"
        raise EndpointError(_CONNECT, where=url, why=why, fix="Check the address, the cable, VPN and firewall") from None
    except socket.gaierror as error:
        fix = "Check the spelling, or use the IP address"
        raise EndpointError(_CONNECT, where=url, why=f"the host name {host} is unknown ({_reason(error)})", fix=fix) from error
    except ConnectionRefusedError as error:
        why = f"{host} is there, but nothing listens on port {port} (connection refused)"
        raise EndpointError(_CONNECT, where=url, why=why, fix="Check the port, and that the server is running") from error
    except OSError as error:
        raise EndpointError(_CONNECT, where=url, why=_reason(error), fix="Check the address, the cable, VPN and firewall") from error


async def _first_bytes(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readexactly(8)
    except asyncio.IncompleteReadError as error:
        return error.partial


async def _refusal(url: str, head: bytes, reader: asyncio.StreamReader) -> EndpointError:
    if head[:4] == b"ERRF":
        body = await reader.read(_LONGEST_REASON)
        if len(body) >= 8:
            status, length = struct.unpack_from("<Ii", body)
            reason = body[8 : 8 + max(length, 0)].decode("utf-8", "replace")
            why = f"the server refused the hello: {status_text(status)}" + (f", {reason}" if reason else "")
            return EndpointError(_CONNECT, where=url, why=why, fix="Check the path of the URL against the server's own")
    if not head:
        why = "the port accepted the connection and closed it without an answer"
        return EndpointError(_CONNECT, where=url, why=why, fix="Check the port, and whether the server has connections left")
    kind = "a web server" if head.startswith(b"HTTP") else f"something that begins with {head!r}"
    return EndpointError(_CONNECT, where=url, why=f"what answers is not OPC UA but {kind}", fix="Check the port")


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
