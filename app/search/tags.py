"""The tags of a project, found by words in their names, addresses and descriptions: for the tag table and for *Find anything*."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Final, overload

import numpy as np

from app.edits import Edit
from app.model.plant import Tag
from app.model.project import Project
from app.search.text_index import Places, TextIndex

AT_ONCE: Final = 20_000
"""Tags; so many are taken in without slices, in some 20 ms."""
_STEP: Final = 500


class Rows(Sequence[str]):
    """Ids at places of an index, as a sequence that copies none of them."""

    def __init__(self, keys: Sequence[str], places: Places) -> None:
        self._keys, self._places = keys, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> list[str]: ...

    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self._keys[place] for place in self._places[at].tolist()]
        return self._keys[int(self._places[at])]


class TagIndex:
    """Grows in slices, so that a window with very many tags stays alive meanwhile; edits keep it current.

    Attributes:
        texts: Key is the tag's id; the rank is the length of its name.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._tags = project.all(Tag)
        self.texts = TextIndex()
        self._left = iter(list(self._tags))
        self._has_all = False
        self._among: Sequence[str] = ()
        self._among_places = np.zeros(0, np.int32)
        if len(self._tags) <= AT_ONCE:
            self.grow(float("inf"))

    @property
    def has_all(self) -> bool:
        """Whether every tag is in. Until then a search says nothing of those that are not."""
        return self._has_all

    def grow(self, budget_s: float) -> bool:
        """Go on for about so long; True when nothing is left to do."""
        until_s = perf_counter() + budget_s
        while not self._has_all:
            self._take(_STEP)
            if perf_counter() > until_s:
                return False
        while not self.texts.sign():
            if perf_counter() > until_s:
                return False
        return True

    def complete(self) -> None:
        """Take in what is missing, at once."""
        while not self._has_all:
            self._take(_STEP)

    def _take(self, count: int) -> None:
        ids = [id_ for _, id_ in zip(range(count), self._left, strict=False)]
        self._has_all = len(ids) < count
        self.texts.extend(self._rows(ids))

    def _rows(self, ids: list[str]) -> Iterator[tuple[str, str, int]]:
        """Those that are still in the project, and did not come by an edit."""
        for id_ in ids:
            tag = self._tags.get(id_)
            if tag is not None and id_ not in self.texts:
                yield id_, text_of(tag), len(tag.name)

    def follow(self, edit: Edit) -> None:
        for change in edit.changes:
            if change.kind != "tag":
                continue
            if isinstance(tag := change.after, Tag):
                self.texts.set(tag.id, text_of(tag), len(tag.name))
            else:
                self.texts.remove(change.id)

    def find(self, query: str, among: Sequence[str] | None = None) -> Rows:
        """Ids of the tags that have every word: in the order of ids, or in that of ``among``, ids of tags that are in."""
        found = self.texts.find(query)
        if among is None:
            return Rows(self.texts.keys, self.texts.in_order(found))
        if among is not self._among:
            self._among = among
            places = (self.texts.place(id_) for id_ in among)
            self._among_places = np.fromiter((-1 if place is None else place for place in places), np.int32, len(among))
        places_ = self._among_places[self._among_places >= 0]
        chosen = np.zeros(len(self.texts.keys), np.bool_)
        chosen[found] = True
        return Rows(self.texts.keys, places_[chosen[places_]])

    def best(self, query: str, limit: int) -> list[str]:
        """Ids of the tags to show first: those whose name begins with the query, then the shortest names."""
        found = self.texts.find(query)
        ahead = self.texts.starts_with(found, query)
        ranks = self.texts.ranks(found).astype("i4") - ahead * 0x10000
        if len(ranks) > limit:
            nearest = np.flatnonzero(ranks <= np.partition(ranks, limit)[limit])
            found, ranks = found[nearest], ranks[nearest]
        chosen = ranks.argsort(kind="stable")[:limit]
        return [self.texts.keys[place] for place in found[chosen].tolist()]


def text_of(tag: Tag) -> str:
    return f"{tag.name}\n{tag.address}\n{tag.description}"
