"""OPC UA without security and without a session, on a socket that has said hello already: its endpoints, and the servers it lists.

So that a probe is one connection: asyncua's client would make one of its own.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, TypeVar

from asyncua import ua
from asyncua.client.ua_client import UASocketProtocol
from asyncua.common.connection import TransportLimits
from asyncua.ua.ua_binary import struct_from_binary
from asyncua.ua.uaerrors._base import UaError, UaStatusCodeError

import app.drivers.opcua.session_library  # noqa: F401  holds the library's decoder to the bytes there are
from app.drivers.base import EndpointReport
from app.drivers.opcua.binary import DecodingError
from app.drivers.opcua.chunks import Chunks
from app.drivers.opcua.session_nodes import well_formed
from app.drivers.opcua.session_report import offer_report
from app.drivers.opcua.status import status_text
from app.drivers.probe_connect import Stream
from app.drivers.probe_questions import FoundServer
from app.errors import EndpointError

_TOKEN_MS: Final = 60_000
_CLOSE_S: Final = 0.5
_KINDS: Final = {0: "server", 1: "client", 2: "client and server", 3: "discovery server"}
_ANSWER = TypeVar("_ANSWER")


class Conversation:
    """One secure channel of policy None. ``end`` is safe whatever went wrong before; it closes the socket.

    Args:
        stream: Connected, and acknowledged; taken over with ``begin``.
        acknowledge: The whole ACK message (OPC 10000-6 §7.1.2.4).
        round_trip_s: From hello to acknowledge.
    """

    def __init__(self, stream: Stream, acknowledge: bytes, url: str, timeout_s: float, round_trip_s: float = 0.0) -> None:
        _, receive, send, largest, chunks = struct.unpack_from("<5I", acknowledge, 8)
        limits = TransportLimits(max_recv_buffer=send, max_send_buffer=receive, max_chunk_count=chunks, max_message_size=largest)
        self._stream, self._url, self._timeout_s = stream, url, timeout_s
        self.round_trip_s = round_trip_s
        self._protocol = UASocketProtocol(timeout_s, limits=limits)
        self._gone = asyncio.Event()

    async def begin(self) -> None:
        """Open the channel.

        Raises:
            EndpointError: The server does not open one.
        """
        self._protocol.on_connection_lost = lambda _: self._gone.set()
        receive, chunks = self._protocol.data_received, Chunks()

        def data_received(data: bytes) -> None:
            try:
                for chunk in chunks.take(data):
                    receive(chunk)
            except DecodingError:
                self._protocol.disconnect_socket()

        self._protocol.data_received = data_received  # type: ignore[method-assign]  # before the library sees what it would believe
        await asyncio.get_running_loop().create_connection(lambda: self._protocol, sock=self._stream.socket)
        params = ua.OpenSecureChannelParameters()
        params.RequestType = ua.SecurityTokenRequestType.Issue
        params.SecurityMode = ua.MessageSecurityMode.None_
        params.RequestedLifetime = _TOKEN_MS
        params.ClientNonce = b""
        try:
            await self._protocol.open_secure_channel(params)
        except (OSError, UaError, TimeoutError) as error:
            raise self._error("opening a channel without security", error) from error

    async def endpoints(self) -> Sequence[ua.EndpointDescription]:
        """Raises ``EndpointError``."""
        request = ua.GetEndpointsRequest()
        request.Parameters.EndpointUrl = self._url
        answer = await self._ask(request, ua.GetEndpointsResponse, "asking for the endpoints")
        return answer.Endpoints or ()

    async def servers(self) -> Sequence[ua.ApplicationDescription]:
        """Raises ``EndpointError``."""
        request = ua.FindServersRequest()
        request.Parameters.EndpointUrl = self._url
        answer = await self._ask(request, ua.FindServersResponse, "asking for the servers it knows")
        return answer.Servers or ()

    async def end(self) -> None:
        """Close the channel politely, and the socket in any case."""
        transport = self._protocol.transport
        if transport is None:
            self._stream.close()
            return
        with suppress(OSError, UaError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._protocol.close_secure_channel()
        transport.abort()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._gone.wait()

    async def _ask(self, request: object, answer: type[_ANSWER], doing: str) -> _ANSWER:
        try:
            data = await self._protocol.send_request(request)
            decoded = struct_from_binary(answer, data)
        except (OSError, UaError, TimeoutError) as error:
            raise self._error(doing, error) from error
        except Exception as error:  # the library's decoder leaks IndexError, TypeError, AttributeError, struct.error
            raise self._error(doing, error) from error
        result: int = decoded.ResponseHeader.ServiceResult.value  # type: ignore[attr-defined]  # every answer has one
        if result >> 30:
            raise EndpointError("The server refused", where=self._url, why=f"{doing}: {status_text(result)}")
        return decoded

    def _error(self, doing: str, error: Exception) -> EndpointError:
        why = status_text(error.code) if isinstance(error, UaStatusCodeError) else str(error) or type(error).__name__
        if isinstance(error, TimeoutError):
            why = f"no answer within {self._timeout_s:g} s"
        return EndpointError("Cannot talk to the server", where=self._url, why=f"{doing}: {why}", fix="Try again")


def report_of(url: str, endpoints: Sequence[ua.EndpointDescription], round_trip_s: float) -> EndpointReport:
    return offer_report(url, endpoints, round_trip_s)


def is_discovery_server(endpoints: Sequence[ua.EndpointDescription]) -> bool:
    """Whether all of it only lists others (ApplicationType DiscoveryServer, OPC 10000-4 §7.4)."""
    return bool(endpoints) and all(int(endpoint.Server.ApplicationType) == 3 for endpoint in endpoints)


def found_server(server: ua.ApplicationDescription) -> FoundServer:
    """As the discovery server describes it."""
    kind = _KINDS.get(int(server.ApplicationType), "server")
    return FoundServer(
        name=well_formed(server.ApplicationName.Text) or well_formed(server.ApplicationUri) or "without a name",
        application_uri=well_formed(server.ApplicationUri),
        kind=kind,  # type: ignore[arg-type]  # the values of _KINDS are its literals
        urls=tuple(dict.fromkeys(well_formed(url) for url in server.DiscoveryUrls or ())),
    )
