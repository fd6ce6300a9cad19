"""One TCP connection for the probe: made to a given address, read with deadlines, and why it could not be made, told apart."""

from __future__ import annotations

import asyncio
import errno
import socket
from dataclasses import dataclass
from typing import Final, Literal

Refusal = Literal["refused", "no answer", "unreachable"]

_UNREACHABLE: Final = {
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.EADDRNOTAVAIL,
    errno.EHOSTDOWN,
    errno.EACCES,
    errno.EPERM,
    errno.ENETDOWN,
}
_CHUNK: Final = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """A resolved address. ``text`` is the IP address; ``family`` and ``address`` are those of the socket module, the port left out."""

    family: int
    text: str
    scope: int = 0

    def with_port(self, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
        return (self.text, port) if self.family == socket.AF_INET else (self.text, port, 0, self.scope)


class NotConnectedError(Exception):
    """Attributes: ``kind``: which it is. ``words``: what the system says."""

    def __init__(self, kind: Refusal, words: str) -> None:
        self.kind: Refusal = kind
        self.words = words
        super().__init__(words)


async def resolve(host: str, timeout_s: float) -> list[Place]:
    """Addresses of a host in the order in which the system prefers them, each once; an IP address is its own.

    Raises:
        socket.gaierror: The name is not known.
        TimeoutError: No name server answered.
    """
    async with asyncio.timeout(timeout_s):
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    places = [
        Place(family, str(address[0]).partition("%")[0], int(address[3]) if len(address) > 3 else 0)
        for family, _, _, _, address in found
        if family in (socket.AF_INET, socket.AF_INET6)
    ]
    return list(dict.fromkeys(places))


class Stream:
    """A connection, and what came over it so far. ``close`` is safe twice."""

    def __init__(self, sock: socket.socket, place: Place, port: int) -> None:
        self.socket, self.place, self.port = sock, place, port

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def receive(self, timeout_s: float, most: int = _CHUNK) -> bytes:
        """What came; b"" when the peer hung up. Raises TimeoutError when nothing did, OSError when the connection broke."""
        async with asyncio.timeout(timeout_s):
            return await asyncio.get_running_loop().sock_recv(self.socket, most)

    async def receive_more(self, begun: bytes, within_s: float, most: int = _CHUNK) -> bytes:
        """``begun`` and what else comes within a while, for a greeting that arrives in pieces."""
        end_s = asyncio.get_running_loop().time() + within_s
        while len(begun) < most:
            try:
                more = await self.receive(max(0.0, end_s - asyncio.get_running_loop().time()))
            except (TimeoutError, OSError):
                break
            if not more:
                break
            begun += more
        return begun[:most]

    def close(self) -> None:
        self.socket.close()


async def connect(place: Place, port: int, timeout_s: float) -> Stream:
    """Connect once.

    Raises:
        NotConnectedError: Refused, no answer, or no way there.
    """
    sock = socket.socket(place.family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.get_running_loop().sock_connect(sock, place.with_port(port))
    except TimeoutError as error:
        sock.close()
        raise NotConnectedError("no answer", f"nothing within {timeout_s:g} s") from error
    except OSError as error:
        sock.close()
        raise _told_apart(error) from error
    except BaseException:
        sock.close()
        raise
    return Stream(sock, place, port)


def _told_apart(error: OSError) -> NotConnectedError:
    words = error.strerror or str(error)
    if isinstance(error, ConnectionRefusedError):
        return NotConnectedError("refused", words)
    if error.errno in _UNREACHABLE:
        return NotConnectedError("unreachable", words)
    return NotConnectedError("no answer", words)
