"""How losses are told in the log: each outage by one warning when it begins and one line when it is over, however often it flickers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.errors import UserError
from app.runtime.state import LogLevel

REASONS: Final = 10
"""Told of one outage: some devices give a number of their own in each."""


class OutageLog:
    """Of one link. Times are ``Clock.monotonic_s``. Its owner calls ``settled`` a while after ``connected``, unless it was lost again.

    Attributes:
        began_s: When the outage began; None while there is none.
    """

    def __init__(self, log: Callable[[LogLevel, str], None]) -> None:
        self.began_s: float | None = None
        self._log = log
        self._told: set[str] = set()
        self._back: tuple[float, str] | None = None

    def lost(self, why: UserError, now_s: float) -> None:
        """A loss, or an attempt that failed: a warning for the first, and a note for each other reason, the first time."""
        self._back = None
        text = f"{why.what}: {why.why}"
        if self.began_s is None:
            self.began_s = now_s
            self._told = {text}
            self._log("WARNING", text)
        elif text not in self._told and len(self._told) < REASONS:
            self._told.add(text)
            self._log("INFO", text)

    def connected(self, title: str, now_s: float) -> None:
        """Told at once where nothing was lost."""
        if self.began_s is None:
            self._log("INFO", f"Connected: {title}")
        else:
            self._back = now_s, title

    def settled(self) -> None:
        """It has lasted, or is ended by a person. Does nothing without an outage that is over."""
        if self._back is not None and self.began_s is not None:
            back_s, title = self._back
            self._log("INFO", f"Connected again after {back_s - self.began_s:.1f} s: {title}")
            self._back = self.began_s = None
