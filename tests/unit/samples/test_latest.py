"""Newest samples in columns against the plain way: one dict, one sample at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.model.columns import SampleColumns
from app.model.values import Quality, Sample
from app.samples.latest import NEVER, Latest


def sample(value: object, kind: str = "float64", quality: Quality = Quality.GOOD) -> Sample:
    return Sample(value, kind, quality, 0, None, None, 1)


values = st.one_of(
    st.tuples(st.floats(allow_nan=False), st.just("float64")),
    st.tuples(st.integers(-5, 5), st.just("int16")),
    st.tuples(st.sampled_from(["a", "b"]), st.just("string")),
    st.tuples(st.lists(st.integers(0, 2), max_size=2), st.just("int16[]")),
    st.tuples(st.booleans(), st.just("bool")),
)
batches = st.lists(st.lists(st.tuples(st.integers(1, 5), values), max_size=8), max_size=6)


@given(st.sets(st.integers(1, 4)), batches)
def test_that_it_holds_what_a_dict_would_hold(known: set[int], batches: list[list[tuple[int, tuple[object, str]]]]) -> None:
    latest = Latest()
    latest.add(sorted(known))
    held: dict[int, Sample] = {}
    changed: dict[int, float] = {}
    received: dict[int, float] = {}
    for at, batch in enumerate(batches):
        rows = [(handle, sample(*value)) for handle, value in batch]
        before = dict(held)
        for handle, one in rows:
            if handle in known:
                if before.get(handle) != one:
                    changed[handle] = float(at)
                held[handle] = one
                received[handle] = float(at)
        got = latest.apply(SampleColumns.of(rows), float(at))
        assert set(got.tolist()) == {handle for handle, _ in rows} & known
    for handle in range(1, 6):
        assert latest.sample(handle) == held.get(handle)
        assert latest.times(handle) == (received.get(handle, NEVER), changed.get(handle, NEVER))
    asked = np.arange(1, 6, dtype=np.uint32)
    assert latest.received_s(asked).tolist() == [received.get(handle, NEVER) for handle in range(1, 6)]


def test_that_a_slot_that_is_used_again_holds_nothing_of_the_one_before() -> None:
    latest = Latest()
    latest.add([1])
    latest.apply(SampleColumns.of([(1, sample("old", "string"))]), 1.0)
    latest.remove([1])
    latest.add([2])
    assert latest.sample(2) is None
    assert latest.times(2) == (NEVER, NEVER)
    assert len(latest.apply(SampleColumns.of([(1, sample(9.0))]), 2.0)) == 0
    assert latest.sample(1) is None
    latest.apply(SampleColumns.of([(2, sample(5.0))]), 3.0)
    assert latest.sample(2) == sample(5.0)


def test_that_a_value_that_left_and_came_back_within_a_batch_has_changed() -> None:
    latest = Latest()
    latest.add([1])
    latest.apply(SampleColumns.of([(1, sample(1.0))]), 1.0)
    latest.apply(SampleColumns.of([(1, sample(2.0)), (1, sample(1.0))]), 2.0)
    assert latest.times(1) == (2.0, 2.0)
    latest.apply(SampleColumns.of([(1, sample(1.0)), (1, sample(1.0))]), 3.0)
    assert latest.times(1) == (3.0, 2.0)


def test_that_another_quality_is_a_change() -> None:
    latest = Latest()
    latest.add([1])
    latest.apply(SampleColumns.of([(1, sample(1.0))]), 1.0)
    latest.apply(SampleColumns.of([(1, sample(1.0, quality=Quality.UNCERTAIN))]), 2.0)
    assert latest.times(1) == (2.0, 2.0)


def test_that_it_grows_with_what_is_watched() -> None:
    latest = Latest()
    handles = range(1, 5_001)
    latest.add(handles)
    latest.apply(SampleColumns.of([(handle, sample(float(handle))) for handle in handles]), 1.0)
    assert [latest.sample(handle) for handle in (1, 2_500, 5_000)] == [sample(1.0), sample(2500.0), sample(5000.0)]
    assert len(latest) == 5_000


def test_that_the_first_sample_of_a_reused_slot_is_a_change_though_it_equals_the_last_of_the_one_before() -> None:
    latest = Latest()
    latest.add([1])
    latest.apply(SampleColumns.of([(1, sample(5.0))]), 1.0)
    latest.remove([1])
    latest.add([2])
    latest.apply(SampleColumns.of([(2, sample(5.0))]), 2.0)
    assert latest.times(2) == (2.0, 2.0)
