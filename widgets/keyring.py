"""Asks the keyring of this system without holding up the window: it may wait for minutes until a person has unlocked it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from app.errors import UserError
from app.secrets import Secrets

_POLL_MS = 40


def ask_keyring_name(owner: QObject, secrets: Secrets, done: Callable[[str | UserError], None]) -> None:
    """``done`` is called in the GUI thread with the name of the keyring, or why none keeps secrets safe; not once ``owner`` is gone."""
    _in_thread(owner, secrets.keyring_name, done)


def keep_in_keyring(owner: QObject, secrets: Secrets, reference: str, value: str, failed: Callable[[UserError], None]) -> None:
    """``failed`` is called in the GUI thread when it was not kept; the value is known for this session in any case."""

    def on_end(outcome: str | UserError) -> None:
        if isinstance(outcome, UserError):
            failed(outcome)

    _in_thread(owner, lambda: secrets.keep_in_keyring(reference, value), on_end)


def _in_thread(owner: QObject, work: Callable[[], str], done: Callable[[str | UserError], None]) -> None:
    out: queue.SimpleQueue[str | Exception] = queue.SimpleQueue()
    poll = QTimer(owner, interval=_POLL_MS)

    def run() -> None:
        try:
            out.put(work())
        except Exception as error:
            out.put(error)

    def on_poll() -> None:
        try:
            outcome = out.get_nowait()
        except queue.Empty:
            return
        poll.stop()
        poll.deleteLater()
        if isinstance(outcome, Exception) and not isinstance(outcome, UserError):
            raise outcome  # a bug: the crash dialog shows it
        done(outcome)

    poll.timeout.connect(on_poll)
    threading.Thread(target=run, name="ask keyring", daemon=True).start()
    poll.start()
