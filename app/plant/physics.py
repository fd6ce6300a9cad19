"""The bottling line as one state that is stepped in time. Pure: no clock, no library, no input but seed and setpoints."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from app.plant.capper import Capper
from app.plant.cleaning import CleaningSkid
from app.plant.conveyor import Conveyor
from app.plant.drive import Drive
from app.plant.energy_meter import EnergyMeter
from app.plant.filler import BOTTLE_L, Filler
from app.plant.labeller import Labeller
from app.plant.states import MachineState, machine_state
from app.plant.stoppages import STUCK_VALVE, Stop, Stoppages
from app.plant.tank import Tank

STEP_S = 0.1


@dataclass(slots=True)
class Line:
    """Line 4: a tank feeds two fillers, each with its capper; conveyors join them to one labeller.

    The same seed, epoch and setpoints give the same values at the same step in every process: each machine draws its
    noise from a generator of its own. `epoch` is the time of step 0.
    """

    seed: int
    epoch: datetime
    steps: int = 0
    run: bool = True
    good_bottles: int = 0
    tank: Tank = field(init=False)
    filler1: Filler = field(init=False)
    filler2: Filler = field(init=False)
    capper1: Capper = field(init=False)
    capper2: Capper = field(init=False)
    conveyor1: Conveyor = field(init=False)
    conveyor2: Conveyor = field(init=False)
    conveyor3: Conveyor = field(init=False)
    labeller: Labeller = field(init=False)
    cleaning: CleaningSkid = field(init=False)
    meter: EnergyMeter = field(init=False)
    stoppages: Stoppages = field(init=False)

    def __post_init__(self) -> None:
        noise = self._noise
        drive = self._drive
        self.tank = Tank(rng=noise("tank"), pump=drive("tank", rated_kw=5.5, rated_a=11.2))
        self.filler1 = Filler(rng=noise("filler1"), drive=drive("filler1", rated_kw=4.0, rated_a=8.4))
        self.filler2 = Filler(rng=noise("filler2"), drive=drive("filler2", rated_kw=4.0, rated_a=8.4))
        self.capper1 = Capper(rng=noise("capper1"), drive=drive("capper1", rated_kw=2.2, rated_a=4.9))
        self.capper2 = Capper(rng=noise("capper2"), drive=drive("capper2", rated_kw=2.2, rated_a=4.9))
        self.conveyor1 = Conveyor(rng=noise("conveyor1"), drive=drive("conveyor1", rated_kw=1.5, rated_a=3.5))
        self.conveyor2 = Conveyor(rng=noise("conveyor2"), drive=drive("conveyor2", rated_kw=1.5, rated_a=3.5))
        self.conveyor3 = Conveyor(rng=noise("conveyor3"), drive=drive("conveyor3", rated_kw=1.5, rated_a=3.5))
        self.labeller = Labeller(rng=noise("labeller"), drive=drive("labeller", rated_kw=3.0, rated_a=6.6))
        self.cleaning = CleaningSkid(rng=noise("cleaning"), pump=drive("cleaning", rated_kw=7.5, rated_a=15.0))
        self.meter = EnergyMeter(rng=noise("meter"))
        self.stoppages = Stoppages(rng=noise("stoppages"))

    def _noise(self, machine: str) -> random.Random:
        return random.Random(f"{self.seed}:{machine}")  # noqa: S311 - noise of a simulated sensor, no secret

    def _drive(self, machine: str, *, rated_kw: float, rated_a: float) -> Drive:
        return Drive(rng=self._noise(f"{machine}.drive"), rated_kw=rated_kw, rated_a=rated_a)

    @property
    def now(self) -> datetime:
        """Time of the last step."""
        return self.epoch + timedelta(seconds=self.elapsed_s)

    @property
    def elapsed_s(self) -> float:
        """Seconds of plant time since the epoch."""
        return self.steps * STEP_S

    @property
    def drives(self) -> tuple[Drive, ...]:
        """Every drive of the line."""
        machines = (self.filler1, self.filler2, self.capper1, self.capper2)
        belts = (self.conveyor1, self.conveyor2, self.conveyor3, self.labeller)
        return (self.tank.pump, self.cleaning.pump, *(m.drive for m in machines), *(b.drive for b in belts))

    @property
    def speed_bph(self) -> float:
        """Bottles per hour of both fillers."""
        return self.filler1.speed_bph + self.filler2.speed_bph

    @property
    def state(self) -> MachineState:
        """State of the line as its slowest machine has it."""
        aim_bph = self.filler1.speed_setpoint_bph + self.filler2.speed_setpoint_bph
        return machine_state(self._may_run, self.stoppages.active, self.speed_bph, aim_bph)

    @property
    def rejects(self) -> int:
        """Bottles that fillers and cappers refused."""
        return self.filler1.rejects + self.filler2.rejects + self.capper1.rejects + self.capper2.rejects

    @property
    def quality_percent(self) -> float:
        """Share of good bottles."""
        made = self.filler1.bottles + self.filler2.bottles
        return 100.0 * (made - self.rejects) / made if made else 100.0

    @property
    def started(self) -> datetime:
        """When the order was started."""
        return self.epoch

    @property
    def last_print(self) -> datetime:
        """When the labeller printed its last code."""
        return self.epoch + timedelta(seconds=self.labeller.printed_at_s)

    @property
    def heartbeat(self) -> int:
        """Counts seconds, wraps at 65536, as a PLC's life bit counter does."""
        return int(self.elapsed_s) % 65536

    @property
    def shift(self) -> str:
        """Name of the shift by the hour of day in UTC."""
        return ("night", "early", "late")[self.now.astimezone(UTC).hour // 8]

    @property
    def _may_run(self) -> bool:
        return self.run and not self.stoppages.active and not self.tank.low_level

    def step(self) -> None:
        """Moves the line `STEP_S` seconds on."""
        self.steps += 1
        self._stand_still_for(self.stoppages.step(STEP_S))
        run = self._may_run
        supply_c = self.tank.product_c
        filled1 = self.filler1.step(STEP_S, run=run, supply_c=supply_c)
        filled2 = self.filler2.step(STEP_S, run=run, supply_c=supply_c)
        good1 = self.capper1.step(STEP_S, run=run, speed_bph=self.filler1.speed_bph, bottles=filled1)
        good2 = self.capper2.step(STEP_S, run=run, speed_bph=self.filler2.speed_bph, bottles=filled2)
        self.good_bottles += good1 + good2
        self._transport(run, good1, good2)
        # The bowls are refilled from the tank as fast as bottles are filled from them.
        self.tank.step(STEP_S, self.speed_bph / 60.0 * BOTTLE_L)
        self.cleaning.step(STEP_S)
        drives_kw = sum(drive.power_kw for drive in self.drives)
        self.meter.step(STEP_S, drives_kw=drives_kw, heaters_kw=self.tank.heater_kw + self.cleaning.heater_kw)

    def _stand_still_for(self, cause: Stop | None) -> None:
        self.filler1.stuck_valve = STUCK_VALVE if cause is Stop.FILLER1_VALVE_STUCK else None
        self.filler1.jam = cause is Stop.FILLER1_VALVE_STUCK
        self.capper1.jam = cause is Stop.CAPPER1_JAM
        self.capper2.jam = cause is Stop.CAPPER2_JAM
        self.conveyor2.jam = cause is Stop.CONVEYOR2_BLOCKED
        self.labeller.jam = cause is Stop.LABEL_WEB_BREAK

    def _transport(self, run: bool, good1: int, good2: int) -> None:
        """Most stops leave the belts running, so they fill up to the labeller and empty behind it."""
        moving = self.run and not self.stoppages.belts_stopped
        out1 = self.conveyor1.step(STEP_S, run=moving, bottles_in=good1, release=run)
        out2 = self.conveyor2.step(STEP_S, run=moving, bottles_in=good2, release=run)
        labelled = self.labeller.step(STEP_S, run=run, speed_bph=self.speed_bph, bottles=out1 + out2)
        self.conveyor3.step(STEP_S, run=moving, bottles_in=labelled)


def line_at(seed: int, epoch: datetime, elapsed_s: float) -> Line:
    """The line as it stands `elapsed_s` seconds after its epoch."""
    line = Line(seed=seed, epoch=epoch)
    for _ in range(int(elapsed_s / STEP_S)):
        line.step()
    return line
