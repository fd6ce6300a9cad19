from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus.plan import Block, Extent, Forbidden, Limits, in_order, plan, split

extents = st.builds(Extent, st.integers(0, 2), st.sampled_from(("coil", "holding")), st.integers(0, 500), st.integers(1, 8))
limits = st.builds(Limits, st.integers(1, 125), st.integers(1, 2000), st.integers(0, 20), st.sampled_from((1, 1, 4, 8)))


def covers(outer: Extent, inner: Extent) -> bool:
    return outer[:2] == inner[:2] and outer.address <= inner.address and inner.end <= outer.end


@given(st.lists(extents, max_size=80), limits, st.lists(extents, max_size=5))
def test_that_a_plan_keeps_every_rule(items: list[Extent], limit: Limits, refused: list[Extent]) -> None:
    forbidden = Forbidden()
    for extent in refused:
        forbidden.add(extent, 2, 0.0)
    blocks = plan(items, limit, forbidden)
    assert sorted(index for block in blocks for index in block.items) == list(range(len(items)))
    for block in blocks:
        members = [items[index] for index in block.items]
        assert all(covers(block.extent, member) for member in members)
        assert block.extent.length <= limit.size(block.extent.table) or block.extent in members
        used = {address for member in members for address in range(member.address, member.end)}
        assert {block.extent.address, block.extent.end - 1} <= used
        unused = 0
        for address in range(block.extent.address, block.extent.end):
            unused = 0 if address in used else unused + 1
            assert unused <= limit.bridge(block.extent.table)
        if any(covers(block.extent, extent) for extent in refused):
            assert len(block.items) == 1


def fewest(items: list[Extent], limit: Limits) -> int:
    """By trying every way to cut the items, in order of address, into runs that one request may read (dynamic programming)."""
    ordered = sorted(items, key=in_order)
    best = [0]
    for end in range(1, len(ordered) + 1):
        best.append(min(best[start] + 1 for start in range(end) if one_request(ordered[start:end], limit)))
    return best[-1]


def one_request(run: list[Extent], limit: Limits) -> bool:
    if len({item[:2] for item in run}) > 1:
        return False
    end = run[0].end
    for item in run:
        if item.address - end > limit.bridge(item.table):
            return False
        end = max(end, item.end)
    return len(run) == 1 or end - run[0].address <= limit.size(run[0].table) or any(item.length == end - run[0].address for item in run)


@given(st.lists(extents, min_size=1, max_size=14), st.builds(Limits, st.integers(1, 40), st.integers(1, 60), st.integers(0, 20)))
def test_that_no_other_plan_of_items_in_order_has_fewer_requests(items: list[Extent], limit: Limits) -> None:
    assert len(plan(items, limit)) == fewest(items, limit)


@given(st.lists(extents, max_size=60), limits, st.lists(extents, min_size=1, max_size=6))
def test_that_no_excluded_register_is_touched_but_by_an_item_that_holds_one(
    items: list[Extent], limit: Limits, excluded: list[Extent]
) -> None:
    forbidden = Forbidden(excluded=tuple(excluded))
    taboo = {(one.unit, one.table, address) for one in excluded for address in range(one.address, one.end)}
    for block in plan(items, limit, forbidden):
        extent = block.extent
        touched = {(extent.unit, extent.table, address) for address in range(extent.address, extent.end)} & taboo
        assert bool(touched) == forbidden.excludes(extent)
        if touched:
            assert all(forbidden.excludes(items[index]) for index in block.items)


def test_that_blocks_in_a_row_differ_in_size_where_several_may_be_in_flight() -> None:
    items = [Extent(1, "holding", address, 2) for address in range(0, 4000, 2)]
    lengths = [block.extent.length for block in plan(items, Limits(sizes=8))]
    assert all(len(set(lengths[at : at + 8])) == 8 for at in range(len(lengths) - 8))
    assert len(lengths) <= 1.08 * len(plan(items, Limits()))


def test_that_planning_makes_one_request_of_many_items() -> None:
    items = [Extent(1, "holding", address, 2) for address in range(0, 240, 2)]
    assert [block.extent for block in plan(items, Limits())] == [Extent(1, "holding", 0, 124), Extent(1, "holding", 124, 116)]
    assert len(plan([Extent(1, "holding", 0, 1), Extent(1, "holding", 11, 1)], Limits(gap=10))) == 1
    assert len(plan([Extent(1, "holding", 0, 1), Extent(1, "holding", 12, 1)], Limits(gap=10))) == 2
    assert len(plan([Extent(1, "holding", 0, 1), Extent(1, "input", 1, 1), Extent(2, "holding", 1, 1)], Limits())) == 3


def test_that_an_item_longer_than_the_limit_is_asked_for_alone() -> None:
    items = [Extent(1, "holding", 0, 1), Extent(1, "holding", 1, 20), Extent(1, "holding", 21, 1)]
    assert [block.extent.length for block in plan(items, Limits(max_registers=10))] == [1, 20, 1]


@given(st.lists(extents, min_size=2, max_size=30).map(lambda items: [item._replace(unit=1, table="holding") for item in items]))
def test_that_a_split_keeps_every_item_and_blames_what_lies_between(items: list[Extent]) -> None:
    order = sorted(range(len(items)), key=lambda index: items[index])
    end = max(item.end for item in items)
    start = items[order[0]].address
    block = Block(Extent(1, "holding", start, end - start), tuple(order))
    left, right, between = split(items, block)
    assert left.items + right.items == block.items
    assert left.items
    assert right.items
    assert between.length > 0
    for half in (left, right):
        assert all(covers(half.extent, items[index]) for index in half.items)
        assert covers(block.extent, half.extent)
    assert covers(block.extent, between)


def test_that_a_split_cuts_at_the_widest_gap() -> None:
    items = [Extent(1, "holding", address, 1) for address in (0, 1, 5, 6, 7, 20)]
    left, right, between = split(items, Block(Extent(1, "holding", 0, 21), (0, 1, 2, 3, 4, 5)))
    assert (left.extent, right.extent, between) == (
        Extent(1, "holding", 0, 8),
        Extent(1, "holding", 20, 1),
        Extent(1, "holding", 8, 12),
    )


def test_that_refusals_are_forgotten_after_a_while_but_gaps_last() -> None:
    forbidden = Forbidden(lifetime_s=60)
    item, gap = Extent(1, "holding", 5, 1), Extent(1, "holding", 10, 3)
    forbidden.add(item, 2, 100.0)
    forbidden.add(gap, 3, 100.0, lasting=True)
    assert forbidden.within(Extent(1, "holding", 0, 10)) == 2
    assert forbidden.within(Extent(1, "holding", 9, 10)) == 3
    assert forbidden.within(Extent(1, "holding", 6, 6)) is None
    assert not forbidden.expire(159.0)
    assert forbidden.expire(160.0)
    assert forbidden.within(Extent(1, "holding", 0, 10)) is None
    assert forbidden.within(gap) == 3
    assert forbidden.discard_within(gap)
    assert forbidden.within(gap) is None
