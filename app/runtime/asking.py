"""Questions to endpoints and the waiting for their answers: one side of a ``LiveProject``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from app.connector import frames
from app.drivers.base import Item
from app.drivers.questions import Anywhere, Question, packed
from app.errors import EndpointError, UserError
from app.model.project import Project
from app.runtime.answers import joined
from app.runtime.clock import Clock
from app.runtime.connections import Connections
from app.runtime.state import Arrivals, Result, nothing_arrived

PUMP_S: Final = 0.05


class Asking(ABC):
    """Every question returns a token at once; its answers come as ``Reply`` with a later ``pump``, or ``wait`` takes them."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections, self._clock = connections, clock
        self._kept = nothing_arrived()
        """What has come, or has changed, that no ``pump`` has told yet."""

    @property
    @abstractmethod
    def project(self) -> Project: ...

    @abstractmethod
    def pump(self) -> Arrivals: ...

    def browse(self, endpoint_id: str, nodes: Sequence[str], resume: bytes | None = None) -> int:
        token = self._connections.token()
        return self._connections.ask(endpoint_id, frames.Browse(token=token, nodes=tuple(nodes), resume=resume))

    def details(self, endpoint_id: str, nodes: Sequence[str]) -> int:
        token = self._connections.token()
        return self._connections.ask(endpoint_id, frames.Details(token=token, nodes=tuple(nodes)))

    def read(self, endpoint_id: str, items: Sequence[Item]) -> int:
        """Read now. Refused with the reason when one of the items is a tag's and another device answers (``ConnectionState.held``)."""
        token = self._connections.token()
        of_tags = any(self.project.tags_at(endpoint_id, item.address) for item in items)
        return self._connections.ask(endpoint_id, frames.Read(token=token, items=tuple(items)), of_tags=of_tags)

    def crawl(self, endpoint_id: str, root: str, limit: int) -> int:
        """Everything below ``root``; comes in several replies."""
        token = self._connections.token()
        return self._connections.ask(endpoint_id, frames.Crawl(token=token, root=root, limit=limit))

    def discover(self, url: str) -> int:
        """What answers at a URL; no endpoint is needed."""
        return self._connections.discover(url)

    def ask(self, endpoint_id: str, question: Question) -> int:
        """Something only its driver understands; comes in one or several replies, of the question's ``ANSWERS``."""
        kind, body = packed(question)
        return self._connections.ask(endpoint_id, frames.Ask(token=self._connections.token(), question=kind, body=body), type(question))

    def ask_anywhere(self, question: Anywhere) -> int:
        """A question that needs no endpoint, asked in a process of its own."""
        return self._connections.ask_anywhere(question)

    def cancel(self, token: int) -> None:
        self._connections.cancel(token)

    def idle(self, timeout_s: float) -> None:
        """Sleep until something has come for ``pump``, at most so long; for loops of commands."""
        self._connections.inbox.wait(timeout_s)

    def wait(self, token: int, timeout_s: float) -> Result:
        """``wait_all`` with the parts of a crawl joined; of another request the last one.

        Raises:
            UserError: As ``wait_all``.
        """
        return joined(self.wait_all(token, timeout_s))

    def wait_all(self, token: int, timeout_s: float) -> list[Result]:
        """Pump until a request is answered; every part. What else comes meanwhile is in the next ``pump``.

        Raises:
            UserError: The answer is one, or none came in time; the request is cancelled then.
        """
        deadline_s = self._clock.monotonic_s() + timeout_s
        parts: list[Result] = []
        while True:
            arrived = self.pump()
            mine = [reply for reply in arrived.replies if reply.token == token]
            self._kept = arrived._replace(replies=[reply for reply in arrived.replies if reply.token != token])
            for reply in mine:
                if isinstance(reply.result, UserError):
                    raise reply.result
                parts.append(reply.result)
                if reply.done:
                    return parts
            if self._clock.monotonic_s() > deadline_s:
                self.cancel(token)
                why = f"nothing came within {timeout_s:g} s"
                raise EndpointError("No answer", where=f"request {token}", why=why, fix="Check the connection, or allow more time")
            self.idle(PUMP_S)
