"""*Make asset type from this*: an OPC UA object, or Modbus rows, become type + asset + tags + mappings, as one undoable edit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.drivers.base import NodeDetails
from app.edits import Edit, create
from app.edits.naming import free_name
from app.errors import UserError
from app.model.element import Element
from app.model.ids import make_id
from app.model.itmodel import Asset, AssetType, Attribute
from app.model.mapping import Mapping
from app.model.plant import Tag
from app.model.project import Project
from app.model.resolve import attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What was selected and what it becomes.

    Attributes:
        nodes: The variables, in the order shown. Those with ``error`` or without a usable type are left out and reported.
        root_path: Path of the selected object; what stands below it in a node's path names the attribute.
        place: Id of the place of the new asset, "" for none.
        group: Id of the group of new tags.
    """

    endpoint: str
    nodes: Sequence[NodeDetails]
    root_path: str
    type_name: str
    asset_name: str
    place: str = ""
    group: str = ""


def edit_from_selection(project: Project, selection: Selection) -> tuple[Edit, list[str]]:
    """The edit, and a sentence for every node that was left out.

    A source that is a tag already is used as it is. An asset type of this name is used when it has every attribute, itself, from
    a type it extends, or in a component (so the second filler becomes a second asset of one type).

    Raises:
        UserError: No usable variable, a type of this name with other attributes, or a name that is missing or taken.
    """
    usable = list({node.id: node for node in selection.nodes if node.type and not node.error}.values())
    skipped = [f"{node.name or node.id}: {node.error or 'its type is unknown'}" for node in selection.nodes if node.error or not node.type]
    if not usable:
        why = "no variable with a known type is in the selection" + (f" ({skipped[0]})" if skipped else "")
        raise UserError(
            "No asset type made", where=selection.root_path or selection.asset_name, why=why, fix="Select an object or variables"
        )
    return _Builder(project, selection, usable).edit(), skipped


class _Builder:
    def __init__(self, project: Project, selection: Selection, nodes: Sequence[NodeDetails]) -> None:
        self._project, self._selection, self._nodes = project, selection, nodes
        self._taken = project.ids()
        self._made: list[Element] = []

    def edit(self) -> Edit:
        names = _attribute_names(self._nodes, self._selection.root_path)
        asset_name = free_name("asset", self._selection.asset_name, self._project.assets_at(self._selection.place))
        type_id, targets = self._type(names)
        asset = Asset(
            id=self._id("asset", self._selection.place, asset_name),
            name=asset_name,
            asset_type=type_id,
            place=self._selection.place,
        )
        self._made.append(asset)
        for name, node in zip(names, self._nodes, strict=True):
            tag = self._tag(node, name)
            mapping_id = self._id("mapping", asset.id, name, tag)
            attribute, within = targets[name]
            self._made.append(Mapping(id=mapping_id, asset=asset.id, attribute=attribute, within=within, sources=(tag,)))
        return create(f"Make {self._selection.type_name} from {asset_name}", self._made)

    def _id(self, kind: str, parent: str, name: str, address: str = "") -> str:
        made = make_id(kind, parent, name, address, taken=self._taken)
        self._taken.add(made)
        return made

    def _type(self, names: Sequence[str]) -> tuple[str, dict[str, tuple[str, tuple[str, ...]]]]:
        """Id of the type, and for each name the attribute and the components that lead to it."""
        wanted = free_name("asset type", self._selection.type_name, ())
        existing = next((type_ for type_ in self._project.all(AssetType).values() if type_.name == wanted), None)
        if existing is not None:
            known = {row.path: (row.attribute.id, row.within) for row in attributes(self._project, existing.id)}
            missing = [name for name in names if name not in known]
            if missing:
                why = f"the asset type {wanted} exists and has no attribute {', '.join(missing[:5])}"
                raise UserError("No asset type made", where=wanted, why=why, fix="Choose another name for the type")
            return existing.id, known
        type_id = self._id("assettype", "", wanted)
        self._made.append(AssetType(id=type_id, name=wanted))
        made: dict[str, tuple[str, tuple[str, ...]]] = {}
        for name, node in zip(names, self._nodes, strict=True):
            id_ = self._id("attribute", type_id, name)
            made[name] = (id_, ())
            self._made.append(_attribute(id_, type_id, name, node))
        return type_id, made

    def _tag(self, node: NodeDetails, name: str) -> str:
        existing = self._project.tags_at(self._selection.endpoint, node.id)
        if existing:
            return existing[0].id
        tag_name = f"{self._selection.asset_name}/{name}"
        tag_id = self._id("tag", self._selection.endpoint, tag_name, node.id)
        self._made.append(
            Tag(
                id=tag_id,
                endpoint=self._selection.endpoint,
                address=node.id,
                name=tag_name,
                group=self._selection.group,
                type=node.type,
                path=node.path,
                unit=node.unit,
                low=node.low,
                high=node.high,
                enum=node.enum,
                access="rw" if node.access == "rw" else "r",
                description=node.description,
            )
        )
        return tag_id


def _attribute(id_: str, type_id: str, name: str, node: NodeDetails) -> Attribute:
    data_type = "enum" if node.enum and not node.type.endswith("[]") else node.type
    return Attribute(
        id=id_,
        asset_type=type_id,
        name=name,
        data_type=data_type,
        unit=node.unit,
        low=node.low,
        high=node.high,
        enum=node.enum,
        description=node.description,
    )


def _attribute_names(nodes: Sequence[NodeDetails], root_path: str) -> list[str]:
    """The last part of each path; where two are equal, what stands below the selected object, joined by dots."""
    last = [node.name or node.id for node in nodes]
    names: list[str] = []
    for node, short in zip(nodes, last, strict=True):
        below = node.path.removeprefix(root_path).strip("/")
        name = below.replace("/", ".") if last.count(short) > 1 and below else short
        unique, number = name, 2
        while unique in names:
            unique, number = f"{name} {number}", number + 1
        names.append(unique)
    return names
