"""The vault's connection to PostgreSQL: engine, errors, migrations."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy.engine import URL, Engine

from include import database

WRITER = "privacy_vault_writer"
"""Role that tasks use: it opens and reads requests, adds to them and destroys keys, and alters nothing else."""

_ADVICE = database.Advice(
    not_migrated="Run 'python -m include.subjects migrate' with the owner's login.",
    no_right="This login lacks the right, or the key of the request is destroyed.",
)


def engine_for(url: str | URL) -> Engine:
    """An engine of the vault's database, see ``include.database.engine_for``."""
    return database.engine_for(url, "privacy-vault")


def translated(tried: str) -> AbstractContextManager[None]:
    """Turn the driver's errors into the product's, see ``include.database.translated``."""
    return database.translated("vault", tried, _ADVICE)


def migrate(url: str | URL, writer: str = WRITER) -> None:
    """Bring the vault's database to the current schema. Idempotent; run with the owner's login.

    Args:
        url: SQLAlchemy URL of the database, as its owner.
        writer: existing role that gets the rights of tasks.

    Raises:
        Refused: the role does not exist or the login may not create tables.
        Unavailable: the database does not answer.
    """
    database.migrate("vault", Path(__file__).parent / "migrations", url, writer, _ADVICE)
