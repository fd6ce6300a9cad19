"""What an IT model format is: bytes in, asset types with attributes out, with what could not be carried over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app.edits import Edit, create
from app.errors import UserError
from app.model.element import Element
from app.model.ids import make_id
from app.model.itmodel import AssetType, Attribute, Component
from app.model.project import Project


@dataclass(slots=True)
class TypeDraft:
    """An asset type as a format states it, before it has ids.

    Attributes:
        extends: Name of another draft or of a type in the project, "" for none.
        attributes: Fields of ``Attribute`` other than ids; ``name`` and ``data_type`` at least.
        components: (name, type name, description).
    """

    name: str
    fields: dict[str, object] = field(default_factory=dict)
    extends: str = ""
    attributes: list[dict[str, object]] = field(default_factory=list)
    components: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(slots=True)
class ReadModel:
    """What a file of a format says.

    Attributes:
        types: In the order of the file.
        losses: Sentences, each with its place: what the format says and an asset type cannot.
    """

    types: list[TypeDraft] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Format:
    """One IT model format. ``read`` raises UserError (or CollectedError with every problem) for bytes it cannot use."""

    key: str
    title: str
    suffixes: tuple[str, ...]
    read: Callable[[bytes, str], ReadModel]


def edit_from_model(project: Project, model: ReadModel, source: str) -> Edit:
    """All types of a read model as one edit.

    Raises:
        UserError: A type of that name is in the project already, or a name points nowhere.
    """
    known = {type_.name: type_.id for type_ in project.all(AssetType).values()}
    taken = project.ids()
    clash = [draft.name for draft in model.types if draft.name in known]
    if clash:
        raise UserError(
            "Nothing was imported",
            where=source,
            why=f"asset types of these names exist already: {', '.join(clash)}",
            fix="Rename or remove them first",
        )
    ids: dict[str, str] = dict(known)
    for draft in model.types:
        ids[draft.name] = make_id("assettype", "", draft.name, source, taken=taken)
        taken.add(ids[draft.name])
    made: list[Element] = []
    for draft in model.types:
        made += _elements(draft, ids, taken, source)
    count = len(model.types)
    return create(f"Import {count} asset type{'' if count == 1 else 's'}", made)


def _elements(draft: TypeDraft, ids: dict[str, str], taken: set[str], source: str) -> list[Element]:
    pointers = [("extends", draft.extends), *((f"component {name}", type_) for name, type_, _ in draft.components)]
    missing = [f"{role}: {name}" for role, name in pointers if name and name not in ids]
    if missing:
        raise UserError(
            "Nothing was imported",
            where=f"{source}: {draft.name}",
            why=f"no asset type of that name: {', '.join(missing)}",
            fix="Import it too",
        )
    own = ids[draft.name]
    made: list[Element] = [AssetType(id=own, name=draft.name, extends=ids.get(draft.extends, ""), **draft.fields)]  # type: ignore[arg-type]  # validated by the format
    for fields in draft.attributes:
        id_ = make_id("attribute", own, str(fields["name"]), taken=taken)
        taken.add(id_)
        made.append(Attribute(id=id_, asset_type=own, **fields))  # type: ignore[arg-type]  # validated by the format
    for name, type_, description in draft.components:
        id_ = make_id("component", own, name, taken=taken)
        taken.add(id_)
        made.append(Component(id=id_, asset_type=own, name=name, type=ids[type_], description=description))
    return made
