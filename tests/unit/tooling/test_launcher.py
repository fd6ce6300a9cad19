import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.steps.checkout import CHECKOUT

SOURCE = (CHECKOUT / "run.py").read_text(encoding="utf-8")
LDCONFIG = """\
5 libs found in cache `/etc/ld.so.cache'
\tlibxkbcommon.so.0 (libc6,x86-64) => /lib/x86_64-linux-gnu/libxkbcommon.so.0
\tlibglib-2.0.so.0 (libc6,x86-64) => /lib/x86_64-linux-gnu/libglib-2.0.so.0
\tlibfontconfig.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libfontconfig.so.1
\tlibdbus-1.so.3 (libc6,x86-64) => /lib/x86_64-linux-gnu/libdbus-1.so.3
\tlibEGL.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libEGL.so.1
"""


@pytest.fixture
def launcher() -> ModuleType:
    spec = importlib.util.spec_from_file_location("launcher", CHECKOUT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def old_pythons() -> list[str]:
    """Commands of Pythons too old for Tagloom that this machine happens to have."""
    names = ["python2.7", *(f"python3.{minor}" for minor in range(4, 11))]
    found = [path for path in map(shutil.which, names) if path and "shims" not in path]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    for version in ("2.7", *(f"3.{minor}" for minor in range(4, 11))):
        found += map(str, pyenv.glob(f"{version}.*/bin/python"))
    return found


def test_that_old_pythons_can_read_it() -> None:
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.AsyncFunctionDef, ast.YieldFrom, ast.Starred, ast.Nonlocal, ast.Match)
    for node in ast.walk(ast.parse(SOURCE)):
        assert not isinstance(node, newer), f"line {node.lineno}"
        if isinstance(node, ast.arguments):
            assert not node.kwonlyargs
            assert not node.posonlyargs
            assert not any(argument.annotation for argument in node.args)
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
        if isinstance(node, ast.Raise):
            assert node.cause is None
    assert SOURCE.isascii()


def test_that_it_needs_no_package() -> None:
    imported = set()
    for node in ast.walk(ast.parse(SOURCE)):
        assert not isinstance(node, ast.ImportFrom)
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.skipif(not old_pythons(), reason="no Python older than 3.11 on this machine")
def test_that_an_old_python_says_what_is_needed(tmp_path: Path) -> None:
    """Alone, with no other Python in reach."""
    for python in old_pythons():
        environment = {"PATH": str(tmp_path), "HOME": str(tmp_path), "TAGLOOM_VENV": str(tmp_path / "venv")}
        done = subprocess.run(
            [python, "-B", str(CHECKOUT / "run.py"), "demo"],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
        )
        assert done.returncode in {1, 2}
        assert done.stderr.startswith("Tagloom needs"), python
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("version", [(3, 10), (3, 16)])
def test_that_a_python_out_of_range_is_refused_by_name(
    launcher: ModuleType, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int]
) -> None:
    monkeypatch.setattr(launcher, "python_commands", lambda: [["python3"]])
    monkeypatch.setattr(launcher, "probe", lambda _command: (version, True, True))
    with pytest.raises(launcher.SetUpError, match=r"64-bit Python from 3\.11 to 3\.15"):
        launcher.find_python()


def test_that_another_python_that_makes_environments_is_taken(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"a": ((3, 10), True, True), "b": None, "c": ((3, 13), True, False), "d": ((3, 12), False, True), "e": ((3, 11), True, True)}
    monkeypatch.setattr(launcher, "python_commands", lambda: [[name] for name in answers])
    monkeypatch.setattr(launcher, "probe", lambda command: answers[command[0]])
    assert launcher.find_python() == ["e"]


def test_that_probing_tells_version_and_abilities(launcher: ModuleType) -> None:
    assert launcher.probe([sys.executable]) == (sys.version_info[:2], True, True)
    assert launcher.probe(["/no/such/python"]) is None
    assert launcher.probe([sys.executable, "--no-such-option"]) is None


def test_that_missing_libraries_are_named_by_package(launcher: ModuleType) -> None:
    assert launcher.missing_libraries(LDCONFIG, False) == ["libgl1"]
    assert "libxcb-cursor0" in launcher.missing_libraries(LDCONFIG, True)
    assert len(launcher.missing_libraries("", True)) == len(launcher.LIBRARIES) + len(launcher.X11_LIBRARIES)


@pytest.fixture
def debian_user(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The launcher on a Debian where libgl1 is missing and we are not root."""
    monkeypatch.setattr(launcher, "is_debian", lambda: True)
    monkeypatch.setattr(launcher, "missing_packages", lambda _x11, _programs: ["libgl1", "fonts-dejavu-core"])
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    return launcher


@pytest.mark.parametrize("command", [None, "demo", "open", "test", "prove"])
def test_that_without_root_one_line_names_all_that_is_missing(debian_user: ModuleType, command: str | None) -> None:
    with pytest.raises(debian_user.SetUpError) as caught:
        debian_user.see_to_system_packages(command, set())
    lines = [line.strip() for line in str(caught.value).splitlines() if "sudo" in line]
    assert lines == ["sudo apt-get install --yes --no-install-recommends libgl1 fonts-dejavu-core"]


def test_that_a_command_without_a_window_goes_on(debian_user: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert debian_user.see_to_system_packages("read", set()) == set()
    assert "sudo apt-get install" in capsys.readouterr().err


def test_that_what_was_found_once_is_not_looked_for_again(debian_user: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert debian_user.see_to_system_packages("demo", {"qt"}) == {"qt"}
    monkeypatch.setenv("DISPLAY", ":0")
    with pytest.raises(debian_user.SetUpError):
        debian_user.see_to_system_packages("demo", {"qt"})


@pytest.mark.parametrize(
    "names", [(), ("tagloom-setup.lock",), ("tagloom-setup.lock", "tagloom-setup.json.new"), ("tagloom-setup.json", "bin")]
)
def test_that_an_environment_that_another_run_began_is_ours(launcher: ModuleType, tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert launcher.is_ours(str(tmp_path))


def test_that_a_folder_of_someone_else_is_not_ours(launcher: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").touch()
    assert not launcher.is_ours(str(tmp_path))
    assert launcher.is_ours(str(tmp_path / "not there yet"))


def test_that_ci_runs_exactly_the_test_command() -> None:
    script = CHECKOUT / ".ci" / "run"
    assert script.read_text().splitlines()[-1] == "exec python3 run.py test </dev/null"
    assert os.name == "nt" or os.access(script, os.X_OK)
