"""The keyring of the operating system. Only those that encrypt what they keep are used, and none may hang the program.

A call goes to a thread, since a keyring that is locked asks the person for its own password and waits. At most one thread waits at
a time: while it does, the keyring counts as silent.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from app.errors import UserError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_LOGGER = logging.getLogger(__name__)
_T = TypeVar("_T")

SERVICE: Final = "Tagloom"
ASK_S: Final = 5.0
KEEP_S: Final = 60.0
"""The person may have to unlock the keyring."""

_SAFE: Final = frozenset({
    "keyring.backends.SecretService", "keyring.backends.libsecret", "keyring.backends.kwallet",
    "keyring.backends.macOS", "keyring.backends.Windows",
})  # fmt: skip
"""Named one by one: ``fail`` and ``null`` keep nothing, those of ``keyrings.alt`` keep it in plain files, others are not known."""


def safe_backend() -> KeyringBackend | None:
    """The keyring of this system, None when it has none that is safe. What the person configured counts first."""
    import keyring
    from keyring.backends.chainer import ChainerBackend

    chosen = keyring.get_keyring()
    several = list(chosen.backends) if isinstance(chosen, ChainerBackend) else [chosen]
    return next((one for one in several if is_safe(one)), None)


def is_safe(backend: KeyringBackend) -> bool:
    return type(backend).__module__ in _SAFE


class OsKeyring:
    """One per process is enough; every method may be called from any thread.

    Args:
        find: Gives the backend; tests give their own.
        ask_s, keep_s: How long to wait for reading, and for changing.
    """

    def __init__(self, find: Callable[[], KeyringBackend | None] = safe_backend, *, ask_s: float = ASK_S, keep_s: float = KEEP_S) -> None:
        self._find, self._ask_s, self._keep_s = find, ask_s, keep_s
        self._waiting: threading.Thread | None = None
        self._told = False

    def name(self) -> str:
        """Of the backend. Raises ``UserError`` when there is none that is safe, or it does not answer."""
        return self._call(lambda backend: backend.name, self._ask_s)

    def read(self, name: str) -> tuple[str | None, str]:
        """The value, None without; and why the keyring could not be asked, "" when it could. Does not raise."""
        try:
            return self._call(lambda backend: backend.get_password(SERVICE, name), self._ask_s), ""
        except UserError as error:
            if not self._told and not isinstance(error, NoKeyringError):
                self._told = True
                _LOGGER.warning("the keyring of the system is not used: %s", error.why)
            return None, error.why

    def keep(self, name: str, value: str) -> str:
        """Keep a value; gives the name of the keyring.

        Raises:
            UserError: There is no safe keyring, or it refuses or does not answer.
        """

        def kept(backend: KeyringBackend) -> str:
            backend.set_password(SERVICE, name, value)
            return backend.name

        return self._call(kept, self._keep_s)

    def forget(self, name: str) -> bool:
        """Whether it was there.

        Raises:
            UserError: As ``keep``.
        """

        def forgotten(backend: KeyringBackend) -> bool:
            if backend.get_password(SERVICE, name) is None:
                return False
            backend.delete_password(SERVICE, name)
            return True

        return self._call(forgotten, self._keep_s)

    def _call(self, work: Callable[[KeyringBackend], _T], within_s: float) -> _T:
        if self._waiting is not None and self._waiting.is_alive():
            raise _silent("it has not answered an earlier question yet")
        answers: queue.SimpleQueue[tuple[bool, object]] = queue.SimpleQueue()
        self._waiting = threading.Thread(target=self._work, args=(work, answers), name="keyring", daemon=True)
        self._waiting.start()
        try:
            worked, answer = answers.get(timeout=within_s)
        except queue.Empty:
            raise _silent(f"it did not answer within {within_s:g} s; it may be locked and wait for its own password") from None
        self._waiting.join()
        self._waiting = None
        if worked:
            return answer  # type: ignore[return-value]  # what work gave
        assert isinstance(answer, UserError)
        raise answer

    def _work(self, work: Callable[[KeyringBackend], object], answers: queue.SimpleQueue[tuple[bool, object]]) -> None:
        """In the thread. What a backend raises is told by its kind only: its text may hold what was to be kept."""
        try:
            backend = self._find()
            if backend is None:
                answers.put((False, NoKeyringError()))
            else:
                answers.put((True, work(backend)))
        except BaseException as error:  # a backend may end in anything, and somebody waits for the answer
            kind = type(error).__name__
            answers.put((False, NoKeyringError() if kind in _NOT_THERE else _silent(f"it failed with {kind}")))


_NOT_THERE = frozenset({"SecretServiceNotAvailableException", "InitError", "NoKeyringError"})
"""What the libraries raise where a desktop's keyring is known but does not run, as on a server; by name, as not all are installed."""


class NoKeyringError(UserError):
    """This system has no keyring that keeps secrets safe."""

    def __init__(self) -> None:
        why = "this system has no keyring that encrypts what it keeps (Secret Service, KWallet, macOS Keychain, Windows Credential Manager)"
        fix = "Type it in each time, or give it in the environment or as a mounted file: tagloom secret where"
        super().__init__("The keyring cannot be used", where="the keyring of this system", why=why, fix=fix)


def _silent(why: str) -> UserError:
    return UserError("The keyring cannot be used", where="the keyring of this system", why=why, fix="Unlock the keyring and try again")
