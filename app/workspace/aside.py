"""Moving a broken file out of the way, so that nothing is lost and the program starts."""

from __future__ import annotations

import itertools
from pathlib import Path


def move_aside(path: Path) -> Path:
    """Rename ``name`` to ``name.bad-1``, or the next number that is free; gives the new path. Raises ``OSError``."""
    free = next(one for number in itertools.count(1) if not (one := path.with_name(f"{path.name}.bad-{number}")).exists())
    return path.replace(free)
