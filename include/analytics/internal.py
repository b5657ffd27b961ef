"""Internal tables: exact figures of groups of many, with suppression that was audited before anybody sees them.

They are not anonymous and stay inside the company: a later table of the same period, made after somebody was erased,
would show that person by the difference. So they are made once and frozen, like a release, and cannot be asked again.

A table shows all its cells and the totals over each set of its dimensions. A cell is suppressed if it has fewer users
than the table's minimum, if one user makes up more than half of one of its figures, or if another one could be worked
out with its help (see :mod:`include.analytics.suppression`). Where keys are unknown, a suppressed cell is not named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod

import numpy as np
import polars as pl
from numpy.typing import NDArray

from include.analytics import bounding, suppression
from include.analytics.identifying import identifying
from include.analytics.spec import Dimension, MeasureKind, Table
from include.analytics.suppression import Family, System
from include.errors import Refused

MOST_ATOMS, MOST_CELLS = 20_000, 2_000
_PERSON, _USERS, _EVENTS, _LARGEST = "\0person", "users", "events", "\0largest "
_DOMINANT = 0.5
_Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class InternalTable:
    """A table without noise, as it may be used inside the company.

    ``frame`` holds the dimensions as text and each measure as Int64; a row whose dimension is null is the total over
    it. A suppressed cell has a null in every measure. ``suppressed`` counts suppressed cells, named or not.
    """

    table: Table
    frame: pl.DataFrame
    suppressed: int


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell of a table before it is known whether it may be shown: figures, and the most that one user adds."""

    table: Table
    key: _Key
    figures: tuple[int, ...]
    largest: tuple[int, ...]
    atoms: NDArray[np.int64]

    @property
    def sensitive(self) -> bool:
        sums = zip(self.figures[1:], self.largest[1:], strict=True)
        return self.figures[0] < self.table.minimum_count or any(2 * most > total for total, most in sums)

    @property
    def widths(self) -> list[int]:
        """A reader may not come closer than a user's whole part, nor than the minimum."""
        return [max(self.table.minimum_count, most) for most in self.largest]


@dataclass(frozen=True, slots=True)
class _Events:
    """What a bundle is made of: one row for each person and combination of values, and the numbering of those."""

    persons: pl.DataFrame
    levels: Mapping[str, tuple[str | None, ...]]
    figures: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(levels) for levels in self.levels.values())


def internal_bundle(
    tables: Sequence[Table], events: pl.LazyFrame, *, unit: str = "user"
) -> Mapping[str, InternalTable]:
    """Make the internal tables of one source and period, by id of the table; audited together.

    Raises:
        Refused: the audit could still narrow a suppressed figure down, a table is not internal, a column is missing, or
            the tables have more cells than can be audited.
    """
    for table in tables:
        if not table.internal:
            raise Refused("analytics", f"make '{table.id}' without noise", "Mark it as internal, or release it.")
    data = _events(tables, events, unit)
    cells = [cell for table in tables for cell in _cells(table, data)]
    if len(cells) > MOST_CELLS:
        raise Refused("analytics", f"audit {len(cells)} cells", f"Give the tables coarser keys: {MOST_CELLS} at most.")
    system, number = _system(cells, data)
    primary = {number[_name(cell)] for cell in cells if cell.sensitive}
    hidden = suppression.suppressed(system, primary)
    made = {
        table.id: _made(
            table, data.figures, [(cell, number[_name(cell)] in hidden) for cell in cells if cell.table is table]
        )
        for table in tables
    }
    _audit(made, cells, system, number)
    return made


def _audit(
    made: Mapping[str, InternalTable], cells: Sequence[_Cell], system: System, number: Mapping[bytes, int]
) -> None:
    """The last look, at what the frames really show: no sensitive cell, and none that can be worked out."""
    shown = set()
    for table in made.values():
        names = table.table.name_columns
        keys = {row[: len(names)] for row in table.frame.rows() if row[len(names)] is not None}
        mine = [cell for cell in cells if cell.table is table.table and cell.key in keys]
        if any(cell.sensitive for cell in mine):
            raise Refused("analytics", f"show '{table.table.id}'", "A cell of too few users was left in. Report it.")
        shown |= {number[_name(cell)] for cell in mine}
    known = suppression.exposed(system, set(range(len(system.users))) - shown)
    if known:
        raise Refused("analytics", f"hide {len(known)} cells", "They can be worked out from the others. Report it.")


def _events(tables: Sequence[Table], events: pl.LazyFrame, unit: str) -> _Events:
    bounding.check(tables, events, unit)
    columns = sorted({column for table in tables for column in table.name_columns})
    sums = sorted({str(one.column) for table in tables for one in table.measures if one.kind is MeasureKind.SUM})
    persons = (
        events.filter(pl.col(unit).is_not_null())
        .group_by(pl.col(unit).cast(pl.String).alias(_PERSON), *(pl.col(name).cast(pl.String) for name in columns))
        .agg(pl.len().cast(pl.Int64).alias(_EVENTS), *(_sum(name) for name in sums))
        .collect(engine="streaming")
    )
    levels = {name: _levels(name, tables, persons) for name in columns}
    if prod(len(one) for one in levels.values()) > MOST_ATOMS:
        raise Refused("analytics", "audit tables of so many keys", f"List coarser keys: {MOST_ATOMS} cells at most.")
    known = [
        pl.when(pl.col(name).is_in([level for level in levels[name] if level is not None])).then(pl.col(name))
        for name in columns
    ]
    merged = persons.with_columns(known).group_by(_PERSON, *columns).agg(pl.exclude(_PERSON, *columns).sum())
    return _Events(merged, levels, (_USERS, _EVENTS, *(f"{name}_sum" for name in sums)))


def _sum(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Int64).clip(0).sum().alias(f"{column}_sum")


def _levels(column: str, tables: Sequence[Table], persons: pl.DataFrame) -> tuple[str | None, ...]:
    """The values of a column that any table tells apart, and None for all others together."""
    dimensions = [one for table in tables for one in table.dimensions if one.column == column]
    listed = {key for one in dimensions for key in one.keys or ()}
    if any(one.keys is None for one in dimensions):
        seen = persons[column].drop_nulls().unique().to_list()
        listed |= {value for value in seen if identifying(value) is None}
    return (*sorted(listed), None)


def _key(dimension: Dimension, level: str | None) -> str | None:
    """The key that a value counts under, None if under no key."""
    if level is not None and (dimension.keys is None or level in dimension.keys):
        return level
    return dimension.other


def _cells(table: Table, data: _Events) -> Iterator[_Cell]:
    keyed = data.persons
    for one in table.dimensions:
        keys = {level: _key(one, level) for level in data.levels[one.column] if level is not None}
        renamed = pl.col(one.column).replace_strict(keys, default=None, return_dtype=pl.String)
        keyed = keyed.with_columns(renamed.fill_null(one.other) if one.other else renamed).drop_nulls(one.column)
    for size in range(len(table.dimensions) + 1):
        for kept in combinations(table.dimensions, size):
            yield from _cells_of(table, kept, keyed, data)


def _cells_of(table: Table, kept: Sequence[Dimension], keyed: pl.DataFrame, data: _Events) -> Iterator[_Cell]:
    names = [one.column for one in kept]
    summed = data.figures[1:]
    people = keyed.group_by(_PERSON, *names).agg(pl.col(summed).sum()).with_columns(pl.lit(1).alias(_USERS))
    figures = [pl.col(data.figures).sum(), pl.col(data.figures).max().name.prefix(_LARGEST)]
    found = people.group_by(names).agg(figures) if names else people.select(figures).fill_null(0)
    width = len(data.figures)
    seen = {row[: len(names)]: row[len(names) :] for row in found.rows()}
    listed = product(*(one.listed or () for one in kept))
    for key in sorted(seen) if table.unknown_keys else listed:
        row = seen.get(key, (0,) * 2 * width)
        whole = tuple(key[names.index(name)] if name in names else None for name in table.name_columns)
        yield _Cell(table, whole, row[:width], row[width:], _atoms(table, whole, data))


def _atoms(table: Table, key: _Key, data: _Events) -> NDArray[np.int64]:
    chosen = []
    for column, levels in data.levels.items():
        places = [place for place, one in enumerate(table.dimensions) if one.column == column]
        keys = [_key(table.dimensions[places[0]], level) if places else "" for level in levels]
        wanted = key[places[0]] if places else None
        chosen.append([index for index, one in enumerate(keys) if one is not None and wanted in (None, one)])
    grid = np.arange(prod(data.shape)).reshape(data.shape)
    return grid[np.ix_(*chosen)].ravel() if chosen else grid.ravel()


def _name(cell: _Cell) -> bytes:
    """Cells of two tables with the same atoms are the same cell."""
    return cell.atoms.tobytes()


def _system(cells: Sequence[_Cell], data: _Events) -> tuple[System, Mapping[bytes, int]]:
    number: dict[bytes, int] = {}
    for cell in cells:
        number.setdefault(_name(cell), len(number))
    members = np.zeros((len(number), prod(data.shape)), dtype=np.bool_)
    users, widths = np.zeros(len(number)), np.zeros((len(number), len(data.figures)))
    for cell in cells:
        place = number[_name(cell)]
        members[place, cell.atoms] = True
        users[place] = cell.figures[0]
        widths[place] = np.maximum(widths[place], cell.widths)
    # Values that no cell tells apart are one atom.
    apart, atom_of = np.unique(members, axis=1, return_inverse=True)
    figures = np.zeros((len(data.figures), apart.shape[1]))
    for row in _by_atom(data).rows():
        where = [levels.index(value) for levels, value in zip(data.levels.values(), row, strict=False)]
        flat = int(np.ravel_multi_index(where, data.shape)) if where else 0
        figures[:, atom_of[flat]] += row[len(where) :]
    each = tuple(int(name in (_USERS, _EVENTS)) for name in data.figures)
    return System(apart, figures, users, widths, each, tuple(_families(cells, number))), number


def _by_atom(data: _Events) -> pl.DataFrame:
    people = data.persons.with_columns(pl.lit(1).alias(_USERS))
    figures = pl.col(data.figures).sum()
    return people.group_by(list(data.levels)).agg(figures) if data.levels else people.select(figures)


def _families(cells: Sequence[_Cell], number: Mapping[bytes, int]) -> Iterator[Family]:
    """Each total with the cells that it is over, dimension by dimension."""
    parts: dict[tuple[str, int, _Key], list[int]] = {}
    for cell in cells:
        for place, key in enumerate(cell.key):
            if key is not None:
                parts.setdefault((cell.table.id, place, _total(cell.key, place)), []).append(number[_name(cell)])
    for cell in cells:
        for place, key in enumerate(cell.key):
            if key is None:
                yield number[_name(cell)], tuple(parts.get((cell.table.id, place, cell.key), ()))


def _total(key: _Key, place: int) -> _Key:
    return (*key[:place], None, *key[place + 1 :])


def _made(table: Table, figures: Sequence[str], cells: Sequence[tuple[_Cell, bool]]) -> InternalTable:
    names = [one.name for one in table.measures]
    schema = dict.fromkeys(table.name_columns, pl.String()) | dict.fromkeys(names, pl.Int64())
    rows = []
    for cell, hidden in cells:
        if hidden and table.unknown_keys:
            continue
        known = dict(zip(figures, cell.figures, strict=True))
        rows.append((*cell.key, *(None if hidden else known[name] for name in names)))
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    frame = frame.sort(table.name_columns, nulls_last=True) if table.dimensions else frame
    return InternalTable(table, frame, sum(hidden for _, hidden in cells))
