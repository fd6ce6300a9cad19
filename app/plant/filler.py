"""A rotary filler: eight valves on a carousel, bottles counted one by one."""

import random
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from app.plant.drive import Drive
from app.plant.states import MachineState, ValveState, machine_state

VALVES = 8
BOTTLE_L = 0.5
NOMINAL_ML = 500.0
TOLERANCE_ML = 4.5
MAX_BOTTLES_H = 15000.0
FILLING_ARC = 0.55  # share of one turn in which a valve is open


class BottleRecord(NamedTuple):
    """What is known of one bottle."""

    number: int
    volume_ml: float
    passed: bool
    recipe: str


@dataclass(slots=True)
class FillingValve:
    """One valve of the carousel."""

    state: ValveState = ValveState.CLOSED
    position_percent: int = 0
    cycles: int = 0
    fill_time_ms: int = 1320


@dataclass(slots=True, kw_only=True)
class Filler:
    """Fills half-litre bottles. Bottles appear one at a time: `filled` in `step` is how many left in that step."""

    rng: random.Random
    drive: Drive
    speed_setpoint_bph: float = 12000.0
    speed_bph: float = 0.0
    state: MachineState = MachineState.STOPPED
    jam: bool = False
    stuck_valve: int | None = None
    flow_lpm: float = 0.0
    flow_measured_lpm: float = 0.0
    bowl_level_percent: float = 62.0
    bowl_pressure_bar: float = 2.4
    product_c: float = 83.5
    bottles: int = 148_213
    rejects: int = 402
    last_fill_ml: float = NOMINAL_ML
    last_good: bool = True
    bottle_due: float = 0.0
    turn: float = 0.0
    valves: list[FillingValve] = field(default_factory=lambda: [FillingValve() for _ in range(VALVES)])
    fills_ml: deque[float] = field(default_factory=lambda: deque([NOMINAL_ML] * VALVES, maxlen=VALVES))
    recipe: str = "STILL-0.5L"

    @property
    def running(self) -> bool:
        """Bottles are moving."""
        return self.speed_bph > 1.0

    @property
    def last_bottle(self) -> BottleRecord:
        """The last bottle as one record."""
        return BottleRecord(self.bottles, round(self.last_fill_ml, 2), self.last_good, self.recipe)

    @property
    def product_f(self) -> float:
        """Product temperature at the filler in degrees Fahrenheit."""
        return self.product_c * 1.8 + 32.0

    @property
    def reject_percent(self) -> float:
        """Share of rejected bottles since the counters were reset."""
        return 100.0 * self.rejects / self.bottles if self.bottles else 0.0

    def step(self, dt_s: float, *, run: bool, supply_c: float) -> int:
        """Moves `dt_s` seconds on; returns how many bottles left the filler."""
        target_bph = max(0.0, min(MAX_BOTTLES_H, self.speed_setpoint_bph)) if run and not self.jam else 0.0
        self.drive.step(dt_s, target_bph / MAX_BOTTLES_H * 1450.0)
        self.speed_bph = self.drive.speed_rpm / 1450.0 * MAX_BOTTLES_H
        self.state = machine_state(run, self.jam, self.speed_bph, target_bph)
        self.bottle_due += self.speed_bph / 3600.0 * dt_s
        filled = int(self.bottle_due)
        self.bottle_due -= filled
        for _ in range(filled):
            self._fill_bottle()
        self._turn_carousel(dt_s)
        self._measure(dt_s, supply_c)
        return filled

    def _fill_bottle(self) -> None:
        self.bottles += 1
        spread = 1.1 if self.stuck_valve is None else 2.4
        self.last_fill_ml = self.rng.gauss(NOMINAL_ML + 0.3, spread)
        if self.rng.random() < 0.002:
            self.last_fill_ml -= 12.0  # foam closed the valve too early
        self.last_good = abs(self.last_fill_ml - NOMINAL_ML) <= TOLERANCE_ML
        self.rejects += not self.last_good
        self.fills_ml.append(round(self.last_fill_ml, 2))

    def _turn_carousel(self, dt_s: float) -> None:
        self.turn = (self.turn + self.speed_bph / 3600.0 / VALVES * dt_s) % 1.0
        for place, valve in enumerate(self.valves):
            if place == self.stuck_valve:
                valve.state, valve.position_percent = ValveState.FAULT, 37
                continue
            phase = (self.turn + place / VALVES) % 1.0
            is_open = self.running and phase < FILLING_ARC
            if is_open and valve.state is not ValveState.OPEN:
                valve.cycles += 1
                valve.fill_time_ms = round(1320.0 * 12000.0 / max(self.speed_bph, 1000.0) + self.rng.gauss(0.0, 6.0))
            valve.state = ValveState.OPEN if is_open else ValveState.CLOSED
            valve.position_percent = 100 if is_open else 0

    def _measure(self, dt_s: float, supply_c: float) -> None:
        gauss = self.rng.gauss
        self.flow_lpm = self.speed_bph / 60.0 * BOTTLE_L
        self.flow_measured_lpm = max(0.0, self.flow_lpm * (1.0 + gauss(0.0, 0.006)))
        bowl_percent = 62.0 - 4.0 * self.flow_lpm / 100.0
        self.bowl_level_percent += (bowl_percent - self.bowl_level_percent) * dt_s / 6.0 + gauss(0.0, 0.04)
        bowl_bar = 2.4 - 0.25 * self.flow_lpm / 100.0
        self.bowl_pressure_bar += (bowl_bar - self.bowl_pressure_bar) * dt_s / 2.0 + gauss(0.0, 0.002)
        pipe_c = supply_c - (1.1 if self.running else 9.0)  # product in the pipe cools while nothing flows
        self.product_c += (pipe_c - self.product_c) * dt_s / (12.0 if self.running else 90.0) + gauss(0.0, 0.005)
