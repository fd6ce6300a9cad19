import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.steps.checkout import CHECKOUT, LOCK
from tests.steps.lock import blocks, in_sections, main, uv_compile

TEXT = LOCK.read_text(encoding="utf-8")
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
PLATFORMS = {
    "x86_64-pc-windows-msvc": "win_amd64",
    "x86_64-apple-darwin": "macOS 13 or later, Intel",
    "aarch64-apple-darwin": "macOS 13 or later, Apple",
    "x86_64-manylinux_2_34": "Linux with glibc 2.34 or later: Debian 12, Ubuntu 22.04, RHEL 9",
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def requirements() -> dict[Requirement, set[str]]:
    """The lock's requirements with their sha256 hashes."""
    found = {}
    for block in blocks(TEXT):
        if not block.startswith("#"):
            found[Requirement(block.split("\\")[0])] = set(re.findall(r"--hash=sha256:([0-9a-f]{64})\b", block))
    return found


@pytest.mark.skipif("TAGLOOM_WHEELS" in os.environ, reason="TAGLOOM_WHEELS is set: nothing may be asked of an index")
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_that_the_lock_resolves_to_hashed_wheels_alone(platform: str, python: str, tmp_path: Path) -> None:
    output = tmp_path / "pylock.toml"  # the form that names the very wheels that fit
    options = ["--no-deps", "--format", "pylock.toml", "--python-platform", platform, "--python-version", python]
    done = uv_compile(LOCK, output, *options)
    assert done.returncode == 0, done.stderr
    hashes = {(each.name.lower(), str(each.specifier)): known for each, known in requirements().items()}
    packages = tomllib.loads(output.read_text(encoding="utf-8"))["packages"]
    assert len(packages) > 60
    for package in packages:
        wheels = {wheel["hashes"]["sha256"] for wheel in package.get("wheels", ())}
        assert wheels & hashes[package["name"], f"=={package['version']}"], f"{package['name']}: no wheel of the lock fits"


def test_that_every_requirement_is_pinned_and_hashed() -> None:
    found = requirements()
    assert len(found) > 60
    for requirement, hashes in found.items():
        assert [specifier.operator for specifier in requirement.specifier] == ["=="], requirement
        assert hashes, requirement


def test_that_no_requirement_stands_twice() -> None:
    found = [str(requirement) for requirement in requirements()]
    assert len(found) == len(set(found))
    run, test = TEXT.split("# --- test")
    names = [{block.split("==")[0] for block in blocks(text) if "==" in block} for text in (run, test)]
    assert not names[0] & names[1]


def test_that_the_lock_names_no_address() -> None:
    assert not re.findall(r"://|\bhttps?\b|--(?:extra-)?index|--find-links|\b[a-z0-9-]+\.(?:org|com|io|net|dev)\b", TEXT)


def test_that_there_is_no_other_lock() -> None:
    forbidden = re.compile(r"^(?:(?:uv|poetry|pdm|Pipfile|conda)[.-]lock.*|pylock.*\.toml|requirements.+|package-lock\.json|yarn\.lock)$")
    found = []
    for folder, folders, names in os.walk(CHECKOUT):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in {"node_modules", "build"}]
        found += [Path(folder, name) for name in names if forbidden.match(name) and Path(folder, name) != LOCK]
    assert found == []


@pytest.mark.parametrize("python", [*PYTHONS, "3.15"])
def test_that_the_lock_fits_pyproject(python: str) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    pins = {
        requirement.name.lower().replace("_", "-"): requirement
        for requirement in requirements()
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }
    wanted = [Requirement(text) for text in [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["test"]]]
    for requirement in wanted:
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (pin,) = pins[requirement.name.lower().replace("_", "-")].specifier
            assert requirement.specifier.contains(pin.version), f"{requirement}, but {pin}: python3 run.py lock"


def test_that_the_build_backend_is_the_one_of_the_lock() -> None:
    assert PROJECT["build-system"]["requires"] == [text for text in PROJECT["dependency-groups"]["test"] if "setuptools" in text]


def test_that_qt_before_python_3_15_is_older_than_6_12() -> None:
    """6.12.0 loses a reference to None in each call that returns None; Python 3.11 has some thousands and then aborts."""
    environment = {"python_full_version": "3.14.9"}
    pins = [each for each in requirements() if each.name == "pyside6-essentials" and each.marker]
    (pin,) = [each for each in pins if each.marker is not None and each.marker.evaluate(environment)]
    assert Requirement("pyside6-essentials<6.12").specifier.contains(str(pin.specifier).removeprefix("=="))


def test_that_ten_thousand_calls_into_qt_do_not_abort() -> None:
    code = """
from PySide6.QtWidgets import QApplication, QWidget
application = QApplication([])
widget = QWidget()
for _ in range(10_000):
    widget.update()
print("alive")
"""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


def test_that_what_the_run_section_needs_stands_in_it_alone() -> None:
    everything = "b==1 \\\n    --hash=sha256:1\n    # via a\na==1 ; python_full_version < '3.12' \\\n    --hash=sha256:2\nc==1\n"
    text = in_sections(everything, "a==1\n")
    run, test = text.split("# --- test")
    assert "a==1 ; python_full_version < '3.12' \\\n    --hash=sha256:2\n" in run.split("# --- run")[1]
    assert "b==1" in test
    assert "c==1" in test
    assert "a==1" not in test


def test_that_an_unknown_option_of_lock_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--upgrad"]) == 2
    assert "usage" in capsys.readouterr().err
