"""What arrivals leave to do is done apart from taking them, a little at a time."""

from __future__ import annotations

import numpy as np

from app.model.columns import SampleColumns, type_code
from app.samples.handles import TagHandles
from tests.gui.driving import Driver

ROWS = 2_000


def test_that_the_history_is_tidied_by_the_window_until_nothing_is_left_to_do(gui: Driver) -> None:
    history = gui.workbench.live.history
    known = TagHandles({number: f"t{number}" for number in range(ROWS)})
    batch = SampleColumns(
        handle=np.arange(ROWS, dtype=np.uint32),
        type=np.full(ROWS, type_code("float64"), np.uint8),
        quality=np.zeros(ROWS, np.uint8),
        status=np.zeros(ROWS, np.uint32),
        number=np.zeros(ROWS),
        source_ns=np.full(ROWS, 1, np.int64),
        server_ns=np.full(ROWS, 1, np.int64),
        receive_ns=np.full(ROWS, 1, np.int64),
    )
    assert not gui.workbench._tidy.isActive()
    while not history.is_untidy:
        history.append(known, batch)
    gui.until(lambda: not history.is_untidy, "it stays as it is")
    gui.until(lambda: not gui.workbench._tidy.isActive(), "it goes on and on")
