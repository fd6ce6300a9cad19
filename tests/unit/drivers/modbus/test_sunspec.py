"""Definitions and rows of SunSpec models. Offsets are checked against lengths that the standard states, not against the resource itself."""

from __future__ import annotations

import math

import pytest

from app.drivers.modbus.address import parse
from app.drivers.modbus.questions import SunSpecModel
from app.drivers.modbus.registers import encode
from app.drivers.modbus.sunspec import HEAD, Point, definitions, is_absent, placed, scale_factor, sunspec_rows
from app.units import recognise

# Length that each model states in its second register: SunSpec Information Model, one entry per model (160 and its like without turns).
LENGTHS = {
    1: 66, 101: 50, 103: 50, 111: 60, 113: 60, 120: 26, 121: 30, 122: 44, 123: 24, 124: 24, 160: 8, 201: 105, 204: 105, 211: 124, 213: 124,
    802: 62,
}  # fmt: skip


@pytest.mark.parametrize(("model", "length"), LENGTHS.items())
def test_that_points_fill_their_model_without_overlap(model: int, length: int) -> None:
    definition = definitions()[model]
    at = HEAD
    for point in sorted(definition.points, key=lambda point: point.at):
        assert point.at == at, f"{model} {point.name}"
        at += point.registers
    assert at - HEAD in (length, length - 1), "the last register may be padding"
    names = [point.name for point in definition.points]
    assert len(set(names)) == len(names)
    assert all(point.scale in names for point in definition.points if point.scale)
    assert all(point.about for point in definition.points if point.type != "sunssf")


def test_that_units_are_codes_of_the_table_or_symbols_that_have_none() -> None:
    units = {point.unit for model in definitions().values() for point in model.points if point.unit}
    without = {unit for unit in units if (found := recognise(unit)) is None or found.code != unit}
    assert without <= {"VAh", "varh"}


def test_that_rows_carry_address_type_gain_and_what_is_not_implemented() -> None:
    model = SunSpecModel(id=103, address=40070, length=50)
    rows = {row.name: row for row in sunspec_rows([model], {40084 + 1: 1, 40076: -2}, {40073})}
    power = rows["Inverter W"]
    assert (power.address, power.type, power.gain, power.unit) == (40084, "int16", 10.0, "WTT")
    current = rows["Inverter AphA"]
    assert (current.address, current.type, current.gain, current.unit) == (40073, "uint16", 0.01, "AMP")
    assert current.note == "not implemented by this device"
    assert rows["Inverter PhVphA"].note == "its scale factor is not told"
    assert rows["Inverter PhVphA"].gain == 1.0
    assert (rows["Inverter WH"].address, rows["Inverter WH"].type) == (40094, "uint32")
    assert rows["Inverter St"].enum["4"] == "mppt"
    assert not any(name.endswith("_SF") for name in rows)
    for row in rows.values():
        assert parse(f"{row.table}:{row.address}:{row.type}").count >= 1


def test_that_repeated_points_come_once_for_each_turn_and_names_stay_apart() -> None:
    mppt = SunSpecModel(id=160, address=40122, length=8 + 2 * 20)
    points = [place for place in placed(mppt) if place.point.name == "DCW"]
    assert [(place.turn, place.address) for place in points] == [(1, 40122 + 10 + 11), (2, 40122 + 30 + 11)]
    meters = [SunSpecModel(id=203, address=40200, length=105), SunSpecModel(id=203, address=40307, length=105)]
    rows = sunspec_rows([mppt, *meters, SunSpecModel(id=64999, address=50000, length=3)], {40124: -1})
    names = [row.name for row in rows]
    assert len(set(names)) == len(names)
    assert {"DC inputs 2 DCW", "Meter 1 W", "Meter 2 W"} <= set(names)
    assert next(row for row in rows if row.name == "DC inputs 2 DCA").gain == 0.1


def test_that_a_device_with_a_short_model_gets_the_points_that_it_has() -> None:
    rows = sunspec_rows([SunSpecModel(id=1, address=40002, length=64)], {})
    assert [row.name for row in rows][-1] == "Common SN"


@pytest.mark.parametrize(
    ("type_", "words", "absent"),
    [
        ("int16", [0x8000], True), ("int16", [0xFFFF], False), ("uint16", [0xFFFF], True), ("uint16", [0x8000], False),
        ("enum16", [0xFFFF], True), ("bitfield32", [0xFFFF, 0xFFFF], True), ("int32", [0x8000, 0], True),
        ("uint32", [0xFFFF, 0xFFFF], True),
        ("acc32", [0, 0], False), ("float32", encode(math.nan, "float32", "ABCD"), True), ("float32", [0x7F80, 0], False),
        ("string2", [0, 0], True), ("string2", [0x4100, 0], False), ("sunssf", [0x8000], True),
    ],
)  # fmt: skip
def test_that_not_implemented_is_told_from_a_value(type_: str, words: list[int], absent: bool) -> None:
    assert is_absent(Point("X", 2, type_), words) is absent


def test_that_a_scale_factor_is_a_small_power_of_ten() -> None:
    assert [scale_factor(word) for word in (0, 3, 0xFFFE, 0x8000, 11, 0xFFF5)] == [0, 3, -2, None, None, None]
