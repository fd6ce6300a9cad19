"""Generated registers of devices as they are, with a tag that reads one value of them rightly or wrongly: for the judgement's hit rate."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.drivers.modbus.address import ORDERS
from app.drivers.modbus.evidence import Expectation
from app.drivers.modbus.plausibility import AFTER, BEFORE, Interpretation, Question
from app.drivers.modbus.registers import Words, encode
from app.drivers.modbus.types import REGISTERS_OF

# Unit, usual value, how much it moves between samples, smallest and largest that a range would state, scale of whole numbers.
QUANTITIES = {
    "voltage": ("VLT", 231.4, 0.4, 0.0, 300.0, 0.1),
    "line voltage": ("VLT", 402.7, 0.6, 0.0, 500.0, 0.1),
    "current": ("AMP", 17.3, 0.5, 0.0, 100.0, 0.01),
    "frequency": ("HTZ", 49.98, 0.01, 45.0, 65.0, 0.01),
    "power": ("WTT", 11873.0, 60.0, 0.0, 50000.0, 1.0),
    "temperature": ("CEL", 38.6, 0.1, -20.0, 120.0, 0.1),
    "frost": ("CEL", -12.4, 0.1, -40.0, 60.0, 0.1),
    "energy": ("KWH", 84213.7, 0.2, 0.0, 1e7, 0.1),
    "level": ("P1", 63.2, 0.2, 0.0, 100.0, 0.1),
    "pressure": ("BAR", 6.13, 0.02, 0.0, 16.0, 0.01),
    "speed": ("RPM", 1482.0, 3.0, 0.0, 3000.0, 1.0),
}
FORMS = ("float32", "float32", "float32", "int16", "uint16", "int32", "uint32", "int32", "float64", "uint64")
ITEMS = 7
TARGET = 3
"""Which of them the tag is about."""


@dataclass(frozen=True)
class Case:
    """``type``, ``order`` and ``offset`` are the truth; ``question`` is what the tag says."""

    question: Question
    type: str
    order: str
    offset: int
    knows: str
    samples: int
    wrong: str

    def is_right(self, found: Interpretation) -> bool:
        """The same registers to the same values."""
        if found.offset != self.offset or REGISTERS_OF[found.type] != REGISTERS_OF[self.type]:
            return False
        names = (found.type, f"{found.type} {found.order}", *found.same)
        swapped = {"CDAB": "ABCD", "DCBA": "BADC"}
        same_order = found.order == self.order or (found.registers == 1 and swapped.get(self.order, self.order) == found.order)
        return (self.type in names and same_order) or f"{self.type} {self.order}" in names


def cases(count: int, seed: int) -> Iterator[Case]:
    chance = random.Random(seed)
    for number in range(count):
        yield _case(chance, knows=("nothing", "unit", "range", "value")[number % 4], samples=1 if number // 4 % 2 else 8)


def _case(chance: random.Random, knows: str, samples: int) -> Case:
    type_ = chance.choice(FORMS)
    order = chance.choices(ORDERS, (5, 4, 1, 1))[0]
    names = [
        name for name in QUANTITIES if not (name == "frost" and type_.startswith("u")) and not (name == "energy" and type_.endswith("16"))
    ]
    kinds = [chance.choice(names) for _ in range(ITEMS)]
    scale = 1.0 if type_.startswith("float") else QUANTITIES[kinds[TARGET]][5]
    values = np.array([_series(chance, kind, samples) for kind in kinds])
    words = _words(values, kinds, type_, order)
    at = TARGET * REGISTERS_OF[type_]
    stated_type, stated_order, offset, wrong = _stated(chance, type_, order)
    first = at - offset
    unit, _, _, low, high, _ = QUANTITIES[kinds[TARGET]]
    now = float(values[TARGET][-1])
    expected = {
        "nothing": Expectation(),
        "unit": Expectation(unit=unit),
        "range": Expectation(low=low, high=high, unit=unit),
        "value": Expectation(value=round(now * chance.uniform(0.998, 1.002), 2), unit=unit),
    }[knows]
    window = words[:, first - BEFORE : first + AFTER + 1]
    gain = 1.0 if knows == "value" else scale
    return Case(Question(window, BEFORE, stated_type, stated_order, gain, expected), type_, order, offset, knows, samples, wrong)


def _series(chance: random.Random, kind: str, samples: int) -> list[float]:
    _, usual, step, *_ = QUANTITIES[kind]
    value = usual * chance.uniform(0.85, 1.15) if kind != "frequency" else usual
    found = []
    for _ in range(samples):
        value += abs(chance.gauss(0, step)) if kind == "energy" else chance.gauss(0, step)
        found.append(value)
    return found


def _words(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], kinds: list[str], type_: str, order: str) -> Words:
    rows = []
    for sample in values.T:
        row: list[int] = []
        for kind, value in zip(kinds, sample, strict=True):
            raw = float(value) if type_.startswith("float") else round(float(value) / QUANTITIES[kind][5])
            row += encode(raw, type_, order)
        rows.append([*row, *[0] * 12])
    return np.array(rows, np.uint16)


def _stated(chance: random.Random, type_: str, order: str) -> tuple[str, str, int, str]:
    """Type and order as a tag states them, how many registers it is off, and what is wrong with it."""
    wrong = chance.choice(("nothing", "order", "type", "base", "type and order"))
    stated_type = stated_order = ""
    if "type" in wrong:
        stated_type = chance.choice([other for other in ("int16", "uint16", "int32", "uint32", "float32") if other != type_])
    if "order" in wrong:
        stated_order = chance.choice([other for other in ("ABCD", "CDAB", "BADC", "DCBA") if other != order])
    return stated_type or type_, stated_order or order, chance.choice((-1, 1)) if wrong == "base" else 0, wrong
