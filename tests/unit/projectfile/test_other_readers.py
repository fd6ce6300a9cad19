"""The project file is read as it is by tools that know nothing of it, and merged by plain git."""

import json
import shutil
import subprocess
from pathlib import Path

import duckdb
import pandas
import pytest

from app.errors import CollectedError
from app.model.plant import Tag
from app.projectfile import read
from tests.unit.projectfile.examples import LINES, SMALL

KINDS = [json.loads(line)["kind"] for line in LINES]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    where = tmp_path / "line.tagloom"
    where.write_bytes(SMALL)
    return where


def test_that_pandas_reads_it(path: Path) -> None:
    frame = pandas.read_json(path, lines=True)
    assert list(frame["kind"]) == KINDS
    assert list(frame[frame["kind"] == "tag"]["name"]) == ["Füllmenge °", "flow2"]


def test_that_duckdb_reads_it(path: Path) -> None:
    with duckdb.connect() as connection:
        rows = connection.execute("select kind, name from read_json(?, format='newline_delimited')", [str(path)]).fetchall()
    assert [kind for kind, _ in rows] == KINDS
    assert ("tag", "Füllmenge °") in rows


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_that_jq_reads_it(path: Path) -> None:
    found = subprocess.run(["jq", "-r", 'select(.kind == "tag").name', path], capture_output=True, check=True)
    assert found.stdout.decode() == "Füllmenge °\nflow2\n"
    assert found.stderr == b""


def merge(tmp_path: Path, mine: bytes, theirs: bytes, base: bytes = SMALL) -> tuple[int, bytes]:
    for name, content in (("mine", mine), ("base", base), ("theirs", theirs)):
        (tmp_path / name).write_bytes(content)
    merged = subprocess.run(["git", "merge-file", "-p", "mine", "base", "theirs"], cwd=tmp_path, capture_output=True, check=False)
    return merged.returncode, merged.stdout


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_that_git_merges_edits_of_neighbouring_elements(tmp_path: Path) -> None:
    conflicts, merged = merge(tmp_path, SMALL.replace(b's=Flow"', b's=Mine"'), SMALL.replace(b's=Flow2"', b's=Theirs"'))
    assert conflicts == 0
    tags = read(merged, "merged").all(Tag)
    assert [tag.address for tag in tags.values()] == ["nsu=urn:line;s=Mine", "nsu=urn:line;s=Theirs"]


LINE = next(line for line in LINES if '"flow-bbbbbb","endpoint"' in line)
EDITED = SMALL.replace(b's=Flow2"', b's=Theirs"')


def inserted(id_: str, where: str) -> bytes:
    line = LINE.replace("flow-bbbbbb", id_).replace("Flow2", "New")
    return SMALL.replace(LINE.encode(), (f"{LINE}\n\n{line}" if where == "after" else f"{line}\n\n{LINE}").encode())


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_that_git_merges_an_insertion_behind_an_edited_line(tmp_path: Path) -> None:
    conflicts, merged = merge(tmp_path, inserted("flow-bbbbbc", "after"), EDITED)
    assert conflicts == 0
    assert list(read(merged, "merged").all(Tag)) == ["flow-aaaaaa", "flow-bbbbbb", "flow-bbbbbc"]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_that_an_insertion_right_before_an_edited_line_is_a_conflict_that_reading_names(tmp_path: Path) -> None:
    """git takes the inserted line with the empty line behind it, so that nothing unchanged stands between it and the edit."""
    conflicts, merged = merge(tmp_path, inserted("flow-aaaaab", "before"), EDITED)
    assert conflicts == 1
    with pytest.raises(CollectedError, match="merge conflict"):
        read(merged, "merged")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_that_without_the_empty_lines_git_would_merge_neither(tmp_path: Path) -> None:
    """Why the file has them; when git learns better, they can go."""
    mine, theirs, base = (content.replace(b"\n\n", b"\n") for content in (SMALL.replace(b's=Flow"', b's=Mine"'), EDITED, SMALL))
    assert merge(tmp_path, mine, theirs, base)[0] == 1
