"""A project that is connected: what window and commands use. Qt-free; one thread owns it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from app.connector import frames
from app.connector.command import connector_command
from app.drivers import spec_for
from app.drivers.base import EndpointReport, Item, Spec
from app.drivers.questions import Anywhere, Question, packed
from app.edits import Edit, Editor
from app.errors import EndpointError, UserError
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Group, Tag, Unit
from app.model.project import Project
from app.runtime.clock import SYSTEM_CLOCK, Clock
from app.runtime.connections import Connections
from app.runtime.inbox import AliveIn, Arrival, GapIn, ItemsIn, MemoryIn, PhaseIn, SamplesIn, TrafficIn
from app.runtime.link import LinkLimits
from app.runtime.requests import joined
from app.runtime.state import Arrivals, ConnectionState, LogEntry, Reading, Reply, Result, Seen
from app.runtime.watched import WatchedEndpoint
from app.runtime.watching import endpoint_config
from app.samples.history import History
from app.samples.recording import Recording

CLOSE_S = 4.0
PUMP_S = 0.05
PAUSED = "reading is paused"
NOT_WATCHED = "not watched"


class LiveProject:
    """Connections, watched tags and their readings, of one project.

    Nothing here blocks, but ``close``, ``wait`` and ``wait_connected``. Nothing happens by itself either: state, readings and
    answers change in ``pump`` only, which the window calls every 50 ms. Opening a project never connects.

    Args:
        editor: The project and its changes; edits of watched tags, groups and units take effect with the next ``pump``.
        reach: Endpoint id → URL where it is reached from here, instead of its default address.
        clock: Injected by tests.
        secrets: Reference (``secret://…``) → value or None. Asked when connecting; the value goes to the connector only.
        pki: Folder of the certificate store; "" accepts no certificate of any server.
        command: The connector's program; tests start one with a scripted session.
        find_spec: URL → spec of its driver.
        limits: Of the supervisor.

    Attributes:
        on_samples: Gets every batch within ``pump``, in order, with the tag of each handle (handles of tags no longer watched are
            in none); for who needs each sample, where ``reading`` gives the newest.
        on_traffic: Gets what went over the wire of traced endpoints, within ``pump``.
    """

    def __init__(
        self,
        editor: Editor,
        *,
        reach: Mapping[str, str] | None = None,
        clock: Clock = SYSTEM_CLOCK,
        secrets: Callable[[str], str | None] | None = None,
        pki: str = "",
        command: Sequence[str] | None = None,
        find_spec: Callable[[str], Spec] = spec_for,
        limits: LinkLimits | None = None,
    ) -> None:
        self.editor = editor
        self.history = History()
        self.recording: Recording | None = None
        self.on_samples: Callable[[Mapping[int, str], SampleColumns], None] | None = None
        self.on_traffic: Callable[[Seen], None] | None = None
        self._reach = dict(reach or {})
        self._clock, self._secrets, self._pki, self._find_spec = clock, secrets, pki, find_spec
        self._connections = Connections(clock, command or connector_command(), limits or LinkLimits())
        self._owners: dict[str, frozenset[str]] = {}
        self._wanted: frozenset[str] = frozenset()
        self._paused = False
        self._dirty = False
        self._closed = False
        self._kept = Arrivals(set(), set(), [], [], 0)
        self._stop_listening = editor.listen(self._on_edit)

    @property
    def project(self) -> Project:
        return self.editor.project

    # Connections
    def connect(self, endpoint_id: str) -> None:
        """Connect, with the settings the project has now; when it waits for its next attempt, try at once."""
        self._kept.endpoints.add(endpoint_id)
        try:
            endpoint = self._endpoint(endpoint_id)
            spec = self._find_spec(self.url_of(endpoint_id))
            url = spec.parse_url(self.url_of(endpoint_id))
            config = endpoint_config(self.project, endpoint, url, self._secret_of(endpoint), self._pki)
        except UserError as error:
            self._connections.endpoint(endpoint_id)
            self._connections.drop(endpoint_id, error)
            return
        self._connections.open(endpoint_id, spec, config)
        self._dirty = True

    def connect_all(self) -> None:
        for endpoint_id in self.project.all(Endpoint):
            self.connect(endpoint_id)

    def disconnect(self, endpoint_id: str) -> None:
        watched = self._connections.endpoints.get(endpoint_id)
        if watched is not None:
            self._mark_gap(watched)
            self._connections.drop(endpoint_id)
            self._kept.endpoints.add(endpoint_id)

    def disconnect_all(self) -> None:
        for endpoint_id in list(self._connections.endpoints):
            self.disconnect(endpoint_id)

    def close(self) -> None:
        """End everything; returns when no process and no thread of ours is left, after at most a few seconds. Safe twice."""
        if self._closed:
            return
        self._closed = True
        self._stop_listening()
        self.disconnect_all()
        if not self._connections.stop(CLOSE_S):
            self._connections.inbox.log(LogEntry(self._clock.wall_ns(), "ERROR", "Tagloom", f"connections did not end within {CLOSE_S} s"))

    def set_reach(self, endpoint_id: str, url: str | None) -> None:
        """Where this computer reaches the endpoint; takes effect with the next ``connect``."""
        if url is None:
            self._reach.pop(endpoint_id, None)
        else:
            self._reach[endpoint_id] = url

    def url_of(self, endpoint_id: str) -> str:
        """Where the endpoint is reached from here; "" when it is not in the project or has no address."""
        endpoint = self.project.get(Endpoint, endpoint_id)
        return self._reach.get(endpoint_id) or (endpoint.addresses.get("default", "") if endpoint else "")

    def state(self, endpoint_id: str) -> ConnectionState:
        watched = self._connections.endpoints.get(endpoint_id)
        return watched.state if watched is not None else ConnectionState()

    # Watching
    def want(self, owner: str, tags: Iterable[str]) -> None:
        """Replace what one owner (a table, a plot, the recorder) wants watched; the union is what the devices are asked for."""
        self._owners[owner] = frozenset(tags)
        self._wanted = frozenset().union(*self._owners.values())
        self._dirty = True

    def wanted(self) -> frozenset[str]:
        return self._wanted

    def pause(self, paused: bool) -> None:
        """Stop reading everywhere, or go on; connections stay."""
        if paused != self._paused:
            self._paused = paused
            self._dirty = True

    @property
    def paused(self) -> bool:
        return self._paused

    def reading(self, tag_id: str) -> Reading:
        tag = self.project.get(Tag, tag_id)
        if tag is None:
            return Reading(problem="no such tag")
        if self._dirty:  # an edit may have given the tag another address: never show the old one's value under it
            self._apply_wanted()
        watched = self._connections.endpoints.get(tag.endpoint)
        if watched is None:
            return Reading(problem="not connected")
        return watched.reading(tag_id, PAUSED if self._paused else "" if tag_id in self._wanted else NOT_WATCHED)

    # Questions
    def browse(self, endpoint_id: str, nodes: Sequence[str], resume: bytes | None = None) -> int:
        token = self._connections.token()
        return self._connections.ask(endpoint_id, frames.Browse(token=token, nodes=tuple(nodes), resume=resume))

    def details(self, endpoint_id: str, nodes: Sequence[str]) -> int:
        token = self._connections.token()
        return self._connections.ask(endpoint_id, frames.Details(token=token, nodes=tuple(nodes)))

    def read(self, endpoint_id: str, items: Sequence[Item]) -> int:
        token = self._connections.token()
        return self._connections.ask(endpoint_id, frames.Read(token=token, items=tuple(items)))

    def crawl(self, endpoint_id: str, root: str, limit: int) -> int:
        """Everything below ``root``; comes in several replies."""
        token = self._connections.token()
        return self._connections.ask(endpoint_id, frames.Crawl(token=token, root=root, limit=limit))

    def discover(self, url: str) -> int:
        """What answers at a URL; no endpoint is needed."""
        return self._connections.discover(url)

    def ask(self, endpoint_id: str, question: Question) -> int:
        """Something only its driver understands; comes in one or several replies, of the question's ``ANSWERS``."""
        kind, body = packed(question)
        return self._connections.ask(endpoint_id, frames.Ask(token=self._connections.token(), question=kind, body=body), type(question))

    def ask_anywhere(self, question: Anywhere) -> int:
        """A question that needs no endpoint, asked in a process of its own."""
        return self._connections.ask_anywhere(question)

    def trace(self, endpoint_id: str, on: bool) -> None:
        """Have ``on_traffic`` told what goes over this endpoint's wire, or not; also over its later connections."""
        watched = self._connections.endpoint(endpoint_id)
        watched.tracing = on
        self._connections.trace(watched)

    def cancel(self, token: int) -> None:
        self._connections.cancel(token)

    # Arrivals
    def pump(self) -> Arrivals:
        """Take what came, tell the devices what is wanted now, judge freshness. Call it every 50 ms, or in a loop."""
        if self._dirty:
            self._apply_wanted()
        arrived, self._kept = self._kept, Arrivals(set(), set(), [], [], 0)
        items, logs = self._connections.inbox.drain()
        replies = list(arrived.replies)
        dropped = 0
        fresh: list[Reply] = []
        for item in items:
            if isinstance(item, Reply):
                fresh.append(item)
            elif (watched := self._connections.of_link(item.link)) is not None:
                dropped += self._take(watched, item, arrived)
        for watched in self._connections.endpoints.values():
            changed, tags = watched.judge()
            arrived.tags.update(tags)
            if changed:
                arrived.endpoints.add(watched.id)
        replies += self._connections.accept(fresh)
        return Arrivals(arrived.tags, arrived.endpoints, replies, arrived.logs + logs, arrived.dropped + dropped)

    def idle(self, timeout_s: float) -> None:
        """Sleep until something has come for ``pump``, at most so long; for loops of commands."""
        self._connections.inbox.wait(timeout_s)

    def wait(self, token: int, timeout_s: float) -> Result:
        """``wait_all`` with the parts of a crawl joined; of another request the last one.

        Raises:
            UserError: As ``wait_all``.
        """
        return joined(self.wait_all(token, timeout_s))

    def wait_all(self, token: int, timeout_s: float) -> list[Result]:
        """Pump until a request is answered; every part. What else comes meanwhile is in the next ``pump``.

        Raises:
            UserError: The answer is one, or none came in time; the request is cancelled then.
        """
        deadline_s = self._clock.monotonic_s() + timeout_s
        parts: list[Result] = []
        while True:
            arrived = self.pump()
            mine = [reply for reply in arrived.replies if reply.token == token]
            self._kept = arrived._replace(replies=[reply for reply in arrived.replies if reply.token != token])
            for reply in mine:
                if isinstance(reply.result, UserError):
                    raise reply.result
                parts.append(reply.result)
                if reply.done:
                    return parts
            if self._clock.monotonic_s() > deadline_s:
                self.cancel(token)
                why = f"nothing came within {timeout_s:g} s"
                raise EndpointError("No answer", where=f"request {token}", why=why, fix="Check the connection, or allow more time")
            self._connections.inbox.wait(PUMP_S)

    def wait_connected(self, endpoint_id: str, timeout_s: float, *, first_attempt: bool = False) -> EndpointReport:
        """Pump until an endpoint is connected.

        Args:
            endpoint_id: One that ``connect`` was called for.
            timeout_s: For all attempts together.
            first_attempt: Give up when the first attempt fails, for a person who waits at a command line.

        Raises:
            UserError: Why it could not be connected.
        """
        deadline_s = self._clock.monotonic_s() + timeout_s
        while True:
            self._kept = self.pump()
            state = self.state(endpoint_id)
            if state.phase == "connected" and state.report is not None:
                return state.report
            late = self._clock.monotonic_s() > deadline_s
            if state.why is not None and (late or state.phase == "stopped" or (first_attempt and state.phase == "waiting")):
                raise state.why
            if late or state.phase == "off":
                why = "connect was not called" if state.phase == "off" else f"no complete answer within {timeout_s:g} s"
                raise EndpointError("Not connected", where=self.url_of(endpoint_id), why=why, fix="Check address and network")
            self._connections.inbox.wait(PUMP_S)

    def _take(self, watched: WatchedEndpoint, item: Arrival, arrived: Arrivals) -> int:
        """One arrival of an endpoint; how many samples it says were dropped."""
        match item:
            case SamplesIn(columns=columns, at_s=at_s):
                arrived.tags.update(watched.on_samples(columns, at_s))
                self.history.append(watched.watching.tags, columns)
                if self.recording is not None:
                    self.recording.append(watched.watching.tags, columns)
                if self.on_samples is not None:
                    self.on_samples(watched.watching.tags, columns)
                return 0
            case ItemsIn(states=states):
                arrived.tags.update(watched.on_items(states))
                return 0
            case GapIn(handles=handles, dropped=dropped):
                self._mark_gap(watched, handles)
                return dropped
            case AliveIn(at_s=at_s, round_trip_s=round_trip_s):
                watched.on_alive(at_s, round_trip_s)
                return 0
            case PhaseIn():
                if watched.state.phase == "connected" and item.phase != "connected":
                    self._mark_gap(watched)
                watched.on_phase(item)
                arrived.tags.update(watched.watching.items)
            case TrafficIn(exchanges=exchanges, dropped=lost):
                if self.on_traffic is not None:
                    self.on_traffic(Seen(watched.id, exchanges, lost))
                return 0
            case MemoryIn(rss_bytes=rss_bytes):
                watched.on_memory(rss_bytes)
        arrived.endpoints.add(watched.id)
        return 0

    def _mark_gap(self, watched: WatchedEndpoint, handles: Sequence[int] = ()) -> None:
        tags = watched.watching.tags
        at_ns = self._clock.wall_ns()
        broken = [tags[handle] for handle in handles or list(tags) if handle in tags]
        self.history.gaps(broken, at_ns)
        if self.recording is not None:
            self.recording.gap(broken, at_ns)

    def _apply_wanted(self) -> None:
        """Tell each endpoint's link what changed in what is wanted there."""
        self._dirty = False
        by_endpoint: dict[str, list[str]] = {endpoint_id: [] for endpoint_id in self._connections.endpoints}
        for tag_id in () if self._paused else self._wanted:
            tag = self.project.get(Tag, tag_id)
            if tag is not None:
                by_endpoint.setdefault(tag.endpoint, []).append(tag_id)
        for endpoint_id, tags in by_endpoint.items():
            watched = self._connections.endpoint(endpoint_id)
            plan = watched.adopt(self.project, tags)
            if plan.add or plan.remove:
                self._kept.tags.update(watched.watching.items)
                self._kept.endpoints.add(endpoint_id)
                self._connections.watch(watched, plan)

    def _on_edit(self, edit: Edit) -> None:
        for change in edit.changes:
            match change:
                case (_, tag_id, Tag() as before, after):
                    self._dirty = True
                    if not isinstance(after, Tag) or _meaning(after) != _meaning(before):
                        self._forget(tag_id, before.endpoint)
                case (_, _, Tag() | Group(), _) | (_, _, _, Tag() | Group()):
                    self._dirty = True
                case (_, _, Unit() as unit, _) | (_, _, _, Unit() as unit):
                    self._reread_units(unit.endpoint)
                case (_, endpoint_id, Endpoint(), None):
                    self.disconnect(endpoint_id)

    def _forget(self, tag_id: str, endpoint_id: str) -> None:
        """The tag is gone, or stands for something else now: what was received under it is void."""
        self.history.forget(tag_id)
        if (watched := self._connections.endpoints.get(endpoint_id)) is not None:
            watched.forget(tag_id)

    def _reread_units(self, endpoint_id: str) -> None:
        """The byte order of a unit changed. Values decoded the old way must not stay, so the session is opened again at once."""
        endpoint = self.project.get(Endpoint, endpoint_id)
        if endpoint is not None:
            self._connections.use_units(endpoint_id, endpoint_config(self.project, endpoint, "").units)

    def _endpoint(self, endpoint_id: str) -> Endpoint:
        endpoint = self.project.get(Endpoint, endpoint_id)
        if endpoint is None:
            raise UserError("Cannot connect", where=endpoint_id, why="the project has no such endpoint", fix="Add it first")
        return endpoint

    def _secret_of(self, endpoint: Endpoint) -> str:
        reference = endpoint.security.secret
        if not reference:
            return ""
        value = self._secrets(reference) if self._secrets else None
        if value is None:
            why = f"the password of {endpoint.name} is not known on this computer"
            raise EndpointError("Cannot connect", where=reference, why=why, fix="Enter it", code="secret")
        return value


def _meaning(tag: Tag) -> tuple[str, str, float, float]:
    """What a sample under this tag is a value of."""
    return tag.endpoint, tag.address, tag.gain, tag.offset
