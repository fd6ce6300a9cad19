"""A rotary capper: every cap is screwed on with a torque of its own."""

import random
from collections import deque
from dataclasses import dataclass, field

from app.plant.drive import Drive
from app.plant.filler import MAX_BOTTLES_H
from app.plant.states import MachineState, machine_state

HEADS = 6
TORQUE_WINDOW_NM = 0.35
HOPPER_CAPS = 18000


@dataclass(slots=True)
class ClosureHead:
    """One screwing head. `offset_nm` is how far this head screws from the mean; heads wear."""

    offset_nm: float = 0.0
    torque_nm: float = 1.8
    caps: int = 0
    wear_percent: int = 4


@dataclass(slots=True, kw_only=True)
class Capper:
    """Caps the bottles that its filler hands over."""

    rng: random.Random
    drive: Drive
    torque_setpoint_nm: float = 1.8
    torque_nm: float = 1.8
    speed_bph: float = 0.0
    state: MachineState = MachineState.STOPPED
    jam: bool = False
    caps: int = 148_213
    rejects: int = 377
    last_good: bool = True
    hopper_caps: float = 11200.0
    hopper_percent: float = 62.2
    heads: list[ClosureHead] = field(default_factory=list)
    torques_nm: deque[float] = field(default_factory=lambda: deque([1.8] * 12, maxlen=12))

    def __post_init__(self) -> None:
        self.heads = [ClosureHead(offset_nm=self.rng.gauss(0.0, 0.03)) for _ in range(HEADS)]

    @property
    def running(self) -> bool:
        """Caps are being screwed on."""
        return self.speed_bph > 1.0

    @property
    def reject_percent(self) -> float:
        """Share of rejected caps since the counters were reset."""
        return 100.0 * self.rejects / self.caps if self.caps else 0.0

    def step(self, dt_s: float, *, run: bool, speed_bph: float, bottles: int) -> int:
        """Moves `dt_s` seconds on at the filler's speed; returns how many of `bottles` left with a good cap."""
        target_bph = speed_bph if run and not self.jam else 0.0
        self.drive.step(dt_s, target_bph / MAX_BOTTLES_H * 1400.0)
        self.speed_bph = self.drive.speed_rpm / 1400.0 * MAX_BOTTLES_H
        self.state = machine_state(run, self.jam, self.speed_bph, target_bph)
        good = sum(self._close_bottle() for _ in range(bottles))
        self.hopper_caps -= bottles
        if self.hopper_caps < 0.3 * HOPPER_CAPS:
            self.hopper_caps += 0.55 * HOPPER_CAPS  # the operator empties a carton of caps into the hopper
        level_percent = 100.0 * self.hopper_caps / HOPPER_CAPS
        self.hopper_percent += (level_percent - self.hopper_percent) * dt_s / 3.0 + self.rng.gauss(0.0, 0.05)
        return good

    def _close_bottle(self) -> bool:
        head = self.heads[self.caps % HEADS]
        torque_nm = self.torque_setpoint_nm + head.offset_nm + self.rng.gauss(0.0, 0.05)
        if self.rng.random() < 0.002:
            torque_nm *= 0.55  # a cap that went on askew
        self.torque_nm = head.torque_nm = max(0.0, torque_nm)
        self.caps += 1
        head.caps += 1
        head.wear_percent = min(100, 4 + head.caps // 20000)
        self.torques_nm.append(round(self.torque_nm, 3))
        self.last_good = abs(self.torque_nm - self.torque_setpoint_nm) <= TORQUE_WINDOW_NM
        self.rejects += not self.last_good
        return self.last_good
