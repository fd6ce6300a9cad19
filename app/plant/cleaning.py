"""The cleaning-in-place skid: it runs its programme on a circuit of its own, over and over."""

import random
from dataclasses import dataclass

from app.plant.drive import Drive
from app.plant.states import CleaningPhase, ValveState


@dataclass(frozen=True, slots=True)
class PhaseTarget:
    """What one phase of the programme aims at."""

    duration_s: float
    flow_lpm: float
    temperature_c: float
    conductivity_ms_cm: float
    ph: float


PROGRAMME = {
    CleaningPhase.IDLE: PhaseTarget(90.0, 0.0, 28.0, 0.6, 7.0),
    CleaningPhase.PRE_RINSE: PhaseTarget(45.0, 240.0, 35.0, 0.6, 7.0),
    CleaningPhase.CAUSTIC: PhaseTarget(120.0, 280.0, 78.0, 92.0, 12.8),
    CleaningPhase.INTERMEDIATE_RINSE: PhaseTarget(45.0, 240.0, 45.0, 0.8, 7.4),
    CleaningPhase.ACID: PhaseTarget(90.0, 280.0, 62.0, 38.0, 1.9),
    CleaningPhase.FINAL_RINSE: PhaseTarget(60.0, 240.0, 30.0, 0.5, 7.0),
}


@dataclass(slots=True, kw_only=True)
class CleaningSkid:
    """Flow, temperature, conductivity and pH follow the phase with their lags."""

    rng: random.Random
    pump: Drive
    phase: CleaningPhase = CleaningPhase.PRE_RINSE
    phase_elapsed_s: float = 0.0
    cycles: int = 311
    flow_lpm: float = 0.0
    temperature_c: float = 28.0
    conductivity_ms_cm: float = 0.6
    ph: float = 7.0
    caustic_percent: float = 74.0
    acid_percent: float = 66.0

    @property
    def remaining_s(self) -> float:
        """Time left in this phase."""
        return max(0.0, PROGRAMME[self.phase].duration_s - self.phase_elapsed_s)

    @property
    def active(self) -> bool:
        """A programme runs."""
        return self.phase is not CleaningPhase.IDLE

    @property
    def heater_kw(self) -> float:
        """Electrical power of the skid's heater."""
        return 18.0 if self.temperature_c < PROGRAMME[self.phase].temperature_c - 1.0 else 0.0

    @property
    def caustic_valve(self) -> ValveState:
        """Dosing valve of the caustic tank."""
        return ValveState.OPEN if self.phase is CleaningPhase.CAUSTIC else ValveState.CLOSED

    @property
    def acid_valve(self) -> ValveState:
        """Dosing valve of the acid tank."""
        return ValveState.OPEN if self.phase is CleaningPhase.ACID else ValveState.CLOSED

    @property
    def water_valve(self) -> ValveState:
        """Rinse water valve."""
        rinsing = self.phase in {CleaningPhase.PRE_RINSE, CleaningPhase.INTERMEDIATE_RINSE, CleaningPhase.FINAL_RINSE}
        return ValveState.OPEN if rinsing else ValveState.CLOSED

    def step(self, dt_s: float) -> None:
        """Moves `dt_s` seconds on in the programme."""
        self.phase_elapsed_s += dt_s
        if self.phase_elapsed_s >= PROGRAMME[self.phase].duration_s:
            self.phase = CleaningPhase((self.phase + 1) % len(CleaningPhase))
            self.phase_elapsed_s = 0.0
            self.cycles += self.phase is CleaningPhase.IDLE
        aim = PROGRAMME[self.phase]
        self.pump.step(dt_s, 1480.0 * aim.flow_lpm / 300.0)
        gauss = self.rng.gauss
        ripple = gauss(0.0, 0.8) if self.pump.running else 0.0
        self.flow_lpm = max(0.0, self.pump.speed_rpm / 1480.0 * 300.0 + ripple)
        self.temperature_c += (aim.temperature_c - self.temperature_c) * dt_s / 25.0 + gauss(0.0, 0.02)
        change = (aim.conductivity_ms_cm - self.conductivity_ms_cm) * dt_s / 9.0
        self.conductivity_ms_cm = max(0.0, self.conductivity_ms_cm + change + gauss(0.0, 0.01))
        self.ph += (aim.ph - self.ph) * dt_s / 9.0 + gauss(0.0, 0.002)
        self._use_chemicals(dt_s)

    def _use_chemicals(self, dt_s: float) -> None:
        if self.phase is CleaningPhase.CAUSTIC:
            self.caustic_percent -= 0.01 * dt_s
        if self.phase is CleaningPhase.ACID:
            self.acid_percent -= 0.01 * dt_s
        if self.caustic_percent < 20.0:
            self.caustic_percent = 95.0
        if self.acid_percent < 20.0:
            self.acid_percent = 95.0
