import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.plant.catalog import POINTS
from app.plant.physics import Line
from app.plant.points import Point, PointType
from app.plant.signals import bind, clamp, fit, wrap
from app.plant.states import MachineState, ValveState

LINE = Line(seed=1, epoch=datetime(2026, 3, 2, tzinfo=UTC))
BY_NAME = {point.identifier: point for point in POINTS}
SETPOINT = BY_NAME["Line4/Filler1/SC-105.SP"]


def test_that_a_path_leads_through_machines_lists_and_tuples() -> None:
    assert bind(LINE, "filler1.valves.3.state").get() is ValveState.CLOSED
    assert bind(LINE, "meter.voltage_v.0").get() == LINE.meter.voltage_v[0]


def test_that_a_path_that_leads_nowhere_is_refused_at_once() -> None:
    with pytest.raises(AttributeError, match="flow_lps"):
        bind(LINE, "filler1.flow_lps")


def test_that_a_setpoint_in_another_unit_sets_the_machines_own() -> None:
    bind(LINE, "tank.temperature_setpoint_f").set(176.0)
    assert LINE.tank.temperature_setpoint_c == pytest.approx(80.0)


@given(st.integers(min_value=-(2**70), max_value=2**70), st.sampled_from([8, 16, 32, 64]), st.booleans())
def test_that_counters_wrap_at_their_width(value: int, bits: int, signed: bool) -> None:
    wrapped = wrap(value, bits, signed=signed)
    low = -(2 ** (bits - 1)) if signed else 0
    assert low <= wrapped < low + 2**bits
    assert (wrapped - value) % 2**bits == 0


def test_that_values_become_plain_values_of_the_points_type() -> None:
    assert type(fit(BY_NAME["Line4/Filler1/State"])(MachineState.EXECUTE)) is int
    assert fit(BY_NAME["Line4/Filler1/FT-101.PV"])(99.123456) == 99.123
    assert fit(BY_NAME["Line4/Filler1/FillVolumes"])([499.98, 500]) == [499.98, 500.0]


@pytest.mark.parametrize(
    ("written", "taken"), [(9000.0, 9000.0), (-5.0, 0.0), (99999.0, 15000.0), (math.nan, None), ("fast", None), (None, None)]
)
def test_that_what_a_client_writes_is_clamped_to_the_range(written: object, taken: float | None) -> None:
    assert clamp(written, SETPOINT) == taken


def test_that_a_switch_takes_only_true_and_false() -> None:
    switch = BY_NAME["Line4/Run"]
    assert (clamp(True, switch), clamp(False, switch), clamp(1, switch)) == (True, False, None)


def test_that_every_integer_type_has_its_width() -> None:
    point = Point(folder=(), name="", identifier="", namespace="", data_type=PointType.BYTE, description="")
    assert fit(point)(300) == 44
