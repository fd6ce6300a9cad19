from __future__ import annotations

from pathlib import Path

import numpy as np

from app.samples.csv_export import write_series_csv
from app.samples.history import Series

SECOND = 10**9


def test_that_curves_are_written_in_order_of_time_with_gaps_and_no_formulas(tmp_path: Path) -> None:
    one = Series(np.array([SECOND, 3 * SECOND, 9 * SECOND]), np.array([1.5, np.nan, 4.0]), np.array([0, 3, 0], np.uint8))
    two = Series(np.array([2 * SECOND, 3 * SECOND]), np.array([7.0, 8.0]), np.array([1, 0], np.uint8))
    path = tmp_path / "curves.csv"
    assert write_series_csv(path, [("=evil", "bar", one), ("b", "", two)], SECOND, 3 * SECOND) == 4
    assert path.read_bytes().decode().split("\r\n") == [
        '"time","tag","value","unit","quality"',
        '"1970-01-01T00:00:01.000Z","\'=evil",1.5,"bar","good"',
        '"1970-01-01T00:00:02.000Z","b",7.0,"","uncertain"',
        '"1970-01-01T00:00:03.000Z","\'=evil","","bar","gap"',
        '"1970-01-01T00:00:03.000Z","b",8.0,"","good"',
        "",
    ]
