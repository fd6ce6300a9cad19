"""Sorting in steps gives what sorting at once gives."""

import random
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.search import ordering
from app.search.ordering import Ordering


@given(things=st.lists(st.tuples(st.integers(0, 9), st.integers()), max_size=200), descending=st.booleans(), run=st.integers(1, 9))
def test_that_it_is_the_stable_sort_of_python(things: list[tuple[int, int]], descending: bool, run: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordering, "RUN", run)
        patch.setattr(ordering, "MERGED_AT_ONCE", 4 * run)
        work = Ordering(things, lambda thing: thing[0], descending=descending)
        while not work.step(0):
            pass
    assert work.result == sorted(things, key=lambda thing: thing[0], reverse=descending)
    assert work.step(0)


def test_that_each_key_is_asked_for_once_and_no_step_is_long() -> None:
    chance, asked, longest_s = random.Random(3), [0], 0.0
    things = [f"{chance.random():.12f}" for _ in range(200_000)]

    def key(thing: str) -> str:
        asked[0] += 1
        return thing

    work, steps, done = Ordering(things, key), 0, False
    while not done:
        began_s = perf_counter()
        done = work.step(0.002)
        longest_s = max(longest_s, perf_counter() - began_s)
        steps += 1
    assert work.result == sorted(things)
    assert asked == [200_000]
    assert steps > 20
