"""The way through the address space: which nodes were looked at, and back and forward among them."""

from __future__ import annotations

from typing import Final, NamedTuple

KEPT: Final = 200


class Visit(NamedTuple):
    """``node`` is "" for the endpoint itself."""

    endpoint: str
    node: str


class Visited:
    """As in a browser: going somewhere new forgets what lay forward."""

    def __init__(self) -> None:
        self._visits: list[Visit] = []
        self._at = -1

    def note(self, visit: Visit) -> None:
        """Somewhere was gone to; the place one is at already is no visit."""
        if self.here == visit:
            return
        self._visits = [*self._visits[: self._at + 1], visit][-KEPT:]
        self._at = len(self._visits) - 1

    @property
    def here(self) -> Visit | None:
        return self._visits[self._at] if self._at >= 0 else None

    @property
    def before(self) -> Visit | None:
        return self._visits[self._at - 1] if self._at > 0 else None

    @property
    def after(self) -> Visit | None:
        return self._visits[self._at + 1] if self._at + 1 < len(self._visits) else None

    def back(self) -> Visit | None:
        """Step back, and say where that is; None at the beginning."""
        if self._at <= 0:
            return None
        self._at -= 1
        return self.here

    def forward(self) -> Visit | None:
        if self._at + 1 >= len(self._visits):
            return None
        self._at += 1
        return self.here

    def clear(self) -> None:
        self._visits, self._at = [], -1
