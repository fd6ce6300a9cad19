"""What columns of register lists are called, in English and German (and the few words that other languages share)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, get_args

from app.taglists.datatypes import folded

Meaning = Literal[
    "name", "address", "type", "order", "length", "bit", "table", "function", "unit_id", "gain", "divisor", "offset", "unit",
    "low", "high", "range", "enum", "access", "description", "",
]  # fmt: skip
MEANINGS: Final[tuple[Meaning, ...]] = get_args(Meaning)
TITLES: Final[dict[Meaning, str]] = {
    "name": "Name", "address": "Address", "type": "Data type", "order": "Byte order", "length": "Registers", "bit": "Bit", "table": "Table",
    "function": "Function code", "unit_id": "Unit id", "gain": "Scale ×", "divisor": "Scale ÷", "offset": "Add",
    "unit": "Unit", "low": "Lowest value", "high": "Highest value", "range": "Range", "enum": "States", "access": "Access",
    "description": "Description", "": "not used",
}  # fmt: skip

_PHRASES: Final[dict[Meaning, str]] = {
    "name": (
        "name; tag name; tag; tagname; alias; label; signal; signal name; variable; variable name; variablenname; bezeichnung; "
        "benennung; register name; registername; parameter; parameter name; parametername; point; point name; data point; "
        "datenpunkt; messwert; messgröße; messgrösse; größe; kurzbezeichnung; item name; object; objekt; symbol; symbolname; "
        "mnemonic; kennung; quantity name; measured value; measurement; value name; wert; field; field name; signalname; "
        "quantity; messgroesse; measurand; parameter bezeichnung; designation; nom; nombre; variable description; content; "
        "inhalt; name of register; functional name"
    ),
    "address": (
        "address; addr; adr; adresse; register; reg; reg no; register no; register number; registernummer; register nr; "
        "register address; registeradresse; modbus address; modbus adresse; modbusadresse; modbus register; modbus reg; node; "
        "node id; nodeid; item; start address; startadresse; start register; starting address; start reg; register start; "
        "address dec; decimal address; dec address; addr dec; address hex; hex address; addr hex; hex; register hex; register "
        "dec; mb address; mb addr; register offset; data address; pdu address; protocol address; plc address; sps adresse; "
        "modicon address; modbus addr; dec; dezimal; wire address; holding register; input register; register adr; reg addr; "
        "reg adr; reg address; modbus register address; adresse dez; adresse hex; adr hex; adr dez; adresse modbus; modbus "
        "register number; absolute address; first register; start; location; direccion; indirizzo; id"
    ),
    "type": (
        "type; data type; datatype; datentyp; typ; format; data format; datenformat; dtype; register format; value type; var "
        "type; variable type; encoding; kodierung; representation; darstellung; data type format; number format; zahlenformat; "
        "datatyp; data; data typ; type of data; register data type; numeric format; type de données; tipo; formato; respect "
        "data type"
    ),
    "order": (
        "order; byte order; word order; endianness; endian; byte and word order; bytereihenfolge; wortreihenfolge; byte word "
        "order; swap; register order; byteorder; wordorder"
    ),
    "length": (
        "length; len; size; words; word count; count; quantity of registers; number of registers; no of registers; no of reg; "
        "register count; registers; num registers; reg count; anzahl; anzahl register; länge; laenge; größe register; size "
        "words; size registers; length words; length registers; word; wörter; quantity; qty; number of words; no of words; "
        "number of reg; anz register; registeranzahl; reg qty; register quantity; register length; registerlänge; datenlänge; "
        "data length; size bits; size bytes; length bytes; length bits; bytes; amount; wortanzahl; num of regs; nb; nr of "
        "registers; nof registers; reg length; reg size; data size; bits size; bit length"
    ),
    "bit": (
        "bit; bit no; bit number; bit nr; bitnummer; bit position; bit pos; bitposition; bit offset; bit index"
    ),
    "table": (
        "table; register type; registertyp; object type; register class; area; bereich; data area; register area; memory area; "
        "register table; registerart; object; modbus table; modbus type; storage type; kind; reg type; modbus object; primary "
        "table; region; space"
    ),
    "function": (
        "function code; fc; functioncode; funktionscode; fct; function codes; modbus function; modbus function code; func code; "
        "func; read function; funktionscodes; supported function codes; fkt; fcode; fc read; function code read; f code; modbus "
        "fc; function"
    ),
    "unit_id": (
        "unit id; unitid; slave; slave id; slaveid; slave address; device id; device address; slave adresse; server id; modbus "
        "id; geräteadresse; station; station id; slave no; unit no; unit identifier; unit number; slaveadresse; node address; "
        "device; slave number; geräte id"
    ),
    "gain": (
        "gain; scale; scaling; factor; faktor; multiplier; scale factor; skalierung; skalierungsfaktor; scaling factor; "
        "multiplikator; resolution; auflösung; sf; slope; coefficient; conversion factor; umrechnungsfaktor; weighting; "
        "wertigkeit; multiply; lsb; accuracy; ratio; resolution unit; step; scaler; coeff; genauigkeit; precision"
    ),
    "divisor": (
        "divisor; divider; divide; divide by; teiler; div; denominator; scale divisor; division"
    ),
    "offset": (
        "bias; zero; value offset; offset value; additive; nullpunkt; summand; offset; scaling offset; scale offset; add"
    ),
    "unit": (
        "unit; units; eu; engineering unit; engineering units; uom; einheit; maßeinheit; masseinheit; unit of measure; unit of "
        "measurement; physical unit; einh; si unit; measurement unit; phys einheit; dimension; unité; unidad; eng units; eng "
        "unit"
    ),
    "low": (
        "low; minimum; min; min value; minwert; lower limit; untergrenze; eu low; low limit; minimalwert; scaled low; lo; "
        "mindestwert"
    ),
    "high": (
        "high; maximum; max; max value; maxwert; upper limit; obergrenze; eu high; high limit; maximalwert; hi; scaled high; "
        "höchstwert"
    ),
    "range": (
        "range; value range; wertebereich; valid range; min max; limits; bereich werte; data range; range of values; "
        "gültigkeitsbereich; permitted range; zulässiger bereich; allowed values; rango; messbereich; measuring range; setting "
        "range; einstellbereich; grenzen; valid values"
    ),
    "enum": (
        "enum; states; values; enumeration; value list; werteliste; zustände; possible values; mögliche werte; coding; "
        "codierung; options; text list; state texts; bit meaning; enumerated values; auswahl; werte; selection; legend"
    ),
    "access": (
        "access; rw; r w; read write; readwrite; zugriff; access level; accesslevel; mode; zugriffsart; access type; access "
        "rights; lesen schreiben; rights; attribute; attributes; permission; r o; ro rw; read only; direction; client access; "
        "access mode; property; rechte; lese schreib; l s; r wr; rw access; richtung; operation"
    ),
    "description": (
        "description; desc; beschreibung; comment; comments; kommentar; text; remark; remarks; bemerkung; bemerkungen; note; "
        "notes; hinweis; hinweise; anmerkung; anmerkungen; meaning; bedeutung; explanation; erläuterung; details; erklärung; "
        "long name; info; information; definition; parameter description; register description; descr; funktion; detail; "
        "additional information; full name; langtext; kurzbeschreibung; descripción; descrizione; signification; descriptor; "
        "title; titel"
    ),
}  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    split = re.sub(r"(?<=[a-zäöü])(?=[A-ZÄÖÜ])", " ", text)
    return tuple(word for word in (folded(part) for part in re.split(r"[^\w]+|_", split)) if word)


def _exact() -> dict[str, Meaning]:
    found: dict[str, Meaning] = {}
    for meaning, phrases in _PHRASES.items():
        for phrase in phrases.split(";"):
            found.setdefault(folded(phrase), meaning)
    return found | _BY_ITSELF


_BY_ITSELF: Final[dict[str, Meaning]] = {
    "register": "address", "offset": "offset", "quantity": "length", "object": "name", "function": "function", "bereich": "table",
    "word": "length", "registers": "address", "item": "address", "tag": "name", "unit": "unit", "type": "type", "rw": "access",
    "data": "type", "id": "address", "device": "unit_id", "registertype": "table", "bits": "length", "values": "enum", "parameter": "name",
}  # fmt: skip
"""What a word of several lists means when it is the whole heading."""
_EXACT: Final = _exact()
_BY_WORDS: Final[dict[tuple[str, ...], Meaning]] = {
    _words(phrase.strip()): meaning for meaning, phrases in reversed(_PHRASES.items()) for phrase in phrases.split(";")
}
_MOST_WORDS: Final = max(len(phrase) for phrase in _BY_WORDS)
_LONGEST: Final = 60
_NOT_A_HEADING: Final = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?%?|0[xX][0-9a-fA-F]+")


@lru_cache(maxsize=20_000)
def exact_heading(text: str) -> Meaning:
    """What a text means that is a heading as a whole, "" for any other."""
    plain = text.strip()
    if not plain or len(plain) > _LONGEST or _NOT_A_HEADING.fullmatch(plain):
        return ""
    word = folded(plain)
    if word in _EXACT:
        return _EXACT[word]
    bare = folded(re.sub(r"[\[(].*?[\])]", " ", plain))
    return _EXACT.get(bare, "")


@lru_cache(maxsize=20_000)
def heading(text: str) -> tuple[Meaning, float]:
    """What a heading means, and how surely: 1.0 for one of our words, less where it is only part of the text; ("", 0) for none.

    Of several phrases inside a text the one of most words counts, of these the longest.
    """
    plain = text.strip()
    if not plain or len(plain) > _LONGEST or _NOT_A_HEADING.fullmatch(plain):
        return "", 0.0
    if meaning := exact_heading(plain):
        return meaning, 1.0 if folded(plain) in _EXACT else 0.95
    words = _words(plain)
    for size in range(min(_MOST_WORDS, len(words)), 0, -1):
        pieces = [words[at : at + size] for at in range(len(words) - size + 1)]
        known = [piece for piece in pieces if piece in _BY_WORDS]
        if known:
            longest = max(known, key=lambda piece: len("".join(piece)))
            return _BY_WORDS[longest], max(0.3, 0.9 * len("".join(longest)) / max(1, len("".join(words))))
    return "", 0.0
