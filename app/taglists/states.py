"""Names of states written behind numbers: ``0=off 1=on``, ``0: off; 1: on``; and who may read and write."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal

Access = Literal["r", "rw", "w"]

_ENTRY: Final = re.compile(
    r"(?:^|[\s,;/|(\[{])(?P<number>-?[0-9]{1,10}|0[xX][0-9a-fA-F]{1,8})\s*(?:=>|->|→|=|:(?![0-9])|–|—|(?:(?<=\s)-(?=\s)))\s*(?=\S)",
    re.ASCII,
)
_MOST_NAME: Final = 60
"""Characters; what is longer is a sentence and no name of a state."""


@lru_cache(maxsize=4096)
def states(text: str) -> tuple[tuple[str, str], ...]:
    """Number → name pairs in a text; none unless there are at least two, with different numbers and short names."""
    found = list(_ENTRY.finditer(text))
    if len(found) < 2:
        return ()
    pairs: dict[str, str] = {}
    for entry, following in zip(found, [*found[1:], None], strict=True):
        name = text[entry.end() : following.start() if following else len(text)]
        name = name.strip().strip(",;/|()[]{}\"'").strip()
        if following is None:
            name = re.split(r"[;\n]|\.\s", name)[0].strip()
        number = str(int(entry["number"], 16) if entry["number"][:2].lower() == "0x" else int(entry["number"]))
        if not name or len(name) > _MOST_NAME or number in pairs:
            return ()
        pairs[number] = name
    return tuple(pairs.items())


_ACCESS_WORDS: Final[dict[Access, str]] = {
    "r": "r ro read readonly lesen nurlesen l lesbar input get readaccess",
    "rw": "rw wr readwrite readandwrite rwo rrw lesenschreiben ls lesenundschreiben schreibenlesen sl schreiblesen leseschreib rwm "
    "writeread readableandwritable readwritable",
    "w": "w wo write writeonly schreiben nurschreiben command set schreibbar",
}
_ACCESS: Final[dict[str, Access]] = {word: meant for meant, words in _ACCESS_WORDS.items() for word in words.split()}


def access(text: str) -> Access | None:
    """``R``, ``RO``, ``RW``, ``R/W``, ``W``, "read only", "Lesen/Schreiben"; None for anything else."""
    return _ACCESS.get(re.sub(r"[\W_]+", "", text).lower())


_FUNCTIONS: Final = {
    1: "coil",
    2: "discrete",
    3: "holding",
    4: "input",
    5: "coil",
    6: "holding",
    15: "coil",
    16: "holding",
    22: "holding",
    23: "holding",
}
_WRITING: Final = frozenset({5, 6, 15, 16, 22, 23})


@lru_cache(maxsize=1024)
def functions(text: str) -> tuple[str, Access] | None:
    """Table and access that function codes imply: ``03``, ``0x04``, ``3, 6, 16``, ``FC03/FC16``; None where they are none, or contradict.

    Function codes as in Modbus V1.1b3 §6.
    """
    plain = re.sub(r"(?i)\b(fc|function(?:\s*code)?|read|write|fct?|modbus)\b[:#.]?|(?i:fc)(?=[0-9])", " ", text)
    words = re.findall(r"0[xX][0-9a-fA-F]{1,2}|[0-9]{1,2}[hH]?|[^\s,;/&+()|-]+", plain)
    codes: set[int] = set()
    for word in words:
        if not re.fullmatch(r"0[xX][0-9a-fA-F]{1,2}|[0-9]{1,2}[hH]?", word):
            return None
        base16 = word[:2].lower() == "0x" or word[-1] in "hH"
        codes.add(int(word.rstrip("hH"), 16) if base16 else int(word))
    if not codes or not codes <= _FUNCTIONS.keys():
        return None
    tables = {_FUNCTIONS[code] for code in codes}
    if len(tables) != 1:
        return None
    reads, writes = codes - _WRITING, codes & _WRITING
    return tables.pop(), "rw" if reads and writes else "w" if writes else "r"


_TABLE_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"discrete[\s_-]*inputs?|input[\s_-]*(status|coils?|bits?)|diskrete[rn]?\s*eing(a|ä)nge?|digital[\s_-]*inputs?", "discrete"),
    (r"(?<!\w)1x(?!\w)|(?<!\w)1xxxx", "discrete"),
    (r"input[\s_-]*reg(ister)?s?|eingangsregister|analog[\s_-]*inputs?|inputregister|(?<!\w)3x(?!\w)|(?<!\w)3xxxx", "input"),
    (r"holding[\s_-]*reg(ister)?s?|halteregister|holdingregister|(?<!\w)holdings?(?!\w)|output[\s_-]*reg(ister)?s?", "holding"),
    (r"(?<!\w)4x(?!\w)|(?<!\w)4xxxx", "holding"),
    (r"(?<!\w)coils?(?!\w)|output[\s_-]*(coils?|status)|digital[\s_-]*outputs?|(?<!\w)0x(?!\w)|(?<!\w)0xxxx", "coil"),
)
_TABLE_PATTERNS: Final = tuple((re.compile(pattern, re.IGNORECASE), table) for pattern, table in _TABLE_WORDS)
_SHORT: Final = {
    "h": "holding", "hr": "holding", "holding": "holding", "i": "input", "ir": "input", "input": "input", "di": "discrete",
    "discrete": "discrete", "c": "coil", "coil": "coil", "do": "coil", "4x": "holding", "3x": "input", "1x": "discrete", "0x": "coil",
}  # fmt: skip


@lru_cache(maxsize=2048)
def table_word(text: str) -> str:
    """The table that a text names, "" for none or for more than one."""
    plain = text.strip()
    if (short := _SHORT.get(plain.lower())) is not None:
        return short
    named = {table for pattern, table in _TABLE_PATTERNS if pattern.search(plain)}
    if not named and (found := re.search(r"(?i)\b(?:function(?:\s*code)?|fc|funktionscode)\s*:?\s*((?:0x)?[0-9]{1,2})\b", plain)):
        implied = functions(found[1])
        return implied[0] if implied else ""
    return named.pop() if len(named) == 1 else ""


_RESERVED: Final = re.compile(
    r"(?i)[\s(\[<*-]*(reserved?|reserviert|not\s+used|unused|nicht\s+(?:benutzt|belegt|verwendet)|frei|free|spare|dummy|n/?a|none|undefined|not\s+(?:available|supported)|"
    r"for\s+future\s+use|reserved\s+for\s+future\s+(?:use|extension)s?|intern(?:al)?(?:\s+use)?(?:\s+only)?|factory\s+use(?:\s+only)?)[\s)\]>*.!-]*"
)


def is_reserved(text: str) -> bool:
    return _RESERVED.fullmatch(text) is not None
