"""One TCP connection with its secure channel, on asyncua's ``UaClient``.

Of asyncua only the steps are used, never ``Client.connect()``: its supervisor, watchdog and publish loop swallow losses that a person must
see. Private members used, all of them here: ``UaClient._send_request``, the limits in ``UASocketProtocol._connection``, and for opening the
channel ``UASocketProtocol._send_request`` and ``_open_secure_channel_exchange``, because asyncua's own way ends in a bare AssertionError
when the server answers with a fault, and after one time-out refuses every later renewal. Requests that are encoded already go past its
structures (``send_body``), with ``_connection``, ``_callbackmap``, ``_request_id`` and ``_request_handle`` of ``UASocketProtocol``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Final, Literal, TypeVar

from asyncua import ua
from asyncua.client.ua_client import UaClient, UASocketProtocol
from asyncua.common.utils import Buffer
from asyncua.crypto.security_policies import SecurityPolicy, SecurityPolicyNone
from asyncua.ua.ua_binary import nodeid_to_binary
from asyncua.ua.uaerrors._base import UaError, UaStatusCodeError

import app.drivers.opcua.session_library  # noqa: F401  holds the library's decoder to the bytes there are
from app.drivers.opcua import session_plain_chunks
from app.drivers.opcua.address import UA_NAMESPACE
from app.drivers.opcua.binary import DecodingError, Reader, decoded, read_response_header
from app.drivers.opcua.chunks import CHUNK_BYTES, MESSAGE_BYTES, MESSAGE_CHUNKS, Chunks
from app.drivers.opcua.requests import FAULT, request_header
from app.drivers.opcua.status import BAD_UNEXPECTED_ERROR, status_text
from app.errors import EndpointError

TOKEN_LIFETIME_MS: Final = 3_600_000
"""Lifetime of a security token asked for; servers commonly grant an hour."""

_CLOSE_S: Final = 1.0
_INVALID: Final = "the server's answer cannot be taken"
_LEAST_CHUNK_BYTES: Final = 1024
"""OPC 10000-6 §7.1.2.4 asks for 8,192 (1,024 with elliptic curves); with less, a request would be nothing but headers."""
_KEPT_BYTES: Final = 4096
_SERVICE_FAULT: Final = f"nsu={UA_NAMESPACE};i=397"
_NONE_URI: Final = SecurityPolicyNone.URI
_ANSWER = TypeVar("_ANSWER")
Ending = Literal["", "silent", "closed", "invalid"]


class StepError(EndpointError):
    """A step of connecting failed.

    Attributes:
        doing: Which one, in words.
        status: StatusCode that the server gave, 0 where it gave none.
        ending: Without a status: ``silent`` no answer came; ``closed`` by the server; ``invalid`` its answer could not be taken.
    """

    def __init__(self, url: str, doing: str, why: str, status: int = 0, ending: Ending = "") -> None:
        self.doing, self.status, self.ending = doing, status, ending
        fix = "Try again; if it stays, the server's own log says more"
        super().__init__("Cannot talk to the server", where=url, why=f"{doing}: {why}", fix=fix)


class Transport:
    """Used on one event loop, for one connection.

    Attributes:
        lifetime_ms: Of a security token: as asked for, and after ``open`` as granted.
        bytes_s: ``monotonic()`` when the last byte came.
        timeout_s: Of each step.
        on_connected: Called with asyncua's protocol object before the first byte is sent.
        error_status: Of the error message with which the server ended the connection (OPC 10000-6 §7.1.2.5), 0 while there was none.
        on_gone: Called once when the connection ends, with the reason or None.
        on_sent: Called with request id, service and number of operations of what ``send_body`` sends.
    """

    def __init__(
        self,
        url: str,
        host: str,
        port: int,
        *,
        timeout_s: float,
        policy: SecurityPolicy | None = None,
        lifetime_ms: int = TOKEN_LIFETIME_MS,
    ) -> None:
        """``url`` is what the server is told it is called by; ``host`` and ``port`` are where it is reached."""
        self.url = url
        self.lifetime_ms = lifetime_ms
        self.bytes_s = 0.0
        self.on_gone: Callable[[Exception | None], None] = lambda _: None
        self.gone = asyncio.Event()
        self._address = host, port
        self.timeout_s = timeout_s
        self._policy = policy or SecurityPolicyNone()  # type: ignore[no-untyped-call]  # asyncua's
        self.on_connected: Callable[[UASocketProtocol], None] = lambda _: None
        self._ua = UaClient(timeout_s)
        self._ua.set_security(self._policy)
        self._first_bytes = b""
        self._keeps = True
        self._has_session = False
        self._hung_up = False
        self._chunks = Chunks()
        self.error_status = 0
        self._token: ua.NodeId | None = None
        self._token_bytes = b""
        self.on_sent: Callable[[int, str, int], None] = lambda *_: None
        self._invalid = ""

    async def open(self) -> None:
        """Socket, hello and secure channel.

        Raises:
            StepError: Which of them failed and why.
        """
        await self._step("opening the connection", self._ua.connect_socket(*self._address))
        protocol = self._ua.protocol
        if protocol is None:
            raise StepError(self.url, "opening the connection", "the connection closed at once")
        receive, forget = protocol.data_received, protocol.on_connection_lost

        def data_received(data: bytes) -> None:
            self.bytes_s = monotonic()
            if self._keeps:
                self._first_bytes = data[:_KEPT_BYTES]
            self._take(data, receive)

        def connection_lost(error: Exception | None) -> None:
            if forget is not None:
                forget(error)
            self.gone.set()
            self.on_gone(error or (ConnectionError(self._invalid or _INVALID) if self._hung_up else None))

        def disconnect_socket() -> None:
            self._hung_up = True
            hang_up()

        hang_up = protocol.disconnect_socket
        protocol.disconnect_socket = disconnect_socket  # type: ignore[method-assign]  # asyncua calls it on an answer it cannot take
        protocol.data_received = data_received  # type: ignore[method-assign]  # the only place that sees every byte
        protocol.on_connection_lost = connection_lost
        self.on_connected(protocol)
        self.bytes_s = monotonic()
        await self._step("the OPC UA hello", self._greet(protocol))
        await self.open_channel()
        self._keeps = False

    async def _greet(self, protocol: UASocketProtocol) -> None:
        """Hello and acknowledge, OPC 10000-6 §7.1.2.3: what the server takes is from here on kept to, what we take is ``Chunks``' to say.

        asyncua takes the server's limits of requests for those of its answers too, and would refuse a larger one.
        """
        taken: ua.Acknowledge = await protocol.send_hello(self.url, MESSAGE_BYTES, MESSAGE_CHUNKS)
        if taken.ReceiveBufferSize < _LEAST_CHUNK_BYTES:
            why = f"the server takes chunks of {taken.ReceiveBufferSize} bytes only"
            raise StepError(self.url, "the OPC UA hello", why, ending="invalid")
        limits = protocol._connection._limits
        limits.max_send_buffer = min(int(taken.ReceiveBufferSize), CHUNK_BYTES)
        limits.max_recv_buffer, limits.max_chunk_count, limits.max_message_size = CHUNK_BYTES, 0, 0

    def _take(self, data: bytes, receive: Callable[[bytes], None]) -> None:
        """Whole chunks to the library, one by one; after the first that cannot be taken the connection is hung up."""
        protocol = self._ua.protocol
        if protocol is None:
            return
        try:
            chunks = self._chunks.take(data)
        except DecodingError as error:
            self._invalid = f"the server sent what cannot be taken: {error}"
            protocol.disconnect_socket()
            return
        for chunk in chunks:
            if protocol.transport is None or protocol.transport.is_closing():
                return
            if chunk.startswith(b"ERR"):
                self.error_status = int.from_bytes(chunk[8:12], "little")
                self._invalid = f"the server ended the connection: {status_text(self.error_status)}"
            if not session_plain_chunks.taken(protocol, chunk):
                receive(chunk)

    async def open_channel(self, *, renew: bool = False) -> None:
        """OpenSecureChannel, OPC 10000-4 §5.5.2; ``renew`` takes a new security token into use.

        Raises:
            StepError: Refused (with the server's status), unanswered, or answered by somebody without the certificate's key.
        """
        doing = "renewing the secure channel" if renew else "opening the secure channel"
        await self._step(doing, self._exchange_keys(renew=renew))

    async def _exchange_keys(self, *, renew: bool) -> None:
        protocol = self._ua.protocol
        if protocol is None:
            raise ConnectionError("the connection is closed")
        wanted = ua.OpenSecureChannelParameters()
        wanted.ClientProtocolVersion = ua.UInt32(0)
        wanted.RequestType = ua.SecurityTokenRequestType.Renew if renew else ua.SecurityTokenRequestType.Issue
        wanted.SecurityMode = self._policy.Mode
        wanted.RequestedLifetime = ua.UInt32(self.lifetime_ms)
        wanted.ClientNonce = os.urandom(self._policy.secure_channel_nonce_length)
        request = ua.OpenSecureChannelRequest()
        request.Parameters = wanted
        protocol._open_secure_channel_exchange = wanted
        try:
            async with asyncio.timeout(self.timeout_s):
                answer = await protocol._send_request(request, self.timeout_s, ua.MessageType.SecureOpen)  # type: ignore[arg-type]  # as asyncua does
            granted: object = protocol._open_secure_channel_exchange
        finally:
            protocol._open_secure_channel_exchange = None
        if not isinstance(granted, ua.OpenSecureChannelResponse):
            status = decoded(read_response_header, bytes(answer), ())
            if status >> 30:
                raise StepError(self.url, "opening the secure channel", status_text(status), status)
            raise StepError(self.url, "opening the secure channel", "the server's answer cannot be taken", ending="invalid")
        self.lifetime_ms = int(granted.Parameters.SecurityToken.RevisedLifetime)
        protocol.revolve_security_token()

    async def send(self, request: object, timeout_s: float | None) -> bytes:
        """One request and its whole answer, from the type id on; asyncua's own errors, those that its decoder leaks as UaError."""
        try:
            return bytes(await self._ua._send_request(request, timeout_s))
        except (OSError, UaError):
            raise
        except Exception as error:
            raise UaError(f"the answer cannot be decoded ({type(error).__name__}: {error})") from error

    async def send_body(self, name: str, type_id: int, body: bytes, timeout_s: float, *, count: int = 0) -> bytes:
        """One request that is encoded already, and its whole answer, from the type id on; asyncua's own errors. 0 s waits for ever.

        Args:
            name: Of the service, for the trace; ``count`` of its operations likewise.
            type_id: Of the request's binary encoding, namespace 0.
            body: All that follows the request header.
        """
        protocol = self._ua.protocol
        if protocol is None or protocol.transport is None:
            raise ConnectionError("the connection is closed")
        protocol._request_handle += 1
        header = request_header(type_id, self._token_of(protocol), protocol._request_handle, timeout_s)
        protocol.revolve_security_token()
        number = protocol._request_id + 1
        plain = session_plain_chunks.encoded(protocol, header + body, number)
        message = plain or protocol._connection.message_to_binary(header + body, request_id=number)
        protocol._request_id = number
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Buffer] = loop.create_future()
        protocol._callbackmap[number] = answer
        self.on_sent(number, name, count)
        protocol.transport.write(message)
        patience = loop.call_later(timeout_s, _give_up, answer) if timeout_s else None
        try:
            data = bytes(await answer)
        except OSError as error:  # among them TimeoutError, which the socket may raise as well
            if not self.gone.is_set():
                raise
            raise ConnectionError(str(error)) from error
        finally:
            if patience is not None:
                patience.cancel()
        if data.startswith(FAULT):
            raise UaStatusCodeError(_fault(data))  # type: ignore[no-untyped-call]  # asyncua's
        return data

    def _token_of(self, protocol: UASocketProtocol) -> bytes:
        """The session's authentication token as it is sent; encoded once."""
        token = protocol.authentication_token
        if token is not self._token:
            self._token, self._token_bytes = token, nodeid_to_binary(token)
        return self._token_bytes

    async def get_endpoints(self) -> list[ua.EndpointDescription]:
        wanted = ua.GetEndpointsParameters()
        wanted.EndpointUrl = self.url
        return list(await self._step("asking for the endpoints", self._ua.get_endpoints(wanted)) or ())

    async def create_session(self, wanted: ua.CreateSessionParameters) -> ua.CreateSessionResult:
        self._has_session = True
        return await self._step("creating the session", self._ua.create_session(wanted))

    async def activate_session(self, wanted: ua.ActivateSessionParameters) -> ua.ActivateSessionResult:
        return await self._step("activating the session", self._ua.activate_session(wanted))

    async def close(self) -> None:
        """Leave politely within a second, then hang up. Safe twice."""
        protocol = self._ua.protocol
        if protocol is None:
            return
        if not self.gone.is_set():
            with suppress(Exception):  # whatever asyncua makes of a connection that is breaking: it is hung up next
                async with asyncio.timeout(_CLOSE_S):
                    if self._has_session:
                        await self._ua.close_session(True)
                    await self._ua.close_secure_channel()
        transport = protocol.transport
        self._ua.disconnect_socket()
        if transport is not None:
            transport.abort()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await self.gone.wait()

    def abort(self) -> None:
        """Drop the socket without a word."""
        protocol = self._ua.protocol
        if protocol is not None and protocol.transport is not None:
            protocol.transport.abort()

    async def _step(self, doing: str, work: Awaitable[_ANSWER]) -> _ANSWER:
        try:
            return await work
        except StepError:
            raise
        except UaStatusCodeError as error:
            raise StepError(self.url, doing, status_text(error.code), error.code) from error
        except TimeoutError as error:
            raise StepError(self.url, doing, f"no answer within {self.timeout_s:g} s", ending="silent") from error
        except Exception as error:  # the library leaks what its sockets, decoders and ciphers raise
            status = fault_in_the_clear(self._first_bytes)
            if status:
                raise StepError(self.url, doing, status_text(status), status) from error
            if self._hung_up:
                raise StepError(self.url, doing, self._invalid or _INVALID, ending="invalid") from error
            if self.gone.is_set():
                raise StepError(self.url, doing, "the server closed the connection without a word", ending="closed") from error
            raise StepError(self.url, doing, str(error) or type(error).__name__) from error


def _give_up(answer: asyncio.Future[Buffer]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())


def _fault(data: bytes) -> int:
    """Status of a ServiceFault; never good."""
    try:
        status = decoded(read_response_header, data, ())
    except DecodingError:
        status = 0
    return status if status >> 30 else BAD_UNEXPECTED_ERROR


def fault_in_the_clear(data: bytes) -> int:
    """Status of an OpenSecureChannel answer that carries a ServiceFault without security; 0 for anything else.

    Some servers refuse that way, and asyncua throws such an answer away. It proves nothing, anybody can send it, and is only shown.
    Message layout: OPC 10000-6 §6.7.2.
    """
    try:
        return decoded(_read_fault, data, (UA_NAMESPACE,))
    except DecodingError:
        return 0


def _read_fault(reader: Reader) -> int:
    if reader.take(4) != b"OPNF":
        return 0
    reader.at += 8  # size, channel id
    if reader.text() != _NONE_URI:
        return 0
    reader.octets()  # sender's certificate
    reader.octets()  # receiver's thumbprint
    reader.at += 8  # sequence number, request id
    start = reader.at
    if reader.node_id() != _SERVICE_FAULT:
        return 0
    reader.at = start
    return read_response_header(reader)
