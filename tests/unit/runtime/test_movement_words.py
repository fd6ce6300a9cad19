"""Why an item stands in the ranking of what moved, in words; and how many move by themselves."""

from __future__ import annotations

import numpy as np
import pytest

from app.model.columns import SampleColumns
from app.runtime.movement import QUIET_RATIO, Moved, Movement, Observed


@pytest.mark.parametrize(
    ("before", "amplitude", "always", "why"),
    [
        (0, QUIET_RATIO, False, "changed only in the window"),
        (4, 3.46, False, "went 3.5 times as far as before"),
        (4, QUIET_RATIO, False, "went at least 100 times as far as before"),
        (4, 1.2, False, "changed more often than before"),
        (40, 1.2, True, "always changing"),
    ],
)
def test_that_every_row_says_why_it_is_there(before: int, amplitude: float, always: bool, why: str) -> None:
    assert Moved("a", "a", 1, 2, 1, before, amplitude, 5.0, always).why == why


def samples(*numbers: float) -> SampleColumns:
    size = len(numbers)
    zeros = np.zeros(size, np.int64)
    return SampleColumns(
        handle=np.arange(size, dtype=np.uint32), type=np.zeros(size, np.uint8), quality=np.zeros(size, np.uint8),
        status=np.zeros(size, np.uint32), number=np.array(numbers), source_ns=zeros, server_ns=zeros, receive_ns=zeros, objects={},
    )  # fmt: skip


def test_that_items_that_move_by_themselves_are_counted() -> None:
    movement = Movement([Observed("a"), Observed("b"), Observed("c")], [0, 1, 2])
    movement.add(samples(1, 1, 1), 0.0)
    assert movement.restless == 0
    movement.add(samples(1, 2, 3), 1.0)
    movement.add(samples(1, 5, 3), 2.0)
    assert movement.restless == 2
