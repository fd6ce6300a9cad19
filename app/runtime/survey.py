"""Taking a snapshot of a connected endpoint: slowly, step by step, and gone on with after any interruption. Qt-free; one thread owns it.

What is asked is decided by the takers (``survey_nodes``, ``survey_registers``), which are generators of ``Asking``; here is when: not
faster than the rate, not while reading is paused, only from the device with which it was begun, and again after a lost connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from app.drivers.base import EndpointReport, UnitSettings
from app.drivers.snapshot.contents import Contents
from app.drivers.snapshot.lines import FORMAT, Header
from app.drivers.snapshot.writing import SnapshotFile, begun_at, named
from app.errors import EndpointError, UserError
from app.model.plant import Endpoint
from app.runtime.clock import SYSTEM_CLOCK, Clock
from app.runtime.identity import differences
from app.runtime.live import LiveProject
from app.runtime.state import Reply, Result
from app.runtime.survey_nodes import NodeTaker
from app.runtime.survey_registers import RegisterTaker
from app.runtime.survey_steps import RATES, Answer, Asking, Progress, Stage, Taking, Wish

ANSWER_S: Final = 60.0
TRIES: Final = 2
"""So often one request may cost the connection before it is taken apart, to find the node that a server cannot bear."""
READ_AT_ONCE: Final = 2_000
"""Lines of an unfinished file that are read in one step: the window stays awake meanwhile."""
_RATE_WINDOW: Final = 20


class Survey:
    """One snapshot being taken. ``step`` is to be called often (every 50 ms); nothing happens by itself.

    Args:
        live: Whose connection is used; it is not opened here.
        endpoint_id: Of which endpoint.
        wish: What is to be taken.
        on_asked: Told of each token, for an owner that hands replies to who waits for them.
        clock: Injected by tests.
    """

    def __init__(
        self,
        live: LiveProject,
        endpoint_id: str,
        wish: Wish,
        *,
        on_asked: Callable[[int], object] = lambda _: None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.live, self.endpoint_id, self.wish, self.progress = live, endpoint_id, wish, Progress()
        self.path = named(wish.path)
        self.resumed = False
        self.on_asked, self._clock = on_asked, clock
        self._file = SnapshotFile(self.path)
        self._contents = Contents(self.path)
        self._taking: Taking = self._run()
        self._begun = False
        self._asking: Asking | None = None
        self._token: int | None = None
        self._parts: list[Result] = []
        self._failures = self._taken_before = 0
        self._asked_s = self._rest_until_s = 0.0
        self._recent: deque[tuple[float, int]] = deque(maxlen=_RATE_WINDOW)

    # What an owner calls

    def step(self) -> Progress:
        """Go on as far as the rate, the connection and the answers allow now."""
        if not self.progress.ended and not self._is_waiting():
            try:
                self._go_on()
            except UserError as error:
                self._fail(error)
        return self.progress

    def on_reply(self, reply: Reply) -> None:
        """A reply of ``live``; those to others are left alone."""
        if reply.token != self._token or self.progress.ended:
            return
        if not isinstance(reply.result, UserError):
            self._parts.append(reply.result)
        if isinstance(reply.result, UserError):
            self._on_refusal(reply.result)
        elif reply.done:
            self._on_answer()

    def cancel(self) -> None:
        """End it; what was taken stays in the file, and is gone on with the next time."""
        if not self.progress.ended:
            if self._token is not None:
                self.live.cancel(self._token)
            self._end("cancelled", "cancelled; what was taken is kept and gone on with the next time")

    def _fail(self, error: UserError) -> None:
        self.progress.error = error
        self._end("failed", f"{error.what}: {error.why}")

    def _end(self, stage: Stage, words: str) -> None:
        self._token = None
        self._taking.close()
        self._file.close()
        self.progress.stage, self.progress.words, self.progress.left_s = stage, words, None

    # Pace

    def _is_waiting(self) -> bool:
        """For an answer, the connection, a person who paused reading, or the rate."""
        now_s = self._clock.monotonic_s()
        if self._token is not None:
            if now_s - self._asked_s > ANSWER_S:
                self.live.cancel(self._token)
                self._on_refusal(EndpointError("No answer", where=self.endpoint_id, why=f"nothing came for {ANSWER_S:g} s"))
            return True
        why = self._why_not_now()
        if self.progress.ended:
            return True
        if why:
            self.progress.stage, self.progress.words, self.progress.left_s = "waiting", why, None
            return True
        self.progress.stage = "reading"
        return now_s < self._rest_until_s

    def _why_not_now(self) -> str:
        state = self.live.state(self.endpoint_id)
        if state.phase in ("off", "stopped"):
            why = state.why.why if state.why else "it was disconnected"
            fix = "Connect, and take it again with the same file name: what was taken is kept"
            self._fail(EndpointError("The snapshot is not finished", where=str(self.path), why=why, fix=fix))
        elif state.held and state.why is not None:
            self._fail(state.why)
        elif state.phase == "connected" and state.as_of_ns is not None:
            fix = "Connect to the device itself, or copy the file"
            self._fail(UserError("Cannot take a snapshot", where=str(self.path), why="the endpoint is reached as a snapshot", fix=fix))
        elif state.phase != "connected":
            return "not connected; it goes on by itself" + (f": {state.why.why}" if state.why else "")
        return "reading is paused" if self.live.paused else ""

    def _go_on(self) -> None:
        """Ask again what was lost with its connection, else for the next."""
        if self._begun and self._asking is None:
            self._send(None)
        elif not self._begun:
            self._begun = True
            self._send(None)
        elif self._asking is not None:
            self._check_device()
            self._ask(self._asking)

    def _send(self, answer: Answer | None) -> None:
        try:
            asking = next(self._taking) if answer is None else self._taking.send(answer)
        except StopIteration:
            self._end("done", f"{self.progress.taken:,} taken into {self.path.name}")
            return
        self._asking = asking

    def _ask(self, asking: Asking) -> None:
        now_s = self._clock.monotonic_s()
        self._asked_s, self._parts = now_s, []
        self._rest_until_s = now_s + asking.cost / min(max(self.wish.per_s, RATES[0]), RATES[1])
        self._token = asking.make()
        self.on_asked(self._token)

    def _on_answer(self) -> None:
        assert self._asking is not None
        now_s = self._clock.monotonic_s()
        self._recent.append((now_s, self._asking.cost))
        self.progress.asked += self._asking.cost
        self._token, self._asking, self._failures = None, None, 0
        self._deliver(self._parts)
        self._tell_pace()

    def _on_refusal(self, error: UserError) -> None:
        """A lost connection is waited for; what is refused, or costs the connection again and again, is the taker's to judge."""
        self._token = None
        self._failures += 1
        if self.live.state(self.endpoint_id).phase != "connected" and self._failures < TRIES:
            return
        self._asking, self._failures = None, 0
        self._deliver(error)

    def _deliver(self, answer: Answer) -> None:
        try:
            self._send(answer)
        except UserError as error:
            self._fail(error)

    def _tell_pace(self) -> None:
        if self.progress.ended:
            return
        begun_s, now_s = self._recent[0][0], self._recent[-1][0]
        if now_s > begun_s:
            self.progress.per_s = sum(cost for _, cost in list(self._recent)[1:]) / (now_s - begun_s)
            each = self.progress.asked / max(self.progress.taken - self._taken_before, 1)
            self.progress.left_s = self.progress.open * each / self.progress.per_s if self.progress.per_s else None
        self.progress.words = f"{self.progress.taken:,} of {self.progress.found:,} found so far"

    # What is taken

    def _run(self) -> Taking:
        begun = begun_at(self.path)
        if begun is not None:
            for number, entry in enumerate(self._file.resume(begun), 1):
                self._contents.add(entry)
                if number % READ_AT_ONCE == 0:
                    self.progress.words = f"reading what was taken before: {number:,} lines"
                    yield None
        if self._file.is_open:
            self._check_resumed()
        else:
            self._file.begin(self._header())
        self._taken_before = len(self._contents.tree) if self._contents.tree is not None else 0
        yield from self._taker()
        self._file.finish(self._clock.wall_ns())

    def _taker(self) -> Taking:
        taker = RegisterTaker if self.driver == "modbus" else NodeTaker
        return taker(self.live, self.endpoint_id, self.wish, self._contents, self._file, self.progress).take()

    @property
    def driver(self) -> str:
        """Key of the driver that the endpoint is reached with."""
        return self.live.find_spec(self.live.url_of(self.endpoint_id)).key

    def _header(self) -> Header:
        endpoint = self.live.project.all(Endpoint)[self.endpoint_id]
        units = tuple(UnitSettings(number=unit.number, order=unit.order) for unit in self.live.project.units_of(self.endpoint_id))
        header = Header(
            format=FORMAT, endpoint=endpoint.name, url=self.live.url_of(self.endpoint_id), driver=self.driver,
            begun_ns=self._clock.wall_ns(), root=self.wish.root, ranges=self.wish.ranges, units=units, report=self._report(),
        )  # fmt: skip
        self._contents.begin(header)
        return header

    def _report(self) -> EndpointReport:
        report = self.live.state(self.endpoint_id).report
        assert report is not None  # it is connected
        return report

    def _check_resumed(self) -> None:
        """What goes on must be what was begun.

        Raises:
            UserError: Another part, or another device.
        """
        header = self._contents.header
        assert header is not None
        self.resumed = True
        if (header.root, header.ranges, header.driver) != (self.wish.root, self.wish.ranges, self.driver):
            asked = f"below {header.root or 'Objects'}" if header.driver != "modbus" else f"of {header.ranges or 'the registers of tags'}"
            why = f"an unfinished snapshot of this name was begun for something else: {asked}"
            raise UserError("Cannot take the snapshot", where=str(self.path), why=why, fix="Ask for the same, or choose another name")
        self._check_device()

    def _check_device(self) -> None:
        """Raises ``UserError`` when another device answers than the one with which the file was begun: nothing of two is mixed."""
        header = self._contents.header
        if header is None:
            return
        changed = differences(header.report.identity, self._report().identity)
        if changed or header.report.application_uri != self._report().application_uri:
            why = "; ".join(map(str, changed)) or f"application URI {header.report.application_uri} → {self._report().application_uri}"
            fix = "Check the address, or take a new snapshot under another name"
            raise UserError("Another device answers than that of the unfinished snapshot", where=str(self.path), why=why, fix=fix)
