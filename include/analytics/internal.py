"""Internal tables: exact figures of groups of many, with suppression that was audited before anybody sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from include.analytics.spec import Table


@dataclass(frozen=True, slots=True)
class InternalTable:
    """A table without noise, as it may be used inside the company.

    ``frame`` holds the dimensions as text and each measure as Int64; a row whose dimension is null is the total over
    it. A suppressed cell has a null in every measure. ``suppressed`` counts those cells.
    """

    table: Table
    frame: pl.DataFrame
    suppressed: int


def internal_bundle(
    tables: Sequence[Table], events: pl.LazyFrame, *, unit: str = "user"
) -> Mapping[str, InternalTable]:
    """Make the internal tables of one source and period, by id of the table; audited together.

    Raises:
        Refused: the audit could still narrow a suppressed figure down, or a column is missing.
    """
    raise NotImplementedError
