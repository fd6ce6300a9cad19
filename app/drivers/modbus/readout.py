"""From the words of one block to the samples of its items, all at once in numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from msgspec import structs

from app.drivers.base import Item
from app.drivers.modbus.address import BIT_TABLES, Address, parse
from app.drivers.modbus.plan import Extent
from app.drivers.modbus.registers import Words, decode_bit_ranges, decode_bits, decode_checked, decode_clocks, decode_string
from app.drivers.modbus.spec import INVALID_CONTENT
from app.drivers.modbus.torn import LastReadings, WideItems
from app.drivers.modbus.types import MACHINE_TYPES, REGISTER_TYPES
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
        return self.address.value_type not in ("bool", "string", "datetime") and (self.gain != 1.0 or self.offset != 0.0)

    @property
    def type_code(self) -> int:
        """A scaled number is float64 whatever the registers hold."""
        return _FLOAT64 if self.scaled else type_code(self.address.value_type)

    @property
    def kind(self) -> str:
        """How its words are decoded: ``bit`` of a bit table, ``bool``, ``bits``, ``string``, or its type."""
        if self.address.table in BIT_TABLES:
            return "bit"
        return "bits" if self.address.last_bit is not None else self.address.type


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
        wanted: The items, all within the block, each whole in one reply; samples come in this order.
        start: Address of the block's first word.
        last: Where readings that may be torn are kept from one poll to the next.

    Attributes:
        wide: Those of the items that can be torn.
        plain: Type, order and type code of the items where all have the same and are numbers of at most two registers as they come;
            ``index`` are then the places of their words, shape (items, registers). None where there is more to do (``good`` does it).
    """

    def __init__(self, wanted: Sequence[Wanted], start: int, last: LastReadings | None = None) -> None:
        size = len(wanted)
        self.handles = _shared(np.array([item.handle for item in wanted], np.uint32))
        self.wide = WideItems(wanted, start, last)
        self._types = _shared(np.array([item.type_code for item in wanted], np.uint8))
        self._no_time = _shared(np.zeros(size, np.int64))
        self._good = _shared(np.full(size, Quality.GOOD, np.uint8))
        self._no_status = _shared(np.zeros(size, np.uint32))
        self._scaled = np.array([row for row, item in enumerate(wanted) if item.scaled], np.intp)
        self._gain = np.array([wanted[row].gain for row in self._scaled], np.float64)
        self._offset = np.array([wanted[row].offset for row in self._scaled], np.float64)
        places: dict[tuple[str, str], list[int]] = {}
        for row, item in enumerate(wanted):
            places.setdefault((item.kind, item.order), []).append(row)
        self._strings = [
            (row, wanted[row], wanted[row].extent.address - start) for key in places if key[0] == "string" for row in places[key]
        ]
        self._groups: list[tuple[str, str, npt.NDArray[np.intp], npt.NDArray[np.intp]]] = []
        for (kind, order), rows in places.items():
            if kind != "string":
                first = np.array([wanted[row].extent.address - start for row in rows], np.intp)
                index = first[:, None] + np.arange(wanted[rows[0]].extent.length, dtype=np.intp)
                self._groups.append((kind, order, np.array(rows, np.intp), index))
        self._scaled_rows = frozenset(self._scaled.tolist())
        self._bits = np.array([item.address.bit or 0 for item in wanted], np.uint8)
        self._last_bits = np.array([item.address.last_bit or 0 for item in wanted], np.uint8)
        self.plain = self._plain(wanted)
        self.index = self._groups[0][3] if self.plain else np.zeros((0, 0), np.intp)

    def _plain(self, wanted: Sequence[Wanted]) -> tuple[str, str, int] | None:
        if len(self._groups) != 1 or self._strings or len(self._scaled):
            return None
        kind, order, _, index = self._groups[0]
        plain = kind in MACHINE_TYPES and index.shape[1] <= 2
        return (kind, order, wanted[0].type_code) if plain else None

    def good(self, words: Words, receive_ns: int) -> SampleColumns:
        """What the words hold. An item whose words are no value of its type has none, and is bad (InvalidContent)."""
        numbers = np.empty(len(self.handles))
        objects: dict[int, Value] = {}
        with np.errstate(all="ignore"):  # NaN, infinity and overflow are what the device sent, not our mistake
            for kind, order, rows, index in self._groups:
                self._decode(kind, order, rows, words[index], numbers, objects)
            if len(self._scaled):
                numbers[self._scaled] = numbers[self._scaled] * self._gain + self._offset
        invalid = [row for row, value in objects.items() if value is None] if objects else []
        for row, item, place in self._strings:
            address = item.address
            objects[row] = decode_string(words[place : place + item.extent.length], address.length, item.order, address.padding)
        if objects:
            numbers[list(objects)] = np.nan
        columns = self._columns(self._good, self._no_status, receive_ns, numbers, objects)
        return without_value(columns, invalid, INVALID_CONTENT) if invalid else columns

    def _decode(
        self,
        kind: str,
        order: str,
        rows: npt.NDArray[np.intp],
        words: Words,
        numbers: npt.NDArray[np.float64],
        objects: dict[int, Value],
    ) -> None:
        """Items of one kind and order, into their rows; ``words`` has a row for each."""
        if kind == "bit":
            numbers[rows] = words[:, 0]
        elif kind == "bool":
            numbers[rows] = decode_bits(words[:, 0], self._bits[rows], order)
        elif kind == "bits":
            numbers[rows] = decode_bit_ranges(words[:, 0], self._bits[rows], self._last_bits[rows], order)
        elif REGISTER_TYPES[kind].kind == "clock":
            objects.update(zip(rows.tolist(), decode_clocks(words, kind, order), strict=True))
        else:
            values, valid = decode_checked(words, kind, order)
            numbers[rows] = values
            if values.dtype.kind in "iu" and words.shape[1] > 2:
                objects.update(self._beyond_float64(rows, values))
            if valid is not None:
                objects.update(dict.fromkeys(rows[~valid].tolist()))

    def bad(self, status: int, receive_ns: int) -> SampleColumns:
        """No value: the whole block was refused or got no answer."""
        numbers = np.full(len(self.handles), np.nan)
        size = len(self.handles)
        quality, statuses = np.full(size, Quality.BAD, np.uint8), np.full(size, status, np.uint32)
        return self._columns(quality, statuses, receive_ns, numbers, dict.fromkeys(range(size)))

    def _beyond_float64(self, rows: npt.NDArray[np.intp], values: npt.NDArray[np.generic]) -> dict[int, Value]:
        pairs: list[tuple[int, int]] = list(zip(rows.tolist(), values.tolist(), strict=True))
        return {row: value for row, value in pairs if row not in self._scaled_rows and not -SAFE_INTEGER <= value <= SAFE_INTEGER}

    def _columns(
        self,
        quality: npt.NDArray[np.uint8],
        status: npt.NDArray[np.uint32],
        receive_ns: int,
        numbers: npt.NDArray[np.float64],
        objects: dict[int, Value],
    ) -> SampleColumns:
        return SampleColumns(
            handle=self.handles,
            type=self._types,
            quality=quality,
            status=status,
            number=numbers,
            source_ns=self._no_time,
            server_ns=self._no_time,
            receive_ns=np.full(len(numbers), receive_ns, np.int64),
            objects=objects,
        )


def _shared(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A column that the samples of every poll have in common, and so that nobody may change."""
    column.flags.writeable = False
    return column


def without_value(columns: SampleColumns, rows: Sequence[int], status: int) -> SampleColumns:
    """The same samples, those of some rows bad and without their value."""
    number, quality, statuses = columns.number.copy(), columns.quality.copy(), columns.status.copy()
    number[rows], quality[rows], statuses[rows] = np.nan, Quality.BAD, status
    objects = columns.objects | dict.fromkeys(rows)
    return structs.replace(columns, number=number, quality=quality, status=statuses, objects=objects)


def with_newer(columns: SampleColumns, rows: Sequence[int], newer: SampleColumns) -> SampleColumns:
    """The same samples, those of some rows from a later reading of the same items."""
    changed = {name: getattr(columns, name).copy() for name in ("number", "quality", "status", "receive_ns")}
    for name, column in changed.items():
        column[rows] = getattr(newer, name)[rows]
    objects = {row: value for row, value in columns.objects.items() if row not in rows}
    return structs.replace(columns, **changed, objects=objects | {row: newer.objects[row] for row in rows if row in newer.objects})


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
