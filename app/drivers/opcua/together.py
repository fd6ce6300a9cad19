"""Several things at once, of which none may fail."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


async def together(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:  # Any: what a coroutine yields and is sent is the event loop's
    """Results in order. The first failure is raised as it is, no ``ExceptionGroup``, when all others are cancelled and over."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        await dropped(tasks)
        raise


async def both(first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]) -> tuple[A, B]:  # Any: likewise
    """The same for two that bring different things."""
    one, other = asyncio.create_task(first), asyncio.create_task(second)
    try:
        return await asyncio.gather(one, other)
    except BaseException:
        await dropped([one, other])
        raise


async def dropped(tasks: Sequence[asyncio.Task[Any]]) -> None:  # Any: whatever they would have brought
    """Cancelled, and over."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
