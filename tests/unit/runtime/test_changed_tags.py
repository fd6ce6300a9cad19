"""Tags that changed: a set like any other, of which the strings are not made."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.runtime.changed_tags import ChangedTags
from app.samples.handles import TagHandles

KNOWN = TagHandles({1_000_000 + 3 * number: f"t{number}" for number in range(50)})
OTHER = TagHandles({7: "t3", 8: "else"})
handles = st.lists(st.integers(999_990, 1_000_200), max_size=60)


@given(st.lists(handles, max_size=4), st.sets(st.sampled_from(["t1", "t49", "named"])))
def test_that_it_says_what_a_set_of_the_same_tags_says(batches: list[list[int]], named: set[str]) -> None:
    tags = dict(zip(KNOWN.handles.tolist(), KNOWN.tags, strict=True))
    changed, expected = ChangedTags(named), set(named)
    for batch in batches:
        changed.add(KNOWN, KNOWN.index.places(np.array(batch, np.uint32)))
        expected |= {tags[handle] for handle in batch if handle in tags}
    assert {tag for tag in (*KNOWN.tags, "named", "nothing") if tag in changed} == expected
    assert bool(changed) == bool(expected)
    assert changed.isdisjoint(KNOWN.tags[:9]) == expected.isdisjoint(KNOWN.tags[:9])
    assert changed & {"t0", "t1"} == expected & {"t0", "t1"}
    assert (set(changed), len(changed)) == (expected, len(expected))


def test_that_one_tag_of_two_endpoints_and_later_changes_are_seen() -> None:
    changed = ChangedTags()
    changed.add(KNOWN, np.array([3, -1]))
    assert set(changed) == {"t3"}
    changed.add(OTHER, np.array([0, 1]))
    changed.update(["more"])
    assert set(changed) == {"t3", "else", "more"}


@given(st.sets(st.integers(0, 2**32 - 1), max_size=30), st.lists(st.integers(0, 2**32 - 1), max_size=30))
def test_that_handles_far_apart_are_found_too(known: set[int], asked: list[int]) -> None:
    given_ = list(known)
    index = TagHandles({handle: str(handle) for handle in given_}).index
    asked += given_
    places = index.places(np.array(asked, np.uint32)).tolist()
    assert places == [given_.index(handle) if handle in known else -1 for handle in asked]
