"""Whose request goes next: in the order in which they were asked for, as many at once as the connection's ``Window`` allows.

Two requests whose replies would look alike (same unit, function and size) are never in flight together, so that a device that mixes up
its transaction ids, answering one request with the registers of the other, is found out by the size of the reply. The next in the line
of another shape goes first then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from app.drivers.modbus.in_flight import Window

Shape = tuple[int, int, int | None]
"""Unit, function, and byte count of the right reply; None where the request does not say, and then it goes alone."""


@dataclass(slots=True, eq=False)
class _Waiter:
    shape: Shape
    alone: bool
    turn: asyncio.Future[None]


class Turns:
    """On one event loop. ``take`` and, whatever happens then, ``give_back``."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._out: set[Shape] = set()
        self._alone = False
        self._waiting: deque[_Waiter] = deque()

    def is_free(self, shape: Shape) -> bool:
        """Whether a request of this shape could go now."""
        return len(self._out) < self._window.limit and shape not in self._out and not self._alone

    async def take(self, shape: Shape, *, alone: bool = False, first: bool = False) -> None:
        """Wait for a turn.

        Args:
            shape: Of the reply.
            alone: With no other in flight.
            first: Before all that wait: for what was asked before, without success.
        """
        alone = alone or shape[2] is None
        if (first or not self._waiting) and self._goes(shape, alone):
            self._go(shape, alone)
            return
        waiter = _Waiter(shape, alone, asyncio.get_running_loop().create_future())
        (self._waiting.appendleft if first else self._waiting.append)(waiter)
        self._wake()  # the others may wait for their shape only
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled():
                self.give_back(shape)  # it had its turn, and was cancelled before it knew
            else:
                self._waiting.remove(waiter)
                self._wake()
            raise

    def give_back(self, shape: Shape) -> None:
        self._out.discard(shape)
        self._alone = False
        self._wake()

    def _goes(self, shape: Shape, alone: bool) -> bool:
        return not self._out if alone else self.is_free(shape)

    def _go(self, shape: Shape, alone: bool) -> None:
        self._out.add(shape)
        self._alone = alone

    def _wake(self) -> None:
        """Everybody who can go now; nobody passes one that must go alone."""
        for waiter in tuple(self._waiting):
            if waiter.turn.done():
                continue  # cancelled, and about to leave
            if self._goes(waiter.shape, waiter.alone):
                self._go(waiter.shape, waiter.alone)
                self._waiting.remove(waiter)
                waiter.turn.set_result(None)
            elif waiter.alone or len(self._out) >= self._window.limit:
                return
