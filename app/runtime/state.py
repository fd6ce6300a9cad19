"""What the runtime tells: the state of a connection, the reading of a tag, answers, log entries. Plain values, no behaviour."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import msgspec

from app.drivers.base import BrowseColumns, EndpointReport, Exchange, Learned, NodeDetails, Wire
from app.errors import UserError
from app.model.columns import SampleColumns
from app.model.values import Sample
from app.runtime.changed_tags import ChangedTags
from app.runtime.identity import Difference
from app.runtime.outages import Outage

Phase = Literal["off", "connecting", "connected", "waiting", "stopped"]
"""``connecting`` is the first attempt after the person asked; ``waiting`` is lost or failed and will be tried again, also while that
attempt runs; ``stopped`` will not be tried again until the person asks."""

NOTHING_LEARNED: Final = Learned()
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

Cause = Literal["", "not connected", "another device", "idle", "identity changed", "refused", "bad", "no answer", "snapshot", "moved"]
"""Why a reading is not a live one, for whoever shows it; ``Reading.problem`` says it in full. ``idle`` is not watched, or paused;
``moved`` is live, and found by its path where its id is not the tag's any more."""


class ConnectionState(msgspec.Struct, frozen=True):
    """One endpoint's connection, as of the last ``pump``.

    Attributes:
        why: The trouble, while there is one.
        retry_at_s: ``Clock.monotonic_s`` of the next attempt; None when none is planned, or while it runs.
        since_ns: Wall clock at which the phase began.
        report: What answered last; kept after a loss.
        values_per_s: Received, over the last two seconds.
        items: Tags that are being watched.
        accepted: Of these, items that stand on the device now because of us: it granted them and still serves them.
        stale: No proof of life: true in every phase but ``connected``, and there after silence (``app.runtime.freshness``).
        memory_bytes: Resident size of the connector process.
        changed: In what the device that answered is not the one the project knows; see ``held``.
        learned: What its sessions found out by running into it: limits, nodes that are asked for alone or not at all.
        outages: The last times it was away, oldest first.
    """

    phase: Phase = "off"
    why: UserError | None = None
    retry_at_s: float | None = None
    since_ns: int = 0
    report: EndpointReport | None = None
    round_trip_s: float = 0.0
    values_per_s: float = 0.0
    items: int = 0
    accepted: int = 0
    stale: bool = True
    memory_bytes: int = 0
    changed: tuple[Difference, ...] = ()
    learned: Learned = NOTHING_LEARNED
    outages: tuple[Outage, ...] = ()

    @property
    def held(self) -> bool:
        """Connected to another device than the project knows here: it can be browsed, but no tag is read until that is confirmed.

        ``why`` says so (code ``identity``). ``app.edits.endpoints.confirm_identity`` releases it without a reconnect.
        """
        return bool(self.changed)

    @property
    def as_of_ns(self) -> int | None:
        """Wall clock of then, when what answered last is a snapshot: nothing of it is ever live."""
        return self.report.as_of_ns if self.report is not None else None


class Reading(msgspec.Struct, frozen=True):
    """What a table shows of one tag.

    Attributes:
        sample: The newest; None before the first. A tag that is no longer watched keeps its last one, stale.
        stale: Our own judgement: not to be taken for what the device has now.
        age_s: Since the last sample came; infinite before the first.
        unchanged_s: Since the value last changed (or first came); infinite before the first.
        interval_ms: The rate the device granted, None while it is not known.
        problem: "" or why there is no live value, in words and with the protocol's code.
        cause: The kind of that problem.
        rebind: Address where the tag's variable is now, where it is not the tag's own any more; see ``ItemState.rebind``.
        as_of_ns: Of a snapshot's value: when the snapshot was taken (Unix ns); it is stale then, and ``age_s`` counts from when the
            device gave it.
    """

    sample: Sample | None = None
    stale: bool = True
    age_s: float = float("inf")
    unchanged_s: float = float("inf")
    interval_ms: float | None = None
    problem: str = ""
    cause: Cause = ""
    rebind: str = ""
    as_of_ns: int | None = None


Result = BrowseColumns | list[NodeDetails] | SampleColumns | EndpointReport | Wire | UserError


class Reply(NamedTuple):
    """An answer to ``browse``, ``details``, ``read``, ``crawl``, ``discover`` or ``ask``; some come in several, the last one ``done``."""

    token: int
    result: Result
    done: bool


class Seen(NamedTuple):
    """What went over the wire of one endpoint since the last ``pump``; ``dropped`` were too many to tell."""

    endpoint: str
    exchanges: tuple[Exchange, ...]
    dropped: int


class LogEntry(NamedTuple):
    time_ns: int
    level: LogLevel
    source: str
    text: str


class Arrivals(NamedTuple):
    """What changed since the last ``pump``: tags to repaint, endpoints whose state changed, answers, log entries, dropped samples."""

    tags: ChangedTags
    endpoints: set[str]
    replies: list[Reply]
    logs: list[LogEntry]
    dropped: int

    def __bool__(self) -> bool:
        return bool(self.tags or self.endpoints or self.replies or self.logs or self.dropped)


def nothing_arrived() -> Arrivals:
    return Arrivals(ChangedTags(), set(), [], [], 0)
