"""Where an item is, as register lists write it: ``40001``, ``4x0001``, ``0x64``, ``64h``, ``100-101``, ``%MW100``, ``40012.3``.

What is read here is what was written. Whether the numbers are Modicon numbers, and whether counting begins at 0 or 1, is a question about
the whole list (``numbering``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from app.errors import UserError

Form = Literal["decimal", "hex", "modicon"]
TABLE_OF_DIGIT: Final = {"0": "coil", "1": "discrete", "3": "input", "4": "holding"}


@dataclass(frozen=True, slots=True)
class Place:
    """An address as it was written.

    Attributes:
        text: As in the list.
        form: ``modicon`` only where that is beyond doubt (``4x0001``, ``4:0001``); five digits are ``decimal`` here.
        number: In decimal and hex form the number itself; in modicon form the number behind the table digit.
        digits: As the number was written, leading zeros and all; "" in modicon form.
        table: Where the address itself names one, else "".
        count: Registers, where a range was written (``100-101`` are 2), else None.
        bit: Behind a dot, else None; ``last_bit`` where a range of bits was.
    """

    text: str
    form: Form
    number: int
    digits: str = ""
    table: str = ""
    count: int | None = None
    bit: int | None = None
    last_bit: int | None = None


_DASH: Final = r"(?:\s*(?:-|‐|‑|–|—|−|…|\.\.\.?|~|/|\+|,|;|&|\bto\b|\bbis\b|\band\b|\bund\b)\s*)"
_NUMBER: Final = r"(?:0[xX][0-9A-Fa-f]{1,6}|[0-9A-Fa-f]{1,5}[hH]|&[hH][0-9A-Fa-f]{1,5}|\$[0-9A-Fa-f]{1,5}|16#[0-9A-Fa-f]{1,5}|[0-9]{1,6})"
_BITS: Final = r"(?:\s*(?:\.|:|/)?\s*(?:[bB]it\s*)(?P<bit_word>[0-9]{1,2})|\.(?P<bit>[0-9]{1,2})(?:-(?P<last_bit>[0-9]{1,2}))?)"
_PLAIN: Final = re.compile(rf"(?P<first>{_NUMBER})(?:{_DASH}(?P<last>{_NUMBER}))?{_BITS}?", re.ASCII)
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}[,'’ \u00a0\u202f][0-9]{3}")
_MODICON: Final = re.compile(
    rf"(?P<table>[134](?=[xX])|[0134](?=:))(?:[xX]|:\s?)(?P<first>[0-9]{{1,5}})(?:{_DASH}(?:[0134](?:[xX]|:))?(?P<last>[0-9]{{1,5}}))?{_BITS}?"
)
_IEC: Final = re.compile(
    r"(?P<word>%?MW|%?IW|%?QW|HR|IR|DI|DO|CO|COIL|REG(?:ISTER)?|ADDR(?:ESS)?|R|D|#)\s*[:.]?\s*(?P<rest>[0-9].*)", re.IGNORECASE
)
_IEC_TABLES: Final = {"MW": "holding", "QW": "holding", "HR": "holding", "IW": "input", "IR": "input", "DI": "discrete", "DO": "coil",
                      "CO": "coil", "COIL": "coil"}  # fmt: skip
_NAMED: Final = re.compile(
    r"(?P<word>holding|input|discrete|coil)s?(?:\s*registers?|\s*inputs?)?\s*[:#]?\s*(?P<rest>[0-9].*)", re.IGNORECASE
)
MOST_NUMBER: Final = 465_536


def _fail(text: str, why: str) -> UserError:
    fix = "Write for example 40001, 4x0001, 0x64, 100, 100-101, or holding:100"
    return UserError("Not an address", where=text, why=why, fix=fix)


@lru_cache(maxsize=20_000)
def find_place(text: str) -> Place | None:
    """``place``, None where the text is none; for looking over whole columns."""
    try:
        return place(text)
    except UserError:
        return None


def place(text: str) -> Place:
    """Read an address.

    Raises:
        UserError: It is in no form that register lists use, or a range that ends before it begins.
    """
    plain = " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").split()).strip("[]() *'\"")
    if not plain:
        raise _fail(text, "it is empty")
    for pattern in (_NAMED, _IEC):
        if found := pattern.fullmatch(plain):
            word = found["word"].upper().lstrip("%")
            inner = place(found["rest"])
            table = _IEC_TABLES.get(word, "") if pattern is _IEC else word.lower()
            if inner.form == "modicon":
                raise _fail(text, "it names a table twice")
            return Place(text, inner.form, inner.number, inner.digits, table, inner.count, inner.bit, inner.last_bit)
    if found := _MODICON.fullmatch(plain):
        first = int(found["first"])
        return _with_range(text, found, first, "modicon", "", TABLE_OF_DIGIT[found["table"]], int(found["last"]) if found["last"] else None)
    if _THOUSANDS.fullmatch(plain) and not _is_pair(plain):
        plain = re.sub(r"\D", "", plain)
    found = _PLAIN.fullmatch(plain)
    if found is None:
        raise _fail(text, "it is no number in decimal or hex, no Modicon address and no range of these")
    first, form = _number(found["first"])
    last = None
    if found["last"]:
        last, last_form = _number(found["last"])
        if last_form != form and form == "hex":
            last = int(found["last"], 16)
        if last < first and len(found["last"]) < len(found["first"]) and form == "decimal":  # 40009-10
            last = int(found["first"][: -len(found["last"])] + found["last"])
    return _with_range(text, found, first, form, found["first"], "", last)


def _with_range(text: str, found: re.Match[str], first: int, form: Form, digits: str, table: str, last: int | None) -> Place:
    if first > MOST_NUMBER:
        raise _fail(text, f"{first} is beyond every register")
    count = None
    if last is not None:
        count = last - first + 1
        if count < 1:
            raise _fail(text, f"the range ends before it begins: {first} to {last}")
        if count > 125:
            raise _fail(text, f"{count} registers are more than one item can have (125, what one request carries)")
    bit = int(found["bit"] or found["bit_word"]) if found["bit"] or found["bit_word"] else None
    last_bit = int(found["last_bit"]) if found["last_bit"] else None
    if bit is not None and not 0 <= bit <= 15:
        raise _fail(text, f"bit {bit} is not one of 0 to 15")
    return Place(text, form, first, digits if form == "decimal" else "", table, count, bit, last_bit)


def _is_pair(plain: str) -> bool:
    """``100,101``: two registers, not a hundred thousand."""
    first, second = re.split(r"\D", plain)
    return int(second) - int(first) in range(1, 8)


def _number(text: str) -> tuple[int, Form]:
    lower = text.lower()
    if lower.startswith(("0x", "&h")):
        return int(lower[2:], 16), "hex"
    if lower.startswith("16#"):
        return int(lower[3:], 16), "hex"
    if lower.startswith("$"):
        return int(lower[1:], 16), "hex"
    if lower.endswith("h"):
        return int(lower[:-1], 16), "hex"
    return int(lower), "decimal"


_COILS: Final = re.compile(r"0[xX]([0-9]{1,5})")


def as_coil(text: str) -> Place | None:
    """``0x0012`` in a list that also has ``4x0001``: a coil, and no hexadecimal number."""
    found = _COILS.fullmatch(text.strip())
    return Place(text, "modicon", int(found[1]), "", "coil") if found else None


BARE_HEX: Final = re.compile(r"[0-9A-Fa-f]{2,5}")


def as_hex(text: str) -> Place | None:
    """A number without any mark in a column whose numbers are hexadecimal."""
    plain = text.strip().strip("[]() ")
    if BARE_HEX.fullmatch(plain):
        return Place(text, "hex", int(plain, 16))
    found = find_place(text)
    return found if found is None or found.form == "hex" else None
