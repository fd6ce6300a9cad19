"""The kinds of frames: what the program says to a connector, and what that answers. Only their headers; no rule how they become bytes."""

from __future__ import annotations

from typing import Final

import msgspec

from app.drivers.base import (
    BrowseColumns,
    EndpointConfig,
    EndpointReport,
    Exchange,
    Item,
    ItemState,
    Learned,
    NodeDetails,
    WatchItem,
)
from app.errors import EndpointError, UserError

CLIPPED_TO: Final = 4_000
"""Characters of what a person is told, where a server told the connector more."""


class Frame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Header of one frame."""


# Parent → child
class Open(Frame, frozen=True, kw_only=True, tag="open"):
    """Begin a new session; one that is still there is closed first."""

    config: EndpointConfig
    timeout_s: float = 10.0


class Browse(Frame, frozen=True, kw_only=True, tag="browse"):
    token: int
    nodes: tuple[str, ...]
    resume: bytes | None = None


class Crawl(Frame, frozen=True, kw_only=True, tag="crawl"):
    token: int
    root: str
    limit: int


class Read(Frame, frozen=True, kw_only=True, tag="read"):
    token: int
    items: tuple[Item, ...]


class Details(Frame, frozen=True, kw_only=True, tag="details"):
    token: int
    nodes: tuple[str, ...]


class Discover(Frame, frozen=True, kw_only=True, tag="discover"):
    """Ask what answers at a URL; needs no session."""

    token: int
    url: str
    timeout_s: float = 10.0


class Ask(Frame, frozen=True, kw_only=True, tag="ask"):
    """A question of ``app.drivers.questions``, packed; one that is ``Anywhere`` needs no session."""

    token: int
    question: str
    body: bytes


class Trace(Frame, frozen=True, kw_only=True, tag="trace"):
    """Tell what goes over the wire, or stop; holds for later sessions of this connector too."""

    on: bool


class Watch(Frame, frozen=True, kw_only=True, tag="watch"):
    add: tuple[WatchItem, ...] = ()
    remove: tuple[int, ...] = ()


class Cancel(Frame, frozen=True, kw_only=True, tag="cancel"):
    token: int


class Close(Frame, frozen=True, kw_only=True, tag="close"):
    """End the session and the process."""


def clipped(text: str) -> str:
    return text if len(text) <= CLIPPED_TO else f"{text[:CLIPPED_TO]}…"


# Child → parent
class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A ``UserError`` on its way through the pipe."""

    what: str
    where: str
    why: str
    fix: str = ""
    code: str = ""
    evidence: bytes = b""
    about: str = ""

    @classmethod
    def of(cls, error: UserError) -> Failure:
        known = error if isinstance(error, EndpointError) else EndpointError("", where="", why="")
        what, where, why, fix = (clipped(text) for text in (error.what, error.where, error.why, error.fix))
        return cls(what=what, where=where, why=why, fix=fix, code=known.code, evidence=known.evidence, about=known.about)

    def error(self) -> EndpointError:
        return EndpointError(
            self.what, where=self.where, why=self.why, fix=self.fix, code=self.code, evidence=self.evidence, about=self.about
        )


class Opened(Frame, frozen=True, kw_only=True, tag="opened"):
    report: EndpointReport


class Failed(Frame, frozen=True, kw_only=True, tag="failed"):
    """The session could not be opened. ``retry`` is False where trying again cannot help (a setting is wrong)."""

    failure: Failure
    retry: bool = True


class Lost(Frame, frozen=True, kw_only=True, tag="lost"):
    why: str


class Replied(Frame, frozen=True, kw_only=True, tag="reply"):
    """Answer to a request; one of the results, or ``failure``. A crawl has many, the last one ``done``.

    ``rows`` says that the payload holds so many samples (a read), ``objects`` of them with a value that is no plain number. ``answer`` is
    one packed answer to an ``Ask``. ``more``: the next one with this token goes on with the same result; see ``app.connector.parts``.
    """

    token: int
    done: bool = True
    more: bool = False
    browse: BrowseColumns | None = None
    details: tuple[NodeDetails, ...] | None = None
    report: EndpointReport | None = None
    answer: bytes | None = None
    rows: int | None = None
    objects: int = 0
    failure: Failure | None = None


class Samples(Frame, frozen=True, kw_only=True, tag="samples"):
    """``rows`` samples in the payload, ``objects`` of them with a value that is no plain number."""

    rows: int
    objects: int = 0


class Items(Frame, frozen=True, kw_only=True, tag="items"):
    states: tuple[ItemState, ...]


class Alive(Frame, frozen=True, kw_only=True, tag="alive"):
    round_trip_s: float = 0.0


class Gap(Frame, frozen=True, kw_only=True, tag="gap"):
    """Samples of these handles (all when empty) are missing here. ``dropped`` counts those the connector itself threw away."""

    handles: tuple[int, ...] = ()
    why: str = ""
    dropped: int = 0


class Taught(Frame, frozen=True, kw_only=True, tag="taught"):
    learned: Learned


class Traced(Frame, frozen=True, kw_only=True, tag="traced"):
    exchanges: tuple[Exchange, ...]
    dropped: int = 0


class Memory(Frame, frozen=True, kw_only=True, tag="memory"):
    rss_bytes: int


Request = Browse | Crawl | Read | Details | Discover | Ask
ToChild = Open | Browse | Crawl | Read | Details | Discover | Ask | Trace | Watch | Cancel | Close
ToParent = Opened | Failed | Lost | Replied | Samples | Items | Alive | Gap | Taught | Traced | Memory
