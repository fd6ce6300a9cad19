"""``tags rebind`` as a process, against a server that came back with other variables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.edits import Editor
from app.edits.endpoints import add_endpoint
from app.edits.projects import new_project
from app.edits.tags import TagDraft, add_tags, remove_tags
from app.model.plant import Endpoint, Tag
from app.projectfile import open_file, save
from tests.e2e.commandline import tagloom
from tests.peers.opcua_peer import LINE, OpcUaPeer, opcua_peer


@pytest.fixture(scope="module")
def peer() -> Iterator[OpcUaPeer]:
    with opcua_peer("--shuffle") as running:
        yield running


@pytest.fixture
def project(peer: OpcUaPeer, tmp_path: Path) -> Path:
    editor = Editor(new_project())
    editor.do(add_endpoint(editor.project, "line", "opc.tcp://10.255.255.1:4840"))
    (endpoint,) = editor.project.all(Endpoint)
    drafts = [
        TagDraft(address=f"{LINE}i=2001", name="Pressure", type="float64", path="Line1/Pressure"),
        TagDraft(address=f"{LINE}i=1003", name="Speed", type="float64", path="Line1/Speed"),
        TagDraft(address=f"{LINE}i=424242", name="Gone", type="float64", path="Line1/Gone"),
    ]
    editor.do(add_tags(editor.project, endpoint, drafts))
    path = tmp_path / "line.tagloom"
    save(editor.project, path, None)
    return path


def pressure(path: Path) -> Tag:
    return next(tag for tag in open_file(path).project.all(Tag).values() if tag.name == "Pressure")


def test_that_rebind_tells_what_strayed_and_takes_what_stands_there_only_when_told_so(peer: OpcUaPeer, project: Path) -> None:
    where, before = ("--endpoint", f"line={peer.url}"), project.read_bytes()
    done = tagloom("tags", "rebind", project, *where, "--json", cwd=project.parent)
    assert (done.code, {line["tag"]: line["state"] for line in done.lines}) == (1, {"Pressure": "left", "Gone": "missing"})
    assert list(done.lines[0]) == ["state", "endpoint", "tag", "address", "found", "path", "type"]
    assert "nothing was changed" in done.err
    dry = tagloom("tags", "rebind", project, *where, "--accept", "--dry-run", cwd=project.parent)
    assert "1 would be re-bound, 1 missing; nothing was changed" in dry.err
    assert "Line1/Temperature" in dry.out
    assert project.read_bytes() == before
    taken = tagloom("tags", "rebind", project, *where, "--accept", "--json", cwd=project.parent)
    told = {line["tag"]: line for line in taken.lines}["Pressure"]
    assert (taken.code, told["state"], told["path"], told["type"]) == (1, "taken", "Line1/Temperature", "float64")
    assert pressure(project).path == "Line1/Temperature"


def test_that_rebind_follows_variables_that_were_found_by_their_paths(peer: OpcUaPeer, project: Path) -> None:
    opened = open_file(project)
    editor = Editor(opened.project)
    (endpoint,) = editor.project.all(Endpoint)
    editor.do(remove_tags(editor.project, list(editor.project.all(Tag))))
    draft = TagDraft(address=f"{LINE}i=777", name="Moved", type="float64", path="Line1/Speed")
    editor.do(add_tags(editor.project, endpoint, [draft]))
    save(editor.project, project, opened.fingerprint)
    done = tagloom("tags", "rebind", project, "--endpoint", f"line={peer.url}", "--json", cwd=project.parent)
    assert (done.code, [line["state"] for line in done.lines]) == (0, ["found"])
    assert "1 re-bound; saved" in done.err
    (tag,) = open_file(project).project.all(Tag).values()
    assert (tag.address, tag.path) == (f"{LINE}i=1003", "Line1/Speed")


def test_that_rebind_of_an_unknown_endpoint_could_not_run(project: Path) -> None:
    done = tagloom("tags", "rebind", project, "--endpoint", "nowhere", cwd=project.parent)
    assert (done.code, done.out) == (2, "")
    assert '"line"' in done.err
