"""A Modbus connection as the connector sees it: open, browse, read, watch."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Final

from msgspec import structs

from app.drivers.base import (
    Alive,
    BrowseColumns,
    Ended,
    EndpointConfig,
    EndpointReport,
    Event,
    Item,
    ItemState,
    Learned,
    NodeDetails,
    Session,
    WatchItem,
)
from app.drivers.base import Wire as Answer
from app.drivers.modbus.details import item_details, place_details
from app.drivers.modbus.guard import RequestError
from app.drivers.modbus.in_flight import IN_FLIGHT
from app.drivers.modbus.nodes import children, everything, is_place
from app.drivers.modbus.plan import Limits
from app.drivers.modbus.ranges import parse_ranges
from app.drivers.modbus.readings import Reading, samples_of
from app.drivers.modbus.readout import Defaults, Wanted, by_handle, no_address
from app.drivers.modbus.session_open import first_answer, new_link, product_of, timing_of
from app.drivers.modbus.session_poll import Poller
from app.drivers.modbus.session_questions import answer_question
from app.drivers.modbus.session_read import UNIT_MISSING, BlockReader
from app.drivers.modbus.spec import BAD_ADDRESS, SPEC
from app.drivers.modbus.trace import Recorder
from app.drivers.modbus.url import ModbusUrl
from app.drivers.questions import Question
from app.errors import UserError
from app.model.columns import SampleColumns
from app.model.plant import Identity
from app.model.values import Quality

_log = logging.getLogger(__name__)

TICK_S: Final = 0.2
ASK_AFTER_S: Final = 0.7
"""Silence after which a cheap register is asked for; with the tick, and the answer, there is a sign of life every second."""
GIVE_UP_S: Final = 5.0
EVENTS_WAITING: Final = 256


def open_session(config: EndpointConfig) -> Session:
    """A session that is not open yet.

    Raises:
        UserError: The URL or a setting is wrong.
    """
    return ModbusSession(config)


async def discover(url: str, timeout_s: float) -> EndpointReport:
    """What answers at a URL.

    Raises:
        UserError: It is no Modbus URL.
        EndpointError: Nothing answers there, or nothing that speaks Modbus.
    """
    session = ModbusSession(EndpointConfig(name=url, url=url))
    try:
        return await session.open(timeout_s)
    finally:
        await session.close()


class ModbusSession:
    """See ``app.drivers.base.Session``. A person's read waits for the polled requests that are in flight, and for no other."""

    def __init__(self, config: EndpointConfig) -> None:
        self._url = ModbusUrl(config.url)
        settings = {field.name: config.settings.get(field.name, field.default) for field in SPEC.settings}
        self._config, self._settings = config, settings
        self._timing = timing_of(self._url, settings)
        self._ask_identity = bool(settings["ask_identity"])
        limits = Limits(int(settings["max_registers"]), int(settings["max_bits"]), int(settings["gap"]))
        self._units = sorted({unit.number for unit in config.units} | {self._url.unit})
        self._defaults = Defaults(self._url.unit, {unit.number: unit.order for unit in config.units})
        self._link = new_link(self._url, config, settings)
        self._wire = self._link.wire
        self._reader = BlockReader(self._wire, limits, confirm=bool(settings["confirm"]))
        self._reader.forbidden.excluded = tuple(parse_ranges(str(settings["forbidden"]), self._url.unit))
        self._wire.excluded = self._reader.forbidden.excludes
        self._events: asyncio.Queue[Event] = asyncio.Queue(EVENTS_WAITING)
        self._poller = Poller(self._reader, self._defaults, self._events.put)
        self._tasks: list[asyncio.Task[None]] = []
        self._probe = self._reader.forbidden.harmless(self._url.unit)
        self._recorder, self._tracing = Recorder(), False
        self._blamed = ""

    # --- connecting -------------------------------------------------------------------------------------------------------

    async def open(self, timeout_s: float) -> EndpointReport:
        deadline_s = time.monotonic() + timeout_s
        await self._wire.connect(timeout_s)
        units = [self._url.unit, *(unit for unit in self._units if unit != self._url.unit)]
        probes = [self._reader.forbidden.harmless(unit) for unit in units]
        self._probe, note = await first_answer(self._link, probes, self._timing.retries + 1, deadline_s)
        unit = self._probe.unit
        product, trouble = await self._product(unit, deadline_s)
        identity, unread = await self._identity(product)
        self._tasks = [asyncio.create_task(self._live()), asyncio.create_task(self._poller.run())]
        return EndpointReport(
            title=product or f"{self._url.title} device",
            url=str(self._url),
            product=product,
            units=(unit,),
            round_trip_s=self._wire.round_trip_s,
            notes=tuple(filter(None, (note, trouble, unread))),
            identity=identity,
            granted=self._link.granted(),
            found={IN_FLIGHT: 1} if IN_FLIGHT in self._config.learned.limits else {},
        )

    async def _product(self, unit: int, deadline_s: float) -> tuple[str, str]:
        """Vendor, product and revision as one text, and a note; both may be ""."""
        if not self._ask_identity:
            return "", ""
        product = await product_of(self._link, unit, deadline_s - time.monotonic())
        if not self._wire.lost.is_set():
            return product, ""
        await self._link.close()
        self._link = new_link(self._url, self._config, self._settings)
        self._wire = self._reader.wire = self._link.wire
        self._wire.told = self._recorder.add if self._tracing else None
        self._wire.excluded = self._reader.forbidden.excludes
        await self._wire.connect(max(0.01, deadline_s - time.monotonic()))
        return "", 'The device closes the connection when asked for its identification (43/14); the setting "ask_identity" avoids that'

    async def _identity(self, product: str) -> tuple[Identity, str]:
        """What is here, with the register that a person named for it; and a note where that cannot be read."""
        found = Identity(product=product, thumbprint=self._link.thumbprint())
        if not (register := self._config.identity.register):
            return found, ""
        sample = (await self.read([Item(address=register)])).sample(0)
        if sample.quality is Quality.BAD:
            return found, f"The register that tells this device from others, {register}, cannot be read: {SPEC.status_text(sample.status)}"
        return structs.replace(found, register=register, value=str(sample.value)), ""

    async def close(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._link.close()
        while not self._events.empty():
            self._events.get_nowait()
        self._events.put_nowait(Ended(why="closed"))

    # --- what happens -----------------------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[Event]:
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return

    async def _live(self) -> None:
        """Signs of life while there are any, and the end when there are none."""
        give_up_s = max(GIVE_UP_S, 4 * self._timing.timeout_s)
        told_s = 0.0
        asking: asyncio.Task[None] | None = None
        try:
            while not await self._lost_within(TICK_S):
                now_s = time.monotonic()
                await self._tell_learned()
                if not self._events.full() and (traffic := self._recorder.take()) is not None:
                    self._events.put_nowait(traffic)
                if self._wire.heard_at_s > told_s and now_s - told_s > ASK_AFTER_S and not self._events.full():
                    told_s = now_s
                    self._events.put_nowait(Alive(round_trip_s=self._wire.round_trip_s))
                silent_s = now_s - self._wire.valid_at_s
                if silent_s > give_up_s:
                    fault = self._wire.last_fault
                    why = f"no valid reply for {silent_s:.0f} s" + (f"; the last one was malformed: {fault}" if fault else "")
                    break
                if silent_s > ASK_AFTER_S and (asking is None or asking.done()):
                    asking = asyncio.create_task(self._ask())
            else:
                why = self._wire.why_lost
        finally:
            if asking is not None:
                asking.cancel()
        self._wire.close()
        await self._tell_learned()
        await self._events.put(Ended(why=why))

    async def _tell_learned(self) -> None:
        """Once: that the device does not bear several requests in flight."""
        if self._wire.window.blamed and not self._blamed:
            self._blamed = self._wire.window.blamed
            _log.info("one request at a time from now on: %s", self._blamed)
            await self._events.put(Learned(limits={IN_FLIGHT: 1}))

    async def _lost_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._wire.lost.wait()
        except TimeoutError:
            return False
        return True

    async def _ask(self) -> None:
        try:
            await self._wire.read(self._probe, tries=1)
        except RequestError as error:
            if error.status in UNIT_MISSING or error.status >= 0x100:
                return  # no reply shows in valid_at_s
        self._reader.answered(self._probe.unit)

    def ask(self, question: Question) -> AsyncIterator[Answer]:
        return answer_question(question, self._wire, self._probe, self._reader.forbidden.excluded)

    def trace(self, on: bool) -> None:
        self._tracing = on
        self._wire.told = self._recorder.add if on else None
        if not on:
            self._recorder.clear()

    # --- reading and watching ---------------------------------------------------------------------------------------------

    async def read(self, items: Sequence[Item]) -> SampleColumns:
        wanted: list[Wanted] = []
        parts: list[SampleColumns | Reading] = []
        for handle, item in enumerate(items):
            try:
                wanted.append(self._defaults.wanted(item, handle))
            except UserError:
                parts.append(no_address(handle, BAD_ADDRESS, time.time_ns()))
        missed: dict[int, int] = {}
        for block in self._reader.plan(wanted):
            parts += await self._reader.read(wanted, block, polled=False, missed=missed)
        return by_handle(samples_of(parts))

    async def set_watch(self, add: Sequence[WatchItem], remove: Sequence[int]) -> list[ItemState]:
        return self._poller.watch(add, remove)

    # --- units and tables -------------------------------------------------------------------------------------------------

    async def browse(self, nodes: Sequence[str], resume: bytes | None = None) -> BrowseColumns:
        """Units that the project or the URL names, and the four tables of each. Nothing is scanned: a read may have effects."""
        del resume  # an answer is always whole
        return children(nodes, self._units)

    async def crawl(self, root: str, limit: int) -> AsyncIterator[BrowseColumns]:
        yield everything(root, self._units, limit)

    async def details(self, nodes: Sequence[str]) -> list[NodeDetails]:
        return [await self._details(node) for node in nodes]

    def _details(self, node: str) -> Coroutine[None, None, NodeDetails]:
        if is_place(node):
            return place_details(node, self._defaults)
        return item_details(node, self._defaults, self._reader)
