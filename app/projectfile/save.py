"""Saving a project: never over somebody else's change, never half."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from app.errors import UserError
from app.model.project import Project
from app.projectfile.durable import replace_file
from app.projectfile.write import write


class Fingerprint(msgspec.Struct, frozen=True):
    """The state of a file on disk. Two are of the same content exactly when ``sha256`` is equal; the rest is for a quick look."""

    size: int
    mtime_ns: int
    inode: int
    sha256: str


def fingerprint_of(status: os.stat_result, data: bytes) -> Fingerprint:
    return Fingerprint(len(data), status.st_mtime_ns, status.st_ino, hashlib.sha256(data).hexdigest())


def changed_on_disk(path: str | os.PathLike[str], known: Fingerprint, *, quick: bool = False) -> bool:
    """Whether the file has other content than when it was read or saved; a file that is gone has not changed.

    Args:
        quick: Trust size, time and inode where all three are as they were. For looking every few seconds; not before
            overwriting, since a file may change twice within the tick of its clock.
    """
    try:
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
            if quick and (status.st_size, status.st_mtime_ns, status.st_ino) == (known.size, known.mtime_ns, known.inode):
                return False
            return status.st_size != known.size or hashlib.file_digest(file, "sha256").hexdigest() != known.sha256
    except FileNotFoundError:
        return False


def save(project: Project, path: str | os.PathLike[str], expected: Fingerprint | None) -> Fingerprint:
    """Write the project to ``path``, durably, and give the file's new state.

    Args:
        expected: The file's state as last read or saved. None for *save as*: whatever is there is replaced.

    Raises:
        UserError: It changed on disk since, or cannot be written. The file is as it was.
        CollectedError: The project holds what no file may hold.
    """
    data = write(project)
    where = Path(path)

    def refuse_changed(target: Path) -> None:
        if expected is not None and changed_on_disk(target, expected):
            why = "the file changed on disk since it was opened; saving would undo what somebody else did"
            fix = "Save it under another name, or open the file again"
            raise UserError(f"Cannot save {where.name}", where=str(where), why=why, fix=fix)

    refuse_changed(where)
    return fingerprint_of(replace_file(where, data, before_replace=refuse_changed), data)
