"""Reading a snapshot file line by line, bounded and strictly. What is wrong is a ``UserError`` that names the line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from app.drivers.snapshot import lines
from app.drivers.snapshot.lines import AnyLine, End, Header, LineFormError, end_line
from app.errors import UserError

_BEGIN: Final = b'{"kind":"snapshot",'


class Entry(NamedTuple):
    """A line with its number, counted from 1, and its bytes without the line feed."""

    number: int
    data: bytes
    line: AnyLine


class UnfinishedError(UserError):
    """The file ends before its last line: taking it was interrupted, or copying it was."""


@dataclass(slots=True)
class Scan:
    """One pass over a file.

    Attributes:
        whole: Bytes of the lines read so far that are complete.
        count: Those lines.
        end: The last line, once it was read.
        cut: Whether the file ends within a line.
    """

    path: Path
    whole: int = 0
    count: int = 0
    end: End | None = None
    cut: bool = False

    def entries(self) -> Iterator[Entry]:
        """Every line in order, the header first.

        Raises:
            UserError: The file cannot be read, is larger than allowed, or a line is wrong.
        """
        digest = hashlib.sha256()
        try:
            with self.path.open("rb") as file:
                if file.seek(0, 2) > lines.FILE_BYTES:
                    raise self._bad(f"it is larger than {lines.FILE_BYTES // 2**20} MiB")
                file.seek(0)
                for data in self._lines(file):
                    entry = self._entry(data[:-1])
                    if isinstance(entry.line, End):
                        self._check_end(entry.line, end_line(digest, entry.line.ended_ns, self.count))
                    digest.update(data)
                    self.whole += len(data)
                    self.count += 1
                    yield entry
        except OSError as error:
            why, fix = error.strerror or str(error), "Check the name, and that it can be read"
            raise UserError("Cannot open the snapshot", where=str(self.path), why=why, fix=fix) from error

    def _lines(self, file: BinaryIO) -> Iterator[bytes]:
        while data := file.readline(lines.LINE_BYTES + 1):
            if not data.endswith(b"\n"):
                if len(data) > lines.LINE_BYTES:
                    raise self._bad(f"the line is longer than {lines.LINE_BYTES // 2**20} MiB")
                self._check_begin(data)
                self.cut = True
                return
            if self.end is not None:
                raise self._bad("something stands behind the last line")
            if self.count >= lines.LINES:
                raise self._bad(f"it has more than {lines.LINES:,} lines")
            yield data

    def _check_begin(self, data: bytes) -> None:
        """A file of another kind is told from a snapshot that was cut off within its first line."""
        if self.count == 0 and data[: len(_BEGIN)] != _BEGIN[: len(data)]:
            raise self._bad("it does not begin like a snapshot")

    def _entry(self, data: bytes) -> Entry:
        self._check_begin(data)
        try:
            line = lines.parsed(data)
        except LineFormError as error:
            raise self._bad(str(error)) from error
        if isinstance(line, Header) != (self.count == 0):
            raise self._bad("the header stands first, and only there")
        if isinstance(line, Header) and line.format != lines.FORMAT:
            why = f"it has format {line.format}; this Tagloom knows format {lines.FORMAT}"
            raise UserError("Cannot open the snapshot", where=str(self.path), why=why, fix="Open it with a newer Tagloom")
        return Entry(self.count + 1, data, line)

    def _check_end(self, line: End, expected: End) -> None:
        if line != expected:
            raise self._bad("the lines before are not those that were written: the file was damaged or changed")
        self.end = line

    def _bad(self, why: str) -> UserError:
        return bad_line(self.path, self.count + 1, why)

    def check_finished(self) -> End:
        """After all entries: the last line.

        Raises:
            UnfinishedError: There is none.
        """
        if self.end is None:
            why = f"it ends in line {self.count + 1}, before its last one: it is an unfinished snapshot"
            fix = "Take it again with the same file name: what is in it is not asked for again"
            raise UnfinishedError("Cannot open the snapshot", where=f"{self.path}:{self.count + 1}", why=why, fix=fix)
        return self.end


def bad_line(path: Path, number: int, why: str) -> UserError:
    return UserError("Not a snapshot, or a damaged one", where=f"{path}:{number}", why=why, fix="Copy the file again, or take it again")


def read_header(path: Path) -> Header:
    """The first line alone; says nothing of the rest.

    Raises:
        UserError: It cannot be read, or is none of a snapshot.
    """
    scan = Scan(path)
    for entry in scan.entries():
        assert isinstance(entry.line, Header)  # or it would have been refused
        return entry.line
    scan.check_finished()
    raise AssertionError("a file without lines is unfinished")
