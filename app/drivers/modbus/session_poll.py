"""Polls watched items: those that are due together are read together, the most urgent block first, units in turn.

Every poll emits a sample of each of its items, changed or not, so that the receive time of a polled value is always that of the last
answer. The deadband of an item is therefore not applied here: it thins out what is delivered, not what is known.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.drivers.base import Event, ItemState, ItemStates, WatchItem
from app.drivers.modbus.guard import reply_size
from app.drivers.modbus.plan import Block
from app.drivers.modbus.poll_order import PollOrder
from app.drivers.modbus.readings import Reading, samples_of
from app.drivers.modbus.readout import Defaults, Readout, Wanted, rows_of
from app.drivers.modbus.session_read import BlockReader
from app.drivers.modbus.session_wire import request_for
from app.drivers.modbus.spec import BAD_ADDRESS
from app.drivers.modbus.torn import LastReadings
from app.drivers.modbus.turns import Shape
from app.errors import UserError
from app.model.columns import SampleColumns

SHORTEST_MS: Final = 10
TOGETHER_S: Final = 0.005
MOST_PARTS: Final = 256
"""Blocks that wait to be delivered; then polling waits."""
RATE_TOLERANCE: Final = 0.2
"""A measured rate is reported when it differs by more than this part from the one that was reported last."""


@dataclass(slots=True, eq=False)
class Rate:
    """All items of one unit and one interval: a unit that is slow does not hold up the values of another."""

    unit: int
    interval_s: float
    due_s: float
    handles: dict[int, Wanted] = field(default_factory=dict)
    pending: int = 0
    """Blocks of the running cycle that are still to be read; the next cycle waits for them."""
    started_s: float = 0.0
    measured_s: float = 0.0
    """Smoothed over the last cycles; longer than the interval where the device is slower than asked."""
    reported_s: float = 0.0


@dataclass(slots=True, eq=False)
class Job:
    """One block that is due, for its rates (the fastest first). The numbers of the block index ``items``."""

    items: list[Wanted]
    block: Block
    rates: tuple[Rate, ...]
    readout: Readout
    shape: Shape
    generation: int
    """Of the set of watched items for which it was made."""


class Poller:
    """Owned by the session; ``run`` is its task. ``emit`` may wait, and then polling waits too."""

    def __init__(self, reader: BlockReader, defaults: Defaults, emit: Callable[[Event], Awaitable[None]]) -> None:
        self._reader, self._defaults, self._emit = reader, defaults, emit
        self._rates: dict[tuple[int, float], Rate] = {}
        self._items: dict[int, tuple[Rate, Wanted]] = {}
        self._order: PollOrder[Job] = PollOrder()
        self._plans: dict[tuple[tuple[int, float], ...], list[Job]] = {}
        self._planned_at = -1
        self._changed = asyncio.Event()
        self._generation = 0
        self._helping = 0
        self._last = LastReadings()
        self._parts: list[SampleColumns | Reading] = []
        self._arrived, self._room = asyncio.Event(), asyncio.Event()

    def watch(self, add: Sequence[WatchItem], remove: Sequence[int]) -> list[ItemState]:
        """Takes effect at once: no sample of a removed item is emitted after this."""
        for handle in remove:
            self._remove(handle)
        states = [self._add(item) for item in add]
        gone = {*remove, *(item.handle for item in add)}
        self._parts = [_without(part, gone) for part in self._parts] if gone else self._parts
        self._plans.clear()
        self._generation += 1
        self._changed.set()
        return states

    async def run(self) -> None:
        """Reads one block after the other; where the connection bears several requests at once, others help as long as there are blocks."""
        async with asyncio.TaskGroup() as helpers:
            helpers.create_task(self._deliver())
            while True:
                self._changed.clear()
                self._start_cycles(time.monotonic())
                for _ in range(min(self._reader.in_flight, len(self._order)) - 1 - self._helping):
                    self._helping += 1
                    helpers.create_task(self._help())
                if (job := self._order.next(self._goes)) is not None:
                    await self._do(job)
                    continue
                due_s = min((rate.due_s for rate in self._rates.values() if not rate.pending), default=None)
                try:
                    async with asyncio.timeout(None if due_s is None else max(0.0, due_s - time.monotonic())):
                        await self._changed.wait()
                except TimeoutError:
                    continue  # something is due

    async def _help(self) -> None:
        try:
            while self._helping < self._reader.in_flight and (job := self._order.next(self._goes)) is not None:
                await self._do(job)
        finally:
            self._helping -= 1
            self._changed.set()

    async def _deliver(self) -> None:
        """What has come within a few milliseconds goes out together."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            await asyncio.sleep(TOGETHER_S)
            parts, self._parts = self._parts, []
            together = samples_of(parts)
            if len(together):
                await self._emit(together)
            self._room.set()

    def _goes(self, job: Job) -> bool:
        return self._reader.wire.turns.is_free(job.shape)

    def _add(self, item: WatchItem) -> ItemState:
        self._remove(item.handle)
        try:
            wanted = self._defaults.wanted(item, item.handle)
        except UserError as error:
            return ItemState(handle=item.handle, refused=error.why, status=BAD_ADDRESS)
        interval_ms = max(SHORTEST_MS, item.interval_ms)
        key = (wanted.extent.unit, interval_ms)
        rate = self._rates.get(key)
        if rate is None:
            rate = self._rates[key] = Rate(key[0], interval_ms / 1000, time.monotonic(), reported_s=interval_ms / 1000)
        elif not rate.pending:
            rate.due_s = time.monotonic()  # the first value of a new item is not kept waiting for the beat
        rate.handles[item.handle] = wanted
        self._items[item.handle] = (rate, wanted)
        return ItemState(handle=item.handle, interval_ms=rate.reported_s * 1000)

    def _remove(self, handle: int) -> None:
        rate, wanted = self._items.pop(handle, (None, None))
        if rate is not None and wanted is not None:
            del rate.handles[handle]
            self._last.forget(wanted)
            if not rate.handles:
                self._rates = {key: other for key, other in self._rates.items() if other is not rate}

    def _start_cycles(self, now_s: float) -> None:
        due: dict[int, dict[tuple[int, float], Rate]] = {}
        for key, rate in sorted(self._rates.items()):
            if rate.due_s <= now_s and not rate.pending:
                due.setdefault(rate.unit, {})[key] = rate
        for unit, rates in due.items():
            for job in self._jobs_of(rates):
                self._order.add(unit, now_s + job.rates[0].interval_s, job)
                for rate in job.rates:
                    rate.pending += 1
            for rate in rates.values():
                rate.started_s = now_s

    def _jobs_of(self, due: dict[tuple[int, float], Rate]) -> list[Job]:
        """The plan for all of a unit that is due together; made anew only after items or knowledge of the device changed."""
        if self._planned_at != self._reader.check():
            self._plans.clear()
        key = tuple(due)
        if key not in self._plans:
            wanted = [item for rate in due.values() for item in rate.handles.values()]
            self._plans[key] = [self._job(wanted, block) for block in self._reader.plan(wanted)]
        self._planned_at = self._reader.revision
        return self._plans[key]

    def _job(self, wanted: Sequence[Wanted], block: Block) -> Job:
        items = [wanted[index] for index in block.items]
        rates = sorted({self._items[item.handle][0] for item in items}, key=lambda rate: rate.interval_s)
        pdu = request_for(block.extent)
        shape = (block.extent.unit, pdu[0], reply_size(pdu))
        block = Block(block.extent, tuple(range(len(items))))
        return Job(items, block, tuple(rates), Readout(items, block.extent.address, self._last), shape, self._generation)

    def _is_watched(self, item: Wanted) -> bool:
        """Whether it still is: its handle may stand for another item by now."""
        return self._items.get(item.handle, (None, None))[1] is item

    async def _do(self, job: Job) -> None:
        started_s = time.monotonic()
        if job.generation == self._generation or all(map(self._is_watched, job.items)):
            await self._read(job.items, job.block, job.readout)
        else:
            items = [item for item in job.items if self._is_watched(item)]
            for block in self._reader.plan(items):
                await self._read(items, block, None)
        self._order.used(job.block.extent.unit, time.monotonic() - started_s)
        for rate in job.rates:
            rate.pending -= 1
            if rate.pending == 0:
                await self._end_cycle(rate)

    async def _read(self, items: Sequence[Wanted], block: Block, readout: Readout | None) -> None:
        generation = self._generation
        for part in await self._reader.read(items, block, polled=True, readout=readout):
            while len(self._parts) >= MOST_PARTS:
                self._room.clear()
                await self._room.wait()
            if self._generation != generation:
                watched = {item.handle for item in items if self._is_watched(item)}
                part = _only(part, watched)  # noqa: PLW2901
            if isinstance(part, Reading) or len(part):
                self._parts.append(part)
                self._arrived.set()

    async def _end_cycle(self, rate: Rate) -> None:
        now_s = time.monotonic()
        rate.due_s = max(rate.due_s + rate.interval_s, now_s)
        period_s = max(rate.interval_s, now_s - rate.started_s)
        rate.measured_s = 0.7 * rate.measured_s + 0.3 * period_s if rate.measured_s else period_s
        if abs(rate.measured_s - rate.reported_s) > RATE_TOLERANCE * rate.reported_s and rate.handles:
            rate.reported_s = rate.measured_s
            interval_ms = round(rate.reported_s * 1000, 1)
            await self._emit(ItemStates(states=tuple(ItemState(handle=handle, interval_ms=interval_ms) for handle in rate.handles)))


def _without(part: SampleColumns | Reading, handles: set[int]) -> SampleColumns:
    columns = samples_of([part])
    return rows_of(columns, [row for row, handle in enumerate(columns.handle.tolist()) if handle not in handles])


def _only(part: SampleColumns | Reading, handles: set[int]) -> SampleColumns:
    columns = samples_of([part])
    return rows_of(columns, [row for row, handle in enumerate(columns.handle.tolist()) if handle in handles])
