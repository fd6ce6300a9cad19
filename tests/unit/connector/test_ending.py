"""The end of a connector process, when something is in its way."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress

import psutil
import pytest

from app.runtime import process as ending
from app.runtime.process import ConnectorProcess, to_the_end

pytestmark = pytest.mark.skipif(os.name == "nt", reason="made with POSIX signals")
STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", file=sys.stderr, flush=True)
time.sleep(60)
"""
HEIR = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
heir = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.DEVNULL)
print(heir.pid, file=sys.stderr, flush=True)
time.sleep(60)
"""


async def begun(script: str) -> tuple[ConnectorProcess, str]:
    """A process that has said its first line, and that line."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    process = await ConnectorProcess.start([sys.executable, "-c", script], lines.put_nowait)
    async with asyncio.timeout(30):
        return process, await lines.get()


async def test_that_who_inherits_the_pipes_of_a_connector_does_not_hold_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "GOODBYE_S", 0.2)
    monkeypatch.setattr(ending, "KILL_S", 0.2)
    process, heir = await begun(HEIR)
    try:
        async with asyncio.timeout(10):
            await process.stop()
        assert not psutil.pid_exists(process.pid)
    finally:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(int(heir)).kill()


async def test_that_an_end_that_is_interrupted_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "GOODBYE_S", 0.2)
    process, _ = await begun(STUBBORN)
    stopping = asyncio.create_task(to_the_end(process.stop()))
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert not psutil.pid_exists(process.pid)
