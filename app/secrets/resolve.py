"""Finding the value of a secret: typed in, OS keyring, environment, mounted file.

Values go through here and are kept nowhere but in the session and in the keyring: no text, log record, error or ``repr`` has them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from app.errors import UserError
from app.secrets.os_keyring import NoKeyringError, OsKeyring
from app.secrets.reference import SCHEME, environment_name, file_names, parts_of

MAX_SECRET: Final = 64 * 1024
"""Bytes of a mounted file."""
_FOLDERS: Final = ("TAGLOOM_SECRETS_DIR", "CREDENTIALS_DIRECTORY")
_RUN_SECRETS: Final = "/run/secrets"

SESSION: Final = "typed in for this session"
KEYRING: Final = "the keyring of this system"


class Place(msgspec.Struct, frozen=True):
    """One place that is looked at. ``trouble`` says why it cannot be asked."""

    title: str
    has: bool
    trouble: str = ""


class Secrets:
    """Resolves references, in the order: typed in for this session, OS keyring, environment, mounted file.

    An empty variable or file counts as none.

    Args:
        prompted: What was typed in before: reference → value.
        environment: Instead of ``os.environ``.
        folders: Of mounted secrets, instead of $TAGLOOM_SECRETS_DIR, $CREDENTIALS_DIRECTORY (systemd) and /run/secrets (Docker).
        keyring: Tests give their own.
        revealed: Told each value before it is given out, so that logs hide it (``app.workspace.redaction.never_show``).
    """

    def __init__(
        self,
        prompted: dict[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        folders: Sequence[Path] | None = None,
        *,
        keyring: OsKeyring | None = None,
        revealed: Callable[[str], object] | None = None,
    ) -> None:
        self._prompted = dict(prompted or {})
        self._environment = os.environ if environment is None else environment
        self._folders = tuple(folders) if folders is not None else _mounted(self._environment)
        self._keyring = keyring or OsKeyring()
        self._revealed = revealed

    def get(self, reference: str) -> str | None:
        """The value, None when it is nowhere. A keyring that does not answer is left out after a few seconds.

        Raises:
            UserError: Not a reference; a file that cannot be read.
        """
        return self._found(reference)[0]

    def source(self, reference: str) -> str:
        """Where ``get`` takes it from, in words; "" for nowhere. Never the value.

        Raises:
            UserError: As ``get``.
        """
        return self._found(reference)[1]

    def places(self, reference: str) -> list[Place]:
        """All places in their order, and which of them have it.

        Raises:
            UserError: Not a reference.
        """
        name = _keyring_name(reference)
        value, trouble = self._keyring.read(name)
        variable = environment_name(reference)
        places = [
            Place(SESSION, reference in self._prompted),
            Place(f'{KEYRING}, entry "{name}"', value is not None, trouble),
            Place(f"environment variable {variable}", bool(self._environment.get(variable))),
        ]
        for path in self._paths(reference):
            try:
                places.append(Place(f"file {path}", bool(_content(path))))
            except UserError as error:
                places.append(Place(f"file {path}", False, error.why))
        return places

    def remember_for_session(self, reference: str, value: str) -> None:
        """Raises ``UserError`` when it is not a reference."""
        parts_of(reference)
        self._reveal(value)
        self._prompted[reference] = value

    def keyring_name(self) -> str:
        """Name of the keyring that ``keep_in_keyring`` would use; for a person to be told before anything is typed.

        Raises:
            UserError: There is none that keeps secrets safe, or it does not answer.
        """
        return self._keyring.name()

    def keep_in_keyring(self, reference: str, value: str) -> str:
        """Keep it for good; gives the name of the keyring. May wait for the person to unlock it.

        Raises:
            UserError: There is no keyring that keeps it safe, or it does not answer; or not a reference.
        """
        name = _keyring_name(reference)
        self._reveal(value)
        return self._keyring.keep(name, value)

    def forget(self, reference: str) -> bool:
        """In this session and in the keyring; environment and files are not ours to change. Gives whether it was in either.

        Raises:
            UserError: The keyring does not answer; or not a reference. What was typed in is forgotten first.
        """
        name = _keyring_name(reference)
        typed_in = self._prompted.pop(reference, None) is not None
        try:
            return self._keyring.forget(name) or typed_in
        except NoKeyringError:
            return typed_in

    def _found(self, reference: str) -> tuple[str | None, str]:
        name = _keyring_name(reference)
        if reference in self._prompted:
            return self._given(self._prompted[reference], SESSION)
        value, _ = self._keyring.read(name)
        if value is not None:
            return self._given(value, KEYRING)
        variable = environment_name(reference)
        if value := self._environment.get(variable):
            return self._given(value, f"environment variable {variable}")
        for path in self._paths(reference):
            if value := _content(path):
                return self._given(value, f"file {path}")
        return None, ""

    def _given(self, value: str, source: str) -> tuple[str, str]:
        self._reveal(value)
        return value, source

    def _reveal(self, value: str) -> None:
        if self._revealed is not None:
            self._revealed(value)

    def _paths(self, reference: str) -> list[Path]:
        return [folder / name for folder in self._folders for name in file_names(reference)]


def _mounted(environment: Mapping[str, str]) -> tuple[Path, ...]:
    named = [environment[name] for name in _FOLDERS if environment.get(name)]
    return tuple(Path(folder) for folder in [*named, *([_RUN_SECRETS] if os.name != "nt" else [])])


def _keyring_name(reference: str) -> str:
    parts_of(reference)
    return reference.removeprefix(SCHEME)


def _content(path: Path) -> str | None:
    """Of a mounted file, without one newline at its end: most are written with an editor or ``echo``."""
    what = "A file with a secret cannot be read"
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SECRET + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        fix = "Check who may read it"
        raise UserError(what, where=str(path), why=error.strerror or type(error).__name__, fix=fix) from error
    if len(content) > MAX_SECRET:
        raise UserError(what, where=str(path), why=f"it has more than {MAX_SECRET:,} bytes", fix="Put the value alone into the file")
    text = _decoded(content)
    if text is None:
        raise UserError(what, where=str(path), why="it is not UTF-8 text", fix="Write it as UTF-8")
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def _decoded(content: bytes) -> str | None:
    """Apart, so that no error carries the one of the decoder, which holds the content."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
