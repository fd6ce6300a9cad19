import gc
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import CollectedError, UserError
from app.model.plant import Tag
from app.model.project import Project
from app.projectfile import open_file, read, write
from app.projectfile.read import _read_canonical
from app.projectfile.strict import MAX_BYTES, read_strictly
from tests import strategies
from tests.unit.projectfile.examples import LINES, SMALL, line_number, small_project


def problems_of(text: str | bytes) -> list[tuple[str, str]]:
    with pytest.raises(CollectedError) as caught:
        read(text.encode() if isinstance(text, str) else text, "line.tagloom")
    return [(problem.where, f"{problem.what}: {problem.why}") for problem in caught.value.problems]


def swapped(old: str, new: str) -> str:
    text = SMALL.decode()
    assert text.count(old) == 1
    return text.replace(old, new)


def test_that_a_file_as_we_write_it_takes_the_fast_way() -> None:
    assert _read_canonical(SMALL) is not None


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + SMALL,
        SMALL.replace(b"\n", b"\r\n"),
        SMALL.replace(b"\n\n", b"\n"),
        SMALL.rstrip(b"\n"),
        "\n".join([LINES[0], *reversed(LINES[1:-1]), LINES[-1]]).encode(),
        SMALL.replace(b'"low":1.0', b'"low" : 1'),
        SMALL.replace(b'"low":1.0', b'"low":1e0,"gain":1.0,"access":"r","enum":{}'),
        SMALL.replace("Füllmenge".encode(), b"F\\u00fcllmenge"),
        SMALL.replace(b'"kind":"end"', b' "kind" : "end" '),
    ],
    ids=["BOM", "CRLF", "no empty lines", "no last LF", "other order", "spaces", "defaults", "escapes", "spaced end"],
)
def test_that_other_spellings_of_the_same_project_are_read_and_become_canonical(text: bytes) -> None:
    project = read(text, "x")
    assert strategies.same(project, small_project())
    assert write(project) == SMALL


@given(strategies.projects())
def test_that_the_strict_way_and_the_fast_way_agree(project: Project) -> None:
    data = write(project)
    fast = _read_canonical(data)
    assert fast is not None
    assert strategies.same(fast, read_strictly(data, "x"))


FLOW = '"id":"flow-aaaaaa","endpoint"'


@pytest.mark.parametrize(
    ("old", "new", "part", "why"),
    [
        ('"low":1.0', '"low":1.0,"low":2.0', FLOW, 'the key "low" stands twice'),
        ('"@id":[1,2.0,null]', '"@id":{"a":1,"a":1}', '"wot"', 'the key "a" stands twice'),
        ('"low":1.0', '"low":NaN', FLOW, "NaN is no JSON number"),
        ('"low":1.0', '"low":-Infinity', FLOW, "-Infinity is no JSON number"),
        ('"low":1.0', '"low":1e999', FLOW, "too large for float64"),
        ('"low":1.0', '"lwo":1.0', FLOW, 'unknown field "lwo"'),
        ('"low":1.0', '"low":"1"', FLOW, "low: Expected `float | null`, got `str`"),
        ('"low":1.0', '"low":' + "1" * 5000, FLOW, "an integer of 5000 digits"),
        ('"low":1.0', '"extensions":{"a":18446744073709551616}', FLOW, "beyond 64 bits"),
        ('"low":1.0', '"extensions":{"a":' + "[" * 40 + "]" * 40 + "}", FLOW, "nested deeper than 32 levels"),
        ('"low":1.0', '"extensions":{"a":' + "[" * 200_000 + "]" * 200_000 + "}", FLOW, "nested deeper than 32 levels"),
        ('"low":1.0', '"extensions":{"a":"\\ud800"}', FLOW, "surrogate"),
        ('"low":1.0', '"description":"' + "x" * 2**20 + '"', FLOW, "longer than 1 MiB"),
        ('"low":1.0', '"type":"real"', FLOW, 'type is "real"'),
        ('"low":1.0', '"enum":{"one":"x"}', FLOW, 'enum has "one"'),
        ('"name":"flow2",', "", '"flow-bbbbbb","endpoint"', 'the field "name" is missing'),
        ('"id":"flow-aaaaaa","endpoint":"filler-aaaaaa"', '"id":"flow-aaaaaa","endpoint":"gone"', FLOW, 'names "gone", and there is no'),
        ('"group":"fast-aaaaaa"', '"group":"flow-cccccc"', FLOW, "which is of kind attribute, not group"),
        ('"kind":"component"', '"kind":"part"', '"motor-aaaaaa","asset_type"', 'Unknown kind "part"'),
        ('"kind":"component",', "", '"motor-aaaaaa","asset_type"', "No kind"),
        ('"kind":"component"', '"kind":["x"]', '"motor-aaaaaa","asset_type"', "Unknown kind"),
        ('"id":"mine-aaaaaa"', '"id":"flow-bbbbbb"', '"watchlist"', "the id stands already in line"),
        ('"id":"mine-aaaaaa"', '"id":"Mine 1"', '"watchlist"', "id must be lower-case"),
        ('"id":"mine-aaaaaa"', '"id":""', '"watchlist"', "id must be lower-case"),
        ('"id":"mine-aaaaaa"', '"id":7', '"watchlist"', "id: Expected `str`, got `int`"),
        ("secret://filler-aaaaaa/password", "hunter2", '"endpoint","id"', "security.secret holds a secret itself"),
        ("opc.tcp://filler:4840", "opc.tcp://ada:pw@filler:4840", '"endpoint","id"', "a password in the URL"),
        ('"retries":2', '"password":"hunter2"', '"endpoint","id"', "settings.password holds a secret itself"),
        ('"default":', '"standard":', '"endpoint","id"', "addresses has no default"),
        ('"number":3', '"number":256', '"unit","id"', "<= 255"),
        ('{"op":"gain","gain":0.01}', '{"op":"run","code":"x"}', '"mapping","id"', "transform: Invalid value 'run'"),
    ],
)  # fmt: skip
def test_that_a_broken_line_is_refused_with_its_number_and_the_reason(old: str, new: str, part: str, why: str) -> None:
    problems = problems_of(swapped(old, new))
    where = f"line.tagloom:{line_number(part)}"
    assert [why in text for place, text in problems if place == where] == [True], problems
    assert len(problems) == 1, problems


def test_that_a_secret_never_stands_in_the_message_about_it() -> None:
    with pytest.raises(CollectedError) as caught:
        read(swapped("secret://filler-aaaaaa/password", "hunter2").encode(), "x")
    assert "hunter2" not in str(caught.value)


def test_that_every_problem_is_told_at_once_in_the_order_of_lines() -> None:
    text = swapped('"low":1.0', '"lwo":1.0,"gain":"x"').replace('"number":3', '"number":"3"').replace('{"kind":"end"}\n', "nonsense\n")
    problems = problems_of(text)
    assert len(problems) == 5
    lines = [int(place.rpartition(":")[2]) for place, _ in problems if ":" in place]
    assert lines == sorted(lines)
    assert "Cut off" in problems[0][1]


def test_that_a_reference_to_a_line_that_is_itself_broken_is_not_a_second_problem() -> None:
    assert len(problems_of(swapped('"name":"fast",', ""))) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "the last line must be"),
        (SMALL[:-20], "the last line must be"),
        (SMALL[: len(SMALL) // 2], "the last line must be"),
        (SMALL.split(b"\n", 2)[2], "the first line must be the header"),
        (SMALL + SMALL, "nothing may stand behind"),
        (SMALL + b"x", "not JSON"),
        (SMALL.replace(b'"kind":"end"', b'"kind":"end","x":1'), "and nothing else"),
        (SMALL.replace(b"\n", f"\n{LINES[0]}\n".replace("line-4", "line-5").encode(), 1), "a project file has one"),
        (b"PK\x03\x04 a zip \xff", "not UTF-8"),
        (b"[" * 200_000, "nested deeper"),
        (b"[1]\n", "must be a JSON object"),
        (b"not json at all", "not JSON"),
        (SMALL.replace(b"\n", b"\n<<<<<<< HEAD\n", 1), "merge conflict"),
        (SMALL.replace(b'"format":1', b'"format":0'), 'must say "format":1'),
        (SMALL.replace(b'"format":1,', b""), 'must say "format":1'),
        (SMALL.replace(b'"format":1', b'"format":true'), 'must say "format":1'),
        (SMALL.replace(b"F\xc3\xbc", b"F\xfc"), "is not UTF-8"),
        (SMALL.replace(b"\n", b"\r"), "not JSON"),
    ],
)  # fmt: skip
def test_that_what_is_no_whole_project_file_is_refused(text: bytes, why: str) -> None:
    problems = problems_of(text)
    assert any(why in told for _, told in problems), problems


def test_that_a_file_of_a_newer_tagloom_is_refused_by_name_and_for_nothing_else() -> None:
    text = swapped('"format":1', '"format":3').replace('"kind":"tag"', '"kind":"point"')
    with pytest.raises(UserError, match=r"written by a newer Tagloom \(format 3; this one reads up to 1\)") as caught:
        read(text.encode(), "x")
    assert not isinstance(caught.value, CollectedError)


def test_that_a_file_beyond_the_size_limit_is_refused_unread() -> None:
    began = time.monotonic()
    with pytest.raises(UserError, match="larger than 256 MiB"):
        read(bytes(MAX_BYTES + 1), "x")
    assert time.monotonic() - began < 5


def test_that_reading_stops_after_a_thousand_problems() -> None:
    problems = problems_of("x\n" * 5000)
    assert len(problems) == 1001
    assert "Reading stopped" in problems[-1][1]


def test_that_the_collector_is_on_again_after_reading() -> None:
    read(SMALL, "x")
    with pytest.raises(CollectedError):
        read(b"x", "x")
    assert gc.isenabled()


PIECES = [
    b"{",
    b"}",
    b"[",
    b'"',
    b"\\",
    b"\n",
    b":",
    b",",
    b"NaN",
    b"1e999",
    b"\xff",
    b"\x00",
    b'"id":"flow-aaaaaa"',
    b'{"kind":"end"}\n',
    b"null",
]


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(data=st.data(), project=st.just(SMALL) | strategies.projects(2).map(write))
def test_that_no_change_of_bytes_raises_anything_but_a_user_error(data: st.DataObject, project: bytes) -> None:
    mutated = bytearray(project)
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(mutated)))
        end = min(len(mutated), begin + data.draw(st.integers(0, 30)))
        mutated[begin:end] = data.draw(st.sampled_from(PIECES) | st.binary(max_size=8) | st.just(bytes(mutated[end : end + 40])))
    began = time.monotonic()
    try:
        read_again = read(bytes(mutated), "x")
    except UserError:
        pass
    else:
        assert read(write(read_again), "x").info == read_again.info
    assert time.monotonic() - began < 5


@given(st.binary(max_size=300))
def test_that_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(UserError):
        read(data, "x")


def test_that_many_empty_lines_and_many_short_lines_cost_no_more_than_their_bytes() -> None:
    began = time.monotonic()
    assert read(SMALL.replace(b"\n", b"\n" * 200_000, 1), "x").all(Tag)
    assert time.monotonic() - began < 5


# From disk


def test_that_opening_gives_the_project_and_the_state_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "line.tagloom"
    path.write_bytes(SMALL)
    opened = open_file(path)
    assert strategies.same(opened.project, small_project())
    assert (opened.fingerprint.size, opened.fingerprint.inode) == (len(SMALL), path.stat().st_ino)


def test_that_a_directory_is_refused_by_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it is a directory"):
        open_file(tmp_path)


def test_that_a_missing_file_is_refused_with_the_systems_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file or directory"):
        open_file(tmp_path / "gone.tagloom")
    with pytest.raises(UserError, match="null"):
        open_file(tmp_path / "a\0b")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_that_a_named_pipe_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    getattr(os, "mkfifo")(tmp_path / "pipe")  # noqa: B009  not in the types of every platform
    with pytest.raises(UserError, match="not a regular file"):
        open_file(tmp_path / "pipe")


def test_that_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "line.tagloom"
    path.write_bytes(SMALL)
    path.chmod(0)
    if os.access(path, os.R_OK):  # the superuser may read everything: let the system call itself refuse
        refused = PermissionError(13, "Permission denied")

        def refuse(*args: object, **kwargs: object) -> None:
            raise refused

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError, match="Permission denied"):
        open_file(path)
