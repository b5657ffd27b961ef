"""Everything that is known about a release that is about to be made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from include.analytics.mechanism import Parameters
from include.analytics.spec import Cadence, Specification, Table


@dataclass(frozen=True, slots=True)
class Publication:
    """One table of one period.

    Args:
        specification: under which it is made.
        table: of it.
        start: first day of the period.
        watermark: when the reading of events began, UTC; what arrived later is in no release.
        frame: dimensions and measures as the mechanism gave them.
        noise: how they were made; None for exact figures that stay inside the company.
    """

    specification: Specification
    table: Table
    start: date
    watermark: datetime
    frame: pl.DataFrame
    noise: Parameters | None

    @property
    def end(self) -> date:
        """First day after the period."""
        return self.table.period.end(self.start)

    @property
    def digest(self) -> str:
        """SHA-256 of everything in the specification that shapes the bytes."""
        return self.specification.table_digest(self.table)

    @property
    def period(self) -> str:
        """Name of the period."""
        return period_name(self.table.period, self.start)


def period_name(cadence: Cadence, start: date) -> str:
    """A period as ISO 8601 writes it: ``2026-11-20``, ``2026-W47`` or ``2026-11``."""
    if cadence is Cadence.WEEKLY:
        year, week, _ = start.isocalendar()
        return f"{year}-W{week:02}"
    return f"{start:%Y-%m}" if cadence is Cadence.MONTHLY else start.isoformat()
