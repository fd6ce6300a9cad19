"""The registers of the two Modbus devices: an energy meter (unit 3) and the drive of conveyor 1 (unit 4)."""

from dataclasses import dataclass
from enum import StrEnum

METER_UNIT = 3
DRIVE_UNIT = 4
MODEL = "TLM-630 SN004217"  # 16 characters, eight registers
GAP = range(120, 140)  # of the meter's holding registers: answers exception 2


class Table(StrEnum):
    """The four tables of Modbus V1.1b3 §4.3."""

    COIL = "coil"
    DISCRETE = "discrete"
    HOLDING = "holding"
    INPUT = "input"


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One item of the map. Engineering value = raw * `scale`; `source` is the line's attribute as a dotted path.

    `type` is empty for coils and discrete inputs, `order` only given where an item takes more than one register.
    `limits` are raw values; writing another one answers exception 3 "illegal data value".
    """

    unit_id: int
    table: Table
    address: int
    type: str
    source: str
    description: str
    order: str = ""
    scale: float = 1.0
    unit: str = ""
    limits: tuple[int, int] | None = None
    constant: str = ""
    bits: tuple[tuple[int, str], ...] = ()

    @property
    def writable(self) -> bool:
        """Clients may write it."""
        return self.limits is not None

    @property
    def words(self) -> int:
        """Registers that it takes (coils and discrete inputs: one bit)."""
        if self.type.startswith("str"):
            return int(self.type.removeprefix("str")) // 2
        return {"": 1, "int16": 1, "uint16": 1, "float64": 4}.get(self.type, 2)

    @property
    def canonical(self) -> str:
        """The tag's address in canonical form, zero-based; uint16 is what a register is when nothing is said."""
        type_ = "" if self.type == "uint16" else self.type
        parts = (f"{self.unit_id}/{self.table}:{self.address}", type_, self.order)
        return ":".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A device while its items are written down."""

    unit_id: int

    def item(
        self,
        table: Table,
        address: int,
        type_: str,
        source: str,
        description: str,
        *,
        unit: str = "",
        order: str = "",
        scale: float = 1.0,
        limits: tuple[int, int] | None = None,
        bits: tuple[tuple[int, str], ...] = (),
        constant: str = "",
    ) -> Register:
        return Register(
            unit_id=self.unit_id,
            table=table,
            address=address,
            type=type_,
            source=source,
            description=description,
            order=order,
            scale=scale,
            unit=unit,
            limits=limits,
            constant=constant,
            bits=bits,
        )


def _meter() -> list[Register]:
    item = _Unit(METER_UNIT).item
    phases = [
        item(Table.HOLDING, 100 + 2 * n, "float32", f"meter.voltage_v.{n}", f"Voltage L{n + 1}", unit="VLT", order="CDAB") for n in range(3)
    ] + [
        item(Table.HOLDING, 106 + 2 * n, "float32", f"meter.current_a.{n}", f"Current L{n + 1}", unit="AMP", order="CDAB") for n in range(3)
    ]
    status = (
        (0, "phase L1 present"), (1, "phase L2 present"), (2, "phase L3 present"), (4, "voltage alarm"),
        (5, "power alarm"), (6, "exporting"), (7, "inductive load"), (8, "clock synchronised"),
    )  # fmt: skip
    return [
        *phases,
        item(Table.HOLDING, 112, "uint32", "meter.imported_kwh", "Energy taken from the grid", unit="KWH", order="ABCD", scale=0.1),
        item(Table.HOLDING, 114, "uint32", "meter.exported_kwh", "Energy given to the grid", unit="KWH", order="ABCD", scale=0.1),
        item(Table.HOLDING, 116, "int16", "meter.frequency_hz", "Grid frequency", unit="HTZ", scale=0.01),
        item(Table.HOLDING, 117, "int16", "meter.power_factor", "Power factor, negative while exporting", scale=0.001),
        item(Table.HOLDING, 118, "int16", "meter.active_power_kw", "Active power, negative while exporting", unit="KWT", scale=0.1),
        item(Table.HOLDING, 119, "uint16", "meter.status_word", "Status word", bits=status),
        item(Table.HOLDING, 140, "str16", "", "Model and serial number", constant=MODEL),
        item(Table.HOLDING, 148, "uint16", "meter.tariff", "Tariff in force", limits=(1, 4)),
        item(Table.HOLDING, 150, "float64", "meter.imported_kwh", "Energy taken from the grid, fine", unit="KWH", order="ABCD"),
        item(Table.INPUT, 0, "int16", "meter.internal_c", "Temperature of the electronics", unit="CEL", scale=0.1),
        item(Table.INPUT, 1, "uint16", "meter.thd_percent", "Harmonic distortion of the voltage", unit="P1",
              scale=0.01),
        item(Table.INPUT, 2, "uint32", "meter.operating_s", "Time since commissioning", unit="SEC", order="CDAB"),
        item(Table.INPUT, 4, "float32", "meter.reactive_power_kvar", "Reactive power", unit="KVR", order="ABCD"),
        item(Table.INPUT, 6, "float32", "meter.apparent_power_kva", "Apparent power", unit="KVA", order="DCBA"),
        item(Table.COIL, 0, "", "meter.relay1", "Relay output 1", limits=(0, 1)),
        item(Table.COIL, 1, "", "meter.relay2", "Relay output 2", limits=(0, 1)),
        item(Table.DISCRETE, 0, "", "meter.exporting", "Power flows to the grid"),
        item(Table.DISCRETE, 1, "", "meter.over_temperature", "Electronics too warm"),
        item(Table.DISCRETE, 2, "", "tank.heater_on", "Contactor feedback of the tank heater"),
    ]  # fmt: skip


def _drive() -> list[Register]:
    item = _Unit(DRIVE_UNIT).item
    status = (
        (0, "ready to switch on"), (1, "switched on"), (2, "operation enabled"), (3, "fault"),
        (4, "voltage enabled"), (5, "quick stop released"), (7, "warning"), (9, "remote"), (10, "target reached"),
    )  # fmt: skip
    source = "conveyor1.drive"
    return [
        item(Table.HOLDING, 0, "uint16", "conveyor1.setpoint_rpm", "Speed setpoint", unit="RPM", limits=(0, 1500)),
        item(Table.HOLDING, 1, "int16", f"{source}.speed_rpm", "Actual speed", unit="RPM"),
        item(Table.HOLDING, 2, "uint16", f"{source}.status_word", "Status word, bits as in CiA 402", bits=status),
        item(Table.HOLDING, 3, "int16", f"{source}.torque_percent", "Torque of rated", unit="P1", scale=0.1),
        item(Table.HOLDING, 4, "uint16", f"{source}.output_hz", "Output frequency", unit="HTZ", scale=0.01),
        item(Table.HOLDING, 5, "uint16", f"{source}.current_a", "Motor current", unit="AMP", scale=0.01),
        item(Table.HOLDING, 6, "uint16", f"{source}.dc_bus_v", "DC bus voltage", unit="VLT", scale=0.1),
        item(Table.HOLDING, 7, "int16", f"{source}.motor_temperature_c", "Motor temperature", unit="CEL", scale=0.1),
        item(Table.HOLDING, 8, "uint16", f"{source}.fault_code", "Fault code, 0 is none"),
        item(Table.HOLDING, 9, "int16", f"{source}.power_kw", "Power, negative while braking", unit="KWT", scale=0.01),
        item(Table.HOLDING, 10, "int32", f"{source}.position_counts", "Encoder position, counts", order="CDAB"),
        item(Table.HOLDING, 12, "uint32", f"{source}.running_s", "Time with the motor turning", unit="SEC",
             order="ABCD"),
        item(Table.HOLDING, 14, "float32", f"{source}.vibration_mm_s", "Vibration", unit="C16", order="BADC"),
        item(Table.INPUT, 0, "uint16", f"{source}.status_word", "Status word, read only"),
        item(Table.COIL, 0, "", "run", "Line may run", limits=(0, 1)),
        item(Table.DISCRETE, 0, "", f"{source}.running", "Motor turns"),
        item(Table.DISCRETE, 1, "", f"{source}.fault", "Fault"),
        item(Table.DISCRETE, 2, "", f"{source}.at_speed", "Speed reached"),
    ]  # fmt: skip


def registers() -> list[Register]:
    """Everything behind the one Modbus connection."""
    return [*_meter(), *_drive()]
