"""Replacing a file so that a crash, a full disk or a power cut leaves the old one or the new one, whole."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.errors import UserError

_LEFTOVER_AGE_S: Final = 3600.0
_SHARING_TRIES: Final = 20
_SHARING_PAUSE_S: Final = 0.05
_NO_FOLDER_SYNC: Final = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM}


def replace_file(path: Path, data: bytes, *, before_replace: Callable[[Path], None] | None = None, private: bool = False) -> os.stat_result:
    """Write ``data`` to ``path``: a new file in the same folder, flushed to the disk, put in place of the old one, the folder flushed.

    A symbolic link is followed: what it points to is replaced. The permissions of an existing file are kept.

    Args:
        before_replace: Called with the real path at the last moment; what it raises leaves the old file in place.
        private: Only this user may read it, from its first byte on, whatever the permissions of an existing file.

    Returns:
        The state of the new file.

    Raises:
        UserError: It could not be written; the old file is untouched and no part of the new one is left.
    """
    what = f"Cannot save {path.name}"
    try:
        target = Path(os.path.realpath(path))
        kept = _mode_of(target, what)
        mode = 0o600 if private else kept
        _remove_leftovers(target)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        try:
            status = _write_new(temporary, data, mode)
            if before_replace is not None:
                before_replace(target)
            _replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(target.parent)
    except (OSError, ValueError) as error:
        why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        fix = "The file is as it was before. Save it elsewhere, or make room and try again"
        raise UserError(what, where=str(path), why=why, fix=fix) from error
    return status


def put_in_place(temporary: Path, target: Path) -> None:
    """Give a file that is whole and on the disk its name, durably; what has that name is replaced.

    Raises:
        OSError: It has its old name still.
    """
    _replace(temporary, target)
    _sync_folder(target.parent)


def _mode_of(target: Path, what: str) -> int | None:
    """Permissions to keep; None for a new file. A replace would go through read-only files, so those are refused here."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise UserError(what, where=str(target), why=f"it is {kind}", fix="Choose another name")
    if not os.access(target, os.W_OK):
        raise UserError(what, where=str(target), why="the file is read-only", fix="Save it under another name, or allow writing")
    return stat.S_IMODE(status.st_mode)


def _write_new(temporary: Path, data: bytes, mode: int | None) -> os.stat_result:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(temporary, flags, 0o666 if mode is None else mode), "wb") as file:
        file.write(data)
        file.flush()
        if mode is not None:
            temporary.chmod(mode)
        _sync(file.fileno())
        return os.fstat(file.fileno())


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        with contextlib.suppress(OSError):  # not every file system has it; then fsync is all there is
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # macOS: fsync stops at the drive's own cache
    os.fsync(descriptor)


def _replace(temporary: Path, target: Path) -> None:
    """On Windows a virus scanner or an indexer may hold either file for a moment."""
    for _ in range(_SHARING_TRIES if sys.platform == "win32" else 0):
        try:
            temporary.replace(target)
        except PermissionError:
            time.sleep(_SHARING_PAUSE_S)
        else:
            return
    temporary.replace(target)


def _sync_folder(folder: Path) -> None:
    """Without it the new name may be lost in a power cut. Windows has no such call; some network file systems refuse it."""
    if sys.platform != "win32":
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno not in _NO_FOLDER_SYNC:
                raise


def _remove_leftovers(target: Path) -> None:
    """What killed saves of this file left behind; young ones may be another process at work."""
    for leftover in target.parent.glob(f".{_glob_safe(target.name)}.????????.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _LEFTOVER_AGE_S:
                leftover.unlink()


def _glob_safe(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)
