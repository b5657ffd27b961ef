"""Releases are as accurate as their budget allows: what bounding and noise must cost, and hardly more."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks import aggregates
from include.analytics.mechanism import bundle

_SAMPLES = 500
"""Fewer noisy cells make a median that scatters by more than is tested."""


def test_error_and_share_of_shown_cells_are_near_the_ideal(tmp_path: Path) -> None:
    aggregates.write_day(tmp_path / "day", 300_000)
    events, tables = pl.scan_parquet(tmp_path / "day" / "*.parquet"), aggregates.tables()
    made = [bundle(tables, events) for _ in range(8)]
    judged = 0
    for table in tables:
        for one in aggregates.accuracy(table, events, [bundled[table.id].frame for bundled in made]):
            assert abs(one.shown - one.ideal_shown) < 0.15 if one.cells * len(made) >= _SAMPLES else True
            if one.cells * len(made) * one.shown >= _SAMPLES:
                assert one.error <= 1.2 * one.ideal_error, one
                judged += 1
    assert judged >= 4
