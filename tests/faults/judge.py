"""The judge of a fault schedule: looks at all that the runtime says, and compares it with what is true at the server and on the link.

Nothing is taken from the runtime's own bookkeeping. Whose a value is and when it was made is read from the value; when the device was last
heard of, from the bytes that passed the proxy; all by the true monotonic clock, whatever the runtime's own clock is made to say.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import numpy as np

from app.model.columns import SampleColumns
from app.model.values import Quality
from app.runtime.live import LiveProject
from app.samples.history import GAP
from tests.peers.fault_proxy import FaultProxy
from tests.peers.telltale import Telltale, read

ALLOWED_S: Final = 3.0
"""ux.md: asked after 1 s of silence, 2 s + 2 round trips for the answer."""
GRID_S: Final = 0.7
"""What a busy machine, the pipe and the beat of the looks may add."""
MAKING_S: Final = 0.4
"""A value is this old when it is sent: made every 0.1 s, published or polled every 0.1 s."""
CATCHING_UP_S: Final = 1.0
"""After a silence, what was held comes in order, old values first: so long may that take."""
HOLE_MS: Final = 1_500
"""Between two values that follow one another; they are made every 100 ms, by a server that shares two cores with all others."""
KEPT_TEXTS: Final = 20


class Judge:
    """``owners``: tag → whose value it may show. ``held_s`` is what the link now adds to a round trip."""

    def __init__(self, live: LiveProject, link: FaultProxy, owners: Mapping[str, int]) -> None:
        self._live, self._link, self._owners = live, link, owners
        self._old_since_s: dict[str, float] = {}
        self._seen_s = time.monotonic()
        self.held_s = 0.0
        self.values = self.looks = 0
        self.wrong: list[str] = []
        self.stale_live: list[str] = []

    def on_samples(self, tags: Mapping[int, str], columns: SampleColumns) -> None:
        for handle, sample in columns.samples():
            if (tag := tags.get(handle)) is not None and sample.quality is not Quality.BAD:
                self.values += 1
                self._belongs(tag, sample.value, "a sample")

    def look(self) -> None:
        """After each pump. When the judge itself was held up, the next look decides."""
        now_s = time.monotonic()
        held_up, self._seen_s = now_s - self._seen_s > GRID_S, now_s
        self.looks += 1
        silent_s = now_s - self._link.counts.last_s["down"]
        for tag in self._owners:
            telltale = self.live_value(tag)
            if telltale is None:
                self._old_since_s.pop(tag, None)
                continue
            allowed_s = ALLOWED_S + 2 * self.held_s + GRID_S
            if silent_s > allowed_s and not held_up:
                self._note(self.stale_live, f"{tag} was live {silent_s:.1f} s after the last byte from the device")
            if telltale.age_s <= allowed_s + MAKING_S + self.held_s:
                self._old_since_s.pop(tag, None)
            elif not held_up and now_s - self._old_since_s.setdefault(tag, now_s) > CATCHING_UP_S:
                self._note(self.stale_live, f"{tag} was live with a value made {telltale.age_s:.1f} s ago")

    def live_value(self, tag: str) -> Telltale | None:
        """What a person would take for the device's value now; None when it is marked as anything else."""
        reading = self._live.reading(tag)
        if reading.sample is None or reading.stale or reading.problem or reading.sample.quality is Quality.BAD:
            return None
        return self._belongs(tag, reading.sample.value, "the reading")

    def holes(self, tag: str, since_ms: int) -> tuple[int, int]:
        """Of the values made since then: jumps in time that no gap marks, and those that are marked."""
        series = self._live.history.series(tag, "receive")
        open_holes = marked = 0
        last: Telltale | None = None
        broken = False
        for value, quality in zip(series.value.tolist(), series.quality.tolist(), strict=True):
            if quality in (GAP, Quality.BAD) or np.isnan(value):
                broken = True
                continue
            made = read(value)
            if last is not None and made.made_ms > since_ms and made.made_ms - last.made_ms > HOLE_MS:
                open_holes, marked = (open_holes, marked + 1) if broken else (open_holes + 1, marked)
            last, broken = made, False
        return open_holes, marked

    def _belongs(self, tag: str, value: object, what: str) -> Telltale:
        telltale = read(value) if isinstance(value, int | float) else Telltale(-1, 0)
        if telltale.owner != self._owners[tag]:
            self._note(self.wrong, f"{what} of {tag} ({self._owners[tag]}) was of {telltale.owner}: {value!r}")
        return telltale

    @staticmethod
    def _note(notes: list[str], text: str) -> None:
        """All are counted, the first are kept in words."""
        notes.append(text if len(notes) < KEPT_TEXTS else "")
