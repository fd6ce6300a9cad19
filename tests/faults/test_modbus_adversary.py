"""Sessions against devices that answer wrongly in every way there is: no value of another register is ever accepted, nothing hangs, and
when the device behaves again its values come.

What is assumed, because no client can tell it: over TCP, that a reply which carries the transaction id of a request is to that request
while it is the only one (of several in flight this is not assumed: their sizes differ); over RTU, that a unit
answers in order and once, and that what comes late is not spoiled as well.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from app.drivers.base import EndpointConfig, Item
from app.drivers.modbus.session import ModbusSession
from app.errors import EndpointError
from app.model.values import Quality
from tests.peers.modbus_adversary import TABLES, Adversary, Form, adversary, value

TIMEOUT_S = 0.04
PATIENT_S = 0.5
"""Of a session that is made when the device behaves again: then a reply that is late says only that this machine is busy."""
HANGS_S = 10.0
RECOVERS_S = 5.0


class Kind(NamedTuple):
    form: Form
    scheme: str
    in_flight: int


KINDS = {
    "tcp, one in flight": Kind("tcp", "modbus", 1),
    "tcp, several in flight": Kind("tcp", "modbus", 6),
    "rtu over tcp": Kind("rtu", "modbus-rtutcp", 1),
}


@dataclass
class Run:
    """One device and one client of it, until the device has spoiled so many replies.

    Attributes:
        wrong: What was accepted and is not so.
        back_s: How long it took to read every register again after the device began to behave.
    """

    kind: Kind
    seed: int
    replies: int
    good: int = 0
    bad: int = 0
    sessions: int = 0
    wrong: list[tuple[int, int, int, object]] = field(default_factory=list)
    back_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    written: Counter[int] = field(default_factory=Counter)
    _session: ModbusSession | None = None

    async def run(self) -> None:
        chance = random.Random(self.seed + 1_000_000)
        async with adversary(Adversary(self.kind.form, self.seed, TIMEOUT_S)) as device:
            try:
                while device.faults.total() < self.replies:
                    session = await self._open(device)
                    if session is not None:
                        await self._use(session, chance)
                device.honest = True
                await self._recover(device)
            finally:
                await self._close()
            self.faults, self.written = device.faults, device.written

    async def _open(self, device: Adversary) -> ModbusSession | None:
        if self._session is not None:
            return self._session
        settings: dict[str, bool | int | float | str] = {
            "ask_identity": False,
            "timeout_s": PATIENT_S if device.honest else TIMEOUT_S,
            "quiet_ms": 20,
            "retries": 1,
            "in_flight": self.kind.in_flight,
            "confirm": False,
        }
        self._session = ModbusSession(
            EndpointConfig(name="m", url=f"{self.kind.scheme}://127.0.0.1:{device.port}?unit=1", settings=settings)
        )
        self.sessions += 1
        try:
            async with asyncio.timeout(HANGS_S):
                await self._session.open(2)
        except EndpointError:
            await self._close()
        return self._session

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            async with asyncio.timeout(HANGS_S):
                await session.close()

    async def _use(self, session: ModbusSession, chance: random.Random) -> None:
        """Some reads, at once where several may be in flight; a session that is lost, or is at one for good, is thrown away."""
        async with asyncio.timeout(HANGS_S):
            await asyncio.gather(*(self._read(session, chance) for _ in range(self.kind.in_flight)))
        blamed = self.kind.in_flight > 1 and session._wire.window.blamed
        if session._wire.lost.is_set() or blamed or chance.random() < 0.02:
            await self._close()

    async def _read(self, session: ModbusSession, chance: random.Random) -> bool:
        """Registers that lie together, often as many as before; whether all of them were told."""
        unit, function, address = chance.randrange(1, 4), chance.choice(sorted(TABLES)), chance.randrange(8000)
        count = chance.choice((1, 1, 2, 2, 4, 7, 16, 60, 125))
        columns = await session.read([Item(address=f"{unit}/{TABLES[function]}:{address + n}") for n in range(count)])
        for n, (_, sample) in enumerate(columns.samples()):
            if sample.quality is Quality.BAD:
                self.bad += 1
                continue
            self.good += 1
            if sample.value != value(unit, function, address + n):
                self.wrong.append((unit, function, address + n, sample.value))
        return not (columns.quality == Quality.BAD).any()

    async def _recover(self, device: Adversary) -> None:
        """As the supervisor does: connect anew whenever the session is lost, or has not come round within a second."""
        began_s = time.monotonic()
        chance = random.Random(self.seed)
        async with asyncio.timeout(RECOVERS_S):
            well = 0
            while well < 5:
                session = await self._open(device)
                well = well + 1 if session is not None and await self._read(session, chance) else 0
                impatient = not well and session is not None and session._timing.timeout_s == TIMEOUT_S and time.monotonic() - began_s > 1
                if impatient or (session is not None and session._wire.lost.is_set()):
                    await self._close()
        self.back_s = time.monotonic() - began_s


async def fight(kind: Kind, replies: int, at_once: int, seed: int = 20261130) -> list[Run]:
    runs = [Run(kind, seed + number, -(-replies // at_once)) for number in range(at_once)]
    await asyncio.gather(*(run.run() for run in runs))
    return runs


def judge(runs: list[Run]) -> Counter[str]:
    """Every kind of fault must have been met, and every run must have read something. Names the seed of what went wrong."""
    assert [(run.seed, run.wrong[:3]) for run in runs if run.wrong] == []
    assert [run.seed for run in runs if not run.good or not run.bad] == []
    assert set(sum((run.written for run in runs), Counter[int]())) <= {1, 2, 3, 4}
    return sum((run.faults for run in runs), Counter[str]())


@pytest.mark.parametrize("name", KINDS)
async def test_that_no_wrong_reply_is_accepted_and_the_session_recovers(name: str) -> None:
    faults = judge(await fight(KINDS[name], 170, 10))
    assert faults.total() >= 170
    assert len(faults) > 12


@pytest.mark.prove("modbus-adversary")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("name", "replies"), [*zip(KINDS, (20_000, 15_000, 15_000), strict=True)])
async def test_that_of_fifty_thousand_wrong_replies_none_is_accepted(name: str, replies: int) -> None:
    began_s = time.monotonic()
    runs = await fight(KINDS[name], replies, 16)
    faults = judge(runs)
    assert faults.total() >= replies
    assert min(faults.values()) > replies / 500
    good, bad = sum(run.good for run in runs), sum(run.bad for run in runs)
    back_s = max(run.back_s for run in runs)
    print(  # noqa: T201  the proof
        f"{name}: {faults.total():,} wrong replies of {len(faults)} kinds, {good:,} registers read, {bad:,} not, 0 wrong, "
        f"{sum(run.sessions for run in runs):,} sessions, back within {back_s:.2f} s, {time.monotonic() - began_s:.0f} s"
    )
