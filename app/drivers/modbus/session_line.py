"""Bytes to and from a device. A TCP connection here, a serial port in ``session_serial``; both on the connector's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import re
import socket
import ssl
from collections.abc import Callable
from typing import Final, Protocol

from app.errors import EndpointError

CLOSE_S: Final = 0.5
"""How long the peer may take to say goodbye (TLS) before the connection is cut."""

CONNECT_S: Final = 3.0
"""For the TCP connection: its repetitions become rare in a black hole, so a new attempt is sooner through."""


class Line(Protocol):
    """Thrown away with its session; never connects again by itself."""

    def listen(self, on_bytes: Callable[[bytes], None], on_closed: Callable[[str], None]) -> None:
        """Before ``open``. ``on_closed`` is called at most once, with why, and not after ``close``."""
        ...

    async def open(self, timeout_s: float) -> None:
        """Connect.

        Raises:
            EndpointError: Why not, and what to do.
        """
        ...

    def write(self, data: bytes) -> None:
        """Send at once. A failure is told by ``on_closed``."""
        ...

    def close(self) -> None:
        """Begin to close. Safe twice, and before ``open``."""
        ...

    async def wait_closed(self) -> None:
        """Until the socket or the port is free for somebody else."""
        ...


class TcpLine(asyncio.Protocol):
    """See ``Line``.

    Attributes:
        error: With which the connection ended; None while it lasts, and after an orderly end.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._transport: asyncio.Transport | None = None
        self._gone = asyncio.Event()
        self._gone.set()
        self._closing = False
        self.error: Exception | None = None

    def listen(self, on_bytes: Callable[[bytes], None], on_closed: Callable[[str], None]) -> None:
        self._on_bytes, self._on_closed = on_bytes, on_closed

    async def open(self, timeout_s: float) -> None:
        timeout_s = min(timeout_s, CONNECT_S)
        try:
            async with asyncio.timeout(timeout_s):
                await self._connect()
        except TimeoutError as error:
            why = f"no answer to the TCP connection within {timeout_s:g} s"
            fix = "Check the address, the cable and any firewall in between"
            raise EndpointError("Cannot connect", where=self._where, why=why, fix=fix) from error
        except OSError as error:
            why, fix = why_not_connected(error, self._port)
            raise EndpointError("Cannot connect", where=self._where, why=why, fix=fix) from error

    async def _connect(self, context: ssl.SSLContext | None = None) -> None:
        await asyncio.get_running_loop().create_connection(
            lambda: self, self._host, self._port, ssl=context, server_hostname=self._host if context else None
        )

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    async def wait_closed(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._gone.wait()
        if self._transport is not None and not self._gone.is_set():
            self._transport.abort()
            await self._gone.wait()

    # --- called by asyncio ------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._gone.clear()
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._closing:
            transport.close()

    def data_received(self, data: bytes) -> None:
        if not self._closing:
            self._on_bytes(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._gone.set()
        self.error = error
        if not self._closing:
            self._closing = True
            self._on_closed(why_lost(error))


def why_lost(error: Exception | None) -> str:
    if error is None:
        return "the device closed the connection"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "the device reset the connection"
    if isinstance(error, ssl.SSLError):
        return f"the device ended TLS: {error.reason or error}"
    return f"the connection broke: {getattr(error, 'strerror', '') or error}"


def why_not_connected(error: OSError, port: int) -> tuple[str, str]:
    """Cause and remedy. asyncio joins the errors of a name with several addresses into one text, so the numbers are read from there too."""
    if isinstance(error, socket.gaierror):
        return "no address is known for this host name", "Write the IP address, or check the name"
    numbers = {error.errno, *(int(number) for number in re.findall(r"\[Errno (\d+)\]", str(error)))}
    if isinstance(error, ConnectionRefusedError) or errno.ECONNREFUSED in numbers:
        return (
            f"connection refused: nothing listens on port {port}",
            "Check the port (Modbus TCP is 502, with TLS 802; serial converters have ports of their own) and whether the device allows it",
        )
    if isinstance(error, ConnectionResetError) or errno.ECONNRESET in numbers:
        return "the device resets the connection as soon as it is made: it may allow only one client at a time", ONE_CLIENT
    if numbers & {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return "no route to this address", "Check the address, the network cable and the VPN"
    return error.strerror or str(error), "Check the address and the network"


ONE_CLIENT: Final = (
    "Close the other program that is connected to it (the HMI, another Modbus master), or see whom the device's access list allows"
)
