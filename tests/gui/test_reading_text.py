"""Values as text."""

import tracemalloc

import pytest

from app.model.values import Value
from widgets.reading_text import LONG_TEXT, plain


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "true"),
        (-12345, "-12,345"),
        (0.1, "0.1"),
        (1234567.5, "1,234,568"),
        (1e300, "1e+300"),
        (float("-inf"), "−∞"),
        (b"\x01\xff", "01 ff"),
        ("two\nlines", "two⏎lines"),
        ([1, 2.5, "a"], "[1, 2.5, a]"),
        (list(range(9)), "[0, 1, 2, 3, 4, 5, 6, 7, …] 9"),
        ([[1, 2], [3, 4]], "[[1, 2], [3, 4]]"),
        ({"x": 1, "of": {"y": [True]}}, "{x: 1, of: {y: [true]}}"),
        ([], "[]"),
    ],
)
def test_that_a_value_is_one_line(value: Value, text: str) -> None:
    assert plain(value) == text


LONG: list[Value] = [
    "é" * 5_000_000,
    b"\x00" * 5_000_000,
    list(range(1_000_000)),
    ["x" * 5_000_000] * 20,
    {f"field {number}": number for number in range(200_000)},
    {"a": [{"b": ["y" * 5_000_000] * 9}] * 9},
]


@pytest.mark.parametrize("value", LONG, ids=("text", "bytes", "array", "texts", "structure", "nested"))
def test_that_what_is_long_is_cut_before_it_is_written_out(value: Value) -> None:
    tracemalloc.start()
    try:
        text = plain(value)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(text) <= LONG_TEXT + 20
    assert peak < 20_000
    assert not isinstance(value, list) or text.endswith(f"…] {len(value)}")
