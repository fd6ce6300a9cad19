"""A connection in words: the same in the status bar, in tool tips and in the details; calm, so that a reconnect reads as one event."""

from __future__ import annotations

from math import ceil
from typing import Final, Literal, NamedTuple

from app.errors import UserError
from app.runtime.state import ConnectionState
from widgets.clock import clock_text, day_and_time
from widgets.look import ConnectionState as Dot

HOLD_S: Final = 1.0
"""So long a loss stays visible although the connection is back already, and the words of a wait stay while an attempt runs."""

Kind = Literal["connected", "silent", "held", "snapshot", "connecting", "reconnecting", "stopped", "off"]

_DOTS: Final[dict[Kind, Dot]] = {
    "connected": "connected",
    "silent": "lost",
    "held": "waiting",
    "snapshot": "snapshot",
    "connecting": "connecting",
    "reconnecting": "waiting",
    "stopped": "lost",
    "off": "off",
}
_SEPARATOR: Final = " · "


class Shown(NamedTuple):
    """How one endpoint looks now.

    Attributes:
        words: What there is to say beside the name, the most important first: where there is no room its end is cut.
        short: The least that must be read.
        tip: Everything, on several lines, with what to do about it.
    """

    dot: Dot
    words: str
    short: str
    tip: str

    @property
    def is_trouble(self) -> bool:
        return self.dot in ("waiting", "lost")


class Calm:
    """What is shown of one endpoint. Bad news is shown at once, good news after ``HOLD_S`` of the bad; a countdown only counts down."""

    def __init__(self) -> None:
        self._kind: Kind = "off"
        self._since_s = 0.0
        self._wait = self._trying = ""
        self._left_s = 0
        self._retry_at_s: float | None = None
        self._attempt_s: float | None = None

    def show(self, state: ConnectionState, now_s: float, *, utc: bool = False) -> Shown:
        """``now_s`` is of the monotonic clock; call it at every change and about twice a second."""
        kind = _kind(state)
        if self._kind == "reconnecting" and kind in ("connected", "snapshot") and now_s - self._since_s < HOLD_S:
            kind = "reconnecting"
        if kind != self._kind:
            self._kind, self._since_s = kind, now_s
            self._trying = "reconnecting…" if state.report is not None else "trying again…"
            self._wait, self._retry_at_s, self._attempt_s = self._trying, None, None
        if kind == "reconnecting":
            self._wait = self._waiting(state, now_s)
        words = self._words(kind, state, utc=utc)
        short = words[0] if words else ""
        return Shown(_DOTS[kind], _SEPARATOR.join(words), short, _tip(kind, state, short, utc=utc))

    def _waiting(self, state: ConnectionState, now_s: float) -> str:
        """An attempt that fails at once does not show between two waits, nor does the first moment of a loss."""
        if now_s - self._since_s < HOLD_S:
            return self._wait
        if state.phase != "waiting" or state.retry_at_s is None:
            self._attempt_s = now_s if self._attempt_s is None else self._attempt_s
            return self._wait if now_s - self._attempt_s < HOLD_S else self._trying
        self._attempt_s = None
        left_s = max(1, ceil(state.retry_at_s - now_s))
        if state.retry_at_s == self._retry_at_s:
            left_s = min(left_s, self._left_s)
        self._retry_at_s, self._left_s = state.retry_at_s, left_s
        return f"retry in {left_s} s"

    def _words(self, kind: Kind, state: ConnectionState, *, utc: bool) -> list[str]:
        match kind:
            case "connected":
                return _numbers(state)
            case "silent":
                return ["no answer", "values are stale", items_text(state)]
            case "held":
                return ["another device", *([state.why.what] if state.why else [])]
            case "snapshot":
                return [f"snapshot of {day_and_time(state.as_of_ns or 0)}"]
            case "connecting":
                return ["connecting…"]
            case "reconnecting":
                return [self._wait, *_since(state, utc=utc)]
            case "stopped":
                return ["not connected", *([_reason(state.why)] if state.why else [])]
        return ["off"]


def _kind(state: ConnectionState) -> Kind:
    match state.phase:
        case "connected" if state.held:
            return "held"
        case "connected" if state.as_of_ns is not None:
            return "snapshot"
        case "connected":
            return "silent" if state.stale else "connected"
        case "waiting":
            return "reconnecting"
    return state.phase


def items_text(state: ConnectionState) -> str:
    """What stands on the device because of us, and what was asked for where that is more."""
    some = f"{state.accepted:,} of {state.items:,}" if state.accepted < state.items else f"{state.items:,}"
    return f"{some} {'item' if state.items == 1 else 'items'}"


def _numbers(state: ConnectionState) -> list[str]:
    numbers = [f"{state.values_per_s:,.0f}/s", items_text(state)]
    return [*numbers, round_trip_text(state.round_trip_s)] if state.round_trip_s else numbers


def round_trip_text(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.0095 else f"{seconds * 1000:.1f} ms"


def _since(state: ConnectionState, *, utc: bool) -> list[str]:
    if state.phase != "waiting":  # it is back, and shown as back in a moment
        return []
    since = f"since {clock_text(state.since_ns, utc=utc).partition('.')[0]}"
    return [f"{since}: {_reason(state.why)}" if state.why else since]


def _reason(why: UserError) -> str:
    """On one line."""
    return " ".join(why.why.split())


def _tip(kind: Kind, state: ConnectionState, short: str, *, utc: bool) -> str:
    lines: list[str] = []
    if kind in ("connected", "silent"):
        trip = f", round trip {round_trip_text(state.round_trip_s)}" if state.round_trip_s else ""
        lines = [f"{state.values_per_s:,.0f} values/s{trip}", f"{items_text(state)} of ours on the device"]
    if kind == "silent":
        lines.insert(0, "No answer: its values are stale. The connection is kept and asked for a sign of life.")
    elif kind == "connected":
        lines.insert(0, f"Connected since {clock_text(state.since_ns, utc=utc).partition('.')[0]}")
    else:
        lines.insert(0, short[:1].upper() + short[1:])
        lines += _since(state, utc=utc) if kind == "reconnecting" and not state.why else []
    if state.why is not None:
        since = f" (since {clock_text(state.since_ns, utc=utc).partition('.')[0]})" if kind == "reconnecting" else ""
        lines += [f"{state.why.what}{since}", state.why.why, state.why.fix]
    return "\n".join(filter(None, lines))
