"""What a rule is: a function from a project to findings, with an id that people and pipelines can name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from app.drivers.base import ItemState
from app.edits import Edit
from app.model.project import Project

Severity = Literal["error", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")


class Finding(NamedTuple):
    """One result of a check.

    Attributes:
        rule: ``MAP-001``.
        about: Id of the element it is about (suppressions and navigation use it).
        place: Where, as a person finds it.
        message: What and why, one sentence.
        fix: What to do, in words; "" only when there is nothing to propose.
    """

    rule: str
    severity: Severity
    about: str
    place: str
    message: str
    fix: str = ""


class Rule(msgspec.Struct, frozen=True):
    """One rule.

    Attributes:
        id: Family and number: ``MAP-001``. Never reused.
        title: Two or three words for the Problems panel: ``required``.
        why: What goes wrong in a plant when the rule is broken, for the documentation.
        find: Yields findings; must not change anything.
        quick_fix: Makes the edit behind a finding's fix, where there is one.
        find_strayed: Yields findings from what connected devices made of watched tags (tag id → state); only a connected workbench
            knows that.
    """

    id: str
    title: str
    severity: Severity
    why: str
    find: Callable[[Project], Iterable[Finding]]
    quick_fix: Callable[[Project, Finding], Edit] | None = None
    find_strayed: Callable[[Project, Mapping[str, ItemState]], Iterable[Finding]] | None = None
