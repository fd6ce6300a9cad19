"""Autouse fixtures that fail a test which leaves something behind: asyncio tasks, threads, child processes, log records.

Set up before a test's own fixtures and so checked after these were torn down. What a fixture of a wider scope starts
is not the test's, provided that the test names that fixture (one got by `getfixturevalue` in the test is).
"""

import asyncio
import inspect
import logging
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator

import psutil
import pytest

GRACE_S = 3.0  # how long after the teardown something that is ending may take to end

# Threads that may outlive a test, by name, and why.
LASTING_THREADS = {
    r"^Dummy-\d+$": "a thread of Qt's own pool that once called Python; Qt ends it when it has been idle for long",
    r"^pytest_timeout ": "the timer of the test's own time limit, where signals do not serve (Windows)",
}


@pytest.fixture(autouse=True)
def only_expected_logs(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that logs from WARNING up, but for records named by its markers.

    `@pytest.mark.expect_log("regex", …)`: each must be matched by at least one record.
    `@pytest.mark.allow_log("regex", reason="…")`: may be matched; for noise of a library that comes or not.
    Both are searched in "LEVEL logger: message".
    """
    seen: list[str] = []
    handler = _Recorder(seen)
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    expected = [pattern for marker in request.node.iter_markers("expect_log") for pattern in marker.args]
    allowed = [marker.args[0] for marker in request.node.iter_markers("allow_log") if marker.kwargs["reason"]]
    surprises = [text for text in seen if not any(re.search(pattern, text) for pattern in (*expected, *allowed))]
    missing = [pattern for pattern in expected if not any(re.search(pattern, text) for text in seen)]
    if surprises:
        pytest.fail("unexpected log records:\n  " + "\n  ".join(surprises), pytrace=False)
    if missing:
        pytest.fail(f"expected log records did not come: {', '.join(missing)}", pytrace=False)


class _Recorder(logging.Handler):
    def __init__(self, seen: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._seen = seen

    def emit(self, record: logging.LogRecord) -> None:
        error = f" ({record.exc_info[1]!r})" if record.exc_info else ""
        self._seen.append(f"{record.levelname} {record.name}: {record.getMessage()}{error}")


@pytest.fixture(autouse=True)
def no_child_process_left(no_thread_left: None) -> Iterator[None]:
    """Asked for before the threads are: a thread that waits for a child ends with it."""
    before = _children()
    yield
    _, left = psutil.wait_procs(_children() - before, timeout=GRACE_S)
    left = [child for child in left if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]  # a zombie has ended
    if left:
        names = [f"{child.pid} {_command(child)}" for child in left]
        for child in left:
            child.kill()  # so that the next tests start clean
        pytest.fail("child processes left running:\n  " + "\n  ".join(names), pytrace=False)


def _children() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return "(ended meanwhile)"


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before and not _may_last(thread)]
    deadline = time.monotonic() + GRACE_S
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    alive = [repr(thread) for thread in left if thread.is_alive()]
    if alive:
        pytest.fail("threads left running:\n  " + "\n  ".join(alive), pytrace=False)


def _may_last(thread: threading.Thread) -> bool:
    return any(re.search(pattern, thread.name) for pattern in LASTING_THREADS)


@pytest.fixture(autouse=True)
def no_asyncio_task_left(request: pytest.FixtureRequest, only_expected_logs: None, no_child_process_left: None) -> None:
    """Looks into the loop of an async test, or of a test with an async fixture, before pytest-asyncio closes it."""
    fixtures = request.node._fixtureinfo.name2fixturedefs.values()  # pytest has no public way to a test's fixtures
    functions = [request.function, *(definitions[-1].func for definitions in fixtures)]
    if any(inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function) for function in functions):
        request.getfixturevalue("_loop_without_tasks")


@pytest.fixture
async def _loop_without_tasks() -> AsyncIterator[None]:
    yield
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=GRACE_S)
    if left:
        names = sorted(repr(task) for task in left)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        pytest.fail("asyncio tasks left pending:\n  " + "\n  ".join(names), pytrace=False)
