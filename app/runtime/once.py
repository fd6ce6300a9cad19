"""Requests that need no connection (discovery, ``Anywhere``): each in a connector process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from app.connector import frames
from app.drivers.questions import Question
from app.errors import EndpointError
from app.runtime.answers import result_of
from app.runtime.clock import Clock
from app.runtime.inbox import Inbox
from app.runtime.process import ConnectorGoneError, ConnectorProcess, to_the_end
from app.runtime.state import LogEntry, Reply, Result


@dataclass(frozen=True, slots=True)
class Once:
    """A request that needs no session.

    Attributes:
        where: What is asked, for the log and for errors.
        question: Of an ``Ask``: what its answers are.
    """

    frame: frames.Discover | frames.Ask
    where: str
    timeout_s: float
    question: type[Question] | None = None


async def ask_once(once: Once, *, inbox: Inbox, clock: Clock, command: Sequence[str]) -> None:
    """Ask in a connector of its own, which ends with the last answer; each is put into the inbox as a ``Reply``."""
    frame = once.frame

    def log(line: str) -> None:
        inbox.log(LogEntry(clock.wall_ns(), "INFO", once.where, line))

    try:
        process = await ConnectorProcess.start(command, log)
    except OSError as error:
        failure = EndpointError("Cannot start the connector", where=once.where, why=str(error), fix="Install the program again")
        inbox.put(Reply(frame.token, failure, done=True))
        return
    try:
        async with asyncio.timeout(once.timeout_s + 5):
            result = await _last_answer(process, once, inbox)
    except (frames.FrameError, ConnectorGoneError, TimeoutError) as error:
        why = str(error) or "no answer in time"
        result = EndpointError("Nothing found out", where=once.where, why=why, fix="Check the address and try again")
    finally:
        await to_the_end(process.stop())
    inbox.put(Reply(frame.token, result, done=True))


async def _last_answer(process: ConnectorProcess, once: Once, inbox: Inbox) -> Result:
    """Passes the answers before the last one on by itself."""
    process.send(once.frame)
    while True:
        got, _ = await process.receive()
        if isinstance(got, frames.Replied) and got.token == once.frame.token and (result := result_of(got, once.question)) is not None:
            if got.done:
                return result
            inbox.put(Reply(got.token, result, done=False))
