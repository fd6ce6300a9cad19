"""The workspace database: recent projects, where endpoints are reached from here, window state, and nodes browsed before.

All of it is convenience. A database that is broken is moved aside and begun anew; one that cannot be used (disk full, no
rights, locked too long) is logged, and then nothing is remembered.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from app.workspace.aside import move_aside
from app.workspace.paths import data_dir

if TYPE_CHECKING:
    import sqlite_utils

_LOGGER = logging.getLogger(__name__)
T = TypeVar("T")

FILE_NAME: Final = "workspace-1.db"
"""The number is that of the tables: another release with other tables has a file of its own."""

_BROKEN: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_DAY_S: Final = 86_400
_TRIGRAM: Final = 3
"""The index knows words of three characters and more; shorter ones are looked for row by row."""


class KnownNode(NamedTuple):
    """A node that was browsed before, as ``app.drivers.base.BrowseColumns`` showed it; ``seen_s`` is when (Unix time)."""

    id: str
    name: str
    path: str
    node_class: str
    type: str
    seen_s: float = 0.0


_COLUMNS: Final = ", ".join(KnownNode._fields)


class Database:
    """Opened when first used, by the one thread that uses it. Several processes may have it open."""

    def __init__(self, path: Path | None = None, *, now_s: Callable[[], float] = time.time) -> None:
        self.path = path or data_dir() / FILE_NAME
        self._now_s = now_s
        self._opened: sqlite_utils.Database | None = None
        self._told: set[str] = set()

    @property
    def is_open(self) -> bool:
        return self._opened is not None

    def close(self) -> None:
        if self._opened is not None:
            self._opened.conn.close()
            self._opened = None

    # Recent projects

    def remember_project(self, path: Path, name: str) -> None:
        row = {"path": str(path.absolute()), "name": name, "opened_s": self._now_s()}
        self._attempt(lambda db: db.table("recent").upsert(row, pk="path"), None)

    def recent_projects(self, limit: int) -> list[tuple[Path, str]]:
        """Path and name, newest first; the files may be gone."""
        query = "select path, name from recent order by opened_s desc limit ?"
        return self._attempt(lambda db: [(Path(path), name) for path, name in db.execute(query, [limit])], [])

    def forget_project(self, path: Path) -> None:
        self._attempt(lambda db: db.table("recent").delete_where("path = ?", [str(path.absolute())]), None)

    # Where endpoints are reached from here

    def reach(self, project: str) -> dict[str, str]:
        """Endpoint id → URL."""
        return self._attempt(lambda db: dict(db.execute("select endpoint, url from reach where project = ?", [project])), {})

    def set_reach(self, project: str, endpoint: str, url: str | None) -> None:
        """Without a URL, the project's own address is used again."""

        def work(db: sqlite_utils.Database) -> None:
            if url:
                db.table("reach").upsert({"project": project, "endpoint": endpoint, "url": url}, pk=("project", "endpoint"))
            else:
                db.table("reach").delete_where("project = ? and endpoint = ?", [project, endpoint])

        self._attempt(work, None)

    # State of the window

    def state(self, name: str) -> str:
        return self._attempt(lambda db: next((text for (text,) in db.execute("select text from state where name = ?", [name])), ""), "")

    def set_state(self, name: str, text: str) -> None:
        self._attempt(lambda db: db.table("state").upsert({"name": name, "text": text}, pk="name"), None)

    # Nodes browsed before

    def remember(self, endpoint_key: str, rows: Iterable[tuple[str, str, str, str, str]]) -> None:
        """Keep nodes of an endpoint, fields as in ``KnownNode``; one that is known already gets its new names."""
        seen_s = self._now_s()
        records = [{"endpoint": endpoint_key, **KnownNode(*row)._asdict(), "seen_s": seen_s} for row in rows]
        self._attempt(lambda db: db.table("node").upsert_all(records, pk=("endpoint", "id")), None)

    def search(self, endpoint_key: str, text: str, limit: int) -> list[KnownNode]:
        """Nodes in whose name, path or id every word of ``text`` stands, anywhere and in any case; shortest paths first."""
        words = text.replace("\0", " ").split()
        indexed = [word for word in words if len(word) >= _TRIGRAM]

        def work(db: sqlite_utils.Database) -> list[KnownNode]:
            conditions, values = ["endpoint = ?"], [endpoint_key]
            has_index = _has_index(db)
            if indexed and has_index:
                conditions.append("rowid in (select rowid from node_fts where node_fts match ?)")
                values.append(" AND ".join('"' + word.replace('"', '""') + '"' for word in indexed))
            for word in words if not has_index else [word for word in words if word not in indexed]:
                conditions.append("instr(lower(name || char(10) || path || char(10) || id), lower(?)) > 0")
                values.append(word)
            where = " and ".join(conditions)
            query = f"select {_COLUMNS} from node where {where} order by length(path), path limit ?"  # noqa: S608  all are constants
            return [KnownNode(*row) for row in db.execute(query, [*values, limit])]

        return self._attempt(work, []) if words else []

    def known(self, endpoint_key: str, id_: str) -> KnownNode | None:
        """The node of this id, if it was browsed before."""
        query = f"select {_COLUMNS} from node where endpoint = ? and id = ?"  # noqa: S608  a constant
        return self._attempt(lambda db: next((KnownNode(*row) for row in db.execute(query, [endpoint_key, id_])), None), None)

    def count(self, endpoint_key: str) -> int:
        """How many nodes of an endpoint are known."""
        query = "select count(*) from node where endpoint = ?"
        return self._attempt(lambda db: next(number for (number,) in db.execute(query, [endpoint_key])), 0)

    def forget(self, endpoint_key: str, id_: str) -> None:
        """Drop a node that the endpoint has no longer."""
        self._attempt(lambda db: db.table("node").delete_where("endpoint = ? and id = ?", [endpoint_key, id_]), None)

    def forget_old(self, days: int) -> None:
        """Drop nodes that were not seen for so many days."""
        self._attempt(lambda db: db.table("node").delete_where("seen_s < ?", [self._now_s() - days * _DAY_S]), None)

    # Opening

    def _attempt(self, work: Callable[[sqlite_utils.Database], object], otherwise: T) -> T:
        """Do ``work`` and give its result; with a broken database once more on a new one; ``otherwise`` when it cannot be done."""
        for last in (False, True):
            try:
                return work(self._open())  # type: ignore[return-value]  # for reading it is T; for writing nobody looks
            except sqlite3.DatabaseError as error:
                if last or error.sqlite_errorcode & 0xFF not in _BROKEN:
                    self._tell(error)
                    break
                if not self._move_aside(error):
                    break
            except (OSError, UnicodeEncodeError) as error:  # no folder to write to; half of a surrogate pair in a text
                self._tell(error)
                break
        return otherwise

    def _tell(self, error: Exception) -> None:
        """Once for each reason: the same thing will be tried again and again."""
        if str(error) not in self._told:
            self._told.add(str(error))
            _LOGGER.warning("the workspace database cannot be used: %s: %s", self.path, error)

    def _open(self) -> sqlite_utils.Database:
        if self._opened is None:
            import sqlite_utils

            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=5.0)
            try:
                connection.execute("pragma journal_mode = wal")
                connection.execute("pragma synchronous = normal")  # WAL: a power cut may lose the newest rows, never the database
                db = sqlite_utils.Database(connection)
                _make_tables(db)
            except BaseException:
                connection.close()
                raise
            self._opened = db
        return self._opened

    def _move_aside(self, error: sqlite3.DatabaseError) -> bool:
        self.close()
        try:
            kept = move_aside(self.path)
            for suffix in ("-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        except OSError as failure:
            _LOGGER.warning("the workspace database is broken (%s) and cannot be moved: %s", error, failure.strerror or failure)
            return False
        _LOGGER.warning("the workspace database was broken (%s); it is now %s", error, kept)
        return True


def _make_tables(db: sqlite_utils.Database) -> None:
    db.table("recent").create({"path": str, "name": str, "opened_s": float}, pk="path", if_not_exists=True)
    db.table("reach").create({"project": str, "endpoint": str, "url": str}, pk=("project", "endpoint"), if_not_exists=True)
    db.table("state").create({"name": str, "text": str}, pk="name", if_not_exists=True)
    node = db.table("node")
    columns = {"endpoint": str, **dict.fromkeys(KnownNode._fields, str), "seen_s": float}
    node.create(columns, pk=("endpoint", "id"), if_not_exists=True)
    if not _has_index(db):
        try:
            node.enable_fts(["name", "path", "id"], fts_version="FTS5", tokenize="trigram", create_triggers=True)
        except sqlite3.OperationalError as error:  # SQLite before 3.34, or built without FTS5
            _LOGGER.info("searching nodes without an index: %s", error)


def _has_index(db: sqlite_utils.Database) -> bool:
    return db.table("node_fts").exists()
