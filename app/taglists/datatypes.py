"""Types and byte orders, as register lists name them, in the words of our addresses (``app.drivers.modbus.types``)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from app.drivers.modbus.types import REGISTERS_OF


@dataclass(frozen=True, slots=True)
class Kind:
    """What a type's text says.

    Attributes:
        type: Type word of an address; ``string`` for texts; ``bool``; "" where only sign and family are said (``family``).
        family: ``int``, ``uint``, ``float``, ``bcd``, ``mod10k``, ``smod10k``, ``enum`` or ``bits`` where the width is left open.
        usual: Width in bits that such a word has where nothing else says it; 0 where nothing is usual.
        length: Bytes of a string, None where they are left open.
        bit: One bit of a register, ``last_bit`` where it is a range of them.
        order: One of the orders, "" where nothing is said.
        is_enum: A number that stands for a state.
    """

    type: str = ""
    family: str = ""
    usual: int = 0
    length: int | None = None
    bit: int | None = None
    last_bit: int | None = None
    order: str = ""
    is_enum: bool = False


# Words are folded: lower case, only letters and digits.
_FIXED: Final[dict[str, str]] = {
    "float32": "float32 float32bit f32 fp32 real32 real single singlefloat float4 ieee754single ieee75432 ieee75432bit ieee32 single32 "
    "floatingpoint32 shortfloat",
    "float64": "float64 f64 fp64 real64 double lreal doublefloat float8 ieee754double ieee75464 ieee75464bit ieee64 double64 "
    "floatingpoint64 longfloat",
    "float16": "float16 f16 half halffloat fp16",
    "uint16": "word ushort usint16 unsignedshort uintword acc16 count16",
    "int16": "short sword signedshort sunssf sf pad",
    "uint32": "dword udint ulong doubleword unsignedlong unsigneddouble udword acc32 count32",
    "int32": "dint slong signedlong sdword longint long",
    "uint64": "lword qword ulint ulonglong unsignedlonglong acc64 count64",
    "int64": "lint longlong signedlonglong",
    "bool": "bool boolean bit binary coil discrete digital flag binaer onoff",
    "string": "string str ascii char chars text utf8 utf character characters zeichenkette asciistring visiblestring octetstring",
    "unix32": "unixtime unixtimestamp epoch time32 utc utctime unix epochtime secondssince1970 timestamp32 utc32 unixtime32",
    "unix64": "unixtime64 epoch64 utc64 timestamp64",
    "unixms64": "epochms epochmilliseconds unixms",
    "cp56": "cp56time2a ti081 cp56time",
    "s7dt": "dateandtime",
}
_OPEN: Final[dict[tuple[str, int], str]] = {
    ("float", 32): "float flt fp floatingpoint ieee ieee754 ieeefloat gleitkomma fliesskomma",
    ("uint", 16): "uint unsigned unsignedint unsignedinteger u uinteger vorzeichenlos ohnevorzeichen usigned cardinal counter zaehler",
    ("int", 16): "int integer signed signedint signedinteger s i sint sinteger vorzeichenbehaftet mitvorzeichen twoscomplement",
    ("enum", 16): "enum enumeration enumerated aufzaehlung state status",
    ("bits", 16): "bitfield bitmap bitmask bits bitstring flags bitset bitarray bitcoded bitcodiert",
    ("bcd", 16): "bcd",
    ("mod10k", 32): "mod10k mod10000 modulo10k modulo10000 m10k mod10 umod10k",
    ("smod10k", 32): "smod10k signedmod10k smod10000",
}
"""(family, usual bits) → words that leave the width open."""
_WORDS: Final[dict[str, Kind]] = {
    **{word: Kind(type=type_) for type_, words in _FIXED.items() for word in words.split()},
    **{
        word: Kind(family=family, usual=usual, is_enum=family == "enum")
        for (family, usual), words in _OPEN.items()
        for word in words.split()
    },
}
_FAMILY: Final[dict[str, str]] = {
    "u": "uint", "uint": "uint", "unsigned": "uint", "unsignedint": "uint", "unsignedinteger": "uint", "uinteger": "uint", "ui": "uint",
    "s": "int", "i": "int", "int": "int", "sint": "int", "signed": "int", "signedint": "int", "signedinteger": "int", "integer": "int",
    "si": "int", "f": "float", "fp": "float", "float": "float", "real": "float", "floatingpoint": "float", "ieee754": "float",
    "ieeefloat": "float", "enum": "enum", "bitfield": "bits", "bitmap": "bits", "bitmask": "bits", "b": "bits", "bits": "bits",
    "map": "bits", "word": "uint", "bcd": "bcd", "mod10k": "mod10k", "modulo10k": "mod10k", "smod10k": "smod10k",
    "vorzeichenlos": "uint", "mitvorzeichen": "int", "ohnevorzeichen": "uint", "x": "bits", "hex": "uint", "acc": "uint", "t": "uint",
}  # fmt: skip
WIDTHS: Final[dict[str, tuple[int, ...]]] = {
    "uint": (16, 32, 64), "int": (16, 32, 64), "enum": (16, 32), "bits": (16, 32, 64), "float": (16, 32, 64), "bcd": (16, 32, 64),
    "mod10k": (32, 48, 64), "smod10k": (32, 48, 64),
}  # fmt: skip
_WORD_OF: Final = {"enum": "uint", "bits": "uint"}
_SIZED: Final = re.compile(r"(?P<name>[a-z][a-z0-9]*?)(?P<bits>8|16|32|48|64)(?:bits?)?")
_SIZED_BEFORE: Final = re.compile(r"(?P<bits>8|16|32|48|64)bits?(?P<name>[a-z0-9]*)")
_STRING: Final = re.compile(
    r"(?:string|str|ascii|char|chars|text|utf8|utf|characters?|visiblestring|octetstring)(?P<length>[0-9]{1,3})?(?:bytes?|chars?|characters?)?"
)
_BIT: Final = re.compile(
    r"(?:bool|boolean|bit|b)\s*[\[(#]?\s*(?P<bit>[0-9]{1,2})(?:\s*(?:-|\.\.\.?|…|–|to)\s*(?P<last>[0-9]{1,2}))?\s*[\])]?", re.IGNORECASE
)
_MAKERS: Final = {"unsigned": "uint", "signed": "int"}

# Orders: the byte letters themselves, or words.
_LETTERS: Final = re.compile(
    r"(?<![a-z])(abcd|cdab|badc|dcba|ab cd|cd ab|ba dc|dc ba|ab-cd|cd-ab|ba-dc|dc-ba)(?:efgh|efghijkl)?(?![a-z])", re.IGNORECASE
)
_DIGITS: Final = {
    "1-0-3-2": "CDAB",
    "0-1-2-3": "DCBA",
    "3-2-1-0": "ABCD",
    "2-3-0-1": "BADC",
    "1234": "ABCD",
    "3412": "CDAB",
    "2143": "BADC",
    "4321": "DCBA",
}
_ORDER_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"little[\s_-]*endian[\s_,-]*byte[\s_-]*swap(ped)?", "CDAB"),
    (r"big[\s_-]*endian[\s_,-]*byte[\s_-]*swap(ped)?", "BADC"),
    (r"(mid|middle)[\s_-]*little[\s_-]*endian", "CDAB"),
    (r"(mid|middle)[\s_-]*big[\s_-]*endian", "BADC"),
    (r"big[\s_-]*endian[\s_,-]*word[\s_-]*swap(ped)?", "CDAB"),
    (r"little[\s_-]*endian[\s_,-]*word[\s_-]*swap(ped)?", "BADC"),
    (r"word[\s_-]*(and|\+|&)[\s_-]*byte[\s_-]*swap(ped)?|byte[\s_-]*(and|\+|&)[\s_-]*word[\s_-]*swap(ped)?", "DCBA"),
    (r"word[\s_-]*swap(ped)?|swapped[\s_-]*words?|swap(ped)?[\s_-]*(float|real|long|dword|int(eger)?)", "CDAB"),
    (r"(float|real|long)[\s_-]*swap(ped)?", "CDAB"),
    (r"byte[\s_-]*swap(ped)?|swapped[\s_-]*bytes?", "BADC"),
    (r"(low|lo|least)[\s_-]*(significant[\s_-]*)?(word|register)[\s_-]*(first|before)|lsw[\s_-]*first|lo[\s_/-]*hi|lsw[\s_/-]*msw|"
     r"little[\s_-]*endian[\s_-]*words?|inverse|inverted|reversed?|mid[\s_-]*endian", "CDAB"),
    (r"(high|hi|most)[\s_-]*(significant[\s_-]*)?(word|register)[\s_-]*(first|before)|msw[\s_-]*first|hi[\s_/-]*lo|msw[\s_/-]*lsw|msb[\s_-]*first|"
     r"big[\s_-]*endian|motorola|no[\s_-]*swap|network[\s_-]*order", "ABCD"),
    (r"little[\s_-]*endian|intel|lsb[\s_-]*first", "DCBA"),
    (r"(?<![a-z])swap(ped)?(?![a-z])", "CDAB"),
    (r"(?<![a-z])be(?![a-z])", "ABCD"),
    (r"(?<![a-z])le(?![a-z])", "DCBA"),
    (r"(?<![a-z])sw(?![a-z])", "CDAB"),
)  # fmt: skip
_ORDER_PATTERNS: Final = tuple((re.compile(pattern, re.IGNORECASE), order) for pattern, order in _ORDER_WORDS)


@lru_cache(maxsize=4096)
def order(text: str) -> tuple[str, str]:
    """The byte order that a text names, and the text without those words; "" where it names none.

    "Little endian" is read as DCBA, and with "word"s or "byte swap" behind it as CDAB: the words that Modbus masters use.
    """
    if found := _LETTERS.search(text):
        return re.sub(r"[\s-]", "", found[1]).upper(), _without(text, found)
    for digits, named in _DIGITS.items():
        if re.search(rf"(?<![0-9-]){digits}(?![0-9-])", text):
            return named, text.replace(digits, " ").strip()
    for pattern, named in _ORDER_PATTERNS:
        if match := pattern.search(text):
            return named, _without(text, match)
    return "", text


def _without(text: str, found: re.Match[str]) -> str:
    return (text[: found.start()] + " " + text[found.end() :]).strip(" ,;()[]-/")


def folded(text: str) -> str:
    """Letters and digits only, without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if letter.isascii() and letter.isalnum())


@lru_cache(maxsize=4096)
def kind(text: str) -> Kind | None:
    """What a type's text means, None where it is no type we know."""
    named, rest = order(text)
    found = _kind(rest) or (_kind(text) if named else None)
    if found is None:
        return None
    return Kind(found.type, found.family, found.usual, found.length, found.bit, found.last_bit, named, found.is_enum) if named else found


def _kind(text: str) -> Kind | None:
    word = folded(text)
    if not word:
        return None
    if word in REGISTERS_OF:
        return Kind(type=word)
    if word in _WORDS:
        return _WORDS[word]
    if re.fullmatch(r"str[0-9]{1,3}[zs]?", word):
        return Kind(type="string", length=int(re.sub(r"\D", "", word)))
    if found := _BIT.fullmatch(text.strip()):
        low = int(found["bit"])
        high = int(found["last"]) if found["last"] else None
        if low <= 15 and (high is None or low < high <= 15):
            return Kind(type="bool" if high is None else "uint16", bit=low, last_bit=high)
        if low not in (16, 32, 64):
            return None
    if found := _STRING.fullmatch(word):
        return Kind(type="string", length=int(found["length"]) if found["length"] else None)
    return _sized(word)


def _sized(word: str) -> Kind | None:
    """``u16``, ``uint32``, ``16bitunsigned``, ``signedint32``, ``floatingpoint32bit``."""
    found = _SIZED.fullmatch(word) or _SIZED_BEFORE.fullmatch(word)
    if found is None:
        return None
    name, bits = found["name"], int(found["bits"])
    family = _FAMILY.get(name) or ("uint" if not name else None) or _FAMILY.get(re.sub(r"(bit|type|value|number)$", "", name))
    if family is None or name == "bit":
        return None
    if bits == 8:  # half a register: lists that say so mean the register with a small number in it
        return Kind(type="uint16" if family != "int" else "int16") if family in ("int", "uint", "enum", "bits") else None
    return Kind(type=sized(family, bits), is_enum=family == "enum") if bits in WIDTHS[family] else Kind(type=f"{family}{bits}")


def sized(family: str, bits: int) -> str:
    """The type word of a family at a width."""
    return f"{_WORD_OF.get(family, family)}{bits}"
