"""Turns any set of items into few block reads. On a Modbus line the number of requests decides, not their length."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from app.drivers.modbus.address import BIT_TABLES


class Extent(NamedTuple):
    """Registers (or bits) that lie together: ``length`` from ``address`` on, of one table of one unit."""

    unit: int
    table: str
    address: int
    length: int

    @property
    def end(self) -> int:
        return self.address + self.length


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may carry. ``gap`` counts registers; 16 bits weigh as much as one register."""

    max_registers: int = 125
    max_bits: int = 2000
    gap: int = 10

    def size(self, table: str) -> int:
        return self.max_bits if table in BIT_TABLES else self.max_registers

    def bridge(self, table: str) -> int:
        return self.gap * 16 if table in BIT_TABLES else self.gap


class Block(NamedTuple):
    """One request, and which items (their index in what was planned, by address) it answers."""

    extent: Extent
    items: tuple[int, ...]


@dataclass(slots=True)
class Forbidden:
    """Extents that the device is known to refuse: any request that covers one of them whole would fail.

    A refused item is forgotten after ``lifetime_s``, so that a device that was given a new program is asked again, but not at every poll.
    A refused gap is lasting: all it costs is a request, and to try again would cost several.

    What is ``excluded`` is more: a person or a scan has said so, each register of it is forbidden, and no answer disproves it.
    """

    lifetime_s: float = 60.0
    excluded: tuple[Extent, ...] = ()
    _refused: dict[tuple[int, str], dict[tuple[int, int], tuple[int, float]]] = field(default_factory=dict)
    _sorted: dict[tuple[int, str], list[tuple[int, int]]] = field(default_factory=dict)

    def add(self, extent: Extent, status: int, now_s: float, *, lasting: bool = False) -> None:
        unit, table, address, _ = extent
        self._refused.setdefault((unit, table), {})[address, extent.end] = (status, math.inf if lasting else now_s)
        self._sorted[unit, table] = sorted(self._refused[unit, table])

    def discard_within(self, extent: Extent) -> bool:
        """Forget what a good answer has disproved; whether there was anything."""
        key = (extent.unit, extent.table)
        wrong = [pair for pair in self._sorted.get(key, []) if extent.address <= pair[0] and pair[1] <= extent.end]
        return self._drop(key, wrong)

    def expire(self, now_s: float) -> bool:
        """Forget what is old; whether there was anything."""
        old = {key: [pair for pair, (_, at_s) in pairs.items() if now_s - at_s >= self.lifetime_s] for key, pairs in self._refused.items()}
        dropped = [self._drop(key, pairs) for key, pairs in old.items()]
        return any(dropped)

    def _drop(self, key: tuple[int, str], pairs: Sequence[tuple[int, int]]) -> bool:
        for pair in pairs:
            del self._refused[key][pair]
        if pairs:
            self._sorted[key] = sorted(self._refused[key])
        return bool(pairs)

    def excludes(self, extent: Extent) -> bool:
        """Whether a request for this extent would touch a register that is excluded."""
        unit, table, address, _ = extent
        return any((unit, table) == (one.unit, one.table) and address < one.end and one.address < extent.end for one in self.excluded)

    def harmless(self, unit: int) -> Extent:
        """One holding register to ask for when all that matters is whether there is an answer: the first that is not excluded."""
        ends = sorted(one.end for one in self.excluded if (one.unit, one.table) == (unit, "holding"))
        free = (Extent(unit, "holding", at, 1) for at in (0, *ends) if at < 65536)
        return next((extent for extent in free if not self.excludes(extent)), Extent(unit, "input", 0, 1))

    def within(self, extent: Extent) -> int | None:
        """The status with which a request for this extent is known to fail, None where nothing is known."""
        pairs = self._sorted.get((extent.unit, extent.table), [])
        for pair in pairs[bisect_left(pairs, (extent.address, 0)) :]:
            if pair[0] >= extent.end:
                return None
            if pair[1] <= extent.end:
                return self._refused[extent.unit, extent.table][pair][0]
        return None


def plan(extents: Sequence[Extent], limits: Limits, forbidden: Forbidden | None = None) -> list[Block]:
    """Blocks that hold every extent whole, in order of unit, table and address.

    No block mixes units or tables, exceeds the limits (but for a single item that does) or covers more than ``limits.gap`` unused
    registers in one place. No block covers a forbidden extent or touches an excluded one, except for one item alone that does so
    itself: whether to ask for that one is the caller's choice.
    """
    blocks: list[Block] = []
    members: list[int] = []
    whole: Extent | None = None
    for index in sorted(range(len(extents)), key=lambda index: extents[index]):
        joined = whole and _joined(whole, extents[index], limits, forbidden)
        if joined is None:
            if whole is not None:
                blocks.append(Block(whole, tuple(members)))
            whole, members = extents[index], [index]
        else:
            whole = joined
            members.append(index)
    if whole is not None:
        blocks.append(Block(whole, tuple(members)))
    return blocks


def _joined(whole: Extent, extent: Extent, limits: Limits, forbidden: Forbidden | None) -> Extent | None:
    """Both as one request, None where they may not be."""
    unit, table, address, _ = whole
    end = max(whole.end, extent.end)
    if (unit, table) != (extent.unit, extent.table) or extent.address - whole.end > limits.bridge(table):
        return None
    joined = Extent(unit, table, address, end - address)
    if joined != whole and joined.length > limits.size(table):
        return None
    if forbidden is not None and (forbidden.within(joined) is not None or _newly_excluded(whole, extent, joined, forbidden)):
        return None
    return joined


def _newly_excluded(whole: Extent, extent: Extent, joined: Extent, forbidden: Forbidden) -> bool:
    """Whether joining would keep one of the two from being read that could be read alone."""
    return forbidden.excludes(joined) and not (forbidden.excludes(whole) and forbidden.excludes(extent))


def split(extents: Sequence[Extent], block: Block) -> tuple[Block, Block, Extent]:
    """A refused block of two or more items as two, cut at its widest gap (without one, in the middle).

    The third is what both halves leave to blame when both are answered: the gap, or the seam where there is none.
    """
    gaps: list[tuple[int, int, int]] = []
    end = extents[block.items[0]].end
    for position, index in enumerate(block.items[1:], 1):
        gaps.append((extents[index].address - end, -abs(2 * position - len(block.items)), position))
        end = max(end, extents[index].end)
    width, _, cut = max(gaps)
    left, right = (_block(extents, part) for part in (block.items[:cut], block.items[cut:]))
    if width > 0:
        low, high = left.extent.end, right.extent.address
    else:
        low, high = extents[left.items[-1]].address, max(left.extent.end, extents[right.items[0]].end)
    return left, right, Extent(block.extent.unit, block.extent.table, low, high - low)


def _block(extents: Sequence[Extent], items: Iterable[int]) -> Block:
    chosen = tuple(items)
    unit, table, address, _ = extents[chosen[0]]
    end = max(extents[index].end for index in chosen)
    return Block(Extent(unit, table, address, end - address), chosen)
