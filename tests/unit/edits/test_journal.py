import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.edits import Editor, replace
from app.edits.edit import with_fields
from app.edits.journal import SYNC_INTERVAL_S, Journal, recover
from app.model.plant import Tag
from app.model.project import Project
from tests import strategies
from tests.unit.edits.plants import filling_line

CRASHING = """
import os, sys
from pathlib import Path
from app.edits import Editor, replace
from app.edits.edit import with_fields
from app.edits.journal import Journal
from app.model.plant import Tag
from tests.unit.edits.plants import filling_line
editor = Editor(filling_line())
journal = Journal.start(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None, "base", editor.project.info)
editor.listen(journal.append)
for name in ("b", "c"):
    editor.do(replace("Rename", editor.project, [with_fields(editor.project.all(Tag)["flow-a"], name=name)]))
editor.undo()
print("ready", flush=True)
sys.stdin.read()
"""


def crash(folder: Path, project: str) -> None:
    """A process that did two edits, took one back, and was killed."""
    with subprocess.Popen([sys.executable, "-c", CRASHING, folder, project], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"ready"
        assert recover(folder, Path(project) if project else None, "base") is None, "the process is alive: another window, not a crash"
        process.kill()


def orphan(folder: Path) -> None:
    """Make the journals of this process look like those of one that is no more."""
    for path in folder.glob("*.jsonl"):
        head, rest = path.read_bytes().split(b"\n", 1)
        path.write_bytes(json.dumps({**json.loads(head), "started": 1.0}).encode() + b"\n" + rest)


def renaming(editor: Editor, name: str) -> None:
    editor.do(replace("Rename", editor.project, [with_fields(editor.project.all(Tag)["flow-a"], name=name)]))


@pytest.mark.parametrize("project", ["line.tagloom", ""])
def test_that_the_edits_of_a_killed_process_are_offered_back(tmp_path: Path, project: str) -> None:
    where = str(tmp_path / project) if project else ""
    crash(tmp_path / "journal", where)
    found = recover(tmp_path / "journal", Path(where) if where else None, "base")
    assert found is not None
    assert found.info == filling_line().info
    editor = Editor(filling_line())
    for edit in found.edits:
        editor.do(edit)
    assert editor.project.all(Tag)["flow-a"].name == "b"
    found.discard()
    assert recover(tmp_path / "journal", Path(where) if where else None, "base") is None


def test_that_a_closed_journal_leaves_nothing(tmp_path: Path) -> None:
    editor = Editor(filling_line())
    journal = Journal.start(tmp_path, tmp_path / "x", "base", editor.project.info)
    editor.listen(journal.append)
    renaming(editor, "b")
    journal.close()
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_that_a_journal_of_another_state_of_the_file_is_kept_but_not_offered(tmp_path: Path) -> None:
    editor = Editor(filling_line())
    journal = Journal.start(tmp_path, tmp_path / "x", "base", editor.project.info)
    editor.listen(journal.append)
    renaming(editor, "b")
    orphan(tmp_path)
    assert recover(tmp_path, tmp_path / "other", "base") is None
    assert recover(tmp_path, tmp_path / "x", "another") is None
    assert [path.suffix for path in tmp_path.iterdir()] == [".other-base"]
    journal.close()


def test_that_every_edit_is_with_the_system_at_once_and_on_the_disk_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    now = [0.0]
    editor = Editor(filling_line())
    journal = Journal.start(tmp_path, None, "", editor.project.info, clock_s=lambda: now[0])
    editor.listen(journal.append)
    assert len(synced) == 1
    renaming(editor, "b")
    assert journal.path.read_bytes().count(b"\n") == 2
    assert len(synced) == 1
    now[0] = SYNC_INTERVAL_S
    renaming(editor, "c")
    assert len(synced) == 2
    journal.sync()
    assert len(synced) == 2
    renaming(editor, "d")
    journal.sync()
    assert len(synced) == 3
    journal.close()


@pytest.mark.expect_log("WARNING app.edits.journal: edits are not kept for a crash any more")
def test_that_a_full_disk_ends_the_journal_with_one_warning_and_editing_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = Editor(filling_line())
    journal = Journal.start(tmp_path, None, "", editor.project.info, clock_s=iter(range(1000)).__next__)
    editor.listen(journal.append)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    renaming(editor, "b")
    renaming(editor, "c")
    journal.sync()
    assert editor.project.all(Tag)["flow-a"].name == "c"
    journal.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(strategies.projects(), st.data())
def test_that_a_journal_cut_anywhere_gives_the_edits_before_the_cut(tmp_path: Path, project: Project, data: st.DataObject) -> None:
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    start = list(project.elements())
    editor = Editor(project)
    journal = Journal.start(folder, None, "", project.info)
    editor.listen(journal.append)
    states = [start]
    assert journal._file is not None
    with journal._file:  # closed as at the end of the process
        for _ in range(data.draw(st.integers(1, 4))):
            strategies.do_something(editor, data.draw)
            states.append(list(project.elements()))
    orphan(folder)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    head = whole.index(b"\n") + 1
    cut = data.draw(st.integers(head, len(whole)))
    path.write_bytes(whole[:cut] + data.draw(st.sampled_from([b"", b"\xff", b"\x00" * 50])))
    found = recover(folder, None, "")
    again = Editor(Project(project.info, start[1:]))
    for edit in found.edits if found else []:
        again.do(edit)
    assert list(again.project.elements()) == states[len(found.edits) if found else 0]
    assert (len(found.edits) if found else 0) == whole[head:cut].count(b"\n")


def test_that_files_that_are_no_journals_are_left_alone(tmp_path: Path) -> None:
    for name, content in (
        ("a.jsonl", b""),
        ("b.jsonl", b"\xff\n"),
        ("c.jsonl", b"{}\n"),
        ("d.jsonl", b'{"line":"edit","name":"x","changes":[]}\n'),
    ):
        (tmp_path / name).write_bytes(content)
    assert recover(tmp_path, None, "") is None
    assert recover(tmp_path / "gone", None, "") is None
    assert len(list(tmp_path.iterdir())) == 4
