"""A project that is connected: what window and commands use. Qt-free; one thread owns it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from app.connector.command import connector_command
from app.drivers import is_offline, spec_for
from app.drivers.base import EndpointReport, ItemState, Spec
from app.edits import Edit, Editor
from app.errors import EndpointError, UserError
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Group, Identity, Tag, Unit
from app.model.project import Project
from app.runtime.asking import PUMP_S, Asking
from app.runtime.clock import SYSTEM_CLOCK, Clock
from app.runtime.connections import Connections
from app.runtime.inbox import AliveIn, Arrival, GapIn, ItemsIn, LearnedIn, MemoryIn, PhaseIn, SamplesIn, TrafficIn
from app.runtime.load import LoadEstimate, estimate_tags
from app.runtime.movement import Movement, Observed
from app.runtime.observing import Observations
from app.runtime.opening import Resolver, opening
from app.runtime.patience import LinkLimits
from app.runtime.state import Arrivals, ConnectionState, LogEntry, Reading, Reply, Seen, nothing_arrived
from app.runtime.watched import WatchedEndpoint
from app.runtime.watching import endpoint_config
from app.samples.history import History
from app.samples.recording import Recording

CLOSE_S = 4.0
PAUSED = "reading is paused"
NOT_WATCHED = "not watched"
MISSED = "no answer in time"
SAME_READING_S = 0.02
ANOTHER_DEVICE = "another device answers"


class LiveProject(Asking):
    """Connections, watched tags and their readings, of one project.

    Nothing here blocks, but ``close``, ``wait`` and ``wait_connected``. Nothing happens by itself either: state, readings and
    answers change in ``pump`` only, which the window calls every 50 ms. Opening a project never connects.

    Args:
        editor: The project and its changes; edits of watched tags, groups and units take effect with the next ``pump``.
        reach: Endpoint id → URL where it is reached from here, instead of its default address.
        clock: Injected by tests.
        secrets: Reference (``secret://…``) → value or None. Asked before each attempt, in a thread of its own; the value goes to the
            connector only.
        pki: Folder of the certificate store; "" accepts no certificate of any server.
        command: The connector's program; tests start one with a scripted session.
        find_spec: URL → spec of its driver.
        limits: Of the supervisor.

    Attributes:
        on_samples: Gets every batch within ``pump``, in order, with the tag of each handle (handles of tags no longer watched are
            in none); for who needs each sample, where ``reading`` gives the newest.
        on_gap: Gets tags of which samples may be missing before the next ones, and why, within ``pump``; beside ``on_samples``, in order.
        on_traffic: Gets what went over the wire of traced endpoints, within ``pump``.
    """

    def __init__(
        self,
        editor: Editor,
        *,
        reach: Mapping[str, str] | None = None,
        clock: Clock = SYSTEM_CLOCK,
        secrets: Resolver | None = None,
        pki: str = "",
        command: Sequence[str] | None = None,
        find_spec: Callable[[str], Spec] = spec_for,
        limits: LinkLimits | None = None,
    ) -> None:
        self.editor = editor
        self.history = History()
        self.recording: Recording | None = None
        self.on_samples: Callable[[Mapping[int, str], SampleColumns], None] | None = None
        self.on_gap: Callable[[Sequence[str], str], None] | None = None
        self.on_traffic: Callable[[Seen], None] | None = None
        self._reach = dict(reach or {})
        super().__init__(Connections(clock, command or connector_command(), limits or LinkLimits()), clock)
        self._secrets, self._pki, self.find_spec = secrets, pki, find_spec
        self._observations = Observations(self._connections, clock)
        self._owners: dict[str, frozenset[str]] = {}
        self._wanted: frozenset[str] = frozenset()
        self._changed: set[str] = set()  # wanted or not wanted any more since that was last told
        self._paused = False
        self._dirty = self._replan = False
        self._readings: dict[str, Reading] = {}
        self._readings_s = 0.0
        self._closed = False
        self._stop_listening = editor.listen(self._on_edit)

    @property
    def project(self) -> Project:
        return self.editor.project

    # Connections
    def connect(self, endpoint_id: str) -> None:
        """Connect, with the settings the project has now; when it waits for its next attempt, try at once."""
        self._kept.endpoints.add(endpoint_id)
        self._readings.clear()
        url = self.url_of(endpoint_id)
        try:
            opened_with = opening(self.project, endpoint_id, url, find_spec=self.find_spec, secrets=self._secrets, pki=self._pki)
        except UserError as error:
            self._connections.endpoint(endpoint_id)
            self._connections.drop(endpoint_id, error)
            return
        self._connections.open(endpoint_id, opened_with)
        self._dirty = self._replan = True

    def retry(self, *codes: str) -> None:
        """Connect again whatever waits or has stopped for one of these reasons (``EndpointError.code``), now that it was seen to.

        ``certificate`` and ``rejected`` after the certificate store changed, ``secret`` and ``user`` after a password was entered.
        """
        for endpoint_id in list(self._connections.endpoints):
            state = self.state(endpoint_id)
            if state.phase in ("waiting", "stopped") and getattr(state.why, "code", "") in codes:
                self.connect(endpoint_id)

    def connect_all(self) -> None:
        for endpoint_id in self.project.all(Endpoint):
            self.connect(endpoint_id)

    def disconnect(self, endpoint_id: str) -> None:
        watched = self._connections.endpoints.get(endpoint_id)
        if watched is not None:
            if watched.state.phase == "connected":
                self._mark_gap(watched, "disconnected")
            self._observations.end_all(endpoint_id, "the endpoint was disconnected")
            self._connections.drop(endpoint_id)
            self._readings.clear()
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

    def spoken_url(self, endpoint_id: str) -> str:
        """The URL that says which protocol the endpoint speaks, and which unit is meant: where it is reached, or its own for a snapshot."""
        url = self.url_of(endpoint_id)
        endpoint = self.project.get(Endpoint, endpoint_id)
        return endpoint.addresses.get("default", "") if endpoint is not None and is_offline(url) else url

    def state(self, endpoint_id: str) -> ConnectionState:
        watched = self._connections.endpoints.get(endpoint_id)
        return watched.state if watched is not None else ConnectionState()

    # Watching
    def want(self, owner: str, tags: Iterable[str]) -> None:
        """Replace what one owner (a table, a plot, the recorder) wants watched; the union is what the devices are asked for."""
        self._owners[owner] = frozenset(tags)
        before, self._wanted = self._wanted, frozenset().union(*self._owners.values())
        self._changed |= before ^ self._wanted
        self._dirty = True

    def wanted(self) -> frozenset[str]:
        return self._wanted

    def pause(self, paused: bool) -> None:
        """Stop reading everywhere, or go on; connections stay."""
        if paused != self._paused:
            self._paused = paused
            self._observations.pause(paused)
            self._dirty = self._replan = True

    @property
    def paused(self) -> bool:
        return self._paused

    def reading(self, tag_id: str) -> Reading:
        """The newest sample and what is to be thought of it; a table asks for it once for each of a row's cells."""
        now_s = self._clock.monotonic_s()
        if self._dirty or not 0 <= now_s - self._readings_s < SAME_READING_S:
            self._readings.clear()
            self._readings_s = now_s
        reading = self._readings.get(tag_id)
        if reading is None:
            reading = self._readings[tag_id] = self._reading(tag_id)
        return reading

    def _reading(self, tag_id: str) -> Reading:
        tag = self.project.get(Tag, tag_id)
        if tag is None:
            return Reading(problem="no such tag")
        if self._dirty:  # an edit may have given the tag another address: never show the old one's value under it
            self._apply_wanted()
        watched = self._connections.endpoints.get(tag.endpoint)
        if watched is None:
            return Reading(problem="not connected")
        return watched.reading(tag_id, PAUSED if self._paused else "" if tag_id in self._wanted else NOT_WATCHED)

    def strayed(self) -> dict[str, ItemState]:
        """Watched tags of all endpoints whose variable is not what, or not where, it was when the tag was made."""
        return {tag: state for watched in self._connections.endpoints.values() for tag, state in watched.strayed().items()}

    def rates(self, endpoint_id: str) -> list[tuple[float, float, int]]:
        """Interval asked for, interval granted (ms) and of how many watched tags, the most first; what was refused is in none."""
        watched = self._connections.endpoints.get(endpoint_id)
        return watched.rates() if watched is not None else []

    def bad(self) -> int:
        """How many watched tags have a bad value; costs the same for 10,000 tags."""
        return sum(watched.bad() for watched in self._connections.endpoints.values())

    def estimate(self, tags: Iterable[str]) -> list[tuple[str, LoadEstimate]]:
        """What watching these tags would cost each endpoint (its name), for ``load_text``; asks no device.

        Raises:
            UserError: An endpoint's URL or setting is none.
        """
        by_endpoint: dict[str, list[str]] = {}
        for tag_id in tags:
            if (tag := self.project.get(Tag, tag_id)) is not None:
                by_endpoint.setdefault(tag.endpoint, []).append(tag_id)
        return [
            (
                self.project.all(Endpoint)[id_].name,
                estimate_tags(self.project, id_, ids, self.state(id_).report, url=self.url_of(id_), find_spec=self.find_spec),
            )
            for id_, ids in by_endpoint.items()
        ]

    # Finding what moves
    def observe(self, endpoint_id: str, items: Sequence[Observed], interval_ms: int = 500) -> int:
        """Look at items that are no tags, until ``unobserve`` or the loss of the connection; what comes is in ``movement`` only.

        Raises:
            EndpointError: Too many at once, or the endpoint is not connected, or another device answers there.
        """
        return self._observations.begin(endpoint_id, items, interval_ms)

    def movement(self, token: int) -> Movement:
        """What was seen of an observation, also when it has ended by itself (``Movement.ended``), until ``unobserve``."""
        return self._observations.movement(token)

    def unobserve(self, token: int) -> None:
        self._observations.forget(token)

    def trace(self, endpoint_id: str, on: bool) -> None:
        """Have ``on_traffic`` told what goes over this endpoint's wire, or not; also over its later connections."""
        watched = self._connections.endpoint(endpoint_id)
        watched.tracing = on
        self._connections.trace(watched)

    # Arrivals
    def pump(self, budget_s: float | None = None) -> Arrivals:
        """Take what came, tell the devices what is wanted now, judge freshness. Call it every 50 ms, or in a loop.

        Args:
            budget_s: After so long what is left waits for the next call, in its order; None takes everything. With a budget, the
                owner has ``history.tidy`` done apart from this, a little at a time.
        """
        self._readings.clear()
        if self._dirty:
            self._apply_wanted()
        arrived, self._kept = self._kept, nothing_arrived()
        logs = self._connections.inbox.drain_logs()
        replies = list(arrived.replies)
        dropped = 0
        fresh: list[Reply] = []
        for item in self._connections.inbox.taken(budget_s):
            if isinstance(item, Reply):
                fresh.append(item)
            elif (watched := self._connections.of_link(item.link)) is not None:
                dropped += self._take(watched, item, arrived)
        for watched in self._connections.endpoints.values():
            changed, tags = watched.judge()
            arrived.tags.update(tags)
            if watched.missed:
                self._mark_missed(watched.missed)
            if changed:
                arrived.endpoints.add(watched.id)
        replies += self._connections.accept(fresh)
        if budget_s is None:
            self.history.tidy()
        return Arrivals(arrived.tags, arrived.endpoints, replies, arrived.logs + logs, arrived.dropped + dropped)

    def wait_connected(self, endpoint_id: str, timeout_s: float, *, first_attempt: bool = False) -> EndpointReport:
        """Pump until an endpoint is connected.

        Args:
            endpoint_id: One that ``connect`` was called for.
            timeout_s: For all attempts together.
            first_attempt: Give up when the first attempt fails, for a person who waits at a command line.

        Raises:
            UserError: Why it could not be connected, or that another device answers (code ``identity``).
        """
        deadline_s = self._clock.monotonic_s() + timeout_s
        while True:
            self._kept = self.pump()
            state = self.state(endpoint_id)
            if state.phase == "connected" and state.report is not None:
                if state.held and state.why is not None:
                    raise state.why
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
            case SamplesIn():
                self._take_samples(watched, item, arrived)
                return 0
            case ItemsIn(states=states):
                arrived.tags.update(watched.on_items(states))
                self._observations.on_items(watched.id, states)
                return 0
            case GapIn(handles=handles, dropped=dropped, why=why):
                why = why or "this program was too slow to take them"
                why = f"samples missing: {f'{dropped:,} samples, ' if dropped else ''}{why}"
                self._mark_gap(watched, why, handles, final=True)
                return dropped
            case AliveIn(at_s=at_s, round_trip_s=round_trip_s):
                watched.on_alive(at_s, round_trip_s)
                return 0
            case PhaseIn():
                self._take_phase(watched, item)
                arrived.tags.update(watched.watching.items)
            case TrafficIn(exchanges=exchanges, dropped=lost):
                if self.on_traffic is not None:
                    self.on_traffic(Seen(watched.id, exchanges, lost))
                return 0
            case MemoryIn(rss_bytes=rss_bytes):
                watched.on_memory(rss_bytes)
            case LearnedIn(learned=learned):
                watched.on_learned(learned)
        arrived.endpoints.add(watched.id)
        return 0

    def _take_samples(self, watched: WatchedEndpoint, arrival: SamplesIn, arrived: Arrivals) -> None:
        """What is of tags goes to all who need it."""
        columns = self._observations.take(watched.id, arrival.columns, arrival.at_s)
        if not len(columns) or watched.state.held:  # held by an edit that the link has not heard of yet
            return
        known = watched.watching.known
        places = known.index.places(columns.handle)
        if watched.state.as_of_ns is None:  # what a snapshot holds was not measured now
            self.history.append_at(known, places, columns)
            if self.recording is not None:
                self.recording.append(watched.watching.tags, columns)
        if self.on_samples is not None:
            self.on_samples(watched.watching.tags, columns)
        watched.on_samples(columns, arrival.at_s)
        arrived.tags.add(known, places)

    def _take_phase(self, watched: WatchedEndpoint, arrival: PhaseIn) -> None:
        if arrival.phase != "connected" or arrival.changed:
            if watched.state.phase == "connected" and not watched.state.held:
                self._mark_gap(watched, _loss(arrival))
            elif arrival.why is not None:  # how a process ended is known a moment after it did
                self.history.explain(watched.lost_ns, _loss(arrival))
            self._observations.end_all(watched.id, arrival.why.why if arrival.why else "the connection is not there any more")
        watched.on_phase(arrival)

    def _mark_missed(self, tags: set[str]) -> None:
        """Polls that did not come: the curve goes on with the next one, and not over what is not known."""
        at_ns = self._clock.wall_ns()
        self.history.gaps(tags, at_ns, MISSED)
        if self.recording is not None:
            self.recording.gap(tags, at_ns, MISSED)

    def _mark_gap(self, watched: WatchedEndpoint, why: str, handles: Sequence[int] = (), *, final: bool = False) -> None:
        tags = watched.watching.tags
        watched.lost_ns = self._clock.wall_ns()
        self._break([tags[handle] for handle in handles or list(tags) if handle in tags], watched.lost_ns, why, final=final)

    def _break(self, tags: list[str], at_ns: int, why: str, *, final: bool) -> None:
        """Nothing is known of these from here on: no line may lead on."""
        if self.on_gap is not None:
            self.on_gap(tags, why)
        self.history.gaps(tags, at_ns, why, final=final)
        if self.recording is not None:
            self.recording.gap(tags, at_ns, why)

    def _apply_wanted(self) -> None:
        """Tell each endpoint's link what changed in what is wanted there; only tags that came or went are looked at, where that is all."""
        all_, wanted = self._replan or self._paused, frozenset[str]() if self._paused else self._wanted
        changed, self._changed = self._changed, set()
        self._dirty = self._replan = False
        by_endpoint: dict[str, list[str]] = {endpoint_id: [] for endpoint_id in self._connections.endpoints}
        for tag_id in wanted if all_ else changed:
            tag = self.project.get(Tag, tag_id)
            if tag is not None:
                by_endpoint.setdefault(tag.endpoint, []).append(tag_id)
        for endpoint_id, tags in by_endpoint.items():
            watched = self._connections.endpoint(endpoint_id)
            before = watched.watching.known
            plan = watched.adopt(self.project, tags) if all_ else watched.adopt(self.project, wanted, tags)
            if plan.add or plan.remove:
                gone = before.index.places(np.array(plan.remove, np.uint32)).tolist()
                idle = [before.tags[place] for place in gone if before.tags[place] not in watched.watching.items]
                self._break(idle, self._clock.wall_ns(), PAUSED if self._paused else NOT_WATCHED, final=True)
                self._kept.tags.update(watched.watching.items)
                self._kept.endpoints.add(endpoint_id)
                self._connections.watch(watched, plan)

    def _on_edit(self, edit: Edit) -> None:
        self._readings.clear()
        for change in edit.changes:
            match change:
                case (_, tag_id, Tag() as before, after):
                    self._dirty = self._replan = True
                    if not isinstance(after, Tag) or _meaning(after) != _meaning(before):
                        self._forget(tag_id, before.endpoint)
                case (_, _, Tag() | Group(), _) | (_, _, _, Tag() | Group()):
                    self._dirty = self._replan = True
                case (_, _, Unit() as unit, _) | (_, _, _, Unit() as unit):
                    self._reread_units(unit.endpoint)
                case (_, endpoint_id, Endpoint(), None):
                    self.disconnect(endpoint_id)
                case (_, endpoint_id, Endpoint() as before, Endpoint() as after) if before.identity != after.identity:
                    self._expect(endpoint_id, after.identity)

    def _forget(self, tag_id: str, endpoint_id: str) -> None:
        """The tag is gone, or stands for something else now: what was received under it is void."""
        self.history.forget(tag_id)
        if (watched := self._connections.endpoints.get(endpoint_id)) is not None:
            watched.forget(tag_id)

    def _expect(self, endpoint_id: str, identity: Identity) -> None:
        """Another device is meant to answer there. What is held is released, or what is live held, without a reconnect."""
        watched = self._connections.endpoints.get(endpoint_id)
        if watched is None:
            return
        was_live = watched.state.phase == "connected" and not watched.state.held
        self._connections.expect(endpoint_id, identity)
        if was_live and watched.state.held:
            self._mark_gap(watched, ANOTHER_DEVICE)
        self._kept.endpoints.add(endpoint_id)
        self._kept.tags.update(watched.watching.items)

    def _reread_units(self, endpoint_id: str) -> None:
        """The byte order of a unit changed. Values decoded the old way must not stay, so the session is opened again at once."""
        endpoint = self.project.get(Endpoint, endpoint_id)
        if endpoint is not None:
            self._connections.use_units(endpoint_id, endpoint_config(self.project, endpoint, "").units)


def _loss(arrival: PhaseIn) -> str:
    """Why there are no samples from here on, for the plots; "" where that is not known yet."""
    if arrival.phase == "connected":
        return ANOTHER_DEVICE
    return f"connection lost: {arrival.why.why}" if arrival.why is not None else ""


def _meaning(tag: Tag) -> tuple[str, str, float, float]:
    """What a sample under this tag is a value of."""
    return tag.endpoint, tag.address, tag.gain, tag.offset
