"""What an exporter is: a pure function from a project to the files of one gateway product, and what these cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Protocol

from app.model.project import Project


class Loss(NamedTuple):
    """One thing of the project that the target's files do not carry.

    Attributes:
        place: Where in the project, as a person finds it: ``Plant 1/Packaging/Line 4/Filler 1/fillFlow``.
        what: What is not expressed: ``deadband 0.5``.
        consequence: What happens because of it: ``every change is sent``.
        severity: ``error`` when data is missing or wrong at the other end, ``warning`` when it is there but differs, ``info``.
    """

    place: str
    what: str
    consequence: str
    severity: str = "warning"


@dataclass(frozen=True, slots=True)
class Options:
    """Choices of one export.

    Attributes:
        reach: Endpoint id → URL in place of the endpoint's ``gateway`` (else ``default``) address.
        values: The target's own options by name, as its ``options`` describe them.
    """

    reach: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered:
    """Files by relative POSIX path, losses in the order of the project, and what must be supplied by hand (secret references)."""

    files: dict[str, bytes]
    losses: list[Loss]


class Exporter(Protocol):
    """Renders a project for one gateway product. Pure: no clock, no disk, no network; same project, same bytes.

    A module of this package that ends in ``EXPORTER`` is found by itself.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    tested_with: ClassVar[str]  # "Node-RED 4.1.8, contrib-opcua 0.2.354"; "not run: parsed only" where that is true
    options: ClassVar[Mapping[str, str]]  # name → default

    def render(self, project: Project, options: Options) -> Rendered: ...
