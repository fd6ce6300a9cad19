import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.model.columns import SampleColumns, shortest, type_code, type_name
from app.model.values import INTEGER_LIMITS, SCALAR_TYPES, Quality, Sample, Value

WORDS = ["", *SCALAR_TYPES, *(f"{word}[]" for word in SCALAR_TYPES)]
values: st.SearchStrategy[Value] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(), st.lists(st.integers()), st.just({"a": 1})
)
samples = st.builds(
    Sample,
    value=values,
    type=st.sampled_from(WORDS),
    quality=st.sampled_from(Quality),
    status=st.integers(0, 2**32 - 1),
    source_ns=st.none() | st.integers(1, 2**63 - 1),
    server_ns=st.none() | st.integers(1, 2**63 - 1),
    receive_ns=st.integers(0, 2**63 - 1),
)


def shown(sample: Sample) -> Value:
    """A float32 comes back as the shortest decimal that is the same float32."""
    return shortest(sample.value) if sample.type == "float32" and isinstance(sample.value, float) else sample.value


@given(st.floats(width=32, allow_nan=False))
def test_that_the_shortest_decimal_of_a_float32_is_still_the_same_float32(value: float) -> None:
    assert np.float32(shortest(value)) == np.float32(value)
    digits = repr(shortest(value)).split("e")[0].replace("-", "").replace(".", "").strip("0")
    assert len(digits) <= 9 or abs(value) >= 2**53  # nine tell every float32 apart (IEEE 754-2019 §5.12.2)


def test_that_a_float32_reads_as_its_display_would_show_it() -> None:
    assert shortest(float(np.float32(59.01))) == 59.01
    assert shortest(1e300) == 1e300


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), samples), max_size=5))
def test_that_samples_come_back_from_columns_with_value_and_type_whatever_was_sent(rows: list[tuple[int, Sample]]) -> None:
    again = list(SampleColumns.of(rows).samples())
    assert again == [(handle, replace(sample, value=shown(sample))) for handle, sample in rows]
    assert [type(sample.value) for _, sample in again] == [type(sample.value) for _, sample in rows]


def test_that_not_a_number_stays_one() -> None:
    sample = Sample(math.nan, "float64", Quality.GOOD, 0, None, None, 1)
    assert math.isnan(SampleColumns.of([(1, sample)]).sample(0).value)  # type: ignore[arg-type]  # a Value is any object


def test_that_integers_at_the_limits_of_their_types_are_exact() -> None:
    for word, (low, high) in INTEGER_LIMITS.items():
        rows = [(0, Sample(value, word, Quality.GOOD, 0, None, None, 1)) for value in (low, high, 2**53, 2**53 + 1)]
        assert [SampleColumns.of(rows).value(row) for row in range(4)] == [low, high, 2**53, 2**53 + 1]


def test_that_every_type_word_has_a_code_of_its_own() -> None:
    assert len({type_code(word) for word in WORDS}) == len(WORDS)
    assert [type_name(type_code(word)) for word in WORDS] == WORDS
