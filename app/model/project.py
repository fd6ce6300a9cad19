"""A project in memory: every element by kind and id, with the look-ups everybody needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as ReadOnly
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar, cast

from app.model.element import Element, Extended
from app.model.itmodel import Asset, AssetType, Attribute, Component, Place
from app.model.mapping import Delivery, Mapping
from app.model.plant import Endpoint, Group, Tag, Unit, WatchList
from app.model.reviewing import Approval, Comment, Suppression

E = TypeVar("E", bound=Element)
FORMAT: Final = 1


class ProjectInfo(Extended, frozen=True, kw_only=True, tag="tagloom"):
    """The header line: always the first. ``format`` is the version of the file format."""

    format: int = FORMAT
    name: str = ""
    description: str = ""


KINDS: Final[dict[str, type[Element]]] = {
    cast("str", kind.__struct_config__.tag): kind
    for kind in (
        ProjectInfo, Approval, Asset, AssetType, Attribute, Comment, Component, Delivery, Endpoint, Group,
        Mapping, Place, Suppression, Tag, Unit, WatchList,
    )
}  # fmt: skip
"""Every kind of element; "kind" in a file, and the name of the collection in an edit."""


def kind_of(element: Element) -> str:
    return cast("str", type(element).__struct_config__.tag)


class Change(NamedTuple):
    """One element before and after. None stands for "not there"; both are of ``kind`` and have ``id``."""

    kind: str
    id: str
    before: Element | None
    after: Element | None


class _Index:
    """Elements of one kind under a key, kept current from changes, never rebuilt."""

    def __init__(self, kind: str, keys: Callable[[Element], Iterable[object]]) -> None:
        self.kind, self._keys = kind, keys
        self._rows: dict[object, dict[str, Element]] = {}

    def move(self, before: Element | None, after: Element | None) -> None:
        if before is not None:
            for key in self._keys(before):
                rows = self._rows[key]
                del rows[before.id]
                if not rows:
                    del self._rows[key]
        if after is not None:
            for key in self._keys(after):
                self._rows.setdefault(key, {})[after.id] = after

    def get(self, key: object) -> list[Element]:
        return list(self._rows.get(key, {}).values())


class Project:
    """Every element of one project. Reading is free for all; only ``app.edits`` and ``app.projectfile`` call ``swap``.

    Not thread-safe: one thread (in the window, Qt's) owns it.
    """

    def __init__(self, info: ProjectInfo, elements: Iterable[Element] = ()) -> None:
        self._collections: dict[str, dict[str, Element]] = {kind: {} for kind in KINDS}
        self._indexes = {name: _Index(kind, keys) for name, (kind, keys) in _INDEXES.items()}
        self._by_kind: dict[str, list[_Index]] = {kind: [] for kind in KINDS}
        for index in self._indexes.values():
            self._by_kind[index.kind].append(index)
        self.revision = 0
        self.swap([Change(kind_of(element), element.id, None, element) for element in (info, *elements)])
        self.revision = 0

    def swap(self, changes: Sequence[Change]) -> None:
        """Put every ``after`` in the place of its ``before``; all or nothing.

        Raises:
            ValueError: A ``before`` is not what the project holds: the edit was made for another state.
        """
        staged: dict[tuple[str, str], Element | None] = {}
        for kind, id_, before, after in changes:
            held = staged.get((kind, id_), self._collections[kind].get(id_))
            if held != before:
                raise ValueError(f"{kind} {id_} is not as the edit expects it")
            if after is not None and (after.id != id_ or kind_of(after) != kind):
                raise ValueError(f"{kind} {id_} would become {kind_of(after)} {after.id}")
            staged[kind, id_] = after
        for kind, id_, before, after in changes:
            if after is None:
                self._collections[kind].pop(id_, None)
            else:
                self._collections[kind][id_] = after
            for index in self._by_kind[kind]:
                index.move(before, after)
        self.revision += 1

    @property
    def info(self) -> ProjectInfo:
        return cast("ProjectInfo", next(iter(self._collections["tagloom"].values())))

    def all(self, kind: type[E]) -> ReadOnly[str, E]:
        """A live, read-only view of one collection, by id."""
        return MappingProxyType(cast("dict[str, E]", self._collections[cast("str", kind.__struct_config__.tag)]))

    def get(self, kind: type[E], id_: str) -> E | None:
        return self.all(kind).get(id_)

    def elements(self) -> Iterable[Element]:
        """Every element, the header too, in no promised order."""
        for collection in self._collections.values():
            yield from collection.values()

    def element(self, id_: str) -> Element | None:
        """The element with this id, of whatever kind."""
        return next((rows[id_] for rows in self._collections.values() if id_ in rows), None)

    def ids(self) -> set[str]:
        return {id_ for collection in self._collections.values() for id_ in collection}

    # Look-ups. Each returns a new list in the order of insertion.
    def tags_of(self, endpoint: str) -> list[Tag]:
        return cast("list[Tag]", self._indexes["tags_of"].get(endpoint))

    def tags_at(self, endpoint: str, address: str) -> list[Tag]:
        return cast("list[Tag]", self._indexes["tags_at"].get((endpoint, address)))

    def units_of(self, endpoint: str) -> list[Unit]:
        return cast("list[Unit]", self._indexes["units_of"].get(endpoint))

    def attributes_of(self, asset_type: str) -> list[Attribute]:
        """Own attributes only; ``app.model.resolve`` adds the inherited and those of components."""
        return cast("list[Attribute]", self._indexes["attributes_of"].get(asset_type))

    def components_of(self, asset_type: str) -> list[Component]:
        return cast("list[Component]", self._indexes["components_of"].get(asset_type))

    def assets_of(self, asset_type: str) -> list[Asset]:
        return cast("list[Asset]", self._indexes["assets_of"].get(asset_type))

    def assets_at(self, place: str) -> list[Asset]:
        return cast("list[Asset]", self._indexes["assets_at"].get(place))

    def places_in(self, parent: str) -> list[Place]:
        return cast("list[Place]", self._indexes["places_in"].get(parent))

    def mappings_of(self, asset: str) -> list[Mapping]:
        return cast("list[Mapping]", self._indexes["mappings_of"].get(asset))

    def mappings_for(self, asset: str, attribute: str, within: tuple[str, ...] = ()) -> list[Mapping]:
        """Normally none or one; more is a finding (duplicate mapping)."""
        return cast("list[Mapping]", self._indexes["mappings_for"].get((asset, attribute, within)))

    def mappings_from(self, tag: str) -> list[Mapping]:
        return cast("list[Mapping]", self._indexes["mappings_from"].get(tag))

    def approvals_about(self, id_: str) -> list[Approval]:
        return cast("list[Approval]", self._indexes["approvals_about"].get(id_))

    def comments_about(self, id_: str) -> list[Comment]:
        return cast("list[Comment]", self._indexes["comments_about"].get(id_))

    def suppressions_about(self, id_: str) -> list[Suppression]:
        return cast("list[Suppression]", self._indexes["suppressions_about"].get(id_))

    def delivery_for(self, asset_type: str) -> Delivery:
        """The override of the type, else the project's default, else the built-in default (id ``""``, not an element of the project)."""
        for key in (asset_type, ""):
            if found := self._indexes["deliveries_of"].get(key):
                return cast("Delivery", found[0])
        return Delivery(id="")


def _index(kind: type[E], keys: Callable[[E], Iterable[object]]) -> tuple[str, Callable[[Element], Iterable[object]]]:
    return cast("str", kind.__struct_config__.tag), cast("Callable[[Element], Iterable[object]]", keys)


_INDEXES: Final = {
    "tags_of": _index(Tag, lambda tag: [tag.endpoint]),
    "tags_at": _index(Tag, lambda tag: [(tag.endpoint, tag.address)]),
    "units_of": _index(Unit, lambda unit: [unit.endpoint]),
    "attributes_of": _index(Attribute, lambda attribute: [attribute.asset_type]),
    "components_of": _index(Component, lambda component: [component.asset_type]),
    "assets_of": _index(Asset, lambda asset: [asset.asset_type]),
    "assets_at": _index(Asset, lambda asset: [asset.place]),
    "places_in": _index(Place, lambda place: [place.parent]),
    "mappings_of": _index(Mapping, lambda mapping: [mapping.asset]),
    "mappings_for": _index(Mapping, lambda mapping: [(mapping.asset, mapping.attribute, mapping.within)]),
    "mappings_from": _index(Mapping, lambda mapping: dict.fromkeys(mapping.sources)),
    "approvals_about": _index(Approval, lambda approval: [approval.about]),
    "comments_about": _index(Comment, lambda comment: [comment.about]),
    "suppressions_about": _index(Suppression, lambda suppression: [suppression.about]),
    "deliveries_of": _index(Delivery, lambda delivery: [delivery.asset_type]),
}
