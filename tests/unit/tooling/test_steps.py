"""The developer commands, in folders of their own with tests that are ours to break."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.steps import bench, checks
from tests.steps.checkout import CHECKOUT
from tests.steps.checks import Step

PROOFS = """
import pytest

@pytest.mark.prove("wheel")
def test_wheel(): print("wheel was proven")

@pytest.mark.prove("peers")
def test_peers(): pytest.skip("no peer here")

@pytest.mark.prove("peers")
def test_other_peers(): pass

@pytest.mark.prove("broken")
def test_broken(): assert False

def test_ordinary(): assert False, "no proof, not to be run"
"""


def prove(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers -m 'not prove'\nmarkers = prove(part): x\n")
    (folder / "test_proofs.py").write_text(PROOFS)
    start = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); from tests.steps.prove import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run([sys.executable, "-c", start, *arguments], check=False, capture_output=True, text=True, cwd=folder)


def test_that_parts_are_listed(tmp_path: Path) -> None:
    done = prove(tmp_path, "--list")
    assert (done.returncode, done.stdout.split()) == (0, ["broken", "peers", "wheel"])


def test_that_a_part_is_run_alone(tmp_path: Path) -> None:
    done = prove(tmp_path, "wheel", "-s")
    assert done.returncode == 0, done.stdout
    assert "wheel was proven" in done.stdout
    assert "wheel: 1 passed" in done.stdout
    assert "1 passed, 4 deselected" in done.stdout


def test_that_a_skip_fails_the_run_with_its_reason(tmp_path: Path) -> None:
    done = prove(tmp_path, "peers", "wheel")
    assert done.returncode == 1
    assert "peers: 1 passed, 1 skipped" in done.stdout
    assert "SKIPPED peers (fails the run; --allow-skip peers lets it pass)" in done.stdout
    assert "no peer here" in done.stdout


def test_that_an_allowed_skip_is_told_and_passes(tmp_path: Path) -> None:
    done = prove(tmp_path, "peers", "--allow-skip", "peers")
    assert done.returncode == 0
    assert "SKIPPED peers (allowed)" in done.stdout


def test_that_without_names_every_proof_is_run(tmp_path: Path) -> None:
    done = prove(tmp_path, "--allow-skip", "peers")
    assert done.returncode == 1
    assert "broken: 1 failed" in done.stdout
    assert "1 failed, 2 passed, 1 skipped, 1 deselected" in done.stdout


@pytest.mark.parametrize("arguments", [["whell"], ["wheel", "--allow-skip", "pears"]])
def test_that_an_unknown_part_is_refused_by_name(tmp_path: Path, arguments: list[str]) -> None:
    done = prove(tmp_path, *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"no part named {arguments[-1]}; known: broken, peers, wheel" in done.stderr + done.stdout


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_that_all_checks_run_and_any_failure_is_the_exit_code(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    steps = [
        Step("bad lint", python("print('line 7 is wrong'); raise SystemExit(3)")),
        Step("good lint", python("print('nothing to see')")),
    ]
    monkeypatch.setattr(checks, "static_steps", lambda: steps)
    assert checks.main(["--version"]) == 1
    output = capfd.readouterr().out
    assert "line 7 is wrong" in output
    assert "nothing to see" not in output
    assert [line[:16] for line in output.splitlines()[-3:]] in (
        ["FAILED bad lint ", "ok     good lint", "ok     pytest --"],
        ["ok     good lint", "FAILED bad lint ", "ok     pytest --"],
    )


def test_that_only_good_checks_are_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "static_steps", lambda: [Step("good lint", python("pass"))])
    assert checks.main(["--version"]) == 0
    assert checks.main(["--no-such-option"]) == 1


def test_that_types_are_checked_for_every_platform() -> None:
    titles = [step.title for step in checks.static_steps()]
    assert titles[0] == f"mypy --platform {sys.platform}"
    assert {"mypy --platform linux", "mypy --platform win32", "mypy --platform darwin"} <= set(titles)


@pytest.fixture
def benchmarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tests" / "benchmarks"
    folder.mkdir(parents=True)
    for package in (folder.parent, folder):
        (package / "__init__.py").touch()
    (folder / "bench_browse.py").write_text("import sys; print('browsing', *sys.argv[1:])")
    (folder / "bench_decode.py").write_text("raise SystemExit(1)")
    monkeypatch.setattr(bench, "CHECKOUT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # before our own package of this name
    return folder


def test_that_a_benchmark_is_run_by_name_with_its_options(benchmarks: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["browse", "--data", "plant.csv"]) == 0
    assert "browsing --data plant.csv" in capfd.readouterr().out


def test_that_a_failing_benchmark_fails_the_run_after_the_others(benchmarks: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert bench.main([]) == 1
    seen = capfd.readouterr()
    assert "browsing" in seen.out
    assert "failed: decode" in seen.err


def test_that_an_unknown_benchmark_is_refused_by_name(benchmarks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["brwose"]) == 2
    assert "known: browse, decode" in capsys.readouterr().err
