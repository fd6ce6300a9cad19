from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus.plan import Extent, Forbidden, Limits, plan
from app.drivers.modbus.ranges import parse_ranges, range_text, ranges_text
from app.errors import UserError

extents = st.builds(Extent, st.integers(0, 3), st.sampled_from(("coil", "input", "holding")), st.integers(0, 300), st.integers(1, 40))


def registers(found: list[Extent]) -> set[tuple[int, str, int]]:
    return {(one.unit, one.table, at) for one in found for at in range(one.address, one.end)}


@given(st.lists(extents, max_size=8))
def test_that_ranges_come_back_as_the_same_registers(ranges: list[Extent]) -> None:
    text = ranges_text(ranges)
    assert registers(parse_ranges(text, 9)) == registers(ranges)
    assert ranges_text(parse_ranges(text, 9)) == text


def test_that_ranges_are_read_as_a_person_writes_them() -> None:
    assert parse_ranges("3/holding:100-110, INPUT:5;coil:0-7\n", 2) == [
        Extent(3, "holding", 100, 11),
        Extent(2, "input", 5, 1),
        Extent(2, "coil", 0, 8),
    ]
    assert parse_ranges(" ", 1) == []
    assert range_text(Extent(3, "holding", 5, 1)) == "3/holding:5"


@pytest.mark.parametrize("text", ["holding", "holding:5-4", "300/holding:5", "holding:70000", "regs:1", "holding:1-2-3", "holding:x"])
def test_that_what_is_no_range_is_named(text: str) -> None:
    with pytest.raises(UserError, match="Write for example 3/holding:100-110") as caught:
        parse_ranges(f"input:1, {text}", 1)
    assert caught.value.where == text


@given(st.lists(extents, max_size=40), st.lists(extents, max_size=4))
def test_that_no_request_touches_an_excluded_register_but_for_an_item_that_does(items: list[Extent], excluded: list[Extent]) -> None:
    forbidden = Forbidden(excluded=tuple(excluded))
    no = registers(excluded)
    blocks = plan(items, Limits(), forbidden)
    assert sorted(index for block in blocks for index in block.items) == list(range(len(items)))
    for block in blocks:
        if registers([block.extent]) & no:
            assert forbidden.excludes(block.extent)
            assert all(registers([items[index]]) & no for index in block.items), "an item that could be read is kept from being read"


@given(st.integers(0, 3), st.lists(extents, max_size=6))
def test_that_the_register_asked_for_as_a_sign_of_life_is_never_an_excluded_one(unit: int, excluded: list[Extent]) -> None:
    forbidden = Forbidden(excluded=tuple(excluded))
    probe = forbidden.harmless(unit)
    assert probe.unit == unit
    assert not forbidden.excludes(probe)
    assert Forbidden().harmless(unit) == Extent(unit, "holding", 0, 1)
