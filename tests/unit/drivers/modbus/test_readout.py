from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.base import Item
from app.drivers.modbus.address import ORDERS
from app.drivers.modbus.readout import Defaults, Readout, by_handle, joined, no_address, rows_of
from app.drivers.modbus.registers import decode, decode_checked, decode_clocks, decode_string, encode
from app.drivers.modbus.spec import INVALID_CONTENT
from app.drivers.modbus.types import REGISTER_TYPES, REGISTERS_OF
from app.errors import UserError
from app.model.columns import shortest
from app.model.values import Quality

DEFAULTS = Defaults(5, {3: "CDAB"})


def test_that_unit_and_order_come_from_the_endpoint_where_the_address_is_silent() -> None:
    assert DEFAULTS.wanted(Item(address="holding:1:float32"), 0).extent.unit == 5
    assert DEFAULTS.wanted(Item(address="holding:1:float32"), 0).order == "ABCD"
    assert DEFAULTS.wanted(Item(address="3/holding:1:float32"), 0).order == "CDAB"
    assert DEFAULTS.wanted(Item(address="3/holding:1:float32:ABCD"), 0).order == "ABCD"
    with pytest.raises(UserError):
        DEFAULTS.wanted(Item(address="x"), 0)


items = st.lists(
    st.tuples(
        st.integers(0, 40), st.sampled_from((*sorted(REGISTERS_OF), "str7", "bit", "bits")), st.sampled_from(ORDERS), st.integers(0, 15)
    ),
    min_size=1,
    max_size=30,
)


@given(items, st.lists(st.integers(0, 65535), min_size=48, max_size=48))
def test_that_a_block_gives_every_item_what_decoding_it_alone_gives(rows: list[tuple[int, str, str, int]], raw: list[int]) -> None:
    words = np.array(raw, np.uint16)
    texts = [
        f"holding:{1000 + at}.{bit}:bool:{order}"
        if kind == "bit"
        else f"holding:{1000 + at}.0-{bit or 1}:uint16:{order}"
        if kind == "bits"
        else f"holding:{1000 + at}:{kind}:{order}"
        for at, kind, order, bit in rows
    ]
    wanted = [DEFAULTS.wanted(Item(address=text), 7 + row) for row, text in enumerate(texts)]
    columns = Readout(wanted, 1000).good(words, 99)
    assert columns.handle.tolist() == list(range(7, 7 + len(rows)))
    for (at, kind, order, bit), (_, sample) in zip(rows, columns.samples(), strict=True):
        part = words[None, at : at + REGISTERS_OF.get(kind, 1)]
        if sample.value is None:
            assert (sample.quality, sample.status) == (Quality.BAD, INVALID_CONTENT)
            if REGISTER_TYPES[kind].kind == "clock":
                assert decode_clocks(part, kind, order) == [None]
            else:
                _, valid = decode_checked(part, kind, order)
                assert valid is not None
                assert not valid[0]
            continue
        assert (sample.quality, sample.status, sample.receive_ns, sample.source_ns) == (Quality.GOOD, 0, 99, None)
        if kind in REGISTER_TYPES and REGISTER_TYPES[kind].kind == "clock":
            assert [sample.value] == decode_clocks(part, kind, order)
        elif kind == "bits":
            assert sample.value == decode(part, "uint16", order).item() % 2 ** ((bit or 1) + 1)
        elif kind == "str7":
            assert sample.value == decode_string(words[at : at + 4], 7, order)
        elif kind == "bit":
            assert sample.value is bool(decode(words[None, at : at + 1], "uint16", order).item() & (1 << bit))
        else:
            alone = decode(part, kind, order).item()
            assert type(sample.value) is type(alone)
            if isinstance(alone, float) and kind in ("float16", "float32"):
                alone = shortest(alone)
            assert sample.value == alone or (isinstance(alone, float) and math.isnan(alone))


def test_that_gain_and_offset_make_a_float64_and_leave_bits_and_text_alone() -> None:
    texts = ["holding:0:int16", "holding:0:uint64", "holding:0.0", "holding:0:str2"]
    wanted = [DEFAULTS.wanted(Item(address=text, gain=2, offset=1), row) for row, text in enumerate(texts)]
    columns = Readout(wanted, 0).good(np.array([0xFFFF, 0, 0, 0], np.uint16), 0)
    assert [(sample.value, sample.type) for _, sample in columns.samples()] == [
        (-1.0, "float64"),
        (float(0xFFFF << 48) * 2 + 1, "float64"),
        (True, "bool"),
        ("ÿÿ", "string"),
    ]


def test_that_overflow_and_nan_are_values_and_no_warnings() -> None:
    wanted = [
        DEFAULTS.wanted(Item(address="holding:0:float64", gain=1e300, offset=0), 0),
        DEFAULTS.wanted(Item(address="holding:4:float32"), 1),
    ]
    columns = Readout(wanted, 0).good(np.array([0x7FEF, 0xFFFF, 0xFFFF, 0xFFFF, 0x7FA0, 1], np.uint16), 0)
    assert columns.number[0] == math.inf
    assert math.isnan(columns.number[1])


def test_that_contents_that_are_no_value_are_bad_beside_good_ones() -> None:
    texts = ["holding:0:bcd16", "holding:1:bcd16", "holding:2:mod10k32", "holding:0:cp56", "holding:1:bcd16"]
    wanted = [
        DEFAULTS.wanted(Item(address=text, gain=gain), row) for row, (text, gain) in enumerate(zip(texts, (1, 1, 1, 1, 0.1), strict=True))
    ]
    columns = Readout(wanted, 0).good(np.array([0x12A4, 0x1234, 10_000, 3], np.uint16), 0)
    assert [(sample.value, sample.type, sample.quality, sample.status) for _, sample in columns.samples()] == [
        (None, "uint16", Quality.BAD, INVALID_CONTENT),
        (1234, "uint16", Quality.GOOD, 0),
        (None, "uint32", Quality.BAD, INVALID_CONTENT),
        (None, "datetime", Quality.BAD, INVALID_CONTENT),
        (pytest.approx(123.4), "float64", Quality.GOOD, 0),
    ]


def test_that_every_type_has_samples_of_the_type_it_says() -> None:
    for name, found in REGISTER_TYPES.items():
        words = np.array(encode("2026-03-04T05:06:07Z" if found.kind == "clock" else 42, name, "ABCD"), np.uint16)
        sample = Readout([DEFAULTS.wanted(Item(address=f"holding:0:{name}"), 0)], 0).good(words, 0).sample(0)
        assert sample.type == found.value, name
        assert sample.value in (42, "2026-03-04T05:06:07Z", "2026-03-04T05:06:07.000Z"), name


def test_that_bad_rows_have_no_value_and_keep_their_type() -> None:
    wanted = [DEFAULTS.wanted(Item(address="holding:0:int16"), 3), DEFAULTS.wanted(Item(address="holding:0:int16", gain=2), 1)]
    both = joined([Readout(wanted, 0).bad(2, 5), no_address(2, 259, 5), joined([])])
    assert [(handle, sample.value, sample.type, sample.status) for handle, sample in both.samples()] == [
        (3, None, "int16", 2),
        (1, None, "float64", 2),
        (2, None, "", 259),
    ]
    assert by_handle(both).handle.tolist() == [1, 2, 3]
    assert rows_of(both, [2]).sample(0).status == 259
