"""Reads planned blocks; finds out what a device refuses, and remembers it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from app.drivers.modbus.guard import RequestError
from app.drivers.modbus.plan import Block, Extent, Forbidden, Limits, plan, split
from app.drivers.modbus.readings import Reading
from app.drivers.modbus.readout import Readout, Wanted, with_newer, without_value
from app.drivers.modbus.registers import Words
from app.drivers.modbus.session_wire import Wire
from app.drivers.modbus.spec import FORBIDDEN_RANGE, NO_RESPONSE, TORN_VALUE
from app.drivers.modbus.torn import READS
from app.model.columns import SampleColumns

ADDRESS_REFUSED: Final = frozenset({2, 3})
"""IllegalDataAddress, and IllegalDataValue with which many devices refuse a count: both may hold for a part of a block only."""
UNIT_MISSING: Final = frozenset({10, 11, NO_RESPONSE})
"""No answer, or a gateway that says so for the device behind it (and took its own time-out to find out)."""
SHORT_REST_S: Final = 3.5
"""Longest rest of a unit that is alone in being silent, so that it is read again within 5 s after it has come back."""
LONGEST_REST_S: Final = 30.0
REST_PER_WAIT: Final = 1.75
"""Silent units rest for so much longer than it takes to find out that they still are: together they take about a third of the line."""


@dataclass(slots=True)
class Silence:
    """How often in a row a unit has not answered, with which status, and until when it is left alone."""

    misses: int = 0
    status: int = NO_RESPONSE
    until_s: float = 0.0


@dataclass(slots=True)
class BlockReader:
    """All reading of one session goes through here, so that what polling learns of the device helps a person's read, and the other way.

    A unit that missed two requests in a row rests for 1, 2 and then 3.5 s, longer where many are silent; its polled items are bad
    (NoResponse) at once meanwhile, so that dead devices behind a gateway do not slow down the others. What a person asks for is always
    asked.
    """

    wire: Wire
    limits: Limits
    forbidden: Forbidden = field(default_factory=Forbidden)
    confirm: bool = True
    """Whether values that may be torn are read again."""
    revision: int = 0
    """Rises whenever a plan that was made before may no longer be the best."""
    _silent: dict[int, Silence] = field(default_factory=dict)
    _sizes: int = 1

    @property
    def in_flight(self) -> int:
        """Requests that the connection may have under way at once."""
        return self.wire.window.limit

    def plan(self, wanted: Sequence[Wanted]) -> list[Block]:
        """Where several requests may be in flight, blocks that follow each other have different sizes, as ``turns`` wants it."""
        if self.forbidden.expire(time.monotonic()):
            self.revision += 1
        return plan([item.extent for item in wanted], replace(self.limits, sizes=self.in_flight), self.forbidden)

    def check(self) -> int:
        """The revision, after all that may have changed since the last look at it."""
        if self.forbidden.expire(time.monotonic()) or self._sizes != self.in_flight:
            self._sizes = self.in_flight
            self.revision += 1
        return self.revision

    async def read(
        self, wanted: Sequence[Wanted], block: Block, *, polled: bool, readout: Readout | None = None, missed: dict[int, int] | None = None
    ) -> list[SampleColumns | Reading]:
        """Samples of every item of ``block``, whose numbers index ``wanted``; in parts where the device refused the whole.

        Args:
            wanted, block: What is read.
            polled: Not asked for by a person just now: a unit that rests is left alone.
            readout: Of this block, where it was compiled before.
            missed: Of one read by a person: unit → blocks in a row that were not answered. After two of them the others are not asked
                for, or a dead unit would hold up the line for as many time-outs as it has blocks.
        """
        if self.forbidden.excludes(block.extent):
            return [(readout or _readout(wanted, block)).bad(FORBIDDEN_RANGE, time.time_ns())]
        if polled and (known := self._known_failure(block.extent)) is not None:
            return [(readout or _readout(wanted, block)).bad(known, time.time_ns())]
        unit = block.extent.unit
        if missed is not None and missed.get(unit, 0) >= 2:
            return [(readout or _readout(wanted, block)).bad(self._silent[unit].status, time.time_ns())]
        parts, _ = await self._read(wanted, block, readout, 1 if polled and self._silent.get(unit, Silence()).misses >= 2 else None)
        if missed is not None:
            missed[unit] = missed.get(unit, 0) + 1 if unit in self._silent else 0
        return parts

    async def words(self, extent: Extent) -> Words:
        """The bare words of an extent that a person looks at. Raises ``RequestError``; an excluded one is not asked for."""
        if self.forbidden.excludes(extent):
            raise RequestError(FORBIDDEN_RANGE, "the setting 'forbidden' of the endpoint excludes these registers")
        return await self.wire.read(extent)

    def _known_failure(self, extent: Extent) -> int | None:
        silence = self._silent.get(extent.unit)
        if silence is not None and time.monotonic() < silence.until_s:
            return silence.status
        return self.forbidden.within(extent)

    async def _read(
        self, wanted: Sequence[Wanted], block: Block, readout: Readout | None, tries: int | None = None
    ) -> tuple[list[SampleColumns | Reading], bool]:
        """The samples, and whether the block was answered as a whole. A unit that has rested gets one try, not those of the setting."""
        readout = readout or _readout(wanted, block)
        asked_s = time.monotonic()
        try:
            words = await self.wire.read(block.extent, tries=tries)
        except RequestError as error:
            if error.asked:
                self._note(block.extent.unit, error.status, time.monotonic() - asked_s)
            if error.status not in ADDRESS_REFUSED:
                return [readout.bad(error.status, time.time_ns())], False
            if all(wanted[index].extent == block.extent for index in block.items):
                self._forbid(block.extent, error.status, lasting=False)
                return [readout.bad(error.status, time.time_ns())], False
            return await self._halves(wanted, block, error.status), False
        receive_ns = time.time_ns()
        self._note(block.extent.unit, 0)
        if self.forbidden.discard_within(block.extent):
            self.revision += 1
        if self.confirm and len(readout.wide) and not readout.wide.settled(words):
            return [await self._confirmed(block.extent, readout, words, readout.good(words, receive_ns))], True
        return [Reading(readout, words, receive_ns)], True

    async def _confirmed(self, extent: Extent, readout: Readout, words: Words, columns: SampleColumns) -> SampleColumns:
        """Read again what may be torn (``torn``), and take what two readings in succession agree on.

        A first reading is compared with a second one as well; where that cannot be had, nothing speaks against the first.
        """
        wide = readout.wide
        now = wide.keys(words)
        doubt = wide.doubtful(now)
        if not np.count_nonzero(doubt):
            wide.remember(now)
            return columns
        first = doubt & ~wide.has_last()
        settled, rising, falling = now.copy(), doubt.copy(), doubt.copy()
        for reads in range(2, READS + 1):
            if not doubt.any():
                break
            try:
                again = await self.wire.read(extent)
            except RequestError:
                rising[:] = falling[:] = False
                break
            last, now = now, wide.keys(again)
            agreed = doubt & ~wide.suspicious(last, now)
            rising &= now > last
            falling &= now < last
            nearer = doubt | ~wide.suspicious(settled, now)
            settled[nearer] = now[nearer]
            doubt &= ~agreed
            first &= agreed
            taken = agreed | (doubt & (rising | falling)) if reads == READS else agreed
            columns = with_newer(columns, wide.rows[taken].tolist(), readout.good(again, time.time_ns()))
        wide.remember(settled, ~wide.suspicious(settled, now))
        withheld = wide.rows[doubt & ~first & ~(rising | falling)].tolist()
        return without_value(columns, withheld, TORN_VALUE) if withheld else columns

    async def _halves(self, wanted: Sequence[Wanted], block: Block, status: int) -> list[SampleColumns | Reading]:
        left, right, between = split([item.extent for item in wanted], block)
        first, first_whole = await self._read(wanted, left, None)
        second, second_whole = await self._read(wanted, right, None)
        if first_whole and second_whole:
            self._forbid(between, status, lasting=True)
        return first + second

    def _forbid(self, extent: Extent, status: int, *, lasting: bool) -> None:
        self.forbidden.add(extent, status, time.monotonic(), lasting=lasting)
        self.revision += 1

    def answered(self, unit: int) -> None:
        """A reply of this unit came, whatever it said: it rests no longer."""
        self._silent.pop(unit, None)

    def _note(self, unit: int, status: int, taken_s: float = 0.0) -> None:
        if status not in UNIT_MISSING:
            self.answered(unit)
            return
        silence = self._silent.setdefault(unit, Silence())
        silence.misses += 1
        silence.status = status
        if silence.misses >= 2:
            rest_s = min(SHORT_REST_S, 2.0 ** (silence.misses - 2))
            rest_s = max(rest_s, REST_PER_WAIT * taken_s * len(self._silent))
            silence.until_s = time.monotonic() + min(LONGEST_REST_S, rest_s)


def _readout(wanted: Sequence[Wanted], block: Block) -> Readout:
    return Readout([wanted[index] for index in block.items], block.extent.address)
