"""The register of requests page by page, closed ones included. Nothing in it is about the person."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from sqlalchemy import func, literal, select, tuple_

from include.subjects import rows, schema
from include.subjects.database import translated
from include.subjects.register import Request
from include.subjects.vault import Vault

Place: TypeAlias = tuple[datetime, str]
"""Where a page ends: receipt and id of its last request."""


def newest(vault: Vault, *, limit: int, before: Place | None = None, batch: str | None = None) -> list[Request]:
    """Requests, the newest receipt first.

    Args:
        vault: that keeps the register.
        limit: most of them.
        before: go on after this place.
        batch: only those that came in together under this id.

    Raises:
        Unavailable: the database did not answer.
    """
    table = schema.requests.c
    query = select(schema.requests).order_by(table.received_at.desc(), table.id.desc()).limit(limit)
    if before is not None:
        query = query.where(tuple_(table.received_at, table.id) < tuple_(*map(literal, before)))
    if batch is not None:
        query = query.where(table.batch == batch)
    with translated("list the requests"), vault.engine.connect() as connection:
        return [rows.request_of(row) for row in connection.execute(query)]


def batch_size(vault: Vault, batch: str) -> int:
    """How many requests came in together under this id; 0 if it is not known.

    Raises:
        Unavailable: the database did not answer.
    """
    query = select(func.count()).select_from(schema.requests).where(schema.requests.c.batch == batch)
    with translated("count the requests of a batch"), vault.engine.connect() as connection:
        return int(connection.scalar(query) or 0)
