import errno
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.edits import Editor, replace
from app.edits.edit import with_fields
from app.errors import CollectedError, UserError
from app.model.plant import Tag
from app.model.project import Project
from app.projectfile import changed_on_disk, durable, open_file, save
from tests.strategies import same
from tests.unit.projectfile.examples import SMALL, small_project


def renamed(project: Project, name: str) -> Project:
    editor = Editor(project)
    editor.do(replace("Rename", project, [with_fields(project.all(Tag)["flow-aaaaaa"], name=name)]))
    return project


@pytest.fixture
def path(tmp_path: Path) -> Path:
    where = tmp_path / "line.tagloom"
    save(small_project(), where, None)
    return where


def leftovers(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir() if file.name != path.name)


def test_that_what_was_saved_opens_equal_and_saves_again(path: Path) -> None:
    assert path.read_bytes() == SMALL
    opened = open_file(path)
    first = save(renamed(opened.project, "other"), path, opened.fingerprint)
    assert first == open_file(path).fingerprint
    save(renamed(opened.project, "third"), path, first)
    assert open_file(path).project.all(Tag)["flow-aaaaaa"].name == "third"
    assert leftovers(path) == []


def test_that_a_file_that_changed_on_disk_since_it_was_opened_is_not_overwritten(path: Path) -> None:
    opened = open_file(path)
    theirs = SMALL.replace(b"flow2", b"flow3")
    path.write_bytes(theirs)
    os.utime(path, ns=(opened.fingerprint.mtime_ns, opened.fingerprint.mtime_ns))  # same size, same time, same inode
    with pytest.raises(UserError, match="changed on disk"):
        save(renamed(opened.project, "mine"), path, opened.fingerprint)
    assert path.read_bytes() == theirs
    assert leftovers(path) == []


def test_that_a_change_in_the_last_moment_of_saving_is_not_overwritten_either(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_file(path)
    write_new = durable._write_new

    def another_process_saves_meanwhile(temporary: Path, data: bytes, mode: int | None) -> os.stat_result:
        path.write_bytes(b"theirs")
        return write_new(temporary, data, mode)

    monkeypatch.setattr(durable, "_write_new", another_process_saves_meanwhile)
    with pytest.raises(UserError, match="changed on disk"):
        save(opened.project, path, opened.fingerprint)
    assert path.read_bytes() == b"theirs"
    assert leftovers(path) == []


def test_that_a_file_that_was_only_touched_or_removed_can_be_saved(path: Path) -> None:
    opened = open_file(path)
    os.utime(path, ns=(1, 1))
    known = save(opened.project, path, opened.fingerprint)
    path.unlink()
    assert not changed_on_disk(path, known)
    save(opened.project, path, known)
    assert path.read_bytes() == SMALL


def test_that_a_quick_look_sees_a_change_without_reading_the_file_that_has_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = open_file(path).fingerprint
    with monkeypatch.context() as patch:
        patch.setattr("hashlib.file_digest", lambda *_: pytest.fail("the file was read"))
        assert not changed_on_disk(path, known, quick=True)
    os.utime(path, ns=(1, 1))
    assert not changed_on_disk(path, known, quick=True)
    path.write_bytes(SMALL.replace(b"flow2", b"flow3"))
    assert changed_on_disk(path, known, quick=True)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_that_the_permissions_of_a_file_are_kept_and_a_new_one_gets_the_usual_ones(path: Path) -> None:
    usual = path.parent / "usual"
    usual.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)
    path.chmod(0o640)
    save(small_project(), path, None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="needs a right that few accounts have there")
def test_that_a_symbolic_link_stays_and_its_target_is_saved(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.tagloom"
    link.symlink_to(path)
    opened = open_file(link)
    save(renamed(opened.project, "through the link"), link, opened.fingerprint)
    assert link.is_symlink()
    assert open_file(path).project.all(Tag)["flow-aaaaaa"].name == "through the link"
    assert list(link.parent.iterdir()) == [link]


def test_that_a_read_only_file_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.chmod(0o444)
    if os.access(path, os.W_OK):  # the superuser may write everything
        monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UserError, match="read-only"):
        save(renamed(small_project(), "x"), path, None)
    assert path.read_bytes() == SMALL
    path.chmod(0o644)


def test_that_a_directory_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it is a directory"):
        save(small_project(), tmp_path, None)
    with pytest.raises(UserError, match="No such file or directory"):
        save(small_project(), tmp_path / "gone" / "line.tagloom", None)


def test_that_a_project_that_no_file_may_hold_leaves_the_file_alone(path: Path) -> None:
    broken = Project(small_project().info, [Tag(id="t-aaaaaa", endpoint="gone-aaaaaa", address="x", name="t")])
    with pytest.raises(CollectedError):
        save(broken, path, None)
    assert path.read_bytes() == SMALL
    assert leftovers(path) == []


@pytest.mark.parametrize("failing", ["write", "fsync", "replace"])
def test_that_a_full_disk_at_any_step_leaves_the_old_file_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if failing == "replace":
        monkeypatch.setattr(Path, "replace", full)
    elif failing == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(os, "fstat", full)  # inside the step that writes, after the data went out
    with pytest.raises(UserError, match="No space left on device") as caught:
        save(renamed(small_project(), "x"), path, None)
    monkeypatch.undo()
    assert "as it was before" in caught.value.fix
    assert path.read_bytes() == SMALL
    assert leftovers(path) == []


def test_that_the_data_is_flushed_before_the_name_and_the_folder_after_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, rename = os.fsync, Path.replace

    def seen_fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "data")
        fsync(descriptor)

    def seen_rename(self: Path, target: Path) -> Path:
        steps.append("name")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_rename)
    save(small_project(), path, None)
    assert steps == (["data", "name"] if sys.platform == "win32" else ["data", "name", "folder"])


def test_that_what_a_killed_save_left_is_removed_later_and_what_another_save_is_writing_is_not(path: Path) -> None:
    old, young, foreign = (path.parent / name for name in (".line.tagloom.0badcafe.tmp", ".line.tagloom.12345678.tmp", ".other.tmp"))
    for file in (old, young, foreign):
        file.write_bytes(b"")
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    save(small_project(), path, None)
    assert leftovers(path) == sorted([young.name, foreign.name])


KILLED_WRITER = """
import sys
from app.edits import Editor, replace
from app.edits.edit import with_fields
from app.model.plant import Tag
from app.projectfile import open_file, save
path = sys.argv[1]
project, known = open_file(path)
number = int(project.all(Tag)["flow-aaaaaa"].description or 0)
editor = Editor(project)
while True:
    number += 1
    editor.do(replace("Count", project, [with_fields(project.all(Tag)["flow-aaaaaa"], description=str(number))]))
    known = save(project, path, known)
    print(number, flush=True)
"""


def kill_while_saving(path: Path, times: int) -> None:
    """Kill a process that saves without pause, at ever other moments; the file must be whole and hold the last save it reported."""
    project = small_project()
    filler = [Tag(id=f"t{n}-aaaaaa", endpoint="filler-aaaaaa", address=f"n{n}", name=f"n{n}", description="x" * 200) for n in range(500)]
    save(Project(project.info, [*list(project.elements())[1:], *filler]), path, None)
    for attempt in range(times):
        with subprocess.Popen([sys.executable, "-c", KILLED_WRITER, str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            reported = int(writer.stdout.readline())
            deadline = time.monotonic() + attempt % 25 / 1000
            while time.monotonic() < deadline:
                pass
            writer.kill()
            reported = max([reported, *(int(line) for line in writer.stdout.read().split(b"\n")[:-1])])
        found = int(open_file(path).project.all(Tag)["flow-aaaaaa"].description)
        assert found in (reported, reported + 1), f"kill {attempt}: the file holds save {found}, reported was {reported}"


def test_that_a_killed_save_leaves_the_old_file_or_the_new_one_whole(path: Path) -> None:
    kill_while_saving(path, 20)
    assert same(open_file(path).project, open_file(path).project)


@pytest.mark.prove("kill-during-save")
@pytest.mark.timeout(1800)
def test_that_a_thousand_killed_saves_lose_nothing(path: Path) -> None:
    kill_while_saving(path, 1000)
