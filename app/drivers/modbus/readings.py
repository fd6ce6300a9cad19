"""Blocks as they were read, made into samples together: numpy takes about as long for the items of ten blocks as for those of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from app.drivers.modbus.readout import Readout, joined
from app.drivers.modbus.registers import Words, decode
from app.model.columns import SampleColumns
from app.model.values import Quality


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The words of one block, which nothing speaks against, and when they came."""

    readout: Readout
    words: Words
    receive_ns: int

    def samples(self) -> SampleColumns:
        return self.readout.good(self.words, self.receive_ns)


def samples_of(parts: Sequence[SampleColumns | Reading]) -> SampleColumns:
    """Of several blocks as one, rows in the order of the parts."""
    found: list[SampleColumns] = []
    for plain, group in groupby(parts, _plain):
        alike = list(group)
        if plain is None:
            found += [part.samples() if isinstance(part, Reading) else part for part in alike]
        else:
            found.append(_together([part for part in alike if isinstance(part, Reading)], *plain))
    return found[0] if len(found) == 1 else joined(found)


def _plain(part: SampleColumns | Reading) -> tuple[str, str, int] | None:
    return part.readout.plain if isinstance(part, Reading) else None


def _together(readings: Sequence[Reading], kind: str, order: str, type_: int) -> SampleColumns:
    """Of blocks of nothing but items of this type and order."""
    sizes = [len(one.readout.handles) for one in readings]
    size = sum(sizes)
    words = np.concatenate([one.words[one.readout.index] for one in readings])
    with np.errstate(all="ignore"):  # a signalling NaN is what the device sent, not our mistake
        numbers = decode(words, kind, order).astype(np.float64)
    no_time = np.zeros(size, np.int64)
    return SampleColumns(
        handle=np.concatenate([one.readout.handles for one in readings]),
        type=np.full(size, type_, np.uint8),
        quality=np.full(size, Quality.GOOD, np.uint8),
        status=np.zeros(size, np.uint32),
        number=numbers,
        source_ns=no_time,
        server_ns=no_time,
        receive_ns=np.repeat(np.array([one.receive_ns for one in readings], np.int64), sizes),
    )
