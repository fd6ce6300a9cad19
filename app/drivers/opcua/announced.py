"""OPC UA servers that announce themselves by multicast DNS (LDS-ME, OPC 10000-12 Annex C): heard, never looked for address by address.

What is sent: the query for ``_opcua-tcp._tcp.local`` as RFC 6762 §5.2 paces it, and the queries for the records of the names that
answered; both to the multicast group of the own network only. Nobody is connected to.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from app.drivers.base import Wire
from app.drivers.first_bytes import clean
from app.drivers.networks import OwnAddress, own_addresses
from app.drivers.probe_questions import Announced, FindOnNetwork, Listened
from app.drivers.questions import Progress
from app.errors import EndpointError

SERVICE: Final = "_opcua-tcp._tcp.local."
RECORDS_S: Final = 1.5
MOST_INTERFACES: Final = 8
MOST_NAMES: Final = 200
_TICK_S: Final = 0.5

# It warns of interfaces without multicast; those are told as answers.
logging.getLogger("zeroconf").setLevel(logging.CRITICAL)


async def listen(question: FindOnNetwork) -> AsyncIterator[Wire]:
    """Servers as they are heard, each once for every interface; how each interface does comes first.

    Raises:
        EndpointError: There is no interface to listen on.
    """
    interfaces = [one for one in own_addresses() if _wanted(one, question.addresses)][:MOST_INTERFACES]
    if not interfaces:
        why = "this computer has no network that is up, or no IPv4 address in it"
        raise EndpointError("Cannot listen", where="this computer's networks", why=why, fix="Plug the cable in, or switch the interface on")
    heard: asyncio.Queue[Announced] = asyncio.Queue()
    ears: list[_Ear] = []
    try:
        for own in interfaces:
            ear = _Ear(own, heard)
            trouble = await ear.open()
            yield Listened(interface=own.interface, address=own.address, trouble=trouble)
            ears.append(ear)
        async for answer in _until_over(question.seconds, heard):
            yield answer
    finally:
        await asyncio.gather(*(ear.close() for ear in ears))


async def _until_over(seconds: float, heard: asyncio.Queue[Announced]) -> AsyncIterator[Wire]:
    loop = asyncio.get_running_loop()
    begin_s = loop.time()
    total = max(1, round(seconds / _TICK_S))
    for tick in range(total):
        until_s = begin_s + (tick + 1) * _TICK_S
        while (left_s := until_s - loop.time()) > 0:
            try:
                async with asyncio.timeout(left_s):
                    yield await heard.get()
            except TimeoutError:
                break
        yield Progress(done=tick + 1, total=total, text="Listening")
    while not heard.empty():
        yield heard.get_nowait()


class _Ear:
    """One interface."""

    def __init__(self, own: OwnAddress, heard: asyncio.Queue[Announced]) -> None:
        self._own, self._heard = own, heard
        self._zeroconf: AsyncZeroconf | None = None
        self._browser: AsyncServiceBrowser | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._names: set[str] = set()

    async def open(self) -> str:
        """Gives "", or why nothing can be heard here."""
        try:
            self._zeroconf = AsyncZeroconf(interfaces=[self._own.address])
            await self._zeroconf.zeroconf.async_wait_for_start()
            self._browser = AsyncServiceBrowser(self._zeroconf.zeroconf, SERVICE, handlers=[self._on_service])
        except Exception as error:  # the library raises OSError, RuntimeError and its own kinds, by system
            return f"no multicast on this interface ({clean(str(error)) or type(error).__name__})"
        return ""

    async def close(self) -> None:
        if self._browser is not None:
            await self._browser.async_cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._zeroconf is not None:
            await self._zeroconf.async_close()

    def _on_service(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is ServiceStateChange.Removed or name in self._names or len(self._names) >= MOST_NAMES:
            return
        self._names.add(name)
        task = asyncio.create_task(self._learn(zeroconf, service_type, name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _learn(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        info = AsyncServiceInfo(service_type, name)
        if await info.async_request(zeroconf, RECORDS_S * 1000) and info.port:
            addresses = info.parsed_scoped_addresses()
            found = announced(name, info.server or "", info.port, addresses, info.properties, self._own.interface)
            self._heard.put_nowait(found)


def announced(
    name: str, server: str, port: int, addresses: Sequence[str], properties: Mapping[bytes, bytes | None], interface: str
) -> Announced:
    """One announcement from its records: PTR name, SRV host and port, A and AAAA addresses, TXT ``path`` and ``caps`` (OPC 10000-12 §C.2).

    The URL is made of an IPv4 address where there is one: names that end in ``.local`` are not known to most plant computers.
    """
    order = sorted(addresses, key=_less_useful)
    host = server.rstrip(".")
    place = order[0].partition("%")[0] if order else host
    path = clean((properties.get(b"path") or b"").decode("utf-8", "replace"))
    path = f"/{path.lstrip('/')}" if path.strip("/") else ""
    caps = (properties.get(b"caps") or b"").decode("utf-8", "replace")
    return Announced(
        name=clean(name.removesuffix(SERVICE).rstrip(".")) or host,
        url=f"opc.tcp://[{place}]:{port}{path}" if ":" in place else f"opc.tcp://{place}:{port}{path}",
        host=clean(host),
        addresses=tuple(order),
        capabilities=tuple(clean(word) for word in caps.split(",") if word.strip()),
        interface=interface,
    )


def _less_useful(address: str) -> tuple[bool, bool]:
    """IPv4 before IPv6, routable before link-local."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return parsed.is_link_local, parsed.version == 6


def _wanted(own: OwnAddress, addresses: Sequence[str]) -> bool:
    if addresses:
        return own.address in addresses
    parsed = ipaddress.ip_address(own.address)
    return own.up and parsed.version == 4 and not parsed.is_loopback
