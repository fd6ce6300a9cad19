from __future__ import annotations

from app.drivers.modbus.sunspec import SunSpecRow
from app.taglists.sunspec_tags import sunspec_list


def row(name: str, address: int, type_: str, note: str = "", **more: object) -> SunSpecRow:
    fields: dict[str, object] = {"gain": 1.0, "unit": "", "description": "", "access": "r", "enum": {}} | more
    return SunSpecRow(model=103, name=name, table="holding", address=address, type=type_, note=note, **fields)  # type: ignore[arg-type]  # of a dict


def test_that_rows_of_a_sunspec_device_become_tags_whose_order_is_stated() -> None:
    found = sunspec_list(
        [
            row("Inverter W", 40083, "int16", gain=10.0, unit="WTT"), row("Inverter WH", 40093, "uint32"), row("Common Mn", 40004, "str32"),
            row("Inverter St", 40107, "uint16", enum={"1": "off"}), row("Inverter DCA", 40100, "uint16", "not implemented by this device"),
            row("Inverter A", 40071, "uint16", "its scale factor is not told"),
        ],
        7,
    )  # fmt: skip
    assert [(one.tag.address, one.tag.gain) for one in found.good if one.tag] == [
        ("7/holding:40083:int16", 10.0), ("7/holding:40093:uint32:ABCD", 1.0), ("7/holding:40004:str32", 1.0), ("7/holding:40107", 1.0),
        ("7/holding:40071", 1.0),
    ]  # fmt: skip
    assert [(one.place, one.why) for one in found.skipped] == [("model 103, register 40100", "not implemented by this device")]
    assert found.rows[-1].marks == ("its scale factor is not told",)
    assert found.numbering.base == 0


def test_that_absent_points_come_where_they_are_asked_for_and_the_unit_may_be_the_urls() -> None:
    found = sunspec_list([row("Inverter DCA", 40100, "uint16", "not implemented by this device")], None, with_absent=True)
    assert [one.tag.address for one in found.good if one.tag] == ["holding:40100"]
