"""Which field of which element names another element: the one table that strict reading, edits and removal share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, cast

from app.model.element import Element
from app.model.itmodel import Asset, AssetType, Attribute, Component, Place
from app.model.mapping import Delivery
from app.model.mapping import Mapping as TagMapping
from app.model.plant import Endpoint, Group, Tag, Unit, WatchList
from app.model.reviewing import Approval, Comment, Suppression


class Reference(NamedTuple):
    """One field that holds ids.

    Attributes:
        many: The field is a tuple of ids; otherwise it is one id, "" for none where ``optional``.
        to: Kinds the ids may be of; empty for any.
        on_removal: What becomes of the element when what it names is removed: it goes too, or the field is emptied
            (of a tuple, only the removed id is taken out).
    """

    field: str
    to: tuple[type[Element], ...]
    on_removal: Literal["remove", "clear"] = "remove"
    optional: bool = False
    many: bool = False


REFERENCES: Final[dict[type[Element], tuple[Reference, ...]]] = {
    Approval: (Reference("about", (TagMapping, Delivery)),),
    Asset: (Reference("asset_type", (AssetType,)), Reference("place", (Place,), optional=True)),
    AssetType: (Reference("extends", (AssetType,), "clear", optional=True),),
    Attribute: (Reference("asset_type", (AssetType,)),),
    Comment: (Reference("about", ()),),
    Component: (Reference("asset_type", (AssetType,)), Reference("type", (AssetType,))),
    Delivery: (Reference("asset_type", (AssetType,), optional=True),),
    # A mapping that lost one of its sources would go on with another one as its first: wrong values, silently. So it goes.
    TagMapping: (
        Reference("asset", (Asset,)),
        Reference("attribute", (Attribute,)),
        Reference("within", (Component,), many=True),
        Reference("sources", (Tag,), many=True),
    ),
    Place: (Reference("parent", (Place,), optional=True),),
    Suppression: (Reference("about", ()),),
    Tag: (Reference("endpoint", (Endpoint,)), Reference("group", (Group,), "clear", optional=True)),
    Unit: (Reference("endpoint", (Endpoint,)),),
    WatchList: (Reference("tags", (Tag,), "clear", many=True),),
}
"""Every reference field of every kind; a kind that is not here names no other element."""


def _name(kind: type[Element]) -> str:
    return cast("str", kind.__struct_config__.tag)


_ALLOWED: Final = {
    kind: tuple((reference, frozenset(_name(to) for to in reference.to)) for reference in references)
    for kind, references in REFERENCES.items()
}


def targets(element: Element) -> Iterator[tuple[Reference, str]]:
    """Every id the element names, with the field that names it; an empty optional field names none."""
    for reference in REFERENCES.get(type(element), ()):
        held = getattr(element, reference.field)
        if reference.many:
            for id_ in held:
                yield reference, id_
        elif held or not reference.optional:
            yield reference, held


def dangling(element: Element, kind_of_id: Mapping[str, str]) -> list[str]:
    """What is wrong with the element's references, as sentences; empty when nothing is.

    Args:
        kind_of_id: Kind of every id there is; "" where it is not known, which fits everything.
    """
    wrong: list[str] = []
    for reference, allowed in _ALLOWED.get(type(element), ()):
        field, _, _, optional, many = reference
        held = getattr(element, field)
        for id_ in held if many else (held,):
            kind = kind_of_id.get(id_)
            if kind in allowed or (kind is not None and not (kind and allowed)) or (optional and not id_):
                continue
            wanted = " or ".join(sorted(allowed)) or "element"
            found = f"and there is no such {wanted}" if kind is None else f"which is of kind {kind}, not {wanted}"
            wrong.append(f'{field} names "{id_}", {found}')
    return wrong
