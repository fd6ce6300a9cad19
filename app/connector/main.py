"""The connector process: limits, logging, threads and the event loop around ``Connector``."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from itertools import count
from threading import Thread, Timer

from app.connector import frames
from app.connector.loop import Connector, Discoverer, Opener
from app.connector.memory import give_back, limit_memory
from app.connector.pipes import Outbox, read_exactly

CLOSE_S = 0.8
"""How long a session may take to say goodbye."""
END_S = 1.5
"""After the pipe closed, or ``Close``, the process is gone by then, whatever a library does."""

GIVE_BACK_ROUNDS = 15
"""Reports of memory between two times that what is free is handed back to the system: half a minute."""

_log = logging.getLogger(__name__)


def run(descriptor: int, open_session: Opener, discover: Discoverer) -> int:
    """Serve the parent until it closes standard input. Call it in a process of its own, with what ``claim_stdout`` gave."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C goes to the whole group; the parent decides, and closes the pipe
    _log_to_stderr()
    limit_memory()
    outbox = Outbox(descriptor, lambda dropped: frames.encode(frames.Gap(why="the program was too slow to take them", dropped=dropped)))
    asyncio.run(_serve(outbox, open_session, discover))
    outbox.end(END_S - CLOSE_S)
    return 0


async def _serve(outbox: Outbox, open_session: Opener, discover: Discoverer) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_on_stray_exception)
    ended = asyncio.Event()
    connector = Connector(outbox, open_session, discover)

    def from_parent(frame: frames.ToChild) -> None:
        if isinstance(frame, frames.Close):
            ended.set()
        else:
            connector.handle(frame)

    reader = Thread(target=_read, args=(loop, from_parent, ended.set), name="reader", daemon=True)
    reader.start()
    memory = asyncio.create_task(_report_memory(outbox))
    await ended.wait()
    _end_at_the_latest_in(END_S)
    memory.cancel()
    try:
        async with asyncio.timeout(CLOSE_S):
            await connector.close()
    except TimeoutError:
        _log.warning("the session did not close within %s s", CLOSE_S)


def _read(loop: asyncio.AbstractEventLoop, take: Callable[[frames.ToChild], None], end: Callable[[], object]) -> None:
    """Thread: frames from standard input to the loop, until the parent closes it or sends nonsense.

    A thread, as the event loops of Windows cannot wait for a pipe that another program made.
    """
    try:
        while prefix := read_exactly(0, frames.LENGTHS.size):
            header, payload = frames.lengths(prefix)
            frame = frames.decode_to_child(read_exactly(0, header), read_exactly(0, payload) if payload else b"")
            loop.call_soon_threadsafe(take, frame)
    except frames.FrameError:
        _log.exception("the program sent something that is no frame")
    except OSError as error:
        _log.warning("cannot read from the program: %s", error)
    except RuntimeError:  # the loop is closed: the process is about to end
        return
    _end_at_the_latest_in(END_S)  # from here, as a loop that is stuck in a library never hears of it
    try:
        loop.call_soon_threadsafe(end)
    except RuntimeError:
        return


def _end_at_the_latest_in(seconds: float) -> None:
    timer = Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()


def _log_to_stderr() -> None:
    """One line per record, first its level's letter, by which the parent sorts it into the program's log."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname).1s %(name)s: %(message)s", force=True)
    for name in ("asyncua", "pymodbus"):
        logging.getLogger(name).setLevel(logging.WARNING)


async def _report_memory(outbox: Outbox, every_s: float = 2.0) -> None:
    import psutil

    process = psutil.Process()
    for round_ in count(1):
        if round_ % GIVE_BACK_ROUNDS == 0:
            give_back()
        outbox.put(frames.encode(frames.Memory(rss_bytes=process.memory_info().rss)))
        await asyncio.sleep(every_s)


def _on_stray_exception(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """A library's forgotten task failed. It is logged with its traceback; the session goes on or ends by its own signs."""
    error = context.get("exception")
    text = "".join(traceback.format_exception(error)) if isinstance(error, BaseException) else ""
    _log.error("%s\n%s", context.get("message", "a task failed"), text)
