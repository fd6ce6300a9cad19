"""Answers ``Probe``: resolves the host, looks where it is, asks its ports side by side. Connector processes only.

Each port gets one connection and is spoken to in its usual protocol: an OPC UA hello (then its endpoints, on the same connection), a
Modbus request, or a TLS handshake. Only a port without a usual protocol that says nothing upon the hello gets a second connection, for
the Modbus request. Nothing else is ever sent; whatever else lives there is told by what it answers to these.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, Literal

from app.drivers import probe_words, spec_for
from app.drivers.base import EndpointReport, Wire
from app.drivers.modbus import hello as modbus_hello
from app.drivers.networks import OwnAddress, own_addresses
from app.drivers.opcua import probing
from app.drivers.opcua.session_conversation import Conversation, is_discovery_server, report_of
from app.drivers.probe_connect import NotConnectedError, Place, Stream, connect, resolve
from app.drivers.probe_questions import MOST_PORTS, Probe, ProbeStep, Verdict
from app.drivers.probe_target import host_of, url_with_path
from app.drivers.questions import Progress
from app.errors import EndpointError, UserError

CONNECT_S: Final = 3.0
"""Windows itself repeats a refused connection for two seconds before it says so."""
ANSWER_S: Final = 2.5
MODBUS_S: Final = 1.0
AT_ONCE: Final = 6

Protocol = Literal["opcua", "modbus", "modbus-tls", "unknown"]
USUAL_PROTOCOL: Final[dict[int, Protocol]] = {
    4840: "opcua", 48010: "opcua", 53530: "opcua", 62541: "opcua", 502: "modbus", 802: "modbus-tls",
}  # fmt: skip
_BEHIND: Final = "Unit 1 is not reachable behind this gateway: its documents say which unit ids there are."
_SCHEMES: Final[dict[str, Protocol]] = {"opc.tcp": "opcua", "modbus": "modbus", "modbus-tls": "modbus-tls"}


def answer(question: Probe) -> AsyncIterator[Wire]:
    return probe(question)


async def probe(question: Probe, own: Callable[[], Sequence[OwnAddress]] = own_addresses) -> AsyncIterator[Wire]:
    """Steps as they happen, then the verdict.

    Args:
        question: Host and ports.
        own: This computer's addresses; given by tests.

    Raises:
        UserError: The host is none, or there are too many ports.
    """
    host = host_of(question.host)
    ports = tuple(dict.fromkeys(question.ports))
    if not ports or len(ports) > MOST_PORTS or not all(0 < port < 65536 for port in ports):
        raise UserError("Cannot ask these ports", where=host, why=f"from 1 to {MOST_PORTS} ports between 1 and 65535 can be asked")
    try:
        places = await resolve(host, CONNECT_S)
    except (OSError, TimeoutError, UnicodeError) as error:
        why = "no name server answered" if isinstance(error, TimeoutError) else _words(error)
        yield ProbeStep(step="name", outcome="failed", text=f'The name "{host}" is not known: {why}')
        yield probe_words.name_unknown(host, why)
        return
    if not _is_address(host):
        yield ProbeStep(step="name", outcome="fine", text=f"{host} is {', '.join(place.text for place in places)}", address=places[0].text)
    mine = own()
    yield probe_words.network_step(places[0].text, mine)
    found: list[ProbeStep] = []
    yield Progress(done=0, total=len(ports), text="Asking the ports")
    for port in ports:
        yield ProbeStep(step="port", outcome="asking", port=port, text=f"Port {port}: asking", address=places[0].text)
    async for step in _side_by_side([_Port(host, port, places, question.url) for port in ports]):
        found.append(step)
        yield step
        yield Progress(done=len(found), total=len(ports), text="Asking the ports")
    yield _verdict(host, places, found, mine)


def _verdict(host: str, places: Sequence[Place], found: Sequence[ProbeStep], mine: Sequence[OwnAddress]) -> Verdict:
    answered = next((step.address for step in found if step.kind not in ("no answer", "unreachable")), places[0].text)
    return probe_words.verdict(host, answered, sorted(found, key=lambda step: step.port), mine)


async def _side_by_side(ports: Sequence[_Port]) -> AsyncIterator[ProbeStep]:
    """Each as it is done, at most ``AT_ONCE`` under way. Closing the iterator ends them all."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(port: _Port) -> ProbeStep:
        async with room:
            return await port.ask()

    tasks = [asyncio.create_task(one(port)) for port in ports]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Port:
    def __init__(self, host: str, port: int, places: Sequence[Place], typed: str) -> None:
        self._host, self._port, self._places = host, port, places
        self._typed = typed if typed and _port_of(typed) == port else ""
        self._shown = f"[{host}]" if ":" in host else host
        protocol = _SCHEMES.get(self._typed.partition(":")[0]) if self._typed else None
        self._protocol: Protocol = protocol or USUAL_PROTOCOL.get(port, "unknown")

    async def ask(self) -> ProbeStep:
        try:
            stream = await self._connect()
        except NotConnectedError as error:
            return probe_words.not_connected(self._port, error, self._places[0].text)
        asking = {"opcua": self._opcua, "modbus": self._modbus, "modbus-tls": self._tls, "unknown": self._opcua}[self._protocol]
        step = await self._guarded(asking, stream)
        if self._protocol == "unknown" and step.kind in ("silent", "hung up"):
            try:
                again = await self._connect()
            except NotConnectedError:
                return step
            second = await self._guarded(self._modbus, again)
            return second if second.kind not in ("silent", "hung up") else step
        return step

    async def _connect(self) -> Stream:
        """To the first of the host's addresses that takes the connection; raises what the last one said."""
        for place in self._places[:-1]:
            try:
                return await connect(place, self._port, CONNECT_S)
            except NotConnectedError:
                continue
        return await connect(self._places[-1], self._port, CONNECT_S)

    async def _guarded(self, asking: Callable[[Stream], object], stream: Stream) -> ProbeStep:
        """Silence and a broken connection are answers too; the socket is closed in any case."""
        where = stream.place.text
        named = "a Modbus request" if asking == self._modbus else "a TLS handshake" if asking == self._tls else "an OPC UA hello"
        try:
            step = await asking(stream)  # type: ignore[misc]  # all three are coroutines of a ProbeStep
            assert isinstance(step, ProbeStep)
            return step
        except TimeoutError:
            return probe_words.silent(self._port, where, hung_up=False, asked=named)
        except OSError:
            return probe_words.silent(self._port, where, hung_up=True, asked=named)
        finally:
            stream.close()

    # One question for each protocol

    async def _opcua(self, stream: Stream) -> ProbeStep:
        url = self._typed if self._protocol == "opcua" and self._typed else f"opc.tcp://{self._shown}:{self._port}"
        heard = await probing.greet(stream, url, ANSWER_S)
        if heard.hung_up:
            return probe_words.silent(self._port, stream.place.text, hung_up=True, asked="an OPC UA hello")
        if heard.other:
            return probe_words.other(self._port, heard.other, stream.place.text)
        if heard.refusal:
            text = f"Port {self._port}: an OPC UA server refuses this URL: {heard.refusal}"
            return self._step("opcua", "failed", text, stream)
        conversation = Conversation(stream, heard.acknowledge, url, ANSWER_S)
        try:
            await conversation.begin()
            endpoints = await conversation.endpoints()
        except EndpointError as error:
            text = f"Port {self._port}: OPC UA, but it does not say how to connect: {error.why}"
            return self._step("opcua", "unclear", text, stream, url=url)
        finally:
            await conversation.end()
        report = report_of(url, endpoints, heard.round_trip_s)
        if not self._typed:
            url = url_with_path(url, [offer.url for offer in report.offered])
        if is_discovery_server(endpoints):
            text = f"Port {self._port}: {report.title}, an OPC UA discovery server: it lists other servers"
            return self._step("opcua", "unclear", text, stream, url=url, report=report, discovery=True)
        ways = "1 way" if len(report.offered) == 1 else f"{len(report.offered)} ways"
        text = f"Port {self._port}: {report.title}, OPC UA, {ways} to connect"
        return self._step("opcua", "fine", text, stream, url=url, report=report)

    async def _modbus(self, stream: Stream) -> ProbeStep:
        heard = await modbus_hello.ask(stream, MODBUS_S)
        if not heard.spoken:
            if heard.other:
                return probe_words.other(self._port, await stream.receive_more(heard.other, 0.3), stream.place.text)
            asked = f"a Modbus request to unit {' and '.join(map(str, heard.asked))}"
            return probe_words.silent(self._port, stream.place.text, hung_up=heard.hung_up, asked=asked)
        unit = "" if heard.unit in (None, 1) else f"?unit={heard.unit}"
        url = self._typed or f"modbus://{self._shown}:{self._port}{unit}"
        which = f"unit {heard.unit} answers" if heard.unit is not None else "a gateway answers; unit 1 is not behind it, choose another one"
        report = EndpointReport(
            title=heard.product or "Modbus TCP device",
            url=spec_for(url).parse_url(url),
            product=heard.product,
            units=() if heard.unit is None else (heard.unit,),
            round_trip_s=heard.round_trip_s,
            notes=() if heard.unit is not None else (_BEHIND,),
        )
        text = f"Port {self._port}: {report.title}, Modbus, {which}" if heard.product else f"Port {self._port}: Modbus, {which}"
        return self._step("modbus", "fine", text, stream, url=report.url, report=report)

    async def _tls(self, stream: Stream) -> ProbeStep:
        shaken = await _handshake(stream, self._host, ANSWER_S)
        if isinstance(shaken, bytes):
            if not shaken:
                return probe_words.silent(self._port, stream.place.text, hung_up=True, asked="a TLS handshake")
            return probe_words.other(self._port, shaken, stream.place.text)
        version, certificate = shaken
        text = f"Port {self._port}: {version}, the port of secured Modbus"
        return self._step("modbus-tls", "fine", text, stream, url=self._typed or _tls_url(self._shown, self._port), certificate=certificate)

    def _step(
        self,
        kind: Literal["opcua", "modbus", "modbus-tls"],
        outcome: Literal["fine", "failed", "unclear"],
        text: str,
        stream: Stream,
        *,
        url: str = "",
        report: EndpointReport | None = None,
        discovery: bool = False,
        certificate: bytes = b"",
    ) -> ProbeStep:
        return ProbeStep(
            step="port", outcome=outcome, text=text, port=self._port, kind=kind, address=stream.place.text, url=url, report=report,
            discovery=discovery, certificate=certificate,
        )  # fmt: skip


async def _handshake(stream: Stream, host: str, timeout_s: float) -> tuple[str, bytes] | bytes:
    """A TLS handshake without certificates of ours, to see whether TLS is spoken; nothing is trusted and nothing sent afterwards.

    Returns:
        The version and the server's certificate (b"" where it wants ours first), or the bytes of what is not TLS.

    Raises:
        TimeoutError: Silence.
        OSError: The connection broke.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=None if _is_address(host) else host)
    received = b""
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            await stream.send(outgoing.read())
            data = await stream.receive(timeout_s)
            if not data:
                return received
            received += data
            incoming.write(data)
            continue
        except ssl.SSLError as error:
            if received[1:2] == b"\x03" and received[:1] in (b"\x15", b"\x16"):
                return f"TLS, which refuses this handshake ({error.reason or 'no reason given'})", b""
            return received
        await stream.send(outgoing.read())
        return (tls.version() or "TLS").replace("v", " "), tls.getpeercert(binary_form=True) or b""


def _tls_url(host: str, port: int) -> str:
    """Empty while no driver speaks it."""
    try:
        return spec_for(url := f"modbus-tls://{host}:{port}").parse_url(url)
    except UserError:
        return ""


def _port_of(url: str) -> int:
    from app.drivers.probe_target import target

    return target(url).port or 0


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _words(error: Exception) -> str:
    words = getattr(error, "strerror", None) or str(error)
    if isinstance(error, socket.gaierror):
        return f"no name server knows it ({words})"
    return str(words)
