"""The cap on a connector's memory."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from app.connector.command import MEMORY_VARIABLE, connector_environment

ROOT = Path(__file__).parents[3]
GREEDY = """
from app.connector.memory import limit_memory
limit_memory()
try:
    eaten = bytearray(700 * 2**20)
except MemoryError:
    print("capped")
else:
    print("eaten")
"""


def told(megabytes: str) -> str:
    environment = connector_environment() | {MEMORY_VARIABLE: megabytes}
    return subprocess.run(
        [sys.executable, "-c", GREEDY], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS keeps to no cap")
@pytest.mark.parametrize(("megabytes", "what"), [("512", "capped"), ("0", "eaten"), ("", "eaten")])
def test_that_a_greedy_connector_is_refused_memory_beyond_its_cap(megabytes: str, what: str) -> None:
    assert told(megabytes) == what


FREED = """
import psutil
from app.connector.memory import give_back
def resident(): return psutil.Process().memory_info().rss / 2**20
blocks = [bytes(10_000) for _ in range(20_000)]
last = blocks.pop()
del blocks
before = resident()
give_back()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators give back by themselves")
def test_that_what_is_free_below_what_is_used_goes_back_to_the_system() -> None:
    told = subprocess.run([sys.executable, "-c", FREED], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert float(told) > 150  # MB


if sys.platform == "win32":

    def test_that_the_limits_of_a_job_have_the_size_that_windows_expects() -> None:
        import ctypes

        from app.connector import memory

        assert ctypes.sizeof(memory._ExtendedLimits) == (144 if sys.maxsize > 2**32 else 112)
