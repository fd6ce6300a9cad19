"""A project in memory: every element by kind and id, with the look-ups everybody needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as ReadOnly
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar, cast

import msgspec

from app.model.element import Element, Extended
from app.model.itmodel import Asset, AssetType, Attribute, Component, Place
from app.model.mapping import Delivery, Mapping
from app.model.plant import Endpoint, Group, Tag, Unit, WatchList
from app.model.references import targets
from app.model.reviewing import Approval, Comment, Suppression

E = TypeVar("E", bound=Element)
FORMAT: Final = 1


class ProjectInfo(Extended, frozen=True, kw_only=True, tag="tagloom"):
    """The header line: always the first.

    Attributes:
        format: Version of the file format. Made by a factory, so that it is always written: the default of a later release
            must not be read into a file of this one.
    """

    format: int = msgspec.field(default_factory=lambda: FORMAT)
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

_KIND_NAMES: Final = {kind: name for name, kind in KINDS.items()}
_FILE_ORDER: Final = ("tagloom", *sorted(set(KINDS) - {"tagloom"}))


def kind_of(element: Element) -> str:
    return _KIND_NAMES[type(element)]


class Change(NamedTuple):
    """One element before and after. None stands for "not there"; both are of ``kind`` and have ``id``."""

    kind: str
    id: str
    before: Element | None
    after: Element | None


class _Index:
    """Elements under a key. Built when it is first asked, then kept current from changes, never rebuilt."""

    def __init__(self, elements: Callable[[], Iterable[Element]], keys: Callable[[Element], Iterable[object]]) -> None:
        self._elements, self._keys = elements, keys
        self._rows: dict[object, dict[str, Element]] | None = None

    def move(self, before: Element | None, after: Element | None) -> None:
        if self._rows is None:
            return
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
        if self._rows is None:
            self._rows = {}
            for element in self._elements():
                self.move(None, element)
        rows = self._rows.get(key, {})
        return [rows[id_] for id_ in sorted(rows)]


class Project:
    """Every element of one project. Reading is free for all; only ``app.edits`` and ``app.projectfile`` call ``swap``.

    Collections and look-ups are in the order of ids, so that a project gives the same results whether it was edited into
    its state or read from a file. There is exactly one header, and no id stands for two elements, of whatever kinds.
    Not thread-safe: one thread (in the window, Qt's) owns it.
    """

    def __init__(self, info: ProjectInfo, elements: Iterable[Element] = ()) -> None:
        """Raises ``ValueError`` for an id given twice and for a second header."""
        self._collections: dict[str, dict[str, Element]] = {kind: {} for kind in KINDS}
        self._kind_of_id: dict[str, str] = {}
        self._unsorted: set[str] = set()
        for element in (info, *elements):
            kind = kind_of(element)
            if element.id in self._kind_of_id:
                raise ValueError(f"{kind} {element.id}: the id is taken by a {self._kind_of_id[element.id]}")
            self._kind_of_id[element.id] = kind
            self._collections[kind][element.id] = element
        if len(self._collections["tagloom"]) != 1:
            raise ValueError("a project has one header")
        self._unsorted.update(KINDS)
        self._indexes: dict[str, _Index] = {}
        self._by_kind: dict[str, list[_Index]] = {kind: [] for kind in KINDS}
        for name, (of_kind, keys) in _INDEXES.items():
            self._indexes[name] = index = _Index(self._collections[of_kind].values, keys)
            self._by_kind[of_kind].append(index)
        self._referrers = _Index(self.elements, lambda element: dict.fromkeys(id_ for _, id_ in targets(element)))
        self.revision = 0

    def swap(self, changes: Sequence[Change]) -> None:
        """Put every ``after`` in the place of its ``before``; all or nothing.

        Raises:
            ValueError: A ``before`` is not what the project holds: the edit was made for another state. Or an id would stand
                for two elements, or there would not be exactly one header.
        """
        self._require_fit(changes)
        for kind, id_, before, after in changes:
            rows = self._collections[kind]
            if after is None:
                rows.pop(id_, None)
                if self._kind_of_id.get(id_) == kind:
                    del self._kind_of_id[id_]
            else:
                if id_ not in rows:
                    self._unsorted.add(kind)
                rows[id_] = after
                self._kind_of_id[id_] = kind
            for index in self._by_kind[kind]:
                index.move(before, after)
            self._referrers.move(before, after)
        self.revision += 1

    def _require_fit(self, changes: Sequence[Change]) -> None:
        staged: dict[tuple[str, str], Element | None] = {}
        for kind, id_, before, after in changes:
            held = staged[kind, id_] if (kind, id_) in staged else self._collections[kind].get(id_)
            if held != before:
                raise ValueError(f"{kind} {id_} is not as the edit expects it")
            if after is not None and (after.id != id_ or kind_of(after) != kind):
                raise ValueError(f"{kind} {id_} would become {kind_of(after)} {after.id}")
            staged[kind, id_] = after
        claimed: dict[str, str] = {}
        for (kind, id_), after in staged.items():
            if after is not None:
                other = claimed.setdefault(id_, kind)
                holder = self._kind_of_id.get(id_, kind)
                if other != kind or (holder != kind and staged.get((holder, id_), after) is not None):
                    raise ValueError(f"{kind} {id_}: the id is taken by a {other if other != kind else holder}")
        headers = {id_: after is not None for (kind, id_), after in staged.items() if kind == "tagloom"}
        if headers and sum({**dict.fromkeys(self._collections["tagloom"], True), **headers}.values()) != 1:
            raise ValueError("a project has one header")

    @property
    def info(self) -> ProjectInfo:
        return cast("ProjectInfo", next(iter(self._collections["tagloom"].values())))

    def all(self, kind: type[E]) -> ReadOnly[str, E]:
        """A live, read-only view of one collection, by id, in the order of ids."""
        return MappingProxyType(cast("dict[str, E]", self._sorted(_KIND_NAMES[kind])))

    def _sorted(self, kind: str) -> dict[str, Element]:
        rows = self._collections[kind]
        if kind in self._unsorted:
            in_order = sorted(rows.items())
            rows.clear()
            rows.update(in_order)
            self._unsorted.discard(kind)
        return rows

    def get(self, kind: type[E], id_: str) -> E | None:
        return cast("E | None", self._collections[_KIND_NAMES[kind]].get(id_))

    def elements(self) -> Iterator[Element]:
        """Every element: the header first, then by kind and id, as in the file."""
        for kind in _FILE_ORDER:
            yield from self._sorted(kind).values()

    def element(self, id_: str) -> Element | None:
        """The element with this id, of whatever kind."""
        kind = self._kind_of_id.get(id_)
        return None if kind is None else self._collections[kind][id_]

    def ids(self) -> set[str]:
        return set(self._kind_of_id)

    def __contains__(self, id_: object) -> bool:
        """Whether an element has this id; so a project can be given to ``make_id`` as ``taken``."""
        return id_ in self._kind_of_id

    def kinds_of_ids(self) -> ReadOnly[str, str]:
        """A live, read-only view: the kind of every id."""
        return MappingProxyType(self._kind_of_id)

    def referrers(self, id_: str) -> list[Element]:
        """Every element that names this id in one of its fields (``app.model.references``), whether the id exists or not."""
        return self._referrers.get(id_)

    # Look-ups. Each returns a new list in the order of ids.
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
