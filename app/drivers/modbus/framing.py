"""How requests become frames and bytes become replies: one class per form, without a clock, a socket or a port of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame, or bytes that are none.

    Attributes:
        kind: ``reply`` right in every field; ``late`` of a request that was given up, or of none; ``malformed`` cannot be the
            reply, but the next request may be answered; ``garbage`` nothing on this connection can be trusted any more.
        frame: All bytes of it, as they came.
        unit, pdu: Of a frame; 0 and b"" of bytes that are none.
        why: A sentence about what is not a reply.
    """

    kind: Literal["reply", "late", "malformed", "garbage"]
    frame: bytes
    unit: int = 0
    pdu: bytes = b""
    why: str = ""


class Framing(Protocol):
    """One request at a time: ``request``, then ``received`` until it gives a reply, or ``give_up``."""

    serial: bool
    """Whether a reply does not say which request it belongs to, so that a lost one puts the next into doubt."""

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
        """Nothing has come for the time that ends a frame on a serial line."""
        ...

    def give_up(self) -> str:
        """The request got no reply, or the wrong one: what still comes for it is late. Why the connection cannot go on, or ""."""
        ...

    def fences(self, unit: int, pdu: bytes, now_s: float) -> tuple[bytes, ...] | None:
        """Requests of which one must be answered before this one may be sent, the best first; None where nothing is in doubt."""
        ...

    def passed(self, unit: int) -> None:
        """The fence was answered: the unit answers in order, so nothing of what was asked before can still come."""
        ...
