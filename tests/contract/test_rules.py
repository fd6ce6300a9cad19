"""Whatever a rule of ``app.check`` is about, this holds for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.check import rules, run
from app.check.base import SEVERITIES, Rule
from app.edits import Editor, create
from app.model.reviewing import Suppression
from tests.factory import line4_project
from tests.unit.check.projects import line4, other

TESTS = Path(__file__).parents[1] / "unit" / "check"


def test_that_no_two_rules_share_an_id() -> None:
    from importlib import import_module
    from pkgutil import iter_modules

    import app.check as package

    modules = [import_module(f"app.check.{module.name}") for module in iter_modules(package.__path__)]
    listed = [rule.id for module in modules for rule in getattr(module, "RULES", [])]
    assert sorted(listed) == sorted(set(listed)) == sorted(rules())


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.id)
def test_that_a_rule_says_what_it_is_and_why_it_matters(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z]{3}-\d{3}", rule.id)
    assert rule.severity in SEVERITIES
    assert 0 < len(rule.title.split()) <= 4
    assert rule.why.endswith(".")
    assert len(rule.why) > 15


@pytest.mark.parametrize("rule", sorted(rules()))
def test_that_a_rule_has_a_test_that_breaks_it(rule: str) -> None:
    texts = "\n".join(path.read_text("utf-8") for path in TESTS.glob("test_*.py"))
    assert re.search(rf'found\(.*"{rule}"\)', texts), f"no test of {rule} in {TESTS}"
    assert f"def test_that_{rule.lower().replace('-', '_')}_" in texts


def test_that_findings_come_most_severe_first_and_then_by_place() -> None:
    findings = run(line4(other("t-flow", low=5.0, high=1.0), other("filler-2", name="Filler/2")))
    keys = [(SEVERITIES.index(finding.severity), finding.place, finding.rule) for finding in findings]
    assert len({finding.severity for finding in findings}) > 1
    assert keys == sorted(keys)


def test_that_a_finding_names_an_element_a_place_and_a_way_out() -> None:
    project = line4(other("t-flow", low=5.0, high=1.0), other("filler-2", name="Filler/2"), other("m-temperature", transform=()))
    for finding in run(project):
        assert finding.about in project
        assert finding.place
        assert finding.message
        assert finding.fix


def test_that_a_suppressed_finding_is_left_out_and_no_other() -> None:
    project = line4_project()
    before = run(project)
    chosen = next(finding for finding in before if finding.rule == "SEC-001")
    suppression = Suppression(id="s", about=chosen.about, rule=chosen.rule, by="A. Reyes", at="2026-03-02T09:30:00Z", why="Own network")
    Editor(project).do(create("Suppress", [suppression]))
    assert run(project) == [finding for finding in before if finding != chosen]


def test_that_running_the_checks_changes_nothing() -> None:
    project = line4_project()
    before = list(project.elements())
    assert run(project) == run(project)
    assert list(project.elements()) == before
