"""The labeller with its code printer and the camera that reads the code back."""

import random
import uuid
from dataclasses import dataclass, field

from app.plant.drive import AMBIENT_C, Drive
from app.plant.filler import MAX_BOTTLES_H
from app.plant.states import MachineState, machine_state

ROLL_LABELS = 9000
JOB_NAMESPACE = uuid.UUID("6f1a1f0e-3c9c-5b0f-9f57-0d1b6d0a4c11")


@dataclass(slots=True, kw_only=True)
class Labeller:
    """Labels every bottle. A new job, with a new id, begins with each roll of labels."""

    rng: random.Random
    drive: Drive
    speed_bph: float = 0.0
    state: MachineState = MachineState.STOPPED
    jam: bool = False
    bottle_due: float = 0.0
    labels: int = 295_648
    labels_remaining: int = 5400
    web_tension_n: float = 22.0
    glue_c: float = 158.0
    glue_heating: bool = True
    read_rate_percent: float = 99.6
    camera_c: float = 41.0
    camera_silent_s: float = 0.0
    next_silence_s: float = 75.0
    job: int = 1
    job_id: uuid.UUID = field(default_factory=lambda: uuid.uuid5(JOB_NAMESPACE, "1"))
    lot_code: str = "L4-2207-0001"
    printed_at_s: float = 0.0
    clock_s: float = 0.0

    @property
    def running(self) -> bool:
        """Labels are being applied."""
        return self.speed_bph > 1.0

    @property
    def camera_status(self) -> str:
        """OPC UA status of everything the camera reports: now and then it does not answer for a while."""
        return "BadNoCommunication" if self.camera_silent_s > 0.0 else "Good"

    @property
    def last_code(self) -> bytes:
        """The bytes that the camera read from the last label."""
        return f"{self.lot_code}/{self.labels:08d}".encode("ascii")

    def step(self, dt_s: float, *, run: bool, speed_bph: float, bottles: float) -> int:
        """Moves `dt_s` seconds on at `speed_bph` while `bottles` arrive; returns how many left with a label."""
        target_bph = speed_bph if run and not self.jam else 0.0
        self.clock_s += dt_s
        self.drive.step(dt_s, target_bph / (2.0 * MAX_BOTTLES_H) * 1450.0)
        self.speed_bph = self.drive.speed_rpm / 1450.0 * 2.0 * MAX_BOTTLES_H
        self.state = machine_state(run, self.jam, self.speed_bph, target_bph)
        self.bottle_due += bottles
        labelled = int(self.bottle_due) if self.running else 0
        self.bottle_due -= labelled
        if labelled:
            self._apply(labelled)
        self._measure(dt_s)
        return labelled

    def _apply(self, bottles: int) -> None:
        self.labels += bottles
        self.labels_remaining -= bottles
        if self.labels_remaining <= 0:
            self.labels_remaining += ROLL_LABELS
            self.job += 1
            self.job_id = uuid.uuid5(JOB_NAMESPACE, str(self.job))
            self.lot_code = f"L4-2207-{self.job:04d}"
        self.printed_at_s = self.clock_s
        read = 100.0 if self.rng.random() < 0.996**bottles else 0.0
        self.read_rate_percent += (read - self.read_rate_percent) * 0.01

    def _measure(self, dt_s: float) -> None:
        gauss = self.rng.gauss
        tension_n = 22.0 if self.running else 8.0
        self.web_tension_n += (tension_n - self.web_tension_n) * dt_s / 0.6 + gauss(0.0, 0.12)
        if self.glue_c < 157.0:
            self.glue_heating = True
        elif self.glue_c > 160.0:
            self.glue_heating = False
        glue_c = 210.0 if self.glue_heating else AMBIENT_C
        self.glue_c += (glue_c - self.glue_c) * dt_s / 400.0 + gauss(0.0, 0.01)
        self.camera_c += (41.0 - self.camera_c) * dt_s / 60.0 + gauss(0.0, 0.01)
        self.camera_silent_s = max(0.0, self.camera_silent_s - dt_s)
        self.next_silence_s -= dt_s
        if self.next_silence_s <= 0.0:
            self.camera_silent_s = 12.0
            self.next_silence_s = self.rng.uniform(180.0, 300.0)
