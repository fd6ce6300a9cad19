"""A register map of 600 rows as it comes out of a PDF, and the truth of every row. Seeded: the same text every time.

``python -m tests.unit.taglists.pdf_map`` writes the text to ``tests/data/register_map_pdf.txt`` again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

PATH = Path(__file__).parents[2] / "data" / "register_map_pdf.txt"
ROWS = 600
WIDTH = 86
LINES_OF_A_PAGE = 44
HEADING = "Register Name Data type Scale Unit R/W Description"

_QUANTITIES = [
    ("Voltage {phase}-N", "V", "VLT", 0.1), ("Voltage {pair} phase-to-phase", "V", "VLT", 0.1), ("Current {phase}", "A", "AMP", 0.001),
    ("Active power {phase}", "kW", "KWT", 0.01), ("Reactive power {phase}", "var", "D44", 1.0), ("Apparent power {phase}", "VA", "D46",
    1.0),
    ("Power factor {phase}", "-", "", 0.001), ("Frequency", "Hz", "HTZ", 0.01), ("Temperature sensor {n}", "°C", "CEL", 0.1),
    ("THD of voltage {phase}", "%", "P1", 0.1), ("Harmonic {n} of current {phase}", "%", "P1", 0.01), ("Energy import tariff {n}", "kWh",
    "KWH", 0.1),
    ("Energy export tariff {n}", "kWh", "KWH", 0.1), ("Operating hours of output {n}", "h", "HUR", 1.0), ("Pressure of loop {n}", "bar",
    "BAR", 0.01),
    ("Flow of loop {n}", "m³/h", "MQH", 0.1), ("Counter of pulses, input {n}", "-", "", 1.0), ("Demand of {phase}, last interval", "kW",
    "KWT", 0.01),
]  # fmt: skip
_STATES = [
    ("off", "on"),
    ("closed", "open", "moving"),
    ("stopped", "starting", "running", "fault"),
    ("local", "remote"),
    ("idle", "charging", "full"),
]
_SENTENCES = [
    "measured between phase and neutral conductor", "averaged over the last {n} periods of the mains",
    "negative while power is exported to the grid",
    "valid only when the clock is synchronised", "kept in non-volatile memory and restored after a power failure",
    "updated every {n} ms", "the value is frozen while the measurement is being configured", "see the chapter about communication settings",
    "returns the last good value when the sensor is disconnected", "calculated from the fundamental component only, without harmonics",
    "resets automatically at midnight when automatic resetting is enabled", "phase-to-neutral values are used for calculating unbalance",
    "the maximum since the last acknowledgement is available in another register", "requires firmware 2.{n} or later",
    "not affected by the transformer ratio",
    "corresponds to the indication on the display", "writing is possible only with the maintenance password",
    "rounded to the nearest integer",
]  # fmt: skip
_TYPES = {
    "uint16": ("U16", "UINT16", "UINT", "WORD", "Unsigned 16 bit"), "int16": ("S16", "INT16", "INT", "Signed 16 bit"),
    "uint32": ("U32", "UINT32", "UDINT", "DWORD"), "int32": ("S32", "INT32", "DINT"), "float32": ("FLOAT32", "REAL", "FLOAT", "F32"),
    "uint64": ("U64", "UINT64"), "int64": ("INT64",), "float64": ("DOUBLE", "FLOAT64"),
}  # fmt: skip
_WIDTHS = {"uint16": 1, "int16": 1, "uint32": 2, "int32": 2, "float32": 2, "uint64": 4, "int64": 4, "float64": 4}
_SCALES = {
    1.0: ("1", "×1"), 0.1: ("0.1", "0,1", "×0.1", "/10", "1/10", "10^-1", "1E-1"), 0.01: ("0.01", "0,01", "x0.01", "/100", "1/100",
    "10^-2"),
    0.001: ("0.001", "×0.001", "/1000", "1/1000", "10^-3"),
}  # fmt: skip
_ACCESS = {"r": ("R", "RO", "R", "R"), "rw": ("R/W", "RW", "R/W")}
_DASHES = ("-", "–", "…", "..", " - ")
_SECTIONS = (
    "Measured values of the mains",
    "Energy counters",
    "Harmonics and quality of supply",
    "Inputs and outputs",
    "Process values",
    "Settings",
)


@dataclass
class Truth:
    """What a good row must become."""

    address: str
    name: str
    type: str
    gain: float
    unit: str
    access: str
    description: str
    enum: dict[str, str] = field(default_factory=dict)


@dataclass
class Map:
    """The text, the truth of its good rows, and what is wrong with the bad ones: address as written → a word of the problem."""

    text: str = ""
    good: list[Truth] = field(default_factory=list)
    bad: dict[str, str] = field(default_factory=dict)
    reserved: list[str] = field(default_factory=list)


def register_map(seed: int = 4711, rows: int = ROWS, *, form: str = "modicon", heading: str = HEADING) -> Map:
    """``form``: ``modicon`` numbers, or ``plain`` and ``hex`` ones, counted from 0; all registers are holding registers then."""
    return _Maker(random.Random(seed), rows, form, heading).make()


class _Maker:
    def __init__(self, chance: random.Random, rows: int, form: str, heading: str) -> None:
        self._chance, self._count, self._form, self._heading = chance, rows, form, heading
        self._map = Map()
        self._lines: list[str] = []
        self._page = 0
        self._names: set[str] = set()

    def make(self) -> Map:
        self._lines += ["EM-4800 Series", "Modbus interface", "7 Register map", "The tables below list the registers of the device.", ""]
        table, digit = "holding", 4
        next_number = {"holding": 1, "input": 1}
        bad_at = set(self._chance.sample(range(20, self._count), 14)) if self._count > 40 else set()
        for row in range(self._count):
            if row % (self._count // len(_SECTIONS) or 1) == 0:
                section = row * len(_SECTIONS) // self._count
                table, digit = ("input", 3) if section in (2, 4) and self._form == "modicon" else ("holding", 4)
                number = next_number[table] + self._chance.randrange(0, 60)
                self._wrapped_text(f"7.{section + 1} {_SECTIONS[section]}")
                if self._heading:
                    self._line(self._heading)
            if self._chance.random() < 0.03:
                self._reserved(digit, number)
                number += 1
            if self._chance.random() < 0.02:
                self._wrapped_text("Note: " + self._sentences(2).capitalize() + ".")
            number += self._bad(digit, number) if row in bad_at else self._good(table, digit, number)
            if self._chance.random() < 0.15:
                number += self._chance.randrange(1, 8)
            next_number[table] = number
        self._foot()
        self._map.text = "\n".join(self._lines) + "\n"
        return self._map

    # Rows

    def _good(self, table: str, digit: int, number: int) -> int:
        pick = self._chance.random()
        if pick < 0.08:
            return self._enum(table, digit, number)
        if pick < 0.11:
            return self._text(table, digit, number)
        name, unit, code, gain = self._quantity()
        type_ = self._chance.choice(list(_TYPES))
        if type_.startswith("float"):
            gain = 1.0
        words = _WIDTHS[type_]
        access = "r" if table == "input" else self._chance.choice(("r", "r", "rw"))
        description = self._sentences(self._chance.choice((1, 1, 2, 3)))
        written = (
            self._address(digit, number, words),
            name,
            self._of(_TYPES[type_]),
            self._of(_SCALES[gain]),
            unit,
            self._of(_ACCESS[access]),
            description,
        )
        self._row(" ".join(written))
        suffix = "" if type_ == "uint16" else f":{type_}"
        self._map.good.append(Truth(f"{table}:{number - 1}{suffix}", name, type_, gain, code, access, description))
        return words

    def _enum(self, table: str, digit: int, number: int) -> int:
        states = self._chance.choice(_STATES)
        name = self._unique(f"State of unit {self._chance.randrange(1, 99)}")
        sign = self._chance.choice(("=", " = ", ": "))
        between = self._chance.choice((" ", ", ", "; ")) if sign == "=" else self._chance.choice((", ", "; "))
        description = between.join(f"{at}{sign}{state}" for at, state in enumerate(states))
        access = "r" if table == "input" else "rw"
        self._row(
            f"{self._number(digit, number)} {name} {self._of(('ENUM16', 'U16', 'ENUM'))} 1 - {self._of(_ACCESS[access])} {description}"
        )
        names = {str(at): state for at, state in enumerate(states)}
        self._map.good.append(Truth(f"{table}:{number - 1}", name, "uint16", 1.0, "", access, description, names))
        return 1

    def _text(self, table: str, digit: int, number: int) -> int:
        words = self._chance.choice((4, 8, 10, 16))
        name = self._unique(f"Designation of feeder {self._chance.randrange(1, 99)}")
        written = self._of((f"STRING({2 * words})", f"CHAR[{2 * words}]", "ASCII", "UTF8"))
        description = self._sentences(1)
        self._row(f"{self._address(digit, number, words)} {name} {written} - - R {description}")
        self._map.good.append(Truth(f"{table}:{number - 1}:str{2 * words}", name, "string", 1.0, "", "r", description))
        return words

    def _bad(self, digit: int, number: int) -> int:
        name, unit, _, _ = self._quantity()
        one = self._number(digit, number)
        two, three = f"{one}-{self._number(digit, number + 1)}", f"{one}-{self._number(digit, number + 2)}"
        address, rest, word = self._chance.choice(
            [
                (one, f"{name} U17 0.1 {unit} R", "type"),
                (three, f"{name} UINT32 0.1 {unit} R", "type"),
                (two, f"{name} S16 1 {unit} R", "type"),
                (one, f"{name} U16 0.l {unit} R", "number"),
                (one, f"{name} U16 0 {unit} R", "gain"),
                (one, f"{name} U16 0.1 {unit} X", "access"),
                (two, f"{name} F48 1 {unit} R", "type"),
            ]
        )
        self._row(f"{address} {rest} {self._sentences(1)}")
        self._map.bad[address] = word
        return 3

    def _reserved(self, digit: int, number: int) -> None:
        address = self._number(digit, number)
        self._row(f"{address} {self._of(('Reserved', 'reserved - - - -', 'not used'))}")
        self._map.reserved.append(address)

    def _address(self, digit: int, number: int, words: int) -> str:
        first, last = self._number(digit, number), self._number(digit, number + words - 1)
        if words == 1:
            return first
        # a text and a bare INT or FLOAT take their width from the range; others may leave it out
        return first + self._of(_DASHES) + last

    def _number(self, digit: int, number: int) -> str:
        return {"modicon": f"{digit}{number:04d}", "plain": str(number - 1), "hex": f"0x{number - 1:04X}"}[self._form]

    # Words

    def _quantity(self) -> tuple[str, str, str, float]:
        name, unit, code, gain = self._chance.choice(_QUANTITIES)
        filled = name.format(
            phase=self._of(("L1", "L2", "L3", "total")), pair=self._of(("L1-L2", "L2-L3", "L3-L1")), n=self._chance.randrange(1, 64)
        )
        return self._unique(filled), unit, code, gain

    def _unique(self, name: str) -> str:
        base, count = name, 1
        while name in self._names:
            count += 1
            name = f"{base} ({count})"
        self._names.add(name)
        return name

    def _sentences(self, count: int) -> str:
        return ", ".join(sentence.format(n=self._chance.randrange(2, 900)) for sentence in self._chance.sample(_SENTENCES, count))

    def _of(self, options: tuple[str, ...]) -> str:
        return self._chance.choice(options)

    # Lines and pages

    def _row(self, text: str) -> None:
        """Broken anywhere where it is too long, and in the middle of long words of the description."""
        words = text.split(" ")
        line = words[0]
        described = next((at for at, word in enumerate(words) if at > 3 and word in ("R", "RO", "R/W", "RW", "X")), len(words))
        for at, whole in enumerate(words[1:], 1):
            word = whole
            if len(line) + 1 + len(word) <= WIDTH:
                line += " " + word
                continue
            core = word.rstrip(",.")
            if at > described and core.isalpha() and core.islower() and len(core) >= 8 and self._chance.random() < 0.6:
                cut = self._chance.randrange(3, len(core) - 3)
                line, word = line + " " + word[:cut] + "-", word[cut:]
            self._line(line)
            line = word
        self._line(line)

    def _wrapped_text(self, text: str) -> None:
        line = ""
        for word in text.split(" "):
            if line and len(line) + 1 + len(word) > WIDTH:
                self._line(line)
                line = word
            else:
                line = f"{line} {word}".strip()
        self._line(line)

    def _line(self, text: str) -> None:
        if self._lines and sum(1 for _ in self._of_page()) >= LINES_OF_A_PAGE:
            self._foot()
            self._lines += [
                "EM-4800 Series Modbus interface",
                f"Chapter 7 Register map   {self._page}",
                *([self._heading] if self._heading else []),
            ]
        self._lines.append(text)

    def _of_page(self) -> list[str]:
        at = next((place for place in range(len(self._lines) - 1, -1, -1) if self._lines[place].startswith("Page ")), -1)
        return self._lines[at + 1 :]

    def _foot(self) -> None:
        self._page += 1
        self._lines += ["Document 7-4800-MB Rev. C", f"Page {self._page} of 31"]


if __name__ == "__main__":
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(register_map().text, encoding="utf-8", newline="\n")
