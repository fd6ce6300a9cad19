"""What the cells of a column look like, whatever its heading says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from app.taglists.datatypes import kind, order
from app.taglists.places import as_hex, find_place
from app.taglists.scales import NOTHING, factor, limits
from app.taglists.spreadsheet import number
from app.taglists.states import access, functions, states, table_word
from app.taglists.table import Row
from app.units import recognise

SAMPLE: Final = 300
_GRAMMAR: Final = re.compile(
    r"(?:[0-9]{1,3}/)?(?:coil|discrete|input|holding):(?:0x)?[0-9a-f]+.*|(?:nsu=[^;]*;|ns=[0-9]+;|svr=[0-9]+;)?[isgb]=.+|/.+",
    re.IGNORECASE | re.DOTALL,
)
_NULL: Final = frozenset({*NOTHING, "tbd", "t.b.d."})


@lru_cache(maxsize=20_000)
def in_grammar(text: str) -> bool:
    """Whether a text is of the form of a driver's own addresses: ``3/holding:100``, ``ns=2;s=Flow``, ``/Objects/2:Line``."""
    return _GRAMMAR.fullmatch(text.strip()) is not None


def is_address(text: str) -> bool:
    return in_grammar(text) or find_place(text) is not None


def is_number(text: str) -> bool:
    return number(text) is not None


def _is_unit(text: str) -> bool:
    return text.lower() not in _NULL and number(text) is None and recognise(text.strip("[]()")) is not None


def _is_small(text: str) -> bool:
    return text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= 125


_TESTS: Final[dict[str, Callable[[str], object]]] = {
    "address": lambda text: is_address(text) or as_hex(text) is not None,
    "type": lambda text: kind(text) is not None and number(text) is None,
    "order": lambda text: order(text)[0],
    "access": access,
    "function": functions,
    "unit": _is_unit,
    "unit_id": lambda text: text.isdecimal() and len(text) <= 3 and int(text) <= 255,
    "gain": factor,
    "divisor": lambda text: (value := number(text)) is not None and value >= 1.0,
    "length": _is_small,
    "offset": number,
    "bit": lambda text: re.fullmatch(r"(?i)(?:bit)?\s*[0-9]{1,2}(?:\s*-\s*[0-9]{1,2})?", text) is not None,
    "low": number,
    "high": number,
    "range": limits,
    "enum": states,
    "table": table_word,
    "name": lambda text: number(text) is None and sum(map(str.isalpha, text)) >= 3,
    "description": lambda text: number(text) is None and sum(map(str.isalpha, text)) >= 3,
}


def fractions(rows: Sequence[Row], width: int) -> list[Mapping[str, float]]:
    """Per column: meaning → share of its filled cells that look like it; {} for an empty column. Rows with one cell are headings."""
    step = max(1, len(rows) // SAMPLE)
    sample = [row for row in rows[::step] if len(row.filled) > 1 or width == 1]
    return [_column(sample, column) for column in range(width)]


def _column(sample: Sequence[Row], column: int) -> Mapping[str, float]:
    texts = [text for row in sample if (text := row.cell(column)) and text.lower() not in _NULL]
    if not texts:
        return {}
    return {meaning: sum(1 for text in texts if _says_yes(test(text))) / len(texts) for meaning, test in _TESTS.items()}


def _says_yes(answer: object) -> bool:
    """Anything found; a 0 is a number that was found."""
    return answer is not None and answer is not False and answer not in ("", ())
