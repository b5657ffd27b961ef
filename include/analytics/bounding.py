"""What each person may contribute, and the exact figures that follow: from events to cells, in polars.

    events ─► (person, values) ─► cells of a table ─► at most ``max_groups`` cells of each person, drawn at random
                                                      └► clipped to the caps ─► added up over persons

The first step is shared by all tables of a bundle, and coarser groupings are made of finer ones. Events beyond
``AT_ONCE`` are first split by person into parts on the disk: persons are bounded one by one, so the sums of the parts
are the sums of the whole, and memory depends on a part.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from include.analytics.spec import Dimension, Measure, MeasureKind, Table
from include.errors import Refused

AT_ONCE = 4_000_000
"""Events in memory at one time. Parts that fit the processor's caches are also counted faster than a large whole."""
_PERSON, _EVENTS, _PART = "\0person", "\0events", "\1part"


def cells(
    tables: Sequence[Table], events: pl.LazyFrame, *, unit: str, spool: Path | None = None, at_once: int = AT_ONCE
) -> Mapping[str, pl.DataFrame]:
    """The exact figures of each table after bounding, by id: the dimensions as text and each measure as Int64.

    They are as secret as the events. A public key nobody has is absent.

    Raises:
        Refused: a column is missing or is not text, not an integer.
    """
    check(tables, events, unit)
    parts: dict[str, list[pl.DataFrame]] = {table.id: [] for table in tables}
    for part in _parts(_needed(tables, events, unit), spool, at_once):
        groups = {frozenset(_columns(tables)): _persons(part, tables)}
        for table in sorted(tables, key=lambda one: len(one.dimensions), reverse=True):
            parts[table.id].append(_cells(table, _grouped(groups, table)))
    return {table.id: _added(table, parts[table.id]) for table in tables}


def check(tables: Sequence[Table], events: pl.LazyFrame, unit: str) -> None:
    """Whether the events have the columns that the tables need, in types that are counted exactly.

    Raises:
        Refused: a column is missing or is not text, not an integer.
    """
    schema = events.collect_schema()
    wanted = {unit: True, **dict.fromkeys(_columns(tables), True)}
    wanted |= {str(measure.column): False for measure in _sums(tables)}
    for column, may_be_text in wanted.items():
        kind = schema.get(column)
        text = isinstance(kind, pl.String | pl.Categorical | pl.Enum | pl.Boolean) and may_be_text
        if kind is None or not (kind.is_integer() or text):
            found = "is missing" if kind is None else f"is of the type {kind}"
            needs = "text or integers" if may_be_text else "integers; keep money in cents"
            raise Refused("analytics", f"use the column '{column}', which {found}", f"It has to hold {needs}.")


def _columns(tables: Sequence[Table]) -> list[str]:
    return sorted({column for table in tables for column in table.name_columns})


def _sums(tables: Sequence[Table]) -> list[Measure]:
    sums = {_raw(one): one for table in tables for one in table.measures if one.kind is MeasureKind.SUM}
    return [sums[name] for name in sorted(sums)]


def _raw(measure: Measure) -> str:
    """Column of the unclipped figure: two tables may cap the events of a column differently."""
    return _EVENTS if measure.kind is MeasureKind.EVENTS else f"\0{measure.column}\0{measure.bound}"


def _needed(tables: Sequence[Table], events: pl.LazyFrame, unit: str) -> pl.LazyFrame:
    """Persons, values as text, and what one event adds to each sum: between 0 and the cap, so that no sum overflows."""
    sums = [
        pl.col(str(measure.column)).cast(pl.Int64).clip(0, measure.bound).alias(_raw(measure))
        for measure in _sums(tables)
    ]
    keys = [pl.col(column).cast(pl.String) for column in _columns(tables)]
    person = pl.col(unit).cast(pl.String).alias(_PERSON)
    return events.filter(pl.col(unit).is_not_null()).select(person, *keys, *sums)


def _parts(events: pl.LazyFrame, spool: Path | None, at_once: int) -> Iterator[pl.LazyFrame]:
    number = -(-int(events.select(pl.len()).collect(engine="streaming").item()) // at_once)
    if number <= 1:
        yield events
        return
    with tempfile.TemporaryDirectory(dir=spool) as folder:
        part = (pl.col(_PERSON).hash() % number).alias(_PART)
        split = pl.PartitionBy(folder, key=part, include_key=False)
        events.sink_parquet(split, mkdir=True, compression="lz4")
        for path in sorted({file.parent for file in Path(folder).rglob("*.parquet")}):
            yield pl.scan_parquet(path / "*.parquet", hive_partitioning=False)


def _persons(events: pl.LazyFrame, tables: Sequence[Table]) -> pl.DataFrame:
    """One row for each person and combination of values. Persons and values are numbered, which makes it light."""
    keys = [_PERSON, *_columns(tables)]
    coded = events.with_columns(pl.col(key).cast(pl.Categorical(pl.Categories.random())) for key in keys)
    frame = coded.collect(engine="streaming").with_columns(pl.col(_PERSON).to_physical())
    figures = [pl.len().cast(pl.Int64).alias(_EVENTS), *(pl.col(_raw(measure)).sum() for measure in _sums(tables))]
    return frame.lazy().group_by(keys).agg(figures).collect(engine="streaming")


def _grouped(groups: dict[frozenset[str], pl.DataFrame], table: Table) -> pl.DataFrame:
    """Persons by the values of a table, from the smallest grouping that holds them; kept for coarser tables."""
    wanted = frozenset(table.name_columns)
    if wanted not in groups:
        finest = min((frame for columns, frame in groups.items() if columns > wanted), key=lambda frame: frame.height)
        groups[wanted] = _summed(finest, [_PERSON, *sorted(wanted)])
    return groups[wanted]


def _summed(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    figures = [column for column in frame.columns if column.startswith("\0") and column != _PERSON]
    return frame.lazy().group_by(keys).agg(pl.col(figures).sum()).collect(engine="streaming")


def _cells(table: Table, persons: pl.DataFrame) -> pl.DataFrame:
    keyed = persons.with_columns(_key(dimension) for dimension in table.dimensions)
    keyed = keyed.drop_nulls(table.name_columns)
    if any(dimension.other for dimension in table.dimensions):
        # Bounding comes after values were put together: it is the cells of the table that a person may not exceed.
        keyed = _summed(keyed, [_PERSON, *table.name_columns])
    kept = _drawn(keyed, table.max_groups)
    figures = [_clipped(measure) for measure in table.measures]
    if not table.dimensions:
        return kept.select(figures)
    return kept.lazy().group_by(table.name_columns).agg(figures).collect(engine="streaming")


def _key(dimension: Dimension) -> pl.Expr:
    column = pl.col(dimension.column)
    if dimension.keys is None:
        return column
    known = column.cast(pl.Enum(dimension.listed or ()), strict=False)
    return known.fill_null(dimension.other) if dimension.other else known


def _clipped(measure: Measure) -> pl.Expr:
    if measure.kind is MeasureKind.USERS:
        return pl.len().cast(pl.Int64).alias(measure.name)
    return pl.col(_raw(measure)).clip(0, measure.bound).sum().alias(measure.name)


def _drawn(persons: pl.DataFrame, most: int) -> pl.DataFrame:
    """At most ``most`` rows of each person, each set of them equally likely, by the operating system's randomness."""
    codes = persons[_PERSON].to_numpy()
    crowded = np.bincount(codes)[codes] > most if len(codes) else np.zeros(0, dtype=np.bool_)
    chosen = np.flatnonzero(crowded)
    if not len(chosen):
        return persons
    order = np.frombuffer(os.urandom(8 * len(chosen)), dtype=np.uint64)
    chosen = chosen[np.lexsort((order, codes[chosen]))]
    owners = codes[chosen]
    first = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
    position = np.arange(len(owners)) - np.repeat(first, np.diff(np.r_[first, len(owners)]))
    keep = ~crowded
    keep[chosen[position < most]] = True
    return persons.filter(keep)


def _added(table: Table, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    keys = [pl.col(column).cast(pl.String) for column in table.name_columns]
    whole = pl.concat([part.with_columns(keys) for part in parts]) if parts else _empty(table)
    figures = [pl.col(measure.name).sum() for measure in table.measures]
    return whole.group_by(table.name_columns).agg(figures) if table.dimensions else whole.select(figures)


def _empty(table: Table) -> pl.DataFrame:
    schema = dict.fromkeys(table.name_columns, pl.String()) | {one.name: pl.Int64() for one in table.measures}
    return pl.DataFrame(schema=schema)
