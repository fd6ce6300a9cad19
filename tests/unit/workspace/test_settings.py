import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import UserError
from app.workspace.paths import config_dir
from app.workspace.settings import SETTINGS, Settings, _fault

BROKEN = "WARNING app.workspace.settings: .*Defaults are used"


def written(content: bytes) -> Path:
    path = config_dir() / "settings.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_that_every_default_is_one_that_can_be_set_and_has_help() -> None:
    for name, setting in SETTINGS.items():
        assert _fault(setting, setting.default) == "", name
        assert setting.help.endswith(".")


def test_that_a_setting_is_kept_and_the_file_holds_only_what_was_changed() -> None:
    Settings().set("theme", "dark")
    again = Settings()
    assert (again.get("theme"), again.get("recent_projects"), again.notices) == ("dark", 20, [])
    assert json.loads(again.path.read_bytes()) == {"theme": "dark"}
    again.set("theme", "system")
    assert json.loads(again.path.read_bytes()) == {}


def test_that_two_processes_keep_each_others_settings_and_those_of_a_newer_release() -> None:
    path = written(b'{"from_the_future": [1]}')
    mine, theirs = Settings(), Settings()
    theirs.set("recent_projects", 5)
    mine.set("theme", "dark")
    assert json.loads(path.read_bytes()) == {"from_the_future": [1], "recent_projects": 5, "theme": "dark"}


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("theme", "pink", "system, light, dark"),
        ("recent_projects", "5", "must be a whole number"),
        ("recent_projects", True, "must be a whole number"),
        ("recent_projects", -1, "between 0 and 200"),
    ],
)
def test_that_a_value_a_setting_cannot_have_is_refused(name: str, value: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        Settings().set(name, value)
    assert not (config_dir() / "settings.json").exists()


@pytest.mark.expect_log(BROKEN)
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"theme": "dark"', b"\x00" * 100, b"[" * 100_000, b'{"theme": "pink", "recent_projects": 5}']
)
def test_that_a_broken_file_is_kept_aside_and_defaults_are_used_with_a_notice(content: bytes) -> None:
    path = written(content)
    found = Settings()
    assert found.get("theme") == "system"
    assert len(found.notices) == 1
    assert "settings.json.bad-1" in found.notices[0]
    assert path.with_name("settings.json.bad-1").read_bytes() == content
    assert not path.exists()
    found.set("theme", "dark")
    assert Settings().get("theme") == "dark"


@pytest.mark.expect_log(BROKEN)
def test_that_what_a_broken_file_said_rightly_stays_and_an_older_broken_one_too() -> None:
    path = written(b"x")
    Settings()
    written(b'{"theme": "pink", "recent_projects": 5}')
    assert Settings().get("recent_projects") == 5
    assert path.with_name("settings.json.bad-1").read_bytes() == b"x"
    assert path.with_name("settings.json.bad-2").exists()


@pytest.mark.allow_log(BROKEN, reason="most bytes are no settings")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=60)
    | st.dictionaries(st.sampled_from([*SETTINGS, "x"]), st.text() | st.integers() | st.none()).map(lambda d: json.dumps(d).encode())
)
def test_that_no_file_keeps_the_program_from_starting(content: bytes) -> None:
    written(content)
    for name, setting in SETTINGS.items():
        assert _fault(setting, Settings().get(name)) == ""


@pytest.mark.expect_log(BROKEN)
def test_that_a_folder_in_place_of_the_file_is_told() -> None:
    (config_dir() / "settings.json").mkdir(parents=True)
    assert Settings().get("theme") == "system"
