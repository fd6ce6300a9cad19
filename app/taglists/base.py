"""What a tag list format is: bytes in, one row per tag out, each usable or with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from app.drivers.base import Spec
from app.edits import Edit
from app.edits.tags import TagDraft, add_tags, counted
from app.errors import UserError
from app.model.plant import Endpoint
from app.model.project import Project


@dataclass(frozen=True, slots=True)
class TagRow:
    """One row of a list.

    Attributes:
        line: Where it begins in the file, counted from 1.
        tag: What can be imported; None where there are problems.
        problems: Everything that is wrong, each with line and column in its ``where``.
        marks: What a person should know of a usable row: that its name, or its address, stands in the list before.
        cells: The row as it was written, column name → text, for showing it beside its problems.
    """

    line: int
    tag: TagDraft | None
    problems: tuple[UserError, ...] = ()
    marks: tuple[str, ...] = ()
    cells: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TagList:
    """A list as it was read, rows in its order.

    Attributes:
        ignored: Headers of columns that mean nothing to us.
    """

    rows: tuple[TagRow, ...]
    ignored: tuple[str, ...] = ()

    @property
    def good(self) -> list[TagRow]:
        return [row for row in self.rows if row.tag is not None]

    @property
    def problems(self) -> list[UserError]:
        return [problem for row in self.rows for problem in row.problems]


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader must know of the endpoint the tags are for.

    Attributes:
        namespaces: Namespace URIs by index, for OPC UA addresses in index form.
        notation: How Modbus addresses are written in the list, one of the driver's notations.
    """

    spec: Spec
    namespaces: Sequence[str] = ()
    notation: str = ""


@dataclass(frozen=True, slots=True)
class TagListFormat:
    """One format. ``read`` raises UserError for bytes that are no list of tags at all; bad rows are in the result."""

    key: str
    title: str
    suffixes: tuple[str, ...]
    read: Callable[[bytes, Context], TagList]


def edit_from_rows(project: Project, endpoint_id: str, rows: Iterable[TagRow], group: str = "") -> Edit:
    """The usable rows as new tags of an endpoint, all in one group: ``Import 12 tags``.

    A row whose name and address the endpoint has already (or an earlier row had) is left out, so that importing a list twice adds
    nothing.

    Raises:
        UserError: The project has no such endpoint or group.
    """
    present = {(tag.name, tag.address) for tag in project.tags_of(endpoint_id)} if project.get(Endpoint, endpoint_id) else set()
    drafts: list[TagDraft] = []
    for row in rows:
        if row.tag is not None and (row.tag.name, row.tag.address) not in present:
            present.add((row.tag.name, row.tag.address))
            drafts.append(replace(row.tag, group=group))
    return add_tags(project, endpoint_id, drafts, name=f"Import {counted([draft.name for draft in drafts])}")
