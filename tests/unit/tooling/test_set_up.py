"""The set-up by run.py: once, whole or not at all, by one at a time. Each test begins with a checkout set up to run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.tooling.bare_checkout import BareCheckout, make_bare_checkout

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX's kills and folders; the set-up on Windows was not tried")

MAKING = "Making the virtual environment"
INSTALLING = "Installing packages"


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> BareCheckout:
    bare = make_bare_checkout(tmp_path_factory.mktemp("first"))
    done = bare.run("check", "plant.tagloom")
    assert done.returncode == 0, done.stderr
    assert MAKING in done.stderr
    assert f"{INSTALLING} (run)" in done.stderr
    assert f"{INSTALLING} (test)" not in done.stderr
    assert json.loads(done.stdout) == {
        "arguments": ["check", "plant.tagloom"],
        "gauge": "1.0",
        "probe": False,
        "module": "app.commands.__main__",
        "cwd": str(bare.folder.parent / "elsewhere"),
    }
    return bare


@pytest.fixture
def bare(first_run: BareCheckout, tmp_path: Path) -> BareCheckout:
    """A copy; the moved environment serves, since only `python -m` is used in it."""
    shutil.copytree(first_run.folder.parent, tmp_path / "copy", symlinks=True)
    bare = BareCheckout(tmp_path / "copy" / "checkout", {**first_run.environment, "TAGLOOM_WHEELS": str(tmp_path / "copy" / "wheels")})
    stamp = bare.folder / ".venv" / "tagloom-setup.json"
    stamp.write_text(stamp.read_text().replace(str(first_run.folder), str(bare.folder)))
    return bare


def test_that_a_second_run_does_nothing_and_passes_the_exit_code_on(bare: BareCheckout) -> None:
    done = bare.run(CODE="1", TAGLOOM_WHEELS="/nowhere")
    assert (done.returncode, done.stderr) == (1, "")


def test_that_a_users_own_app_folder_does_not_come_before_ours(bare: BareCheckout) -> None:
    (bare.folder.parent / "elsewhere" / "app").mkdir()
    (bare.folder.parent / "elsewhere" / "app" / "__init__.py").write_text("raise SystemExit('not the app')")
    assert bare.run("--help").returncode == 0


def test_that_the_test_tools_come_with_the_first_test_only(bare: BareCheckout) -> None:
    done = bare.run("test", "-k", "smoke")
    assert MAKING not in done.stderr
    assert f"{INSTALLING} (test)" in done.stderr
    seen = json.loads(done.stdout)
    assert (seen["probe"], seen["module"], seen["arguments"]) == (True, "tests.__main__", ["test", "-k", "smoke"])
    assert bare.run("test").stderr == ""
    assert bare.run("read").stderr == ""


def test_that_a_changed_lock_makes_the_environment_anew(bare: BareCheckout) -> None:
    bare.lock(gauge="2.0")
    done = bare.run("demo")
    assert MAKING in done.stderr
    assert json.loads(done.stdout)["gauge"] == "2.0"


def test_that_a_package_with_another_hash_is_refused_and_nothing_is_started(bare: BareCheckout) -> None:
    bare.lock(gauge="1.0", broken_hash=True)
    done = bare.run("demo")
    assert (done.returncode, done.stdout) == (2, "")
    assert "HASH" in done.stderr.upper()
    bare.lock(gauge="1.0")
    assert bare.run("demo").returncode == 0


def test_that_a_set_up_killed_half_way_is_made_anew(bare: BareCheckout) -> None:
    bare.lock(gauge="2.0")
    with start_until_packages_are_installed(bare) as process:
        signal_all(process, "SIGKILL")
    done = bare.run("demo")
    assert MAKING in done.stderr
    assert json.loads(done.stdout)["gauge"] == "2.0"


@pytest.fixture
def attended() -> Iterator[None]:
    """Ctrl+C means something: a job that a shell started in the background ignores it, and so do its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("attended")
def test_that_ctrl_c_ends_a_set_up_without_a_traceback(bare: BareCheckout) -> None:
    bare.lock(gauge="2.0")
    with start_until_packages_are_installed(bare) as process:
        signal_all(process, "SIGINT")
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.endswith("Interrupted. Run it again to go on.\n")


def signal_all(process: subprocess.Popen[str], name: str) -> None:
    """As a terminal does: to run.py and to what it started."""
    if sys.platform != "win32":
        os.killpg(process.pid, signal.Signals[name])


def start_until_packages_are_installed(bare: BareCheckout) -> subprocess.Popen[str]:
    path = bare.folder / ".venv" / "requirements-run.txt"
    path.unlink()
    process = bare.start("demo")
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("lost", ["bin/python", "lib/python{version}/site-packages/gauge-1.0.dist-info", "tagloom-setup.json"])
def test_that_a_broken_environment_is_noticed(bare: BareCheckout, lost: str) -> None:
    path = bare.folder / ".venv" / lost.format(version="{}.{}".format(*sys.version_info[:2]))
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    done = bare.run("demo")
    assert done.returncode == 0, done.stderr
    assert MAKING in done.stderr


def test_that_an_environment_of_someone_else_is_left_alone(bare: BareCheckout) -> None:
    shutil.rmtree(bare.folder / ".venv")
    (bare.folder / ".venv").mkdir()
    (bare.folder / ".venv" / "mine").touch()
    assert bare.run("demo").returncode == 0
    assert [path.name for path in (bare.folder / ".venv").iterdir()] == ["mine"]
    assert (bare.folder / ".venv-tagloom" / "pyvenv.cfg").exists()


def test_that_two_first_runs_at_once_make_one_environment(bare: BareCheckout) -> None:
    shutil.rmtree(bare.folder / ".venv")
    processes = [bare.start(command) for command in ("demo", "test")]
    errors = ""
    for process in processes:
        with process:
            errors += process.communicate(timeout=100)[1]
        assert process.returncode == 0, errors
    assert errors.count(MAKING) == 1
    assert errors.count(f"{INSTALLING} (run)") == 1


def test_that_a_moved_checkout_runs_its_own_code(first_run: BareCheckout, tmp_path: Path) -> None:
    shutil.copytree(first_run.folder, tmp_path / "moved", symlinks=True)
    moved = BareCheckout(tmp_path / "moved", first_run.environment)
    (moved.folder / "app" / "commands" / "__main__.py").write_text("print('moved')")
    assert moved.run("demo").stdout == "moved\n"
    assert moved.run("demo").stderr == ""
