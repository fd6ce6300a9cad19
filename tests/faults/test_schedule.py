"""Faults in random order through the whole stack: no value under a wrong tag, none live that is not, everything back in seconds.

``TAGLOOM_FAULT_SEED`` repeats a run; the seed and every fault are printed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests.faults.course import complaints, run_lanes, table
from tests.faults.files import open_files
from tests.faults.lane import Kind

LANES: Final[tuple[Kind, ...]] = ("opcua", "opcua", "secure", "secure", "modbus")
FAULTS: Final = 300
pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are stopped with POSIX signals")


def seed() -> str:
    return os.environ.get("TAGLOOM_FAULT_SEED") or str(time.time_ns() % 10**6)


def test_that_a_few_random_faults_are_survived_without_a_lie(tmp_path: Path) -> None:
    outcomes = run_lanes(("opcua", "modbus"), tmp_path, os.environ.get("TAGLOOM_FAULT_SEED", "3058"), 6, sys.stdout.write, short=True)
    sys.stdout.write(table(outcomes))
    assert complaints(outcomes, recovery=False) == []


@pytest.mark.prove("faults")
@pytest.mark.timeout(3600)
def test_that_three_hundred_random_faults_are_survived_without_a_lie(tmp_path: Path, tell: Callable[[str], None]) -> None:
    files = open_files()
    begun_s = time.monotonic()
    outcomes = run_lanes(LANES, tmp_path, seed(), FAULTS, tell)
    tell(table(outcomes))
    tell(f"{len(outcomes)} faults in {(time.monotonic() - begun_s) / 60:.1f} min; files open {files} → {open_files()}")
    assert complaints(outcomes) == []
    assert len(outcomes) >= FAULTS
    assert psutil.Process().children(recursive=True) == []
    assert open_files() <= files + 4, "files were left open"
