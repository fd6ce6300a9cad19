"""What was taken of many tags and waits to be put in place: a batch brings one row of each tag, and a place takes many rows of one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from app.samples.block import Block
from app.samples.handles import Places
from app.samples.rows import Rows

_SLOT_BITS: Final = 10
STAGED_ROWS: Final = 160_000
"""So many wait (7 MB): the more of a block are put in place together, the less each costs; and of small blocks, little is done at once."""
_MOST_STAGED_ROWS: Final = 2 * STAGED_ROWS
"""Where nobody tidies."""
_STAGED_BATCHES: Final = 200
"""Of one block: many small ones cost as much as a large one when they are joined."""

Slot = TypeVar("Slot", int, Places)


def block_of(slot: Slot) -> Slot:
    """Slots of a history count through its blocks."""
    return slot >> _SLOT_BITS


def within(slot: Slot) -> Slot:
    """Of a slot of the history, the one of its block."""
    return slot & ((1 << _SLOT_BITS) - 1)


def first_slot(block: int) -> int:
    return block << _SLOT_BITS


class _Staged:
    """What waits for one block, in order of arrival."""

    def __init__(self) -> None:
        self.slots: list[npt.NDArray[np.int16]] = []
        self.parts: list[Rows] = []
        self.rows = 0

    def add(self, slots: npt.NDArray[np.int16], rows: Rows) -> None:
        self.slots.append(slots)
        self.parts.append(rows)
        self.rows += len(rows)


class Staging:
    """``blocks`` is the owner's list, which may grow. Everything is done when it costs least, little at once."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._staged: list[_Staged] = []
        self._rows = 0

    @property
    def is_full(self) -> bool:
        return self._rows > STAGED_ROWS

    def add(self, slots: Places, rows: Rows) -> None:
        """Those with a negative slot are left out."""
        self._staged += [_Staged() for _ in range(len(self._blocks) - len(self._staged))]
        blocks = block_of(slots)
        if (blocks[1:] < blocks[:-1]).any():
            order = np.argsort(blocks.astype(np.int16), kind="stable")
            slots, rows, blocks = slots[order], rows.take(order, axis=0), blocks[order]
        short = within(slots).astype(np.int16)  # sorted by its digits, in a third of the time
        cuts = [0, *(np.flatnonzero(blocks[1:] != blocks[:-1]) + 1).tolist(), len(blocks)]
        for start, end in itertools.pairwise(cuts):
            if (block := int(blocks[start])) >= 0:
                staged = self._staged[block]
                staged.add(short[start:end], rows[start:end])
                self._rows += end - start
                if len(staged.parts) >= _STAGED_BATCHES:
                    self.settle(block)
        while self._rows > _MOST_STAGED_ROWS:
            self.settle_largest()

    def settle_largest(self) -> None:
        self.settle(max(range(len(self._staged)), key=lambda block: self._staged[block].rows))

    def settle(self, block: int) -> None:
        """What waits for one block goes to its place."""
        if block >= len(self._staged) or not self._staged[block].rows:
            return
        staged, self._staged[block] = self._staged[block], _Staged()
        self._rows -= staged.rows
        slots = np.concatenate(staged.slots)
        order = np.argsort(slots, kind="stable")
        rows = np.concatenate(staged.parts).take(order, axis=0)  # whole rows: a sixth of the time that indexing takes
        self._blocks[block].append(slots.take(order).astype(np.intp), rows)
