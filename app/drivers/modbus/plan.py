"""Turns any set of items into few block reads. On a Modbus line the number of requests decides, not their length."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

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
    """What one request may carry. ``gap`` counts registers; 16 bits weigh as much as one register.

    Attributes:
        sizes: How many blocks in a row have different largest sizes, each smaller than the one before, so that none of them can be
            taken for another by its size. 1 has all of the largest size, and so the fewest blocks.
    """

    max_registers: int = 125
    max_bits: int = 2000
    gap: int = 10
    sizes: int = 1

    def size(self, table: str, number: int = 0) -> int:
        """Of block ``number`` of a row. Sizes differ by what most items have, or by a byte of bits, down to two thirds of the largest."""
        most = self.max_bits if table in BIT_TABLES else self.max_registers
        step = min(_STEPS.get(table, 2), most // (3 * self.sizes))
        return most - number % self.sizes * step

    def bridge(self, table: str) -> int:
        return self.gap * 16 if table in BIT_TABLES else self.gap


_STEPS: Final = {"coil": 8, "discrete": 8}


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
    _indexed: tuple[Extent, ...] = ()
    _index: dict[tuple[int, str], list[tuple[int, int]]] = field(default_factory=dict)
    """Of ``_indexed``: ends of excluded extents in order, none of which touch."""

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
        if not self.excluded:
            return False
        if self._indexed is not self.excluded:
            self._indexed, self._index = self.excluded, _merged(self.excluded)
        pairs = self._index.get((extent.unit, extent.table), [])
        place = bisect_left(pairs, (extent.end, 0)) - 1
        return place >= 0 and pairs[place][1] > extent.address

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
    number = 0
    for index in sorted(range(len(extents)), key=lambda index: in_order(extents[index])):
        extent = extents[index]
        joined = whole and _joined(whole, extent, limits, number, forbidden)
        if joined is not None:
            whole = joined
            members.append(index)
            continue
        if whole is not None:
            blocks.append(Block(whole, tuple(members)))
            number = number + 1 if (whole.unit, whole.table) == (extent.unit, extent.table) else 0
        whole, members = extent, [index]
    if whole is not None:
        blocks.append(Block(whole, tuple(members)))
    return blocks


def in_order(extent: Extent) -> tuple[int, str, int, int]:
    """By address; of those that begin together the longest first: one that exceeds the limits by itself still answers the shorter ones."""
    return extent.unit, extent.table, extent.address, -extent.length


def _merged(extents: Iterable[Extent]) -> dict[tuple[int, str], list[tuple[int, int]]]:
    index: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for unit, table, address, length in sorted(extents):
        pairs = index.setdefault((unit, table), [])
        if pairs and address <= pairs[-1][1]:
            pairs[-1] = (pairs[-1][0], max(pairs[-1][1], address + length))
        else:
            pairs.append((address, address + length))
    return index


def _joined(whole: Extent, extent: Extent, limits: Limits, number: int, forbidden: Forbidden | None) -> Extent | None:
    """Both as one request, the block ``number`` of its row; None where they may not be."""
    unit, table, address, length = whole
    end = address + length
    if table != extent.table or unit != extent.unit or extent.address - end > limits.bridge(table):
        return None
    extent_end = extent.address + extent.length
    if extent_end > end:
        length = extent_end - address
        if length > limits.size(table, number):
            return None
    joined = Extent(unit, table, address, length)
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
