"""Checks: one file per rule family, found because it ends in ``RULES``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from app.check.base import SEVERITIES, Finding, Rule
from app.drivers.base import ItemState
from app.model.project import Project


@cache
def rules() -> dict[str, Rule]:
    """Every rule by id."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__) if module.name != "base")
    return {rule.id: rule for module in modules for rule in module.RULES}


def run(project: Project, strayed: Mapping[str, ItemState] | None = None) -> list[Finding]:
    """All findings that nobody has suppressed, most severe first, then by place and rule.

    Args:
        project: Is not changed.
        strayed: Of a connected workbench: tags whose variable is not what, or not where, it was (``LiveProject.strayed``).
    """
    found = [finding for finding in _all(project, strayed or {}) if not _is_suppressed(project, finding)]
    return sorted(found, key=lambda finding: (SEVERITIES.index(finding.severity), finding.place, finding.rule, finding.message))


def _all(project: Project, strayed: Mapping[str, ItemState]) -> Iterator[Finding]:
    for rule in rules().values():
        yield from rule.find(project)
        if strayed and rule.find_strayed is not None:
            yield from rule.find_strayed(project, strayed)


def _is_suppressed(project: Project, finding: Finding) -> bool:
    return any(suppression.rule == finding.rule for suppression in project.suppressions_about(finding.about))
