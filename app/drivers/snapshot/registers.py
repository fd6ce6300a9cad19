"""The registers of a snapshot, from which every type and order can be decoded that the device itself could be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.drivers.base import Item
from app.drivers.modbus.address import BIT_TABLES
from app.drivers.modbus.guard import RequestError
from app.drivers.modbus.plan import Extent
from app.drivers.modbus.readout import Defaults, Readout, by_handle, joined, no_address
from app.drivers.modbus.registers import Words
from app.drivers.modbus.spec import BAD_ADDRESS, NOT_IN_SNAPSHOT
from app.drivers.snapshot.lines import RegistersLine
from app.errors import UserError
from app.model.columns import SampleColumns

_SIZE = 65_536


class _Table(NamedTuple):
    """By address: the word, the status with which it was read, and when (Unix ns)."""

    words: Words
    status: npt.NDArray[np.uint32]
    receive_ns: npt.NDArray[np.int64]


class Registers:
    """Lives in one thread. Of what was read twice, the later one counts."""

    def __init__(self) -> None:
        self._tables: dict[tuple[int, str], _Table] = {}

    def add(self, line: RegistersLine) -> None:
        table = self._tables.setdefault((line.unit, line.table), _new_table())
        part = slice(line.address, line.address + line.count)
        table.status[part], table.receive_ns[part] = line.status, line.receive_ns
        if not line.status:
            table.words[part] = np.frombuffer(line.words, "u1" if line.table in BIT_TABLES else ">u2").astype(table.words.dtype)

    @property
    def units(self) -> list[int]:
        return sorted({unit for unit, _ in self._tables})

    def has(self, extent: Extent) -> bool:
        """Whether all of it was asked for, answered or not."""
        table = self._tables.get((extent.unit, extent.table))
        return table is not None and not (table.status[extent.address : extent.end] == NOT_IN_SNAPSHOT).any()

    async def words(self, extent: Extent) -> Words:
        """As of then; for ``item_details``.

        Raises:
            RequestError: Some of them are not here, or were refused then.
        """
        found, _ = self._read(extent)
        return found

    def _read(self, extent: Extent) -> tuple[Words, int]:
        """The words, and when the first of them was read."""
        table = self._tables.get((extent.unit, extent.table))
        status = NOT_IN_SNAPSHOT if table is None or extent.end > _SIZE else int(table.status[extent.address : extent.end].max())
        if table is None or status:
            why = "these registers were not read for the snapshot" if status == NOT_IN_SNAPSHOT else "the device answered so then"
            raise RequestError(status, why)
        return table.words[extent.address : extent.end], int(table.receive_ns[extent.address : extent.end].min())

    def read(self, items: Sequence[Item], handles: Sequence[int], defaults: Defaults, as_of_ns: int) -> SampleColumns:
        """One sample per item, in the order of ``handles``; what is not here is bad, with ``as_of_ns`` as its time."""
        parts: list[SampleColumns] = []
        for handle, item in zip(handles, items, strict=True):
            try:
                wanted = defaults.wanted(item, handle)
            except UserError:
                parts.append(no_address(handle, BAD_ADDRESS, as_of_ns))
                continue
            readout = Readout([wanted], wanted.extent.address)
            try:
                words, receive_ns = self._read(wanted.extent)
                parts.append(readout.good(words, receive_ns))
            except RequestError as error:
                parts.append(readout.bad(error.status, as_of_ns))
        return by_handle(joined(parts))


def _new_table() -> _Table:
    return _Table(np.zeros(_SIZE, "u2"), np.full(_SIZE, NOT_IN_SNAPSHOT, np.uint32), np.zeros(_SIZE, np.int64))
