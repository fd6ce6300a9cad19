"""The buffer tank: level integrates flow, temperature follows an on/off heater."""

import random
from dataclasses import dataclass

from app.plant.drive import AMBIENT_C, Drive
from app.plant.states import ValveState

HEATER_KW = 36.0
HEATER_EQUILIBRIUM_C = 112.0
HEATER_LAG_S = 240.0
SENSOR_LAG_S = 4.0
INLET_LPM = 330.0
RAW_FULL_SCALE = 27648  # a Siemens analogue input module's 100 %


@dataclass(slots=True, kw_only=True)
class Tank:
    """Product buffer before the fillers. `volume_l` and `product_c` are true values, the `*_measured` ones what the sensors say."""

    rng: random.Random
    pump: Drive
    capacity_l: float = 1200.0
    volume_l: float = 760.0
    inflow_lpm: float = 0.0
    outflow_lpm: float = 0.0
    inlet: ValveState = ValveState.CLOSED
    outlet: ValveState = ValveState.OPEN
    heater_on: bool = True
    product_c: float = 84.6
    temperature_setpoint_c: float = 85.0
    level_measured_percent: float = 63.3
    temperature_measured_c: float = 84.6
    inflow_measured_lpm: float = 0.0
    outflow_measured_lpm: float = 0.0
    pressure_measured_bar: float = 0.4
    ph_last: float = 3.42
    batch: int = 2207
    level_offset_mm: int = -3

    @property
    def level_percent(self) -> float:
        """True level."""
        return 100.0 * self.volume_l / self.capacity_l

    @property
    def level_raw(self) -> int:
        """The level as the analogue input card gives it, 0 to 27648."""
        return max(0, min(RAW_FULL_SCALE, round(self.level_measured_percent / 100.0 * RAW_FULL_SCALE)))

    @property
    def temperature_measured_f(self) -> float:
        """The temperature transmitter's reading in degrees Fahrenheit."""
        return self.temperature_measured_c * 1.8 + 32.0

    @property
    def temperature_setpoint_f(self) -> float:
        """Setpoint of the heater in degrees Fahrenheit."""
        return self.temperature_setpoint_c * 1.8 + 32.0

    @temperature_setpoint_f.setter
    def temperature_setpoint_f(self, value: float) -> None:
        self.temperature_setpoint_c = (value - 32.0) / 1.8

    @property
    def heater_kw(self) -> float:
        """Electrical power of the heater."""
        return HEATER_KW if self.heater_on else 0.0

    @property
    def low_level(self) -> bool:
        """Level switch below 15 %."""
        return self.level_percent < 15.0

    def step(self, dt_s: float, demand_lpm: float) -> None:
        """Moves `dt_s` seconds on while the fillers draw `demand_lpm`; gives at most what is in the tank."""
        if self.level_percent < 42.0 and self.inlet is ValveState.CLOSED:
            self.inlet = ValveState.OPEN
            self.batch += 1
        elif self.level_percent > 80.0:
            self.inlet = ValveState.CLOSED
        self.pump.step(dt_s, 1450.0 if self.inlet is ValveState.OPEN else 0.0)
        self.inflow_lpm = INLET_LPM * self.pump.speed_rpm / 1450.0
        self.outflow_lpm = min(demand_lpm, self.volume_l / dt_s * 60.0)
        self.outlet = ValveState.OPEN if demand_lpm > 1.0 else ValveState.CLOSED
        self.volume_l += (self.inflow_lpm - self.outflow_lpm) * dt_s / 60.0
        self._heat(dt_s)
        self._measure(dt_s)

    def _heat(self, dt_s: float) -> None:
        if self.product_c < self.temperature_setpoint_c - 0.8:
            self.heater_on = True
        elif self.product_c > self.temperature_setpoint_c + 0.8:
            self.heater_on = False
        equilibrium_c = HEATER_EQUILIBRIUM_C if self.heater_on else AMBIENT_C
        self.product_c += (equilibrium_c - self.product_c) * dt_s / HEATER_LAG_S

    def _measure(self, dt_s: float) -> None:
        gauss = self.rng.gauss
        ripple = 0.05 if self.inlet is ValveState.OPEN else 0.02  # the surface is rougher while product falls in
        self.level_measured_percent += (self.level_percent - self.level_measured_percent) * min(1.0, dt_s / 0.8)
        self.level_measured_percent += gauss(0.0, ripple)
        self.temperature_measured_c += (self.product_c - self.temperature_measured_c) * dt_s / SENSOR_LAG_S
        self.temperature_measured_c += gauss(0.0, 0.008)
        self.inflow_measured_lpm = max(0.0, self.inflow_lpm * (1.0 + gauss(0.0, 0.004)))
        self.outflow_measured_lpm = max(0.0, self.outflow_lpm * (1.0 + gauss(0.0, 0.004)))
        self.pressure_measured_bar = 0.22 + self.level_percent / 100.0 * 0.31 + gauss(0.0, 0.001)
