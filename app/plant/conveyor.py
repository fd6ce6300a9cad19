"""A conveyor section: belt speed with ramps, bottles that pile up where the next machine stands."""

import random
from dataclasses import dataclass, field

from app.plant.drive import RATED_RPM, Drive
from app.plant.states import MachineState, machine_state

FULL_SPEED_MPS = 1.5
PITCH_M = 0.075
EYES = 8


@dataclass(slots=True, kw_only=True)
class Conveyor:
    """One belt with eight photo eyes along it."""

    rng: random.Random
    drive: Drive
    length_m: float = 12.0
    speed_setpoint_mps: float = 1.0
    speed_mps: float = 0.0
    speed_measured_mps: float = 0.0
    state: MachineState = MachineState.STOPPED
    jam: bool = False
    bottles_on_belt: float = 40.0
    distance_m: float = 0.0
    eyes: list[bool] = field(default_factory=lambda: [False] * EYES)

    @property
    def running(self) -> bool:
        """The belt moves."""
        return self.speed_mps > 0.001

    @property
    def accumulation_percent(self) -> float:
        """How full the belt is; 100 % is bottle to bottle."""
        return min(100.0, 100.0 * self.bottles_on_belt * PITCH_M / self.length_m)

    @property
    def setpoint_rpm(self) -> float:
        """The speed setpoint as the drive has it."""
        return self.speed_setpoint_mps / FULL_SPEED_MPS * RATED_RPM

    @setpoint_rpm.setter
    def setpoint_rpm(self, value: float) -> None:
        self.speed_setpoint_mps = value / RATED_RPM * FULL_SPEED_MPS

    def step(self, dt_s: float, *, run: bool, bottles_in: float, release: bool = True) -> float:
        """Moves `dt_s` seconds on; returns how many bottles left the belt, none unless the next machine takes them."""
        target_mps = max(0.0, min(FULL_SPEED_MPS, self.speed_setpoint_mps)) if run and not self.jam else 0.0
        self.drive.step(dt_s, target_mps / FULL_SPEED_MPS * RATED_RPM)
        self.speed_mps = self.drive.speed_rpm / RATED_RPM * FULL_SPEED_MPS
        self.speed_measured_mps = max(0.0, self.speed_mps + (self.rng.gauss(0.0, 0.003) if self.running else 0.0))
        self.state = machine_state(run, self.jam, self.speed_mps, target_mps)
        leaving = self.bottles_on_belt * self.speed_mps / self.length_m * dt_s if release else 0.0
        self.bottles_on_belt = max(0.0, self.bottles_on_belt + bottles_in - leaving)
        self.distance_m += self.speed_mps * dt_s
        if self.running:
            share = self.accumulation_percent / 100.0
            self.eyes = [self.rng.random() < share for _ in self.eyes]
        return leaving
