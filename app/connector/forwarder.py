"""What a session tells, as frames on their way to the parent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import numpy as np

from app.connector import frames
from app.connector.parts import joined, sample_frames, withheld
from app.connector.pipes import Outbox
from app.drivers import base
from app.model.columns import SampleColumns

BATCH_S = 0.03
BATCH_ROWS = 50_000
"""A batch of so many rows goes out at once."""
STATES_AT_ONCE = 1_000
"""Item states in one frame."""

_log = logging.getLogger(__name__)


class Forwarder:
    """Events of one session as frames. Samples are gathered for ``BATCH_S``; whatever else comes first sends them on, so order is kept."""

    def __init__(self, outbox: Outbox, put: Callable[[frames.ToParent], None]) -> None:
        self._outbox, self._put = outbox, put
        self._batch: list[SampleColumns] = []
        self._rows = 0
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, session: base.Session) -> str:
        """Forward until the session ends; says why it did."""
        try:
            async for event in session.events():
                if isinstance(event, base.Ended):
                    return event.why
                self._take(event)
        finally:
            self._flush()
        return "the driver ended the connection without a reason"

    def _take(self, event: base.Event) -> None:
        match event:
            case SampleColumns():
                if not len(event):  # it would be taken for a sign of life
                    return
                self._batch.append(event)
                self._rows += len(event)
                if self._rows >= BATCH_ROWS:
                    self._flush()
                elif self._timer is None:
                    self._timer = asyncio.get_running_loop().call_later(BATCH_S, self._flush)
            case base.Alive(round_trip_s=round_trip_s):
                self._put(frames.Alive(round_trip_s=min(round_trip_s, frames.ROUND_TRIP_LIMIT_S)))
            case base.Gap(handles=handles, why=why):
                self._flush()
                self._put(frames.Gap(handles=tuple(dict.fromkeys(handles)), why=frames.clipped(why)))
            case base.ItemStates(states=states):
                self._flush()
                tell_states(self._put, states)
            case base.Learned():
                self._put(frames.Taught(learned=event))
            case base.Traffic(exchanges=exchanges, dropped=dropped):
                self._put(frames.Traced(exchanges=exchanges, dropped=dropped))

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._batch, self._rows = self._batch, [], 0
        if batch:
            self._send(joined(batch))

    def _send(self, columns: SampleColumns) -> None:
        try:
            ready = list(sample_frames(columns))
        except frames.FrameError as error:
            _log.warning("samples hold values that cannot be sent: %s", error)
            columns, bad = withheld(columns)
            handles = tuple(sorted(set(columns.handle[bad].tolist())))
            self._put(frames.Gap(handles=handles, why="the driver made values that cannot be sent"))
            sent = np.ones(len(columns), np.bool_)
            sent[bad] = False
            ready = list(sample_frames(columns.where(sent))) if sent.any() else []
        for frame, rows in ready:
            self._outbox.put_samples(frame, rows)


def tell_states(put: Callable[[frames.ToParent], None], states: Sequence[base.ItemState]) -> None:
    """In frames that are not too large."""
    for start in range(0, len(states), STATES_AT_ONCE):
        put(frames.Items(states=tuple(states[start : start + STATES_AT_ONCE])))
