"""What is done to a lane: one function for each kind of fault. Each returns when the link is back, and says when that was."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import psutil

from tests.faults.lane import ENDPOINT, Kind, Lane

DAY_S: Final = 86_400.0
NAMES: Final = tuple(f"{space}/{number}" for space in ("line", "plc") for number in range(6))


@dataclass(frozen=True)
class Planned:
    """``name`` of a variable, ``amount`` of bytes, operations or such: what the kind needs of them."""

    kind: str
    seconds: float
    amount: int
    name: str

    def __str__(self) -> str:
        return f"{self.kind}({self.seconds:g} s, {self.amount}, {self.name})"


Doer = Callable[[Lane, Planned], float]


def kill(lane: Lane, planned: Planned) -> float:
    lane.home.kill()
    lane.run(planned.seconds)
    lane.restart()
    lane.expected = set(lane.judge_tags)
    return time.monotonic()


def freeze(lane: Lane, planned: Planned) -> float:
    """The server hangs: its sockets accept and say nothing."""
    lane.home.freeze()
    try:
        lane.run(planned.seconds)
    finally:
        lane.home.thaw()
    return time.monotonic()


def drop(lane: Lane, planned: Planned) -> float:
    lane.link.drop()
    return _until_mended(lane, planned.seconds)


def hang(lane: Lane, planned: Planned) -> float:
    lane.link.hang()
    return _until_mended(lane, planned.seconds)


def refuse(lane: Lane, planned: Planned) -> float:
    lane.link.refuse()
    return _until_mended(lane, planned.seconds)


def reset(lane: Lane, planned: Planned) -> float:
    lane.link.reset()
    return time.monotonic()


def orphan(lane: Lane, planned: Planned) -> float:
    """The link is good at once, but not for the connection that stands."""
    lane.link.orphan()
    return time.monotonic()


def slow(lane: Lane, planned: Planned) -> float:
    """No loss: values come all the while, only later."""
    delay_s = planned.amount % 250 / 1000
    lane.judge.held_s = delay_s + 0.3  # and the queue before a narrow link
    lane.link.delay(delay_s)
    lane.link.limit(32_000)
    lane.run(planned.seconds)
    lane.until(lane.is_back, "no values over a slow link")
    lane.link.mend()
    lane.run(1.0)
    lane.judge.held_s = 0.0
    return time.monotonic()


def cut(lane: Lane, planned: Planned) -> float:
    lane.link.cut(planned.amount, "up" if planned.amount % 3 == 0 else "down")
    deadline_s = time.monotonic() + 10
    while not lane.link.is_cut and time.monotonic() < deadline_s:
        lane.run(0.05)
    lane.link.mend()
    return time.monotonic()


def permute(lane: Lane, planned: Planned) -> float:
    """A restart with the namespaces in another order."""
    lane.swapped = not lane.swapped
    lane.restart(*(["--swap"] if lane.swapped else []))
    lane.expected = set(lane.judge_tags)
    return time.monotonic()


def _restarted(how: str) -> Doer:
    def restarted(lane: Lane, planned: Planned) -> float:
        lane.restart(f"--{how}", planned.name)
        lane.expected = set(lane.judge_tags) - {planned.name}
        return time.monotonic()

    return restarted


def _running(how: str) -> Doer:
    """While it runs; after a while the variable is again as it was."""

    def running(lane: Lane, planned: Planned) -> float:
        lane.home.tell(f"{how} {planned.name}")
        lane.expected.discard(planned.name)
        lane.run(planned.seconds)
        lane.home.tell(f"add {planned.name}")
        lane.expected.add(planned.name)
        return time.monotonic()

    return running


def fewer(lane: Lane, planned: Planned) -> float:
    """A restart with a server that takes fewer operations at once than it says."""
    lane.restart("--most", str(1 + planned.amount % 9))
    lane.expected = set(lane.judge_tags)
    return time.monotonic()


def fewer_running(lane: Lane, planned: Planned) -> float:
    lane.home.tell(f"most {1 + planned.amount % 9}")
    lane.link.reset()
    return time.monotonic()


def deleted_loudly(lane: Lane, planned: Planned) -> float:
    lane.home.tell("drop-loudly")
    return time.monotonic()


def deleted_silently(lane: Lane, planned: Planned) -> float:
    lane.home.tell("drop-silently")
    return time.monotonic()


def exchange(lane: Lane, planned: Planned) -> float:
    """Another server answers at the address, and then the project's own again."""
    expected, lane.expected = lane.expected, set()
    lane.link.redirect(lane.other.port)
    lane.run(planned.seconds)
    lane.link.redirect(lane.home.port)
    lane.expected = expected
    return time.monotonic()


def clock_jump(lane: Lane, planned: Planned) -> float:
    """Changes nothing at all: the values stay live at every look."""
    lane.clock.set_wall(DAY_S if planned.amount % 2 else -DAY_S)
    end_s = time.monotonic() + 1.0
    while time.monotonic() < end_s:
        lane.run(0.05)
        assert not lane.missing(), f"a clock that was set made values stale: {lane.words()}"
    return time.monotonic()


def sleep(lane: Lane, planned: Planned) -> float:
    """The computer sleeps: the connector stands still, and the runtime wakes up later."""
    connector = lane.connector()
    if connector is not None:
        connector.suspend()
    time.sleep(planned.seconds)  # nothing of ours looks while the computer sleeps
    lane.clock.sleep(600.0)
    lane.look()
    if connector is not None:
        connector.resume()
    return time.monotonic()


def connector_killed(lane: Lane, planned: Planned) -> float:
    if (connector := lane.connector()) is not None:
        try:
            connector.kill()
        except psutil.NoSuchProcess:
            return time.monotonic()
        lane.until(lambda: lane.live.state(ENDPOINT).phase != "connected", "a killed connector went unnoticed", 2)
    return time.monotonic()


def _until_mended(lane: Lane, seconds: float) -> float:
    lane.run(seconds)
    lane.link.mend()
    return time.monotonic()


OF_LINKS: Final[Mapping[str, Doer]] = {
    "server killed": kill,
    "server hangs": freeze,
    "bytes dropped": drop,
    "link hangs": hang,
    "link refuses": refuse,
    "link reset": reset,
    "link orphaned": orphan,
    "link slow": slow,
    "cut at byte N": cut,
    "servers exchanged": exchange,
    "clock set": clock_jump,
    "computer slept": sleep,
    "connector killed": connector_killed,
}
OF_OPCUA: Final[Mapping[str, Doer]] = {
    "namespaces permuted": permute,
    "removed at restart": _restarted("remove"),
    "retyped at restart": _restarted("retype"),
    "usurped at restart": _restarted("usurp"),
    "removed while running": _running("remove"),
    "retyped while running": _running("retype"),
    "usurped while running": _running("usurp"),
    "limits lowered at restart": fewer,
    "limits lowered": fewer_running,
    "deleted loudly": deleted_loudly,
    "deleted silently": deleted_silently,
}
ALL: Final[Mapping[str, Doer]] = {**OF_LINKS, **OF_OPCUA}
WITHOUT_LOSS: Final = frozenset({"clock set", "link slow", "removed while running", "retyped while running", "usurped while running"})
"""Nothing is lost, so nothing may be said to be; a server may well be asked anew about one variable."""
SERVER_STOOD_STILL: Final = frozenset({"server hangs", "computer slept"})


RARELY: Final = frozenset({"link orphaned"})
"""Each second time only: by the rule for the watchdog, it takes six seconds to notice, and the list of the issue does not have it."""


def schedule(seed: str, kind: Kind, count: int, *, short: bool = False) -> list[Planned]:
    """The same for the same seed. Every kind comes before one comes again."""
    chance = random.Random(seed)
    kinds = [*OF_LINKS, *(OF_OPCUA if kind != "modbus" else ())]
    order: list[str] = []
    rounds = 0
    while len(order) < count:
        some = [one for one in kinds if rounds % 2 or one not in RARELY]
        order += chance.sample(some, len(some))
        rounds += 1
    return [_planned(chance, one, short) for one in order[:count]]


def _planned(chance: random.Random, kind: str, short: bool) -> Planned:
    if kind in ("servers exchanged", "link slow") or kind.endswith("while running"):
        seconds = chance.uniform(2.0, 4.0)
    else:
        seconds = chance.choice([chance.uniform(0.2, 2.0), chance.uniform(2.0, 9.0)])
    return Planned(kind, round(min(seconds, 1.0) if short else seconds, 1), int(10 ** chance.uniform(0, 4.3)), chance.choice(NAMES))
