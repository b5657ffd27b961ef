"""What the benchmark of the aggregates is made of: an invented day, seven tables of it, and what the best can reach.

The ideal is computed apart from the product: each person's cells are cut to the bound in expectation, normal noise of
the scale that the budget demands is added, and cells show above the threshold that the normal tail demands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

from include.analytics.spec import Table

COUNTRIES, PLANS, FEATURES = 120, 5, 200
EVENTS_OF_A_USER = 20
_CHUNK = 1_000_000
_CANARIES = 0.0002
_CLASSES = ((20, 100), (100, 1000), (1000, 10**9))


def write_day(path: Path, events: int) -> None:
    """A day of events in Parquet: log-normal activity, Zipf's law for values, some feature names that name a user."""
    rng = np.random.default_rng(1)
    users = events // EVENTS_OF_A_USER
    activity = rng.lognormal(0, 1, users).cumsum()
    home, plan = _zipf(rng, COUNTRIES, users), _zipf(rng, PLANS, users)
    path.mkdir()
    for start in range(0, events, _CHUNK):
        size = min(_CHUNK, events - start)
        who = np.searchsorted(activity, rng.random(size) * activity[-1])
        named = pl.DataFrame({"who": who, "country": home[who], "plan": plan[who], "part": _zipf(rng, FEATURES, size)})
        canary = pl.Series(rng.random(size) < _CANARIES)
        user = pl.format("user{}", pl.col("who").cast(pl.String).str.zfill(24))
        frame = named.select(
            user.alias("user"),
            pl.format("C{}", pl.col("country").cast(pl.String).str.zfill(3)).alias("country"),
            pl.format("plan{}", "plan").alias("plan"),
            pl.when(canary).then(pl.format("custom_{}", "who")).otherwise(pl.format("part_{}", "part")).alias("part"),
        )
        frame.write_parquet(path / f"{start}.parquet")


def _zipf(rng: np.random.Generator, keys: int, size: int) -> np.ndarray:
    weights = 1 / np.arange(1, keys + 1)
    return rng.choice(keys, size, p=weights / weights.sum())


def tables() -> list[Table]:
    """Seven tables of a day for a rho of 0.1: four with listed keys, three whose keys are unknown."""
    country = {"column": "country", "keys": tuple(f"C{number:03d}" for number in range(COUNTRIES))}
    plan = {"column": "plan", "keys": tuple(f"plan{number}" for number in range(PLANS))}
    part = {"column": "part"}
    rows = [
        ("total", (), 1, "0.005"),
        ("country", (country,), 1, "0.01"),
        ("plan", (plan,), 1, "0.004"),
        ("country_plan", (country, plan), 1, "0.015"),
        ("part", (part,), 40, "0.0255"),
        ("plan_part", (plan, part), 40, "0.015"),
        ("country_plan_part", (country, plan, part), 40, "0.0255"),
    ]
    return [
        Table.model_validate(
            {
                "id": name,
                "title": name,
                "source": "day",
                "period": "daily",
                "dimensions": dimensions,
                "measures": ({"kind": "users"},),
                "max_groups": most,
                "rho": rho,
                "delta": "1e-7" if part in dimensions else None,
            }
        )
        for name, dimensions, most, rho in rows
    ]


def plain(table: Table, day: pl.LazyFrame) -> pl.LazyFrame:
    """The same table as anybody would write it, exact and without any bound."""
    users = pl.col("user").n_unique().cast(pl.Int64).alias("users")
    counted = day.group_by(table.name_columns).agg(users) if table.dimensions else day.select(users)
    return counted.filter(pl.col("users") >= table.minimum_count)


@dataclass(frozen=True)
class Accuracy:
    """Cells of one size in one table: share shown and median relative error of those, beside the ideal."""

    table: str
    users: str
    cells: int
    shown: float
    ideal_shown: float
    error: float
    ideal_error: float


def accuracy(table: Table, day: pl.LazyFrame, releases: Sequence[pl.DataFrame]) -> Iterator[Accuracy]:
    """The accuracy of some releases of a table, by size of the cell."""
    names = list(table.name_columns)
    cells = _cells(table, day)
    shown = np.array([_users(cells, names, released) for released in releases])
    ideal = _ideal(table, cells["kept"].to_numpy())
    true = cells["true"].to_numpy()
    for low, high in _CLASSES:
        among = (true >= low) & (true < high)
        if among.any():
            yield Accuracy(
                table=table.id,
                users=f"{low} to {high - 1}" if high < 10**9 else f"{low} and more",
                cells=int(among.sum()),
                shown=float(np.mean(~np.isnan(shown[:, among]))),
                ideal_shown=float(np.mean(~np.isnan(ideal[:, among]))),
                error=_median_error(shown[:, among], true[among]),
                ideal_error=_median_error(ideal[:, among], true[among]),
            )


def _users(cells: pl.DataFrame, names: list[str], released: pl.DataFrame) -> np.ndarray:
    if not names:
        return released["users"].cast(pl.Float64).to_numpy()
    both = cells.join(released.select(*names, "users"), on=names, how="left", maintain_order="left")
    return both["users"].cast(pl.Float64).to_numpy()


def _cells(table: Table, day: pl.LazyFrame) -> pl.DataFrame:
    """True users of each cell, and those expected to be kept when each person's cells are cut at random."""
    names = list(table.name_columns)
    pairs = day.select("user", *names).unique().with_columns(groups=pl.len().over("user"))
    kept = (pl.lit(float(table.max_groups)) / pl.col("groups")).clip(upper_bound=1).sum().alias("kept")
    figures = [pl.len().alias("true"), kept]
    return (pairs.group_by(names).agg(figures) if names else pairs.select(figures)).collect(engine="streaming")


def _ideal(table: Table, kept: np.ndarray, draws: int = 50) -> np.ndarray:
    sigma = math.sqrt(table.max_groups / (2 * float(table.rho or 0)))
    needed = float(table.minimum_count)
    if table.delta is not None:
        needed = max(needed, 1 + sigma * float(stats.norm.isf(float(table.delta) / table.max_groups)))
    noisy = kept + np.random.default_rng(2).normal(0, sigma, (draws, len(kept)))
    return np.where(noisy >= needed, noisy, np.nan)


def _median_error(shown: np.ndarray, true: np.ndarray) -> float:
    errors = np.abs(shown - true) / true
    errors = errors[~np.isnan(errors)]
    return float(np.median(errors)) if len(errors) else math.nan
