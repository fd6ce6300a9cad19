"""What a session has to tell, waiting for whoever listens. Never blocks the teller, never grows without bound."""

from __future__ import annotations

from asyncio import Event as Signal
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from app.drivers.base import Ended, Event, Gap, Traffic
from app.model.columns import SampleColumns

MAX_ROWS: Final = 500_000
"""Samples that may wait: five seconds of the fastest server measured. More are dropped, and said to be missing."""


MAX_TRAFFIC: Final = 50
"""``Traffic`` events that may wait: five seconds of them. More are counted in the next one that fits."""


class EventQueue(AsyncIterator[Event]):
    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._rows = 0
        self._dropped = False
        self._traffic = 0
        self._untold = 0
        self._ended = False
        self._told_end = False
        self._signal = Signal()

    def put(self, event: Event) -> None:
        """Events after ``Ended`` are not told."""
        if self._ended:
            return
        if isinstance(event, SampleColumns):
            if self._rows + len(event) > MAX_ROWS:
                self._dropped = True
                return
            if self._dropped:
                self._dropped = False
                self._events.append(Gap(why="more samples came than were taken over; some were dropped"))
            self._rows += len(event)
        if isinstance(event, Traffic):
            if self._traffic >= MAX_TRAFFIC:
                self._untold += len(event.exchanges) + event.dropped
                return
            event = Traffic(exchanges=event.exchanges, dropped=event.dropped + self._untold)
            self._traffic, self._untold = self._traffic + 1, 0
        self._ended = isinstance(event, Ended)
        self._events.append(event)
        self._signal.set()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        """A cancelled wait loses nothing: the next one goes on where it stood."""
        while not self._events:
            if self._told_end:
                raise StopAsyncIteration
            self._signal.clear()
            await self._signal.wait()
        event = self._events.popleft()
        if isinstance(event, SampleColumns):
            self._rows -= len(event)
        elif isinstance(event, Traffic):
            self._traffic -= 1
        self._told_end = isinstance(event, Ended)
        return event
