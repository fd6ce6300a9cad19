"""One attempt at one OPC UA connection: how it is opened, kept an eye on, and ended. What it does meanwhile is in ``session_*.py``."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Sequence
from time import monotonic
from typing import Final

from app.drivers.base import (
    Alive,
    BrowseColumns,
    Ended,
    EndpointConfig,
    EndpointReport,
    Event,
    Gap,
    Item,
    ItemState,
    NodeDetails,
    WatchItem,
    Wire,
)
from app.drivers.opcua.events import EventQueue
from app.drivers.opcua.requests import READ, numeric, read_one_attribute
from app.drivers.opcua.session_browse import Browser, Want
from app.drivers.opcua.session_channel import Channel, ServiceError
from app.drivers.opcua.session_details import Details
from app.drivers.opcua.session_nodes import Nodes
from app.drivers.opcua.session_questions import Answers
from app.drivers.opcua.session_report import CURRENT_TIME, offer_report, session_report
from app.drivers.opcua.session_security import connect
from app.drivers.opcua.session_services import VALUE, Services
from app.drivers.opcua.session_trace import Trace
from app.drivers.opcua.session_types import DataTypes
from app.drivers.opcua.session_values import Values
from app.drivers.opcua.session_watch import Watch
from app.drivers.opcua.spec import SETTINGS, SPEC
from app.drivers.opcua.together import dropped
from app.drivers.questions import Question
from app.errors import EndpointError
from app.model.columns import SampleColumns

log = logging.getLogger(__name__)

TICK_S: Final = 0.25
SILENCE_S: Final = 1.0
"""After so long without a byte the server is asked."""

PATIENCE_S: Final = 5.0
PATIENCE_ROUND_TRIPS: Final = 4
"""No answer within the longer of ``PATIENCE_S`` and this many round trips ends the session: slow links are not lost links."""

REMEASURE_S: Final = 10.0
SLEPT_S: Final = 3.0
"""A pause of this program itself (laptop lid, stopped process): what the server sent meanwhile may be incomplete."""

_CLOSE_S: Final = 2.0
_TIME: Final = read_one_attribute([numeric(CURRENT_TIME)], VALUE, "both")


gc.set_threshold(50_000, 20, 50)  # a crawl makes a million objects, none of which refer to one another in a circle
gc.freeze()  # asyncua is half a million objects that live as long as the process: no collection needs to look at them again


def open_session(config: EndpointConfig) -> OpcUaSession:
    return OpcUaSession(config)


async def discover(url: str, timeout_s: float) -> EndpointReport:
    """What answers at a URL and how it can be connected to; makes no session.

    Raises:
        EndpointError: Nothing usable answers.
        UserError: Not an OPC UA URL.
    """
    channel = Channel(SPEC.parse_url(url), timeout_s)
    try:
        await channel.open_unsecured(timeout_s)
        return offer_report(channel.url, await channel.offered(), channel.round_trip_s)
    finally:
        await channel.close()


class OpcUaSession:
    """See ``app.drivers.base.Session``."""

    def __init__(self, config: EndpointConfig) -> None:
        self._config = config
        settings = {field.name: config.settings.get(field.name, field.default) for field in SETTINGS}
        self._timeout_s = float(settings["timeout_s"])
        self._queue = EventQueue()
        self._trace = Trace(self._queue.put)
        self._channel = Channel(SPEC.parse_url(config.url), self._timeout_s, self._trace)
        self._channel.on_lost = self._lost
        self._services = Services(self._channel, int(settings["max_nodes_per_call"]), config.learned, self._queue.put)
        self._nodes = Nodes(self._services)
        self._types = DataTypes(self._services, self._nodes)
        self._browser = Browser(self._services, self._nodes, self._types)
        self._details = Details(self._services, self._nodes, self._types)
        self._values = Values(self._services, self._nodes, self._types)
        self._watch = Watch(
            self._channel,
            self._services,
            self._types,
            publishing_ms=float(settings["publishing_interval_ms"]),
            tell=self._queue.put,
            end=self._channel.end,
        )
        self._took_s = float("inf")
        self._probe: asyncio.Task[None] | None = None
        self._probed_s = 0.0
        self._took_s = float("inf")
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False

    async def open(self, timeout_s: float) -> EndpointReport:
        """Namespaces, limits and clock are read anew each time: indexes are valid for one connection only.

        Raises:
            EndpointError: Closed port, silence, another protocol, a certificate not accepted on either side, a user not accepted, and
                whatever else; see ``session_security``.
            UserError: A setting is wrong, or the certificate store cannot be used or has no such user certificate.
        """
        begin = monotonic()
        try:
            async with asyncio.timeout(timeout_s):
                connected = await connect(self._channel, self._config, timeout_s)
                report = await session_report(self._channel, self._services, connected)
        except TimeoutError as error:
            why = f"the server answered but had not finished after {monotonic() - begin:.1f} s"
            raise EndpointError("Cannot connect", where=self._channel.url, why=why, fix="Try again, or allow more time") from error
        self._tasks = [
            asyncio.create_task(self._watch_life(), name="opcua proof of life"),
            asyncio.create_task(self._tend_watch(), name="opcua tending"),
        ]
        for task in self._tasks:
            task.add_done_callback(self._on_task_over)
        return report

    async def close(self) -> None:
        """Bounded: two seconds for the polite part, then the socket is dropped."""
        if self._closed:
            return
        self._closed = True
        await dropped([*self._tasks, *([self._probe] if self._probe is not None else [])])
        await self._watch.close()
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._channel.close()
        except TimeoutError:
            self._channel.abort()
        self._trace.switch(False)
        self._queue.put(Ended(why=self._channel.lost))

    async def browse(self, nodes: Sequence[str], resume: bytes | None = None) -> BrowseColumns:
        """All children at once: ``resume`` is never needed."""
        if resume is not None:
            raise EndpointError("Cannot go on browsing", where=self._channel.url, why="OPC UA answers are complete; nothing was left")
        return await self._browser.browse(nodes)

    def crawl(self, root: str, limit: int, want: Want = "types") -> AsyncIterator[BrowseColumns]:
        return self._browser.crawl(root, limit, want=want)

    async def read(self, items: Sequence[Item]) -> SampleColumns:
        return await self._values.read(items)

    async def details(self, nodes: Sequence[str]) -> list[NodeDetails]:
        return await self._details.details(nodes)

    async def set_watch(self, add: Sequence[WatchItem], remove: Sequence[int]) -> list[ItemState]:
        return await self._watch.set_watch(add, remove)

    def ask(self, question: Question) -> AsyncIterator[Wire]:
        return Answers(self._services, self._nodes, self._types, self._browser).answer(question)

    def trace(self, on: bool) -> None:
        self._trace.switch(on)

    def events(self) -> AsyncIterator[Event]:
        return aiter(self._queue)

    @property
    def requests(self) -> dict[str, int]:
        """Requests sent so far, by service."""
        return dict(self._services.requests)

    def _lost(self, why: str) -> None:
        self._services.ended(self._channel.error_status)  # nothing can be told after the end
        self._queue.put(Ended(why=why))

    def _on_task_over(self, task: asyncio.Task[None]) -> None:
        """A session of which a part failed is none: what it does not look after any more would seem to be well."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)
            self._channel.end(f"the driver failed: {type(error).__name__}: {error}")

    async def _watch_life(self) -> None:
        """Proof of life at least once a second while there is any; asks when nothing came, and ends the session when nothing answers."""
        told_s = last_s = monotonic()
        while not self._channel.lost:
            await asyncio.sleep(TICK_S)
            now = monotonic()
            if now - last_s > SLEPT_S:
                self._queue.put(Gap(why=f"this program stood still for {now - last_s:.0f} s"))
                self._channel.bytes_s = now - SILENCE_S  # ask at once, and give the server its time to answer
                self._probed_s = max(self._probed_s, now)
            last_s = now
            silent_s = now - self._channel.bytes_s
            if self._channel.bytes_s > told_s:  # by bytes that came since: the age of those before does not begin anew
                self._queue.put(Alive(round_trip_s=self._channel.round_trip_s))
                told_s = now
            if self._probe is not None:
                self._judge(now)
            elif silent_s >= SILENCE_S - TICK_S / 2 or now - self._probed_s >= REMEASURE_S:
                self._probed_s = now
                self._probe = asyncio.create_task(self._ask(), name="opcua probe")

    def _judge(self, now: float) -> None:
        """Of a probe that is not answered yet. Other bytes count too: a long transfer on a slow link is not a lost one."""
        patience_s = max(PATIENCE_S, PATIENCE_ROUND_TRIPS * self._channel.round_trip_s)
        if now - max(self._channel.bytes_s, self._probed_s) > patience_s:
            self._channel.end(f"no answer for {now - self._channel.bytes_s:.1f} s")

    async def _ask(self) -> None:
        """The server's time, past all other requests that may wait for their turn."""
        begin = monotonic()
        try:
            await self._channel.call_body("Read", READ, _TIME, timeout_s=0, count=1)
        except ServiceError as error:
            self._channel.end(f"the server refused to tell its time: {error.why}")
        except EndpointError:
            return  # the connection is gone, which has been told
        else:
            took_s = monotonic() - begin
            self._channel.round_trip_s = min(took_s, self._took_s)  # one slow answer is a server that stood still, and not the way
            self._took_s = took_s
            self._queue.put(Alive(round_trip_s=self._channel.round_trip_s))
        finally:
            self._probe = None

    async def _tend_watch(self) -> None:
        while not self._channel.lost:
            await asyncio.sleep(TICK_S)
            try:
                await self._watch.tend()
            except EndpointError as error:
                self._channel.end(f"the subscription failed: {error.why}")
