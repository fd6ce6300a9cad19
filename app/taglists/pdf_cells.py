"""Cells from a run of words: which words of a row belong to which column, when only their order is left.

Columns of numbers, types and units are *closed*: only certain words fit. Columns of names and descriptions take any words. The cheapest
way to deal the words out to the columns, in the order of the columns, is found by dynamic programming; what a closed column must take
although it does not fit is reported by whoever reads the cell later.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from app.taglists import states
from app.taglists.datatypes import kind, order
from app.taglists.scales import NOTHING, factor, limits
from app.taglists.spreadsheet import number
from app.taglists.words import Meaning
from app.units import recognise

OPEN: Final = frozenset({"name", "description", "enum", ""})


class Costs(NamedTuple):
    """Of leaving a column empty, and of putting a word into it that does not fit."""

    empty: float
    wrong: float
    words: int


_COSTS: Final[dict[Meaning, Costs]] = {
    "type": Costs(4.0, 3.0, 4), "length": Costs(1.5, 3.0, 2), "gain": Costs(1.2, 2.5, 2), "divisor": Costs(1.2, 2.5, 2),
    "unit": Costs(0.8, 1.6, 3), "access": Costs(2.0, 3.0, 3), "function": Costs(1.6, 3.0, 4), "range": Costs(1.0, 2.4, 5),
    "order": Costs(1.0, 3.0, 3), "table": Costs(1.0, 3.0, 2), "bit": Costs(0.8, 3.0, 2), "unit_id": Costs(1.0, 3.0, 1),
    "low": Costs(0.9, 2.5, 1), "high": Costs(0.9, 2.5, 1), "offset": Costs(0.9, 2.5, 1), "address": Costs(6.0, 6.0, 5),
}  # fmt: skip
_OPEN_EMPTY: Final[dict[Meaning, float]] = {"name": 3.0, "description": 0.3, "enum": 0.2, "": 0.2}
_OPEN_WORD: Final[dict[Meaning, float]] = {"name": 0.02, "description": 0.01, "enum": 0.05, "": 0.4}
_TOGETHER: Final = frozenset({"type", "access", "function"})
"""Columns in which several words are rather one cell: ``Unsigned 16 bit``."""
FILLED: Final = 3.0
_ACROSS_GAP: Final = 0.4
_AT_GAP: Final = 0.15


@lru_cache(maxsize=50_000)
def fit(meaning: Meaning, text: str) -> float | None:
    """What it costs to take a text for a cell of a closed column; None where it does not fit."""
    if text.lower() in NOTHING and meaning != "type":
        return 0.1
    match meaning:
        case "type":
            found = kind(text)
            return None if found is None else 0.0 if is_plain_type(text) else 0.8
        case "length":
            return (0.0 if int(text) <= 4 else 0.6) if text.isdecimal() and 0 < int(text) <= 125 and len(text) <= 3 else None
        case "gain" | "divisor":
            return 0.0 if factor(text) is not None else None
        case "unit":
            return _unit_cost(text)
        case "access":
            return 0.0 if states.access(text) is not None else None
        case "function":
            return 0.0 if states.functions(text) is not None else None
        case "range":
            return 0.0 if limits(text) is not None or states.states(text) else None
        case "order":
            return 0.0 if order(text)[0] else None
        case "table":
            return 0.0 if states.table_word(text) else None
        case "bit" | "unit_id":
            return 0.0 if text.isdecimal() and int(text) <= 255 and len(text) <= 3 else None
        case _:
            return 0.0 if number(text) is not None else None


def _unit_cost(text: str) -> float | None:
    if number(text) is not None or len(text) > 16:
        return None
    return 0.0 if recognise(text.strip("[]()")) is not None or (factor(text) is not None) else None


_PLAIN_TYPES: Final = frozenset({
    "float", "double", "string", "bool", "boolean", "enum", "bitfield", "bcd", "ascii", "integer", "int", "uint", "real", "word", "dword",
    "bitmap", "dint", "udint", "lreal",
})  # fmt: skip


@lru_cache(maxsize=20_000)
def is_plain_type(text: str) -> bool:
    """A word that is a type and nothing else: ``U16``, ``FLOAT``, ``int32``; not ``state``, ``time`` or ``long``."""
    if kind(text) is None or len(text) < 2 or number(text) is not None:
        return False
    return any(letter.isdecimal() for letter in text) or text.isupper() or text.lower() in _PLAIN_TYPES


def deal(
    words: Sequence[str], gaps: frozenset[int], columns: Sequence[Meaning], filled: frozenset[Meaning] = frozenset()
) -> tuple[float, list[str]]:
    """The cheapest way to deal words out to columns: its cost, and the cells.

    ``filled`` are closed columns in which nearly every row has something: to leave one empty costs much more then.
    """
    width, count = len(columns), len(words)
    # best[at][column]: cheapest way to have dealt words[:at] to columns[:column + 1], the last of which may still go on.
    best: list[list[tuple[float, int, int]]] = [[(float("inf"), -1, -1)] * (width + 1) for _ in range(count + 1)]
    best[0][0] = (0.0, -1, -1)  # index 0: before the first column
    for at in range(count + 1):
        for column in range(width + 1):
            cost = best[at][column][0]
            if cost == float("inf"):
                continue
            if column < width:
                _enter(best, words, gaps, columns, at, column, cost, filled)
            if column and at < count and columns[column - 1] in OPEN and _goes_on(best, at, column):
                step = cost + _OPEN_WORD[columns[column - 1]] + (_ACROSS_GAP if at in gaps else 0.0)
                if step < best[at + 1][column][0]:
                    best[at + 1][column] = (step, at, column)
    return best[count][width][0], _traced(best, words, width)


def _enter(
    best: list[list[tuple[float, int, int]]],
    words: Sequence[str],
    gaps: frozenset[int],
    columns: Sequence[Meaning],
    at: int,
    column: int,
    cost: float,
    filled: frozenset[Meaning],
) -> None:
    """From having filled ``column`` columns to the next one, with some words or none."""
    meaning = columns[column]

    def reach(to: int, price: float) -> None:
        bonus = _AT_GAP if to > at and at in gaps else 0.0
        if cost + price - bonus < best[to][column + 1][0]:
            best[to][column + 1] = (cost + price - bonus, at, column)

    if meaning in OPEN:
        reach(at, _OPEN_EMPTY[meaning])
        if at < len(words):
            reach(at + 1, _OPEN_WORD[meaning] + (0.5 if words[at].lower() in NOTHING and meaning == "name" else 0.0))
        return
    costs = _COSTS[meaning]
    reach(at, costs.empty + (FILLED if meaning in filled else 0.0))
    for size in range(1, min(costs.words, len(words) - at) + 1):
        text = " ".join(words[at : at + size])
        price = fit(meaning, text)
        if price is not None:
            inner = sum(_ACROSS_GAP for place in range(at + 1, at + size) if place in gaps)
            reach(at + size, price - (0.05 if meaning in _TOGETHER else -0.05) * (size - 1) + inner)
    if at < len(words):
        reach(at + 1, costs.wrong)


def _goes_on(best: list[list[tuple[float, int, int]]], at: int, column: int) -> bool:
    """Whether the open column has words already: an empty one is entered with its first."""
    return best[at][column][1] < at and best[at][column][1] >= 0 if at else False


def _traced(best: list[list[tuple[float, int, int]]], words: Sequence[str], width: int) -> list[str]:
    at, column = len(words), width
    cells: list[list[str]] = [[] for _ in range(width)]
    while column > 0:
        _, before, from_column = best[at][column]
        if before < 0:
            break
        cells[column - 1][:0] = words[before:at]
        at, column = before, from_column
    return [" ".join(cell) for cell in cells]
