"""An index over many short texts: every word of a query must stand somewhere in a row, in any case.

Each row has a signature (a signature file: Faloutsos and Christodoulakis 1984): 256 bits for the pairs of neighbouring bytes it has,
by a hash, and 64 bits for the single ones. A query tests the words of 64 bits that it needs of all rows at once, and looks into those
rows only that may have it. A query that goes on with another one looks only into what that one found. So the answer is always exact,
and the memory is the texts themselves and 54 bytes a row.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int32]
"""Numbers of rows. A row keeps its place for ever; that of a removed one is not given again."""

LANES: Final = 5
"""The last is that of single bytes, in which letters and digits of ASCII have a bit each."""
SLICE_ROWS: Final = 2_048
"""Signed at once: about 3 ms."""
SIGNED_FROM: Final = 20_000
"""Rows; fewer are looked through in a millisecond."""
_KEPT: Final = 12
"""Answers that are kept, so that going back in what was typed asks nothing again."""
_HEAD_BYTES: Final = 8
_END: Final = "\0"
_EXACT: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


def _bits_of_bytes() -> npt.NDArray[np.uint64]:
    bits = [0 if byte <= 10 else 1 << (len(_EXACT) + byte % (64 - len(_EXACT))) for byte in range(256)]
    for number, letter in enumerate(_EXACT.encode()):
        bits[letter] = 1 << number
    return np.array(bits, np.uint64)


_BITS_OF_BYTES: Final = _bits_of_bytes()


class TextIndex:
    """Keys with a text each. Not thread-safe: one thread owns it.

    A key has a rank too, a small number by which the caller orders what is found; here it is only kept.
    """

    def __init__(self) -> None:
        self.keys: list[str] = []
        self._texts: list[str] = []
        self._places: dict[str, int] = {}
        self._ranks = np.zeros(0, np.uint16)
        self._heads = np.zeros(0, np.uint64)  # the first eight bytes of each text
        self._signatures = np.zeros((LANES, 0), np.uint64)
        self._signed = 0
        self._order = np.zeros(0, np.int32)
        self._natural = True  # places ascend as their keys do, until a key is added between others
        self._added: list[int] = []
        self._removed: set[int] = set()
        self._found: dict[tuple[str, ...], Places] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    @property
    def nbytes(self) -> int:
        """Of what is kept beside keys and texts."""
        found = sum(places.nbytes for places in self._found.values())
        return self._signatures.nbytes + self._ranks.nbytes + self._heads.nbytes + self._order.nbytes + found

    # Changing it

    def extend(self, rows: Iterable[tuple[str, str, int]]) -> None:
        """Add (key, text, rank) for keys that are not there yet."""
        first = len(self.keys)
        ranks: list[int] = []
        heads: list[int] = []
        for key, text, rank in rows:
            self._places[key] = len(self.keys)
            self.keys.append(key)
            self._texts.append(_folded(text))
            ranks.append(min(rank, 0xFFFF))
            heads.append(_head(self._texts[-1]))
        self._hold(len(self.keys))
        self._ranks[first : len(self.keys)] = ranks
        self._heads[first : len(self.keys)] = heads
        self._added.extend(range(first, len(self.keys)))
        self._found.clear()

    def set(self, key: str, text: str, rank: int) -> None:
        """Add a key, or give the one that is there another text."""
        place = self._places.get(key)
        if place is None:
            self.extend([(key, text, rank)])
            return
        self._texts[place] = _folded(text)
        self._ranks[place] = min(rank, 0xFFFF)
        self._heads[place] = _head(self._texts[place])
        if place < self._signed:
            self._signatures[:, place : place + 1] = signatures(self._texts[place : place + 1])
        self._found.clear()

    def remove(self, key: str) -> None:
        """Drop a key; nothing when it is not there."""
        place = self._places.pop(key, None)
        if place is not None:
            self._texts[place] = ""
            self._removed.add(place)
            self._found.clear()

    def _hold(self, rows: int) -> None:
        if rows > len(self._ranks):
            room = max(rows, len(self._ranks) * 3 // 2, 64)
            more = room - len(self._ranks)
            self._ranks = np.concatenate([self._ranks, np.zeros(more, np.uint16)])
            self._heads = np.concatenate([self._heads, np.zeros(more, np.uint64)])

    def sign(self) -> bool:
        """Give the next rows their signatures, ``SLICE_ROWS`` at once; True when there is nothing left to do.

        Rows without one are found as well, only slower.
        """
        rows = len(self._texts)
        if rows < SIGNED_FROM or self._signed == rows:
            return True
        if self._signatures.shape[1] < rows:
            room = max(rows, self._signatures.shape[1] * 3 // 2)
            grown = np.zeros((LANES, room), np.uint64)
            grown[:, : self._signed] = self._signatures[:, : self._signed]
            self._signatures = grown
        end = min(self._signed + SLICE_ROWS, rows)
        self._signatures[:, self._signed : end] = signatures(self._texts[self._signed : end])
        self._signed = end
        return end == rows

    # Asking it

    def place(self, key: str) -> int | None:
        return self._places.get(key)

    def ranks(self, places: Places) -> npt.NDArray[np.uint16]:
        return self._ranks[places]

    def starts_with(self, places: Places, text: str) -> npt.NDArray[np.bool_]:
        """Which of these rows begin with a text, in any case."""
        begin = _folded(text)
        known = min(len(begin.encode("utf-8", "surrogatepass")), _HEAD_BYTES)
        mask = np.uint64((1 << 64) - (1 << (8 * (_HEAD_BYTES - known))))
        begins: npt.NDArray[np.bool_] = (self._heads[places] & mask) == np.uint64(_head(begin))
        for at in np.flatnonzero(begins).tolist() if len(begin) >= known == _HEAD_BYTES else ():
            begins[at] = self._texts[places[at]].startswith(begin)
        return begins

    def find(self, query: str) -> Places:
        """Places of the rows in which every word of the query stands, in ascending order; all rows for an empty query."""
        words = tuple(dict.fromkeys(_folded(query).split()))
        if not words:
            return np.sort(self.in_order())
        if words not in self._found:
            if len(self._found) >= _KEPT:
                del self._found[next(iter(self._found))]
            self._found[words] = self._look(words)
        return self._found[words]

    def in_order(self, places: Places | None = None) -> Places:
        """These places (None: of all rows) in ascending order of their keys."""
        order = self._settled()
        if places is None:
            return order
        if self._natural:
            return places
        chosen = np.zeros(len(self.keys), np.bool_)
        chosen[places] = True
        return order[chosen[order]]

    def _look(self, words: Sequence[str]) -> Places:
        wider = [places for held, places in self._found.items() if all(any(part in word for word in words) for part in held)]
        places = min(wider, key=len, default=None)
        if places is None or len(places) > len(self._texts) // 8:
            fitting = self._fitting(words)
            places = fitting if places is None or len(fitting) < len(places) else places
        for word in sorted(words, key=len, reverse=True):
            if len(word) > 1 or word not in _EXACT or self._signed < len(self._texts):
                places = self._having(word, places)
        return places

    def _fitting(self, words: Sequence[str]) -> Places:
        """Rows whose signature does not rule the words out, and all that have none."""
        wanted = signatures(["\n".join(words)])[:, 0]
        lanes = [lane for lane in range(LANES) if wanted[lane]]
        if not self._signed or not lanes:
            return np.arange(len(self._texts), dtype=np.int32)
        fits = (self._signatures[lanes[0], : self._signed] & wanted[lanes[0]]) == wanted[lanes[0]]
        for lane in lanes[1:]:
            fits &= (self._signatures[lane, : self._signed] & wanted[lane]) == wanted[lane]
        rest = np.arange(self._signed, len(self._texts), dtype=np.int32)
        return np.concatenate([np.flatnonzero(fits).astype(np.int32), rest])

    def _having(self, word: str, places: Places) -> Places:
        texts = self._texts
        if len(places) == len(texts):
            return np.array([place for place, text in enumerate(texts) if word in text], np.int32)
        return np.array([place for place in places.tolist() if word in texts[place]], np.int32)

    # The order of the keys

    def _settled(self) -> Places:
        """Places in the order of keys, brought up to date from what came and went: merged, never sorted anew."""
        if self._removed:
            self._order = self._order[~np.isin(self._order, np.fromiter(self._removed, np.int32, len(self._removed)))]
            self._added = [place for place in self._added if place not in self._removed]
            self._removed.clear()
        if self._added:
            added, self._added = sorted(self._added, key=self.keys.__getitem__), []
            order = self._order
            if not len(order) or self.keys[order[-1]] < self.keys[added[0]]:
                self._natural = self._natural and added == list(range(added[0], added[0] + len(added)))
                self._order = np.concatenate([order, np.array(added, np.int32)])
            else:
                self._natural = False
                at = [bisect_left(order, self.keys[place], key=self.keys.__getitem__) for place in added]
                self._order = np.insert(order, at, np.array(added, np.int32))
        return self._order


def _folded(text: str) -> str:
    return text.casefold().replace(_END, " ")


def _head(text: str) -> int:
    return int.from_bytes(text[:_HEAD_BYTES].encode("utf-8", "surrogatepass")[:_HEAD_BYTES].ljust(_HEAD_BYTES, b"\0"), "big")


def signatures(texts: Sequence[str]) -> npt.NDArray[np.uint64]:
    """One column of ``LANES`` words of 64 bits for each text, which is folded and without NUL; line breaks are in no pair."""
    raw = np.frombuffer(_END.join([*texts, ""]).encode("utf-8", "surrogatepass"), np.uint8)
    left, right = raw[:-1], raw[1:]
    pair = (left.astype(np.uint16) * np.uint16(0x9E5) + right.astype(np.uint16) * np.uint16(0x6D)) >> np.uint16(3)
    bit = np.left_shift(np.uint64(1), (pair & np.uint16(63)).astype(np.uint64))
    bit[(left <= 10) | (right <= 10)] = 0
    lane = (pair >> np.uint16(6)) & np.uint16(3)
    ends = np.flatnonzero(raw == 0)  # each row has its end for its own, so that no segment is empty
    starts = np.concatenate([[0], ends[:-1] + 1])
    padded = np.zeros(len(raw), np.uint64)
    columns = np.empty((LANES, len(texts)), np.uint64)
    for number in range(LANES - 1):
        padded[:-1] = np.where(lane == number, bit, np.uint64(0))
        columns[number] = np.bitwise_or.reduceat(padded, starts)
    columns[-1] = np.bitwise_or.reduceat(_BITS_OF_BYTES[raw], starts)
    return columns
