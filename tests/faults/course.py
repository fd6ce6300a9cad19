"""The course of a schedule: faults one after the other in each lane, lanes side by side, and what came of each."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from app.model.plant import Tag
from app.runtime.patience import SETTLE_S
from tests.faults.faults import ALL, SERVER_STOOD_STILL, WITHOUT_LOSS, Planned, schedule
from tests.faults.lane import ENDPOINT, GIVE_UP_S, Kind, Lane, lane
from tests.peers.telltale import read, value_of

P95_S: Final = 5.0
LONGEST_S: Final = 15.0
SHORT_SETTLE_S: Final = 0.5
LOG_LATE_S: Final = 5.0
AGAIN: Final = "Connected again"
FILLED_S: Final = 4.0
"""A hang of the link shorter than this loses no connection, so that a queue of 20 s in the server holds all of it."""


@dataclass
class Outcome:
    """Of one fault. ``complaints`` are what must not be; each is a sentence."""

    lane: str
    planned: Planned
    recovery_s: float = float("inf")
    wrong: int = 0
    stale_live: int = 0
    open_holes: int = 0
    gaps: int = 0
    filled: bool = False
    warnings: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def outcome_of(one: Lane, name: str, planned: Planned) -> Outcome:
    """Do it, wait until every tag is back, and judge."""
    outcome = Outcome(name, planned)
    judge, logged = one.judge, len(one.logs)
    wrong, stale_live = len(judge.wrong), len(judge.stale_live)
    begun_ms = read(value_of(0)).made_ms
    back_s = ALL[planned.kind](one, planned)
    back_ms = read(value_of(0)).made_ms
    while not one.is_back(back_ms) and time.monotonic() - back_s < GIVE_UP_S:
        one.run(0.02)
    if one.is_back(back_ms):
        outcome.recovery_s = time.monotonic() - back_s
    else:
        outcome.complaints.append(f"dead: {one.words()}")
    one.run(one.calm_s)
    _let_the_log_settle(one, logged)
    outcome.wrong, outcome.stale_live = len(judge.wrong) - wrong, len(judge.stale_live) - stale_live
    outcome.complaints += [text for text in (*judge.wrong[wrong:], *judge.stale_live[stale_live:]) if text][:5]
    _judge_holes(one, outcome, begun_ms)
    _judge_log(one, outcome, logged)
    return outcome


def _let_the_log_settle(one: Lane, logged: int) -> None:
    """A busy machine is late in telling that an outage is over."""
    end_s = time.monotonic() + LOG_LATE_S
    while time.monotonic() < end_s:
        entries = one.logs[logged:]
        if not any(entry.level == "WARNING" for entry in entries) or any(entry.text.startswith(AGAIN) for entry in entries):
            return
        one.run(0.1)


def _judge_holes(one: Lane, outcome: Outcome, begun_ms: int) -> None:
    for tag in sorted(one.expected):
        open_holes, marked = one.judge.holes(tag, begun_ms)
        outcome.gaps += marked
        if open_holes and not _made_fewer(one, outcome.planned.kind):
            outcome.open_holes += open_holes
            outcome.complaints.append(f"{open_holes} holes of {tag} are not marked")
        if outcome.planned.kind == "link hangs" and outcome.planned.seconds < FILLED_S and one.kind != "modbus":
            deep = one.live.project.all(Tag)[tag].group == "deep"
            outcome.filled = outcome.filled or deep
            if deep and (open_holes or marked):
                outcome.complaints.append(f"the server's queue held what {tag} missed, and it was not filled in")


def _made_fewer(one: Lane, kind: str) -> bool:
    """Whether there were no values to miss: nobody made any, or a polled device was asked more rarely over a slow link."""
    return kind in SERVER_STOOD_STILL or (kind == "link slow" and one.kind == "modbus")


def _judge_log(one: Lane, outcome: Outcome, logged: int) -> None:
    entries = one.logs[logged:]
    outcome.warnings = [entry.text for entry in entries if entry.level in ("WARNING", "ERROR")]
    again = [entry.text for entry in entries if entry.level == "INFO" and entry.text.startswith(AGAIN)]
    most = 0 if outcome.planned.kind in WITHOUT_LOSS else 2 if outcome.planned.kind == "servers exchanged" else 1
    if len(outcome.warnings) > most or len(again) > most:
        outcome.complaints.append(f"told more than once: {outcome.warnings}, {again}")
    if outcome.warnings and not again:
        outcome.complaints.append(f"a loss without its end: {outcome.warnings}; then {[entry.text for entry in entries][-4:]}")
    if one.live.state(ENDPOINT).phase != "connected":
        outcome.complaints.append(f"not connected at the end: {one.words()}")


def run_lane(kind: Kind, name: str, folder: Path, planned: Sequence[Planned], settle_s: float) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with lane(kind, folder, settle_s) as one:
        for fault in planned:
            outcomes.append(outcome_of(one, name, fault))
            if outcomes[-1].recovery_s == float("inf"):
                break  # what comes after would only say the same again
        outcomes[-1].complaints += [f"{one.judge.values} values were seen"] if not one.judge.values else []
    return outcomes


def run_lanes(
    kinds: Sequence[Kind], folder: Path, seed: str, count: int, tell: Callable[[str], object], *, short: bool = False
) -> list[Outcome]:
    """``count`` faults over all lanes; each lane has a schedule of its own. ``short`` ones are over in a second or two."""
    names = [f"{kind}-{place}" for place, kind in enumerate(kinds)]
    each = -(-count // len(kinds))
    plans = {name: schedule(f"{seed}/{name}", kind, each, short=short) for name, kind in zip(names, kinds, strict=True)}
    tell(f"TAGLOOM_FAULT_SEED={seed}")
    for name, plan in plans.items():
        tell(f"  {name}: {', '.join(map(str, plan))}")
    settle_s = SHORT_SETTLE_S if short else SETTLE_S
    with ThreadPoolExecutor(len(kinds)) as threads:
        running = [
            threads.submit(run_lane, kind, name, folder / name, plans[name], settle_s) for name, kind in zip(names, kinds, strict=True)
        ]
        return [outcome for future in running for outcome in future.result()]


def table(outcomes: Sequence[Outcome]) -> str:
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_kind[outcome.planned.kind].append(outcome)
    lines = [f"{'fault':28}{'count':>6}{'p50 s':>8}{'p95 s':>8}{'max s':>8}{'wrong':>7}{'stale':>7}{'holes':>7}{'gaps':>7}{'warned':>8}"]
    for kind, some in [*sorted(by_kind.items()), ("all", list(outcomes))]:
        times = np.array([outcome.recovery_s for outcome in some])
        p50, p95 = np.percentile(times, [50, 95], method="higher")
        sums = [sum(getattr(one, name) for one in some) for name in ("wrong", "stale_live", "open_holes", "gaps")]
        warned = sum(len(one.warnings) for one in some)
        lines.append(
            f"{kind:28}{len(some):6}{p50:8.2f}{p95:8.2f}{times.max():8.2f}" + "".join(f"{number:7}" for number in sums) + f"{warned:8}"
        )
    return "\n".join(lines)


def complaints(outcomes: Sequence[Outcome], *, recovery: bool = True) -> list[str]:
    """What must not be. ``recovery`` judges the times too, which a busy machine makes longer."""
    found = [f"{one.lane}: {one.planned}: {text}" for one in outcomes for text in one.complaints]
    times = np.array([outcome.recovery_s for outcome in outcomes])
    p95 = float(np.percentile(times, 95, method="higher"))
    if recovery and p95 > P95_S:
        found.append(f"recovery p95 is {p95:.1f} s, allowed {P95_S:g} s")
    if recovery and times.max() > LONGEST_S:
        found.append(f"recovery took up to {times.max():.1f} s, allowed {LONGEST_S:g} s")
    return found
