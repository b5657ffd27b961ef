"""Events as Parquet or CSV files of a warehouse, behind an fsspec URL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import fsspec
import polars as pl
from fsspec.implementations.local import LocalFileSystem

from include.analytics.reading.pages import Wanted
from include.analytics.spec import SourceKind
from include.errors import Refused, Unavailable

_ROWS = 200_000
"""Events in one page."""
_DATE = "{date}"
_ISO_8601 = "%+"
"""With or without a fraction of a second. Without a format the first row would decide for all others."""


def events(wanted: Wanted, folder: Path) -> Iterator[pl.DataFrame]:
    """Rows whose time lies in the period. A time without a zone is UTC.

    Raises:
        Refused: a column is missing, or a value is not of its type.
        Unavailable: a file is not there (yet) or cannot be read.
    """
    try:
        yield from _scan(wanted, _local(wanted, folder)).collect_batches(chunk_size=_ROWS, maintain_order=False)
    except (pl.exceptions.ColumnNotFoundError, pl.exceptions.SchemaError, pl.exceptions.InvalidOperationError):
        step = "Correct its user, at and columns: times are ISO 8601, integers whole numbers."
        raise Refused(wanted.source.kind.value, wanted.tried, step) from None
    except (ImportError, ValueError):
        step = "Correct its location: a path or a URL whose fsspec package is installed."
        raise Refused(wanted.source.kind.value, wanted.tried, step) from None
    except (OSError, pl.exceptions.ComputeError) as error:
        step = f"{type(error).__name__}: check that its files are whole, then run again."
        raise Unavailable(wanted.source.kind.value, wanted.tried, step) from None


def _scan(wanted: Wanted, paths: list[Path]) -> pl.LazyFrame:
    # CSV as text: what a column holds is decided by the specification and not by its first rows.
    csv = wanted.source.kind is SourceKind.CSV
    frame = pl.scan_csv(paths, infer_schema=False) if csv else pl.scan_parquet(paths)
    at, user = pl.col(wanted.source.at), pl.col(wanted.source.user).cast(pl.String)
    when = _time(at, frame.select(wanted.source.at).collect_schema()[wanted.source.at])
    inside = frame.filter((when >= wanted.since) & (when < wanted.until))
    columns = [pl.col(name).cast(kind) for name, kind in wanted.schema.items()]
    return inside.filter(user.is_not_null() & (user != "")).select(columns)


def _time(at: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """The column as an instant in UTC."""
    if kind == pl.String:
        with_zone = pl.when(at.str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$")).then(at).otherwise(at + "Z")
        return with_zone.str.to_datetime(_ISO_8601, time_unit="us", time_zone="UTC", strict=True)
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        return at.dt.convert_time_zone("UTC")
    return at.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _local(wanted: Wanted, folder: Path) -> list[Path]:
    """Local paths of all files of the period; remote ones are copied into ``folder``."""
    paths: list[Path] = []
    for url in _urls(wanted):
        files, path = fsspec.core.url_to_fs(url)
        found = sorted(files.glob(path)) if "*" in url else [path] * files.exists(path)
        if not found:
            step = "A file of the period is not there yet: it is tried again."
            raise Unavailable(wanted.source.kind.value, wanted.tried, step)
        for one in found:
            paths.append(Path(one) if isinstance(files, LocalFileSystem) else folder / f"source-{len(paths)}")
            if not isinstance(files, LocalFileSystem):
                files.get_file(one, str(paths[-1]))
    return paths


def _urls(wanted: Wanted) -> list[str]:
    location = wanted.source.location
    if _DATE not in location:
        return [location]
    days = (wanted.end - wanted.start).days
    return [location.replace(_DATE, _day(wanted.start, number)) for number in range(days)]


def _day(start: date, number: int) -> str:
    return (start + timedelta(days=number)).isoformat()
