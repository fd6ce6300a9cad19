"""A list beside the tags that an endpoint has: what is new, what changed, what is the same, what the list no longer holds; and one edit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from app.drivers.modbus.address import parse
from app.edits import Edit
from app.edits.removal import remove
from app.edits.tags import TagDraft, add_tags, counted
from app.errors import UserError
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Change, Project
from app.taglists.base import TagRow
from app.taglists.unit_orders import settled, with_orders

_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "address": ("address", "type"), "type": ("address", "type"), "order": ("address",), "length": ("address", "type"),
    "bit": ("address", "type"), "gain": ("gain",), "divisor": ("gain",), "offset": ("offset",), "unit": ("unit", "gain"),
    "low": ("low", "high"), "high": ("low", "high"), "range": ("low", "high", "enum"), "enum": ("enum",), "access": ("access",),
    "function": ("access",), "description": ("description",),
}  # fmt: skip
"""Meaning of a column → fields of a tag that it says something about."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A tag that the list describes in another way: field → (as it is, as the list says)."""

    tag: Tag
    row: TagRow
    fields: tuple[tuple[str, str, str], ...]

    @property
    def text(self) -> str:
        """``gain 0.1 → 0.01, unit V → kV``."""
        return ", ".join(f"{name} {before or 'nothing'} → {after or 'nothing'}" for name, before, after in self.fields)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What importing a list would do to an endpoint.

    Attributes:
        new: Rows for which there is no tag.
        changed: Rows whose tag is there, with other fields. Names and groups are a person's own and are never compared.
        same: Rows whose tag is there as the list says, and rows that stand in the list twice.
        gone: Tags of the same units and tables for which the list has no row, where it holds at least half of them: a shorter list is
            no newer issue of what is there, but something else.
        orders: Unit id → byte order that would become the unit's.
    """

    endpoint: str
    new: tuple[TagRow, ...] = ()
    changed: tuple[Changed, ...] = ()
    same: tuple[TagRow, ...] = ()
    gone: tuple[Tag, ...] = ()
    orders: tuple[tuple[int, str], ...] = ()

    @property
    def state_of(self) -> dict[int, str]:
        """id() of a row → ``new``, ``changed`` or ``same``; for showing it beside the row."""
        found = {id(row): "new" for row in self.new} | {id(row): "same" for row in self.same}
        return found | {id(change.row): "changed" for change in self.changed}


def compare(project: Project, endpoint_id: str, rows: Iterable[TagRow], stated: Iterable[str] = ()) -> Comparison:
    """Compare the usable rows with the tags of an endpoint.

    A row and a tag are one where their registers are the same, or else where their name is and neither has another partner.

    Args:
        project: Where the endpoint is.
        endpoint_id: Whose tags.
        rows: Of the list; bad ones are left out.
        stated: Meanings of the columns that the list has; a field about which it says nothing is not compared.

    Raises:
        UserError: The project has no such endpoint.
    """
    endpoint = project.get(Endpoint, endpoint_id)
    if endpoint is None:
        raise UserError("Cannot import", where=endpoint_id, why="the project has no such endpoint", fix="Add the endpoint first")
    good, orders = settled(project, endpoint, [row for row in rows if row.tag is not None])
    tags = project.tags_of(endpoint_id)
    partners = _partners(good, tags)
    fields = [name for name in _ORDER if name in {field for meaning in stated for field in _FIELDS.get(meaning, ())}]
    new: list[TagRow] = []
    same: list[TagRow] = []
    changed: list[Changed] = []
    for at, row in enumerate(good):
        assert row.tag is not None
        tag = partners.get(at)
        if tag is None:
            new.append(row)
        elif differences := _differences(tag, row.tag, fields):
            changed.append(Changed(tag, row, differences))
        else:
            same.append(row)
    new, again = _once(new)
    held = {tag.id for tag in partners.values()}
    areas = {_area(row.tag.address) for row in good if row.tag is not None}
    within = [tag for tag in tags if _area(tag.address) in areas]
    gone = [tag for tag in within if tag.id not in held] if len(held) * 2 >= len(within) else []
    return Comparison(endpoint_id, tuple(new), tuple(changed), tuple(same + again), tuple(gone), tuple(sorted(orders.items())))


def edit_of(project: Project, found: Comparison, *, group: str = "", update: bool = True, remove_gone: bool = False) -> Edit:
    """All of it as one edit, which one undo takes back: ``Import 587 tags``.

    Args:
        project: As it was compared with.
        found: The comparison.
        group: For new tags; the others keep theirs.
        update: Whether tags that changed become as the list says.
        remove_gone: Whether tags that the list no longer holds go, with the mappings they feed.

    Raises:
        UserError: The project has no such endpoint or group.
    """
    endpoint = project.get(Endpoint, found.endpoint)
    if endpoint is None or (group and project.get(Group, group) is None):
        what = "endpoint" if endpoint is None else "group"
        raise UserError("Cannot import", where=found.endpoint, why=f"the project has no such {what}", fix=f"Add the {what} first")
    drafts = [msgspec.structs.replace(row.tag, group=group) for row in found.new if row.tag is not None]
    edit = add_tags(project, found.endpoint, drafts) if drafts else Edit("", ())
    parts = [f"Import {counted([draft.name for draft in drafts])}"] if drafts else []
    if update and found.changed:
        names = [change.tag.name for change in found.changed]
        edit = edit.then(Edit("", tuple(_update(change) for change in found.changed)))
        parts.append(f"update {counted(names)}")
    if remove_gone and found.gone:
        edit = edit.then(remove("", project, [tag.id for tag in found.gone]))
        parts.append(f"remove {counted([tag.name for tag in found.gone])}")
    if parts and found.orders:
        edit = with_orders(project, endpoint, edit, dict(found.orders))
    name = ", ".join(parts)
    return Edit(name[:1].upper() + name[1:], edit.changes)


_ORDER: Final = ("address", "type", "gain", "offset", "unit", "low", "high", "enum", "access", "description")


def _partners(rows: Sequence[TagRow], tags: Sequence[Tag]) -> dict[int, Tag]:
    """Index of a row → its tag; each tag has one row at most."""
    by_point: dict[str, list[Tag]] = {}
    by_name: dict[str, list[Tag]] = {}
    for tag in tags:
        by_point.setdefault(_point(tag.address), []).append(tag)
        by_name.setdefault(tag.name, []).append(tag)
    found: dict[int, Tag] = {}
    taken: set[str] = set()
    for named in (True, False):  # of several tags at one point, the one of the same name first
        for at, row in enumerate(rows):
            if at in found or row.tag is None:
                continue
            free = [tag for tag in by_point.get(_point(row.tag.address), []) if tag.id not in taken]
            mine = next((tag for tag in free if tag.name == row.tag.name), None) if named else next(iter(free), None)
            if mine is not None:
                found[at] = mine
                taken.add(mine.id)
    names = Counter(row.tag.name for row in rows if row.tag is not None)
    for at, row in enumerate(rows):
        if at in found or row.tag is None or names[row.tag.name] > 1:
            continue
        free = [tag for tag in by_name.get(row.tag.name, []) if tag.id not in taken]
        if len(free) == 1 and len(by_name[row.tag.name]) == 1:
            found[at] = free[0]
            taken.add(free[0].id)
    return found


def _differences(tag: Tag, draft: TagDraft, fields: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (name, _shown(getattr(tag, name)), _shown(getattr(draft, name)))
        for name in fields
        if getattr(tag, name) != (dict(draft.enum) if name == "enum" else getattr(draft, name))
    )


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{number}={name}" for number, name in value.items())
    return f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)


def _update(change: Changed) -> Change:
    draft = change.row.tag
    assert draft is not None
    values = {name: dict(draft.enum) if name == "enum" else getattr(draft, name) for name, _, _ in change.fields}
    return Change("tag", change.tag.id, change.tag, msgspec.structs.replace(change.tag, **values))


def _once(rows: Sequence[TagRow]) -> tuple[list[TagRow], list[TagRow]]:
    """Rows by name and address; those that stand in the list before."""
    seen: set[tuple[str, str]] = set()
    fresh: list[TagRow] = []
    again: list[TagRow] = []
    for row in rows:
        assert row.tag is not None
        key = (row.tag.name, row.tag.address)
        (again if key in seen else fresh).append(row)
        seen.add(key)
    return fresh, again


def _point(address: str) -> str:
    """Where it is, without type and order; an address of another driver is its own point."""
    try:
        return parse(address).point
    except UserError:
        return address


def _area(address: str) -> str:
    """Unit and table, within which a list is taken to be complete; OPC UA addresses are all of one."""
    try:
        found = parse(address)
    except UserError:
        return ""
    return f"{found.unit}/{found.table}"
