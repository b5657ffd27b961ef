"""Lint of one table: whether its columns may be used, whether its figures and its budget are complete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from include.analytics.identifying import identifying
from include.analytics.spec import ColumnType, MeasureKind, Source, Table
from include.policy.document import Trail
from include.policy.structure import did_you_mean

Report: TypeAlias = Iterator[tuple[Trail, str]]
FEWEST = 20
RESERVED = frozenset({"period_start", "period_end"})


def errors(table: Table, source: Source | None) -> Report:
    """What is wrong with a table, with the way from the table to it.

    Args:
        table: sound in its types.
        source: that of the table, if it is sound.
    """
    if source:
        yield from _columns(table, source)
    yield from _keys(table)
    yield from _measures(table)
    yield from _budget(table)
    yield from _bounds(table)


def _columns(table: Table, source: Source) -> Report:
    used: list[tuple[Trail, str]] = [
        *((("dimensions", index, "column"), one.column) for index, one in enumerate(table.dimensions)),
        *((("measures", index, "column"), one.column) for index, one in enumerate(table.measures) if one.column),
    ]
    for trail, name in used:
        column = source.columns.get(name)
        if name in RESERVED:
            yield trail, f"'{name}' is the name of a column that each release has"
        elif name in (source.user, source.at):
            yield trail, f"'{name}' says who or when; it enters no table"
        elif column is None:
            known = sorted(source.columns)
            yield trail, f"the source '{source.id}' has no column '{name}'{did_you_mean(name, known)}"
        elif column.identifier:
            yield trail, f"'{name}' is marked as an identifier; it enters no table"
        elif column.from_google_api:
            yield trail, f"'{name}' came from a Google API; under Limited Use it never leaves"
        elif trail[0] == "measures" and column.type is not ColumnType.INTEGER:
            yield trail, f"'{name}' is {column.type}; only whole numbers are added up"


def _keys(table: Table) -> Report:
    for index, dimension in enumerate(table.dimensions):
        here: Trail = ("dimensions", index)
        if table.name_columns.count(dimension.column) > 1:
            yield (*here, "column"), f"'{dimension.column}' is a dimension of '{table.id}' twice"
        if dimension.keys is None:
            if dimension.other:
                yield (*here, "other"), "'other' needs listed keys: it takes what is not in the list"
            if dimension.expected_keys is None and not table.internal:
                yield here, "say in 'expected_keys' how many keys there may be, for the forecast"
            continue
        for key, times in Counter((*dimension.keys, dimension.other)).items():
            if key and times > 1:
                yield (*here, "keys"), f"the key '{key}' is listed twice"
        for position, key in enumerate(dimension.keys):
            if looks := identifying(key):
                yield (*here, "keys", position), f"a key that looks like {looks} is not published"


def _measures(table: Table) -> Report:
    names = Counter(measure.name for measure in table.measures)
    if names["users"] != 1:
        yield ("measures",), "a table has the measure 'users' once: small cells are found by it"
    for index, measure in enumerate(table.measures):
        here: Trail = ("measures", index)
        if names[measure.name] > 1 and measure.kind is not MeasureKind.USERS:
            yield here, f"the measure '{measure.name}' is there twice"
        if {measure.name, measure.margin} & set(table.name_columns):
            yield here, f"the measure '{measure.name}' and a dimension would have the same name in the release"
        if (measure.column is None) == (measure.kind is MeasureKind.SUM):
            yield here, "'column' belongs to the kind 'sum', and only to it"
        if measure.kind is MeasureKind.USERS and measure.cap is not None:
            yield (*here, "cap"), "a person counts once; 'users' has no cap"
        if table.internal and measure.cap is not None:
            yield (*here, "cap"), "an internal table is exact; leave 'cap' out"
        if measure.kind is not MeasureKind.USERS and measure.cap is None and not table.internal:
            yield here, f"say in 'cap' what one person adds at most to one cell of '{measure.name}'"


def _budget(table: Table) -> Report:
    if table.internal:
        if table.rho is not None or table.delta is not None:
            yield ("rho",), "an internal table is exact and has no budget"
        return
    if table.rho is None:
        yield (), f"'{table.id}' needs a 'rho', or has to be internal"
    if table.unknown_keys and table.delta is None:
        yield (), f"'{table.id}' has unknown keys and needs a 'delta', or a list of its keys"
    if not table.unknown_keys and table.delta is not None:
        yield ("delta",), "all keys are listed, so nothing can show by chance; leave 'delta' out"


def _bounds(table: Table) -> Report:
    if table.minimum_count < FEWEST:
        yield ("minimum_count",), f"no cell of fewer than {FEWEST} users is published"
    if not table.unknown_keys and table.max_groups > table.public_cells:
        cells = "1 cell" if table.public_cells == 1 else f"{table.public_cells} cells"
        yield ("max_groups",), f"'{table.id}' has only {cells}; a larger bound adds nothing but noise"
    if table.typical_groups > table.max_groups:
        yield ("typical_groups",), "a usual person would be cut: raise 'max_groups' or lower 'typical_groups'"
