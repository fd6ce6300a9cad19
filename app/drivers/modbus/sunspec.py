"""SunSpec models as register rows: what ``resources/sunspec.json`` knows of them, and where a device has them. Pure.

A device that follows SunSpec carries a marker, then a chain of models: id, length, points (SunSpec Device Information Model §6). Values
are big-endian throughout; a point may name another register of its model that holds its power of ten.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from importlib.resources import files
from typing import Final, Literal, NamedTuple

import msgspec

from app.drivers.modbus.questions import SunSpecModel

MARKER: Final = (0x5375, 0x6E53)
"""``SunS`` in ASCII."""
END: Final = 0xFFFF
HEAD: Final = 2
"""Registers of a model before its points: id and length. The length does not count them."""
_TYPES: Final = {
    "int16": "int16", "uint16": "uint16", "int32": "int32", "uint32": "uint32", "float32": "float32", "acc32": "uint32", "acc64": "uint64",
    "enum16": "uint16", "bitfield16": "uint16", "bitfield32": "uint32", "count": "uint16", "sunssf": "int16",
}  # fmt: skip
_ABSENT: Final[dict[str, tuple[int, ...]]] = {
    "int16": (0x8000,), "sunssf": (0x8000,), "uint16": (0xFFFF,), "enum16": (0xFFFF,), "bitfield16": (0xFFFF,), "count": (0xFFFF,),
    "int32": (0x8000, 0), "uint32": (0xFFFF, 0xFFFF), "bitfield32": (0xFFFF, 0xFFFF),
}  # fmt: skip
"""What stands for "not implemented". Accumulators have none: 0 may be an energy meter on its first day."""


class Point(msgspec.Struct, frozen=True):
    """``at`` counts registers from the model's id; ``scale`` names the point with the power of ten."""

    name: str
    at: int
    type: str
    scale: str = ""
    unit: str = ""
    about: str = ""
    access: Literal["r", "rw"] = "r"
    enum: dict[str, str] = {}

    @property
    def registers(self) -> int:
        if self.type.startswith("string"):
            return int(self.type[6:])
        return 4 if self.type == "acc64" else 2 if self.type.endswith("32") else 1


class Repeated(msgspec.Struct, frozen=True):
    """Points that come again and again to the end of the model; theirs count from the start of each turn."""

    at: int
    length: int
    points: tuple[Point, ...]


class Definition(msgspec.Struct, frozen=True):
    ids: tuple[int, ...]
    name: str
    points: tuple[Point, ...]
    repeated: Repeated | None = None


class _File(msgspec.Struct, frozen=True):
    source: str
    models: tuple[Definition, ...]


class Placed(NamedTuple):
    """A point where this device has it. ``turn`` counts repeated ones from 1, 0 is none."""

    point: Point
    address: int
    turn: int


class SunSpecRow(NamedTuple):
    """One tag to be made.

    Attributes:
        name: ``Inverter AphA``, ``DC inputs 2 DCW``.
        address: Zero-based; ``table`` is the one of the marker. The order is ABCD whatever the unit's.
        type: As an address writes it: ``uint16``, ``float32``, ``str32``.
        gain: From the scale factor; 1.0 without one.
        unit: UNECE code, or a symbol that has none (varh).
        note: What a person should know: not implemented here, scale factor not told.
    """

    model: int
    name: str
    table: str
    address: int
    type: str
    gain: float
    unit: str
    description: str
    access: Literal["r", "rw"]
    enum: dict[str, str]
    note: str


@cache
def definitions() -> dict[int, Definition]:
    """By model id."""
    known = msgspec.json.decode((files("resources") / "sunspec.json").read_bytes(), type=_File)
    return {id_: model for model in known.models for id_ in model.ids}


def placed(model: SunSpecModel) -> Iterator[Placed]:
    """Every point of a model that we know, within the length that the device states."""
    definition = definitions().get(model.id)
    if definition is None:
        return
    end = HEAD + model.length
    for point in definition.points:
        if point.at + point.registers <= end:
            yield Placed(point, model.address + point.at, 0)
    if (repeated := definition.repeated) is not None:
        for turn in range((end - repeated.at) // repeated.length):
            start = repeated.at + turn * repeated.length
            for point in repeated.points:
                yield Placed(point, model.address + start + point.at, turn + 1)


def sunspec_rows(
    models: Sequence[SunSpecModel],
    scale_factors: Mapping[int, int],
    absent: AbstractSet[int] = frozenset(),
    *,
    table: str = "holding",
) -> list[SunSpecRow]:
    """What the models of a device are as tags, in the order of their registers; scale factors themselves are none.

    Args:
        models: As ``questions.SunSpecDevice`` has them; those we do not know give no rows.
        scale_factors: Address → power of ten, read from the device.
        absent: Addresses of points that said "not implemented" when they were read.
        table: Where the marker stands.
    """
    rows: list[SunSpecRow] = []
    seen: dict[int, int] = {}
    ids = [model.id for model in models]
    for model in models:
        definition = definitions().get(model.id)
        if definition is None:
            continue
        seen[model.id] = seen.get(model.id, 0) + 1
        title = definition.name + (f" {seen[model.id]}" if ids.count(model.id) > 1 else "")
        points = list(placed(model))
        scales = {place.point.name: place.address for place in points if place.point.type == "sunssf"}
        for point, address, turn in points:
            if point.type == "sunssf":
                continue
            power = scale_factors.get(scales.get(point.scale, -1)) if point.scale else 0
            notes = ["not implemented by this device"] if address in absent else []
            notes += ["its scale factor is not told"] if power is None else []
            rows.append(
                SunSpecRow(
                    model=model.id,
                    name=f"{title} {turn} {point.name}" if turn else f"{title} {point.name}",
                    table=table,
                    address=address,
                    type=f"str{2 * point.registers}" if point.type.startswith("string") else _TYPES[point.type],
                    gain=float(f"1e{power or 0}"),
                    unit=point.unit,
                    description=point.about,
                    access=point.access,
                    enum=dict(point.enum),
                    note="; ".join(notes),
                )
            )
    return rows


def is_absent(point: Point, words: Sequence[int]) -> bool:
    """Whether these words of the point say "not implemented"."""
    if point.type == "float32":
        return (words[0] & 0x7F80) == 0x7F80 and bool(words[0] & 0x7F or words[1])
    if point.type.startswith("string"):
        return not any(words)
    return tuple(words) == _ABSENT.get(point.type)


def scale_factor(word: int) -> int | None:
    """The power of ten in a scale factor register; None where it is none (SunSpec: -10 to 10)."""
    (power,) = struct.unpack(">h", struct.pack(">H", word))
    return power if -10 <= power <= 10 else None
