"""A new master key: every data key is wrapped again, what they sealed stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select, text, union_all
from sqlalchemy.engine import Engine

from include.subjects import schema
from include.subjects.database import translated
from include.subjects.keys import Keyring, Wrapped
from include.subjects.rows import data_key_place, request_of, secret_place

_REWRAP = text(
    "UPDATE vault_request SET wrapped = fresh.wrapped, master = :master"
    " FROM unnest(CAST(:ids AS text[]), CAST(:keys AS bytea[])) AS fresh (id, wrapped)"
    " WHERE vault_request.id = fresh.id"
)


def rotate(engine: Engine, keys: Keyring, batch: int = 500) -> Iterator[int]:
    """Wrap everything with the current master key, in transactions of ``batch`` keys.

    It may be ended at any point and run again: what is done is done, and the rest is found again.

    Args:
        engine: of the vault's database.
        keys: the new key as the current one, those in use before as previous ones.
        batch: keys in one transaction.

    Yields:
        How many keys were wrapped again, after each transaction.

    Raises:
        Refused: a key is wrapped by a master key that is not in the ring.
        Inconsistent: a row of the register was altered.
        Unavailable: the database did not answer; run it again.
    """
    while done := _batch(engine, keys, batch):
        yield done


def in_use(engine: Engine) -> dict[str, int]:
    """How many keys each master key wraps, by its id: one that is not listed is not needed any more.

    Raises:
        Unavailable: the database did not answer.
    """
    requests, secrets = schema.requests.c, schema.secrets.c
    both = union_all(select(requests.master).where(requests.master.is_not(None)), select(secrets.master)).subquery()
    query = select(both.c.master, func.count()).group_by(both.c.master).order_by(both.c.master)
    with translated("count the keys of each master key"), engine.connect() as connection:
        return {master: count for master, count in connection.execute(query)}


def _batch(engine: Engine, keys: Keyring, size: int) -> int:
    with translated("wrap its keys again"), engine.begin() as connection:
        return _secrets(connection, keys) + _requests(connection, keys, size)


def _secrets(connection: Connection, keys: Keyring) -> int:
    table = schema.secrets
    stale = connection.execute(select(table).where(table.c.master != keys.current).with_for_update()).all()
    for row in stale:
        place = secret_place(row.name)
        fresh = keys.wrap(place, keys.unwrap(place, Wrapped(row.master, bytes(row.wrapped))))
        change = table.update().where(table.c.name == row.name)
        connection.execute(change.values(wrapped=fresh.content, master=fresh.master))
    return len(stale)


def _requests(connection: Connection, keys: Keyring, size: int) -> int:
    table = schema.requests.c
    query = select(schema.requests).where(table.wrapped.is_not(None), table.master != keys.current)
    stale = connection.execute(query.order_by(table.id).limit(size).with_for_update(key_share=True)).all()
    ids, wrapped = [], []
    for row in stale:
        place = data_key_place(request_of(row))
        ids.append(row.id)
        wrapped.append(keys.wrap(place, keys.unwrap(place, Wrapped(row.master, bytes(row.wrapped)))).content)
    connection.execute(_REWRAP, {"ids": ids, "keys": wrapped, "master": keys.current})
    return len(stale)
