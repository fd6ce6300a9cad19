"""Short stops: every few minutes something on the line stands still for some seconds and raises its alarm."""

import random
from dataclasses import dataclass
from enum import IntEnum


class Stop(IntEnum):
    """Why the line stands. The number is the bit in the alarm word."""

    FILLER1_VALVE_STUCK = 0
    CAPPER1_JAM = 1
    CAPPER2_JAM = 2
    CONVEYOR2_BLOCKED = 3
    LABEL_WEB_BREAK = 4
    DOOR_OPEN = 5


ALARM_TEXTS = {
    Stop.FILLER1_VALVE_STUCK: "Filler 1: valve 3 does not close",
    Stop.CAPPER1_JAM: "Capper 1: cap jammed in the chute",
    Stop.CAPPER2_JAM: "Capper 2: cap jammed in the chute",
    Stop.CONVEYOR2_BLOCKED: "Conveyor 2: fallen bottle at photo eye 5",
    Stop.LABEL_WEB_BREAK: "Labeller: label web broken",
    Stop.DOOR_OPEN: "Line 4: guard door 2 open",
}
STUCK_VALVE = 2


@dataclass(slots=True, kw_only=True)
class Stoppages:
    """When the next stop comes and how long this one lasts; both follow from the seed alone."""

    rng: random.Random
    cause: Stop | None = None
    left_s: float = 0.0
    next_s: float = 0.0
    count: int = 0
    stopped_s: float = 0.0
    previous: Stop = Stop.DOOR_OPEN

    def __post_init__(self) -> None:
        self.next_s = self.rng.uniform(40.0, 60.0)

    @property
    def active(self) -> bool:
        """The line stands."""
        return self.cause is not None

    @property
    def belts_stopped(self) -> bool:
        """Stops that also take the belts: a blocked belt and an open guard door."""
        return self.cause in {Stop.CONVEYOR2_BLOCKED, Stop.DOOR_OPEN}

    @property
    def alarm_word(self) -> int:
        """One bit per `Stop`."""
        return 0 if self.cause is None else 1 << self.cause

    @property
    def alarm_text(self) -> str:
        """Text of the standing alarm, empty when there is none."""
        return "" if self.cause is None else ALARM_TEXTS[self.cause]

    @property
    def alarm_texts(self) -> list[str]:
        """The standing alarm and the one before it, as an operator panel's two lines show them."""
        return [self.alarm_text, ALARM_TEXTS[self.previous]]

    def step(self, dt_s: float) -> Stop | None:
        """Moves `dt_s` seconds on; returns why the line stands, or None."""
        if self.cause is not None:
            self.stopped_s += dt_s
            self.left_s -= dt_s
            if self.left_s <= 0.0:
                self.previous, self.cause = self.cause, None
                self.next_s = self.rng.uniform(90.0, 260.0)
            return self.cause
        self.next_s -= dt_s
        if self.next_s <= 0.0:
            self.cause = self.rng.choice(list(Stop))
            self.left_s = self.rng.uniform(8.0, 22.0)
            self.count += 1
        return self.cause
