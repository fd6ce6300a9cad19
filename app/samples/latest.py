"""The newest sample of each watched item, in columns, applied a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from app.model.columns import SampleColumns, plain_value, type_name
from app.model.values import Quality, Sample, Value
from app.samples.handles import HandleIndex, Places

_DTYPES = {
    "handle": "<u4", "type": "u1", "quality": "u1", "status": "<u4",
    "number": "<f8", "source_ns": "<i8", "server_ns": "<i8", "receive_ns": "<i8",
    "at_s": "<f8", "changed_s": "<f8",
}  # fmt: skip
_SAMPLE_COLUMNS = ("type", "quality", "status", "number", "source_ns", "server_ns", "receive_ns")
NEVER = float("-inf")


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
        self._index: tuple[HandleIndex, Places] | None = None

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, handles: Iterable[int]) -> None:
        for handle in handles:
            slot = self._free.pop() if self._free else self._next_slot()
            self._slots[handle] = slot
            self._columns["handle"][slot] = handle
            self._columns["at_s"][slot] = self._columns["changed_s"][slot] = NEVER
        self._index = None

    def remove(self, handles: Iterable[int]) -> None:
        for handle in handles:
            slot = self._slots.pop(handle)
            self._objects.pop(slot, None)
            self._columns["at_s"][slot] = NEVER
            self._free.append(slot)
        self._index = None

    def apply(self, columns: SampleColumns, at_s: float) -> npt.NDArray[np.uint32]:
        """Take a batch; of several samples of one handle the last stays.

        Returns:
            The handles that got one, some of them more than once; samples of unknown handles are left out.
        """
        slots = self._places(columns.handle)
        known: Places | slice = slice(None)
        if len(slots) and int(slots.min()) < 0:
            known = np.flatnonzero(slots >= 0)
            slots = slots[known]
        if not len(slots):
            return np.zeros(0, np.uint32)
        self._mark_changes(columns, known, slots, at_s)
        self._columns["at_s"][slots] = at_s
        for name in _SAMPLE_COLUMNS:
            # numpy assigns repeated indexes in order, so the last sample of a slot wins
            self._columns[name][slots] = getattr(columns, name)[known]
        self._keep_objects(columns, known, slots)
        return columns.handle[known]

    def sample(self, handle: int) -> Sample | None:
        slot = self._slots.get(handle)
        if slot is None or self._columns["at_s"].item(slot) == NEVER:
            return None
        code, quality, status, number, source_ns, server_ns, receive_ns = (self._columns[name].item(slot) for name in _SAMPLE_COLUMNS)
        return Sample(
            value=self._objects[slot] if slot in self._objects else plain_value(code, number),
            type=type_name(code),
            quality=Quality(quality),
            status=status,
            source_ns=source_ns or None,
            server_ns=server_ns or None,
            receive_ns=receive_ns,
        )

    def bad(self) -> int:
        """How many newest samples have bad quality."""
        return int(np.count_nonzero((self._columns["quality"] == Quality.BAD) & (self._columns["at_s"] != NEVER)))

    def times(self, handle: int) -> tuple[float, float]:
        """When the newest sample came, and when the value last changed; ``NEVER`` for a handle that has none."""
        slot = self._slots.get(handle)
        if slot is None:
            return NEVER, NEVER
        return float(self._columns["at_s"][slot]), float(self._columns["changed_s"][slot])

    def received_s(self, handles: npt.NDArray[np.uint32]) -> npt.NDArray[np.float64]:
        """When the newest sample of each of these came."""
        slots = self._places(handles)
        return np.where(slots >= 0, self._columns["at_s"][slots], NEVER)

    def _next_slot(self) -> int:
        if self._used == len(self._columns["handle"]):
            self._columns = {name: np.concatenate([column, np.zeros_like(column)]) for name, column in self._columns.items()}
        self._used += 1
        return self._used - 1

    def _places(self, handles: npt.NDArray[np.uint32]) -> Places:
        """The slot of each of these; -1 where there is none."""
        if self._index is None:
            known = np.fromiter(self._slots, np.uint32, len(self._slots))
            # one more at the end: what is not known has place -1
            slots = np.append(np.fromiter(self._slots.values(), np.intp, len(self._slots)), -1)
            self._index = HandleIndex(known), slots
        index, slots = self._index
        return slots[index.places(handles)]

    def _mark_changes(self, columns: SampleColumns, known: Places | slice, slots: Places, at_s: float) -> None:
        """A value changed where any sample of the batch differs from what was there, in value, type, quality or being there at all."""
        held = self._columns
        number, before = columns.number[known], held["number"][slots]
        same = (number == before) | ((number != number) & (before != before))  # noqa: PLR0124  NaN is what differs from itself
        same &= (columns.type[known] == held["type"][slots]) & (columns.quality[known] == held["quality"][slots])
        same &= held["at_s"][slots] != NEVER
        if columns.objects or self._objects:
            self._compare_objects(columns, known, slots, same)
        held["changed_s"][slots[~same]] = at_s

    def _compare_objects(self, columns: SampleColumns, known: Places | slice, slots: Places, same: npt.NDArray[np.bool_]) -> None:
        """Of values that are no numbers; only rows that have one, or whose slot had one, are looked at."""
        for place, row, slot in self._with_objects(columns, known, slots):
            if same[place]:
                same[place] = _same(columns.objects.get(row), self._objects.get(slot))

    def _with_objects(self, columns: SampleColumns, known: Places | slice, slots: Places) -> list[tuple[int, int, int]]:
        """(place among the known rows, row, slot) of every row whose slot has an object before or in this batch."""
        rows = np.arange(len(columns))[known]
        with_one = np.zeros(len(columns), np.bool_)
        with_one[list(columns.objects)] = True
        concerned = np.zeros(len(self._columns["handle"]), np.bool_)
        concerned[list(self._objects)] = concerned[slots[with_one[known]]] = True
        places = np.flatnonzero(concerned[slots])
        return list(zip(places.tolist(), rows[places].tolist(), slots[places].tolist(), strict=True))

    def _keep_objects(self, columns: SampleColumns, known: Places | slice, slots: Places) -> None:
        if not columns.objects and not self._objects:
            return
        for _, row, slot in self._with_objects(columns, known, slots):
            if row in columns.objects:
                self._objects[slot] = columns.objects[row]
            else:
                self._objects.pop(slot, None)


def _same(one: Value, other: Value) -> bool:
    return type(one) is type(other) and one == other
