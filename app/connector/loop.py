"""What the child does with frames: one session at a time, requests side by side, events batched into columns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from app.connector import frames
from app.connector.forwarder import Forwarder, tell_states
from app.connector.frames import Failure, Replied
from app.connector.memory import collect
from app.connector.parts import browse_frames, details_frames, sample_frames, withheld
from app.connector.pipes import Outbox
from app.drivers import base, questions
from app.errors import EndpointError, UserError
from app.model.columns import SampleColumns

Opener = Callable[[base.EndpointConfig], base.Session]
Discoverer = Callable[[str, float], Awaitable[base.EndpointReport]]

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
            collect()
        self._watching = asyncio.Queue()
        self._name = request.config.name
        try:
            session = self._open_session(request.config)
        except Exception as error:  # whatever a driver raises has to reach the person
            self._put(_failed(error, request.config.url))
            return
        try:
            report = await self._opened(session, request)
            if report is not None and self._told(report, request):
                self._session = session
                session.trace(self._tracing)
                self._put(frames.Lost(why=frames.clipped(await self._serve(session))))
        finally:
            self._session = None
            await self._close_session(session)

    async def _opened(self, session: base.Session, request: frames.Open) -> base.EndpointReport | None:
        try:
            async with asyncio.timeout(request.timeout_s + 1):
                return await session.open(request.timeout_s)
        except TimeoutError:
            why = f"no complete answer within {request.timeout_s:g} s"
            fix = "Check that the device is on and the network leads there"
            self._put(frames.Failed(failure=Failure(what="Cannot connect", where=request.config.url, why=why, fix=fix)))
        except Exception as error:
            self._put(_failed(error, request.config.url))
        return None

    def _told(self, report: base.EndpointReport, request: frames.Open) -> bool:
        """Say that it is open; False where what the server says of itself is too much to be told."""
        try:
            self._put(frames.Opened(report=report))
        except frames.FrameError as error:
            why = f"what the server says of itself cannot be used: {error}"
            self._put(frames.Failed(failure=Failure(what="Cannot connect", where=request.config.url, why=why)))
            return False
        return True

    async def _serve(self, session: base.Session) -> str:
        """Forward events and serve watch requests until the connection is lost; says why."""
        watcher = asyncio.create_task(self._watch(session))
        try:
            return await Forwarder(self._outbox, self._put).run(session)
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
            tell_states(self._put, states)

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
            async with asyncio.timeout(request.timeout_s + 1):
                report = await self._discover(request.url, request.timeout_s)
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
                self._send(browse_frames(token, await session.browse(nodes, resume)))
            case frames.Crawl(root=root, limit=limit):
                async for part in session.crawl(root, limit):
                    self._send(browse_frames(token, part, done=False))
                    while not self._outbox.has_room:  # noqa: ASYNC110  the writer is a thread; it owns no event of this loop
                        await asyncio.sleep(0.02)
                self._put(Replied(token=token, browse=base.BrowseColumns()))
            case frames.Read(items=items):
                self._send_samples(token, await session.read(items))
            case frames.Details(nodes=nodes):
                self._send(details_frames(token, await session.details(nodes)))
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

    def _send_samples(self, token: int, columns: SampleColumns) -> None:
        """An answer to a read, as long as what was asked for: what cannot be sent has no value."""
        try:
            self._send(frame for frame, _ in sample_frames(columns, token))
        except frames.FrameError:
            columns, bad = withheld(columns)
            _log.warning("%d values of %s cannot be sent", len(bad), self._name)
            self._send(frame for frame, _ in sample_frames(columns, token))

    def _send(self, ready: Iterable[bytes]) -> None:
        """All or none: the first frame goes when the last is made."""
        for frame in list(ready):
            self._outbox.put(frame)

    def _fail(self, token: int, error: UserError) -> None:
        self._put(Replied(token=token, failure=Failure.of(error)))

    def _put(self, frame: frames.ToParent) -> None:
        self._outbox.put(frames.encode(frame))


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
