"""Handle → tag of one endpoint, looked up a whole batch at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Places: TypeAlias = "npt.NDArray[np.intp]"

_SPARSE: Final = 16
"""Up to so many numbers per handle a table is used (8 bytes each), beyond that a search: handles are used once and rise for ever."""
_ALWAYS_TABLE: Final = 1 << 16


class HandleIndex:
    """Which place a handle has among known ones. Never changes; a change of what is known makes a new one."""

    def __init__(self, handles: npt.NDArray[np.uint32]) -> None:
        order = np.argsort(handles, kind="stable")
        self._sorted, self._order = handles[order], order
        self._low = int(self._sorted[0]) if len(handles) else 0
        span = int(self._sorted[-1]) - self._low + 1 if len(handles) else 0
        self._table: Places | None = None
        if span <= _SPARSE * len(handles) + _ALWAYS_TABLE:
            self._table = np.full(span + 1, -1, np.intp)  # the last entry is for handles that are too high or too low
            self._table[self._sorted.astype(np.intp) - self._low] = order

    def places(self, handles: npt.NDArray[np.uint32]) -> Places:
        """Place of each of these; -1 where it is not known."""
        if self._table is not None:
            offsets = handles.astype(np.intp) - self._low
            np.putmask(offsets, (offsets < 0) | (offsets >= len(self._table)), len(self._table) - 1)
            return self._table[offsets]
        found = np.minimum(np.searchsorted(self._sorted, handles), len(self._sorted) - 1)
        return np.where(self._sorted[found] == handles, self._order[found], -1)


class TagHandles:
    """What each handle of one endpoint stands for at one time; what is known of a batch goes by its places. Compared by identity."""

    def __init__(self, tags: Mapping[int, str]) -> None:
        self.handles = np.fromiter(tags, np.uint32, len(tags))
        self.tags = tuple(tags.values())
        self.index = HandleIndex(self.handles)
        self._places: dict[object, int] | None = None

    def place_of(self, tag: object) -> int | None:
        if self._places is None:
            self._places = {name: place for place, name in enumerate(self.tags)}
        return self._places.get(tag)
