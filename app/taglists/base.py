"""What comes out of a list: one row per tag, each usable or with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from msgspec import structs

from app.drivers.base import Spec
from app.edits import Edit
from app.edits.tags import TagDraft, add_tags, counted
from app.errors import UserError
from app.model.plant import Endpoint
from app.model.project import Project
from app.taglists.numbering import Numbering
from app.taglists.table import Skipped


@dataclass(frozen=True, slots=True)
class TagRow:
    """One row of a list.

    Attributes:
        line: Where it begins in its source, counted from 1 (in a workbook: the row of its sheet).
        tag: What can be imported; None where there are problems.
        problems: Everything that is wrong, each with its place in the source in ``where``.
        marks: What a person should know of a usable row: that its name or address stands in the list before, that it overlaps another,
            what was concluded where the list leaves something open.
        cells: The row as it was written, meaning of the column → text, for showing it beside its problems.
        place: As a person is told it: ``line 12``, ``Inverter, row 12``.
        order: Byte order that the row states, "" for none; in the tag's address only where it is not made the unit's.
    """

    line: int
    tag: TagDraft | None
    problems: tuple[UserError, ...] = ()
    marks: tuple[str, ...] = ()
    cells: tuple[tuple[str, str], ...] = ()
    place: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class TagList:
    """A list as it was read, rows in its order.

    Attributes:
        ignored: Headings of columns that were not used.
        skipped: Pieces that are no rows of the list, each with the reason.
        numbering: How addresses were read; open where a person must say the base.
        stated: Fields of a tag that the list says something about; a comparison looks at no others.
        notes: What was concluded for the list as a whole.
    """

    rows: tuple[TagRow, ...]
    ignored: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    numbering: Numbering = field(default_factory=lambda: Numbering(base=0))
    stated: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def good(self) -> list[TagRow]:
        return [row for row in self.rows if row.tag is not None]

    @property
    def problems(self) -> list[UserError]:
        return [problem for row in self.rows for problem in row.problems]


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader must know of the endpoint the tags are for, and what a person said of the list.

    Attributes:
        namespaces: Namespace URIs by index, for OPC UA addresses in index form.
        notation: How Modbus addresses are written: ``plain``, ``modicon``, ``hex``, ``one-based`` (plain, counted from 1); "" finds out.
        base: Number of the first register, 0 or 1; None finds out.
        unit: Unit id for rows that state none; None leaves it to the endpoint's URL.
        table: Table of rows for which neither address, column nor section names one.
    """

    spec: Spec
    namespaces: Sequence[str] = ()
    notation: str = ""
    base: int | None = None
    unit: int | None = None
    table: str = "holding"


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
            drafts.append(structs.replace(row.tag, group=group))
    return add_tags(project, endpoint_id, drafts, name=f"Import {counted([draft.name for draft in drafts])}")
