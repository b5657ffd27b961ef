"""Keeping erased people out of what is imported: rows go through here before anybody writes them anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier
from include.subjects.tombstones import KINDS, erased
from include.subjects.vault import Vault

CHUNK = 1000
"""Rows that are asked about in one query."""

Row = Mapping[str, Any]


class OnErased(StrEnum):
    """What becomes of an import with rows of erased people."""

    DROP = "drop"
    """Their rows are left out."""
    REFUSE = "refuse"
    """Nothing is imported."""


@dataclass(slots=True)
class Screened:
    """Counts of a screening: rows read, and rows of erased people among them."""

    rows: int = 0
    erased: int = 0


def screen(
    vault: Vault, rows: Iterable[Row], columns: Mapping[str, IdentifierKind], counts: Screened | None = None
) -> Iterator[Row]:
    """The rows that are of nobody who was erased, in their order, a chunk of them in memory at a time.

    Args:
        vault: with the tombstones.
        rows: each a mapping of columns to values; a missing or empty value names nobody.
        columns: the columns that name a person, each with the kind of identifier that it holds.
        counts: is kept up to date while the rows are read.

    Raises:
        Refused: no column is named, or one of a kind that tombstones don't know.
        Unavailable: the vault did not answer; nothing more may be imported.
    """
    if not columns or not set(columns.values()) <= KINDS:
        known = ", ".join(sorted(kind.value for kind in KINDS))
        raise Refused("import", "screen its rows", f"Name the columns that hold one of: {known}.")
    tally = Screened() if counts is None else counts
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        dead = _dead(vault, chunk, columns)
        tally.rows += len(chunk)
        tally.erased += len(dead)
        yield from (row for position, row in enumerate(chunk) if position not in dead)


def _dead(vault: Vault, chunk: list[Row], columns: Mapping[str, IdentifierKind]) -> set[int]:
    """Places of the rows of erased people."""
    named = [
        (position, Identifier(kind, str(row[column])))
        for position, row in enumerate(chunk)
        for column, kind in columns.items()
        if row.get(column) not in (None, "")
    ]
    gone = erased(vault, [known for _, known in named])
    return {position for (position, _), is_gone in zip(named, gone, strict=True) if is_gone}
