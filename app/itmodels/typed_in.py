"""An asset type as a person fills it in, cell by cell, and the one edit that makes the project like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from app.edits import Edit
from app.edits.edit import create, replace, with_fields
from app.edits.naming import free_name
from app.edits.removal import remove
from app.errors import CollectedError, UserError
from app.itmodels.base import ReadModel, TypeDraft
from app.itmodels.csv_attributes import attribute_fields
from app.model.element import Element
from app.model.ids import make_id
from app.model.itmodel import AssetType, Attribute, Component
from app.model.project import Project

CELLS: Final = ("name", "data_type", "unit", "low", "high", "required", "enum", "description")
"""What is typed about one attribute; ``enum`` as ``0=CLOSED|1=OPEN``, ``required`` as yes or nothing, ``unit`` as code or symbol."""


@dataclass(frozen=True, slots=True)
class TypedAttribute:
    """One row. ``id`` is that of the attribute it was read from, "" for a new one."""

    cells: dict[str, str]
    id: str = ""


@dataclass(frozen=True, slots=True)
class TypedComponent:
    """One part; ``type`` is the id of its asset type."""

    name: str
    type: str
    description: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedType:
    """The whole form; ``extends`` is an id. Rows in which nothing is filled in count as none."""

    name: str
    title: str = ""
    version: str = ""
    extends: str = ""
    description: str = ""
    attributes: Sequence[TypedAttribute] = ()
    components: Sequence[TypedComponent] = ()


def edit_of_type(project: Project, asset_type: str, typed: TypedType) -> Edit:
    """Make the asset type (a new one for "") what was typed; attributes and components that are not in the form go.

    What the form does not show (titles, semantic ids, extensions) stays. An attribute that was renamed keeps its id, and so
    its mappings.

    Raises:
        CollectedError: Every cell that is wrong, each with its row; nothing is done then.
    """
    return _Maker(project, asset_type, typed).edit()


def enum_text(enum: dict[str, str]) -> str:
    """``0=CLOSED|1=OPEN``."""
    return "|".join(f"{number}={name}" for number, name in enum.items())


@dataclass(slots=True)
class _Maker:
    project: Project
    asset_type: str
    typed: TypedType
    problems: list[UserError] = field(default_factory=list)

    def edit(self) -> Edit:
        held = self.project.get(AssetType, self.asset_type)
        own = self._own(held)
        attributes = self._attributes(own.id)
        components = self._components(own.id)
        if self.problems:
            what = f"{'Asset type not changed' if held else 'No asset type made'}: {len(self.problems)} to correct"
            raise CollectedError(what, where=self.typed.name or "Asset type", problems=self.problems)
        if held is None:
            return create(f"Add asset type {own.name}", [own, *attributes, *components])
        kept = {element.id for element in (*attributes, *components)}
        before: list[Element] = [*self.project.attributes_of(own.id), *self.project.components_of(own.id)]
        gone = [element.id for element in before if element.id not in kept]
        name = f"Change asset type {own.name}"
        return replace(name, self.project, [own, *attributes, *components]).then(remove(name, self.project, gone))

    def _own(self, held: AssetType | None) -> AssetType:
        typed, name = self.typed, self.typed.name.strip()
        try:
            name = free_name("asset type", name, self.project.all(AssetType).values(), but=self.asset_type)
        except UserError as error:
            self._wrong("Name", error.why, error.fix)
        if held is not None and self._reaches(typed.extends, held.id):
            self._wrong("Extends", "it would inherit from itself", "Choose another type")
        base = held or AssetType(id=make_id("assettype", "", name or "x", taken=self.project), name=name)
        texts = {"title": typed.title.strip(), "version": typed.version.strip(), "description": typed.description.strip()}
        return msgspec.structs.replace(base, name=name, extends=typed.extends, **texts)

    def _reaches(self, start: str, wanted: str) -> bool:
        """Whether ``wanted`` is ``start`` or something that it extends or contains, as the project is now."""
        waiting, seen = [start], set[str]()
        while waiting:
            current = waiting.pop()
            if current == wanted:
                return True
            if not current or current in seen:
                continue
            seen.add(current)
            waiting += [part.type for part in self.project.components_of(current)]
            type_ = self.project.get(AssetType, current)
            waiting += [type_.extends] if type_ and type_.extends else []
        return False

    def _attributes(self, own: str) -> list[Attribute]:
        made: list[Attribute] = []
        taken = self.project.ids()
        draft = TypeDraft(self.typed.name.strip() or "the type")
        for number, row in enumerate(self.typed.attributes, 1):
            cells = {name: row.cells.get(name, "").strip() for name in CELLS}
            if not any(cells.values()):
                continue
            where = f"Row {number}" + (f", {cells['name']}" if cells["name"] else "")
            notes = ReadModel()
            try:
                fields = attribute_fields(cells, where, draft, notes)
            except UserError as error:
                self._wrong(where, error.why, error.fix)
                continue
            draft.attributes.append(fields)
            if notes.losses:
                self._wrong(where, f"{cells['unit']!r} is not clearly a unit", "Choose one from the list")
            made.append(self._attribute(own, row.id, fields, where, taken))
        return made

    def _attribute(self, own: str, id_: str, fields: dict[str, object], where: str, taken: set[str]) -> Attribute:
        name, data_type = str(fields["name"]), str(fields["data_type"])
        held = self.project.get(Attribute, id_)
        if held is None:
            held = Attribute(id=make_id("attribute", own, name, taken=taken), asset_type=own, name=name, data_type=data_type)
            taken.add(held.id)
        plain: dict[str, object] = {"unit": "", "low": None, "high": None}
        changed = with_fields(held, **(plain | fields))
        if changed.low is not None and changed.high is not None and changed.low >= changed.high:
            self._wrong(where, f"the range {changed.low:g}…{changed.high:g} is empty or upside down", "Correct low and high")
        return changed

    def _components(self, own: str) -> list[Component]:
        made: list[Component] = []
        taken, names = self.project.ids(), set[str]()
        for number, part in enumerate(self.typed.components, 1):
            name, where = part.name.strip(), f"Component {number}" + (f", {part.name.strip()}" if part.name.strip() else "")
            if not name and not part.type:
                continue
            if not name or name in names:
                self._wrong(where, "another component has this name" if name else "it has no name", "Give it a name of its own")
                continue
            names.add(name)
            if self.project.get(AssetType, part.type) is None:
                self._wrong(where, "it has no asset type", "Choose one")
                continue
            if self.asset_type and self._reaches(part.type, self.asset_type):
                self._wrong(where, "it would contain itself", "Choose another asset type")
                continue
            held = self.project.get(Component, part.id)
            if held is None:
                held = Component(id=make_id("component", own, name, taken=taken), asset_type=own, name=name, type=part.type)
                taken.add(held.id)
            made.append(msgspec.structs.replace(held, name=name, type=part.type, description=part.description.strip()))
        return made

    def _wrong(self, where: str, why: str, fix: str) -> None:
        self.problems.append(UserError("Not taken", where=where, why=why, fix=fix))
