"""Samples as CSV (RFC 4180): one row per sample, times in RFC 3339 UTC, text that no spreadsheet runs as a formula."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.model.times import rfc3339
from app.samples.csv_text import QUALITY_WORDS, safe_text
from app.samples.history import Series

HEADINGS: Final = ("time", "tag", "value", "unit", "quality")


def write_series_csv(path: Path, series: Sequence[tuple[str, str, Series]], t0_ns: int, t1_ns: int) -> int:
    """Write the samples of several tags between two times, in order of time.

    Args:
        path: The file.
        series: (tag name, unit, samples).
        t0_ns: First moment, included.
        t1_ns: Last moment, included.

    Returns:
        Rows written below the headings. A gap is a row without value whose quality is ``gap``.
    """
    rows: list[tuple[int, str, str, str, str]] = []
    for name, unit, samples in series:
        inside = (samples.time_ns >= t0_ns) & (samples.time_ns <= t1_ns)
        for time_ns, value, quality in zip(samples.time_ns[inside], samples.value[inside], samples.quality[inside], strict=True):
            rows.append((int(time_ns), safe_text(name), _number(float(value)), safe_text(unit), QUALITY_WORDS[int(quality)]))
    rows.sort()
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADINGS)
        writer.writerows((rfc3339(time_ns), *rest) for time_ns, *rest in rows)
    return len(rows)


def _number(value: float) -> str:
    return "" if math.isnan(value) else repr(value)
