"""Writing a snapshot file, line after line, so that it can be gone on with after any interruption.

It is ``NAME.tagloom-snapshot.part`` until its last line is written; only then it gets its name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from app.drivers.snapshot import lines
from app.drivers.snapshot.lines import AnyLine, Header, LineFormError, end_line, line_of
from app.drivers.snapshot.reading import Entry, Scan
from app.errors import UserError
from app.projectfile.durable import put_in_place

T = TypeVar("T")


def part_of(path: Path) -> Path:
    """Where it is written until it is whole."""
    return path.with_name(path.name + lines.PART_SUFFIX)


def named(path: Path) -> Path:
    """With the suffix, where the person left it out."""
    return path if path.name.endswith(lines.SUFFIX) else path.with_name(path.name + lines.SUFFIX)


def begun_at(path: Path) -> Path | None:
    """The unfinished file from which a snapshot of this name would go on; None where it begins anew.

    Raises:
        UserError: A whole snapshot of this name is there, or something that is none.
    """
    part = part_of(path)
    if path.exists():
        if not _is_cut(path):
            why = "a snapshot of this name is there already"
            raise UserError("Cannot take the snapshot", where=str(path), why=why, fix="Choose another name, or move the old one away")
        if part.exists():
            why = "two unfinished snapshots of this name are there, one of them with .part at the end"
            raise UserError("Cannot take the snapshot", where=str(path), why=why, fix="Remove one of the two")
        return path
    return part if part.exists() else None


class SnapshotFile:
    """One that is being written. Used by one thread; whoever has it closes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._digest = hashlib.sha256()
        self._lines = self._bytes = 0

    def begin(self, header: Header) -> None:
        """Raises ``UserError``."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._file = self._do(lambda: os.open(part_of(self.path), flags, 0o666))
        self.append([header])

    def resume(self, begun: Path) -> Iterator[Entry]:
        """Every line that is there already; when it has given the last one, what was cut off behind it is removed and writing goes on.

        Raises:
            UserError: It cannot be read or written, or a line of it is wrong.
        """
        part = part_of(self.path)
        if begun != part:
            self._do(lambda: begun.rename(part))
        scan = Scan(part)
        for entry in scan.entries():
            self._count(entry.data + b"\n")
            yield entry
        if not scan.count:
            self._do(part.unlink)
            return
        self._file = self._do(lambda: os.open(part, os.O_WRONLY | getattr(os, "O_BINARY", 0)))
        descriptor = self._file
        self._do(lambda: os.ftruncate(descriptor, scan.whole))
        self._do(lambda: os.lseek(descriptor, 0, os.SEEK_END))

    @property
    def is_open(self) -> bool:
        return self._file is not None

    def append(self, added: Iterable[AnyLine]) -> None:
        """All in one go: what is killed meanwhile leaves whole lines and at most one that is cut.

        Raises:
            UserError: No space, no rights, a line that cannot be written, or the file would be larger than can be opened.
        """
        assert self._file is not None, "begin or resume comes first"
        try:
            data = [line_of(line) for line in added]
        except LineFormError as error:
            fix = "Take a smaller part"
            raise UserError("Cannot write the snapshot", where=str(self.path), why=str(error), fix=fix) from error
        if self._bytes + sum(map(len, data)) > lines.FILE_BYTES - lines.LINE_BYTES or self._lines + len(data) >= lines.LINES:
            why = f"it would be larger than {lines.FILE_BYTES // 2**20} MiB"
            raise UserError("Cannot take the snapshot", where=str(self.path), why=why, fix="Take a smaller part into a file of its own")
        self._write(b"".join(data))
        for one in data:
            self._count(one)

    def finish(self, ended_ns: int) -> None:
        """Write the last line, see that all is on the disk, and give the file its name.

        Raises:
            UserError: As ``append``; it can be finished later.
        """
        descriptor = self._file
        assert descriptor is not None, "begin or resume comes first"
        self._write(line_of(end_line(self._digest, ended_ns, self._lines)))
        self._do(lambda: os.fsync(descriptor))
        self.close()
        self._do(lambda: put_in_place(part_of(self.path), self.path))

    def close(self) -> None:
        """Safe twice. An unfinished file stays, unless nothing is in it but what was asked for."""
        descriptor, self._file = self._file, None
        if descriptor is not None:
            os.close(descriptor)
            if self._lines <= 1:
                part_of(self.path).unlink(missing_ok=True)

    def _count(self, data: bytes) -> None:
        self._digest.update(data)
        self._lines += 1
        self._bytes += len(data)

    def _write(self, data: bytes) -> None:
        descriptor = self._file
        assert descriptor is not None
        left = memoryview(data)
        while left:
            written = self._do(lambda rest=left: os.write(descriptor, rest))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            left = left[written:]

    def _do(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except OSError as error:
            why = error.strerror or str(error)
            fix = "Make room, or choose another place; what was taken so far stays and is gone on with"
            raise UserError("Cannot write the snapshot", where=str(self.path), why=why, fix=fix) from error


def _is_cut(path: Path) -> bool:
    """Whether it is a snapshot without its last line. Raises ``UserError`` for what is no snapshot."""
    scan = Scan(path)
    for _ in scan.entries():
        pass
    return scan.end is None
