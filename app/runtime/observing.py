"""Observations: items that are looked at without being tags, for as long as their connection lasts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np

from app.drivers.base import ItemState, WatchItem
from app.errors import EndpointError
from app.model.columns import SampleColumns
from app.runtime.clock import Clock
from app.runtime.connections import Connections
from app.runtime.movement import Movement, Observed
from app.runtime.watching import Plan

OBSERVED_ITEMS: Final = 5_000
"""Of one observation: more would be felt by the device, and no person reads the ranking of more."""
LAG_S: Final = 0.5
"""Beside one interval, what publishing, the pipe and the window's timer may add until a change is told."""


class _Observation(msgspec.Struct, frozen=True):
    endpoint: str
    items: tuple[WatchItem, ...]
    movement: Movement

    @property
    def handles(self) -> list[int]:
        return [item.handle for item in self.items]


class Observations:
    """Lives on the owner's thread. Their samples reach their ``Movement`` only: no tag, no history, no recording."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections, self._clock = connections, clock
        self._running: dict[int, _Observation] = {}
        self._movements: dict[int, Movement] = {}
        self._tokens = itertools.count(1)
        self._paused = False

    def begin(self, endpoint_id: str, items: Sequence[Observed], interval_ms: int) -> int:
        """Ask for them from now on; a number by which ``movement`` and ``forget`` know it.

        Raises:
            EndpointError: Too many, or the endpoint is not connected, or another device answers there.
        """
        watched = self._connections.endpoint(endpoint_id)
        state = watched.state
        if len(items) > OBSERVED_ITEMS:
            why = f"{len(items):,} items are more than the {OBSERVED_ITEMS:,} that can be observed at once"
            raise EndpointError("Too much to observe", where=endpoint_id, why=why, fix="Choose a smaller part")
        if state.phase != "connected" or watched.link is None:
            why = state.why.why if state.why else "there is no connection"
            raise EndpointError("Cannot observe", where=endpoint_id, why=why, fix="Connect first")
        if state.held and state.why is not None:
            raise state.why
        if state.as_of_ns is not None:
            why = "it is a snapshot, in which nothing moves"
            raise EndpointError("Cannot observe", where=endpoint_id, why=why, fix="Connect to the device itself")
        handles = [next(self._connections.handles) for _ in items]
        wanted = tuple(
            WatchItem(handle=handle, address=item.address, interval_ms=interval_ms) for handle, item in zip(handles, items, strict=True)
        )
        movement = Movement(items, handles, interval_ms / 1000 + LAG_S)
        token = next(self._tokens)
        self._running[token], self._movements[token] = _Observation(endpoint_id, wanted, movement), movement
        if self._paused:
            movement.rest(self._clock.monotonic_s())
        else:
            self._connections.observe(watched, Plan(list(wanted), []))
        return token

    def movement(self, token: int) -> Movement:
        """Of one that goes on, or that has ended and was not forgotten.

        Raises:
            KeyError: There is none.
        """
        return self._movements[token]

    def forget(self, token: int) -> None:
        """End it; safe twice."""
        self._end(token, "it was ended")
        self._movements.pop(token, None)

    def _end(self, token: int, why: str) -> None:
        observation = self._running.pop(token, None)
        if observation is not None:
            observation.movement.ended = why
            self._connections.observe(self._connections.endpoint(observation.endpoint), Plan([], observation.handles))

    def end_all(self, endpoint_id: str, why: str) -> None:
        for token in [token for token, one in self._running.items() if one.endpoint == endpoint_id]:
            self._end(token, why)

    def pause(self, paused: bool) -> None:
        """Together with all other reading."""
        if paused == self._paused:
            return
        self._paused = paused
        now_s = self._clock.monotonic_s()
        for one in self._running.values():
            plan = Plan([], one.handles) if paused else Plan(list(one.items), [])
            self._connections.observe(self._connections.endpoint(one.endpoint), plan)
            if paused:
                one.movement.rest(now_s)
            else:
                one.movement.go_on(now_s)

    def take(self, endpoint_id: str, columns: SampleColumns, at_s: float) -> SampleColumns:
        """Take what is observed out of a batch; the rest, which is of tags."""
        if not self._running:
            return columns
        taken = np.zeros(len(columns), np.bool_)
        for one in self._running.values():
            if one.endpoint == endpoint_id:
                taken |= one.movement.add(columns, at_s)
        return columns if not taken.any() else columns.where(~taken)

    def on_items(self, endpoint_id: str, states: Iterable[ItemState]) -> None:
        for one in self._running.values():
            if one.endpoint == endpoint_id:
                for state in states:
                    if state.refused:
                        one.movement.refuse(state.handle, state.refused)
