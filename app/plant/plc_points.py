"""What the line's PLC offers over OPC UA: symbolic names as an S7-1500 has them, absolute ones as older gateways do.

The values are those of the ISA-style variables, in the types and scales that a PLC program keeps them in.
"""

from dataclasses import dataclass

from app.plant.points import FAST_MS, MEDIUM_MS, PLC_NAMESPACE, Point, PointType
from app.plant.states import CleaningPhase, MachineState

T = PointType


@dataclass(frozen=True, slots=True)
class _Block:
    """A data block; `quoted` names are symbolic (`"DB"."var"`), the others absolute (`DB20.DBD44`)."""

    name: str
    quoted: bool

    def point(
        self,
        name: str,
        data_type: PointType,
        source: str,
        description: str,
        *,
        span: tuple[float, float] | None = None,
        unit: str = "",
        update_ms: int = MEDIUM_MS,
        writable: bool = False,
        array: bool = False,
    ) -> Point:
        folder = "DataBlocksGlobal" if self.quoted else "AbsoluteAddresses"
        return Point(
            folder=("PLC_1", folder, self.name),
            name=name,
            identifier=f'"{self.name}"."{name}"' if self.quoted else f"{self.name}.{name}",
            namespace=PLC_NAMESPACE,
            data_type=data_type,
            description=description,
            source=source,
            unit=unit,
            low=span[0] if span else None,
            high=span[1] if span else None,
            update_ms=update_ms,
            writable=writable,
            array=array,
        )


def _filler_block() -> list[Point]:
    p = _Block("DB_Filler", quoted=True).point
    return [
        p("rFillFlow", T.FLOAT, "filler1.flow_measured_lpm", "Flow, l/min", span=(0, 150), unit="L2",
          update_ms=FAST_MS),
        p("rBowlPressure", T.FLOAT, "filler1.bowl_pressure_bar", "Bowl pressure, bar"),
        p("rSpeedSet", T.FLOAT, "filler1.speed_setpoint_bph", "Speed setpoint, bottles/h"),
        p("rSpeedAct", T.FLOAT, "filler1.speed_bph", "Actual speed, bottles/h"),
        p("iState", T.INT16, "filler1.state", f"State: {_members(MachineState)}"),
        p("bRunning", T.BOOLEAN, "filler1.running", "Filler runs"),
        p("bJam", T.BOOLEAN, "filler1.jam", "Filler jam"),
        p("diBottles", T.INT32, "filler1.bottles", "Bottles filled"),
        p("diRejects", T.INT32, "filler1.rejects", "Bottles refused"),
        p("lrLastVolume", T.DOUBLE, "filler1.last_fill_ml", "Last volume, ml"),
        p("alrVolumes", T.DOUBLE, "filler1.fills_ml", "Last eight volumes, ml", array=True),
        p("sRecipe", T.STRING, "filler1.recipe", "Recipe"),
    ]  # fmt: skip


def _tank_block() -> list[Point]:
    p = _Block("DB_Tank", quoted=True).point
    return [
        p("iLevelRaw", T.INT16, "tank.level_raw", "Level, 0..27648", span=(0, 27648)),
        p("rTemp", T.FLOAT, "tank.temperature_measured_c", "Temperature, °C", span=(0, 120), unit="CEL"),
        p("rTempSet", T.FLOAT, "tank.temperature_setpoint_c", "Temperature setpoint, °C", span=(20, 95), unit="CEL",
          writable=True),
        p("bHeater", T.BOOLEAN, "tank.heater_on", "Heater contactor"),
        p("iInlet", T.INT16, "tank.inlet", "Inlet valve: 0 CLOSED, 1 OPEN, 2 FAULT"),
        p("siOffset", T.SBYTE, "tank.level_offset_mm", "Zero correction of the level sensor, mm"),
        p("usiCipStep", T.BYTE, "cleaning.phase", f"Cleaning step: {_members(CleaningPhase)}"),
        p("rCipConductivity", T.FLOAT, "cleaning.conductivity_ms_cm", "Cleaning conductivity, mS/cm"),
    ]  # fmt: skip


def _capper_block() -> list[Point]:
    p = _Block("DB_Capper", quoted=True).point
    return [
        p("rTorque", T.FLOAT, "capper1.torque_nm", "Torque of the last cap, N·m", span=(0, 5), unit="NU",
          update_ms=FAST_MS),
        p("rTorqueSet", T.FLOAT, "capper1.torque_setpoint_nm", "Torque setpoint, N·m"),
        p("iState", T.INT16, "capper1.state", f"State: {_members(MachineState)}"),
        p("diCaps", T.INT32, "capper1.caps", "Caps screwed on"),
        p("diRejects", T.INT32, "capper1.rejects", "Caps refused"),
        p("wAlarms", T.UINT16, "stoppages.alarm_word", "Alarm word of the line"),
        p("liOrder", T.INT64, "good_bottles", "Good bottles of the order"),
    ]  # fmt: skip


def _absolute_block() -> list[Point]:
    p = _Block("DB20", quoted=False).point
    return [
        p("DBX0.0", T.BOOLEAN, "conveyor1.running", "Conveyor 1 runs"),
        p("DBX0.1", T.BOOLEAN, "conveyor2.running", "Conveyor 2 runs"),
        p("DBX0.2", T.BOOLEAN, "conveyor3.running", "Conveyor 3 runs"),
        p("DBB1", T.BYTE, "stoppages.count", "Stops, modulo 256"),
        p("DBW2", T.UINT16, "conveyor1.drive.status_word", "Status word of drive 1"),
        p("DBW4", T.INT16, "conveyor1.drive.speed_rpm", "Speed of drive 1, r/min"),
        p("DBW6", T.INT16, "tank.level_raw", "Tank level, 0..27648"),
        p("DBD40", T.FLOAT, "conveyor1.speed_measured_mps", "Belt speed 1, m/s"),
        p("DBD44", T.FLOAT, "filler1.flow_measured_lpm", "Flow to filler 1, l/min"),
        p("DBD48", T.FLOAT, "filler2.flow_measured_lpm", "Flow to filler 2, l/min"),
        p("DBD52", T.UINT32, "filler1.bottles", "Bottles of filler 1"),
        p("DBD56", T.UINT32, "filler2.bottles", "Bottles of filler 2"),
        p("DBD60", T.FLOAT, "tank.temperature_measured_c", "Tank temperature, °C"),
    ]


def _members(states: type[MachineState | CleaningPhase]) -> str:
    return ", ".join(f"{member.value} {member.name}" for member in states)


def plc_points() -> list[Point]:
    """Everything in the PLC's namespace."""
    return [*_filler_block(), *_tank_block(), *_capper_block(), *_absolute_block()]
