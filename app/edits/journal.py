"""Edits since the last save, on disk as they happen: after a crash they are offered back.

A journal is a JSON Lines file of its own process in the workspace: a head line, then one line per edit as it was applied
(an undone edit stands there as its inverse). A line that was cut off by the crash is left out. Reading never raises: what
cannot be understood is not offered.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from app.edits.edit import Edit
from app.model.element import Element
from app.model.lines import element_of, line_of
from app.model.project import Change, ProjectInfo

_LOGGER = logging.getLogger(__name__)
_FORMAT: Final = 1
SYNC_INTERVAL_S: Final = 1.0


class _Head(msgspec.Struct, frozen=True, tag="journal", tag_field="line"):
    """Whose edits these are: of which file, in which state, made by which process."""

    format: int
    project: str
    base: str
    info: msgspec.Raw
    pid: int
    started: float


class _Change(msgspec.Struct, frozen=True):
    """``before`` and ``after`` are an element, or null."""

    kind: str
    id: str
    before: msgspec.Raw
    after: msgspec.Raw


class _Line(msgspec.Struct, frozen=True, tag="edit", tag_field="line"):
    name: str
    changes: tuple[_Change, ...]


class Journal:
    """The journal of one open project in this process. Its ``append`` is meant as a listener of the ``Editor``.

    A disk that cannot be written is logged once, and editing goes on without a journal.
    """

    def __init__(self, path: Path, head: _Head, clock_s: Callable[[], float]) -> None:
        self.path = path
        self._head = head
        self._clock_s = clock_s
        self._synced_s = clock_s()
        self._dirty = False
        self._file: BinaryIO | None = None
        self._guard(self._begin)

    @classmethod
    def start(
        cls, folder: Path, project: Path | None, base_sha256: str, info: ProjectInfo, *, clock_s: Callable[[], float] = time.monotonic
    ) -> Journal:
        """Begin the journal of a project that was just opened, made or saved.

        Args:
            folder: Of all journals; made if need be.
            project: The project's file, None for one that was never saved.
            base_sha256: ``Fingerprint.sha256`` of the file, "" for none.
            info: The header as it is now; a project that was never saved is recovered from it.
            clock_s: Monotonic.
        """
        import psutil

        process = psutil.Process()
        head = _Head(_FORMAT, _key(project), base_sha256, msgspec.Raw(line_of(info)), process.pid, process.create_time())
        name = hashlib.sha256(head.project.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return cls(folder / f"{name}-{process.pid}-{secrets.token_hex(3)}.jsonl", head, clock_s)

    def append(self, edit: Edit) -> None:
        """Write one edit. It survives a crash of this process at once, a power cut after ``SYNC_INTERVAL_S`` or ``sync``."""
        changes = tuple(_Change(kind, id_, _raw(before), _raw(after)) for kind, id_, before, after in edit.changes)
        self._guard(lambda: self._write(_Line(edit.name, changes)))

    def sync(self) -> None:
        """Flush to the disk what is not there yet; cheap when nothing is. For a timer."""
        if self._dirty:
            self._guard(self._flush)

    def close(self) -> None:
        """The project was saved, or its edits given up: nothing is left to recover."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._guard(lambda: self.path.unlink(missing_ok=True))

    def _begin(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("xb")
        self._write(self._head)
        self._flush()

    def _write(self, line: _Head | _Line) -> None:
        if self._file is not None:
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()
            self._dirty = True
            if self._clock_s() - self._synced_s >= SYNC_INTERVAL_S:
                self._flush()

    def _flush(self) -> None:
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._synced_s, self._dirty = self._clock_s(), False

    def _guard(self, work: Callable[[], object]) -> None:
        try:
            work()
        except OSError as error:
            _LOGGER.warning("edits are not kept for a crash any more: %s: %s", self.path, error.strerror or error)
            file, self._file, self._dirty = self._file, None, False
            if file is not None:
                with contextlib.suppress(OSError):  # it tries once more to write what it could not
                    file.close()


class Recovered(msgspec.Struct, frozen=True):
    """What a crashed process left. Do the edits in order, or not; then ``discard`` it, once a journal of our own has them."""

    edits: list[Edit]
    info: ProjectInfo
    path: Path

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)


def recover(folder: Path, project: Path | None, base_sha256: str) -> Recovered | None:
    """The newest journal of this project that a process left which is no more; None when there is none with an edit.

    Journals made for another state of the file are renamed to ``….other-base``, not offered: their edits are either in the file
    (the crash came right after a save) or do not fit it.
    """
    found: list[tuple[float, Recovered]] = []
    for path in sorted(folder.glob("*.jsonl")):
        lines = _lines(path)
        head = next(lines, None)
        if not isinstance(head, _Head) or head.project != _key(project) or _is_alive(head):
            continue
        edits = list(_edits(lines))
        if not edits:
            if b'"line":"edit"' not in path.read_bytes():
                path.unlink(missing_ok=True)
        elif head.base != base_sha256:
            path.replace(path.with_suffix(".other-base"))
        elif isinstance(info := element_of(bytes(head.info)), ProjectInfo):
            found.append((path.stat().st_mtime, Recovered(edits, info, path)))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _key(project: Path | None) -> str:
    return os.path.realpath(project) if project is not None else ""


def _raw(element: Element | None) -> msgspec.Raw:
    return msgspec.Raw(b"null" if element is None else line_of(element))


def _element(raw: msgspec.Raw) -> Element | None:
    return None if bytes(raw) == b"null" else element_of(bytes(raw))


def _lines(path: Path) -> Iterator[_Head | _Line]:
    """Lines up to the first that is not whole or not ours."""
    try:
        content = path.read_bytes()
    except OSError as error:
        _LOGGER.warning("a journal cannot be read: %s: %s", path, error.strerror or error)
        return
    for line in content.split(b"\n")[:-1]:
        try:
            yield msgspec.json.decode(line, type=_Head | _Line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return


def _edits(lines: Iterator[_Head | _Line]) -> Iterator[Edit]:
    for line in lines:
        if not isinstance(line, _Line):
            return
        try:
            changes = tuple(Change(one.kind, one.id, _element(one.before), _element(one.after)) for one in line.changes)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return
        yield Edit(line.name, changes)


def _is_alive(head: _Head) -> bool:
    """Whether the process that writes the journal is still there: another window, not a crash. Process ids are used again."""
    if head.format != _FORMAT:
        return True
    import psutil

    try:
        return abs(psutil.Process(head.pid).create_time() - head.started) < 1.0
    except psutil.Error:
        return False
