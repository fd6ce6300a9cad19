"""Values of two and more registers that were read while the device changed them: half old, half new.

A device that writes the words of a value one after the other can be read in between. The reading mixes two true values, so it misses
the true one by about a multiple of what the upper words count (65536 for a 32-bit integer), and the next reading comes back. So a
reading that lies so far from the one before is *suspicious*, is read again at once, and what two readings in succession agree on is the
value: of an honest jump both show the new value, of a torn one the second shows the true one. Where the readings go on disagreeing to and
fro (``READS``), the value is withheld (bad, TornValue); a value that keeps moving in one direction is a fast one, and is delivered.

Suspicious is, from one reading to the next,

* of an integer: a step of half a word's count (32,768; 5,000 of decimal types) or more;
* of a floating-point number, whose steps have no common measure: one of about one unit of an upper word (within a quarter), which is
  what mixing two neighbouring values gives; or the same lower words, not zero, under other upper ones, which is what mixing two
  values that lie far apart gives.

What cannot be seen: a mixture that lies nearer to the reading before than that, such as of a counter that moves by more than half a
word's count between two polls, or the new lower word of a float under an old upper one, wrong by less than 0.6 %. And it is assumed that
the device needs less time for the words of one value than a request takes. Texts, dates and bits are not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from app.drivers.modbus.registers import Words, decode
from app.drivers.modbus.types import REGISTER_TYPES

if TYPE_CHECKING:
    from app.drivers.modbus.readout import Wanted

Keys = npt.NDArray[np.int64]
"""A whole number for the words of each wide item, in the order of its values (modulo 2^64)."""
READS: Final = 5
"""Of one block within one poll, until a value that none of them agree on is withheld."""
_HALF: Final = {"machine": 1 << 15, "decimal": 5_000}


class LastReadings:
    """The last reading of every wide item that is polled, whichever block it was read with."""

    def __init__(self) -> None:
        self._places: dict[Wanted, int] = {}
        self._free: list[int] = []
        self.keys: Keys = np.zeros(0, np.int64)
        self.known = np.zeros(0, np.bool_)
        self.doubts = 0
        """Rises whenever one that was known may no longer be."""

    def places(self, items: Sequence[Wanted]) -> npt.NDArray[np.intp]:
        """Where theirs stand in ``keys`` and ``known``."""
        for item in items:
            if item not in self._places:
                self._places[item] = self._free.pop() if self._free else len(self._places)
        more = len(self._places) + len(self._free) - len(self.keys)
        if more > 0:
            self.keys = np.append(self.keys, np.zeros(more, np.int64))
            self.known = np.append(self.known, np.zeros(more, np.bool_))
        return np.array([self._places[item] for item in items], np.intp)

    def forget(self, item: Wanted) -> None:
        place = self._places.pop(item, None)
        if place is not None:
            self.known[place] = False
            self.doubts += 1
            self._free.append(place)


class WideItems:
    """The items of a block that can be torn, compiled once.

    Args:
        wanted: All items of the block.
        start: Address of the block's first word.
        last: Where their readings are kept from one poll to the next; None where they are read once.

    Attributes:
        rows: Their rows among the items of the block.
    """

    def __init__(self, wanted: Sequence[Wanted], start: int, last: LastReadings | None = None) -> None:
        places: dict[tuple[str, str], list[int]] = {}
        for row, item in enumerate(wanted):
            kind = REGISTER_TYPES.get(item.kind)
            if kind is not None and kind.registers > 1 and kind.kind != "clock":
                places.setdefault((item.kind, item.order), []).append(row)
        self.rows = np.array([row for rows in places.values() for row in rows], np.intp)
        self._groups = [(kind, order, _index(wanted, rows, start)) for (kind, order), rows in places.items()]
        kinds = [(kind, len(rows)) for (kind, _), rows in places.items()]
        self._half = np.array([_HALF[REGISTER_TYPES[kind].kind] for kind, count in kinds for _ in range(count)], np.int64)
        self._floats = np.array([REGISTER_TYPES[kind].registers if kind[0] == "f" else 0 for kind, count in kinds for _ in range(count)])
        self._has_floats = bool(self._floats.any())
        self._last = last or LastReadings()
        self._places = _as_slice(self._last.places([wanted[row] for row in self.rows.tolist()]))

        self._known_at = -1
        """``doubts`` when all were known."""

    def __len__(self) -> int:
        return len(self.rows)

    def keys(self, words: Words) -> Keys:
        """Of every wide item, from the words of the block."""
        found = [_keys(words[index], kind, order) for kind, order, index in self._groups]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def settled(self, words: Words) -> bool:
        """Whether none of them moved far since its last reading, which they then become. Otherwise nothing is changed."""
        last = self._last
        if self._known_at != last.doubts:
            known = last.known[self._places]
            if np.count_nonzero(known) != len(known):
                return False
            self._known_at = last.doubts
        now = self.keys(words)
        if np.count_nonzero(np.abs(now - last.keys[self._places]) >= self._half):
            return False
        last.keys[self._places] = now
        return True

    def has_last(self) -> npt.NDArray[np.bool_]:
        """Which of them have a reading of an earlier poll."""
        return self._last.known[self._places].copy()

    def doubtful(self, now: Keys) -> npt.NDArray[np.bool_]:
        """Which of them moved suspiciously since their last reading, or have none to compare with."""
        suspicious = self.suspicious(self._last.keys[self._places], now)
        known = self.has_last()
        return suspicious if np.count_nonzero(known) == len(known) else suspicious | ~known

    def remember(self, now: Keys, sure: npt.NDArray[np.bool_] | bool = True) -> None:
        """Readings to compare the next ones with; where it is not sure that they are true, the next will be doubtful whatever they are."""
        self._last.keys[self._places] = now
        self._last.known[self._places] = sure
        self._last.doubts += 1

    def suspicious(self, before: Keys, now: Keys) -> npt.NDArray[np.bool_]:
        """Which of the wide items moved as one does that is torn in one of the two readings."""
        step = now - before
        far: npt.NDArray[np.bool_] = np.abs(step) >= self._half
        if self._has_floats and np.count_nonzero(far):
            far &= (self._floats == 0) | _torn_floats(before, now, step, self._floats)
        return far


def _as_slice(places: npt.NDArray[np.intp]) -> slice | npt.NDArray[np.intp]:
    """The same places; those that follow each other as a slice, which numpy need not look up one by one."""
    follow = len(places) > 0 and bool((places == np.arange(places[0], places[0] + len(places))).all())
    return slice(int(places[0]), int(places[0]) + len(places)) if follow else places


def _index(wanted: Sequence[Wanted], rows: Sequence[int], start: int) -> npt.NDArray[np.intp]:
    first = np.array([wanted[row].extent.address - start for row in rows], np.intp)
    return first[:, None] + np.arange(wanted[rows[0]].extent.length, dtype=np.intp)


def _keys(words: Words, kind: str, order: str) -> Keys:
    values = decode(words, kind, order)
    if kind[0] != "f":
        return values.astype(np.int64)
    bits = values.view(f">i{values.dtype.itemsize}").astype(np.int64)
    if np.count_nonzero(bits < 0):
        smallest = np.int64(-(1 << (8 * values.dtype.itemsize - 1)))
        return np.where(bits < 0, smallest - bits, bits)
    return bits


def _torn_floats(before: Keys, now: Keys, step: Keys, registers: npt.NDArray[np.int_]) -> npt.NDArray[np.bool_]:
    """See the module: about one unit of an upper word, or the same lower words under others."""
    torn = np.zeros(len(step), np.bool_)
    size, was, is_ = np.abs(step), np.abs(before), np.abs(now)
    for words in (1, 2, 3):
        unit = np.int64(1 << 16 * words)
        low = unit - 1
        about = np.abs(size - unit) < unit // 4
        same = (was & low == is_ & low) & (is_ & low != 0)
        torn |= (about | same) & (registers > words)
    return torn
