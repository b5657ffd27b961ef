"""Reading and writing the vault's tables on an open connection. Everything that is written is sealed or hashed."""

from __future__ import annotations

import secrets as random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from include.errors import Inconsistent, Refused
from include.policy.persons import IdentifierKind, RequestType
from include.subjects import schema
from include.subjects.identifiers import Identifier
from include.subjects.joining import OpenRequests
from include.subjects.keys import KEY_BYTES, Keyring, Wrapped
from include.subjects.register import Intake, Request
from include.subjects.sealing import DataKey, Fingerprints, place

_FINGERPRINTS = "fingerprints"


@dataclass(frozen=True, slots=True)
class Unlocked:
    """A request whose key was unwrapped."""

    request: Request
    key: DataKey


def request_of(row: Row[Any]) -> Request:
    """A row of the register as a value."""
    return Request(
        id=row.id,
        batch=row.batch,
        type=RequestType(row.type),
        received_at=row.received_at,
        opened_by=row.opened_by,
        source=row.source,
        has_key=row.wrapped is not None,
        answer=row.answer,
    )


def locked(refs: Collection[str]) -> Select[Any]:
    """The rows of requests, held until the transaction ends, always in the same order: nobody waits in a circle."""
    return of(refs).order_by(schema.requests.c.id).with_for_update(key_share=True)


def of(refs: Collection[str]) -> Select[Any]:
    """The rows of requests."""
    return select(schema.requests).where(schema.requests.c.id == func.any(list(refs)))


def check_known(refs: Collection[str], rows: Sequence[Row[Any]]) -> None:
    """Refuse requests that the register does not have.

    Raises:
        Refused: it lacks one of them.
    """
    missing = len(set(refs)) - len(rows)
    if missing:
        raise Refused("vault", "find a request", f"The register has no row for {missing} of {len(set(refs))} ids.")


def unlock(keys: Keyring, refs: Collection[str], rows: Sequence[Row[Any]]) -> dict[str, Unlocked]:
    """Unwrap the data keys of requests.

    Raises:
        Refused: a request is unknown, or closed, or its master key is not given.
        Inconsistent: what the register says of a request was altered.
    """
    check_known(refs, rows)
    closed = [row.id for row in rows if row.wrapped is None]
    if closed:
        others = f" and {len(closed) - 1} others" if len(closed) > 1 else ""
        why = f"{closed[0]}{others} is closed and its key destroyed: nobody can read it any more."
        raise Refused("vault", "read a request", why)
    unlocked = {}
    for row in rows:
        request = request_of(row)
        key = keys.unwrap(data_key_place(request), Wrapped(row.master, bytes(row.wrapped)))
        unlocked[request.id] = Unlocked(request, DataKey(request.id, key))
    return unlocked


def data_key_place(request: Request) -> bytes:
    """What a data key is bound to."""
    return place("data key", *request.facts())


def secret_place(name: str) -> bytes:
    """What a key of the whole vault is bound to."""
    return place("secret", name)


def secret(connection: Connection, keys: Keyring, name: str) -> bytes:
    """A key of the whole vault; it is made by whoever comes first.

    Raises:
        Refused: the master key that wraps it is not given.
    """
    query = select(schema.secrets).where(schema.secrets.c.name == name)
    row = connection.execute(query).one_or_none()
    if row is None:
        fresh = keys.wrap(secret_place(name), random.token_bytes(KEY_BYTES))
        values = {"name": name, "wrapped": fresh.content, "master": fresh.master}
        connection.execute(insert(schema.secrets).values(values).on_conflict_do_nothing())
        row = connection.execute(query).one()
    return keys.unwrap(secret_place(name), Wrapped(row.master, bytes(row.wrapped)))


def fingerprints(connection: Connection, keys: Keyring) -> Fingerprints:
    """The vault's fingerprints.

    Raises:
        Refused: the master key that wraps their secret is not given.
    """
    return Fingerprints(secret(connection, keys, _FINGERPRINTS))


def open_requests(connection: Connection, values: Collection[bytes]) -> OpenRequests:
    """The open requests that have any of these fingerprints, oldest first."""
    prints, requests = schema.fingerprints.c, schema.requests.c
    query = (
        select(requests.id, requests.type, prints.value)
        .join(schema.fingerprints, prints.request == requests.id)
        .where(prints.value == func.any(list(values)), requests.wrapped.is_not(None))
        .order_by(requests.received_at, requests.id)
    )
    known = OpenRequests()
    for ref, kind, value in connection.execute(query):
        known.add(ref, RequestType(kind), [bytes(value)])
    return known


def write_requests(
    connection: Connection, keys: Keyring, fresh: Mapping[str, Intake], batch: str | None, now: datetime
) -> dict[str, DataKey]:
    """Enter new requests, each under a key of its own."""
    made, rows = {}, []
    for ref, one in fresh.items():
        request = Request(ref, batch, one.type, one.received_at, one.opened_by, one.source, True, one.answer)
        key = random.token_bytes(KEY_BYTES)
        wrapped = keys.wrap(data_key_place(request), key)
        made[ref] = DataKey(ref, key)
        rows.append(
            {
                "id": ref,
                "batch": batch,
                "type": one.type.value,
                "received_at": one.received_at,
                "opened_at": now,
                "opened_by": one.opened_by,
                "source": one.source,
                "answer": one.answer,
                "wrapped": wrapped.content,
                "master": wrapped.master,
            }
        )
    if rows:
        connection.execute(insert(schema.requests), rows)
    return made


def write_identifiers(
    connection: Connection, keys: Mapping[str, DataKey], found: Mapping[str, Iterable[Identifier]], origin: str
) -> dict[str, int]:
    """Seal what is new; returns how much that was, by request, where it is more than nothing."""
    rows = []
    for ref, identifiers in found.items():
        for known in dict.fromkeys(identifiers):
            tag = keys[ref].tag(known)
            sealed = keys[ref].seal(
                known.value.encode("utf-8", "surrogatepass"), *_identifier_place(tag, known.kind, origin)
            )
            rows.append({"request": ref, "tag": tag, "kind": known.kind.value, "origin": origin, "sealed": sealed})
    if not rows:
        return {}
    statement = insert(schema.identifiers).on_conflict_do_nothing().returning(schema.identifiers.c.request)
    return dict(Counter(connection.scalars(statement, rows)))


def write_fingerprints(connection: Connection, prints: Fingerprints, found: Mapping[str, Iterable[Identifier]]) -> None:
    """Keep the fingerprints of identifiers."""
    rows = [{"request": ref, "value": value} for ref, identifiers in found.items() for value in prints.of(identifiers)]
    if rows:
        connection.execute(insert(schema.fingerprints).on_conflict_do_nothing(), rows)


def remove_identifiers(connection: Connection, ref: str, tags: Collection[bytes], prints: Collection[bytes]) -> None:
    """Remove identifiers of a request, and their fingerprints."""
    known, seen = schema.identifiers.c, schema.fingerprints.c
    connection.execute(delete(schema.identifiers).where(known.request == ref, known.tag == func.any(list(tags))))
    connection.execute(delete(schema.fingerprints).where(seen.request == ref, seen.value == func.any(list(prints))))


def read_identifiers(connection: Connection, keys: Mapping[str, Unlocked]) -> dict[str, tuple[Identifier, ...]]:
    """Everything that is known of some persons, in the order in which it was learnt.

    Raises:
        Inconsistent: a row was exchanged, altered or removed.
    """
    table = schema.identifiers.c
    query = select(schema.identifiers).where(table.request == func.any(list(keys))).order_by(table.position)
    known: dict[str, list[Identifier]] = {ref: [] for ref in keys}
    for row in connection.execute(query):
        where = _identifier_place(bytes(row.tag), IdentifierKind(row.kind), row.origin)
        value = keys[row.request].key.unseal(bytes(row.sealed), *where).decode("utf-8", "surrogatepass")
        known[row.request].append(Identifier(IdentifierKind(row.kind), value))
    if not all(known.values()):
        raise Inconsistent("vault", "read a request", "It has no identifier left: find out who removed them.")
    return {ref: tuple(identifiers) for ref, identifiers in known.items()}


def read_attachment(connection: Connection, key: DataKey, ref: str, name: str) -> bytes | None:
    """Salt and content of a proof, if there is one of that name."""
    table = schema.attachments.c
    sealed = connection.scalar(select(table.sealed).where(table.request == ref, table.name == name))
    return None if sealed is None else key.unseal(bytes(sealed), "attachment", name)


def write_attachment(connection: Connection, key: DataKey, ref: str, name: str, stored: bytes) -> None:
    """Seal a proof."""
    row = {"request": ref, "name": name, "sealed": key.seal(stored, "attachment", name)}
    connection.execute(insert(schema.attachments), row)


def _identifier_place(tag: bytes, kind: IdentifierKind, origin: str) -> tuple[str, ...]:
    return "identifier", tag.hex(), kind.value, origin
