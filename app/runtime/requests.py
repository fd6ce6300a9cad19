"""Questions that wait for answers: who was asked, what was cancelled, what came that nobody took yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.errors import UserError
from app.runtime.state import Reply

if TYPE_CHECKING:
    from app.runtime.io_thread import Job
    from app.runtime.link import Link


class Requests:
    """Tokens of one project. Lives on the owner's thread."""

    def __init__(self) -> None:
        self._next = 1
        self._open: dict[int, Link | Job | None] = {}
        self._ready: list[Reply] = []

    def begin(self) -> int:
        token, self._next = self._next, self._next + 1
        self._open[token] = None
        return token

    def asked(self, token: int, whom: Link | Job) -> None:
        self._open[token] = whom

    def refuse(self, token: int, why: UserError) -> None:
        """Answer without asking anybody; it comes with the next ``pump`` like any other."""
        self._ready.append(Reply(token, why, done=True))

    def cancel(self, token: int) -> Link | Job | None:
        """End a request: its answer is "cancelled", whatever comes later is left out.

        Returns:
            Whom to tell; None when it was answered already.
        """
        if token not in self._open:
            return None
        whom = self._open[token]
        self.refuse(token, UserError("Cancelled", where="this request", why="it was cancelled before the answer was complete"))
        self._open[token] = None
        return whom

    def accept(self, replies: list[Reply]) -> list[Reply]:
        """Those replies that somebody still waits for, with what was decided here."""
        ready, self._ready = self._ready, []
        decided = {reply.token for reply in ready}
        accepted = [reply for reply in replies if reply.token in self._open and reply.token not in decided] + ready
        for reply in accepted:
            if reply.done:
                self._open.pop(reply.token, None)
        return accepted
