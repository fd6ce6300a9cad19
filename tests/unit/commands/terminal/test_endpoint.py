from pathlib import Path

import pytest

from app.commands.terminal.endpoint import target
from app.errors import CollectedError, UserError
from app.projectfile import save
from tests.factory import line4_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "line.tagloom"
    save(line4_project(), path, None)
    return path


def test_that_a_url_is_an_endpoint_named_by_its_canonical_form() -> None:
    with target("opc.tcp://HOST", None, ()) as chosen:
        assert (chosen.label, chosen.in_project) == ("opc.tcp://host:4840", False)


def test_that_a_name_is_looked_up_in_the_project_and_reached_elsewhere(project: Path) -> None:
    with target("filler-opcua", project, ("filler-opcua=opc.tcp://127.0.0.1",)) as chosen:
        assert chosen.live.url_of(chosen.endpoint.id) == "opc.tcp://127.0.0.1:4840"
        assert chosen.endpoint.addresses["default"] == "opc.tcp://10.0.4.20:4840"
        assert chosen.label == "filler-opcua"


@pytest.mark.parametrize(("text", "why"), [("plc", "it is not a URL"), ("http://h", "no driver speaks"), ("opc.tcp://", "host is missing")])
def test_that_what_is_neither_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UserError, match=why), target(text, None, ()):
        pass


def test_that_an_unknown_name_is_answered_with_those_there_are(project: Path) -> None:
    with pytest.raises(UserError, match=r'"filler-opcua", "meter-modbus"|"meter-modbus", "filler-opcua"'), target("plc", project, ()):
        pass


def test_that_every_wrong_override_is_named_at_once(project: Path) -> None:
    with pytest.raises(CollectedError) as caught, target("filler-opcua", project, ("x=opc.tcp://h", "filler-opcua", "filler-opcua=nope")):
        pass
    assert len(caught.value.problems) == 3


def test_that_an_override_beside_a_url_is_refused() -> None:
    with pytest.raises(UserError, match="ENDPOINT is a URL itself"), target("opc.tcp://h", None, ("a=opc.tcp://b",)):
        pass
