"""One thread with one event loop for all connections."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio  # imported with the first connection: the window starts sooner without


class Job:
    """Something that runs on the I/O thread until it is done or stopped. ``stop`` may be called from any thread, and again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[object, object, None]) -> None:
        self._loop, self._coroutine = loop, coroutine
        self.task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """On the loop."""
        self.task = self._loop.create_task(self._coroutine)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self.cancel)

    def cancel(self) -> None:
        """On the loop. Once only: a second cancellation would interrupt the tidying up after the first."""
        if self.task is not None and not self.task.cancelling():
            self.task.cancel()


class IoThread:
    """The thread starts at the first use, so that a project that never connects has none. One other thread owns this object."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._jobs: list[Job] = []

    def start(self, coroutine: Coroutine[object, object, None]) -> Job:
        """Run a coroutine on the loop."""
        loop = self._running_loop()
        self._jobs = [job for job in self._jobs if job.task is None or not job.task.done()]
        job = Job(loop, coroutine)
        self._jobs.append(job)
        loop.call_soon_threadsafe(job.begin)
        return job

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function on the loop, soon."""
        self._running_loop().call_soon_threadsafe(function, *arguments)

    def stop(self, timeout_s: float) -> bool:
        """Stop every job and end the thread; says whether all ended in time. Safe twice, and when nothing was started."""
        if self._loop is None or self._thread is None:
            return True
        import asyncio

        finished = asyncio.run_coroutine_threadsafe(self._finish(timeout_s), self._loop).result(timeout_s + 1)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(1)
        self._loop = self._thread = None
        return finished

    async def _finish(self, timeout_s: float) -> bool:
        import asyncio

        for job in self._jobs:
            job.cancel()
        tasks = [job.task for job in self._jobs if job.task is not None]
        _, late = await asyncio.wait(tasks, timeout=timeout_s) if tasks else (set(), set())
        return not late

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            import asyncio

            self._loop = asyncio.new_event_loop()
            # A daemon, so that a program that forgot to close still ends; its connectors end with their pipes.
            self._thread = Thread(target=_run, args=(self._loop,), name="tagloom-io", daemon=True)
            self._thread.start()
        return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    import asyncio

    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
