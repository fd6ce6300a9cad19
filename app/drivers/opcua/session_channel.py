"""The connection of one attempt: found without security, opened again with it where that is asked for, kept alive, and ended once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from urllib.parse import urlsplit

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.crypto.security_policies import SecurityPolicy
from asyncua.ua.ua_binary import struct_from_binary
from asyncua.ua.uaerrors._base import UaError, UaStatusCodeError

from app.drivers.opcua.binary import DecodingError
from app.drivers.opcua.hello import greet
from app.drivers.opcua.session_trace import Trace
from app.drivers.opcua.session_transport import TOKEN_LIFETIME_MS, Transport
from app.drivers.opcua.status import status_text
from app.errors import EndpointError

RENEW_AT: Final = 0.75
"""Share of a security token's lifetime after which it is renewed, OPC 10000-4 §5.5.2.1."""

_SHORTEST_LIFETIME_S: Final = 1.0
"""A server that grants less is renewed no more often: it could keep us busy with nothing else."""

_ANSWER = TypeVar("_ANSWER")

# What the library logs is said by our own errors and events, once and with the address; its warnings repeat per request.
if logging.getLogger("asyncua").level == logging.NOTSET:
    logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)
logging.getLogger("asyncua.client.ua_client").setLevel(logging.CRITICAL + 1)  # whoever turns the rest on: it logs requests with passwords


class ServiceError(EndpointError):
    """The server answered a whole request with a bad status.

    Attributes:
        status: StatusCode of the fault.
    """

    def __init__(self, url: str, request: str, status: int) -> None:
        self.status = status
        super().__init__(f"{request} refused", where=url, why=status_text(status))


class NoAnswerError(EndpointError):
    """A request was sent and nothing came back in time; whether the connection is gone is another question."""


class Channel:
    """See the module. Used on one event loop, for one attempt.

    Attributes:
        lost: Set to the reason when the connection is gone; ``on_lost`` is called with it once.
        bytes_s: ``monotonic()`` when the last byte came; set forward, silence counts from there.
        round_trip_s: Of the latest probe, at first of the hello.
        lifetime_ms: Of a security token, as asked for.
        why_not_renewed: Asked when a renewal failed; what it answers is added to the reason.
    """

    def __init__(self, url: str, timeout_s: float, trace: Trace | None = None) -> None:
        self.url = url
        self.timeout_s = timeout_s
        self.lost = ""
        self.on_lost: Callable[[str], None] = lambda _: None
        self.round_trip_s = 0.0
        self.lifetime_ms = TOKEN_LIFETIME_MS
        self.why_not_renewed: Callable[[], Awaitable[str]] | None = None
        parts = urlsplit(url)
        self._address = parts.hostname or "", parts.port or 4840
        self._trace = trace
        self._transport: Transport | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._renewing = False
        self._closing = False

    @property
    def bytes_s(self) -> float:
        return self._transport.bytes_s if self._transport is not None else 0.0

    @bytes_s.setter
    def bytes_s(self, moment_s: float) -> None:
        if self._transport is not None:
            self._transport.bytes_s = moment_s

    @property
    def granted_lifetime_ms(self) -> int:
        return self._transport.lifetime_ms if self._transport is not None else 0

    @property
    def error_status(self) -> int:
        """Of the error message with which the server ended the connection, 0 while there was none."""
        return self._transport.error_status if self._transport is not None else 0

    async def open_unsecured(self, timeout_s: float) -> None:
        """Hello, socket and a secure channel without security; no session yet.

        Raises:
            EndpointError: Which of the steps failed and why.
        """
        self.round_trip_s = await greet(self.url, timeout_s)
        host, port = self._address
        await self._open(Transport(self.url, host, port, timeout_s=self.timeout_s, lifetime_ms=self.lifetime_ms))

    async def reopen(self, url: str, host: str, port: int, policy: SecurityPolicy | None, timeout_s: float) -> None:
        """The same server on another connection, with the security that the project asks for.

        Raises:
            EndpointError: Which of the steps failed and why.
        """
        last, self._transport = self._transport, None
        if last is not None:
            last.on_gone = lambda _: None
            await last.close()
        await self._open(Transport(url, host, port, timeout_s=timeout_s, policy=policy, lifetime_ms=self.lifetime_ms))

    async def _open(self, transport: Transport) -> None:
        self._transport = transport
        transport.on_gone = self._gone
        if self._trace is not None:
            transport.on_connected, transport.on_sent = self._trace.attach, self._trace.body_sent
        await transport.open()

    async def offered(self) -> list[ua.EndpointDescription]:
        """The ways to connect that the server offers. Needs no session."""
        return await self._connected().get_endpoints()

    async def offered_now(self) -> list[ua.EndpointDescription]:
        """The same, asked on a connection of its own, which is closed again."""
        transport = Transport(self.url, *self._address, timeout_s=self.timeout_s)
        try:
            await transport.open()
            return await transport.get_endpoints()
        finally:
            await transport.close()

    async def create_session(self, wanted: ua.CreateSessionParameters) -> ua.CreateSessionResult:
        return await self._connected().create_session(wanted)

    async def activate_session(self, wanted: ua.ActivateSessionParameters) -> ua.ActivateSessionResult:
        """From here on the channel is renewed by itself."""
        result = await self._connected().activate_session(wanted)
        self._connected().timeout_s = self.timeout_s
        self._renewal = asyncio.create_task(self._keep_renewed(), name="opcua channel renewal")
        return result

    async def call(self, request: object, *, timeout_s: float | None = None) -> bytes:
        """Send one service request and give its whole answer, from the type id on.

        Args:
            request: An asyncua request structure.
            timeout_s: None is the endpoint's own; 0 waits for ever (Publish).

        Raises:
            ServiceError: The server answered with a fault, or ended the connection with an error message (``lost`` is set then).
            NoAnswerError: No answer in time.
            EndpointError: The connection is gone.
        """
        allowed_s = self.timeout_s if timeout_s is None else timeout_s
        name = type(request).__name__.removesuffix("Request")
        return await self._answered(name, allowed_s, lambda: self._connected().send(request, allowed_s))

    async def call_body(self, name: str, type_id: int, body: bytes, *, timeout_s: float | None = None, count: int = 0) -> bytes:
        """``call`` with a request that is encoded already, see ``Transport.send_body``.

        Raises:
            EndpointError: As ``call``.
        """
        allowed_s = self.timeout_s if timeout_s is None else timeout_s
        return await self._answered(name, allowed_s, lambda: self._connected().send_body(name, type_id, body, allowed_s, count=count))

    async def _answered(self, name: str, allowed_s: float, send: Callable[[], Awaitable[bytes]]) -> bytes:
        if self.lost:
            raise self._error(name, self.lost)
        try:
            return await send()
        except UaStatusCodeError as error:
            raise ServiceError(self.url, name, error.code) from error
        except TimeoutError as error:
            raise self._error(name, f"no answer within {allowed_s:g} s", NoAnswerError) from error
        except (ConnectionError, UaError) as error:
            raise self._error(name, self.lost or str(error)) from error

    async def ask(self, request: object, answer: type[_ANSWER]) -> _ANSWER:
        """``call`` with the answer decoded by asyncua; its ServiceResult is checked.

        Raises:
            EndpointError: As ``call``, or the answer cannot be decoded.
        """
        data = await self.call(request)
        name = type(request).__name__.removesuffix("Request")
        try:
            decoded = struct_from_binary(answer, Buffer(data))
        except Exception as error:  # the library's decoder leaks IndexError, TypeError, AttributeError, struct.error
            raise self._error(name, f"the answer cannot be decoded ({type(error).__name__}: {error})") from DecodingError(str(error))
        result: int = decoded.ResponseHeader.ServiceResult.value  # type: ignore[attr-defined]  # every answer has one
        if result >> 30:
            raise ServiceError(self.url, name, result)
        return decoded

    def end(self, why: str) -> None:
        """The connection is of no use any more; ``on_lost`` hears it once. After ``close`` nothing is said."""
        if self.lost or self._closing:
            return
        self.lost = why
        self.on_lost(why)

    async def close(self) -> None:
        """Leave politely within a second, then hang up. Safe twice."""
        self._closing = True
        self.lost = self.lost or "closed"
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)
            self._renewal = None
        if self._transport is not None:
            await self._transport.close()

    def abort(self) -> None:
        """Drop the socket without a word."""
        if self._transport is not None:
            self._transport.abort()

    def _gone(self, error: Exception | None) -> None:
        if not self._renewing:  # a renewal that fails says why itself
            self.end(f"the connection was lost: {error}" if error else "the server closed the connection")

    async def _keep_renewed(self) -> None:
        transport = self._connected()
        try:
            while True:
                await asyncio.sleep(max(transport.lifetime_ms / 1000, _SHORTEST_LIFETIME_S) * RENEW_AT)
                self._renewing = True
                await transport.open_channel(renew=True)
                self._renewing = False
        except EndpointError as error:
            more = await self.why_not_renewed() if self.why_not_renewed is not None else ""
            self.end(more or f"the secure channel could not be renewed: {error.why}")

    def _connected(self) -> Transport:
        if self._transport is None:
            raise self._error("sending", "the connection is closed")
        return self._transport

    def _error(self, doing: str, why: str, kind: type[EndpointError] = EndpointError) -> EndpointError:
        fix = "Try again; if it stays, the server's own log says more"
        return kind("Cannot talk to the server", where=self.url, why=f"{doing}: {why}", fix=fix)
