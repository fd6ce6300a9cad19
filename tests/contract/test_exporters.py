"""What every gateway target keeps to, whatever it is; a new one is found by itself."""

from __future__ import annotations

import copy
import re
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings

from app.edits import Editor
from app.edits.edit import delete, replace, with_fields
from app.errors import UserError
from app.gateways import Exporter, Options, exporters, write_export
from app.gateways.feeds import feeds_of
from app.mapping.message import topic_of
from app.model.itmodel import Asset
from app.model.mapping import Mapping
from app.model.plant import Endpoint
from app.model.project import Project
from app.model.resolve import path_of
from tests.factory import METER, OPCUA, line4_project
from tests.strategies import projects

SEVERITIES = {"error", "warning", "info"}
SECRET = "secret://filler/password-of-the-line"

each = pytest.mark.parametrize("exporter", exporters().values(), ids=exporters().keys())


def test_that_the_two_first_targets_are_found() -> None:
    assert {"node-red", "telegraf"} <= set(exporters())


@each
def test_that_a_target_says_what_it_is_and_what_it_was_run_with(exporter: Exporter) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", exporter.key)
    assert exporter.title
    assert exporter.tested_with
    assert exporters()[exporter.key] is exporter


@each
def test_that_the_same_project_gives_the_same_bytes_however_it_came_about(exporter: Exporter) -> None:
    first = exporter.render(line4_project(), Options())
    elements = list(line4_project().elements())
    shuffled = Project(line4_project().info, reversed(elements[1:]))
    second = exporter.render(shuffled, Options())
    assert first.files == second.files
    assert first.losses == second.losses


@each
def test_that_rendering_changes_nothing_in_the_project(exporter: Exporter) -> None:
    project = line4_project()
    before = copy.deepcopy(list(project.elements()))
    exporter.render(project, Options())
    assert list(project.elements()) == before
    assert project.revision == line4_project().revision


@each
def test_that_every_loss_names_its_place_what_is_lost_and_what_follows(exporter: Exporter) -> None:
    for loss in exporter.render(line4_project(), Options()).losses:
        assert loss.place
        assert loss.what
        assert loss.consequence
        assert loss.severity in SEVERITIES


@each
def test_that_no_secret_and_no_reference_to_one_is_in_any_file(exporter: Exporter) -> None:
    project = line4_project()
    endpoint = project.all(Endpoint)[OPCUA]
    secured = with_fields(
        endpoint, security={"policy": "Basic256Sha256", "mode": "Sign", "user": "password", "name": "gw", "secret": SECRET}
    )
    Editor(project).do(replace("Secure", project, [secured]))
    for name, content in exporter.render(project, Options()).files.items():
        assert b"secret://" not in content, name
        assert SECRET.encode() not in content, name


@each
def test_that_file_names_are_plain_and_can_be_written(exporter: Exporter, tmp_path: Path) -> None:
    rendered = exporter.render(line4_project(), Options())
    assert rendered.files
    for name in rendered.files:
        assert not PurePosixPath(name).is_absolute()
        assert ".." not in PurePosixPath(name).parts
    written = write_export(rendered, tmp_path / "out")
    assert len(written) == len(rendered.files) + 1


@each
def test_that_reach_replaces_the_addresses_everywhere(exporter: Exporter) -> None:
    options = Options(reach={OPCUA: "opc.tcp://192.0.2.7:4999", METER: "modbus://192.0.2.8:1502"})
    text = b"".join(exporter.render(line4_project(), options).files.values()).decode()
    assert "192.0.2.7" in text
    assert "192.0.2.8" in text
    assert "line4-plc" not in text
    assert "10.0.4." not in text


@each
def test_that_every_topic_of_the_delivery_is_in_the_files(exporter: Exporter) -> None:
    project = line4_project()
    text = b"".join(exporter.render(project, Options()).files.values()).decode().replace("\\", "")
    for asset in project.all(Asset).values():
        assert topic_of(project, asset) in text


@each
def test_that_a_mapping_is_either_delivered_or_an_error(exporter: Exporter) -> None:
    """Taking one mapping away changes the files exactly when it was delivered, and adds an error exactly when it was required."""
    project = line4_project()
    whole = exporter.render(project, Options())
    failed = {loss.place for loss in whole.losses if loss.severity == "error"}
    for mapping in list(project.all(Mapping).values()):
        smaller = line4_project()
        gone = smaller.all(Mapping)[mapping.id]
        editor = Editor(smaller)
        editor.do(delete("Remove", [*smaller.approvals_about(gone.id), *smaller.comments_about(gone.id), gone]))
        place = path_of(project, project.all(Asset)[mapping.asset])
        assert exporter.render(smaller, Options()).files != whole.files, f"{mapping.id} at {place} was neither delivered nor an error"
    assert len(failed) == 2


@each
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(project=projects())
def test_that_any_project_at_all_gives_files_or_a_plain_error(exporter: Exporter, project: Project) -> None:
    try:
        rendered = exporter.render(project, Options())
    except UserError:
        return
    found = feeds_of(project, Options())
    assert rendered == exporter.render(project, Options())
    errors = Counter(loss.place for loss in rendered.losses if loss.severity == "error")
    for loss in found.losses:
        if loss.severity == "error":
            assert errors[loss.place] >= 1
