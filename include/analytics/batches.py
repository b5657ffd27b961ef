"""Which tables are made together: those of one source and one length of period share one reading of its events.

Light: DAG files read this while they are parsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from include.analytics.spec import Cadence, Specification, Table


@dataclass(frozen=True, slots=True)
class Batch:
    """Tables of one source and one length of period, in the order of the specification."""

    source: str
    period: Cadence
    tables: tuple[Table, ...]

    @property
    def id(self) -> str:
        """Such as ``usage_weekly``."""
        return f"{self.source}_{self.period.value}"


def batches(specification: Specification) -> tuple[Batch, ...]:
    """All tables of a specification, by source and length of period."""
    found: dict[tuple[str, Cadence], list[Table]] = {}
    for table in specification.tables:
        found.setdefault((table.source, table.period), []).append(table)
    return tuple(Batch(source, period, tuple(tables)) for (source, period), tables in found.items())


def ending_with(specification: Specification, day: date) -> list[tuple[Batch, date]]:
    """The batches of which ``day`` is the last one of a period, each with the period's first day."""
    following = day + timedelta(days=1)
    found = batches(specification)
    return [(batch, batch.period.start(day)) for batch in found if batch.period.end(day) == following]
