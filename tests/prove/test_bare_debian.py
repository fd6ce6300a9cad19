"""The two commands of the README, each on a Debian 12 on which nothing was done before but to copy the checkout there."""

import os
import re
import shlex
from pathlib import Path

import pytest

from tests.prove.debian_root import DebianRoot, make_debian_root, why_not
from tests.prove.demo_artefacts import assert_demo_left_everything
from tests.prove.tracked import copy_checkout

pytestmark = [
    pytest.mark.prove("bare-debian"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
    pytest.mark.timeout(3600),
]


@pytest.fixture
def machine(tmp_path: Path) -> DebianRoot:
    root = make_debian_root(tmp_path / "root")
    copy_checkout(root.folder / "root" / "tagloom")
    return root


def test_that_the_machine_is_bare(machine: DebianRoot) -> None:
    assert machine.run("python3", "-c", "import ensurepip", timeout_s=60).returncode != 0
    listed = machine.run("ldconfig", "-p", timeout_s=60).stdout
    assert "libEGL" not in listed
    assert "libxkbcommon" not in listed


def test_that_the_demo_works_first_try(machine: DebianRoot) -> None:
    done = machine.run("sh", "-c", "cd tagloom && python3 run.py demo", timeout_s=1500)
    assert done.returncode == 0, done.stdout
    assert_demo_left_everything(machine.folder / "root" / "tagloom" / "tagloom-demo")


def test_that_the_tests_work_first_try(machine: DebianRoot) -> None:
    """All of them; TAGLOOM_BARE_TEST='-k smoke' chooses some, for whoever works on the set-up."""
    chosen = shlex.join(shlex.split(os.environ.get("TAGLOOM_BARE_TEST", "")))
    done = machine.run("sh", "-c", f"cd tagloom && python3 run.py test {chosen}", timeout_s=2400)
    assert done.returncode == 0, done.stdout
    assert re.search(r"=+ .*\b\d+ passed.* in .* =+", done.stdout), done.stdout
