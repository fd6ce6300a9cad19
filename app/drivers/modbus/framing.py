"""How requests become frames and bytes become replies: one class per form, without a clock, a socket or a port of its own."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol


class Arrival(NamedTuple):
    """A frame, or bytes that are none.

    Attributes:
        kind: ``reply`` right in every field; ``late`` of a request that was given up, or of none; ``malformed`` cannot be the
            reply, but the next request may be answered; ``garbage`` nothing on this connection can be trusted any more.
        frame: All bytes of it, as they came.
        unit, pdu: Of a frame; 0 and b"" of bytes that are none.
        why: A sentence about what is not a reply.
        key: Of the request that it belongs to (``Framing.latest``); 0 of malformed bytes belongs to whatever is in flight.
    """

    kind: Literal["reply", "late", "malformed", "garbage"]
    frame: bytes
    unit: int = 0
    pdu: bytes = b""
    why: str = ""
    key: int = 0


class Framing(Protocol):
    """``request``, then ``received`` until it gives a reply, or ``give_up``. Several may be in flight where the form is not serial."""

    serial: bool
    """Whether a reply does not say which request it belongs to, so that there is one at a time, and a lost one puts the next into doubt."""
    latest: int
    """Key of the request that was made last."""

    @property
    def waits(self) -> bool:
        """Whether a reply is held back until more comes, or until ``silence``."""
        ...

    def request(self, unit: int, pdu: bytes, now_s: float) -> bytes:
        """The frame to send.

        Raises:
            ForbiddenFunctionError: The request is not a read.
        """
        ...

    def received(self, data: bytes) -> list[Arrival]:
        """In the order in which they came; bytes of an unfinished frame are kept."""
        ...

    def silence(self) -> list[Arrival]:
        """Nothing has come for the time that ends a frame on a serial line, or in which the rest of one comes through a network."""
        ...

    def give_up(self, key: int) -> str:
        """The request got no reply, or the wrong one: what still comes for it is late. Why the connection cannot go on, or ""."""
        ...

    def fences(self, unit: int, pdu: bytes, now_s: float) -> tuple[bytes, ...] | None:
        """Requests of which one must be answered before this one may be sent, the best first; None where nothing is in doubt."""
        ...

    def passed(self, unit: int) -> None:
        """The fence was answered: the unit answers in order, so nothing of what was asked before can still come."""
        ...
