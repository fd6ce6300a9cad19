"""Ten thousand tags for half an hour, one fault a minute: memory, files and processes stay what they were.

``TAGLOOM_SOAK_MINUTES`` is another length, a day for example.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import numpy as np
import psutil
import pytest

from app.model.plant import Tag
from tests.faults.files import open_files
from tests.faults.soak_plant import SoakPlant, soak_plant

MINUTES: Final = float(os.environ.get("TAGLOOM_SOAK_MINUTES", "30"))
DRIFT: Final = 0.05
FAULT_EVERY_S: Final = 60.0
MEASURE_EVERY_S: Final = 2.0
BACK_S: Final = 15.0
SHARE: Final = 0.8
"""Of all values that could come, at least so many do: faults take the rest."""
WARM_UP: Final = 0.2
YOUNG: Final = 0.35
"""A connector that lived for less of the time is too young for a trend."""
pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are stopped with POSIX signals")


def faults(plant: SoakPlant, endpoint: str) -> dict[str, Callable[[], None]]:
    server, link = plant.endpoints[endpoint]

    def for_a_while(begin: Callable[[], None], end: Callable[[], None], seconds: float) -> Callable[[], None]:
        def fault() -> None:
            begin()
            plant.run(seconds)
            end()

        return fault

    def kill_connector() -> None:
        psutil.Process(plant.connectors()[endpoint]).kill()

    return {
        "server killed": for_a_while(server.kill, server.start, 3),
        "server hangs": for_a_while(server.freeze, server.thaw, 7),
        "bytes dropped": for_a_while(link.drop, link.mend, 8),
        "link hangs": for_a_while(link.hang, link.mend, 4),
        "link refuses": for_a_while(link.refuse, link.mend, 5),
        "link reset": link.reset,
        "cut at byte N": lambda: link.cut(4_000),
        "connector killed": kill_connector,
    }


class Measured:
    """Memory of this process, which is the window's side of it, and of each connector by its process id."""

    def __init__(self, plant: SoakPlant) -> None:
        self._plant = plant
        self.begun_s = time.monotonic()
        self.memory: dict[str, list[tuple[float, int]]] = {}
        self.files: list[int] = []
        self.processes: list[int] = []
        self._next_s = 0.0

    def measure(self) -> None:
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + MEASURE_EVERY_S
        own = psutil.Process()
        named = {f"{endpoint} {pid}": pid for endpoint, pid in self._plant.connectors().items()}
        for name, pid in {"window's side": own.pid, **named}.items():
            try:
                resident = psutil.Process(pid).memory_info().rss
            except psutil.NoSuchProcess:
                continue
            self.memory.setdefault(name, []).append((now_s - self.begun_s, resident))
        self.files.append(open_files())
        self.processes.append(len(own.children(recursive=True)))

    def drifts(self, duration_s: float) -> dict[str, tuple[float, float]]:
        """Name → (share by which it grew, by a line through all after its own warm-up; mean in MB).

        A process that was started again has a warm-up too: the burst in it makes its heap as large as it will be.
        """
        found = {}
        for name, points in self.memory.items():
            at_s, resident = np.array(points, float).T
            kept = at_s > at_s[0] + WARM_UP * duration_s
            if kept.sum() < 10 or at_s[kept][-1] - at_s[kept][0] < YOUNG * duration_s:
                continue
            slope = float(np.polyfit(at_s[kept], resident[kept], 1)[0])
            found[name] = slope * (at_s[kept][-1] - at_s[kept][0]) / resident[kept].mean(), resident[kept].mean() / 2**20
        return found


@pytest.mark.prove("soak")
@pytest.mark.timeout(int(MINUTES * 60 + 600))
def test_that_memory_files_and_processes_stay_what_they_were(tell: Callable[[str], None]) -> None:
    seed = os.environ.get("TAGLOOM_FAULT_SEED") or str(time.time_ns() % 10**6)
    chance, done, recovery = random.Random(seed), Counter[str](), list[float]()
    with soak_plant() as plant:
        plant.live.connect_all()
        plant.live.want("soak", list(plant.live.project.all(Tag)))
        begin(plant)
        measured, came = Measured(plant), plant.values
        duration_s = MINUTES * 60
        while (passed_s := time.monotonic() - measured.begun_s) < duration_s:
            plant.look()
            measured.measure()
            if passed_s > FAULT_EVERY_S / 2 + FAULT_EVERY_S * done.total() and passed_s < duration_s - 20:
                endpoint = chance.choice(list(plant.endpoints))
                fault = chance.choice(list(faults(plant, endpoint)))
                done[fault] += 1
                faults(plant, endpoint)[fault]()
                plant.run(0.5)
                recovery.append(plant.until(lambda endpoint=endpoint: not plant.missing(endpoint), BACK_S + 5))  # type: ignore[misc]  # mypy and lambdas
                if fault == "connector killed":  # the new one has its burst while it warms up, as the first one had
                    burst(plant, endpoint)
        came = plant.values - came
        left = {endpoint: len(plant.missing(endpoint, every=1)) for endpoint in plant.endpoints}
        report(tell, seed, measured, done, recovery, came, duration_s)
        warnings = [entry.text for entry in plant.logs if entry.level in ("WARNING", "ERROR")]
    judge(measured, recovery, came, duration_s, left)
    assert len(warnings) <= done.total(), warnings


def begin(plant: SoakPlant) -> None:
    """Everything is there once, what is kept of it has its memory, and each connector has had the largest burst that there will be."""
    for endpoint in plant.endpoints:
        assert plant.until(lambda endpoint=endpoint: not plant.missing(endpoint), 90) < 90, plant.logs  # type: ignore[misc]  # mypy and lambdas
    plant.fill_history()
    for endpoint in plant.endpoints:
        burst(plant, endpoint)


def burst(plant: SoakPlant, endpoint: str) -> None:
    """What a server has queued that hung, at once. 4 MB of a connector's heap stay free after the first one, and are used for the next."""
    faults(plant, endpoint)["server hangs"]()
    plant.until(lambda: not plant.missing(endpoint), BACK_S + 5)


def report(
    tell: Callable[[str], None], seed: str, measured: Measured, done: Counter[str], recovery: list[float], came: int, duration_s: float
) -> None:
    tell(f"\nTAGLOOM_FAULT_SEED={seed}: {duration_s / 60:g} min, {came:,} values, {came / duration_s:,.0f} a second")
    tell(f"faults: {', '.join(f'{count} {name}' for name, count in done.items())}")
    tell(f"back after {', '.join(f'{one:.1f}' for one in recovery)} s")
    for name, (drift, mean_mb) in measured.drifts(duration_s).items():
        tell(f"memory of {name}: {mean_mb:.0f} MB, drift {drift:+.1%} (allowed {DRIFT:.0%})")
    settled = measured.files[len(measured.files) // 5 :]
    tell(f"files open {min(settled)} to {max(settled)}, at the end {settled[-1]}; processes at the end {measured.processes[-1]}")


def judge(measured: Measured, recovery: list[float], came: int, duration_s: float, left: dict[str, int]) -> None:
    drifts = measured.drifts(duration_s)
    assert "window's side" in drifts
    assert {name: drift for name, (drift, _) in drifts.items() if drift > DRIFT} == {}
    assert left == dict.fromkeys(left, 0), "tags without a value at the end"
    assert max(recovery, default=0) <= BACK_S
    assert came > SHARE * 10_000 * duration_s
    calm = np.array(measured.files[len(measured.files) // 5 :])
    assert calm[-1] <= np.median(calm) + 2, "files are left open"
    assert measured.processes[-1] == int(np.median(measured.processes)), "processes are left"
