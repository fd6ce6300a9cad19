"""What a probe may meet that is neither OPC UA nor Modbus: small listeners on 127.0.0.1, in the test's own loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """Attributes: ``connections``: how many were made. ``received``: all that came, one entry for each connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connections = 0
        self.received: list[bytes] = []


@asynccontextmanager
async def listener(talk: Talk, context: ssl.SSLContext | None = None) -> AsyncIterator[Listener]:
    found = Listener(0)
    open_ones: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        open_ones.add(writer)
        try:
            await talk(_Noting(reader, found), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            open_ones.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        for writer in list(open_ones):
            writer.transport.abort()
        await server.wait_closed()


class _Noting(asyncio.StreamReader):
    """The reader of a connection, whose bytes are noted."""

    def __init__(self, reader: asyncio.StreamReader, listener: Listener) -> None:
        super().__init__()
        self._reader, self._listener = reader, listener
        self._number = len(listener.received)
        listener.received.append(b"")

    async def read(self, n: int = -1) -> bytes:
        data = await self._reader.read(n)
        self._listener.received[self._number] += data
        return data

    async def readline(self) -> bytes:
        data = await self._reader.readline()
        self._listener.received[self._number] += data
        return data


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(4096):
        pass


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(4096)


async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Waits for a whole line, as web servers do."""
    await reader.readline()
    writer.write(b"HTTP/1.1 400 Bad Request\r\nServer: GoAhead-Webs\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speaks first, in two pieces."""
    writer.write(b"SSH-2.0-")
    await writer.drain()
    await asyncio.sleep(0)
    writer.write(b"dropbear\r\n")
    await writer.drain()
    await reader.read(4096)
    await reader.read(4096)


def server_context(folder: Path, *, wants_certificate: bool = False) -> ssl.SSLContext:
    """TLS with a certificate made for this test."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "meter 7")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "listener.pem"
    path.write_bytes(private + certificate.public_bytes(encoding))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    if wants_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(path)
    return context
