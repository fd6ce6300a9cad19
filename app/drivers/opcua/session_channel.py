"""One TCP connection with its secure channel and session, on asyncua's transport; everything that keeps it alive or ends it.

Of asyncua's ``Client`` only the steps are used, not ``connect()``: its supervisor, stale watchdog and publish loop swallow losses that a
person must see (they retry for ever, or drop items with a log line). One private member is called, ``UaClient._send_request``.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import TypeVar

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary
from asyncua.ua.uaerrors._base import UaError, UaStatusCodeError

from app.drivers.opcua.binary import DecodingError
from app.drivers.opcua.hello import greet
from app.drivers.opcua.status import status_text
from app.errors import EndpointError

log = logging.getLogger(__name__)

SESSION_TIMEOUT_MS = 60_000
"""The server forgets a vanished client's session, and frees its subscriptions, after this time."""

RENEW_AT = 0.75
"""Share of a security token's lifetime after which it is renewed, OPC 10000-4 §5.5.2.1."""

_CLOSE_S = 1.0
_NONE_POLICY = "http://opcfoundation.org/UA/SecurityPolicy#None"
_ANSWER = TypeVar("_ANSWER")

# What the library logs is said by our own errors and events, once and with the address; its warnings repeat per request.
if logging.getLogger("asyncua").level == logging.NOTSET:
    logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)


class ServiceError(EndpointError):
    """The server answered a whole request with a bad status.

    Attributes:
        status: StatusCode of the fault.
    """

    def __init__(self, url: str, request: str, status: int) -> None:
        self.status = status
        super().__init__(f"{request} refused", where=url, why=status_text(status))


class Channel:
    """See the module. Used on one event loop, for one attempt.

    Attributes:
        lost: Set to the reason when the connection is gone; ``on_lost`` is called with it once.
        bytes_s: ``monotonic()`` when the last byte came.
        round_trip_s: Of the latest probe, at first of the hello.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self.url = url
        self.timeout_s = timeout_s
        self.lost = ""
        self.on_lost: Callable[[str], None] = lambda _: None
        self.bytes_s = 0.0
        self.round_trip_s = 0.0
        self._client = Client(url, timeout=timeout_s)
        self._client.name = self._client.description = "Tagloom"
        self._client.application_uri = f"urn:{socket.gethostname()}:tagloom"
        self._client.product_uri = "urn:tagloom"
        self._client.session_timeout = SESSION_TIMEOUT_MS
        self._renewal: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()
        self._closing = False
        self._has_session = False

    async def open_unsecured(self, timeout_s: float) -> None:
        """Hello, socket and a secure channel without security; no session yet.

        Raises:
            EndpointError: Which of the steps failed and why.
        """
        self.round_trip_s = await greet(self.url, timeout_s)
        await self._step("opening the connection", self._client.connect_socket())
        protocol = self._client.uaclient.protocol
        if protocol is None:
            raise self._error("opening the connection", "the connection closed at once")
        receive, forget = protocol.data_received, protocol.on_connection_lost

        def data_received(data: bytes) -> None:
            self.bytes_s = monotonic()
            receive(data)

        def connection_lost(error: Exception | None) -> None:
            if forget is not None:
                forget(error)
            self._gone.set()
            self.end(f"the connection was lost: {error}" if error else "the server closed the connection")

        protocol.data_received = data_received  # type: ignore[method-assign]  # the only place that sees every byte
        protocol.on_connection_lost = connection_lost
        self.bytes_s = monotonic()
        await self._step("the OPC UA hello", self._client.send_hello())
        await self._step("opening the secure channel", self._client.open_secure_channel())

    async def offered(self) -> list[ua.EndpointDescription]:
        """The ways to connect that the server offers. Needs no session."""
        return await self._step("asking for the endpoints", self._client.get_endpoints())

    async def start_session(self) -> None:
        """Session for an anonymous user without security. Sends no password, whatever is configured.

        Raises:
            EndpointError: The server does not want this.
        """
        await self._step("creating the session", self._client.create_session())
        self._has_session = True
        await self._step("activating the session", self._client.activate_session())
        self._renewal = asyncio.create_task(self._keep_renewed(), name="opcua channel renewal")

    async def call(self, request: object, *, timeout_s: float | None = None) -> bytes:
        """Send one service request and give its whole answer, from the type id on.

        Args:
            request: An asyncua request structure.
            timeout_s: None is the endpoint's own; 0 waits for ever (Publish).

        Raises:
            ServiceError: The server answered with a fault.
            EndpointError: No answer, or the connection is gone.
        """
        name = type(request).__name__.removesuffix("Request")
        if self.lost:
            raise self._error(name, self.lost)
        try:
            return bytes(await self._client.uaclient._send_request(request, timeout_s))
        except UaStatusCodeError as error:
            raise ServiceError(self.url, name, error.code) from error
        except TimeoutError as error:
            raise self._error(name, f"no answer within {self.timeout_s if timeout_s is None else timeout_s:g} s") from error
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
        protocol = self._client.uaclient.protocol
        if protocol is None:
            return
        if not self._gone.is_set() and self._has_session:
            with suppress(TimeoutError, ConnectionError, UaError):
                async with asyncio.timeout(_CLOSE_S):
                    await self._client.uaclient.close_session(True)
        if not self._gone.is_set():
            with suppress(ConnectionError, UaError):
                await self._client.close_secure_channel()
        transport = protocol.transport
        self._client.disconnect_socket()
        if transport is not None:
            transport.abort()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await self._gone.wait()

    def abort(self) -> None:
        """Drop the socket without a word."""
        protocol = self._client.uaclient.protocol
        if protocol is not None and protocol.transport is not None:
            protocol.transport.abort()

    async def _keep_renewed(self) -> None:
        try:
            while True:
                await asyncio.sleep(self._client.secure_channel_timeout / 1000 * RENEW_AT)
                await self._client.open_secure_channel(renew=True)
                self._client.uaclient.revolve_security_token()
        except (TimeoutError, ConnectionError, UaError) as error:
            self.end(f"the secure channel could not be renewed: {error or type(error).__name__}")

    async def _step(self, doing: str, work: Awaitable[_ANSWER]) -> _ANSWER:
        try:
            return await work
        except UaStatusCodeError as error:
            raise self._error(doing, status_text(error.code)) from error
        except TimeoutError as error:
            raise self._error(doing, f"no answer within {self.timeout_s:g} s") from error
        except (OSError, UaError) as error:
            raise self._error(doing, str(error) or type(error).__name__) from error

    def _error(self, doing: str, why: str) -> EndpointError:
        fix = "Try again; if it stays, the server's own log says more"
        return EndpointError("Cannot talk to the server", where=self.url, why=f"{doing}: {why}", fix=fix)


def is_unsecured(endpoint: ua.EndpointDescription) -> bool:
    return bool(endpoint.SecurityPolicyUri == _NONE_POLICY)
