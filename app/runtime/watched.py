"""One endpoint as the project's owner sees it: its state, what is watched there, the newest values, and how fresh they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from app.drivers.base import IDENTITY_CHANGED, ItemState, Learned, Spec, WatchItem
from app.errors import UserError
from app.model.columns import SampleColumns
from app.model.plant import Identity, Tag
from app.model.project import Project
from app.model.times import rfc3339
from app.model.values import Quality, Sample
from app.runtime import freshness
from app.runtime.clock import Clock
from app.runtime.identity import differences, identity_error
from app.runtime.inbox import PhaseIn
from app.runtime.outages import Outages
from app.runtime.state import NOTHING_LEARNED, Cause, ConnectionState, Reading
from app.runtime.watching import Plan, Watching
from app.samples.latest import NEVER, Latest

if TYPE_CHECKING:
    from app.runtime.link import Link

RATE_WINDOW_S = 2.0


class WatchedEndpoint:
    """Lives on the owner's thread. ``link`` is None while the endpoint is off.

    ``missed`` are the polled tags that became overdue with the last ``judge``.
    """

    def __init__(self, endpoint: str, clock: Clock, handles: Iterator[int]) -> None:
        self.id = endpoint
        self.link: Link | None = None
        self.watching = Watching(handles)
        self.state = ConnectionState(since_ns=clock.wall_ns())
        self.spec: Spec | None = None
        self.tracing = False
        self._withheld: list[int] = []
        self._strayed: dict[str, ItemState] | None = None
        self.lost_ns = 0
        """Wall clock of the last gap that was marked."""
        self._clock = clock
        self._latest = Latest()
        self._items: dict[int, ItemState] = {}
        self._kept: dict[str, tuple[Sample, float, float]] = {}  # of tags no longer watched: sample, received, changed
        self._outages = Outages()
        self._life_s = NEVER
        self._connected_s = NEVER  # what came before, from an earlier connection, is stale until it comes again
        self._overdue: set[str] = set()
        self.missed: set[str] = set()
        self._intervals: tuple[npt.NDArray[np.uint32], npt.NDArray[np.float64]] | None = None
        self._rows, self._rows_since_s = 0, clock.monotonic_s()

    # What arrives
    def on_phase(self, arrival: PhaseIn) -> None:
        state = self.state
        report = arrival.report or state.report
        since_ns = state.since_ns if arrival.phase == state.phase else self._clock.wall_ns()
        if arrival.phase == "waiting":
            if state.phase == "connected" or (state.outages and state.outages[-1].lasted_s is None):
                self._outages.lost(self._clock.wall_ns(), arrival.at_s, arrival.why.why if arrival.why else "")
        elif arrival.phase in ("connected", "off"):
            self._outages.ended(arrival.at_s)
        if arrival.phase == "connected":
            self._connected_s = arrival.at_s
            if arrival.report is not None and arrival.report.as_of_ns != state.as_of_ns:
                self._forget_values()
        if arrival.phase != "connected" or arrival.changed:
            self._items.clear()
            self._intervals = None
        self.state = replace(
            state,
            accepted=self._accepted(),
            phase=arrival.phase,
            why=arrival.why,
            retry_at_s=arrival.retry_at_s,
            since_ns=since_ns,
            report=report,
            stale=arrival.phase != "connected" or (report is not None and report.as_of_ns is not None),
            memory_bytes=state.memory_bytes if arrival.phase == "connected" else 0,
            changed=arrival.changed,
            outages=self._outages.seen,
        )

    def _forget_values(self) -> None:
        """Between a device and a snapshot, or two snapshots: nothing of the one may be taken for the other's."""
        handles = list(self.watching.tags)
        self._latest.remove(handles)
        self._latest.add(handles)
        self._kept.clear()

    def expect(self, identity: Identity) -> None:
        """The project knows another device here now: hold at once, before the link does; the link alone releases."""
        report = self.state.report
        if self.state.phase == "connected" and report is not None and (changed := differences(identity, report.identity)):
            now_s = self._clock.monotonic_s()
            self.on_phase(PhaseIn(0, "connected", identity_error(report.url, changed), None, None, now_s, changed))

    def on_alive(self, at_s: float, round_trip_s: float) -> None:
        self._life_s = at_s
        self.state = replace(self.state, round_trip_s=round_trip_s)

    def on_memory(self, rss_bytes: int) -> None:
        self.state = replace(self.state, memory_bytes=rss_bytes)

    def on_learned(self, learned: Learned) -> None:
        self.state = replace(self.state, learned=learned)

    def on_samples(self, columns: SampleColumns, at_s: float) -> None:
        """Take a batch.

        A batch of bad samples alone is no sign of life: a driver makes such where nothing answered; ``Alive`` tells if something did.
        """
        if len(columns) and int(columns.quality.min()) < Quality.BAD:
            self._life_s = at_s
        self._rows += len(columns)
        self._latest.apply(columns, at_s)

    def on_items(self, states: Iterable[ItemState]) -> list[str]:
        known = [state for state in states if state.handle in self.watching.tags]
        self._items.update((state.handle, state) for state in known)
        self._intervals = None
        self.state = replace(self.state, accepted=self._accepted())
        return [self.watching.tags[state.handle] for state in known]

    def _accepted(self) -> int:
        self._strayed = None
        refused = [state for state in self._items.values() if state.refused]
        self._withheld = [state.handle for state in refused if state.refused.startswith(IDENTITY_CHANGED)]
        return len(self._items) - len(refused)

    # What is wanted
    def adopt(self, project: Project, wanted: Collection[str], changed: Iterable[str] | None = None) -> Plan:
        """Plan the change to this wanted set and make it here, as ``Watching.plan`` does; the caller hands the plan to the link."""
        tags, items = self.watching.tags.copy(), self.watching.items.copy()
        plan = self.watching.plan(project, self.id, wanted, changed)
        for handle in plan.remove:
            tag_id = tags[handle]
            item = items[tag_id]
            sample = self._latest.sample(handle)
            if sample is not None and _still_means(project.get(Tag, tag_id), self.id, item):
                self._kept[tag_id] = (sample, *self._latest.times(handle))
            self._items.pop(handle, None)
        if plan.remove:
            self.state = replace(self.state, accepted=self._accepted())
        self._latest.remove(plan.remove)
        self._latest.add(item.handle for item in plan.add)
        self._intervals = None
        self.state = replace(self.state, items=len(self.watching.items))
        return plan

    def forget(self, tag: str) -> None:
        """What was known of a tag is void: it is gone, or it means something else now."""
        self._kept.pop(tag, None)

    # What to show
    def reading(self, tag: str, idle: str) -> Reading:
        """``idle`` says why a tag is not watched ("" where it is wanted)."""
        item = self.watching.items.get(tag)
        sample = self._latest.sample(item.handle) if item else None
        granted = self._items.get(item.handle) if item else None
        interval_ms = granted.interval_ms if granted else None
        at_s, changed_s = self._latest.times(item.handle) if item else (NEVER, NEVER)
        fresh = sample is not None
        if sample is None and tag in self._kept:
            sample, at_s, changed_s = self._kept[tag]
        now_s = self._clock.monotonic_s()
        if self.state.as_of_ns is not None:
            return self._reading_of_then(sample, granted, idle, self.state.as_of_ns)
        cause, problem = self._problem(sample if fresh else None, granted, idle)
        return Reading(
            sample=sample,
            stale=not fresh or self.state.held or at_s < self._connected_s or self.state.stale or tag in self._overdue,
            age_s=now_s - at_s,
            unchanged_s=now_s - changed_s,
            interval_ms=interval_ms,
            problem=problem,
            cause=cause,
            rebind=granted.rebind if granted else "",
        )

    def _reading_of_then(self, sample: Sample | None, granted: ItemState | None, idle: str, as_of_ns: int) -> Reading:
        """Of a snapshot: always stale, and as old as the device's own answer."""
        age_s = (self._clock.wall_ns() - sample.receive_ns) / 1e9 if sample is not None else float("inf")
        cause, problem = self._problem(sample, granted, idle)
        return Reading(sample=sample, age_s=age_s, unchanged_s=age_s, problem=problem, cause=cause, as_of_ns=as_of_ns)

    def _problem(self, sample: Sample | None, granted: ItemState | None, idle: str) -> tuple[Cause, str]:
        state = self.state
        if state.phase != "connected":
            return "not connected", f"not connected: {state.why.why}" if state.why else "not connected"
        if state.held:
            return "another device", f"another device answers: {', '.join(map(str, state.changed))}"
        if idle:
            return "idle", idle
        if granted is not None and granted.refused:
            return "identity changed" if granted.refused.startswith(IDENTITY_CHANGED) else "refused", granted.refused
        if sample is not None and sample.quality == Quality.BAD:
            return "bad", self.spec.status_text(sample.status) if self.spec else f"0x{sample.status:08X}"
        if state.as_of_ns is not None:
            return ("snapshot", f"a snapshot, as of {rfc3339(state.as_of_ns // 10**9 * 10**9)}") if sample is not None else ("", "")
        if state.stale:
            return "no answer", f"no answer for more than {freshness.silence_allowed_s(state.round_trip_s):.0f} s"
        if granted is not None and granted.rebind:
            return "moved", f"found at {granted.rebind}: its id has changed since the tag was made"
        return "", ""

    def bad(self) -> int:
        """How many watched tags have a bad value, or one that is withheld as it is another variable's."""
        newest = map(self._latest.sample, self._withheld)  # a driver may have sent a bad one of these, or nothing at all
        return self._latest.bad() + sum(1 for sample in newest if sample is None or sample.quality is not Quality.BAD)

    # What the device made of the items
    def strayed(self) -> dict[str, ItemState]:
        """Tags whose variable is not what, or not where, it was when the tag was made; of those that are watched."""
        if self._strayed is None:
            tags = self.watching.tags
            self._strayed = {
                tags[handle]: state
                for handle, state in self._items.items()
                if (state.rebind or state.refused.startswith(IDENTITY_CHANGED)) and handle in tags
            }
        return self._strayed

    def rates(self) -> list[tuple[float, float, int]]:
        """Interval asked for, interval granted (ms), and of how many items; the most first."""
        pairs = Counter(
            (float(item.interval_ms), state.interval_ms)
            for item in self.watching.items.values()
            if (state := self._items.get(item.handle)) is not None and state.interval_ms is not None
        )
        return [(asked, granted, count) for (asked, granted), count in pairs.most_common()]

    def judge(self) -> tuple[bool, set[str]]:
        """Look at the clock again: whether the state changed, and the tags whose freshness did."""
        now_s = self._clock.monotonic_s()
        changed, tags = False, set[str]()
        not_live = self.state.phase != "connected" or self.state.as_of_ns is not None
        stale = not_live or freshness.is_silent(now_s, self._life_s, self.state.round_trip_s)
        if stale != self.state.stale:
            self.state = replace(self.state, stale=stale)
            changed = True
            tags |= self.watching.items.keys()
        overdue = self._overdue_now(now_s)
        tags |= overdue ^ self._overdue
        self.missed = overdue - self._overdue
        self._overdue = overdue
        if now_s - self._rows_since_s >= RATE_WINDOW_S:
            rate = self._rows / (now_s - self._rows_since_s)
            self._rows, self._rows_since_s = 0, now_s
            if rate != self.state.values_per_s:
                self.state = replace(self.state, values_per_s=rate)
                changed = True
        return changed, tags

    def _overdue_now(self, now_s: float) -> set[str]:
        live = self.state.phase == "connected" and not self.state.held and self.state.as_of_ns is None
        if not getattr(self.spec, "polls", False) or not self.watching.items or not live:
            return set()
        if self._intervals is None:
            items = self.watching.items.values()
            granted = [self._items.get(item.handle) for item in items]
            self._intervals = (
                np.array([item.handle for item in items], np.uint32),
                np.array(
                    [(state and state.interval_ms) or item.interval_ms for item, state in zip(items, granted, strict=True)], np.float64
                ),
            )
        handles, interval_ms = self._intervals
        received_s = self._latest.received_s(handles)
        overdue = freshness.poll_overdue(now_s - received_s, interval_ms) & (received_s != NEVER)
        return {self.watching.tags[handle] for handle in handles[overdue].tolist()}

    def begin(self) -> None:
        """The person asked to connect; shown at once, before the link says so. What was learned is tried anew."""
        self.state = replace(self.state, learned=NOTHING_LEARNED)
        self.on_phase(PhaseIn(0, "connecting", None, None, None, self._clock.monotonic_s()))

    def stop(self, why: UserError | None) -> None:
        """The link is gone or was never made: off, or with a reason, stopped."""
        self.on_phase(PhaseIn(0, "stopped" if why else "off", why, None, None, self._clock.monotonic_s()))


def _still_means(tag: Tag | None, endpoint: str, item: WatchItem) -> bool:
    """Whether what was watched as ``item`` is what the tag stands for now."""
    return tag is not None and (tag.endpoint, tag.address, tag.gain, tag.offset) == (endpoint, item.address, item.gain, item.offset)
