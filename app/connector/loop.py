"""What the child does with frames: one session at a time, requests side by side, events batched into columns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np

from app.connector import frames
from app.connector.frames import COLUMNS, Failure, Replied
from app.connector.pipes import Outbox
from app.drivers import base, questions
from app.errors import EndpointError, UserError
from app.model.columns import SampleColumns

Opener = Callable[[base.EndpointConfig], base.Session]
Discoverer = Callable[[str, float], Awaitable[base.EndpointReport]]

BATCH_S = 0.03
BATCH_ROWS = 50_000
"""A batch of so many rows goes out at once; larger ones are split, to stay far below the frame limit."""

_log = logging.getLogger(__name__)


class Connector:
    """Lives on the child's event loop; ``handle`` is called there for every frame."""

    def __init__(self, outbox: Outbox, open_session: Opener, discover: Discoverer) -> None:
        self._outbox, self._open_session, self._discover = outbox, open_session, discover
        self._session: base.Session | None = None
        self._name = ""
        self._life: asyncio.Task[None] | None = None
        self._watching: asyncio.Queue[frames.Watch] = asyncio.Queue()
        self._requests: dict[int, asyncio.Task[None]] = {}
        self._tracing = False

    def handle(self, frame: frames.ToChild) -> None:
        match frame:
            case frames.Open():
                self._life = asyncio.create_task(self._live(frame, self._life))
            case frames.Watch():
                self._watching.put_nowait(frame)
            case frames.Trace(on=on):
                self._tracing = on
                if self._session is not None:
                    self._session.trace(on)
            case frames.Cancel(token=token):
                if task := self._requests.get(token):
                    task.cancel()
            case frames.Close():
                pass
            case _:
                task = asyncio.create_task(self._reply(frame))
                self._requests[frame.token] = task
                task.add_done_callback(lambda _: self._requests.pop(frame.token, None))

    async def close(self) -> None:
        for task in self._requests.values():
            task.cancel()
        if self._life is not None:
            await _ended(self._life)

    async def _live(self, request: frames.Open, previous: asyncio.Task[None] | None) -> None:
        """One session from open to loss. Ends the one before it first, so that nothing of that comes after ``Opened``."""
        if previous is not None:
            await _ended(previous)
        self._watching = asyncio.Queue()
        self._name = request.config.name
        try:
            session = self._open_session(request.config)
        except Exception as error:  # whatever a driver raises has to reach the person
            self._put(_failed(error, request.config.url))
            return
        try:
            report = await self._opened(session, request)
            if report is not None:
                self._session = session
                session.trace(self._tracing)
                self._put(frames.Opened(report=report))
                self._put(frames.Lost(why=await self._serve(session)))
        finally:
            self._session = None
            await self._close_session(session)

    async def _opened(self, session: base.Session, request: frames.Open) -> base.EndpointReport | None:
        try:
            return await asyncio.wait_for(session.open(request.timeout_s), request.timeout_s + 1)
        except TimeoutError:
            why = f"no complete answer within {request.timeout_s:g} s"
            fix = "Check that the device is on and the network leads there"
            self._put(frames.Failed(failure=Failure(what="Cannot connect", where=request.config.url, why=why, fix=fix)))
        except Exception as error:
            self._put(_failed(error, request.config.url))
        return None

    async def _serve(self, session: base.Session) -> str:
        """Forward events and serve watch requests until the connection is lost; says why."""
        watcher = asyncio.create_task(self._watch(session))
        try:
            return await _Forwarder(self._outbox, self._put).run(session)
        except Exception as error:
            _log.exception("the session of %s failed", self._name)
            return f"the driver failed: {_text(error)}"
        finally:
            await _ended(watcher)

    async def _close_session(self, session: base.Session) -> None:
        try:
            await session.close()
        except Exception:
            _log.exception("closing the session of %s failed", self._name)

    async def _watch(self, session: base.Session) -> None:
        """Watch requests one after the other, in the order in which they came."""
        while True:
            request = await self._watching.get()
            try:
                states = await session.set_watch(request.add, request.remove)
            except Exception as error:
                if not isinstance(error, EndpointError):
                    _log.exception("watching at %s failed", self._name)
                why = error.why if isinstance(error, UserError) else _text(error)
                states = [base.ItemState(handle=item.handle, refused=why) for item in request.add]
            if states:
                self._put(frames.Items(states=tuple(states)))

    async def _reply(self, request: frames.Request) -> None:
        """Serve one request; every way to end sends exactly one ``done``."""
        try:
            await self._serve_request(request)
        except asyncio.CancelledError:
            self._fail(request.token, UserError("Cancelled", where=self._name, why="it was cancelled before it was complete"))
            raise
        except UserError as error:
            self._fail(request.token, error)
        except TimeoutError:
            where = request.url if isinstance(request, frames.Discover) else self._name
            fix = "Check that the device is on and the network leads there"
            self._fail(request.token, EndpointError("No answer", where=where, why="nothing came within the time allowed", fix=fix))
        except Exception as error:
            _log.exception("a request to %s failed", self._name)
            fix = "The program's log has the details"
            self._fail(request.token, EndpointError("The request failed", where=self._name, why=_text(error), fix=fix))

    async def _serve_request(self, request: frames.Request) -> None:
        token = request.token
        if isinstance(request, frames.Discover):
            report = await asyncio.wait_for(self._discover(request.url, request.timeout_s), request.timeout_s + 1)
            self._put(Replied(token=token, report=report))
            return
        question = questions.unpacked(request.question, request.body) if isinstance(request, frames.Ask) else None
        if isinstance(question, questions.Anywhere):
            await self._tell_answers(token, questions.answer_anywhere(question))
            return
        session = self._session
        if session is None:
            raise EndpointError("Not connected", where=self._name, why="there is no connection to ask", fix="Connect first")
        match request:
            case frames.Browse(nodes=nodes, resume=resume):
                self._put(Replied(token=token, browse=await session.browse(nodes, resume)))
            case frames.Crawl(root=root, limit=limit):
                async for part in session.crawl(root, limit):
                    self._put(Replied(token=token, browse=part, done=False))
                    while not self._outbox.has_room:  # noqa: ASYNC110  the writer is a thread; it owns no event of this loop
                        await asyncio.sleep(0.02)
                self._put(Replied(token=token, browse=base.BrowseColumns()))
            case frames.Read(items=items):
                self._outbox.put(frames.encode_samples(await session.read(items), token))
            case frames.Details(nodes=nodes):
                self._put(Replied(token=token, details=tuple(await session.details(nodes))))
            case frames.Ask() if question is not None:
                await self._tell_answers(token, session.ask(question))

    async def _tell_answers(self, token: int, answers: AsyncIterator[base.Wire]) -> None:
        """Each answer as it comes, the last one ``done``: a question may have one, many, or none."""
        last: bytes | None = None
        async for answer in answers:
            if last is not None:
                self._put(Replied(token=token, answer=last, done=False))
            last = questions.packed_answer(answer)
            while not self._outbox.has_room:  # noqa: ASYNC110  the writer is a thread; it owns no event of this loop
                await asyncio.sleep(0.02)
        if last is None:
            raise EndpointError("No answer", where=self._name, why="the device had nothing to tell")
        self._put(Replied(token=token, answer=last))

    def _fail(self, token: int, error: UserError) -> None:
        self._put(Replied(token=token, failure=Failure.of(error)))

    def _put(self, frame: frames.ToParent) -> None:
        self._outbox.put(frames.encode(frame))


class _Forwarder:
    """Events of one session as frames. Samples are gathered for ``BATCH_S``; whatever else comes first sends them on, so order is kept."""

    def __init__(self, outbox: Outbox, put: Callable[[frames.ToParent], None]) -> None:
        self._outbox, self._put = outbox, put
        self._batch: list[SampleColumns] = []
        self._rows = 0
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, session: base.Session) -> str:
        """Forward until the session ends; says why it did."""
        try:
            async for event in session.events():
                if isinstance(event, base.Ended):
                    return event.why
                self._take(event)
        finally:
            self._flush()
        return "the driver ended the connection without a reason"

    def _take(self, event: base.Event) -> None:
        match event:
            case SampleColumns():
                if not len(event):  # it would be taken for a sign of life
                    return
                self._batch.append(event)
                self._rows += len(event)
                if self._rows >= BATCH_ROWS:
                    self._flush()
                elif self._timer is None:
                    self._timer = asyncio.get_running_loop().call_later(BATCH_S, self._flush)
            case base.Alive(round_trip_s=round_trip_s):
                self._put(frames.Alive(round_trip_s=min(round_trip_s, frames.ROUND_TRIP_LIMIT_S)))
            case base.Gap(handles=handles, why=why):
                self._flush()
                self._put(frames.Gap(handles=handles, why=why))
            case base.ItemStates(states=states):
                self._flush()
                self._put(frames.Items(states=states))
            case base.Learned():
                self._put(frames.Taught(learned=event))
            case base.Traffic(exchanges=exchanges, dropped=dropped):
                self._put(frames.Traced(exchanges=exchanges, dropped=dropped))

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._batch, self._rows = self._batch, [], 0
        for columns in _split(_joined(batch)) if batch else ():
            try:
                frame = frames.encode_samples(columns)
            except frames.FrameError:
                _log.exception("%d samples hold something that cannot be sent", len(columns))
                self._put(frames.Gap(handles=tuple(set(columns.handle.tolist())), why="the driver made values that cannot be sent"))
            else:
                self._outbox.put_samples(frame, len(columns))


def _joined(batch: list[SampleColumns]) -> SampleColumns:
    if len(batch) == 1:
        return batch[0]
    objects: dict[int, object] = {}
    offset = 0
    for columns in batch:
        objects.update({offset + row: value for row, value in columns.objects.items()})
        offset += len(columns)
    return SampleColumns(**{name: np.concatenate([getattr(part, name) for part in batch]) for name, _ in COLUMNS}, objects=objects)


def _split(columns: SampleColumns) -> list[SampleColumns]:
    rows = len(columns)
    if rows <= BATCH_ROWS:
        return [columns]
    parts = []
    for start in range(0, rows, BATCH_ROWS):
        end = min(start + BATCH_ROWS, rows)
        objects = {row - start: value for row, value in columns.objects.items() if start <= row < end}
        parts.append(SampleColumns(**{name: getattr(columns, name)[start:end] for name, _ in COLUMNS}, objects=objects))
    return parts


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel a task of ours and wait for it; its own failure was told already."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("a task ended with %s", _text(error))


def _failed(error: Exception, url: str) -> frames.Failed:
    if isinstance(error, UserError):
        return frames.Failed(failure=Failure.of(error), retry=isinstance(error, EndpointError))
    _log.error("opening %s failed", url, exc_info=error)
    return frames.Failed(failure=Failure(what="Cannot connect", where=url, why=_text(error), fix="The program's log has the details"))


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
