"""The mechanism: from events of one period to figures that may be published. See :func:`release`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from include.analytics.spec import Table


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


def bundle(tables: Sequence[Table], events: pl.LazyFrame, *, unit: str = "user") -> Mapping[str, NoisyTable]:
    """Release several tables of the same events with one reading of them.

    Args:
        tables: none of them internal, all of one source.
        events: exactly the events of the period, left-out people removed; ``unit`` holds the person, the other
            columns are named as in the tables.
        unit: the column that holds the person.

    Returns:
        By id of the table. Each call draws fresh noise: what it returns has to be stored, never asked for twice.

    Raises:
        Refused: a column is missing or of another type than the table needs.
    """
    raise NotImplementedError
