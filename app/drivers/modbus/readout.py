"""From the words of one block to the samples of its items, all at once in numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from app.drivers.base import Item
from app.drivers.modbus.address import BIT_TABLES, Address, parse
from app.drivers.modbus.plan import Extent
from app.drivers.modbus.registers import Words, decode, decode_bits, decode_string
from app.model.columns import COLUMN_DTYPES, SampleColumns, type_code
from app.model.values import SAFE_INTEGER, Quality, Sample, Value

_FLOAT64: Final = type_code("float64")


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """One item ready to be read: its unit and order are settled."""

    handle: int
    address: Address
    extent: Extent
    order: str
    gain: float = 1.0
    offset: float = 0.0

    @property
    def scaled(self) -> bool:
        return self.address.type not in ("bool", "string") and (self.gain != 1.0 or self.offset != 0.0)

    @property
    def type_code(self) -> int:
        """A scaled number is float64 whatever the registers hold."""
        return _FLOAT64 if self.scaled else type_code(self.address.type)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What an address may leave open."""

    unit: int = 1
    orders: Mapping[int, str] | None = None

    def wanted(self, item: Item, handle: int) -> Wanted:
        """Raises ``UserError`` where the item's address is none."""
        address = parse(item.address)
        unit = self.unit if address.unit is None else address.unit
        order = address.order or (self.orders or {}).get(unit, "ABCD")
        extent = Extent(unit, address.table, address.address, address.count)
        return Wanted(handle, address, extent, order, item.gain, item.offset)


class Readout:
    """Compiled once for the items of a block, used at every poll.

    Args:
        wanted: The items, all within the block; samples come in this order.
        start: Address of the block's first word.
    """

    def __init__(self, wanted: Sequence[Wanted], start: int) -> None:
        self.handles = np.array([item.handle for item in wanted], np.uint32)
        self._types = np.array([item.type_code for item in wanted], np.uint8)
        self._scaled = np.array([item.scaled for item in wanted], np.bool_)
        self._gain = np.array([item.gain for item in wanted], np.float64)
        self._offset = np.array([item.offset for item in wanted], np.float64)
        places: dict[tuple[str, str], list[int]] = {}
        for row, item in enumerate(wanted):
            kind = "bit" if item.address.table in BIT_TABLES else item.address.type
            places.setdefault((kind, item.order), []).append(row)
        self._strings = [
            (row, wanted[row], wanted[row].extent.address - start) for key in places if key[0] == "string" for row in places[key]
        ]
        self._groups: list[tuple[str, str, npt.NDArray[np.intp], npt.NDArray[np.intp]]] = []
        for (kind, order), rows in places.items():
            if kind != "string":
                first = np.array([wanted[row].extent.address - start for row in rows], np.intp)
                index = first[:, None] + np.arange(wanted[rows[0]].extent.length, dtype=np.intp)
                self._groups.append((kind, order, np.array(rows, np.intp), index))
        self._bits = np.array([item.address.bit or 0 for item in wanted], np.uint8)

    def good(self, words: Words, receive_ns: int) -> SampleColumns:
        numbers = np.full(len(self.handles), np.nan)
        objects: dict[int, Value] = {}
        with np.errstate(all="ignore"):  # NaN, infinity and overflow are what the device sent, not our mistake
            for kind, order, rows, index in self._groups:
                if kind == "bit":
                    numbers[rows] = words[index[:, 0]]
                elif kind == "bool":
                    numbers[rows] = decode_bits(words[index[:, 0]], self._bits[rows], order)
                else:
                    values = decode(words[index], kind, order)
                    numbers[rows] = values.astype(np.float64)
                    if kind in ("int64", "uint64"):
                        objects.update(self._beyond_float64(rows, values))
            numbers[self._scaled] = numbers[self._scaled] * self._gain[self._scaled] + self._offset[self._scaled]
        numbers[list(objects)] = np.nan
        for row, item, place in self._strings:
            objects[row] = decode_string(words[place : place + item.extent.length], item.address.length, item.order)
        return self._columns(Quality.GOOD, 0, receive_ns, numbers, objects)

    def bad(self, status: int, receive_ns: int) -> SampleColumns:
        """No value: the whole block was refused or got no answer."""
        numbers = np.full(len(self.handles), np.nan)
        return self._columns(Quality.BAD, status, receive_ns, numbers, dict.fromkeys(range(len(self.handles))))

    def _beyond_float64(self, rows: npt.NDArray[np.intp], values: npt.NDArray[np.generic]) -> dict[int, Value]:
        pairs: list[tuple[int, int]] = list(zip(rows.tolist(), values.tolist(), strict=True))
        return {row: value for row, value in pairs if not self._scaled[row] and not -SAFE_INTEGER <= value <= SAFE_INTEGER}

    def _columns(
        self, quality: Quality, status: int, receive_ns: int, numbers: npt.NDArray[np.float64], objects: dict[int, Value]
    ) -> SampleColumns:
        size = len(self.handles)
        return SampleColumns(
            handle=self.handles.copy(),
            type=self._types.copy(),
            quality=np.full(size, quality, np.uint8),
            status=np.full(size, status, np.uint32),
            number=numbers,
            source_ns=np.zeros(size, np.int64),
            server_ns=np.zeros(size, np.int64),
            receive_ns=np.full(size, receive_ns, np.int64),
            objects=objects,
        )


def joined(parts: Sequence[SampleColumns]) -> SampleColumns:
    """Several as one, rows in the order of the parts."""
    if not parts:
        return SampleColumns.of([])
    objects: dict[int, Value] = {}
    base = 0
    for part in parts:
        objects.update({base + row: value for row, value in part.objects.items()})
        base += len(part)
    return SampleColumns(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMN_DTYPES}, objects=objects)


def rows_of(columns: SampleColumns, rows: Sequence[int] | npt.NDArray[np.intp]) -> SampleColumns:
    """Some rows, in this order."""
    chosen = np.asarray(rows, np.intp)
    place = {row: new for new, row in enumerate(chosen.tolist())}
    objects = {place[row]: value for row, value in columns.objects.items() if row in place}
    return SampleColumns(**{name: getattr(columns, name)[chosen] for name in COLUMN_DTYPES}, objects=objects)


def by_handle(columns: SampleColumns) -> SampleColumns:
    return rows_of(columns, np.argsort(columns.handle, kind="stable"))


def no_address(handle: int, status: int, receive_ns: int) -> SampleColumns:
    """One bad sample of unknown type, for an item whose address cannot be read."""
    return SampleColumns.of([(handle, Sample(None, "", Quality.BAD, status, None, None, receive_ns))])
