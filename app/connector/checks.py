"""What a decoded header says, held against what those who show or use it take for granted. The parent's side."""

from __future__ import annotations

from typing import Final

from app.connector.frame_error import FrameError
from app.connector.kinds import Alive, Failed, Failure, Gap, Items, Lost, Memory, Opened, Replied, Taught, ToParent, Traced
from app.drivers.base import BrowseColumns, EndpointReport, Exchange, ItemState

TEXT_LIMIT: Final = 16_384
"""Characters of what a person is told: a status bar has to lay it out. A connector clips its own to a quarter (``kinds.CLIPPED_TO``)."""
ROUND_TRIP_LIMIT_S: Final = 60.0

_TIME_LIMIT_NS: Final = 2**62
_COUNT_LIMIT: Final = 2**48
_BROWSE_COLUMNS: Final = ("parent", "name", "browse_name", "path", "node_class", "type", "has_children", "description")


def check(frame: ToParent) -> None:
    """Raises ``FrameError`` where a number or a text is none that can be used. Samples and browsed nodes are looked at elsewhere."""
    match frame:
        case Alive(round_trip_s=seconds):
            _check_round_trip(seconds)
        case Opened(report=report) | Replied(report=EndpointReport() as report):
            _check_report(report)
        case Failed(failure=failure) | Replied(failure=Failure() as failure):
            _check_texts(failure.what, failure.where, failure.why, failure.fix, failure.code, failure.about)
        case Lost(why=why):
            _check_texts(why)
        case Gap():
            _check_gap(frame)
        case Items(states=states):
            for state in states:
                _check_state(state)
        case Taught(learned=learned):
            if any(number < 1 for number in learned.limits.values()):
                raise FrameError("a limit of nothing")
            _check_counts(*learned.limits.values())
            _check_texts(*learned.limits, *learned.quarantined, *learned.quarantined.values())
        case Traced(exchanges=exchanges, dropped=dropped):
            _check_counts(dropped)
            for exchange in exchanges:
                _check_exchange(exchange)
        case Memory(rss_bytes=rss_bytes):
            _check_counts(rss_bytes)


def check_browse(browse: BrowseColumns) -> None:
    """Raises ``FrameError`` where the columns do not fit each other."""
    rows = len(browse.id)
    for name in _BROWSE_COLUMNS:
        if len(getattr(browse, name)) != rows:
            raise FrameError(f"browse column {name} has {len(getattr(browse, name))} rows, id has {rows}")
    if min(browse.parent, default=0) < 0 or min(browse.errors, default=0) < 0:
        raise FrameError("a browse row with a negative parent")


def _check_gap(gap: Gap) -> None:
    """A handle named a million times would be a million gaps."""
    _check_texts(gap.why)
    _check_counts(gap.dropped, *gap.handles)
    if len(set(gap.handles)) != len(gap.handles):
        raise FrameError("a gap of the same samples twice")


def _check_state(state: ItemState) -> None:
    _check_counts(state.handle, state.status)
    _check_texts(state.refused, state.note, state.rebind)
    if state.interval_ms is not None and not 0 <= state.interval_ms < _COUNT_LIMIT:  # also False for NaN
        raise FrameError(f"an interval of {state.interval_ms} ms")


def _check_exchange(exchange: Exchange) -> None:
    _check_counts(exchange.size)
    _check_time(exchange.at_ns)
    _check_texts(exchange.text, exchange.trouble)
    _check_round_trip(exchange.round_trip_s)


def _check_report(report: EndpointReport) -> None:
    _check_round_trip(report.round_trip_s)
    _check_texts(report.title, report.url, report.application_uri, report.product, *report.notes, *report.granted.values())
    _check_counts(*report.limits.values(), *report.found.values(), *report.units)
    if report.clock_offset_s is not None and not abs(report.clock_offset_s) < _COUNT_LIMIT:
        raise FrameError(f"a clock that is {report.clock_offset_s} s off")
    if report.as_of_ns is not None:
        _check_time(report.as_of_ns)


def _check_round_trip(seconds: float) -> None:
    if not 0 <= seconds <= ROUND_TRIP_LIMIT_S:  # also False for NaN: it would keep dead values alive for ever
        raise FrameError(f"a round trip of {seconds} s")


def _check_time(time_ns: int) -> None:
    if not 0 <= time_ns < _TIME_LIMIT_NS:
        raise FrameError(f"a time of {time_ns} ns")


def _check_counts(*counts: int) -> None:
    if counts and not 0 <= min(counts) <= max(counts) < _COUNT_LIMIT:
        raise FrameError(f"counts between {min(counts)} and {max(counts)}")


def _check_texts(*texts: str) -> None:
    if texts and (longest := max(map(len, texts))) > TEXT_LIMIT:
        raise FrameError(f"a text of {longest} characters for a person")
