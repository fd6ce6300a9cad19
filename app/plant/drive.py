"""A frequency-controlled motor: speed ramp, torque, current, heat and vibration."""

import math
import random
from dataclasses import dataclass

RATED_RPM = 1500.0
RATED_HZ = 50.0
AMBIENT_C = 24.0

# Bits of a drive's status word, as CiA 402 (IEC 61800-7-201) numbers them.
READY_TO_SWITCH_ON = 1 << 0
SWITCHED_ON = 1 << 1
OPERATION_ENABLED = 1 << 2
FAULT = 1 << 3
VOLTAGE_ENABLED = 1 << 4
QUICK_STOP_RELEASED = 1 << 5
WARNING = 1 << 7
REMOTE = 1 << 9
TARGET_REACHED = 1 << 10


@dataclass(slots=True, kw_only=True)
class Drive:
    """One drive with its motor. All values are those of the last step; `power_kw` is electrical and negative while braking."""

    rng: random.Random
    rated_kw: float
    rated_a: float
    ramp_rpm_s: float = 250.0
    load: float = 0.55
    setpoint_rpm: float = 0.0
    speed_rpm: float = 0.0
    torque_percent: float = 0.0
    current_a: float = 0.0
    power_kw: float = 0.0
    dc_bus_v: float = 565.0
    motor_temperature_c: float = 48.0
    vibration_mm_s: float = 0.3
    running: bool = False
    fault: bool = False
    fault_code: int = 0
    running_s: float = 0.0
    position_counts: int = 0

    @property
    def output_hz(self) -> float:
        """Frequency at the motor terminals."""
        return self.speed_rpm / RATED_RPM * RATED_HZ

    @property
    def running_hours(self) -> float:
        """Hours with the motor turning."""
        return self.running_s / 3600.0

    @property
    def at_speed(self) -> bool:
        """Actual speed within 1 % of the rated speed around the setpoint."""
        return abs(self.speed_rpm - self.setpoint_rpm) < RATED_RPM * 0.01

    @property
    def status_word(self) -> int:
        """Status word in the bit order of CiA 402."""
        word = READY_TO_SWITCH_ON | SWITCHED_ON | VOLTAGE_ENABLED | QUICK_STOP_RELEASED | REMOTE
        if self.fault:
            word = FAULT | VOLTAGE_ENABLED | QUICK_STOP_RELEASED | REMOTE
        elif self.running:
            word |= OPERATION_ENABLED
        if self.at_speed:
            word |= TARGET_REACHED
        if self.motor_temperature_c > 95.0:
            word |= WARNING
        return word

    def step(self, dt_s: float, setpoint_rpm: float) -> None:
        """Moves `dt_s` seconds on towards `setpoint_rpm`; a faulted drive coasts to a stop."""
        self.setpoint_rpm = setpoint_rpm
        before_rpm = self.speed_rpm
        target_rpm = 0.0 if self.fault else setpoint_rpm
        change = max(-self.ramp_rpm_s * dt_s, min(self.ramp_rpm_s * dt_s, target_rpm - self.speed_rpm))
        self.speed_rpm += change
        self.running = self.speed_rpm > 1.0
        fraction = self.speed_rpm / RATED_RPM
        acceleration = (self.speed_rpm - before_rpm) / (self.ramp_rpm_s * dt_s)
        friction = self.load * (0.55 + 0.45 * fraction) if self.running else 0.0
        noise = self.rng.gauss(0.0, 0.012) if self.running else 0.0
        torque = friction + 0.6 * acceleration + noise
        self._electrical(dt_s, torque, fraction)
        self._mechanical(dt_s, fraction)

    def _electrical(self, dt_s: float, torque: float, fraction: float) -> None:
        self.torque_percent = 100.0 * torque
        magnetising = 0.32 if self.running else 0.0
        self.current_a = self.rated_a * math.hypot(magnetising, torque)
        losses_kw = 0.04 * self.rated_kw * (self.current_a / self.rated_a) ** 2
        self.power_kw = self.rated_kw * torque * fraction + losses_kw
        sag_v = 565.0 - 9.0 * max(torque, 0.0) * fraction + 22.0 * max(-torque, 0.0) * fraction
        self.dc_bus_v += (sag_v - self.dc_bus_v) * min(1.0, dt_s / 0.3) + self.rng.gauss(0.0, 0.35)
        heat_c = AMBIENT_C + 62.0 * (self.current_a / self.rated_a) ** 2
        self.motor_temperature_c += (heat_c - self.motor_temperature_c) * dt_s / 600.0

    def _mechanical(self, dt_s: float, fraction: float) -> None:
        shake = 0.15 + 2.1 * fraction + (1.4 * math.exp(-(((fraction - 0.62) / 0.05) ** 2)))
        self.vibration_mm_s += (shake - self.vibration_mm_s) * min(1.0, dt_s / 0.8)
        self.vibration_mm_s = max(0.02, self.vibration_mm_s + self.rng.gauss(0.0, 0.03 + 0.05 * fraction))
        if self.running:
            self.running_s += dt_s
            self.position_counts += round(self.speed_rpm / 60.0 * dt_s * 1024)
