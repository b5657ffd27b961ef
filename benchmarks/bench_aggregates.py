"""A bundle of seven daily tables with noise beside plain polars, and its accuracy beside the best that is possible.

Each measurement is a process of its own, which reads the same Parquet files. The accuracy is that of a few releases, so
classes of few cells scatter; "times the ideal" is the price of the implementation above that of bounding and noise.

    python -m benchmarks.bench_aggregates 1000000 10000000
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import polars as pl

from benchmarks import aggregates
from benchmarks.memory import forget_peak, peak_mb
from benchmarks.table import Row, show

_RELEASED = 10_000_000
"""Events to release for the accuracy, again and again if there are fewer."""

Made = TypeVar("Made")


def run(events: Sequence[int] = (1_000_000, 10_000_000)) -> Iterator[Row]:
    """Rows of time and memory for each number of events, then rows of accuracy for each."""
    accuracies: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in events:
            day = Path(folder) / str(number)
            aggregates.write_day(day, number)
            for name, work in (("plain polars, exact", _plain), ("seven tables with noise", _release)):
                yield {"work": name, "events": number, **_apart(work, day)}
            accuracies += ({"events": number, **row} for row in _apart(_accuracies, day))
    yield from accuracies


def _apart(work: Callable[[Path], Made], day: Path) -> Made:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, day).result()


def _plain(day: Path) -> Row:
    return _measured(lambda: sum(len(frame) for frame in _plain_frames(day)))


def _plain_frames(day: Path) -> list[pl.DataFrame]:
    events = pl.scan_parquet(day / "*.parquet")
    return pl.collect_all([aggregates.plain(table, events) for table in aggregates.tables()], engine="streaming")


def _release(day: Path) -> Row:
    from include.analytics.mechanism import bundle

    made = aggregates.tables()
    return _measured(
        lambda: sum(
            len(noisy.frame.drop_nulls()) for noisy in bundle(made, pl.scan_parquet(day / "*.parquet")).values()
        )
    )


def _measured(work: Callable[[], int]) -> Row:
    forget_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    cells = work()
    return {
        "seconds": round(time.perf_counter() - wall, 2),
        "CPU seconds": round(time.process_time() - cpu, 2),
        "peak MB": round(peak_mb()),
        "cells shown": cells,
    }


def _accuracies(day: Path) -> list[Row]:
    from include.analytics.mechanism import bundle

    events, tables = pl.scan_parquet(day / "*.parquet"), aggregates.tables()
    number = max(1, _RELEASED // int(events.select(pl.len()).collect().item()))
    made = [bundle(tables, events) for _ in range(number)]
    return [
        _row(one)
        for table in tables
        for one in aggregates.accuracy(table, events, [bundled[table.id].frame for bundled in made])
    ]


def _row(one: aggregates.Accuracy) -> Row:
    known = not math.isnan(one.error) and one.ideal_error > 0
    return {
        "table": one.table,
        "users of a cell": one.users,
        "cells": one.cells,
        "shown": f"{one.shown:.1%}",
        "ideal share": f"{one.ideal_shown:.1%}",
        "median error": f"{one.error:.2%}" if known else "-",
        "ideal error": f"{one.ideal_error:.2%}" if known else "-",
        "times the ideal": f"{one.error / one.ideal_error:.2f}" if known else "-",
    }


if __name__ == "__main__":
    show(run([int(size) for size in sys.argv[1:]] or (1_000_000, 10_000_000)))
