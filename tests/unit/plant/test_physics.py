from datetime import UTC, datetime

import pytest

from app.plant.catalog import POINTS, REGISTERS
from app.plant.physics import STEP_S, Line, line_at
from app.plant.signals import bind
from app.plant.states import CleaningPhase, MachineState, ValveState

EPOCH = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def make_line(seed: int = 1) -> Line:
    return Line(seed=seed, epoch=EPOCH)


def everything(line: Line) -> list[object]:
    sources = [point.source for point in POINTS if point.source] + [register.source for register in REGISTERS if register.source]
    return [repr(bind(line, source).get()) for source in sources]


def test_that_the_level_of_the_tank_is_the_integral_of_its_flows() -> None:
    line = make_line()
    before_l = line.tank.volume_l
    net_l = 0.0
    for _ in range(3000):
        line.step()
        net_l += (line.tank.inflow_lpm - line.tank.outflow_lpm) * STEP_S / 60.0
    assert line.tank.volume_l == pytest.approx(before_l + net_l, abs=1e-6)
    assert abs(net_l) > 50.0
    assert line.tank.level_measured_percent == pytest.approx(line.tank.level_percent, abs=1.0)


def test_that_what_the_fillers_fill_is_what_leaves_the_tank() -> None:
    line = make_line()
    bottles = line.filler1.bottles + line.filler2.bottles
    left_l = 0.0
    for _ in range(3000):
        line.step()
        left_l += line.tank.outflow_lpm * STEP_S / 60.0
    assert (line.filler1.bottles + line.filler2.bottles - bottles) * 0.5 == pytest.approx(left_l, abs=1.1)


def test_that_energy_is_the_integral_of_power_in_both_directions() -> None:
    line = make_line()
    imported_kwh, exported_kwh = line.meter.imported_kwh, line.meter.exported_kwh
    taken = given = 0.0
    for _ in range(6000):
        line.step()
        energy_kwh = line.meter.active_power_kw * STEP_S / 3600.0
        taken += max(energy_kwh, 0.0)
        given += max(-energy_kwh, 0.0)
    assert line.meter.imported_kwh - imported_kwh == pytest.approx(taken, rel=1e-6)
    assert line.meter.exported_kwh - exported_kwh == pytest.approx(given, rel=1e-6)
    assert taken > 1.0
    assert given > 0.01


def test_that_the_meters_currents_and_voltages_make_its_power() -> None:
    line = line_at(1, EPOCH, 30.0)
    meter = line.meter
    volt_amperes = sum(volts * amperes for volts, amperes in zip(meter.voltage_v, meter.current_a, strict=True))
    assert volt_amperes / 1000.0 == pytest.approx(meter.apparent_power_kva, rel=0.02)
    assert meter.active_power_kw == pytest.approx(meter.apparent_power_kva * meter.power_factor, rel=1e-6)


def test_that_drives_draw_what_the_meter_measures() -> None:
    running, standing = line_at(1, EPOCH, 30.0), make_line()
    standing.run = False
    for _ in range(300):
        standing.step()
    assert running.meter.load_kw - running.tank.heater_kw > standing.meter.load_kw - standing.tank.heater_kw + 4.0


def test_that_the_temperature_follows_the_heater_with_a_lag() -> None:
    line = make_line()
    rises: list[float] = []
    falls: list[float] = []
    for _ in range(3000):
        before_c = line.tank.product_c
        line.step()
        (rises if line.tank.heater_on else falls).append(line.tank.product_c - before_c)
        assert 83.5 < line.tank.product_c < 86.5
    assert min(rises) > 0.0 > max(falls)
    line.tank.product_c += 5.0
    line.step()
    assert line.tank.temperature_measured_c < line.tank.product_c - 4.0


def test_that_a_drive_ramps_and_never_jumps() -> None:
    line = make_line()
    drive = line.conveyor1.drive
    steepest = 0.0
    for _ in range(2000):
        before_rpm = drive.speed_rpm
        line.step()
        steepest = max(steepest, abs(drive.speed_rpm - before_rpm))
    assert steepest == pytest.approx(drive.ramp_rpm_s * STEP_S)


def test_that_counters_only_count_up_and_as_fast_as_the_machine_runs() -> None:
    line = line_at(1, EPOCH, 20.0)
    assert line.filler1.state is MachineState.EXECUTE
    start = line.filler1.bottles
    seen = start
    for _ in range(150):
        line.step()
        assert line.filler1.bottles >= seen
        seen = line.filler1.bottles
    assert seen - start == pytest.approx(12000 / 3600 * 15, abs=1.0)
    assert line.capper1.caps == line.filler1.bottles


def test_that_a_lower_setpoint_slows_filler_flow_and_capper() -> None:
    line = line_at(1, EPOCH, 20.0)
    line.filler1.speed_setpoint_bph = 6000.0
    for _ in range(100):
        line.step()
    assert line.filler1.speed_bph == pytest.approx(6000.0)
    assert line.filler1.flow_measured_lpm == pytest.approx(50.0, rel=0.05)
    assert line.capper1.speed_bph == pytest.approx(6000.0, rel=0.01)
    assert line.filler2.speed_bph == pytest.approx(12000.0)


def test_that_the_torque_of_caps_follows_its_setpoint() -> None:
    line = make_line()
    line.capper1.torque_setpoint_nm = 2.6
    for _ in range(300):
        line.step()
    assert sum(line.capper1.torques_nm) / 12 == pytest.approx(2.6, abs=0.15)
    assert sum(line.capper2.torques_nm) / 12 == pytest.approx(1.8, abs=0.15)


def test_that_the_line_stops_now_and_then_and_goes_on() -> None:
    line = make_line()
    texts: set[str] = set()
    states: set[MachineState] = set()
    for _ in range(int(1800 / STEP_S)):
        line.step()
        states.add(line.state)
        if line.stoppages.active:
            texts.add(line.stoppages.alarm_text)
            assert line.stoppages.alarm_word == 1 << int(line.stoppages.cause or 0)
    assert states >= {MachineState.EXECUTE, MachineState.ABORTED, MachineState.STARTING}
    assert 4 <= line.stoppages.count <= 20
    assert len(texts) >= 3
    assert line.stoppages.stopped_s < 0.2 * line.elapsed_s


def test_that_stopping_the_line_stops_its_machines() -> None:
    line = line_at(1, EPOCH, 20.0)
    line.run = False
    for _ in range(100):
        line.step()
    assert line.state is MachineState.HELD
    assert (line.filler1.speed_bph, line.labeller.speed_bph, line.conveyor3.speed_mps) == (0.0, 0.0, 0.0)
    assert all(valve.state is ValveState.CLOSED for valve in line.filler1.valves)


def test_that_the_camera_does_not_answer_now_and_then() -> None:
    line = make_line()
    silent_steps = 0
    for _ in range(int(300 / STEP_S)):
        line.step()
        silent_steps += line.labeller.camera_status == "BadNoCommunication"
    assert 100 <= silent_steps <= 400
    assert line.labeller.camera_status == "Good"


def test_that_the_cleaning_programme_goes_through_all_its_steps() -> None:
    line = make_line()
    phases: list[CleaningPhase] = [line.cleaning.phase]
    hottest_c = 0.0
    for _ in range(int(460 / STEP_S)):
        line.step()
        hottest_c = max(hottest_c, line.cleaning.temperature_c)
        if line.cleaning.phase is not phases[-1]:
            phases.append(line.cleaning.phase)
    assert phases[:7] == [CleaningPhase(n % 6) for n in range(1, 8)]
    assert 70.0 < hottest_c < 80.0


def test_that_the_same_seed_gives_the_same_line_and_another_seed_another() -> None:
    first, second, other = line_at(7, EPOCH, 90.0), line_at(7, EPOCH, 90.0), line_at(8, EPOCH, 90.0)
    assert everything(first) == everything(second)
    assert everything(first) != everything(other)


def test_that_for_an_hour_every_value_stays_within_its_range() -> None:
    line = make_line()
    bound = [(point, bind(line, point.source)) for point in POINTS if point.analog and point.source]
    outside: set[str] = set()
    for second in range(3600):
        for _ in range(10):
            line.step()
        if second % 5 == 0:
            for point, signal in bound:
                assert point.low is not None
                assert point.high is not None
                if not point.low <= float(signal.get()) <= point.high:
                    outside.add(f"{point.identifier} = {signal.get()}")
    assert outside == set()


def test_that_nothing_in_the_line_grows_with_time() -> None:
    line = line_at(1, EPOCH, 300.0)
    assert len(line.filler1.fills_ml) == 8
    assert len(line.capper1.torques_nm) == 12
    assert len(line.conveyor1.eyes) == 8
