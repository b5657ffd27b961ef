"""The planted personal data of an estate, and the search for it in whatever the product wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from sqlalchemy import text

from include.ledger.database import engine_for
from include.ledger.log import Ledger
from include.local.databases import Databases
from include.sandbox.estate import Estate


def planted(estate: Estate) -> frozenset[str]:
    """Every e-mail address, name and identifier of a user or a contact, past ones and those of services too."""
    people = ((person.email, person.name, person.uid) for person in estate.people)
    contacts = ((contact.email, contact.name, contact.id) for contact in estate.contacts())
    identities = (
        (*one.past_emails, *one.analytics_client_ids, *one.push_ids, *one.installation_ids, *one.oauth_tokens)
        for one in estate.identities.values()
    )
    return frozenset(value for one in (*people, *contacts, *identities) for value in one)


def with_plain_hashes(values: Iterable[str]) -> Iterator[str]:
    """The values, and what a careless program would write in their place."""
    for value in values:
        yield value
        for digest in (hashlib.md5, hashlib.sha1, hashlib.sha256):
            yield digest(value.encode()).hexdigest()


def found(values: Iterable[str], content: str) -> list[str]:
    """Which of the values are in a text, whatever the case of its letters."""
    folded = content.casefold()
    return [value for value in values if value.casefold() in folded]


def dump(postgres: Databases, ledger: Ledger) -> str:
    """Every column of every table of the ledger's database, binary ones as the text they hold."""
    rows: list[str] = []
    engine = engine_for(postgres.url(str(ledger.engine.url.database)))
    with engine.connect() as connection:
        tables = connection.scalars(
            text(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT LIKE 'pg\\_%'"
                " AND schemaname <> 'information_schema'"
            )
        ).all()
        for table in tables:
            for row in connection.execute(text(f"SELECT * FROM {table}")):  # noqa: S608 - the catalogue's own names
                rows.append(f"{table} " + " ".join(_readable(value) for value in row))
    engine.dispose()
    return "\n".join(rows)


def _readable(value: object) -> str:
    if isinstance(value, memoryview | bytes):
        return bytes(value).decode(errors="backslashreplace")
    return str(value)
