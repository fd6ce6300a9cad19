from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from app.drivers.modbus.in_flight import Window
from app.drivers.modbus.turns import Shape, Turns


async def queue(turns: Turns, shapes: Sequence[Shape], log: list[int], **how: bool) -> list[asyncio.Task[None]]:
    async def ask(number: int, shape: Shape) -> None:
        await turns.take(shape, **how)
        log.append(number)

    tasks = [asyncio.create_task(ask(number, shape)) for number, shape in enumerate(shapes)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_that_turns_are_given_in_order_and_no_more_at_once_than_the_window_allows() -> None:
    turns, log = Turns(Window(2)), list[int]()
    shapes = [(1, 3, 2 * n) for n in range(1, 6)]
    tasks = await queue(turns, shapes, log)
    assert log == [0, 1]
    for number, shape in enumerate(shapes):
        turns.give_back(shape)
        await asyncio.sleep(0)
        assert log == list(range(min(5, number + 3)))
    await asyncio.gather(*tasks)


async def test_that_two_of_one_shape_are_never_out_together_and_others_pass_meanwhile() -> None:
    turns, log = Turns(Window(4)), list[int]()
    same, other = (1, 3, 4), (1, 4, 4)
    tasks = await queue(turns, [same, same, same, other], log)
    assert log == [0, 3]
    assert not turns.is_free(same)
    turns.give_back(same)
    await asyncio.sleep(0)
    assert log == [0, 3, 1]
    turns.give_back(same)
    await asyncio.gather(*tasks)
    assert log == [0, 3, 1, 2]


async def test_that_what_must_go_alone_waits_for_all_and_is_passed_by_none() -> None:
    turns, log = Turns(Window(4)), list[int]()
    tasks = await queue(turns, [(1, 3, 2), (1, 43, None), (1, 3, 4)], log)
    assert log == [0]
    turns.give_back((1, 3, 2))
    await asyncio.sleep(0)
    assert log == [0, 1]
    turns.give_back((1, 43, None))
    await asyncio.gather(*tasks)
    assert log == [0, 1, 2]


async def test_that_who_asks_again_is_first() -> None:
    turns, log = Turns(Window(1)), list[int]()
    await turns.take((1, 3, 2))
    later = await queue(turns, [(1, 3, 4)], log)
    again = asyncio.create_task(turns.take((1, 3, 6), first=True, alone=True))
    await asyncio.sleep(0)
    turns.give_back((1, 3, 2))
    await again
    assert log == []
    turns.give_back((1, 3, 6))
    await asyncio.gather(*later)


async def test_that_whoever_is_cancelled_holds_up_nobody() -> None:
    """At random times: while it waits, and between getting its turn and knowing of it."""
    chance = random.Random(3)
    turns = Turns(Window(3))
    most = out = 0

    async def ask(shape: Shape) -> None:
        nonlocal most, out
        await turns.take(shape, alone=chance.random() < 0.1, first=chance.random() < 0.1)
        out += 1
        most = max(most, out)
        try:
            await asyncio.sleep(0)
        finally:
            out -= 1
            turns.give_back(shape)

    tasks = []
    for _ in range(3000):
        tasks.append(asyncio.create_task(ask((1, 3, chance.randrange(8)))))
        if chance.random() < 0.4:
            await asyncio.sleep(0)
        if chance.random() < 0.5:
            chance.choice(tasks[-20:]).cancel()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert most == 3
    assert turns.is_free((1, 3, 1))
    assert not turns._waiting


async def test_that_a_turn_is_free_only_where_a_place_and_the_shape_are() -> None:
    turns = Turns(Window(2))
    await turns.take((1, 3, 2))
    assert turns.is_free((1, 3, 4))
    assert not turns.is_free((1, 3, 2))
    await turns.take((1, 3, 4))
    assert not turns.is_free((1, 3, 6))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await turns.take((1, 3, 6))
