"""Steps from older file formats to ours, one module per step.

``from_1.py`` would hold ``def step(rows: list[Row]) -> list[Row]`` that turns the rows of a file of format 1 into those of
format 2. It is found by its name; nothing else lists it. A step knows nothing of ``app.model``, which moves on; it sees
plain JSON objects. There is no step yet: the first format is 1.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import NamedTuple

from app.model.element import Json


class Row(NamedTuple):
    """One line as it stands in the file.

    Attributes:
        line: Its number, from 1; kept through all steps, so that a later error still names the line in the user's file.
        fields: The JSON object, "kind" included.
    """

    line: int
    fields: dict[str, Json]


Step = Callable[[list[Row]], list[Row]]


def migrate(rows: list[Row], found: int, wanted: int) -> list[Row]:
    """The rows of a file of format ``found`` as rows of format ``wanted``.

    Raises:
        ModuleNotFoundError: A step is missing: a release raised the format without writing it.
    """
    for version in range(found, wanted):
        step: Step = importlib.import_module(f"{__name__}.from_{version}").step
        rows = step(rows)
    return rows
