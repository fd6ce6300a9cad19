"""The energy meter of the hall: what the drives and heaters draw, less what the roof's solar panels give."""

import math
import random
from dataclasses import dataclass

BASE_LOAD_KW = 3.2
SOLAR_PEAK_KW = 34.0

# Bits of the meter's status word.
PHASES_PRESENT = 0b111
VOLTAGE_ALARM = 1 << 4
POWER_ALARM = 1 << 5
EXPORTING = 1 << 6
REACTIVE_INDUCTIVE = 1 << 7
CLOCK_SYNCHRONISED = 1 << 8
POWER_ALARM_KW = 62.0


@dataclass(slots=True, kw_only=True)
class EnergyMeter:
    """Three phases, four wires, 230/400 V. `active_power_kw` is negative while more is given to the grid than taken."""

    rng: random.Random
    voltage_v: tuple[float, float, float] = (230.4, 229.8, 231.1)
    current_a: tuple[float, float, float] = (0.0, 0.0, 0.0)
    frequency_hz: float = 50.0
    load_kw: float = 0.0
    solar_kw: float = 0.0
    active_power_kw: float = 0.0
    reactive_power_kvar: float = 0.0
    power_factor: float = 0.9
    imported_kwh: float = 48213.4
    exported_kwh: float = 1307.2
    thd_percent: float = 3.1
    internal_c: float = 36.0
    tariff: int = 1
    relay1: bool = False
    relay2: bool = True
    clock_s: float = 0.0

    @property
    def apparent_power_kva(self) -> float:
        """Apparent power of the three phases."""
        return math.hypot(self.active_power_kw, self.reactive_power_kvar)

    @property
    def operating_s(self) -> float:
        """Seconds since the meter was commissioned."""
        return 18_316_800.0 + self.clock_s

    @property
    def over_temperature(self) -> bool:
        """The meter's own electronics are too warm."""
        return self.internal_c > 70.0

    @property
    def exporting(self) -> bool:
        """Power flows to the grid."""
        return self.active_power_kw < 0.0

    @property
    def status_word(self) -> int:
        """Bits 0..2 phases present, 4 voltage alarm, 5 power alarm, 6 exporting, 7 inductive, 8 clock synchronised."""
        word = PHASES_PRESENT | CLOCK_SYNCHRONISED
        if any(not 207.0 <= volts <= 253.0 for volts in self.voltage_v):
            word |= VOLTAGE_ALARM
        if self.active_power_kw > POWER_ALARM_KW:
            word |= POWER_ALARM
        if self.exporting:
            word |= EXPORTING
        if self.reactive_power_kvar > 0.0:
            word |= REACTIVE_INDUCTIVE
        return word

    def step(self, dt_s: float, *, drives_kw: float, heaters_kw: float) -> None:
        """Moves `dt_s` seconds on under the given load; energy is the integral of power."""
        self.clock_s += dt_s
        gauss = self.rng.gauss
        clouds = 0.5 + 0.3 * math.sin(self.clock_s / 97.0) + 0.2 * math.sin(self.clock_s / 31.0 + 1.0)
        self.solar_kw = SOLAR_PEAK_KW * max(0.0, clouds)
        self.load_kw = BASE_LOAD_KW + drives_kw + heaters_kw + gauss(0.0, 0.05)
        self.active_power_kw = self.load_kw - self.solar_kw
        self.reactive_power_kvar = 1.4 + 0.62 * drives_kw + gauss(0.0, 0.03)
        self.power_factor = self.active_power_kw / max(self.apparent_power_kva, 0.001)
        energy_kwh = self.active_power_kw * dt_s / 3600.0
        if energy_kwh >= 0.0:
            self.imported_kwh += energy_kwh
        else:
            self.exported_kwh -= energy_kwh
        self._electrical(dt_s)

    def _electrical(self, dt_s: float) -> None:
        gauss = self.rng.gauss
        self.frequency_hz += (50.0 - self.frequency_hz) * dt_s / 20.0 + gauss(0.0, 0.0015)
        nominal_v = (230.6, 229.9, 231.2)
        droop_v = 0.045 * self.active_power_kw
        first, second, third = (
            volts + (aim - droop_v - volts) * dt_s / 1.5 + gauss(0.0, 0.06) for volts, aim in zip(self.voltage_v, nominal_v, strict=True)
        )
        self.voltage_v = (first, second, third)
        amperes = self.apparent_power_kva * 1000.0 / (first + second + third)
        self.current_a = (amperes * 1.02, amperes * 0.97, amperes * 1.01 + gauss(0.0, 0.02))
        self.thd_percent += (3.1 - self.thd_percent) * dt_s / 15.0 + gauss(0.0, 0.01)
        self.internal_c += (34.0 + 0.05 * abs(self.active_power_kw) - self.internal_c) * dt_s / 300.0
