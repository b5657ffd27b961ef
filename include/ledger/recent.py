"""The ledger's newest entries and clocks: what a run asks before it acts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import func, select

from include.ledger.database import translated
from include.ledger.entry import Kind, Recorded
from include.ledger.log import Ledger, recorded
from include.ledger.schema import entries as entry_table


def latest(
    ledger: Ledger, kinds: Collection[Kind], *, rule: str | None = None, run: str | None = None, limit: int = 1
) -> list[Recorded]:
    """The newest entries of these kinds, newest first; every filter that is given must match.

    Raises:
        Unavailable: the database did not answer.
    """
    table = entry_table.c
    query = select(table.index, table.entry, table.leaf_hash).where(table.kind.in_([kind.value for kind in kinds]))
    if rule is not None:
        query = query.where(table.rule == rule)
    if run is not None:
        query = query.where(table.run == run)
    with translated("read its newest entries"), ledger.engine.connect() as connection:
        rows = connection.execute(query.order_by(table.index.desc()).limit(limit)).all()
    return [recorded(index, bytes(data), bytes(leaf)) for index, data, leaf in rows]


def clocks(ledger: Ledger) -> tuple[datetime, datetime | None]:
    """The database's own time and that of the newest entry, if there is one. Both UTC.

    Raises:
        Unavailable: the database did not answer.
    """
    newest = select(entry_table.c.at).order_by(entry_table.c.index.desc()).limit(1).scalar_subquery()
    with translated("read its clocks"), ledger.engine.connect() as connection:
        now, last = connection.execute(select(func.clock_timestamp(), newest)).one()
    return now.astimezone(UTC), None if last is None else last.astimezone(UTC)
