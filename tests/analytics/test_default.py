"""The default specification on the sandbox company of two thousand users: most cells are shown, and near the truth."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from include.analytics import mechanism
from include.analytics.spec import Cadence, load
from include.sandbox.estate import Estate

NIGHT = datetime(2026, 11, 1, 2, tzinfo=UTC)
LENGTH = {Cadence.DAILY: 1, Cadence.WEEKLY: 7, Cadence.MONTHLY: 31}


@pytest.fixture(scope="module")
def usage() -> pl.DataFrame:
    rows = [document.fields for document in Estate(NIGHT).events()]
    return pl.DataFrame([{name: row[name] for name in ("uid", "at", "feature", "country", "device")} for row in rows])


@pytest.mark.parametrize("table_id", [table.id for table in load().tables])
def test_each_table_is_worth_reading(table_id: str, usage: pl.DataFrame) -> None:
    table = load().table(table_id)
    since = NIGHT - timedelta(days=LENGTH[table.period])
    events = usage.filter(pl.col("at") >= since)
    names = list(table.name_columns)
    truth = [pl.col("uid").n_unique().cast(pl.Int64).alias("true")]
    exact = events.group_by(names).agg(truth) if names else events.select(truth)
    errors, shown = [], []
    for _ in range(12):
        frame = mechanism.release(table, events.lazy(), unit="uid").frame.drop_nulls("users")
        both = frame.join(exact, on=names) if names else pl.concat([frame, exact], how="horizontal").drop_nulls()
        errors += ((both["users"] - both["true"]).abs() / both["true"]).to_list()
        shown.append(len(both) / len(exact))
    assert statistics.fmean(shown) >= 0.8
    assert statistics.median(errors) <= 0.25
