"""Tags whose variable is not what, or not where, it was: what can be made of them, and how it becomes an edit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from app.drivers.base import ItemState, NodeDetails
from app.edits.rebinding import Rebinding
from app.model.plant import Tag
from app.model.project import Project

Way = Literal["moved", "taken"]
"""``moved``: the tag's own variable, found by its browse path under another id. ``taken``: whatever stands at the tag's address now."""


class Candidate(NamedTuple):
    """One way to re-bind one tag.

    Attributes:
        withheld: Nothing is shown under the tag until it is re-bound: another variable has its address.
        why: What the session said of it; "" where the variable was simply found elsewhere.
    """

    tag: str
    endpoint: str
    address: str
    way: Way
    withheld: bool
    why: str = ""


def candidates(project: Project, strayed: Iterable[tuple[str, ItemState]]) -> list[Candidate]:
    """What can be done for each strayed tag, the tag's own variable before what has taken its place; by name of the tag."""
    found = [
        one
        for tag_id, state in strayed
        if (tag := project.get(Tag, tag_id)) is not None and state.rebind != tag.address
        for one in _of(tag, state)
    ]
    return sorted(found, key=lambda one: (project.all(Tag)[one.tag].name.casefold(), one.tag))  # stable: the own variable stays first


def _of(tag: Tag, state: ItemState) -> Iterator[Candidate]:
    withheld = bool(state.refused)
    if state.rebind:
        yield Candidate(tag.id, tag.endpoint, state.rebind, "moved", withheld, state.refused)
    if withheld:
        yield Candidate(tag.id, tag.endpoint, tag.address, "taken", withheld, state.refused)


def rebindings(chosen: Sequence[Candidate], details: Sequence[NodeDetails]) -> list[Rebinding]:
    """With the fingerprints that were read just now; ``details`` are in the order of ``chosen``. What cannot be read is left out."""
    return [
        Rebinding(one.tag, one.address, node.type, node.path)
        for one, node in zip(chosen, details, strict=True)
        if not node.error and node.node_class in ("", "variable")
    ]
