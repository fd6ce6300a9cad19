"""`run.py test`: lint, types and import layers side by side, then pytest on every core, then what failed."""

import contextlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from tests.steps.checkout import CHECKOUT

PYTHON = sys.executable
PLATFORMS = {"linux", "win32", "darwin"}
SIDE_BY_SIDE = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"]
"""A file's tests stay together, as they share servers; more than four processes would starve those."""


@dataclass(frozen=True)
class Step:
    title: str
    command: list[str]


@dataclass(frozen=True)
class Outcome:
    step: Step
    code: int
    seconds: float
    output: str

    def __str__(self) -> str:
        return f"{'ok    ' if self.code == 0 else 'FAILED'} {self.step.title} ({self.seconds:.0f} s)"


def mypy(platform: str) -> Step:
    """Each platform keeps its own cache: mypy discards one that was written with another option."""
    command = [PYTHON, "-m", "mypy", "--platform", platform, "--cache-dir", f".mypy_cache/{platform}", "--no-error-summary"]
    return Step(f"mypy --platform {platform}", command)


def static_steps() -> list[Step]:
    """The slow ones first, so that the quick ones fill the gaps."""
    layers = "import sys; from importlinter.cli import lint_imports_command as main; main()"
    return [
        *(mypy(platform) for platform in sorted(PLATFORMS | {sys.platform}, key=lambda name: name != sys.platform)),
        Step("ruff check", [PYTHON, "-m", "ruff", "check", "--quiet"]),
        Step("ruff format --check", [PYTHON, "-m", "ruff", "format", "--check", "--quiet", "--diff"]),
        Step("lint-imports", [PYTHON, "-c", layers, "--no-logo"]),
    ]


def run_captured(step: Step) -> Outcome:
    started = time.monotonic()
    command = step.command
    done = subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=CHECKOUT
    )
    return Outcome(step, done.returncode, time.monotonic() - started, done.stdout)


def run_shown(step: Step) -> Outcome:
    started = time.monotonic()
    with subprocess.Popen(step.command, stdin=subprocess.DEVNULL, cwd=CHECKOUT) as process:
        while process.poll() is None:
            # Ctrl+C reaches pytest as well, which tears its fixtures down and says what had failed so far.
            with contextlib.suppress(KeyboardInterrupt):
                process.wait()
    return Outcome(step, process.returncode, time.monotonic() - started, "")


def run_side_by_side(steps: list[Step]) -> list[Outcome]:
    """Prints each outcome when it is there, with the output of those that failed in one piece."""
    outcomes = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for future in as_completed([pool.submit(run_captured, step) for step in steps]):
            outcome = future.result()
            outcomes.append(outcome)
            print(outcome, flush=True)
            if outcome.code:
                print(outcome.output, flush=True)
    return outcomes


def main(arguments: list[str]) -> int:
    """`arguments` go to pytest. Everything runs, whatever failed before; any failure is the exit code 1."""
    outcomes = run_side_by_side(static_steps())
    pytest = Step(" ".join(["pytest", *arguments]), [PYTHON, "-m", "pytest", *SIDE_BY_SIDE, *arguments])
    outcomes.append(run_shown(pytest))
    print()
    for outcome in outcomes:
        print(outcome)
    return int(any(outcome.code for outcome in outcomes))
