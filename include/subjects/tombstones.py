"""Tombstones: by which data of an erased person is recognised, should it come back through an import or a backup.

When a request has been carried out, and before its key goes, each identifier that names one person is put through
HMAC-SHA-256 under a key of the vault's own, together with its kind, and kept for ``requests.tombstone_days`` of the
policy. Nobody can read a person from it; who holds the key can only ask "was this one erased?". The ledger knows
nothing of it, and no tombstone names its request: ``person`` is a keyed hash too and only ties a person's hashes
together, so that one who comes back is one request.

The key is a row of ``vault_secret`` wrapped by the master key, from which HKDF derives the hashing key with an info
string of its own: a new master key wraps it again (``python -m include.subjects rotate``) and changes no hash. What it
hashed can't be hashed again, because the identifiers are gone: to give the key up, delete its row and the tombstones.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.subjects import rows, schema
from include.subjects.database import translated
from include.subjects.identifiers import Identifier
from include.subjects.keys import Keyring, derived
from include.subjects.normalise import canonical
from include.subjects.sealing import place
from include.subjects.vault import Vault

KINDS = frozenset(
    {
        IdentifierKind.EMAIL,
        IdentifierKind.USER_ID,
        IdentifierKind.FEDERATED_ID,
        IdentifierKind.PHONE,
        IdentifierKind.CONTACT_ID,
        IdentifierKind.EXTERNAL_ID,
        IdentifierKind.PUSH_ID,
    }
)
"""Kinds that name one person. A workspace or a browser is shared; a token or a channel can't come back."""

_SECRET = "tombstones"  # noqa: S105 - the name of a key
_table = schema.tombstones.c


class Marks:
    """The keyed hashes of one vault.

    Args:
        secret: 32 random bytes, kept wrapped in the vault.
    """

    __slots__ = ("_identifiers", "_people")

    def __init__(self, secret: bytes) -> None:
        self._identifiers = derived(secret, "tombstone of an identifier")
        self._people = derived(secret, "tombstone of a person")

    @classmethod
    def of_vault(cls, connection: Connection, keys: Keyring) -> Marks:
        """Those of the vault at the other end of a connection."""
        return cls(rows.secret(connection, keys, _SECRET))

    def of(self, known: Identifier) -> bytes | None:
        """The hash of an identifier in its canonical form, or as it is where it has none; None for other kinds."""
        if known.kind not in KINDS or not known.value.strip():
            return None
        try:
            form = canonical(known.kind, known.value)
        except Refused:
            form = known.value.strip()
        return hmac.digest(self._identifiers, place(known.kind.value, form), hashlib.sha256)

    def person(self, ref: str) -> bytes:
        """What ties the hashes of one request together."""
        return hmac.digest(self._people, ref.encode(), hashlib.sha256)

    def __repr__(self) -> str:
        return "Marks(hidden)"


@dataclass(frozen=True, slots=True)
class Match:
    """An identifier of an erased person that is somewhere again. ``person`` is the same for all of one person's."""

    identifier: Identifier = field(repr=False)
    person: bytes = field(repr=False)


def bury(vault: Vault, kept: Mapping[str, Collection[str]], *, days: int) -> int:
    """Write the tombstones of requests that have been carried out. Repeatable; one whose key is gone is left out.

    Args:
        vault: that holds the requests.
        kept: ids of requests, each with the systems in which something of the person stays on a ground: there it is no
            surprise to see them.
        days: how long a tombstone stands.

    Returns:
        How many identifiers have a tombstone now because of these requests.

    Raises:
        Unavailable: the database did not answer; writing again is safe.
    """
    expires = vault.clock() + timedelta(days=days)
    with translated("write tombstones"), vault.engine.begin() as connection:
        held = [row for row in connection.execute(rows.locked(kept)).all() if row.wrapped is not None]
        unlocked = rows.unlock(vault.keys, [row.id for row in held], held)
        known = rows.read_identifiers(connection, unlocked)
        marks = Marks.of_vault(connection, vault.keys)
        found = {
            value: {
                "value": value,
                "person": marks.person(ref),
                "kept": sorted(kept[ref]),
                "expires_at": expires,
                "reopened": None,
            }
            for ref, identifiers in known.items()
            for identifier in identifiers
            if (value := marks.of(identifier)) is not None
        }
        if found:
            fresh = insert(schema.tombstones)
            news = {name: fresh.excluded[name] for name in ("person", "kept", "expires_at", "reopened")}
            in_order = [found[value] for value in sorted(found)]
            connection.execute(fresh.on_conflict_do_update(index_elements=["value"], set_=news), in_order)
    return len(found)


def erased(vault: Vault, identifiers: Sequence[Identifier]) -> list[bool]:
    """Whether each of some identifiers is that of an erased person: what an importer asks before it writes.

    Raises:
        Unavailable: the database did not answer; nothing may be imported.
    """
    known = {match.identifier for match in _matches(vault, identifiers, None)}
    return [identifier in known for identifier in identifiers]


def returned(vault: Vault, identifiers: Sequence[Identifier], system: str) -> list[Match]:
    """Those that were found in a system and are of an erased person of whom nothing is to stay there.

    Raises:
        Unavailable: the database did not answer.
    """
    return _matches(vault, identifiers, system)


def without_request(vault: Vault, found: Mapping[bytes, Collection[Identifier]]) -> list[bytes]:
    """People who came back and of whom no request is open: neither one that was opened for it, nor any other.

    Args:
        vault: with the requests.
        found: identifiers by ``Match.person``.

    Raises:
        Unavailable: the database did not answer.
    """
    requests = schema.requests.c
    with translated("look for open requests of people who came back"), vault.engine.begin() as connection:
        prints = rows.fingerprints(connection, vault.keys)
        own = {person: set(prints.of(identifiers)) for person, identifiers in found.items()}
        query: Select[tuple[bytes]] = select(schema.fingerprints.c.value).where(
            schema.fingerprints.c.value == func.any([value for values in own.values() for value in values])
        )
        busy = {bytes(value) for value in connection.scalars(query)}
        again = (
            select(_table.person)
            .join(schema.requests, requests.id == _table.reopened)
            .where(_table.person == func.any(list(found)), requests.wrapped.is_not(None))
        )
        reopened = {bytes(person) for person in connection.scalars(again)}
    return [person for person in found if person not in reopened and not own[person] & busy]


def reopen(connection: Connection, refs: Mapping[bytes, str]) -> None:
    """Note which request was opened for people who came back, in the transaction that opens them."""
    for person, ref in sorted(refs.items()):
        connection.execute(update(schema.tombstones).where(_table.person == person).values(reopened=ref))


def lift(vault: Vault, refs: Collection[str]) -> int:
    """Remove the tombstones of people who came back on purpose: the requests opened for it were declined. Repeatable.

    Returns:
        How many were removed.

    Raises:
        Unavailable: the database did not answer; lifting again is safe.
    """
    return _remove(vault, delete(schema.tombstones).where(_table.reopened == func.any(list(refs))))


def expire(vault: Vault) -> int:
    """Remove the tombstones whose time is over. Returns how many that were.

    Raises:
        Unavailable: the database did not answer.
    """
    return _remove(vault, delete(schema.tombstones).where(_table.expires_at <= vault.clock()))


def _remove(vault: Vault, statement: object) -> int:
    with translated("remove tombstones"), vault.engine.begin() as connection:
        return int(connection.execute(statement).rowcount)  # type: ignore[call-overload]


def _matches(vault: Vault, identifiers: Iterable[Identifier], system: str | None) -> list[Match]:
    with translated("look for tombstones"), vault.engine.begin() as connection:
        marks = Marks.of_vault(connection, vault.keys)
        values = [(known, value) for known in identifiers if (value := marks.of(known)) is not None]
        query = select(_table.value, _table.person).where(
            _table.value == func.any(list({value for _, value in values})), _table.expires_at > vault.clock()
        )
        if system is not None:
            query = query.where(~_table.kept.contains([system]))
        people = {bytes(row.value): bytes(row.person) for row in connection.execute(query)}
    return [Match(known, people[value]) for known, value in values if value in people]
