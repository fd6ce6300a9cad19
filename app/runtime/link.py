"""The supervisor of one connection: keeps a connector process alive, makes attempts, and puts what comes into the inbox.

The one state machine for all protocols; drivers make single attempts only. Everything here runs on the I/O thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from app.connector import frames
from app.drivers.base import EndpointConfig, EndpointReport, UnitSettings, WatchItem
from app.drivers.questions import Question
from app.errors import EndpointError, UserError
from app.model.plant import Identity
from app.runtime.clock import Clock
from app.runtime.connector_lines import ConnectorLines
from app.runtime.identity import Difference, differences, identity_error
from app.runtime.inbox import AliveIn, GapIn, Inbox, ItemsIn, LearnedIn, MemoryIn, PhaseIn, SamplesIn, TrafficIn
from app.runtime.learned import merged, worked_with
from app.runtime.opening import Opening, in_thread
from app.runtime.outage_log import OutageLog
from app.runtime.patience import ASK_FIRST, SETTLED_S, SLOWLY, START_TICKS, STOOD_STILL_S, BackOff, LinkLimits
from app.runtime.pending import Pending
from app.runtime.process import ConnectorGoneError, ConnectorProcess, to_the_end
from app.runtime.state import LogEntry, LogLevel, Phase

WATCH_CHUNK: Final = 5_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Gone:
    """The process cannot be used any more."""

    why: UserError


_Turn = frames.Opened | frames.Failed | frames.Lost | _Gone


class Link:
    """``number`` marks everything this link puts into the inbox, so that what comes late from an ended one is known by it."""

    def __init__(self, number: int, opening: Opening, *, inbox: Inbox, clock: Clock, command: Sequence[str], limits: LinkLimits) -> None:
        self.number, self._config, self._secret = number, opening.config, opening.secret
        self._inbox, self._clock, self._command, self._limits = inbox, clock, command, limits
        self._wanted: dict[int, WatchItem] = {}
        self._pending = Pending(inbox.put)
        self._attempt = opening.config
        self._report: EndpointReport | None = None
        self._changed: tuple[Difference, ...] = ()
        self._tracing = False
        self._process: ConnectorProcess | None = None
        self._connected = False
        self._connected_at_s = 0.0
        self._stopped = False
        self._back_off_steps = BackOff(limits)
        self._trouble: UserError | None = None
        self._outage = OutageLog(self._log)
        self._settling: asyncio.TimerHandle | None = None
        self._awake_s = clock.monotonic_s()
        self._turns: asyncio.Queue[_Turn] = asyncio.Queue()
        self._retry = asyncio.Event()
        self._ticks = 0
        self._has_answered = self._opening = False
        self._lines = ConnectorLines()

    # Called on the loop by the owner's thread
    def watch(self, add: Sequence[WatchItem], remove: Sequence[int]) -> None:
        """Change what is wanted; sent at once when connected, and again after every reconnect."""
        for handle in remove:
            self._wanted.pop(handle, None)
        self._wanted.update((item.handle, item) for item in add)
        if self._is_live:
            self._send_watch(add, remove)

    def observe(self, add: Sequence[WatchItem], remove: Sequence[int]) -> None:
        """Watch for this connection only: a loss ends it."""
        if self._connected:
            self._send_watch(add if self._is_live else (), remove)

    def expect(self, identity: Identity) -> None:
        """The project knows another device here now. The connection stays, unless another register has to be asked for."""
        config = msgspec.structs.replace(self._config, identity=identity)
        if identity.register != self._config.identity.register:
            self._use(config)
            return
        self._config = config
        if self._connected and self._report is not None:
            self._meet(self._report)

    def request(self, frame: frames.Request, question: type[Question] | None = None, of_tags: bool = False) -> None:
        """``question`` goes with an ``Ask``: it says what its answers are. ``of_tags``: only the device of the project may answer."""
        if not self._connected:
            why = self._trouble.why if self._trouble else "the connection is not open yet"
            error = EndpointError("Not connected", where=self._config.name, why=why, fix="Wait until it is connected, then try again")
            self._pending.refuse(frame.token, error)
            return
        if of_tags and not self._is_live:
            self._pending.refuse(frame.token, identity_error(self._config.url, self._changed))
            return
        self._pending.begin(frame.token, question)
        self._send(frame)

    def cancel(self, token: int) -> None:
        if self._pending.cancel(token):
            self._send(frames.Cancel(token=token))

    def trace(self, on: bool) -> None:
        self._tracing = on
        self._send(frames.Trace(on=on))

    def reopen(self, opening: Opening) -> None:
        """A person asks for an attempt, with this configuration."""
        self._back_off_steps.start_over()
        self._retry.set()
        self._secret = opening.secret
        self._use(opening.config)

    def use_units(self, units: tuple[UnitSettings, ...]) -> None:
        """Other byte orders: opened again when that is a change."""
        if units != self._config.units:
            self._use(msgspec.structs.replace(self._config, units=units))

    def _use(self, config: EndpointConfig) -> None:
        """At once when connected, else with the next attempt; one that runs with another configuration is void (``_on_opened``)."""
        self._config = config
        if self._connected:
            self._open_again()

    def _open_again(self) -> None:
        self._back_off_steps.start_over()
        self._retry.set()
        self._turns.put_nowait(frames.Lost(why="its settings changed"))

    @property
    def _is_live(self) -> bool:
        """Whether the device of the project answers: nothing else may come under its tags."""
        return self._connected and not self._changed

    async def run(self) -> None:
        """Keep the connection until cancelled; leaves no process behind."""
        self._tell("connecting")
        try:
            while True:
                await self._use_one_process()
                await (self._wait_until_asked() if self._stopped else self._back_off())
        finally:
            self._connected = False
            self._settle()
            self._pending.refuse_all(self._config.name, "the connection was closed")

    async def _use_one_process(self) -> None:
        """Start a connector and use it as long as it is good."""
        try:
            process = await ConnectorProcess.start(self._command, self._on_line)
        except OSError as error:
            fix = "Install the program again, or see its log"
            self._on_trouble(EndpointError("Cannot start the connector", where=self._config.name, why=str(error), fix=fix))
            return
        self._process, self._turns, self._ticks, self._has_answered = process, asyncio.Queue(), -START_TICKS, False
        if self._tracing:
            self._send(frames.Trace(on=True))
        reader = asyncio.create_task(self._read(process))
        watchdog = asyncio.create_task(self._watch_for_hanging())
        try:
            await self._converse()
        finally:
            self._connected, self._process = False, None
            await to_the_end(_end(process, reader, watchdog))
            self._turns = asyncio.Queue()  # what the reader said last is of no use to the next process

    async def _converse(self) -> None:
        """Attempt after attempt in one process, until that is gone."""
        while True:
            turn = await self._attempt_once()
            if isinstance(turn, frames.Opened):
                turn = await self._next_turn(None)
            if isinstance(turn, _Gone):
                return
            self._connected = False
            if turn is None:
                self._on_trouble(self._error("Cannot connect", "the connector did not answer in time", "It is started again"))
                return
            code = turn.failure.code if isinstance(turn, frames.Failed) else ""
            if code in ASK_FIRST or (isinstance(turn, frames.Failed) and not turn.retry):
                again = await self._wait_until_asked()
            else:
                again = await self._back_off(slowly=code in SLOWLY)
            if again is None:
                return

    async def _attempt_once(self) -> _Turn | None:
        """How the next attempt went; None when nothing came. The secret is asked for now and goes to the connector only."""
        self._attempt = self._config
        self._back_off_steps.begin(self._clock.monotonic_s())
        try:
            secret = await in_thread(self._secret) if self._secret else ""
        except UserError as error:
            self._on_trouble(error)
            return frames.Failed(failure=frames.Failure.of(error), retry=False)
        config = msgspec.structs.replace(self._attempt, secret=secret)
        self._opening = True
        self._send(frames.Open(config=config, timeout_s=self._limits.open_timeout_s))
        return await self._next_turn(self._limits.open_timeout_s + 5 + (0 if self._has_answered else START_TICKS))

    async def _next_turn(self, timeout_s: float | None) -> _Turn | None:
        try:
            async with asyncio.timeout(timeout_s):  # `wait_for` of Python 3.11 loses a cancellation that comes together with the turn
                return await self._turns.get()
        except TimeoutError:
            return None

    async def _back_off(self, *, slowly: bool = False) -> bool | None:
        """Wait for the next attempt: True when the person asked for it, None when the process went away meanwhile."""
        now_s = self._clock.monotonic_s()
        delay_s = self._back_off_steps.next_s(now_s, now_s if self._outage.began_s is None else self._outage.began_s, slowly=slowly)
        self._tell("waiting", retry_at_s=now_s + delay_s)
        result = await self._pause(delay_s)
        self._tell("waiting")
        return result

    async def _wait_until_asked(self) -> bool | None:
        """As ``_back_off``, for ever; what becomes of the process meanwhile changes nothing."""
        self._stopped = True
        self._tell("stopped")
        while (result := await self._pause(None)) is False:
            continue
        if result:
            self._stopped = False
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
        if turn in done and isinstance(turn.result(), _Gone):
            return None  # an attempt that was asked for at the same time is made with the next process
        self._retry.clear()
        return asked in done

    async def _read(self, process: ConnectorProcess) -> None:
        """Every frame of one process, until it ends or sends what is none."""
        try:
            while True:
                frame, columns = await process.receive()
                self._has_answered = self._has_answered or isinstance(frame, frames.Opened | frames.Failed)
                self._ticks = 0 if self._has_answered else -START_TICKS
                self._notice_pause()
                if isinstance(frame, frames.Samples) and columns is not None:
                    if self._is_live:
                        self._inbox.put(SamplesIn(self.number, columns, self._clock.monotonic_s()))
                        await self._wait_until(lambda: self._inbox.has_room_for(self.number))
                elif isinstance(frame, frames.Replied):
                    if (reply := self._pending.reply(frame, columns)) is not None:
                        await self._wait_until(lambda: self._inbox.has_room)
                        self._inbox.put(reply)
                else:
                    self._on_frame(frame)
        except frames.FrameError as error:
            self._log("ERROR", f"The connector sent invalid data: {error}")
            self._on_gone(self._error("The connector sent invalid data", str(error), "It is started again"))
        except ConnectorGoneError:
            self._connected = False
            if not self._stopped:
                self._tell("waiting")  # at once; how it ended is known a moment later
            why = await process.how_it_ended()
            self._on_gone(self._error("The connector stopped", why, "It is started again"))
        except Exception as error:  # a fault of ours: told, and begun anew, instead of a link that is deaf and looks connected
            _log.exception("what came from the connector of %s could not be taken", self._config.name)
            self._on_gone(self._error("The program failed", f"{type(error).__name__}: {error}", "The connector is started again"))

    def _on_frame(self, frame: frames.ToParent) -> None:
        match frame:
            case frames.Opened(report=report):
                self._on_opened(report)
            case frames.Failed(failure=failure):
                self._opening = False
                self._on_trouble(failure.error())
                self._turns.put_nowait(frame)
            case frames.Lost(why=why):
                self._on_trouble(self._error("The connection was lost", why, "It is tried again by itself"))
                self._turns.put_nowait(frame)
            case frames.Items(states=states) if self._is_live:
                self._inbox.put(ItemsIn(self.number, states))
            case frames.Alive(round_trip_s=round_trip_s):
                self._inbox.put(AliveIn(self.number, self._clock.monotonic_s(), round_trip_s))
            case frames.Gap(handles=handles, dropped=dropped, why=why):
                self._inbox.put(GapIn(self.number, handles, dropped, why))
            case frames.Taught(learned=learned):
                self._config = msgspec.structs.replace(self._config, learned=merged(self._config.learned, learned))
                self._inbox.put(LearnedIn(self.number, self._config.learned))
            case frames.Traced(exchanges=exchanges, dropped=dropped):
                self._inbox.put(TrafficIn(self.number, exchanges, dropped))
            case frames.Memory(rss_bytes=rss_bytes):
                self._on_memory(rss_bytes)

    def _on_opened(self, report: EndpointReport) -> None:
        if not self._opening:  # nobody asked, or it said that it cannot: perhaps that only a person can help
            return
        self._opening = False
        if worked_with(self._attempt) != worked_with(self._config):  # it would decode as the project said before
            self._open_again()
            return
        now_s = self._clock.monotonic_s()
        self._connected, self._connected_at_s, self._awake_s = True, now_s, now_s
        self._inbox.put(AliveIn(self.number, now_s, report.round_trip_s))
        if self._outage.began_s is None:
            self._outage.connected(report.title, now_s)
        self._trouble = None
        self._meet(report)
        self._turns.put_nowait(frames.Opened(report=report))

    def _meet(self, report: EndpointReport) -> None:
        """Compare who answers with whom the project knows, before a single tag is asked for: after a connect, and after an edit."""
        first = report is not self._report
        before, was_live = self._changed, self._is_live and not first
        self._report, self._changed = report, differences(self._config.identity, report.identity)
        if not first and self._changed == before:
            return
        self._tell("connected")
        if self._changed and self._changed != before:
            error = identity_error(self._config.url, self._changed)
            self._log("WARNING", f"{error.what}: {error.why}")
        elif before and not self._changed:
            self._log("INFO", "The device that answers is the one of the project")
        if self._is_live:
            self._end_outage(report)
            self._send_watch(list(self._wanted.values()), ())
        elif was_live:
            self._send_watch((), list(self._wanted))

    def _on_trouble(self, why: UserError) -> None:
        """A loss or a failed attempt; a warning the first time, and a note when an attempt fails for another reason."""
        if self._stopped:  # the reason for which it was stopped stays
            return
        now_s = self._clock.monotonic_s()
        if self._connected and now_s - self._connected_at_s > SETTLED_S:
            self._back_off_steps.start_over()
        self._connected = False
        if self._settling is not None:
            self._settling.cancel()
        self._outage.lost(why, now_s)
        self._trouble = why
        self._tell("waiting")
        self._pending.refuse_all(self._config.name, why.why)

    def _end_outage(self, report: EndpointReport) -> None:
        """The device of the project answers: told when that has lasted."""
        if self._outage.began_s is not None:
            self._outage.connected(report.title + _missing(len(self._wanted)), self._clock.monotonic_s())
            self._settling = asyncio.get_running_loop().call_later(self._limits.settle_s, self._outage.settled)

    def _settle(self) -> None:
        """Nothing more will be heard of it."""
        if self._settling is not None:
            self._settling.cancel()
        self._outage.settled()

    def _notice_pause(self) -> None:
        """With each frame and tick, before what comes is taken: after a sleep, samples may be missing in between."""
        now_s = self._clock.monotonic_s()
        paused_s, self._awake_s = now_s - self._awake_s, now_s
        if self._connected and paused_s > STOOD_STILL_S:
            self._inbox.put(GapIn(self.number, (), 0))
            self._log("INFO", f"This computer, or this program, stood still for {paused_s:.0f} s; samples may be missing")

    def _on_gone(self, why: UserError) -> None:
        self._on_trouble(why)
        self._turns.put_nowait(_Gone(why))

    def _on_memory(self, rss_bytes: int) -> None:
        self._inbox.put(MemoryIn(self.number, rss_bytes))
        if rss_bytes > self._limits.memory_bytes:
            why = f"{rss_bytes / 2**20:.0f} MB, more than the {self._limits.memory_bytes / 2**20:.0f} MB allowed"
            self._on_gone(self._error("The connector used too much memory", why, "It is started again; watch less, or report it"))

    async def _wait_until(self, has_room: Callable[[], bool]) -> None:
        """Until the owner's thread has made room, which has no event of this loop; meanwhile the connector does not count as hanging."""
        while not has_room():
            self._ticks = 0
            await asyncio.sleep(0.02)

    async def _watch_for_hanging(self) -> None:
        while self._ticks < self._limits.hung_ticks:
            await asyncio.sleep(1)
            self._ticks += 1
            self._notice_pause()
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
                self._pending.refuse(frame.token, self._error("The request is too large", str(error), "Ask for less at once"))
            else:
                self._on_gone(self._error("The connector cannot be told", str(error), "It is started again"))

    def _send_watch(self, add: Sequence[WatchItem], remove: Sequence[int]) -> None:
        if remove:
            self._send(frames.Watch(remove=tuple(remove)))
        for start in range(0, len(add), WATCH_CHUNK):
            self._send(frames.Watch(add=tuple(add[start : start + WATCH_CHUNK])))

    def _tell(self, phase: Phase, *, retry_at_s: float | None = None) -> None:
        now_s = self._clock.monotonic_s()
        if phase != "connected":
            self._inbox.put(PhaseIn(self.number, phase, self._trouble, retry_at_s, None, now_s))
            return
        why = identity_error(self._config.url, self._changed) if self._changed else None
        self._inbox.put(PhaseIn(self.number, phase, why, None, self._report, now_s, self._changed))

    def _error(self, what: str, why: str, fix: str) -> EndpointError:
        return EndpointError(what, where=self._config.name, why=why, fix=fix)

    def _on_line(self, line: str) -> None:
        self._log(*self._lines.entry(line))

    def _log(self, level: LogLevel, text: str) -> None:
        self._inbox.log(LogEntry(self._clock.wall_ns(), level, self._config.name, text))


def _missing(tags: int) -> str:
    """A new session begins with the values of now: what a device queued for the one before is gone with that."""
    return f"; {tags:,} {'tag has' if tags == 1 else 'tags have'} no values of that time" if tags else ""


async def _end(process: ConnectorProcess, *tasks: asyncio.Task[None]) -> None:
    """First who reads from it, then the process."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await process.stop()
