"""The workspace database: recent projects, where endpoints are reached from here, window state, and nodes browsed before.

All of it is convenience. A database that is broken is moved aside and begun anew; one that cannot be used (disk full, no
rights, locked too long) is logged, and then nothing is remembered.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from app.workspace.aside import move_aside
from app.workspace.paths import data_dir

_LOGGER = logging.getLogger(__name__)
T = TypeVar("T")

FILE_NAME: Final = "workspace-1.db"
"""The number is that of the tables: another release with other tables has a file of its own."""

_BROKEN: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_DAY_S: Final = 86_400
_PATIENCE_S: Final = 5.0
"""For another program, or thread, that writes."""
_TRIGRAM: Final = 3
"""The index knows words of three characters and more; shorter ones are looked for row by row."""
_CANDIDATES: Final = 3000
"""So many hits are put in order at the most: the ones that were seen first, which a crawl finds nearest to its root."""


class KnownNode(NamedTuple):
    """A node that was browsed before, as ``app.drivers.base.BrowseColumns`` showed it; ``seen_s`` is when (Unix time)."""

    id: str
    name: str
    path: str
    node_class: str
    type: str
    seen_s: float = 0.0


_COLUMNS: Final = ", ".join(KnownNode._fields)
_NODE_COLUMNS: Final = ", ".join(f"node.{name}" for name in ("endpoint", *KnownNode._fields))
_TABLES: Final = (
    "recent (path text primary key, name text, opened_s float)",
    "reach (project text, endpoint text, url text, primary key (project, endpoint))",
    "state (name text primary key, text text)",
)
_REMEMBER: Final = (
    f"insert into node (endpoint, {_COLUMNS}) values (?{', ?' * len(KnownNode._fields)}) on conflict (endpoint, id) do update set "  # noqa: S608
    + ", ".join(f"{name} = excluded.{name}" for name in KnownNode._fields if name != "id")
)


_INDEX: Final = "insert into node_fts (rowid, name, path, id) select rowid, name, path, id from node where rowid > ?"
_NODE_TABLE: Final = """
    create table if not exists node
    (endpoint text, id text, name text, path text, node_class text, type text, seen_s float, primary key (endpoint, id))
"""
_NODE_INDEX: Final = "create virtual table node_fts using fts5 (name, path, id, content=node, tokenize=trigram)"
_OLD_OUT: Final = "insert into node_fts (node_fts, rowid, name, path, id) values ('delete', old.rowid, old.name, old.path, old.id);"
_TRIGGERS: Final = (
    "drop trigger if exists node_ai",  # of workspaces begun before: see ``_remember``
    "drop trigger if exists node_au",
    f"create trigger if not exists node_ad after delete on node begin {_OLD_OUT} end",
    "create trigger if not exists node_renamed after update on node "  # noqa: S608  constants
    f"when old.name is not new.name or old.path is not new.path begin {_OLD_OUT} "
    "insert into node_fts (rowid, name, path, id) values (new.rowid, new.name, new.path, new.id); end",
)


class Database:
    """Opened when first used, by the one thread that uses it. Several threads (with one of these each) and processes may have it open.

    sqlite-utils makes the table of nodes and its index, once for each file. All else is plain SQL, since importing sqlite-utils takes
    as long as painting the whole window does.
    """

    def __init__(self, path: Path | None = None, *, now_s: Callable[[], float] = time.time) -> None:
        self.path = path or data_dir() / FILE_NAME
        self._now_s = now_s
        self._opened: sqlite3.Connection | None = None
        self._has_nodes = False
        self._told: set[str] = set()

    @property
    def is_open(self) -> bool:
        return self._opened is not None

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened, self._has_nodes = None, False

    # Recent projects

    def remember_project(self, path: Path, name: str) -> None:
        row = (str(path.absolute()), name, self._now_s())
        self._write("insert or replace into recent (path, name, opened_s) values (?, ?, ?)", row)

    def recent_projects(self, limit: int) -> list[tuple[Path, str]]:
        """Path and name, newest first; the files may be gone."""
        query = "select path, name from recent order by opened_s desc limit ?"
        return self._attempt(lambda db: [(Path(path), name) for path, name in db.execute(query, [limit])], [])

    def forget_project(self, path: Path) -> None:
        self._write("delete from recent where path = ?", (str(path.absolute()),))

    # Where endpoints are reached from here

    def reach(self, project: str) -> dict[str, str]:
        """Endpoint id → URL."""
        return self._attempt(lambda db: dict(db.execute("select endpoint, url from reach where project = ?", [project])), {})

    def set_reach(self, project: str, endpoint: str, url: str | None) -> None:
        """Without a URL, the project's own address is used again."""
        if url:
            self._write("insert or replace into reach (project, endpoint, url) values (?, ?, ?)", (project, endpoint, url))
        else:
            self._write("delete from reach where project = ? and endpoint = ?", (project, endpoint))

    # State of the window

    def state(self, name: str) -> str:
        return self._attempt(lambda db: next((text for (text,) in db.execute("select text from state where name = ?", [name])), ""), "")

    def set_state(self, name: str, text: str) -> None:
        self._write("insert or replace into state (name, text) values (?, ?)", (name, text))

    # Nodes browsed before

    def remember(self, endpoint_key: str, rows: Iterable[tuple[str, str, str, str, str]]) -> None:
        """Keep nodes of an endpoint, fields as in ``KnownNode``; one that is known already gets its new names."""
        seen_s = self._now_s()
        records = [(endpoint_key, *row, seen_s) for row in rows]
        self._attempt(lambda db: _commit(db, lambda: _remember(db, records)), None, nodes=True)

    def search(self, endpoint_key: str, text: str, limit: int) -> list[KnownNode]:
        """Nodes in whose name, path or id every word of ``text`` stands, anywhere and in any case; shortest paths first."""
        return [node for _, node in self.search_all([endpoint_key], text, limit)]

    def search_all(self, endpoint_keys: Sequence[str], text: str, limit: int) -> list[tuple[str, KnownNode]]:
        """``search`` in several endpoints at once; with the key of each node's endpoint."""
        words = text.replace("\0", " ").split()
        if not words or not endpoint_keys:
            return []
        indexed = [word for word in words if len(word) >= _TRIGRAM]

        def work(db: sqlite3.Connection) -> list[tuple[str, KnownNode]]:
            conditions, values = [f"endpoint in ({', '.join('?' * len(endpoint_keys))})"], list[object](endpoint_keys)
            use_index = bool(indexed) and _has_index(db)
            if use_index:
                conditions.append("node_fts match ?")
                values.append(" AND ".join('"' + word.replace('"', '""') + '"' for word in indexed))
            for word in [word for word in words if word not in indexed] if use_index else words:
                conditions.append("instr(lower(node.name || char(10) || node.path || char(10) || node.id), lower(?)) > 0")
                values.append(word)
            tables = "node_fts cross join node on node.rowid = node_fts.rowid" if use_index else "node"
            query = f"select {_NODE_COLUMNS} from {tables} where {' and '.join(conditions)} limit {_CANDIDATES}"  # noqa: S608  constants
            return [(key, KnownNode(*row)) for key, *row in db.execute(query, values)]

        found: list[tuple[str, KnownNode]] = self._attempt(work, [], nodes=True)
        return sorted(found, key=lambda hit: (len(hit[1].path), hit[1].path))[:limit]

    def known(self, endpoint_key: str, id_: str) -> KnownNode | None:
        """The node of this id, if it was browsed before."""
        query = f"select {_COLUMNS} from node where endpoint = ? and id = ?"  # noqa: S608  a constant
        return self._attempt(lambda db: next((KnownNode(*row) for row in db.execute(query, [endpoint_key, id_])), None), None, nodes=True)

    def count(self, endpoint_key: str) -> int:
        """How many nodes of an endpoint are known."""
        query = "select count(*) from node where endpoint = ?"
        return self._attempt(lambda db: next(number for (number,) in db.execute(query, [endpoint_key])), 0, nodes=True)

    def forget(self, endpoint_key: str, id_: str) -> None:
        """Drop a node that the endpoint has no longer."""
        self._write("delete from node where endpoint = ? and id = ?", (endpoint_key, id_), nodes=True)

    def forget_old(self, days: int) -> None:
        """Drop nodes that were not seen for so many days."""
        self._write("delete from node where seen_s < ?", (self._now_s() - days * _DAY_S,), nodes=True)

    # Opening

    def _write(self, statement: str, values: Sequence[object], *, nodes: bool = False) -> None:
        self._attempt(lambda db: _commit(db, lambda: db.execute(statement, values)), None, nodes=nodes)

    def _attempt(self, work: Callable[[sqlite3.Connection], object], otherwise: T, *, nodes: bool = False) -> T:
        """Do ``work`` and give its result; with a broken database once more on a new one; ``otherwise`` when it cannot be done.

        ``nodes``: It needs the table of nodes.
        """
        for last in (False, True):
            try:
                return work(self._open(nodes=nodes))  # type: ignore[return-value]  # for reading it is T; for writing nobody looks
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

    def _open(self, *, nodes: bool) -> sqlite3.Connection:
        if self._opened is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=_PATIENCE_S)
            try:
                _patiently(lambda: connection.execute("pragma journal_mode = wal"))
                connection.execute("pragma synchronous = normal")  # WAL: a power cut may lose the newest rows, never the database
                _patiently(lambda: _make_tables(connection))
            except BaseException:
                connection.close()
                raise
            self._opened = connection
        if nodes and not self._has_nodes:
            opened = self._opened
            _patiently(lambda: _make_node_table(opened))
            self._has_nodes = True
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


def _patiently(work: Callable[[], object]) -> None:
    """While a file is begun: what several do at the same time there SQLite refuses at once, whatever its time-out."""
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            work()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until_s:
                raise
        time.sleep(0.01)


def _remember(db: sqlite3.Connection, records: Sequence[tuple[object, ...]]) -> None:
    """Rows that are new go into the index together: by a trigger, FTS5 writes for each row what it has (100 us instead of 20)."""
    db.execute("begin immediate")
    (last,) = db.execute("select coalesce(max(rowid), 0) from node").fetchone()
    db.executemany(_REMEMBER, records)
    if _has_index(db):
        db.execute(_INDEX, [last])


def _commit(db: sqlite3.Connection, work: Callable[[], object]) -> None:
    with db:
        work()


def _has_table(db: sqlite3.Connection, name: str) -> bool:
    return next(iter(db.execute("select 1 from sqlite_master where name = ?", [name])), None) is not None


def _make_tables(db: sqlite3.Connection) -> None:
    if not _has_table(db, "state"):
        with db:
            for table in _TABLES:
                db.execute(f"create table if not exists {table}")


def _make_node_table(db: sqlite3.Connection) -> None:
    """Text columns as in ``KnownNode``, and what makes them searchable: at once, as others may begin the same file now."""
    if all(_has_table(db, name) for name in ("node", "node_fts", "node_renamed")):
        return
    with db:
        db.execute("begin immediate")
        db.execute(_NODE_TABLE)
        if not _has_index(db):
            try:
                db.execute(_NODE_INDEX)
            except sqlite3.OperationalError as error:  # SQLite before 3.34, or built without FTS5
                _LOGGER.info("searching nodes without an index: %s", error)
                return
            db.execute("insert into node_fts (node_fts) values ('rebuild')")
        for statement in _TRIGGERS:
            db.execute(statement)


def _has_index(db: sqlite3.Connection) -> bool:
    return _has_table(db, "node_fts")
