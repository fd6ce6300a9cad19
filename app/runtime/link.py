"""The supervisor of one connection: keeps a connector process alive, makes attempts, and puts what comes into the inbox.

The one state machine for all protocols; drivers make single attempts only. Everything here runs on the I/O thread.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from app.connector import frames
from app.drivers.base import EndpointConfig, EndpointReport, UnitSettings, WatchItem
from app.drivers.questions import Question, unpacked_answer
from app.errors import EndpointError, UserError
from app.model.columns import SampleColumns
from app.runtime.clock import Clock
from app.runtime.inbox import AliveIn, GapIn, Inbox, ItemsIn, MemoryIn, PhaseIn, SamplesIn, TrafficIn
from app.runtime.process import ConnectorGoneError, ConnectorProcess
from app.runtime.state import LogEntry, LogLevel, Phase, Reply, Result

BACK_OFF_S: Final = (0.5, 1.0, 2.0, 4.0, 5.0)
SETTLED_S: Final = 5.0
"""A connection that lasted so long begins its back-off anew when it is lost."""
OPEN_TIMEOUT_S: Final = 10.0
HUNG_TICKS: Final = 20
"""Seconds without any frame (a connector reports its memory every two) after which it hangs. Counted in ticks of a timer and not
in elapsed time, so that a laptop that slept does not blame its connectors."""
MEMORY_LIMIT: Final = 1024 * 2**20
"""Resident bytes; ten times what a connector with 10,000 items uses. On Linux the address space is capped as well."""
WATCH_CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """Injected by tests, which cannot wait or eat memory for so long."""

    back_off_s: tuple[float, ...] = BACK_OFF_S
    open_timeout_s: float = OPEN_TIMEOUT_S
    hung_ticks: int = HUNG_TICKS
    memory_bytes: int = MEMORY_LIMIT


@dataclass(frozen=True, slots=True)
class _Gone:
    """The process cannot be used any more."""

    why: UserError


_Turn = frames.Opened | frames.Failed | frames.Lost | _Gone
_LINE: Final = re.compile(r"([DIWEC]) ([\w.]+): (.*)", re.DOTALL)
_LEVELS: Final[dict[str, LogLevel]] = {"D": "DEBUG", "I": "INFO", "W": "WARNING", "E": "ERROR", "C": "ERROR"}


class Link:
    """``number`` marks everything this link puts into the inbox, so that what comes late from an ended one is known by it."""

    def __init__(
        self, number: int, config: EndpointConfig, *, inbox: Inbox, clock: Clock, command: Sequence[str], limits: LinkLimits
    ) -> None:
        self.number, self._config = number, config
        self._inbox, self._clock, self._command, self._limits = inbox, clock, command, limits
        self._wanted: dict[int, WatchItem] = {}
        self._pending: dict[int, type[Question] | None] = {}
        self._tracing = False
        self._process: ConnectorProcess | None = None
        self._connected = False
        self._connected_at_s = 0.0
        self._failures = 0
        self._trouble: UserError | None = None
        self._trouble_at_s = 0.0
        self._turns: asyncio.Queue[_Turn] = asyncio.Queue()
        self._retry = asyncio.Event()
        self._ticks = 0
        self._line_level: LogLevel = "INFO"

    # Called on the loop by the owner's thread
    def watch(self, add: Sequence[WatchItem], remove: Sequence[int]) -> None:
        """Change what is wanted; sent at once when connected, and again after every reconnect."""
        for handle in remove:
            self._wanted.pop(handle, None)
        self._wanted.update((item.handle, item) for item in add)
        if self._connected:
            self._send_watch(add, remove)

    def request(self, frame: frames.Request, question: type[Question] | None = None) -> None:
        """``question`` goes with an ``Ask``: it says what its answers are."""
        if not self._connected:
            why = self._trouble.why if self._trouble else "the connection is not open yet"
            error = EndpointError("Not connected", where=self._config.name, why=why, fix="Wait until it is connected, then try again")
            self._inbox.put(Reply(frame.token, error, done=True))
            return
        self._pending[frame.token] = question
        self._send(frame)

    def cancel(self, token: int) -> None:
        if token in self._pending:
            del self._pending[token]
            self._send(frames.Cancel(token=token))

    def trace(self, on: bool) -> None:
        self._tracing = on
        self._send(frames.Trace(on=on))

    def reopen(self, config: EndpointConfig) -> None:
        """Use another configuration: at once when connected, else with the next attempt, which is made now."""
        self._config = config
        self._failures = 0
        self._retry.set()
        if self._connected:
            self._turns.put_nowait(frames.Lost(why="its settings changed"))

    def use_units(self, units: tuple[UnitSettings, ...]) -> None:
        """Other byte orders: reopen when that is a change."""
        if units != self._config.units:
            self.reopen(msgspec.structs.replace(self._config, units=units))

    async def run(self) -> None:
        """Keep the connection until cancelled; leaves no process behind."""
        self._tell("connecting")
        try:
            while True:
                await self._use_one_process()
                await self._back_off()
        finally:
            self._connected = False
            self._fail_pending("the connection was closed")

    async def _use_one_process(self) -> None:
        """Start a connector and use it as long as it is good."""
        try:
            process = await ConnectorProcess.start(self._command, self._on_line)
        except OSError as error:
            fix = "Install the program again, or see its log"
            self._on_trouble(EndpointError("Cannot start the connector", where=self._config.name, why=str(error), fix=fix))
            return
        self._process, self._turns, self._ticks = process, asyncio.Queue(), 0
        if self._tracing:
            self._send(frames.Trace(on=True))
        reader = asyncio.create_task(self._read(process))
        watchdog = asyncio.create_task(self._watch_for_hanging())
        try:
            await self._converse()
        finally:
            self._connected, self._process, self._turns = False, None, asyncio.Queue()
            for task in (reader, watchdog):
                task.cancel()
            await asyncio.wait([reader, watchdog])
            await process.stop()

    async def _converse(self) -> None:
        """Attempt after attempt in one process, until that is gone."""
        while True:
            self._send(frames.Open(config=self._config, timeout_s=self._limits.open_timeout_s))
            turn = await self._next_turn(self._limits.open_timeout_s + 5)
            if isinstance(turn, frames.Opened):
                turn = await self._next_turn(None)
            if isinstance(turn, _Gone):
                return
            self._connected = False
            if turn is None:
                self._on_trouble(self._error("Cannot connect", "the connector did not answer in time", "It is started again"))
                return
            if isinstance(turn, frames.Failed) and not turn.retry:
                again = await self._wait_until_asked()
            else:
                again = await self._back_off()
            if again is None:
                return

    async def _next_turn(self, timeout_s: float | None) -> _Turn | None:
        try:
            return await asyncio.wait_for(self._turns.get(), timeout_s)
        except TimeoutError:
            return None

    async def _back_off(self) -> bool | None:
        """Wait for the next attempt: True when the person asked for it, None when the process went away meanwhile."""
        steps = self._limits.back_off_s
        delay_s = steps[min(self._failures, len(steps) - 1)]
        self._failures += 1
        self._tell("waiting", retry_at_s=self._clock.monotonic_s() + delay_s)
        result = await self._pause(delay_s)
        self._tell("waiting")
        return result

    async def _wait_until_asked(self) -> bool | None:
        self._tell("stopped")
        result = await self._pause(None)
        self._tell("connecting")
        return result

    async def _pause(self, seconds: float | None) -> bool | None:
        asked = asyncio.create_task(self._retry.wait())
        turn = asyncio.create_task(self._turns.get())
        try:
            done, _ = await asyncio.wait([asked, turn], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            turn.cancel()
        self._retry.clear()
        if turn in done and isinstance(turn.result(), _Gone):
            return None
        return asked in done

    async def _read(self, process: ConnectorProcess) -> None:
        """Every frame of one process, until it ends or sends what is none."""
        try:
            while True:
                frame, columns = await process.receive()
                self._ticks = 0
                if isinstance(frame, frames.Samples) and columns is not None:
                    if self._connected:
                        self._inbox.put(SamplesIn(self.number, columns, self._clock.monotonic_s()))
                elif isinstance(frame, frames.Replied):
                    await self._on_reply(frame, columns)
                else:
                    self._on_frame(frame)
        except frames.FrameError as error:
            self._log("ERROR", f"The connector sent invalid data: {error}")
            self._on_gone(self._error("The connector sent invalid data", str(error), "It is started again"))
        except ConnectorGoneError:
            self._connected = False
            self._tell("waiting")  # at once; how it ended is known a moment later
            why = await process.how_it_ended()
            self._on_gone(self._error("The connector stopped", why, "It is started again"))

    def _on_frame(self, frame: frames.ToParent) -> None:
        match frame:
            case frames.Opened(report=report):
                self._on_opened(report)
                self._turns.put_nowait(frame)
            case frames.Failed(failure=failure):
                self._on_trouble(failure.error())
                self._turns.put_nowait(frame)
            case frames.Lost(why=why):
                self._on_trouble(self._error("The connection was lost", why, "It is tried again by itself"))
                self._turns.put_nowait(frame)
            case frames.Items(states=states):
                self._inbox.put(ItemsIn(self.number, states))
            case frames.Alive(round_trip_s=round_trip_s):
                self._inbox.put(AliveIn(self.number, self._clock.monotonic_s(), round_trip_s))
            case frames.Gap(handles=handles, dropped=dropped):
                self._inbox.put(GapIn(self.number, handles, dropped))
            case frames.Traced(exchanges=exchanges, dropped=dropped):
                self._inbox.put(TrafficIn(self.number, exchanges, dropped))
            case frames.Memory(rss_bytes=rss_bytes):
                self._on_memory(rss_bytes)

    def _on_opened(self, report: EndpointReport) -> None:
        now_s = self._clock.monotonic_s()
        self._connected, self._connected_at_s = True, now_s
        self._inbox.put(AliveIn(self.number, now_s, report.round_trip_s))
        if self._trouble is not None:
            self._log("INFO", f"Connected again after {now_s - self._trouble_at_s:.1f} s: {report.title}")
        else:
            self._log("INFO", f"Connected: {report.title}")
        self._trouble = None
        self._tell("connected", report=report)
        self._send_watch(list(self._wanted.values()), ())

    def _on_trouble(self, why: UserError) -> None:
        """A loss or a failed attempt; a warning the first time, and a note when an attempt fails for another reason."""
        now_s = self._clock.monotonic_s()
        if self._connected and now_s - self._connected_at_s > SETTLED_S:
            self._failures = 0
        self._connected = False
        if self._trouble is None:
            self._trouble_at_s = now_s
            self._log("WARNING", f"{why.what}: {why.why}")
        elif self._trouble.why != why.why:
            self._log("INFO", f"{why.what}: {why.why}")
        self._trouble = why
        self._tell("waiting")
        self._fail_pending(why.why)

    def _on_gone(self, why: UserError) -> None:
        self._on_trouble(why)
        self._turns.put_nowait(_Gone(why))

    def _on_memory(self, rss_bytes: int) -> None:
        self._inbox.put(MemoryIn(self.number, rss_bytes))
        if rss_bytes > self._limits.memory_bytes:
            why = f"{rss_bytes / 2**20:.0f} MB, more than the {self._limits.memory_bytes / 2**20:.0f} MB allowed"
            self._on_gone(self._error("The connector used too much memory", why, "It is started again; watch less, or report it"))

    async def _on_reply(self, frame: frames.Replied, columns: SampleColumns | None) -> None:
        if frame.token not in self._pending:
            return
        result = columns if columns is not None else _result(frame, self._pending[frame.token])
        if result is None:
            raise frames.FrameError("a reply with no result")
        if frame.done:
            del self._pending[frame.token]
        while not self._inbox.has_room:  # the owner's thread makes room; it has no event of this loop
            self._ticks = 0
            await asyncio.sleep(0.02)
        self._inbox.put(Reply(frame.token, result, frame.done))

    async def _watch_for_hanging(self) -> None:
        while self._ticks < self._limits.hung_ticks:
            await asyncio.sleep(1)
            self._ticks += 1
        self._on_gone(self._error("The connector hangs", f"nothing came from it for {self._ticks} s", "It is started again"))

    def _send(self, frame: frames.ToChild) -> None:
        if self._process is None:
            return
        try:
            self._process.send(frame)
        except ConnectorGoneError as error:
            self._on_gone(self._error("The connector stopped", str(error), "It is started again"))
        except frames.FrameError as error:
            if isinstance(frame, frames.Request):
                self._pending.pop(frame.token, None)
                self._inbox.put(Reply(frame.token, self._error("The request is too large", str(error), "Ask for less at once"), done=True))
            else:
                raise

    def _send_watch(self, add: Sequence[WatchItem], remove: Sequence[int]) -> None:
        if remove:
            self._send(frames.Watch(remove=tuple(remove)))
        for start in range(0, len(add), WATCH_CHUNK):
            self._send(frames.Watch(add=tuple(add[start : start + WATCH_CHUNK])))

    def _fail_pending(self, why: str) -> None:
        for token in sorted(self._pending):
            error = EndpointError("The request was not answered", where=self._config.name, why=why, fix="Try again when it is connected")
            self._inbox.put(Reply(token, error, done=True))
        self._pending.clear()

    def _tell(self, phase: Phase, *, retry_at_s: float | None = None, report: EndpointReport | None = None) -> None:
        self._inbox.put(PhaseIn(self.number, phase, self._trouble, retry_at_s, report, self._clock.monotonic_s()))

    def _error(self, what: str, why: str, fix: str) -> EndpointError:
        return EndpointError(what, where=self._config.name, why=why, fix=fix)

    def _on_line(self, line: str) -> None:
        """A line of the connector's stderr: our own at its level, a library's as information (ours tells the same in order)."""
        if match := _LINE.match(line):
            self._line_level = _LEVELS[match[1]] if match[2].startswith("app.") else "INFO"
            line = f"{match[2]}: {match[3]}"
        self._log(self._line_level, line)

    def _log(self, level: LogLevel, text: str) -> None:
        self._inbox.log(LogEntry(self._clock.wall_ns(), level, self._config.name, text))


def _result(frame: frames.Replied, question: type[Question] | None) -> Result | None:
    if frame.failure is not None:
        return frame.failure.error()
    if frame.answer is not None and question is not None:
        try:
            return unpacked_answer(question, frame.answer)
        except ValueError as error:
            raise frames.FrameError(f"not an answer to {question.__name__}: {error}") from error
    if frame.details is not None:
        return list(frame.details)
    return frame.browse if frame.browse is not None else frame.report


@dataclass(frozen=True, slots=True)
class Once:
    """A request that needs no session.

    Attributes:
        where: What is asked, for the log and for errors.
        question: Of an ``Ask``: what its answers are.
    """

    frame: frames.Discover | frames.Ask
    where: str
    timeout_s: float
    question: type[Question] | None = None


async def ask_once(once: Once, *, inbox: Inbox, clock: Clock, command: Sequence[str]) -> None:
    """Ask in a connector of its own, which ends with the last answer; each is put into the inbox as a ``Reply``."""
    frame = once.frame

    def log(line: str) -> None:
        inbox.log(LogEntry(clock.wall_ns(), "INFO", once.where, line))

    try:
        process = await ConnectorProcess.start(command, log)
    except OSError as error:
        failure = EndpointError("Cannot start the connector", where=once.where, why=str(error), fix="Install the program again")
        inbox.put(Reply(frame.token, failure, done=True))
        return
    try:
        async with asyncio.timeout(once.timeout_s + 5):
            result = await _last_answer(process, once, inbox)
    except (frames.FrameError, ConnectorGoneError, TimeoutError) as error:
        why = str(error) or "no answer in time"
        result = EndpointError("Nothing found out", where=once.where, why=why, fix="Check the address and try again")
    finally:
        await process.stop()
    inbox.put(Reply(frame.token, result, done=True))


async def _last_answer(process: ConnectorProcess, once: Once, inbox: Inbox) -> Result:
    """Passes the answers before the last one on by itself."""
    process.send(once.frame)
    while True:
        got, _ = await process.receive()
        if isinstance(got, frames.Replied) and got.token == once.frame.token and (result := _result(got, once.question)) is not None:
            if got.done:
                return result
            inbox.put(Reply(got.token, result, done=False))
