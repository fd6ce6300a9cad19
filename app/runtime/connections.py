"""The connections of one project: starts and ends links, hands them work, knows which endpoint an arrival is of."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.connector import frames
from app.drivers.base import UnitSettings
from app.drivers.questions import Anywhere, Question, packed
from app.errors import EndpointError, UserError
from app.model.plant import Identity
from app.runtime.clock import Clock
from app.runtime.inbox import Inbox
from app.runtime.io_thread import IoThread, Job
from app.runtime.opening import Opening
from app.runtime.patience import LinkLimits
from app.runtime.requests import Requests
from app.runtime.state import Reply
from app.runtime.watched import WatchedEndpoint
from app.runtime.watching import Plan

if TYPE_CHECKING:
    from app.runtime.once import Once

DISCOVER_S = 10.0


class Connections:
    """Lives on the owner's thread; the links it starts live on the I/O thread and speak through ``inbox`` only."""

    def __init__(self, clock: Clock, command: Sequence[str], limits: LinkLimits) -> None:
        self.inbox = Inbox()
        self.endpoints: dict[str, WatchedEndpoint] = {}
        self._clock, self._command, self._limits = clock, command, limits
        self._io, self._requests = IoThread(), Requests()
        self._by_link: dict[int, WatchedEndpoint] = {}
        self._jobs: dict[str, Job] = {}
        self._links, self.handles = itertools.count(1), itertools.count(1)

    def endpoint(self, endpoint_id: str) -> WatchedEndpoint:
        """The endpoint's side here, made when it is first needed."""
        if endpoint_id not in self.endpoints:
            self.endpoints[endpoint_id] = WatchedEndpoint(endpoint_id, self._clock, self.handles)
        return self.endpoints[endpoint_id]

    def of_link(self, number: int) -> WatchedEndpoint | None:
        """None for a link that was ended: what still comes from it is left out."""
        return self._by_link.get(number)

    def open(self, endpoint_id: str, opening: Opening) -> None:
        """Connect; a link that waits or has stopped tries again now, one that is connected goes on."""
        watched = self.endpoint(endpoint_id)
        watched.spec = opening.spec
        if watched.link is not None:
            if watched.state.phase in ("waiting", "stopped"):
                watched.begin()
                self._io.call(watched.link.reopen, opening)
            return
        from app.runtime.link import Link  # with asyncio and all else that only a connection needs

        watched.begin()
        link = Link(next(self._links), opening, inbox=self.inbox, clock=self._clock, command=self._command, limits=self._limits)
        watched.link = link
        self._by_link[link.number] = watched
        if watched.tracing:
            self._io.call(link.trace, True)
        self._io.call(link.watch, list(watched.watching.items.values()), ())
        self._jobs[endpoint_id] = self._io.start(link.run())

    def drop(self, endpoint_id: str, why: UserError | None = None) -> None:
        """End the connection: off, or with a reason, stopped."""
        watched = self.endpoints.get(endpoint_id)
        if watched is None:
            return
        if watched.link is not None:
            self._jobs.pop(endpoint_id).stop()
            del self._by_link[watched.link.number]
            watched.link = None
        watched.stop(why)

    def stop(self, timeout_s: float) -> bool:
        """End everything; says whether it ended in time."""
        return self._io.stop(timeout_s)

    def watch(self, watched: WatchedEndpoint, plan: Plan) -> None:
        if watched.link is not None and (plan.add or plan.remove):
            self._io.call(watched.link.watch, plan.add, plan.remove)

    def observe(self, watched: WatchedEndpoint, plan: Plan) -> None:
        if watched.link is not None:
            self._io.call(watched.link.observe, plan.add, plan.remove)

    def expect(self, endpoint_id: str, identity: Identity) -> None:
        """The project knows another device there now: what is watched is released or held at once."""
        watched = self.endpoints.get(endpoint_id)
        if watched is not None:
            watched.expect(identity)
            if watched.link is not None:
                self._io.call(watched.link.expect, identity)

    def use_units(self, endpoint_id: str, units: tuple[UnitSettings, ...]) -> None:
        watched = self.endpoints.get(endpoint_id)
        if watched is not None and watched.link is not None:
            self._io.call(watched.link.use_units, units)

    # Questions
    def token(self) -> int:
        return self._requests.begin()

    def ask(self, endpoint_id: str, frame: frames.Request, question: type[Question] | None = None, *, of_tags: bool = False) -> int:
        """``of_tags`` marks what stands for tags: no other device than the project's answers it."""
        watched = self.endpoints.get(endpoint_id)
        if watched is None or watched.link is None:
            why = "no connection was opened"
            self._requests.refuse(frame.token, EndpointError("Not connected", where=endpoint_id, why=why, fix="Connect first"))
        else:
            self._requests.asked(frame.token, watched.link)
            self._io.call(watched.link.request, frame, question, of_tags)
        return frame.token

    def discover(self, url: str) -> int:
        from app.runtime.once import Once

        frame = frames.Discover(token=self.token(), url=url, timeout_s=DISCOVER_S)
        return self._once(Once(frame, url, DISCOVER_S))

    def ask_anywhere(self, question: Anywhere) -> int:
        from app.runtime.once import Once

        kind, body = packed(question)
        frame = frames.Ask(token=self.token(), question=kind, body=body)
        return self._once(Once(frame, kind, question.timeout_s, type(question)))

    def _once(self, once: Once) -> int:
        from app.runtime.once import ask_once

        job = self._io.start(ask_once(once, inbox=self.inbox, clock=self._clock, command=self._command))
        self._requests.asked(once.frame.token, job)
        return once.frame.token

    def trace(self, watched: WatchedEndpoint) -> None:
        if watched.link is not None:
            self._io.call(watched.link.trace, watched.tracing)

    def cancel(self, token: int) -> None:
        whom = self._requests.cancel(token)
        if isinstance(whom, Job):
            whom.stop()
        elif whom is not None:
            self._io.call(whom.cancel, token)

    def accept(self, replies: list[Reply]) -> list[Reply]:
        return self._requests.accept(replies)
