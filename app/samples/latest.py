"""The newest sample of each watched item, in columns, applied a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from app.model.columns import SampleColumns
from app.model.values import Sample, Value

_DTYPES = {
    "handle": "<u4", "type": "u1", "quality": "u1", "status": "<u4",
    "number": "<f8", "source_ns": "<i8", "server_ns": "<i8", "receive_ns": "<i8",
    "at_s": "<f8", "changed_s": "<f8",
}  # fmt: skip
_SAMPLE_COLUMNS = ("type", "quality", "status", "number", "source_ns", "server_ns", "receive_ns")
NEVER = -np.inf


class Latest:
    """One row (slot) per handle; slots are reused, handles never are, so a late sample finds no slot and is left out.

    ``at_s`` and ``changed_s`` are the caller's monotonic seconds; ``NEVER`` before the first sample.
    """

    def __init__(self) -> None:
        self._columns = {name: np.zeros(64, dtype) for name, dtype in _DTYPES.items()}
        self._objects: dict[int, Value] = {}
        self._slots: dict[int, int] = {}
        self._free: list[int] = []
        self._used = 0
        self._sorted: tuple[npt.NDArray[np.uint32], npt.NDArray[np.intp]] | None = None

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, handles: Iterable[int]) -> None:
        for handle in handles:
            slot = self._free.pop() if self._free else self._next_slot()
            self._slots[handle] = slot
            self._columns["handle"][slot] = handle
            self._columns["at_s"][slot] = self._columns["changed_s"][slot] = NEVER
        self._sorted = None

    def remove(self, handles: Iterable[int]) -> None:
        for handle in handles:
            slot = self._slots.pop(handle)
            self._objects.pop(slot, None)
            self._free.append(slot)
        self._sorted = None

    def apply(self, columns: SampleColumns, at_s: float) -> npt.NDArray[np.uint32]:
        """Take a batch; of several samples of one handle the last stays.

        Returns:
            The handles that got one, each once; samples of unknown handles are left out.
        """
        known, slots = self._places(columns.handle)
        if not len(slots):
            return np.zeros(0, np.uint32)
        self._mark_changes(columns, known, slots, at_s)
        self._columns["at_s"][slots] = at_s
        for name in _SAMPLE_COLUMNS:
            # numpy assigns repeated indexes in order, so the last sample of a slot wins
            self._columns[name][slots] = getattr(columns, name)[known]
        self._keep_objects(columns, known, slots)
        return np.unique(columns.handle[known])

    def sample(self, handle: int) -> Sample | None:
        slot = self._slots.get(handle)
        if slot is None or self._columns["at_s"][slot] == NEVER:
            return None
        row = SampleColumns(
            **{name: self._columns[name][slot : slot + 1] for name in ("handle", *_SAMPLE_COLUMNS)},
            objects={0: self._objects[slot]} if slot in self._objects else {},
        )
        return row.sample(0)

    def times(self, handle: int) -> tuple[float, float]:
        """When the newest sample came, and when the value last changed; ``NEVER`` for a handle that has none."""
        slot = self._slots.get(handle)
        if slot is None:
            return NEVER, NEVER
        return float(self._columns["at_s"][slot]), float(self._columns["changed_s"][slot])

    def received_s(self, handles: npt.NDArray[np.uint32]) -> npt.NDArray[np.float64]:
        """When the newest sample of each of these came."""
        known, slots = self._places(handles)
        times = np.full(len(handles), NEVER)
        times[known] = self._columns["at_s"][slots]
        return times

    def _next_slot(self) -> int:
        if self._used == len(self._columns["handle"]):
            self._columns = {name: np.concatenate([column, np.zeros_like(column)]) for name, column in self._columns.items()}
        self._used += 1
        return self._used - 1

    def _places(self, handles: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Rows of ``handles`` that are known, and the slot of each."""
        if self._sorted is None:
            order = sorted(self._slots)
            self._sorted = np.array(order, np.uint32), np.array([self._slots[handle] for handle in order], np.intp)
        keys, slots = self._sorted
        if not len(keys):
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        found = np.minimum(np.searchsorted(keys, handles), len(keys) - 1)
        known = np.flatnonzero(keys[found] == handles)
        return known, slots[found[known]]

    def _mark_changes(self, columns: SampleColumns, known: npt.NDArray[np.intp], slots: npt.NDArray[np.intp], at_s: float) -> None:
        """A value changed where any sample of the batch differs from what was there, in value, type, quality or being there at all."""
        held = self._columns
        number, before = columns.number[known], held["number"][slots]
        same = (number == before) | (np.isnan(number) & np.isnan(before))
        same &= (columns.type[known] == held["type"][slots]) & (columns.quality[known] == held["quality"][slots])
        same &= held["at_s"][slots] != NEVER
        if columns.objects or self._objects:
            for place, (row, slot) in enumerate(zip(known.tolist(), slots.tolist(), strict=True)):
                if same[place] and (row in columns.objects or slot in self._objects):
                    same[place] = _same(columns.objects.get(row), self._objects.get(slot))
        held["changed_s"][slots[~same]] = at_s

    def _keep_objects(self, columns: SampleColumns, known: npt.NDArray[np.intp], slots: npt.NDArray[np.intp]) -> None:
        if not columns.objects and not self._objects:
            return
        for row, slot in zip(known.tolist(), slots.tolist(), strict=True):
            if row in columns.objects:
                self._objects[slot] = columns.objects[row]
            else:
                self._objects.pop(slot, None)


def _same(one: Value, other: Value) -> bool:
    return type(one) is type(other) and one == other
