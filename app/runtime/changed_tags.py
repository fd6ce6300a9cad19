"""Which tags changed: a set that is not made as long as nobody asks for more than a few of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

import numpy as np
import numpy.typing as npt

from app.samples.handles import Places, TagHandles


class ChangedTags(Set[str]):
    """Tags by name, and tags by the places of their handles: 100,000 of these come a second, of which a window shows thirty.

    To ask for one costs the same however many there are; to go through all of them makes a set of strings, once.
    """

    def __init__(self, tags: Iterable[str] = ()) -> None:
        self._named = set(tags)
        self._came: dict[TagHandles, npt.NDArray[np.bool_]] = {}
        self._all: set[str] | None = None

    @classmethod
    def _from_iterable(cls, it: Iterable[str]) -> set[str]:  # type: ignore[override]  # of what is taken out of it, a plain set
        return set(it)

    def update(self, tags: Iterable[str]) -> None:
        self._named.update(tags)
        self._all = None

    def add(self, known: TagHandles, places: Places) -> None:
        """Those of an endpoint's tags that got a sample; -1 is none of them."""
        marks = self._came.get(known)
        if marks is None:
            marks = self._came[known] = np.zeros(len(known.tags) + 1, np.bool_)  # the last one is for -1
        marks[places] = True
        self._all = None

    def __contains__(self, tag: object) -> bool:
        if tag in self._named:
            return True
        return any((place := known.place_of(tag)) is not None and bool(marks[place]) for known, marks in self._came.items())

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())

    def __bool__(self) -> bool:
        return bool(self._named) or any(marks[:-1].any() for marks in self._came.values())

    def _whole(self) -> set[str]:
        if self._all is None:
            self._all = set(self._named)
            for known, marks in self._came.items():
                self._all.update(known.tags[place] for place in np.flatnonzero(marks[:-1]).tolist())
        return self._all

    def __repr__(self) -> str:
        return f"ChangedTags({self._whole()!r})"
