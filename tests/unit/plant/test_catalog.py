from datetime import UTC, datetime

from app.drivers.modbus.address import parse as parse_register
from app.drivers.opcua.address import parse as parse_node
from app.plant.catalog import POINTS, REGISTERS
from app.plant.modbus_map import GAP, METER_UNIT, Table
from app.plant.physics import Line
from app.plant.points import LINE_NAMESPACE, PLC_NAMESPACE, PointType
from app.plant.signals import bind, fit
from app.units import require

LINE = Line(seed=1, epoch=datetime(2026, 3, 2, tzinfo=UTC))


def test_that_there_are_enough_variables_in_two_namespaces_and_five_folders_deep() -> None:
    assert len(POINTS) >= 300
    assert {point.namespace for point in POINTS} == {LINE_NAMESPACE, PLC_NAMESPACE}
    assert max(len(point.folder) for point in POINTS) >= 5


def test_that_every_type_occurs() -> None:
    assert {point.data_type for point in POINTS} == set(PointType)


def test_that_no_address_occurs_twice_and_no_object_has_two_children_of_one_name() -> None:
    assert len({point.address for point in POINTS}) == len(POINTS)
    assert len({(point.folder, point.name) for point in POINTS}) == len(POINTS)


def test_that_every_address_is_in_the_form_that_the_drivers_write() -> None:
    assert [str(parse_node(point.address)) for point in POINTS] == [point.address for point in POINTS]
    assert [str(parse_register(register.canonical)) for register in REGISTERS] == [register.canonical for register in REGISTERS]


def test_that_every_point_shows_something_of_the_line_or_says_that_it_waits() -> None:
    for point in POINTS:
        if point.source:
            fit(point)(bind(LINE, point.source).get())
        else:
            assert point.constant is not None or point.status == "BadWaitingForInitialData", point.identifier
        if point.status_source:
            assert bind(LINE, point.status_source).get() == "Good"


def test_that_every_unit_is_one_of_unece_recommendation_20() -> None:
    for code in {point.unit for point in POINTS} | {register.unit for register in REGISTERS} - {""}:
        assert not code or require(code).code == code


def test_that_ranges_are_ranges_and_descriptions_are_there() -> None:
    for point in POINTS:
        assert point.description
        assert (point.low is None) == (point.high is None)
        assert not point.analog or (point.low or 0.0) < (point.high or 0.0)


def test_that_a_setpoint_can_be_written_and_has_a_range() -> None:
    writable = [point for point in POINTS if point.writable]
    assert len(writable) >= 4
    assert all(point.analog or point.data_type is PointType.BOOLEAN for point in writable)


def test_that_sibling_machines_have_the_same_children() -> None:
    for kind in ("Filler", "Capper"):
        first, second = (
            {
                (point.identifier.replace(f"{kind}{n}", kind), point.data_type, point.unit)
                for point in POINTS
                if f"/{kind}{n}/" in point.identifier
            }
            for n in (1, 2)
        )
        assert first == second
        assert len(first) > 20


def test_that_there_are_bad_and_uncertain_qualities() -> None:
    statuses = {point.status for point in POINTS}
    assert {"BadSensorFailure", "UncertainLastUsableValue", "BadWaitingForInitialData"} <= statuses


def test_that_registers_do_not_overlap_and_leave_the_gap_free() -> None:
    taken: set[tuple[int, Table, int]] = set()
    for register in REGISTERS:
        for offset in range(register.words):
            place = (register.unit_id, register.table, register.address + offset)
            assert place not in taken, register.canonical
            taken.add(place)
    assert not any((METER_UNIT, Table.HOLDING, address) in taken for address in GAP)


def test_that_an_order_is_given_where_and_only_where_there_is_one() -> None:
    for register in REGISTERS:
        assert bool(register.order) == (register.words > 1 and not register.type.startswith("str")), register.canonical
