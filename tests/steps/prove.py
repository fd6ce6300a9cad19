"""`run.py prove`: the tests marked `prove("PART")`, by part. A skipped part is not a proof and fails the run, unless allowed."""

import contextlib
import io
from collections import Counter
from collections.abc import Sequence

import pytest

COUNTED = ("passed", "failed", "skipped")


class Proofs:
    """A pytest plugin: chooses the parts, keeps each part's tests together, and fails the run on a skip not allowed."""

    def __init__(self, parts: Sequence[str], allowed: Sequence[str]) -> None:
        self.chosen = parts
        self.allowed = allowed
        self.known: set[str] = set()
        self.unknown: list[str] = []
        self.counts: dict[str, Counter[str]] = {}
        self.skips: list[tuple[str, str, str]] = []  # part, test, reason
        self._part_of: dict[str, str] = {}

    @pytest.hookimpl(trylast=True)  # after pytest's own choice by -m, so that only proofs are seen
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        for item in items:
            marker = item.get_closest_marker("prove")
            if marker is None or len(marker.args) != 1:
                raise pytest.UsageError(f'{item.nodeid}: the marker needs the name of its part: @pytest.mark.prove("part")')
            self._part_of[item.nodeid] = marker.args[0]
        self.known = set(self._part_of.values())
        self.unknown = sorted({*self.chosen, *self.allowed} - self.known)
        if self.unknown:
            raise pytest.UsageError(f"no part named {', '.join(self.unknown)}; known: {', '.join(sorted(self.known))}")
        items.sort(key=lambda item: self._part_of[item.nodeid])
        if self.chosen:
            config.hook.pytest_deselected(items=[item for item in items if self._part_of[item.nodeid] not in self.chosen])
            items[:] = [item for item in items if self._part_of[item.nodeid] in self.chosen]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        part = self._part_of[report.nodeid]
        self.counts.setdefault(part, Counter())[report.outcome] += 1
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.skips.append((part, report.nodeid, reason))

    def not_allowed(self) -> list[tuple[str, str, str]]:
        return [skip for skip in self.skips if skip[0] not in self.allowed]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus == pytest.ExitCode.OK and self.not_allowed():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("proofs")
        for part, counts in sorted(self.counts.items()):
            terminalreporter.line(f"{part}: " + ", ".join(f"{counts[word]} {word}" for word in COUNTED if counts[word]))
        for part, test, reason in self.skips:
            verdict = "allowed" if part in self.allowed else f"fails the run; --allow-skip {part} lets it pass"
            terminalreporter.line(f"SKIPPED {part} ({verdict}): {test}: {reason}")


def main(arguments: list[str]) -> int:
    """PART… and `--allow-skip PART`, or `--list`; from the first other option on, all goes to pytest."""
    parts, allowed, words = [], [], list(arguments)
    while words and (not words[0].startswith("-") or words[0] == "--allow-skip"):
        word = words.pop(0)
        if word != "--allow-skip":
            parts.append(word)
        elif words:
            allowed.append(words.pop(0))
    if words == ["--list"]:
        proofs = Proofs((), ())
        with contextlib.redirect_stdout(io.StringIO()) as output:
            code = pytest.main(["-m", "prove", "--collect-only"], plugins=[proofs])
        print(output.getvalue() if code else "\n".join(sorted(proofs.known)))
        return int(code)
    return int(pytest.main(["-m", "prove", *words], plugins=[Proofs(parts, allowed)]))
