import math

from hypothesis import given
from hypothesis import strategies as st

from app.model.columns import SampleColumns, type_code, type_name
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


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), samples), max_size=5))
def test_that_samples_come_back_from_columns_with_value_and_type_whatever_was_sent(rows: list[tuple[int, Sample]]) -> None:
    again = list(SampleColumns.of(rows).samples())
    assert again == rows
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
