"""Each guard of tests/guards.py is broken once, in a pytest of its own."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.steps.checkout import CHECKOUT

SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
markers =
    expect_log(*patterns): x
    allow_log(pattern, reason): x
"""

BREACHES = """
import asyncio, logging, subprocess, sys, threading
import pytest

log = logging.getLogger("plant")
kept = []


@pytest.fixture
async def ticking():
    task = asyncio.get_running_loop().create_task(asyncio.sleep(600))
    yield task
    task.cancel()


@pytest.fixture
async def forgetful():
    kept.append(asyncio.get_running_loop().create_task(asyncio.sleep(600)))
    yield


@pytest.fixture(scope="module")
def server():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with process:
        yield process
        process.kill()


def sleeping_child():
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


async def test_fine_task_ends_in_fixture(ticking): pass
async def test_fine_task_that_ends_by_itself(): asyncio.get_running_loop().create_task(asyncio.sleep(0.05))
async def test_bad_task(): kept.append(asyncio.get_running_loop().create_task(asyncio.sleep(600)))
def test_bad_task_of_an_async_fixture(forgetful): pass

def test_fine_thread_that_ends(): threading.Timer(0.2, print).start()
def test_bad_thread(): threading.Thread(target=threading.Event().wait, name="poller", daemon=True).start()

def test_fine_child_of_the_module(server): pass
def test_fine_child_that_ended():
    with sleeping_child() as child:
        child.kill()
def test_bad_child(): kept.append(sleeping_child())
def test_fine_after_a_leaked_child(): kept[-1].wait(10)

def test_fine_info(): log.info("connected")
def test_bad_warning(): log.warning("lost %s", "plant")
def test_bad_error_in_a_thread():
    thread = threading.Thread(target=log.error, args=("torn",))
    thread.start()
    thread.join()
@pytest.mark.expect_log("^WARNING plant: lost")
def test_fine_expected(): log.warning("lost it")
@pytest.mark.expect_log("^WARNING plant: lost")
def test_bad_expected_never_came(): pass
@pytest.mark.expect_log("lost")
def test_bad_expected_and_another():
    log.warning("lost it")
    log.error("and more")
@pytest.mark.allow_log("lost", reason="comes or not")
def test_fine_allowed_never_came(): pass
@pytest.mark.allow_log("lost", reason="comes or not")
def test_fine_allowed(): log.error("lost it")
"""

REASONS = {
    "test_bad_task": "asyncio tasks left pending",
    "test_bad_task_of_an_async_fixture": "asyncio tasks left pending",
    "test_bad_thread": "threads left running:\n  <Thread(poller",
    "test_bad_child": "child processes left running",
    "test_bad_warning": "WARNING plant: lost plant",
    "test_bad_error_in_a_thread": "ERROR plant: torn",
    "test_bad_expected_never_came": "expected log records did not come: ^WARNING plant: lost",
    "test_bad_expected_and_another": "unexpected log records:\n  ERROR plant: and more",
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a pytest with the guards said of each test of BREACHES; "" for nothing."""
    folder = tmp_path_factory.mktemp("breaches")
    (folder / "pytest.ini").write_text(SETTINGS)
    (folder / "test_breaches.py").write_text(BREACHES)
    # Through the plugin's name, as conftest.py does; the guarded tests see no conftest of ours.
    start = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); import pytest; sys.exit(pytest.main())"
    options = ["-p", "tests.guards", "-p", "no:cacheprovider", "--junitxml", "report.xml", "-q"]
    subprocess.run([sys.executable, "-c", start, *options], cwd=folder, check=False, stdout=subprocess.DEVNULL, timeout=100)
    return read_report(folder / "report.xml")


def read_report(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for case in ElementTree.parse(path).iter("testcase"):
        problems = [problem.text or "" for problem in case if problem.tag in {"failure", "error"}]
        found[case.attrib["name"]] = found.get(case.attrib["name"], "") + "\n".join(problems)
    return found


@pytest.mark.parametrize(("name", "reason"), REASONS.items())
def test_that_a_breach_fails_its_test_and_says_which(verdicts: dict[str, str], name: str, reason: str) -> None:
    assert reason in verdicts[name]


def test_that_every_breach_is_named_and_nothing_else_fails(verdicts: dict[str, str]) -> None:
    assert {name for name, verdict in verdicts.items() if verdict} == set(REASONS)
    assert len(verdicts) == BREACHES.count("def test_")


def test_that_folders_of_the_product_stand_under_the_tests_own(tmp_path: Path, own_folders: Path) -> None:
    code = "import os; print(*(os.environ[f'TAGLOOM_{kind}_DIR'] for kind in ('CONFIG', 'DATA', 'CACHE', 'LOG')), sep='\\n')"
    seen = subprocess.check_output([sys.executable, "-c", code], text=True).splitlines()
    assert [Path(path) for path in seen] == [own_folders / kind for kind in ("config", "data", "cache", "log")]
    assert own_folders.is_relative_to(tmp_path)
