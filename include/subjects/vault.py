"""The vault: the one place that holds identifiers of people, encrypted with one key per request.

    master key (connection)  wraps  data key of each request  seals  identifiers, attachments

Destroying a request's key makes everything sealed under it unreadable for good, in backups too, as far as nobody keeps
both the wrapped key and the master key (docs/operators-guide.md says what PostgreSQL keeps and for how long). There is
no status here: a request is open as long as its key exists; what was done about it is in the ledger.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text, update
from sqlalchemy.engine import Engine

from include.errors import Refused
from include.subjects import register, rows, schema
from include.subjects.database import translated
from include.subjects.identifiers import Identifier, Subject
from include.subjects.keys import Keyring
from include.subjects.register import Intake, Opened, Request
from include.subjects.sealing import FINGERPRINTED

__all__ = ["ATTACHMENT_BYTES", "INTAKE", "Intake", "Opened", "Request", "Vault"]

INTAKE = "intake"
"""Origin of the identifiers that a request was opened with."""
ATTACHMENT_BYTES = 20 * 1024 * 1024
"""Largest attachment."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}", re.ASCII)
_SALT_BYTES = 32
_LONGEST_VALUE = 8192


class Vault:
    """Opens requests, gives their identifiers to those who carry them out, and forgets.

    No error of it, and no ``repr``, shows an identifier; no statement that it sends to PostgreSQL has one in clear.

    Args:
        engine: of the vault's database, see ``include.subjects.database.engine_for``.
        keys: the master keys.
        clock: gives the present in UTC.
    """

    def __init__(self, engine: Engine, keys: Keyring, clock: Callable[[], datetime]) -> None:
        self.engine = engine
        self.clock = clock
        self.keys = keys

    def open(
        self,
        intake: Sequence[Intake],
        *,
        batch: str | None = None,
        may_join: Callable[[str], bool] = lambda ref: True,
        within: Callable[[Connection, Sequence[Opened]], None] = lambda connection, opened: None,
    ) -> list[Opened]:
        """Open requests, all or none; durable when this returns. An intake of a known person joins their request.

        Known is a person all of whose identifiers an open request has that covers what is asked: an erasure covers an
        account deletion, not the other way round.

        Args:
            intake: one per person.
            batch: id for the requests that are new, if they belong together.
            may_join: whether an open request still can be joined; the vault itself does not know how far one is.
            within: what else has to be true from the same instant on; done in the same transaction.

        Returns:
            One for each intake, in its order.

        Raises:
            Refused: an intake is not as it should be; the message never shows an identifier.
            Unavailable: the database did not answer; the requests may or may not be open.
        """
        now = self.clock()
        register.check_batch(batch)
        for position, one in enumerate(intake, 1):
            register.check(one, position, now)
        with self._begin(f"open {len(intake)} requests") as connection:
            # One at a time: two that come in for the same person at the same time must see each other.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('privacy-vault-open'))"))
            prints = rows.fingerprints(connection, self.keys)
            wanted = [prints.of(one.identifiers) for one in intake]
            known = rows.open_requests(connection, {value for values in wanted for value in values})
            opened: list[Opened] = []
            fresh: dict[str, Intake] = {}
            for one, values in zip(intake, wanted, strict=True):
                comparable = all(given.kind in FINGERPRINTED for given in one.identifiers)
                ref = known.covering(values, one.type, may_join) if comparable else None
                opened.append(Opened(ref or register.new_id("req"), joined=ref is not None))
                if ref is None:
                    fresh[opened[-1].id] = one
                    known.add(opened[-1].id, one.type, values)
            keys = rows.write_requests(connection, self.keys, fresh, batch, now)
            found = {ref: one.identifiers for ref, one in fresh.items()}
            rows.write_identifiers(connection, keys, found, INTAKE)
            rows.write_fingerprints(connection, prints, found)
            within(connection, opened)
        return opened

    def requests(
        self,
        *,
        refs: Collection[str] | None = None,
        batch: str | None = None,
        open_only: bool = True,
        limit: int | None = None,
    ) -> list[Request]:
        """The register, oldest receipt first; every filter that is given must match.

        Raises:
            Unavailable: the database did not answer.
        """
        table = schema.requests.c
        query = select(schema.requests) if refs is None else rows.of(refs)
        if batch is not None:
            query = query.where(table.batch == batch)
        if open_only:
            query = query.where(table.wrapped.is_not(None))
        with translated("read the register of requests"), self.engine.connect() as connection:
            found = connection.execute(query.order_by(table.received_at, table.id).limit(limit))
            return [rows.request_of(row) for row in found]

    def subjects(self, refs: Sequence[str]) -> list[Subject]:
        """The persons of open requests with all that is known of them, in the order given.

        Raises:
            Refused: a request is unknown or its key is destroyed.
            Inconsistent: a row was exchanged, altered or removed.
            Unavailable: the database did not answer.
        """
        with self._begin(f"read {len(refs)} requests") as connection:
            unlocked = rows.unlock(self.keys, refs, connection.execute(rows.of(refs)).all())
            known = rows.read_identifiers(connection, unlocked)
        return [Subject(ref, unlocked[ref].request.type, known[ref]) for ref in refs]

    def add(self, ref: str, identifiers: Iterable[Identifier], origin: str) -> int:
        """Keep identifiers that were found. What is known already is not kept twice.

        Args:
            ref: id of an open request.
            identifiers: exactly as their source writes them.
            origin: key of the system that they were read from.

        Returns:
            How many were new.

        Raises:
            Refused: the request is unknown or its key is destroyed, or a value is empty or too long.
            Unavailable: the database did not answer; adding again is safe.
        """
        return self.add_all({ref: identifiers}, origin).get(ref, 0)

    def add_all(self, found: Mapping[str, Iterable[Identifier]], origin: str) -> dict[str, int]:
        """The same for many requests, all or none.

        Returns:
            How many were new, by request; requests without news are left out.
        """
        given = {ref: tuple(identifiers) for ref, identifiers in found.items()}
        if not _NAME.fullmatch(origin):
            raise Refused("vault", "add identifiers", "Name their origin by the key of a system.")
        for known in (known for identifiers in given.values() for known in identifiers):
            if not 0 < len(known.value) <= _LONGEST_VALUE:
                raise Refused("vault", f"add {known}", f"It is empty or longer than {_LONGEST_VALUE} characters.")
        with self._begin(f"add to {len(given)} requests") as connection:
            unlocked = rows.unlock(self.keys, given, connection.execute(rows.locked(given)).all())
            keys = {ref: one.key for ref, one in unlocked.items()}
            news = rows.write_identifiers(connection, keys, given, origin)
            rows.write_fingerprints(connection, rows.fingerprints(connection, self.keys), given)
        return news

    def forget(self, ref: str, identifiers: Iterable[Identifier]) -> None:
        """Remove identifiers that turned out to be somebody else's. One that is not there changes nothing.

        Raises:
            Refused: the request is unknown or its key is destroyed.
            Unavailable: the database did not answer; forgetting again is safe.
        """
        given = tuple(identifiers)
        with self._begin("forget identifiers") as connection:
            key = rows.unlock(self.keys, [ref], connection.execute(rows.locked([ref])).all())[ref].key
            prints = rows.fingerprints(connection, self.keys).of(given)
            rows.remove_identifiers(connection, ref, [key.tag(known) for known in given], prints)

    def attach(self, ref: str, name: str, content: bytes) -> str:
        """Keep a proof. The same one again changes nothing; another one of that name is refused.

        Args:
            ref: id of an open request.
            name: what it is, without anything personal: small letters, digits and ``_.-``.
            content: at most ``ATTACHMENT_BYTES``.

        Returns:
            SHA-256 in hex over a random salt and the content: names the proof in evidence and reveals nothing of it.

        Raises:
            Refused: the request is unknown or its key is destroyed; name or size are not allowed.
            Unavailable: the database did not answer; attaching again is safe.
        """
        if not _NAME.fullmatch(name):
            raise Refused("vault", "keep a proof", "Name it with small letters, digits and _.- only.")
        if not 0 < len(content) <= ATTACHMENT_BYTES:
            raise Refused("vault", "keep a proof", f"It must have between 1 and {ATTACHMENT_BYTES} bytes.")
        with self._begin("keep a proof") as connection:
            key = rows.unlock(self.keys, [ref], connection.execute(rows.locked([ref])).all())[ref].key
            stored = rows.read_attachment(connection, key, ref, name)
            if stored is None:
                stored = secrets.token_bytes(_SALT_BYTES) + content
                rows.write_attachment(connection, key, ref, name, stored)
            elif stored[_SALT_BYTES:] != content:
                raise Refused("vault", "keep a proof", "The request has another one of that name: choose a new name.")
        return hashlib.sha256(stored).hexdigest()

    def attachment(self, ref: str, name: str) -> bytes:
        """A proof that was attached.

        Raises:
            Refused: there is none of that name, the request is unknown or its key is destroyed.
        """
        with self._begin("read a proof") as connection:
            key = rows.unlock(self.keys, [ref], connection.execute(rows.of([ref])).all())[ref].key
            stored = rows.read_attachment(connection, key, ref, name)
        if stored is None:
            raise Refused("vault", "read a proof", "The request has none of that name.")
        return stored[_SALT_BYTES:]

    def destroy(self, refs: Sequence[str]) -> int:
        """Destroy the keys of requests and remove all that was sealed under them, all or none. Cannot be undone.

        Returns:
            How many keys were destroyed now; those that were destroyed before are not counted.

        Raises:
            Refused: a request is unknown.
            Unavailable: the database did not answer; destroying again is safe.
        """
        with self._begin(f"destroy the keys of {len(refs)} requests") as connection:
            held = connection.execute(rows.locked(refs)).all()
            rows.check_known(refs, held)
            open_ones = [row.id for row in held if row.wrapped is not None]
            for child in (schema.identifiers, schema.attachments, schema.fingerprints):
                connection.execute(delete(child).where(child.c.request == func.any(open_ones)))
            key = update(schema.requests).values(wrapped=None, master=None)
            connection.execute(key.where(schema.requests.c.id == func.any(open_ones)))
        return len(open_ones)

    def same_person(self, ref: str) -> list[str]:
        """Other open requests that share an e-mail address or a user id with this one, oldest receipt first.

        Raises:
            Unavailable: the database did not answer.
        """
        own, other, requests = schema.fingerprints.alias(), schema.fingerprints.alias(), schema.requests.c
        query = (
            select(requests.id)
            .join(other, other.c.request == requests.id)
            .join(own, own.c.value == other.c.value)
            .where(own.c.request == ref, requests.id != ref, requests.wrapped.is_not(None))
            .group_by(requests.id)
            .order_by(requests.received_at, requests.id)
        )
        with translated("look for other requests"), self.engine.connect() as connection:
            return list(connection.scalars(query))

    def intake_counts(self, refs: Collection[str]) -> dict[str, dict[str, int]]:
        """How many identifiers of each kind requests were opened with; closed ones have none left.

        Raises:
            Unavailable: the database did not answer.
        """
        table = schema.identifiers.c
        query = select(table.request, table.kind, func.count()).group_by(table.request, table.kind)
        query = query.where(table.request == func.any(list(refs)), table.origin == INTAKE).order_by(table.kind)
        counts: dict[str, dict[str, int]] = {ref: {} for ref in refs}
        with translated("count identifiers"), self.engine.connect() as connection:
            for ref, kind, count in connection.execute(query):
                counts[ref][kind] = count
        return counts

    @contextmanager
    def _begin(self, tried: str) -> Iterator[Connection]:
        with translated(tried), self.engine.begin() as connection:
            yield connection
