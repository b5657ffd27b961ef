"""The mechanism: from the events of one period to figures that may be published.

    bounding ─► noise on every public key                        ─► suppression of small cells ─► sorted rows
             └► unknown keys: noise and threshold on users, then
                noise on the other measures of the chosen keys

Everything after the noise is arithmetic on what is already public: it costs nothing and can only take away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from pathlib import Path

import polars as pl

from include.analytics import accounting, bounding
from include.analytics.identifying import identifying
from include.analytics.noise import Choice, Gaussian
from include.analytics.spec import MECHANISM, Measure, Table
from include.errors import Refused

_USERS = "users"


@dataclass(frozen=True, slots=True)
class Noise:
    """What was added to one measure.

    Args:
        measure: name of its column.
        bound: most that one person adds to one cell.
        rho: budget it spent.
        sigma: scale of the discrete Gaussian, in units of the measure.
        margin: half the width of the 95 % interval, in units of the measure.
    """

    measure: str
    bound: int
    rho: Decimal
    sigma: float
    margin: int


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything a reader needs to judge a release, none of it learned from the events.

    Args:
        rho: budget of the whole release.
        delta: chance to show a key of one person; 0 if all keys are public.
        max_groups: most cells that one person counted in.
        threshold: smallest noisy number of users at which an unknown key shows; None if all keys are public.
        minimum_count: noisy numbers of users below it were suppressed.
        noise: one entry for each measure, in the order of the table.
        mechanism: version of the mechanism.
    """

    rho: Decimal
    delta: Decimal
    max_groups: int
    threshold: int | None
    minimum_count: int
    noise: tuple[Noise, ...]
    mechanism: str


@dataclass(frozen=True, slots=True)
class NoisyTable:
    """A table as it may be published.

    ``frame`` holds the dimensions as text, sorted, and for each measure an Int64 column and ``<measure>_margin``, the
    half width of its 95 % interval. A public key whose number of users was suppressed has a null in every measure.
    """

    table: Table
    frame: pl.DataFrame
    parameters: Parameters


def release(table: Table, events: pl.LazyFrame, *, unit: str = "user") -> NoisyTable:
    """Release one table: :func:`bundle` of it alone."""
    return bundle((table,), events, unit=unit)[table.id]


def bundle(
    tables: Sequence[Table], events: pl.LazyFrame, *, unit: str = "user", spool: Path | None = None
) -> Mapping[str, NoisyTable]:
    """Release several tables of the same events with one reading of them.

    Args:
        tables: none of them internal, all of one source.
        events: exactly the events of the period, left-out people removed; ``unit`` holds the person, the other
            columns are named as in the tables.
        unit: the column that holds the person.
        spool: a private folder for events that are more than memory should hold; the system's by default.

    Returns:
        By id of the table. Each call draws fresh noise: what it returns has to be stored, never asked for twice.

    Raises:
        Refused: a column is missing or of another type than the table needs, or a table is internal.
    """
    for table in tables:
        parameters(table)
    exact = bounding.cells(tables, events, unit=unit, spool=spool)
    return {table.id: _noisy(table, exact[table.id]) for table in tables}


def parameters(table: Table) -> Parameters:
    """What a release of the table adds and spends, known before any event is read.

    Raises:
        Refused: the table is internal, or its budget or its measures are not complete.
    """
    if table.internal or table.rho is None or (table.unknown_keys and table.delta is None):
        raise Refused("analytics", f"release '{table.id}' with noise", "Give it a rho, and a delta for unknown keys.")
    if _USERS not in {measure.name for measure in table.measures}:
        raise Refused("analytics", f"release '{table.id}'", "Add the measure 'users': small cells are found by it.")
    choice = _choice(table)
    noise = []
    for measure in table.measures:
        sigma = choice.sigma if choice and measure.name == _USERS else _gaussian(table, measure).sigma
        margin = accounting.margin(sigma)
        noise.append(Noise(measure.name, measure.bound, table.rho_of(measure), sigma, margin))
    return Parameters(
        rho=table.rho,
        delta=table.delta if choice and table.delta else Decimal(0),
        max_groups=table.max_groups,
        threshold=choice.threshold if choice else None,
        minimum_count=table.minimum_count,
        noise=tuple(noise),
        mechanism=MECHANISM,
    )


def _noisy(table: Table, exact: pl.DataFrame) -> NoisyTable:
    stated = parameters(table)
    choice = _choice(table)
    if choice:
        chosen = choice.choose(exact[_USERS].to_list())
        figures = exact[list(chosen)].with_columns(pl.Series(_USERS, list(chosen.values()), dtype=pl.Int64))
    else:
        figures = _every_key(table, exact)
    for measure in table.measures:
        if not (choice and measure.name == _USERS):
            noisy = _gaussian(table, measure).add(figures[measure.name].to_list())
            figures = figures.with_columns(pl.Series(measure.name, noisy, dtype=pl.Int64))
    return NoisyTable(table, _presentable(table, figures, stated), stated)


def _choice(table: Table) -> Choice | None:
    if not table.unknown_keys or table.delta is None:
        return None
    users = next(measure for measure in table.measures if measure.name == _USERS)
    return Choice(table.max_groups, table.rho_of(users), table.delta)


def _gaussian(table: Table, measure: Measure) -> Gaussian:
    return Gaussian(table.max_groups, measure.bound, table.rho_of(measure))


def _every_key(table: Table, exact: pl.DataFrame) -> pl.DataFrame:
    if not table.dimensions:
        return exact
    grid = product(*(dimension.listed or () for dimension in table.dimensions))
    keys = pl.DataFrame(list(grid), schema=dict.fromkeys(table.name_columns, pl.String), orient="row")
    return keys.join(exact, on=table.name_columns, how="left", maintain_order="left").fill_null(0)


def _presentable(table: Table, figures: pl.DataFrame, stated: Parameters) -> pl.DataFrame:
    """Small cells suppressed, no number below zero, no key that looks like a person, in the order of the keys."""
    enough = pl.col(_USERS) >= table.minimum_count
    shown = figures.filter(enough) if table.unknown_keys else figures
    for dimension in table.dimensions:
        if dimension.keys is None:
            harmless = [identifying(key) is None for key in shown[dimension.column]]
            shown = shown.filter(pl.Series(harmless, dtype=pl.Boolean))
    columns: list[pl.Expr] = [pl.col(name) for name in table.name_columns]
    for noise in stated.noise:
        columns.append(pl.when(enough).then(pl.col(noise.measure).clip(lower_bound=0)))
        columns.append(pl.lit(noise.margin, dtype=pl.Int64).alias(f"{noise.measure}_margin"))
    return shown.select(columns).sort(table.name_columns) if table.dimensions else shown.select(columns)
