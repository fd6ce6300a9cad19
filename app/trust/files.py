"""Files of the store: written whole or not at all, keys for this user only, one process at a time where it must be."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from app.errors import UserError
from app.projectfile.durable import replace_file

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_LOGGER = logging.getLogger(__name__)
_LOCK_S: Final = 30.0
"""Making a key takes a second; on a slow, busy machine a few."""
_LOCK_PAUSE_S: Final = 0.02
_PEM_BLOCK: Final = re.compile(rb"-----BEGIN (?P<label>[A-Z0-9 ]{1,60})-----(?:(?!-----).)*-----END (?P=label)-----\r?\n?", re.DOTALL)


def made_folder(folder: Path) -> Path:
    """The folder, there and closed to other users.

    Raises:
        UserError: It cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name != "nt" and folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        fix = "Make the folder writable, or choose another one with TAGLOOM_DATA_DIR"
        raise UserError("The certificate store cannot be used", where=str(folder), why=error.strerror or str(error), fix=fix) from error
    return folder


def write(path: Path, content: bytes, *, private: bool = False) -> None:
    """Raises ``UserError``."""
    made_folder(path.parent)
    replace_file(path, content, private=private)


def read(path: Path, limit: int) -> bytes | None:
    """At most ``limit`` bytes; None when there is no such file.

    Raises:
        UserError: It cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UserError("A file cannot be read", where=str(path), why=why, fix="Check its name and who may read it") from error
    if len(content) > limit:
        raise UserError("A file is too large", where=str(path), why=f"it has more than {limit:,} bytes", fix="Choose the right file")
    return content


def close_to_others(path: Path) -> None:
    """A key that others could read is closed again, and that is logged: it may have been copied."""
    if os.name != "nt" and path.stat().st_mode & 0o077:
        path.chmod(0o600)
        _LOGGER.warning("a private key could be read by other users of this computer; it is closed now: %s", path)


def remove(path: Path) -> None:
    """Raises ``UserError``; a file that is not there is no error."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            "Cannot remove a file", where=str(path), why=error.strerror or str(error), fix="Make the folder writable"
        ) from error


def set_aside(path: Path) -> Path:
    """Rename ``name`` to ``name.bad-1``, or the next number that is free.

    Raises:
        UserError: It cannot be renamed.
    """
    free = next(one for number in itertools.count(1) if not (one := path.with_name(f"{path.name}.bad-{number}")).exists())
    try:
        return path.replace(free)
    except OSError as error:
        why = error.strerror or str(error)
        raise UserError("A damaged file cannot be moved aside", where=str(path), why=why, fix="Make the folder writable") from error


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Only one process at a time is inside, for one folder. The system lets go when a process dies.

    Raises:
        UserError: Another one has been inside for too long.
    """
    path = made_folder(folder) / ".lock"
    try:
        file = path.open("ab")
    except OSError as error:
        fix = "Make the folder writable"
        raise UserError("The certificate store cannot be written", where=str(path), why=error.strerror or str(error), fix=fix) from error
    with file:
        deadline = time.monotonic() + _LOCK_S
        while not _locked(file):
            if time.monotonic() > deadline:
                why = f"another process has been writing it for {_LOCK_S:g} s"
                raise UserError("The certificate store is busy", where=str(folder), why=why, fix="End other Tagloom processes")
            time.sleep(_LOCK_PAUSE_S)
        try:
            yield
        finally:
            _unlock(file)


def pem_blocks(content: bytes) -> list[tuple[str, bytes]]:
    """Label and whole text of each block: ``("CERTIFICATE", b"-----BEGIN …")``."""
    return [(match["label"].decode(), match.group()) for match in _PEM_BLOCK.finditer(content)]


if sys.platform == "win32":

    def _locked(file: BinaryIO) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:

    def _locked(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
