"""What the process side of the plant offers over OPC UA: buffer tank, cleaning skid, energy."""

from app.plant.packaging_points import motor_points
from app.plant.points import FAST_MS, MEDIUM_MS, Place, Point, PointType
from app.plant.states import CleaningPhase, ValveState

T = PointType
PROCESSING = Place(("Plant1", "Processing"), "Processing", "")
UTILITIES = Place(("Plant1", "Utilities"), "Utilities", "")


def tank_points(place: Place) -> list[Point]:
    """The buffer tank, with the sensors that are broken, stale or not yet in service."""
    p = place.point
    return [
        p("LT-301.PV", T.FLOAT, "level_measured_percent", "Level", unit="P1", span=(0, 100), update_ms=MEDIUM_MS),
        p("LT-301.RAW", T.INT16, "level_raw", "Level as the analogue card gives it; 27648 is 100 %",
          span=(0, 27648), update_ms=MEDIUM_MS),
        p("Volume", T.DOUBLE, "volume_l", "Volume of product", unit="LTR", span=(0, 1200)),
        p("FT-302.PV", T.FLOAT, "inflow_measured_lpm", "Flow into the tank", unit="L2", span=(0, 400),
          update_ms=FAST_MS),
        p("FT-303.PV", T.FLOAT, "outflow_measured_lpm", "Flow to the fillers", unit="L2", span=(0, 400),
          update_ms=FAST_MS),
        p("TT-304.PV", T.DOUBLE, "temperature_measured_f", "Product temperature (US transmitter)", unit="FAH",
          span=(32, 248), update_ms=MEDIUM_MS),
        p("TT-304.SP", T.DOUBLE, "temperature_setpoint_f", "Temperature setpoint", unit="FAH", span=(68, 203),
          writable=True, update_ms=MEDIUM_MS),
        p("HeaterOn", T.BOOLEAN, "heater_on", "Heater contactor", update_ms=MEDIUM_MS),
        p("HeaterPower", T.FLOAT, "heater_kw", "Power of the heater", unit="KWT", span=(0, 40)),
        p("XV-305.ZS", T.ENUMERATION, "inlet", "Inlet valve", members=ValveState, update_ms=MEDIUM_MS),
        p("XV-306.ZS", T.ENUMERATION, "outlet", "Outlet valve", members=ValveState, update_ms=MEDIUM_MS),
        p("LSL-307", T.BOOLEAN, "low_level", "Level switch, low"),
        p("PT-308.PV", T.FLOAT, "pressure_measured_bar", "Pressure at the bottom; the sensor is broken", unit="BAR",
          span=(0, 2), status="BadSensorFailure"),
        p("AT-309.PV", T.FLOAT, "ph_last", "pH; the probe is being calibrated and holds its last value", unit="Q30",
          span=(0, 14), status="UncertainLastUsableValue"),
        p("AT-310.PV", T.FLOAT, "", "Sugar content; the analyser is not in service yet", span=(0, 30),
          status="BadWaitingForInitialData"),
        p("Batch", T.INT32, "batch", "Batch in the tank"),
        *motor_points(place.part("Pump", "pump")),
    ]  # fmt: skip


def cleaning_points(place: Place) -> list[Point]:
    """The cleaning-in-place skid."""
    p = place.point
    return [
        p("Phase", T.ENUMERATION, "phase", "Step of the programme", members=CleaningPhase),
        p("Active", T.BOOLEAN, "active", "A programme runs"),
        p("Remaining", T.UINT32, "remaining_s", "Time left in this step", unit="SEC", span=(0, 3600)),
        p("Cycles", T.UINT32, "cycles", "Programmes since commissioning"),
        p("FT-601.PV", T.FLOAT, "flow_lpm", "Flow of the cleaning circuit", unit="L2", span=(0, 400),
          update_ms=MEDIUM_MS),
        p("TT-602.PV", T.FLOAT, "temperature_c", "Return temperature", unit="CEL", span=(0, 120), update_ms=MEDIUM_MS),
        p("CT-603.PV", T.FLOAT, "conductivity_ms_cm", "Return conductivity", unit="H61", span=(0, 200),
          update_ms=MEDIUM_MS),
        p("AT-604.PV", T.FLOAT, "ph", "Return pH; the probe drifts", unit="Q30", span=(0, 14),
          status="UncertainSensorNotAccurate"),
        p("LT-605.PV", T.FLOAT, "caustic_percent", "Level in the caustic tank", unit="P1", span=(0, 100)),
        p("LT-606.PV", T.FLOAT, "acid_percent", "Level in the acid tank", unit="P1", span=(0, 100)),
        p("XV-607.ZS", T.ENUMERATION, "caustic_valve", "Caustic dosing valve", members=ValveState),
        p("XV-608.ZS", T.ENUMERATION, "acid_valve", "Acid dosing valve", members=ValveState),
        p("XV-609.ZS", T.ENUMERATION, "water_valve", "Rinse water valve", members=ValveState),
        *motor_points(place.part("Pump", "pump")),
    ]  # fmt: skip


def energy_points(place: Place) -> list[Point]:
    """The energy meter as the building automation passes it on; the meter itself speaks Modbus."""
    p = place.point
    phases = [
        p(f"{quantity}L{phase + 1}", T.FLOAT, f"{source}.{phase}", f"{text} of phase {phase + 1}", unit=unit,
          span=(0, most), digits=2)
        for quantity, source, text, unit, most in (
            ("Voltage", "voltage_v", "Voltage", "VLT", 300),
            ("Current", "current_a", "Current", "AMP", 200),
        )
        for phase in range(3)
    ]  # fmt: skip
    return [
        *phases,
        p("ActivePower", T.FLOAT, "active_power_kw", "Active power, negative while exporting", unit="KWT",
          span=(-100, 150), update_ms=MEDIUM_MS),
        p("ReactivePower", T.FLOAT, "reactive_power_kvar", "Reactive power", unit="KVR", span=(-100, 100)),
        p("PowerFactor", T.FLOAT, "power_factor", "Power factor, negative while exporting", span=(-1, 1), digits=4),
        p("Frequency", T.FLOAT, "frequency_hz", "Grid frequency", unit="HTZ", span=(45, 55), digits=3),
        p("EnergyImport", T.DOUBLE, "imported_kwh", "Energy taken from the grid", unit="KWH", digits=4),
        p("EnergyExport", T.DOUBLE, "exported_kwh", "Energy given to the grid", unit="KWH", digits=4),
        p("Exporting", T.BOOLEAN, "exporting", "Power flows to the grid"),
        p("SolarPower", T.FLOAT, "solar_kw", "Power of the solar panels", unit="KWT", span=(0, 50)),
    ]  # fmt: skip


def processing_points() -> list[Point]:
    """Everything beside the packaging line."""
    return [
        *tank_points(PROCESSING.part("BufferTank1", "tank")),
        *cleaning_points(PROCESSING.part("CIP1", "cleaning")),
        *energy_points(UTILITIES.part("EnergyMeter1", "meter")),
    ]
