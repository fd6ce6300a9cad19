"""Scans: which units answer, which registers there are, with which parameters a serial line speaks. One gentle request at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.drivers.base import Wire as Answer
from app.drivers.modbus.address import BIT_TABLES, TABLES, parse
from app.drivers.modbus.guard import RequestError
from app.drivers.modbus.plan import Extent, Forbidden, Limits
from app.drivers.modbus.questions import RangeRow, ScanEnd, ScanRegisters, ScanUnits, UnitRow
from app.drivers.modbus.ranges import parse_ranges, range_text, ranges_text
from app.drivers.modbus.scan_cost import duration_text
from app.drivers.modbus.session_wire import Wire
from app.drivers.modbus.spec import FORBIDDEN_RANGE, NO_RESPONSE, NOT_CONNECTED, SPEC
from app.drivers.questions import Progress
from app.errors import EndpointError

REFUSED: Final = frozenset({2, 3, 4})
"""IllegalDataAddress, IllegalDataValue, ServerDeviceFailure: said of a block when one register of it is not there."""
BUSY: Final = frozenset({5, 6})
NOT_REACHED: Final = frozenset({10, 11})
"""A gateway's own: the unit is not behind it, or does not answer it (Modbus V1.1b3 §7)."""
BUSY_TRIES: Final = 3
BUSY_S: Final = 1.0
STILL_ALIVE_TRIES: Final = 3
"""How often a device that fell silent is asked for something that it answered before, until the scan is given up."""
FEW: Final = 8
"""Registers that are asked for one by one even when the scan is not thorough."""


@dataclass(slots=True)
class Pace:
    """Counts requests, keeps the pause between them, and says what is done and how long the rest will take."""

    total: int
    pause_s: float
    requests: int = 0
    done: int = 0
    started_s: float = field(default_factory=time.monotonic)

    async def before_request(self) -> None:
        """Wait; after the first request, that is."""
        if self.requests:
            await asyncio.sleep(self.pause_s)
        self.requests += 1

    def progress(self, text: str) -> Progress:
        """``done`` of ``total``, with the time left as it has gone until now."""
        left = ""
        if 0 < self.done < self.total:
            left = f", {duration_text((time.monotonic() - self.started_s) / self.done * (self.total - self.done))} left"
        return Progress(done=self.done, total=self.total, text=text + left)


async def scan_units(question: ScanUnits, wire: Wire, excluded: Sequence[Extent]) -> AsyncIterator[Answer]:
    if not 0 <= question.first <= question.last <= 255:
        raise EndpointError("Cannot scan", where=f"{question.first}…{question.last}", why="unit ids are from 0 to 255, the first one first")
    asked = parse(question.address)
    pace = Pace(question.last - question.first + 1, question.pause_ms / 1000)
    there = 0
    stopped = ""
    for unit in range(question.first, question.last + 1):
        extent = Extent(unit, asked.table, asked.address, 1)
        row = UnitRow(unit=unit, there=False, asked=range_text(extent), came="not asked: forbidden here", status=FORBIDDEN_RANGE)
        if not Forbidden(excluded=tuple(excluded)).excludes(extent):
            await pace.before_request()
            row = await _unit_row(wire, extent)
        pace.done += 1
        there += row.there
        yield row
        if row.status == NOT_CONNECTED:
            stopped = wire.why_lost or row.came
            break
        yield pace.progress(f"unit {unit} asked, {there} found")
    yield ScanEnd(requests=pace.requests, stopped=stopped)


async def _unit_row(wire: Wire, extent: Extent) -> UnitRow:
    started_s = time.monotonic()
    status, came, there = 0, "", True
    try:
        words = await wire.read(extent, tries=1)
        came = f"it holds {int(words[0])}"
    except RequestError as error:
        status = error.status
        there = status < 0x100 and status not in NOT_REACHED
        came = _refusal_text(error) if there else error.why if status >= 0x100 else SPEC.status_text(status)
    taken_s = time.monotonic() - started_s if there else 0.0
    return UnitRow(unit=extent.unit, there=there, asked=range_text(extent), came=came, status=status, round_trip_s=taken_s)


def _refusal_text(error: RequestError) -> str:
    return f"refused with {SPEC.status_text(error.status)}, so it is there" if error.status < 0x100 else error.why


# --- registers --------------------------------------------------------------------------------------------------------


def scan_registers(question: ScanRegisters, wire: Wire, alive: Extent, excluded: Sequence[Extent]) -> AsyncIterator[Answer]:
    """Raises ``EndpointError`` before anything is sent where the range is none, ``UserError`` where ``skip`` is none."""
    if question.table not in TABLES or not 0 <= question.first <= question.last <= 65535 or not 0 <= question.unit <= 255:
        where = f"unit {question.unit}, {question.table} {question.first}…{question.last}"
        raise EndpointError("Cannot scan", where=where, why=f"tables are {', '.join(TABLES)}, registers 0 to 65535, the first one first")
    skip = (*excluded, *parse_ranges(question.skip, question.unit))
    return _RegisterScan(question, wire, alive, Forbidden(excluded=skip)).run()


class _Stop(Exception):  # noqa: N818  it is no error
    """Why the scan cannot go on."""


class _RegisterScan:
    """Depth first, so that rows come in the order of addresses."""

    def __init__(self, question: ScanRegisters, wire: Wire, alive: Extent, forbidden: Forbidden) -> None:
        self._question, self._wire, self._alive, self._forbidden = question, wire, alive, forbidden
        self._bits = question.table in BIT_TABLES
        self._pace = Pace(question.last - question.first + 1, question.pause_ms / 1000)
        self._refused: list[Extent] = []
        self._silent: list[Extent] = []
        self._found = 0

    async def run(self) -> AsyncIterator[Answer]:
        question, stopped = self._question, ""
        size = max(1, min(question.block, Limits().size(question.table)))
        waiting = [
            Extent(question.unit, question.table, at, min(size, question.last + 1 - at))
            for at in range(question.first, question.last + 1, size)
        ][::-1]
        try:
            while waiting:
                extent = waiting.pop()
                rows, halves = await self._step(extent)
                waiting += halves[::-1]
                for row in rows:
                    self._pace.done += row.length
                    self._found += len(row.words)
                    yield row
                kind = "bits" if self._bits else "registers"
                yield self._pace.progress(f"at {extent.address}, {self._found} {kind} found")
        except _Stop as stop:
            stopped = str(stop)
        yield ScanEnd(requests=self._pace.requests, stopped=stopped, refused=ranges_text(self._refused), silent=ranges_text(self._silent))

    async def _step(self, extent: Extent) -> tuple[list[RangeRow], list[Extent]]:
        """What is known of this extent now, or the halves of it that are still to be asked for."""
        if self._forbidden.excludes(extent):
            if extent.length == 1 or all(self._forbidden.excludes(extent._replace(address=at, length=1)) for at in _each(extent)):
                return [_row(extent, "not asked: forbidden here", FORBIDDEN_RANGE)], []
            return [], _halves(extent)
        try:
            words = await self._read(extent)
        except RequestError as error:
            return await self._failed(extent, error)
        self._alive = extent._replace(length=1)
        kind = "bit" if self._bits else "register"
        row = RangeRow(
            address=extent.address,
            length=extent.length,
            came=f"{extent.length} {kind}{'s' * (extent.length > 1)}",
            words=tuple(words),
        )
        return [row], []

    async def _failed(self, extent: Extent, error: RequestError) -> tuple[list[RangeRow], list[Extent]]:
        text = SPEC.status_text(error.status)
        if error.status in REFUSED:
            if extent.length == 1 or (not self._question.thorough and extent.length > FEW and await self._all_refused(extent)):
                self._refused.append(extent)
                sampled = ", as are five places in it" if extent.length > 1 else ""
                return [_row(extent, f"refused with {text}{sampled}", error.status)], []
            return [], _halves(extent)
        if error.status == NO_RESPONSE:
            self._silent.append(extent)
            came = f"no answer; {await self._wait_for_life(extent)}, so this range is left alone from now on"
            return [_row(extent, came, error.status)], []
        if error.status == NOT_CONNECTED:
            self._silent.append(extent)
            raise _Stop(f"after {range_text(extent)} was asked for, the connection was lost: {self._wire.why_lost or error.why}")
        if error.status == 1:
            raise _Stop(f"the device has no table {extent.table}: {text}")
        if error.status in NOT_REACHED:
            raise _Stop(f"the gateway does not reach unit {extent.unit}: {text}")
        return [_row(extent, f"no usable reply: {text if error.status < 0x100 else error.why}", error.status)], []

    async def _read(self, extent: Extent) -> list[int]:
        """Raises ``RequestError``; a device that is busy is asked again."""
        for number in range(BUSY_TRIES):
            await self._pace.before_request()
            try:
                return [int(word) for word in await self._wire.read(extent, tries=1)]
            except RequestError as error:
                if error.status not in BUSY or number + 1 == BUSY_TRIES:
                    raise
                await asyncio.sleep(BUSY_S)
        raise AssertionError("unreachable")

    async def _all_refused(self, extent: Extent) -> bool:
        """Whether five places of a refused block are refused one by one."""
        last = extent.length - 1
        for place in sorted({0, last // 4, last // 2, 3 * last // 4, last}):
            try:
                await self._read(extent._replace(address=extent.address + place, length=1))
            except RequestError as error:
                if error.status in REFUSED:
                    continue
            return False
        return True

    async def _wait_for_life(self, extent: Extent) -> str:
        """How long the device was silent. Raises ``_Stop`` when it does not answer what it answered before."""
        started_s = time.monotonic()
        for _ in range(STILL_ALIVE_TRIES):
            await self._pace.before_request()
            try:
                await self._wire.read(self._alive, tries=1)
            except RequestError as error:
                if error.status >= 0x100:
                    continue
            return f"the device answered again after {duration_text(time.monotonic() - started_s)}"
        raise _Stop(f"after {range_text(extent)} was asked for, the device does not answer {range_text(self._alive)} any more either")


def _row(extent: Extent, came: str, status: int) -> RangeRow:
    return RangeRow(address=extent.address, length=extent.length, came=came, status=status)


def _each(extent: Extent) -> range:
    return range(extent.address, extent.end)


def _halves(extent: Extent) -> list[Extent]:
    middle = extent.length // 2
    return [extent._replace(length=middle), extent._replace(address=extent.address + middle, length=extent.length - middle)]
