"""Recordings: what arrives is in the file, a full or broken disk is said, and the CSV is right."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

import pytest

from app.errors import UserError
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Tag
from app.model.project import Project, ProjectInfo
from app.model.values import Quality, Sample, Value
from app.samples import recording as module
from app.samples.recording import Recording, export_csv

SECOND = 10**9
HANDLES = {1: "a", 2: "b", 9: "ghost"}


@pytest.fixture
def project() -> Project:
    tags = [
        Tag(id="a", endpoint="e", address="v:1", name="=Level", unit="mm", type="float64"),
        Tag(id="b", endpoint="e", address="v:2", name="Text", type="string"),
    ]
    return Project(ProjectInfo(id="p", name="Plant"), [Endpoint(id="e", name="PLC", addresses={}), *tags])


def batch(*rows: tuple[int, Value, str, int], quality: Quality = Quality.GOOD, source: bool = True) -> SampleColumns:
    """(handle, value, type, second)."""
    return SampleColumns.of(
        [
            (handle, Sample(value, kind, quality, 7, second * SECOND if source else None, None, second * SECOND + 5))
            for handle, value, kind, second in rows
        ]
    )


def rows_of(path: Path) -> list[tuple[object, ...]]:
    database = sqlite3.connect(path)
    try:
        return database.execute(
            "select tag, receive_ns, source_ns, server_ns, type, value, quality, status from samples order by rowid"
        ).fetchall()
    finally:
        database.close()


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_that_everything_that_arrives_is_in_one_file(tmp_path: Path, project: Project) -> None:
    path = tmp_path / "run.tagloom-rec"
    recording = Recording.start(path, project)
    recording.append(HANDLES, batch((1, 1.5, "float64", 1), (2, "on", "string", 1), (5, 9.0, "float64", 1)))
    recording.append(HANDLES, batch((1, 2**63, "uint64", 2), (2, None, "string", 2), quality=Quality.BAD, source=False))
    recording.gap(["a", "never seen"], 3 * SECOND)
    recording.append(
        HANDLES, batch((2, [1, {"x": None}], "struct", 4), (1, True, "bool", 4), (1, -7, "int16", 5), (2, b"\xff", "bytes", 5))
    )
    recording.stop()
    recording.stop()
    assert rows_of(path) == [
        (1, SECOND + 5, SECOND, None, "float64", 1.5, 0, 7),
        (2, SECOND + 5, SECOND, None, "string", "on", 0, 7),
        (1, 2 * SECOND + 5, None, None, "uint64", str(2**63), 2, 7),
        (2, 2 * SECOND + 5, None, None, "string", None, 2, 7),
        (1, 3 * SECOND, None, None, "", None, 3, 0),
        (2, 4 * SECOND + 5, 4 * SECOND, None, "struct", '[1,{"x":null}]', 0, 7),
        (1, 4 * SECOND + 5, 4 * SECOND, None, "bool", 1, 0, 7),
        (1, 5 * SECOND + 5, 5 * SECOND, None, "int16", -7, 0, 7),
        (2, 5 * SECOND + 5, 5 * SECOND, None, "bytes", b"\xff", 0, 7),
    ]
    assert (recording.rows, recording.dropped) == (8, 0)
    assert [file.name for file in tmp_path.iterdir()] == ["run.tagloom-rec"]


def test_that_only_the_chosen_tags_are_recorded(tmp_path: Path, project: Project) -> None:
    recording = Recording.start(tmp_path / "r", project, {"b"})
    recording.append(HANDLES, batch((1, 1.5, "float64", 1), (2, "on", "string", 1)))
    recording.stop()
    assert [row[5] for row in rows_of(tmp_path / "r")] == ["on"]


def test_that_an_existing_file_is_never_overwritten(tmp_path: Path, project: Project) -> None:
    (tmp_path / "r").write_text("precious")
    with pytest.raises(UserError, match="exists already"):
        Recording.start(tmp_path / "r", project)
    assert (tmp_path / "r").read_text() == "precious"
    with pytest.raises(UserError, match="Cannot record"):
        Recording.start(tmp_path / "no folder" / "r", project)


def test_that_a_disk_that_fails_is_said_and_the_rest_is_counted(tmp_path: Path, project: Project) -> None:
    recording = Recording.start(tmp_path / "r", project)
    database = sqlite3.connect(tmp_path / "r")
    database.execute("drop table samples")
    database.commit()
    database.close()
    recording.append(HANDLES, batch((1, 1.5, "float64", 1)))
    recording._thread.join(0.5)
    recording.append(HANDLES, batch((1, 1.5, "float64", 2)))
    with pytest.raises(UserError, match="no such table"):
        recording.stop()
    assert recording.dropped == 1


def test_that_a_stalled_disk_drops_and_counts_and_never_blocks(tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_BATCHES", 5)
    recording = Recording.start(tmp_path / "r", project)
    blocker = sqlite3.connect(tmp_path / "r", isolation_level=None)
    blocker.execute("begin immediate")
    for second in range(1, 51):
        recording.append(HANDLES, batch((1, 1.5, "float64", second)))
    assert recording.dropped > 30
    blocker.execute("rollback")
    blocker.close()
    recording.stop()
    assert len(rows_of(tmp_path / "r")) == 50 - recording.dropped == recording.rows


def test_that_the_long_csv_has_every_sample_and_no_formula(tmp_path: Path, project: Project) -> None:
    recording = Recording.start(tmp_path / "r", project)
    recording.append(HANDLES, batch((1, -1.5, "float64", 1), (2, "=1+1", "string", 1)))
    recording.append(HANDLES, batch((1, 2.5, "float64", 2), quality=Quality.UNCERTAIN, source=False))
    recording.stop()
    assert export_csv(tmp_path / "r", tmp_path / "out.csv") == 3
    assert read_csv(tmp_path / "out.csv") == [
        ["tag", "endpoint", "time", "source_time", "server_time", "value", "unit", "type", "quality", "status"],
        ["'=Level", "PLC", "1970-01-01T00:00:01.000000005Z", "1970-01-01T00:00:01.000Z", "", "-1.5", "mm", "float64", "good", "7"],
        ["Text", "PLC", "1970-01-01T00:00:01.000000005Z", "1970-01-01T00:00:01.000Z", "", "'=1+1", "", "string", "good", "7"],
        ["'=Level", "PLC", "1970-01-01T00:00:02.000000005Z", "", "", "2.5", "mm", "float64", "uncertain", "7"],
    ]
    assert (tmp_path / "out.csv").read_bytes().count(b"\r\n") == 4


def test_that_the_wide_csv_has_a_column_per_tag_and_a_row_per_time(tmp_path: Path, project: Project) -> None:
    recording = Recording.start(tmp_path / "r", project)
    recording.append(HANDLES, batch((1, 1.5, "float64", 1), (2, "on", "string", 1), (1, 2.5, "float64", 2)))
    recording.stop()
    assert export_csv(tmp_path / "r", tmp_path / "out.csv", layout="wide", time="source") == 2
    assert read_csv(tmp_path / "out.csv") == [
        ["time", "'=Level [mm]", "Text"],
        ["1970-01-01T00:00:01.000Z", "1.5", "on"],
        ["1970-01-01T00:00:02.000Z", "2.5", ""],
    ]
    assert export_csv(tmp_path / "r", tmp_path / "out.csv", ["b"], layout="wide") == 1


def test_that_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello" * 1000)
    sqlite3.connect(tmp_path / "empty").close()
    for name in ("text", "empty", "missing"):
        with pytest.raises(UserError, match="Cannot open the recording"):
            export_csv(tmp_path / name, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_that_a_hundred_thousand_rows_are_all_there(tmp_path: Path, project: Project) -> None:
    recording = Recording.start(tmp_path / "r", project)
    one = batch(*((1, float(second), "float64", second) for second in range(1, 10_001)))
    for _ in range(10):
        recording.append(HANDLES, one)
    recording.stop(30)
    assert recording.rows == 100_000
    assert len(rows_of(tmp_path / "r")) == 100_000
