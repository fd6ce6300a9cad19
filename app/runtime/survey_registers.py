"""What a snapshot takes of a Modbus endpoint: the registers of the project's tags and of ranges that a person named, and no others.

Every request is decided here and is one on the wire (``modbus.raw``), so that the rate holds for what the device really feels.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np

from app.drivers.modbus.address import BIT_TABLES, parse
from app.drivers.modbus.plan import Extent, Forbidden, Limits, plan
from app.drivers.modbus.questions import RawReply, RawRequest
from app.drivers.modbus.ranges import parse_ranges
from app.drivers.modbus.spec import MALFORMED_REPLY, NO_RESPONSE
from app.drivers.modbus.url import ModbusUrl
from app.drivers.snapshot.contents import Contents
from app.drivers.snapshot.lines import RegistersLine
from app.drivers.snapshot.registers import Registers
from app.drivers.snapshot.writing import SnapshotFile
from app.errors import UserError
from app.model.plant import Endpoint
from app.runtime.clock import SYSTEM_CLOCK
from app.runtime.live import LiveProject
from app.runtime.survey_steps import Answer, Asking, Progress, Taking, Wish

AT_ONCE: Final = Limits(max_registers=60, max_bits=480, gap=0)
"""Fewer than the 125 registers of the standard, as many devices take no more than 64; nothing is read in passing."""
LEAST_COST: Final = 10
"""A request counts for so many registers at least."""
MISSES: Final = 2
"""Requests in a row without an answer after which a unit is not asked any more."""
_FUNCTIONS: Final = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
_UNIT_MISSING: Final = frozenset({10, 11, NO_RESPONSE})
"""Or a gateway that says so for the device behind it, and took its own time to find out."""
_ADDRESS_REFUSED: Final = frozenset({2, 3})
"""May hold for a part of what was asked for only."""

Block = tuple[Extent, ...]
"""What one request is for, in order: registers of tags that belong together, and single ones of ranges."""


class RegisterTaker:
    """A tag's registers are asked for together, as a device may have them change between two requests, or refuse a part of them."""

    def __init__(self, live: LiveProject, endpoint_id: str, wish: Wish, contents: Contents, file: SnapshotFile, progress: Progress) -> None:
        self._live, self._id, self._wish, self._file, self._progress = live, endpoint_id, wish, file, progress
        assert contents.registers is not None
        self._kept: Registers = contents.registers
        self._misses: dict[int, int] = {}

    def take(self) -> Taking:
        blocks = register_blocks(self._live, self._id, self._wish.ranges)
        self._progress.found = sum(_whole(block).length for block in blocks)
        left = [block for block in blocks if not all(map(self._kept.has, block))]
        self._tell(left)
        for place, block in enumerate(left):
            yield from self._take(block)
            self._tell(left[place + 1 :])

    def _tell(self, left: Sequence[Block]) -> None:
        self._progress.open = sum(_whole(block).length for block in left)
        self._progress.taken = self._progress.found - self._progress.open

    def _take(self, block: Block) -> Taking:
        """One request; where the address is refused, what was asked for in two parts, so that what is there is found."""
        extent = _whole(block)
        if self._misses.get(extent.unit, 0) >= MISSES:
            self._keep(extent, NO_RESPONSE, b"")
            return
        question = RawRequest(unit=extent.unit, pdu=struct.pack(">BHH", _FUNCTIONS[extent.table], extent.address, extent.length))
        answer: Answer = yield Asking(lambda: self._live.ask(self._id, question), max(extent.length, LEAST_COST))
        status, words = _told(extent, answer)
        self._misses[extent.unit] = self._misses.get(extent.unit, 0) + 1 if status in _UNIT_MISSING else 0
        if status in _ADDRESS_REFUSED and len(block) > 1:
            middle = len(block) // 2
            yield from self._take(block[:middle])
            yield from self._take(block[middle:])
            return
        self._keep(extent, status, words)

    def _keep(self, extent: Extent, status: int, words: bytes) -> None:
        line = RegistersLine(
            unit=extent.unit, table=extent.table, address=extent.address, count=extent.length, words=words, status=status,
            receive_ns=SYSTEM_CLOCK.wall_ns(),
        )  # fmt: skip
        self._file.append([line])
        self._kept.add(line)


def register_blocks(live: LiveProject, endpoint_id: str, ranges: str) -> list[Block]:
    """The requests that are to be made.

    Raises:
        UserError: A range is none, or there is nothing to take.
    """
    endpoint = live.project.all(Endpoint)[endpoint_id]
    unit = ModbusUrl(live.url_of(endpoint_id)).unit
    of_tags = set(_of_tags(live, endpoint_id, unit))
    covered = {(tag.unit, tag.table, place) for tag in of_tags for place in range(tag.address, tag.end)}
    named = {
        extent._replace(address=place, length=1)
        for extent in parse_ranges(ranges, unit)
        for place in range(extent.address, extent.end)
        if (extent.unit, extent.table, place) not in covered
    }
    if not of_tags and not named:
        why = "the endpoint has no tags, and no range of registers is named; a device is never read blindly"
        raise UserError("Nothing to take", where=endpoint.name, why=why, fix="Name ranges such as 3/holding:0-99")
    extents = sorted(of_tags | named)
    forbidden = Forbidden(excluded=tuple(parse_ranges(str(endpoint.settings.get("forbidden", "")), unit)))
    blocks = plan(extents, _limits(endpoint), forbidden)
    return [tuple(extents[item] for item in block.items) for block in blocks if not forbidden.excludes(block.extent)]


def _of_tags(live: LiveProject, endpoint_id: str, unit: int) -> list[Extent]:
    extents: list[Extent] = []
    for tag in live.project.tags_of(endpoint_id):
        try:
            address = parse(tag.address)
        except UserError:
            continue  # the check reports it
        if tag.access != "w":
            extents.append(Extent(unit if address.unit is None else address.unit, address.table, address.address, address.count))
    return extents


def _limits(endpoint: Endpoint) -> Limits:
    """Those of the endpoint where they are narrower."""
    registers, bits = (endpoint.settings.get(name) for name in ("max_registers", "max_bits"))
    return Limits(
        min(AT_ONCE.max_registers, registers if isinstance(registers, int) else AT_ONCE.max_registers),
        min(AT_ONCE.max_bits, bits if isinstance(bits, int) else AT_ONCE.max_bits),
        gap=0,
    )


def _whole(block: Block) -> Extent:
    first = block[0]
    return first._replace(length=max(extent.end for extent in block) - first.address)


def _told(extent: Extent, answer: Answer) -> tuple[int, bytes]:
    """Status, and the words as the file has them."""
    if isinstance(answer, UserError):
        return NO_RESPONSE, b""
    reply = answer[-1]
    assert isinstance(reply, RawReply)
    if reply.status:
        return reply.status, b""
    data = reply.reply[2:]
    if extent.table in BIT_TABLES:
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[: extent.length]
        data = bits.tobytes()
    expected = extent.length * (1 if extent.table in BIT_TABLES else 2)
    return (0, data) if len(data) == expected else (MALFORMED_REPLY, b"")
