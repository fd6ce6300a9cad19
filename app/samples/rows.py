"""Samples as rows of five 8-byte words, as the history keeps them, and what many rows of many tags are worked on with."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from app.samples.handles import Places

Ints: TypeAlias = "npt.NDArray[np.int64]"
Bools: TypeAlias = "npt.NDArray[np.bool_]"
Rows = Ints
"""(n, ``ROW_WORDS``); the values are bit patterns of float64."""

SOURCE, SERVER, RECEIVE, VALUE, INFO = range(5)
ROW_WORDS: Final = 5
"""Together in memory, as each row of a batch is of another tag: source, server and receive time (int64 ns since 1970 UTC; the source time
is never 0), value (float64, NaN is none), and quality + 256 × code."""
GAP: Final = 3
"""In the place of a row's quality: no sample but a hole, with a NaN value; beside the numbers of ``Quality``."""
FILLED: Final = 4
"""In the quality of a row: a gap that the device's queue has filled since."""
FINAL: Final = 1
"""In the place of a gap's server time: what is missing was lost for good, and the next sample that comes does not fill it."""


def whole(rows: Rows) -> npt.NDArray[np.void]:
    """The same memory with each row as one: to assign rows to places takes a third of the time."""
    return rows.view(f"V{8 * ROW_WORDS}")[:, 0]


def changes(column: npt.NDArray[np.int64] | Places) -> Bools:
    """Where another value begins; there is at least one."""
    changes = np.empty(len(column), np.bool_)
    changes[0] = True
    np.not_equal(column[1:], column[:-1], out=changes[1:])
    return changes


def ends(starts: Places, rows: int) -> Places:
    """Where the parts end that begin at these places."""
    ends = np.empty_like(starts)
    ends[:-1] = starts[1:]
    ends[-1] = rows
    return ends
