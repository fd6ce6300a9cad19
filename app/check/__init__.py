"""Checks: one file per rule family, found because it ends in ``RULES``."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from app.check.base import SEVERITIES, Finding, Rule
from app.model.project import Project


@cache
def rules() -> dict[str, Rule]:
    """Every rule by id."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__) if module.name != "base")
    return {rule.id: rule for module in modules for rule in module.RULES}


def run(project: Project) -> list[Finding]:
    """All findings that nobody has suppressed, most severe first, then by place and rule."""
    found = [finding for rule in rules().values() for finding in rule.find(project) if not _is_suppressed(project, finding)]
    return sorted(found, key=lambda finding: (SEVERITIES.index(finding.severity), finding.place, finding.rule, finding.message))


def _is_suppressed(project: Project, finding: Finding) -> bool:
    return any(suppression.rule == finding.rule for suppression in project.suppressions_about(finding.about))
