import math

from hypothesis import given
from hypothesis import strategies as st

from app.drivers.opcua.binary import DataValue, Extension
from app.drivers.opcua.samples import PLAIN, Scale, extensions_in, sample_columns, without_extensions
from app.model.columns import SampleColumns
from app.model.values import Quality, Sample, Value


def value(builtin: int, content: Value, *, status: int = 0, is_array: bool = False) -> DataValue:
    return DataValue(builtin, is_array, content, status, 0, 0)


def one(data: DataValue, scale: Scale = PLAIN) -> Sample:
    return sample_columns([(7, data, scale)], 5).sample(0)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**32 - 1)), max_size=20))
def test_that_columns_equal_the_samples_built_one_by_one(rows: list[tuple[int, int, int]]) -> None:
    columns = sample_columns([(handle, value(8, number, status=status), PLAIN) for handle, number, status in rows], 5)
    slow = SampleColumns.of([(handle, one(value(8, number, status=status))) for handle, number, status in rows])
    assert [columns.value(row) for row in range(len(rows))] == [number for _, number, _ in rows]
    for name in ("handle", "type", "quality", "status", "receive_ns"):
        assert list(getattr(columns, name)) == list(getattr(slow, name))
    assert columns.objects == slow.objects


def test_that_quality_is_the_top_of_the_status_and_the_status_is_kept_whole() -> None:
    for status, quality in ((0x480, 0), (0x40900000, 1), (0x80340000, 2), (0xC0000000, 2)):
        sample = one(value(11, 1.0, status=status))
        assert (int(sample.quality), sample.status) == (quality, status)


def test_that_a_value_that_was_not_sent_is_bad_though_its_status_is_good() -> None:
    sample = one(value(0, None))
    assert (sample.value, sample.quality, sample.status) == (None, Quality.BAD, 0)


def test_that_only_numbers_are_scaled() -> None:
    scale = Scale(gain=2.0, offset=1.0)
    assert (one(value(4, 3), scale).value, one(value(4, 3), scale).type) == (7.0, "float64")
    assert one(value(10, [1.0, [2.0]], is_array=True), scale).value == [3.0, [5.0]]
    assert one(value(1, True), scale).value is True
    assert one(value(12, "x"), scale).value == "x"
    assert (one(value(6, 2), scale._replace(enum=True)).value, one(value(6, 2), Scale(enum=True)).type) == (2, "enum")


def test_that_nan_and_infinity_stay_numbers() -> None:
    assert math.isnan(float(str(one(value(11, math.nan)).value)))
    assert one(value(10, math.inf)).value == math.inf


def test_that_an_array_of_anything_has_no_scalar_type() -> None:
    assert one(value(24, [1, "a"], is_array=True)).type == "[]"


def test_that_structures_are_found_and_replaced_wherever_they_are() -> None:
    inner = Extension("b", b"")
    content: Value = [Extension("a", b""), {"x": [inner]}, 1]
    assert [extension.encoding for extension in extensions_in(content)] == ["a", "b"]
    assert without_extensions(content, lambda extension: {"again": inner} if extension.encoding == "a" else "done") == [
        {"again": "done"}, {"x": ["done"]}, 1,
    ]  # fmt: skip
