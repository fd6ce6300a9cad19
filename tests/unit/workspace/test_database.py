import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import pytest
import sqlite_utils

from app.workspace import database as database_
from app.workspace.database import Database, KnownNode
from app.workspace.paths import data_dir
from app.workspace.workspace import Workspace


@pytest.fixture
def database() -> Iterator[Database]:
    with closing(Database()) as opened:
        yield opened


def node(number: int, name: str, path: str = "") -> tuple[str, str, str, str, str]:
    return (f"nsu=urn:line;i={number}", name, path or f"/Line 4/{name}", "variable", "float64")


NODES = [
    node(1, "fillFlow"),
    node(2, "Füllstand"),
    node(3, "100%_done"),
    node(4, 'quo"ted', '/a "b"/c'),
    node(5, "I1", "/x/I1"),
    node(6, "流量計"),
]


def names(database: Database, text: str, key: str = "p/e", limit: int = 50) -> list[str]:
    return [found.name for found in database.search(key, text, limit)]


def test_that_nothing_is_opened_before_it_is_used(database: Database) -> None:
    assert not data_dir().exists()
    assert database.state("layout") == ""
    assert database.path.exists()


@pytest.mark.parametrize("index", [True, False])
def test_that_nodes_are_found_by_any_part_of_name_path_or_id_in_any_case(
    database: Database, monkeypatch: pytest.MonkeyPatch, index: bool
) -> None:
    if not index:
        monkeypatch.setattr(database_, "_NODE_INDEX", "create virtual table node_fts using no_such_module (name)")
    database.remember("p/e", NODES)
    database.remember("p/other", [node(1, "fillFlow")])
    assert names(database, "FILLFLOW") == ["fillFlow"]
    assert names(database, "llfl") == ["fillFlow"]
    assert names(database, "line flow") == ["fillFlow"]
    assert names(database, "füll") == ["Füllstand"]
    assert names(database, "i1") == ["I1"]
    assert names(database, "流量計") == ["流量計"]
    assert names(database, "100%_") == ["100%_done"]
    assert names(database, '"b"') == ['quo"ted']
    assert names(database, "urn:line;i=3") == ["100%_done"]
    assert names(database, "flow nowhere") == []
    assert names(database, "  ") == []
    for hostile in ('"', "'", "*", "flow OR level", "NEAR(a b)", "a\0b", "-x", "name:flow", "(", "%", "^fil"):
        names(database, hostile)
    assert len(names(database, "line", limit=2)) == 2


def test_that_a_node_seen_again_has_its_new_name_in_the_index_too(database: Database) -> None:
    database.remember("p/e", [node(1, "oldname")])
    database.remember("p/e", [node(1, "newname")])
    assert names(database, "oldname") == []
    (found,) = database.search("p/e", "newname", 5)
    assert found._replace(seen_s=0.0) == KnownNode(*node(1, "newname"))


def begin_as_before(path: Path) -> None:
    """A workspace of which sqlite-utils made the table of nodes, its index and its triggers, with three nodes in it."""
    with closing(sqlite3.connect(path)) as opened:
        table = sqlite_utils.Database(opened).table("node")
        table.create({"endpoint": str, **dict.fromkeys(KnownNode._fields, str), "seen_s": float}, pk=("endpoint", "id"))
        table.enable_fts(["name", "path", "id"], fts_version="FTS5", tokenize="trigram", create_triggers=True)
        table.insert_all({"endpoint": "p/e", **KnownNode(*row, 1.0)._asdict()} for row in NODES[:3])


@pytest.mark.parametrize("of_before", [True, False])
def test_that_the_index_is_what_the_nodes_are_also_in_a_file_of_before(database: Database, of_before: bool) -> None:
    if of_before:
        database.path.parent.mkdir(parents=True)
        begin_as_before(database.path)
    database.remember("p/e", NODES)
    database.remember("p/e", [node(1, "another name")])
    database.forget("p/e", NODES[1][0])
    with closing(sqlite3.connect(database.path)) as opened:
        opened.execute("insert into node_fts (node_fts, rank) values ('integrity-check', 1)")  # raises where they differ
    assert set(names(database, "line")) == {"another name", "100%_done", 'quo"ted', "I1", "流量計"}
    assert names(database, "fillflow") == []


def test_that_a_node_is_known_with_the_time_it_was_seen_until_it_is_forgotten(own_folders: Path) -> None:
    with closing(Database(now_s=lambda: 77.0)) as database:
        database.remember("p/e", [node(1, "kept"), node(2, "gone")])
        database.forget("p/e", node(2, "gone")[0])
        assert database.known("p/e", node(1, "kept")[0]) == KnownNode(*node(1, "kept"), 77.0)
        assert database.search("p/e", "kept", 5) == [KnownNode(*node(1, "kept"), 77.0)]
        assert database.known("p/e", node(2, "gone")[0]) is None
        assert (database.count("p/e"), database.count("p/other")) == (1, 0)
        assert names(database, "gone") == []


def test_that_old_nodes_are_forgotten(own_folders: Path) -> None:
    now = [0.0]
    with closing(Database(now_s=lambda: now[0])) as database:
        database.remember("p/e", [node(1, "oldnode"), node(2, "seenagain")])
        now[0] = 10 * 86_400
        database.remember("p/e", [node(2, "seenagain")])
        database.forget_old(5)
        assert names(database, "node") == []
        assert names(database, "seen") == ["seenagain"]


def test_that_reach_is_kept_by_project_and_endpoint(database: Database) -> None:
    database.set_reach("p", "e", "opc.tcp://vpn:1")
    database.set_reach("p", "f", "opc.tcp://vpn:2")
    database.set_reach("p", "e", "opc.tcp://vpn:3")
    database.set_reach("p", "f", None)
    assert database.reach("p") == {"e": "opc.tcp://vpn:3"}
    assert database.reach("q") == {}


def test_that_recent_projects_come_newest_first_once_each(own_folders: Path, tmp_path: Path) -> None:
    now = iter(range(100))
    with closing(Database(now_s=lambda: float(next(now)))) as database:
        for name in ("a", "b", "a", "c"):
            database.remember_project(tmp_path / name, name.upper())
        database.forget_project(tmp_path / "c")
        assert database.recent_projects(5) == [(tmp_path / "a", "A"), (tmp_path / "b", "B")]
        assert database.recent_projects(1) == [(tmp_path / "a", "A")]


@pytest.mark.expect_log("WARNING app.workspace.database: the workspace database was broken")
@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_that_a_broken_database_is_moved_aside_and_a_new_one_begun(database: Database, content: bytes) -> None:
    database.path.parent.mkdir(parents=True)
    database.path.write_bytes(content)
    database.set_state("layout", "x")
    assert database.state("layout") == "x"
    assert database.path.with_name(f"{database.path.name}.bad-1").read_bytes() == content


@pytest.mark.expect_log("WARNING app.workspace.database: the workspace database was broken")
def test_that_damage_found_while_in_use_is_survived(database: Database) -> None:
    database.remember("p/e", [node(n, f"name {n}") for n in range(2000)])
    database.close()
    content = bytearray(database.path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    database.path.write_bytes(content)
    assert names(database, "name") == []
    database.set_state("layout", "x")
    assert database.state("layout") == "x"


@pytest.mark.expect_log("WARNING app.workspace.database: the workspace database cannot be used")
def test_that_without_a_place_to_write_nothing_is_remembered_and_it_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    with closing(Database(tmp_path / "file" / "workspace.db")) as database:
        database.set_state("layout", "x")
        assert database.state("layout") == ""
        assert database.recent_projects(5) == []
    assert len(caplog.records) == 1


@pytest.mark.expect_log("database is locked")
def test_that_a_locked_database_is_not_taken_for_a_broken_one(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.set_state("layout", "x")
    assert database._opened is not None
    database._opened.execute("pragma busy_timeout = 0")
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("begin exclusive")
        database.set_state("layout", "y")
        other.execute("rollback")
    assert database.state("layout") == "x"
    assert not database.path.with_name(f"{database.path.name}.bad-1").exists()


def test_that_those_who_begin_a_file_together_all_keep_what_they_have(tmp_path: Path) -> None:
    for turn in range(12):
        path, begin = tmp_path / f"{turn}.db", Barrier(3)

        def keep(number: int, path: Path = path, begin: Barrier = begin) -> None:
            with closing(Database(path)) as opened:
                begin.wait(20)
                opened.remember("p/e", [node(number, f"name{number}")])

        threads = [Thread(target=keep, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with closing(Database(path)) as database:
            assert database.count("p/e") == 3
            assert len(database.search("p/e", "name", 9)) == 3


def test_that_the_workspace_gives_all_of_it_in_one_place(tmp_path: Path) -> None:
    with closing(Workspace()) as workspace:
        assert workspace.last_folder() == Path.home()
        workspace.set_last_folder(tmp_path)
        assert workspace.last_folder() == tmp_path
        workspace.set_last_folder(tmp_path / "gone")
        assert workspace.last_folder() == Path.home()
        workspace.set_setting("recent_projects", 1)
        for name in ("a", "b"):
            workspace.remember_project(tmp_path / name, name)
        assert workspace.recent_projects() == [(tmp_path / "b", "b")]
        workspace.set_reach("p", "e", "x://")
        assert workspace.reach("p") == {"e": "x://"}
        workspace.remember_nodes("p/e", NODES)
        found = workspace.search_nodes(["p/e"], "flow", 5).result(timeout=10)
        assert [(key, node.name) for key, node in found.hits] == [("p/e", "fillFlow")]
        assert found.known == len(NODES)
        workspace.set_state("layout.map", "abc")
        assert workspace.state("layout.map") == "abc"
