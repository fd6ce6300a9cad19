"""Curves of a plot as CSV, one row per sample: what was visible, with quality and gaps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.samples.csv_text import QUALITY_WORDS, Cell, cell, safe_text, time_cell, write_rows
from app.samples.history import Series

HEADINGS: Final = ("time", "tag", "value", "unit", "quality")


def write_series_csv(path: Path, series: Sequence[tuple[str, str, Series]], t0_ns: int, t1_ns: int) -> int:
    """Write the samples of several tags between two times, in order of time.

    Args:
        path: The file; replaced when it exists.
        series: (tag name, unit, samples).
        t0_ns: First moment, included.
        t1_ns: Last moment, included.

    Returns:
        Rows written below the headings. A gap is a row without value whose quality is ``gap``.
    """
    rows: list[tuple[int, tuple[Cell, ...]]] = []
    for name, unit, samples in series:
        inside = (samples.time_ns >= t0_ns) & (samples.time_ns <= t1_ns)
        columns = (samples.time_ns[inside], samples.value[inside], samples.quality[inside])
        for time_ns, value, quality in zip(*(column.tolist() for column in columns), strict=True):
            rows.append((time_ns, (safe_text(name), cell(value), safe_text(unit), QUALITY_WORDS[quality])))
    rows.sort(key=lambda row: row[0])
    with path.open("w", encoding="utf-8", newline="") as out:
        return write_rows(out, HEADINGS, ((time_cell(time_ns), *rest) for time_ns, rest in rows))
