"""Blocks made into samples together are what each of them makes by itself."""

import numpy as np
import pytest

from app.drivers.base import Item
from app.drivers.modbus.readings import Reading, samples_of
from app.drivers.modbus.readout import Defaults, Readout, no_address
from app.model.columns import COLUMN_DTYPES, SampleColumns

PLAIN = ["float32", "float32:CDAB", "int32:BADC", "uint32:DCBA", "int16", "uint16", "float16"]
OTHER = ["float64", "uint64", "bcd32", "str4", "unix32", "mod10k32"]


def reading(words: np.random.Generator, receive_ns: int, types: list[str], *, gain: float = 1.0) -> Reading:
    items = [Item(address=f"holding:{100 + 5 * place}:{name}", gain=gain) for place, name in enumerate(types)]
    readout = Readout([Defaults().wanted(item, 7 * place) for place, item in enumerate(items)], 100)
    return Reading(readout, words.integers(0, 65536, 5 * len(types), np.uint16), receive_ns)


def assert_same(together: SampleColumns, one_by_one: list[SampleColumns]) -> None:
    row = 0
    for part in one_by_one:
        for name, dtype in COLUMN_DTYPES.items():
            column = getattr(together, name)
            assert column.dtype == np.dtype(dtype)
            np.testing.assert_array_equal(column[row : row + len(part)], getattr(part, name), name)
        assert {at - row: value for at, value in together.objects.items() if row <= at < row + len(part)} == part.objects
        row += len(part)
    assert len(together) == row


@pytest.mark.parametrize("name", [*PLAIN, *OTHER])
def test_that_blocks_of_one_type_give_together_what_each_gives_alone(name: str) -> None:
    words = np.random.default_rng(1)
    readings = [reading(words, 10 + number, [name] * (1 + number)) for number in range(4)]
    assert (readings[0].readout.plain is not None) == (name in PLAIN)
    assert_same(samples_of(readings), [one.samples() for one in readings])


def test_that_blocks_of_every_kind_keep_their_order() -> None:
    words = np.random.default_rng(2)
    parts: list[SampleColumns | Reading] = []
    for number, name in enumerate([*PLAIN, *OTHER, *PLAIN]):
        parts += [reading(words, number, [name, name]), reading(words, number, [name, "int16"]), no_address(number, 259, number)]
        parts += [reading(words, number, ["int16", "int16"], gain=0.1), reading(words, number, [name])]
    assert_same(samples_of(parts), [part.samples() if isinstance(part, Reading) else part for part in parts])


def test_that_nothing_gives_nothing() -> None:
    assert len(samples_of([])) == 0
