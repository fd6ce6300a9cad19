"""The file: nothing but what was written is read, and what is wrong is named with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.drivers.snapshot import lines
from app.drivers.snapshot.contents import Contents, read_contents
from app.drivers.snapshot.reading import Scan, UnfinishedError, read_header
from app.drivers.snapshot.writing import SnapshotFile, begun_at, named, part_of
from app.errors import UserError
from tests.unit.drivers.snapshot.making import LINE, THEN_NS, header, register_lines, tree_lines, variable, write

VARIABLES = (variable("flow", 1.5, "float32"), variable("text", "Füller", "string"), variable("state", 2**63, "uint64"))


@pytest.fixture(params=["nodes", "registers"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    found = tree_lines(*VARIABLES) if request.param == "nodes" else register_lines()
    return write(tmp_path / "a.tagloom-snapshot", found)


def test_that_a_snapshot_reads_as_it_was_written(made: Path) -> None:
    contents = read_contents(made)
    assert contents.header is not None
    assert contents.header == header(contents.header.driver)
    assert read_header(made) == contents.header
    assert contents.end is not None
    assert contents.end.ended_ns == THEN_NS + 60 * 10**9
    assert not part_of(made).exists()


def test_that_any_json_tool_reads_it_line_by_line(made: Path) -> None:
    found = [json.loads(line) for line in made.read_text("utf-8").splitlines()]
    assert [found[0]["kind"], found[0]["format"], found[-1]["kind"]] == ["snapshot", 1, "end"]


def test_that_a_file_cut_at_any_byte_is_unfinished_and_never_taken_for_whole(made: Path, tmp_path: Path) -> None:
    data = made.read_bytes()
    cut = tmp_path / "cut"
    for length in range(0, len(data), 7):
        cut.write_bytes(data[:length])
        with pytest.raises(UnfinishedError) as refused:
            read_contents(cut)
        line = data[:length].count(b"\n") + 1
        assert refused.value.where == f"{cut}:{line}"
        assert "unfinished" in refused.value.why


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_that_a_file_with_any_byte_changed_is_refused_with_its_line(made: Path, tmp_path: Path, data: st.DataObject) -> None:
    whole = made.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    damaged = tmp_path / "damaged"
    damaged.write_bytes(whole[:place] + bytes((byte,)) + whole[place + 1 :])
    with pytest.raises(UserError) as refused:
        read_contents(damaged)
    assert str(damaged) in refused.value.where


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"kind":"node"', '"kind":"other"', "other"),
        ('"kind":"node","id"', '"kind":"node","colour":"red","id"', "colour"),
        ('"kind":"node","id"', '"kind":"node","name":"x","id"', "as Tagloom writes it"),
        ('"value":1.5', '"value":NaN', "JSON"),
        ('"value":1.5', '"value":1.50', "as Tagloom writes it"),
        ('"value":1.5', '"value":{"x":1}', "no value"),
        ('"type":"float32","source_ns"', '"type":"real","source_ns"', "a type"),
        ('"kind":"node","id"', '"kind": "node","id"', "as Tagloom writes it"),
    ],
)
def test_that_a_line_is_taken_only_as_it_is_written(tmp_path: Path, old: str, new: str, why: str) -> None:
    path = write(tmp_path / "a.tagloom-snapshot", tree_lines(*VARIABLES))
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8", newline="\n")
    with pytest.raises(UserError) as refused:
        read_contents(path)
    assert why in refused.value.why


def test_that_lines_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    good = tree_lines(*VARIABLES)
    for number, wrong in enumerate(([*good, good[2]], [*good, good[-1]], [good[0], good[-4]], [*good[:3], register_lines()[1]])):
        path = write(tmp_path / f"{number}.tagloom-snapshot", wrong)
        with pytest.raises(UserError) as refused:
            read_contents(path)
        assert refused.value.where.startswith(f"{path}:")


def test_that_what_stands_behind_the_end_is_refused(made: Path) -> None:
    made.write_bytes(made.read_bytes() * 2)
    with pytest.raises(UserError, match="behind the last line"):
        read_contents(made)


def test_that_size_is_bounded(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in (("FILE_BYTES", 200), ("LINE_BYTES", 50), ("LINES", 2)):
        with monkeypatch.context() as patched:
            patched.setattr(lines, name, limit)
            with pytest.raises(UserError, match=r"larger|longer|more than"):
                read_contents(made)


def test_that_another_file_and_a_newer_format_are_told_apart(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text('{"kind":"project"}\n')
    with pytest.raises(UserError, match="begin like a snapshot"):
        read_header(other)
    path = write(tmp_path / "new", tree_lines())
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":2', 1))
    with pytest.raises(UserError, match="newer Tagloom"):
        read_header(path)
    with pytest.raises(UserError, match="Cannot open"):
        read_header(tmp_path / "missing")


def test_that_an_interrupted_file_is_gone_on_with_from_any_byte(tmp_path: Path) -> None:
    found = tree_lines(*VARIABLES)
    whole = write(tmp_path / "whole.tagloom-snapshot", found).read_bytes()
    body = whole[: whole.rindex(b'{"kind":"end"')]
    path = tmp_path / "b.tagloom-snapshot"
    for length in [*range(0, len(body), 41), len(body)]:
        part_of(path).write_bytes(body[:length])
        begun = begun_at(path)
        assert begun == part_of(path)
        file, contents = SnapshotFile(path), Contents(path)
        taken = 0
        for entry in file.resume(begun):
            contents.add(entry)
            taken += 1
        assert taken == body[:length].count(b"\n")
        if not file.is_open:
            first = found[0]
            assert isinstance(first, lines.Header)
            file.begin(first)
            taken = 1
        file.append(found[taken:])
        file.finish(THEN_NS + 60 * 10**9)
        assert path.read_bytes() == whole
        path.unlink()


def test_that_a_whole_snapshot_is_never_written_over(made: Path) -> None:
    with pytest.raises(UserError, match="there already"):
        begun_at(made)


def test_that_a_cut_copy_is_gone_on_with(made: Path) -> None:
    data = made.read_bytes()
    made.write_bytes(data[: data.rindex(b'{"kind":"end"') - 5])
    begun = begun_at(made)
    assert begun == made
    file = SnapshotFile(made)
    assert sum(1 for _ in file.resume(made)) == data.count(b"\n") - 2
    file.close()
    assert part_of(made).exists()
    assert not made.exists()


def test_that_the_suffix_is_added_once() -> None:
    assert named(Path("x/filler")).name == "filler.tagloom-snapshot"
    assert named(named(Path("x/filler.v1"))).name == "filler.v1.tagloom-snapshot"


def test_that_a_scan_does_not_hold_the_file_in_memory(made: Path) -> None:
    scan = Scan(made)
    first = next(scan.entries())
    assert first.number == 1
    assert LINE not in str(first.line)
