"""Units from the texts and numbers that people, files and OPC UA servers use for them."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import NamedTuple

from app.units.table import Unit, require, spellings, unit

UNECE_NAMESPACE = "http://www.opcfoundation.org/UA/units/un/cefact"  # OPC 10000-8 §5.6.3

_REMOVED = dict.fromkeys(map(ord, " \t·⋅∙*^_.[]{}"))
_ASCII = {
    "º": "deg", "°": "deg", "˚": "deg", "\u2126": "Ohm", "Ω": "Ohm", "µ": "u", "\u03bc": "u", "−": "-", "∕": "/", "′": "'", "″": '"',
}  # fmt: skip
_PLAIN = str.maketrans(_ASCII) | _REMOVED


def _plain(text: str) -> str:
    """Spelling without typography: "m³/h", "m^3/h" and "m3 / h" become one; upper and lower case stay apart."""
    if text.isascii():
        return text.translate(_REMOVED)
    return unicodedata.normalize("NFKC", text.translate(_PLAIN)).translate(_PLAIN)  # superscripts to digits, ℃ to °C


class _Index(NamedTuple):
    """From text to codes, best tier first; inside a tier the units that plants use most come first."""

    written: dict[str, list[str]]
    code: dict[str, list[str]]
    plain: dict[str, list[str]]
    ucum: dict[str, list[str]]
    name: dict[str, list[str]]
    caseless: dict[str, list[str]]
    caseless_code: dict[str, list[str]]


@cache
def _index() -> _Index:
    index = _Index({}, {}, {}, {}, {}, {}, {})
    for code, name, texts, ucum in spellings():
        index.code[code] = [code]
        index.caseless_code.setdefault(code.casefold(), []).append(code)
        index.name.setdefault(name.casefold(), []).append(code)
        if ucum:
            index.ucum.setdefault(ucum, []).append(code)
        for text in texts:
            plain = _plain(text)
            index.written.setdefault(text, []).append(code)
            index.plain.setdefault(plain, []).append(code)
            index.caseless.setdefault(plain.casefold(), []).append(code)
    return index


def _keys(text: str) -> tuple[str, ...]:
    plain = _plain(text)
    return (text, text, plain, text, text.casefold(), plain.casefold(), text.casefold())


def find(text: str, limit: int = 20) -> list[Unit]:
    """Units that `text` may mean, best first: symbol or alias, code, UCUM, name, then any case, then part of a name.

    A text that is both a symbol and the code of something else means the symbol: "VA" is volt-ampere (D46) before
    the code VA, volt-ampere per kilogram. "C" is °C before coulomb.
    """
    text = text.strip()
    if not text:
        return []
    found: dict[str, None] = {}
    for tier, key in zip(_index(), _keys(text), strict=True):
        found.update(dict.fromkeys(tier.get(key, ())))
    if len(text) > 1 and len(found) < limit:
        needle = text.casefold()
        found.update(dict.fromkeys(entry.code for entry in spellings() if needle in entry.name.casefold()))
    return [require(code) for code in list(found)[:limit]]


def recognise(text: str) -> Unit | None:
    """The one unit that `text` plainly names; None when it names none or could be read two ways.

    Case counts where it must: "mw" could be mW or MW and names none, "kw" is kW.
    """
    text = text.strip()
    *exact, (caseless, key), _ = zip(_index(), _keys(text), strict=True)
    for tier, spelled in exact:
        if spelled in tier:
            return require(tier[spelled][0])
    candidates = [require(code) for code in caseless.get(key, ())]
    sizes = {(one.multiplier, one.offset, one.dimension, one.kinds) if one.multiplier else one.code for one in candidates}
    return candidates[0] if len(sizes) == 1 else None


def from_opcua(unit_id: int, namespace_uri: str, display_name: str) -> Unit | None:
    """The unit of an OPC UA EUInformation, or None when neither its number nor its display name tells.

    The number counts only in the UNECE namespace, or where a server left the URI empty; -1 and unknown numbers fall
    back to `display_name`, which is a server's free text and is trusted only when it plainly names one unit.
    """
    if namespace_uri.strip() in ("", UNECE_NAMESPACE) and 0 < unit_id < 1 << 32:
        raw = unit_id.to_bytes(4, "big").lstrip(b"\0")
        found = unit(raw.decode("latin-1"))
        if found is not None:
            return found
    return recognise(display_name)
