import getpass
import json
import platform
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings

from app.errors import UserError
from app.model.itmodel import AssetType
from app.model.mapping import Mapping
from app.model.plant import Endpoint, Security, Tag
from app.model.project import Project, ProjectInfo
from app.model.reviewing import Approval, Comment
from app.workspace import redaction
from app.workspace.diagnostics import _redacted_lines, save_diagnostics
from app.workspace.paths import log_dir
from app.workspace.redaction import Pseudonyms, never_show
from tests import strategies

CANARIES = [f"canary{number}zz" for number in range(12)]


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", set())


def project_with_canaries() -> Project:
    """Worse than any file may be: secrets where none may stand, and names of people and hosts everywhere."""
    return Project(
        ProjectInfo(id=f"{CANARIES[0]}-aaaaaa", name=f"Line at {CANARIES[1]}", extensions={"x": CANARIES[2]}),
        [
            Endpoint(
                id=f"{CANARIES[1]}-opcua-aaaaaa",
                name=f"{CANARIES[1]}-opcua",
                addresses={"default": f"opc.tcp://ada:{CANARIES[3]}@{CANARIES[1]}:4840", "site": "opc.tcp://10.9.8.7:1"},
                security=Security(user="password", name=CANARIES[4], secret=CANARIES[5]),
                settings={"password": CANARIES[6], "note": CANARIES[7], "timeout_s": 4.0},
                namespaces=(f"urn:{CANARIES[1]}:server",),
            ),
            Tag(id="flow-aaaaaa", endpoint=f"{CANARIES[1]}-opcua-aaaaaa", address="nsu=urn:line;s=Flow", name="flow",
                extensions={"a": CANARIES[8]}),
            AssetType(id="type-aaaaaa", name="Filler"),
            Comment(id="comment-aaaaaa", about="flow-aaaaaa", by=CANARIES[9], at="2026-01-01T00:00:00Z", text=CANARIES[10]),
            Approval(id="approval-aaaaaa", about="flow-aaaaaa", digest="0", by=CANARIES[9], at="2026-01-01T00:00:00Z", why=CANARIES[10]),
        ],
    )  # fmt: skip


def members(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_that_no_canary_gets_into_any_file(tmp_path: Path) -> None:
    never_show(CANARIES[11])
    log_dir().mkdir(parents=True)
    (log_dir() / "window.log").write_text(
        f"lost opc.tcp://ada:{CANARIES[3]}@{CANARIES[1]}:4840, token={CANARIES[5]} {CANARIES[11]}\n"
        f"{CANARIES[9]} on {platform.node()} as {getpass.getuser()} in {Path.home()}/x, 10.9.8.7 says {CANARIES[4]}\n"
    )
    save_diagnostics(tmp_path / "d.zip", project_with_canaries())
    found = members(tmp_path / "d.zip")
    assert set(found) == {"README.txt", "about.json", "settings.json", "project.jsonl", "log/window.log"}
    for name, text in found.items():
        for canary in (*CANARIES, "10.9.8.7"):
            assert canary not in text, (name, canary)
    log = found["log/window.log"]
    assert platform.node() not in log
    assert str(Path.home()) + "/x" not in log


def test_that_what_explains_a_problem_stays(tmp_path: Path) -> None:
    save_diagnostics(tmp_path / "d.zip", project_with_canaries())
    lines = [json.loads(line) for line in members(tmp_path / "d.zip")["project.jsonl"].splitlines()]
    tag = next(line for line in lines if line["kind"] == "tag")
    endpoint = next(line for line in lines if line["kind"] == "endpoint")
    assert (tag["name"], tag["address"]) == ("flow", "nsu=urn:line;s=Flow")
    assert tag["endpoint"] == endpoint["id"]
    assert endpoint["settings"]["timeout_s"] == 4.0
    assert endpoint["addresses"]["default"].startswith("opc.tcp://[hidden]@host-")
    about = json.loads(members(tmp_path / "d.zip")["about.json"])
    assert about["versions"]["msgspec"]
    assert about["platform"]


def test_that_diagnostics_without_a_project_or_a_log_can_be_saved(tmp_path: Path) -> None:
    save_diagnostics(tmp_path / "d.zip")
    assert set(members(tmp_path / "d.zip")) == {"README.txt", "about.json", "settings.json"}


def test_that_only_the_end_of_a_long_log_is_taken(tmp_path: Path) -> None:
    log_dir().mkdir(parents=True)
    (log_dir() / "window.log").write_text("".join(f"line {number:07}\n" for number in range(200_000)))
    save_diagnostics(tmp_path / "d.zip")
    log = members(tmp_path / "d.zip")["log/window.log"]
    assert log.endswith("line 0199999\n")
    assert log.startswith("line ")
    assert len(log) <= 2**20


def test_that_a_place_that_cannot_be_written_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        save_diagnostics(tmp_path / "gone" / "d.zip")


@settings(max_examples=30)
@given(strategies.projects(2))
def test_that_any_project_can_be_redacted_with_its_references_intact(project: Project) -> None:
    lines = [json.loads(line) for line in _redacted_lines(project, Pseudonyms())]
    ids = {line["id"] for line in lines}
    assert len(ids) == len(lines) == len(list(project.elements()))
    mappings = [line for line in lines if line["kind"] == "mapping"]
    assert all(line["asset"] in ids and set(line.get("sources", [])) <= ids for line in mappings)
    assert len(mappings) == len(project.all(Mapping))
