"""What is read: the events of a period, as pages of typed columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl

from include.analytics.spec import ColumnType, Source, SourceKind
from include.connection import Connection

PAGE = 5000
"""Events asked for in one call."""

_TYPES: Mapping[ColumnType, type[pl.DataType]] = {ColumnType.TEXT: pl.String, ColumnType.INTEGER: pl.Int64}
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a source.

    Args:
        source: where events are.
        columns: the fields that tables use, with their types; the user is read besides.
        start: first day, UTC.
        end: first day after the period.
    """

    source: Source
    columns: Mapping[str, ColumnType]
    start: date
    end: date

    @property
    def since(self) -> datetime:
        """First instant of the period, UTC."""
        return datetime.combine(self.start, time(), UTC)

    @property
    def until(self) -> datetime:
        """First instant after the period, UTC."""
        return datetime.combine(self.end, time(), UTC)

    @property
    def fields(self) -> tuple[str, ...]:
        """The person and the columns."""
        return (self.source.user, *self.columns)

    @property
    def schema(self) -> dict[str, type[pl.DataType]]:
        """Types of a page."""
        return {self.source.user: pl.String, **{name: _TYPES[kind] for name, kind in self.columns.items()}}

    @property
    def tried(self) -> str:
        """For error messages."""
        return f"read the events of '{self.source.id}'"


def read(wanted: Wanted, connection: Callable[[str], Connection], folder: Path) -> Iterator[pl.DataFrame]:
    """The events of a period with a user, in pages.

    Args:
        wanted: which.
        connection: gives the connection of a system.
        folder: for copies of remote files; private, and removed by the caller.

    Raises:
        Refused: the source is not what the specification says.
        Unavailable: it did not answer, or not wholly: no part of a period may pass for the whole.
    """
    if wanted.source.kind is SourceKind.FIRESTORE:
        from include.analytics.reading import documents

        return documents.events(wanted, connection("firestore"))
    if wanted.source.kind is SourceKind.ELASTICSEARCH:
        from include.analytics.reading import hits

        return hits.events(wanted, connection("elasticsearch"))
    from include.analytics.reading import files

    return files.events(wanted, folder)


def page(wanted: Wanted, records: Iterable[Sequence[Any]]) -> pl.DataFrame:
    """Records, each with the values of ``wanted.fields``, as a page.

    A value of another type than its column's is null, as if the field were not there; an event whose user is neither
    text nor an integer is about nobody whose share could be bounded, and is left out.
    """
    kept = ([str(record[0]), *record[1:]] for record in records if _is_user(record[0]))
    checks = [lambda value: value, *(_CHECKS[kind] for kind in wanted.columns.values())]
    typed = [[check(value) for check, value in zip(checks, record, strict=True)] for record in kept]
    return pl.DataFrame(typed, schema=wanted.schema, orient="row")


def _is_user(value: Any) -> bool:
    return (isinstance(value, str) and value != "") or (isinstance(value, int) and not isinstance(value, bool))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST else None


_CHECKS: Mapping[ColumnType, Callable[[Any], Any]] = {ColumnType.TEXT: _text, ColumnType.INTEGER: _integer}
