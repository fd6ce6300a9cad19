"""Answers ``FindServers`` and ``FindOnNetwork``. Connector processes only."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

import msgspec

from app.drivers.base import EndpointReport, Wire
from app.drivers.first_bytes import what_answered
from app.drivers.opcua.probing import greet
from app.drivers.opcua.session_conversation import Conversation, found_server, report_of
from app.drivers.opcua.spec import SPEC
from app.drivers.probe_connect import NotConnectedError, Stream, connect, resolve
from app.drivers.probe_questions import FindOnNetwork, FindServers, FoundServer
from app.drivers.probe_target import url_with_host
from app.drivers.questions import Anywhere, Progress
from app.errors import EndpointError, UserError

CONNECT_S: Final = 3.0
ANSWER_S: Final = 3.0
AT_ONCE: Final = 6
MOST_SERVERS: Final = 64
"""More than a site has; a list without end must not keep this computer connecting."""
MOST_URLS: Final = 4
_CANNOT: Final = "Cannot ask for servers"


def answer(question: Anywhere) -> AsyncIterator[Wire]:
    if isinstance(question, FindOnNetwork):
        return _announced(question)
    assert isinstance(question, FindServers)
    return find_servers(question)


async def _announced(question: FindOnNetwork) -> AsyncIterator[Wire]:
    """zeroconf has no wheel for Intel Macs, so it is not installed there (pyproject.toml)."""
    try:
        from app.drivers.opcua.announced import listen
    except ModuleNotFoundError as error:
        why, fix = f"{error.name} is not installed on this computer", "Give the server's address, or that of a discovery server"
        raise EndpointError("Cannot listen for servers", where="this network", why=why, fix=fix) from error
    async for answer_ in listen(question):
        yield answer_


async def find_servers(question: FindServers) -> AsyncIterator[Wire]:
    """Every server of the list as it is known more of, ending with all that answered and all that did not.

    Raises:
        UserError: Not an OPC UA URL.
        EndpointError: The discovery server does not answer, or not as OPC UA.
    """
    url = SPEC.parse_url(question.url)
    conversation = await _converse(url)
    try:
        await conversation.begin()
        listed = [found_server(server) for server in (await conversation.servers())[:MOST_SERVERS]]
    finally:
        await conversation.end()
    if not listed:
        raise EndpointError("No servers", where=url, why="the discovery server lists none, not even itself")
    yield Progress(done=0, total=len(listed), text="Asking each server")
    room = asyncio.Semaphore(AT_ONCE)

    async def one(server: FoundServer) -> FoundServer:
        async with room:
            return await _asked(server, urlsplit(url).hostname or "")

    tasks = [asyncio.create_task(one(server)) for server in listed]
    try:
        for number, done in enumerate(asyncio.as_completed(tasks), 1):
            yield await done
            yield Progress(done=number, total=len(listed), text="Asking each server")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _asked(server: FoundServer, asked_host: str) -> FoundServer:
    """With what the server itself said; a host name that is not known here is replaced by the host that listed it."""
    if server.kind == "client":
        return msgspec.structs.replace(server, trouble="it is a client, which offers no data")
    troubles: list[str] = []
    for given in [url for url in server.urls if url.startswith("opc.tcp:")][:MOST_URLS]:
        try:
            url, note = await _reachable(SPEC.parse_url(given), asked_host)
            report = await _report(url)
        except UserError as error:
            troubles.append(error.why)
            continue
        return msgspec.structs.replace(server, url=url, note=note, report=report)
    trouble = "; ".join(dict.fromkeys(troubles)) or "it has no address that begins with opc.tcp"
    return msgspec.structs.replace(server, trouble=trouble)


async def _reachable(url: str, instead: str) -> tuple[str, str]:
    host = urlsplit(url).hostname or ""
    try:
        await resolve(host, CONNECT_S)
    except (OSError, TimeoutError, UnicodeError):
        note = f'The server is listed as "{host}", a name that is not known here; {instead}, which answered, is used instead.'
        return url_with_host(url, instead), note
    return url, ""


async def _report(url: str) -> EndpointReport:
    conversation = await _converse(url)
    try:
        await conversation.begin()
        return report_of(url, await conversation.endpoints(), conversation.round_trip_s)
    finally:
        await conversation.end()


async def _converse(url: str) -> Conversation:
    """A connection that has said hello.

    Raises:
        EndpointError: It does not answer, or not as OPC UA.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or SPEC.default_port
    stream = await _connected(url, host, port)
    try:
        heard = await greet(stream, url, ANSWER_S)
    except (OSError, TimeoutError) as error:
        stream.close()
        why = f"port {port} accepts the connection but does not answer an OPC UA hello"
        raise EndpointError(_CANNOT, where=url, why=why, fix="Check the port") from error
    except BaseException:
        stream.close()
        raise
    if not heard.acknowledge:
        stream.close()
        why = f"it refuses: {heard.refusal}" if heard.refusal else f"{what_answered(heard.other) or 'something else'} answers, not OPC UA"
        raise EndpointError(_CANNOT, where=url, why="it hung up" if heard.hung_up else why, fix="Check host and port")
    return Conversation(stream, heard.acknowledge, url, ANSWER_S, heard.round_trip_s)


async def _connected(url: str, host: str, port: int) -> Stream:
    try:
        places = await resolve(host, CONNECT_S)
    except (OSError, TimeoutError, UnicodeError) as error:
        words = error.strerror if isinstance(error, socket.gaierror) else "no name server answered"
        raise EndpointError(_CANNOT, where=url, why=f'the name "{host}" is not known here ({words})', fix="Use the IP address") from error
    refusal = NotConnectedError("unreachable", "it has no address")
    for place in places:
        try:
            return await connect(place, port, CONNECT_S)
        except NotConnectedError as error:
            refusal = error
    whys = {"refused": f"nothing listens on port {port}", "no answer": "no answer", "unreachable": f"no way leads there ({refusal.words})"}
    fix = "Probe the host to see what answers there"
    raise EndpointError(_CANNOT, where=url, why=whys[refusal.kind], fix=fix) from refusal
