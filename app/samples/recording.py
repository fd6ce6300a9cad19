"""A simple recording of watched tags: one SQLite file, readable by anything that reads SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Thread
from time import time_ns
from typing import TYPE_CHECKING, Final, Literal

import msgspec
import numpy as np

from app.errors import UserError
from app.model.columns import SampleColumns, type_name
from app.model.plant import Endpoint, Tag
from app.model.project import Project
from app.model.times import rfc3339
from app.model.values import Value
from app.samples.csv_text import QUALITY_WORDS, Cell, cell, safe_text, time_cell, write_rows
from app.samples.history import GAP

if TYPE_CHECKING:
    from sqlite_utils import Database

SUFFIX: Final = ".tagloom-rec"
FORMAT: Final = 1
WAITING_BATCHES: Final = 2_000
"""About a minute of batches that a stalled disk may hold up; further ones are dropped and counted."""

_INSERT_TAG: Final = "insert into tags (number, id, name, endpoint, address, type, unit) values (?, ?, ?, ?, ?, ?, ?)"
_INSERT_SAMPLE: Final = (
    "insert into samples (tag, receive_ns, source_ns, server_ns, type, value, quality, status) values (?, ?, ?, ?, ?, ?, ?, ?)"
)


class _Rows:
    """Rows of a batch for the database, made when they are written: by the thread that writes, and not by the window's."""

    def __init__(self, numbers: Mapping[int, int], columns: SampleColumns) -> None:
        self._numbers, self._columns = numbers, columns
        self._size = int(np.isin(columns.handle, np.fromiter(numbers, np.uint32, len(numbers))).sum())

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        return _rows(self._numbers, self._columns)


_Statement = tuple[str, Sequence[tuple[object, ...]] | _Rows]


class Recording:
    """Being written. The owner of the project calls it; the file is written by a thread of its own, so that no disk stalls a window.

    In the file: ``meta`` (key, value), ``tags``, ``samples`` (times in ns since 1970 UTC, NULL where the protocol has none;
    ``value`` a number, text, BLOB, or JSON text for arrays and structures; NULL for none and for NaN; quality 0 good,
    1 uncertain, 2 bad, 3 a gap, whose value is the reason).
    """

    def __init__(self, path: Path, project: Project, tags: Collection[str] | None) -> None:
        self.path = path
        self.problem: UserError | None = None
        self.rows = 0
        self.dropped = 0
        self._project, self._tags = project, tags
        self._numbers: dict[str, int] = {}
        self._queue: Queue[list[_Statement] | None] = Queue(WAITING_BATCHES)
        self._thread = Thread(target=self._write, name="tagloom-recording", daemon=True)

    @classmethod
    def start(cls, path: Path, project: Project, tags: Collection[str] | None = None) -> Recording:
        """Create the file and begin.

        Args:
            path: Of a new file, by custom ending in ``SUFFIX``.
            project: Names, addresses and units of the tags are taken from it when their first sample comes.
            tags: Ids of those to record; None is whatever is watched.

        Raises:
            UserError: The file is there already, or cannot be written.
        """
        if path.exists():
            raise UserError("Cannot record", where=str(path), why="the file exists already", fix="Choose another name")
        recording = cls(path, project, tags)
        try:
            database = _create(path, project.info.name)
            database.close()
        except (sqlite3.Error, OSError) as error:
            raise UserError("Cannot record", where=str(path), why=str(error), fix="Choose another folder") from error
        recording._thread.start()
        return recording

    def append(self, handles: Mapping[int, str], columns: SampleColumns) -> None:
        """Take a batch; ``handles`` is handle → tag, rows of others are left out. Never blocks."""
        statements: list[_Statement] = []
        numbers = {}
        for handle in np.unique(columns.handle).tolist():
            tag_id = handles.get(handle)
            if tag_id is not None and (self._tags is None or tag_id in self._tags):
                numbers[handle] = self._number(tag_id, statements)
        rows = _Rows(numbers, columns)
        if len(rows):
            self._enqueue([*statements, (_INSERT_SAMPLE, rows)], len(rows))

    def gap(self, tags: Iterable[str], at_ns: int, why: str = "") -> None:
        """Samples of these tags are missing from here on."""
        known = (self._numbers[tag] for tag in tags if tag in self._numbers)
        rows: list[tuple[object, ...]] = [(number, at_ns, None, None, "", why or None, GAP, 0) for number in known]
        if rows:
            self._enqueue([(_INSERT_SAMPLE, rows)], 0)

    def stop(self, timeout_s: float = 10.0) -> None:
        """Write what is left, index, and close the file. Safe twice.

        Raises:
            UserError: The recording is not complete, and why.
        """
        if self._thread.is_alive():
            with suppress(Full):  # then the thread is stuck, as is seen below
                self._queue.put(None, timeout=timeout_s)
            self._thread.join(timeout_s)
        if self.problem is None and self._thread.is_alive():
            why = f"the disk did not take it within {timeout_s:g} s"
            self.problem = UserError("The recording is not complete", where=str(self.path), why=why, fix="Check the disk")
        if self.problem is not None:
            raise self.problem

    def _number(self, tag_id: str, statements: list[_Statement]) -> int:
        if tag_id not in self._numbers:
            number = self._numbers[tag_id] = len(self._numbers) + 1
            tag = self._project.get(Tag, tag_id)
            endpoint = self._project.get(Endpoint, tag.endpoint) if tag else None
            what = (tag.name, endpoint.name if endpoint else "", tag.address, tag.type, tag.unit) if tag else ("", "", "", "", "")
            statements.append((_INSERT_TAG, [(number, tag_id, *what)]))
        return self._numbers[tag_id]

    def _enqueue(self, statements: list[_Statement], rows: int) -> None:
        try:
            self._queue.put_nowait(statements)
            self.rows += rows
        except Full:
            self.dropped += rows
            for sql, lost in statements:
                if sql == _INSERT_TAG:
                    for row in lost:
                        del self._numbers[str(row[1])]

    def _write(self) -> None:
        """Thread: everything to the file, many batches to a transaction."""
        try:
            database = sqlite3.connect(self.path)
            try:
                while self._write_some(database):
                    pass
                database.execute("create index samples_by_tag on samples (tag, receive_ns)")
                database.commit()
                database.execute("pragma journal_mode = delete")  # one file again, to be copied or mailed
            finally:
                database.close()
        except sqlite3.Error as error:
            fix = "What was written until then is in the file"
            self.problem = UserError("The recording ended", where=str(self.path), why=str(error), fix=fix)
            self._swallow()

    def _write_some(self, database: sqlite3.Connection) -> bool:
        waiting: list[list[_Statement] | None] = [self._queue.get()]
        try:
            while waiting[-1] is not None:
                waiting.append(self._queue.get_nowait())
        except Empty:
            pass
        with database:
            for statements in waiting:
                for sql, rows in statements or ():
                    database.executemany(sql, rows)
        return waiting[-1] is not None

    def _swallow(self) -> None:
        """After a failure: count what still comes as dropped, until ``stop``."""
        while (statements := self._queue.get()) is not None:
            self.dropped += sum(len(rows) for sql, rows in statements if sql == _INSERT_SAMPLE)


def export_csv(
    recording: Path, out: Path, tags: Sequence[str] | None = None, *, layout: Literal["long", "wide"] = "long", time: str = "receive"
) -> int:
    """Write a finished recording as CSV (RFC 4180, RFC 3339 UTC times); how many rows.

    Args:
        recording: The file.
        out: What to write; replaced when it exists.
        tags: Ids of those to export; None is all.
        layout: ``long`` has one row per sample, ``wide`` one row per time with a column per tag.
        time: Of the ``wide`` layout: ``source``, ``server`` or ``receive``; the receive time where there is no other.

    Raises:
        UserError: Not a recording, or one of the files cannot be used.
    """
    try:
        database = _open(recording)
        try:
            known = [tag for tag in database["tags"].rows if tags is None or tag["id"] in tags]
            with out.open("w", encoding="utf-8", newline="") as file:
                if layout == "long":
                    return write_rows(file, _LONG, _long_rows(database, known))
                names = [f"{tag['name'] or tag['id']} [{tag['unit']}]" if tag["unit"] else tag["name"] or tag["id"] for tag in known]
                return write_rows(file, ["time", *names], _wide_rows(database, known, time))
        finally:
            database.close()
    except (sqlite3.Error, OSError) as error:
        raise UserError("Cannot export the recording", where=str(recording), why=str(error), fix="Check both file names") from error


_LONG: Final = ("tag", "endpoint", "time", "source_time", "server_time", "value", "unit", "type", "quality", "status")


def _long_rows(database: Database, tags: Sequence[Mapping[str, object]]) -> Iterator[list[Cell]]:
    by_number = {tag["number"]: tag for tag in tags}
    sql = "select tag, receive_ns, source_ns, server_ns, value, type, quality, status from samples order by receive_ns, rowid"
    for number, receive_ns, source_ns, server_ns, value, type_, quality, status in database.conn.execute(sql):
        if (tag := by_number.get(number)) is not None:
            name, endpoint, unit = (safe_text(str(tag[key])) for key in ("name", "endpoint", "unit"))
            times = (time_cell(receive_ns), time_cell(source_ns), time_cell(server_ns))
            yield [name, endpoint, *times, _value(value, type_), unit, type_, QUALITY_WORDS.get(quality, str(quality)), status]


def _wide_rows(database: Database, tags: Sequence[Mapping[str, object]], time: str) -> Iterator[list[Cell]]:
    places = {tag["number"]: place for place, tag in enumerate(tags)}
    clock = f"coalesce({time}_ns, receive_ns)" if time in ("source", "server") else "receive_ns"
    row: list[Cell] = [None] * len(places)
    at_ns: int | None = None
    for number, now_ns, value, type_ in database.conn.execute(f"select tag, {clock}, value, type from samples order by 2, rowid"):  # noqa: S608  one of three constants
        if number not in places:
            continue
        if now_ns != at_ns and at_ns is not None:
            yield [time_cell(at_ns), *row]
            row = [None] * len(places)
        at_ns = now_ns
        row[places[number]] = _value(value, type_)
    if at_ns is not None:
        yield [time_cell(at_ns), *row]


def _value(value: Value, type_: str) -> Cell:
    return cell(bool(value)) if type_ == "bool" and value is not None else cell(value)


def _create(path: Path, project: str) -> Database:
    from sqlite_utils import Database

    database = Database(path)
    database.enable_wal()
    database["meta"].create({"key": str, "value": str}, pk="key")  # type: ignore[union-attr]  # table or view, by the name alone
    columns = {"number": int, "id": str, "name": str, "endpoint": str, "address": str, "type": str, "unit": str}
    database["tags"].create(columns, pk="number")  # type: ignore[union-attr]
    columns = {
        "tag": int,
        "receive_ns": int,
        "source_ns": int,
        "server_ns": int,
        "type": str,
        "value": bytes,
        "quality": int,
        "status": int,
    }
    database["samples"].create(columns)  # type: ignore[union-attr]
    about = {"format": str(FORMAT), "started": rfc3339(time_ns()), "project": project}
    database["meta"].insert_all({"key": key, "value": value} for key, value in about.items())  # type: ignore[union-attr]
    return database


def _open(path: Path) -> Database:
    from sqlite_utils import Database

    if not path.is_file():
        raise UserError("Cannot open the recording", where=str(path), why="there is no such file", fix="Check the name")
    database = Database(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True))
    try:
        tables = set(database.table_names())
    except sqlite3.DatabaseError:
        tables = set()
    if not {"meta", "tags", "samples"} <= tables:
        database.close()
        raise UserError("Cannot open the recording", where=str(path), why="it is not a recording", fix="Choose a .tagloom-rec file")
    return database


def _rows(numbers: Mapping[int, int], columns: SampleColumns) -> Iterator[tuple[object, ...]]:
    plain = (columns.handle, columns.receive_ns, columns.source_ns, columns.server_ns, columns.type, columns.quality, columns.status)
    for row, (handle, receive_ns, source_ns, server_ns, code, quality, status) in enumerate(
        zip(*(column.tolist() for column in plain), strict=True)
    ):
        if handle in numbers:
            value = _storable(columns.value(row))
            yield numbers[handle], receive_ns, source_ns or None, server_ns or None, type_name(code), value, quality, status


def _storable(value: Value) -> object:
    """What SQLite can hold: integers beyond 64 signed bits, arrays and structures become text."""
    match value:
        case None | bool() | float() | str() | bytes():
            return value
        case int():
            return value if -(2**63) <= value < 2**63 else str(value)
        case _:
            return msgspec.json.encode(value).decode()
