"""The ledger's connection to PostgreSQL: engine, errors, migrations."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy.engine import URL, Engine

from include import database

WRITER = "privacy_ledger_writer"
"""Role that may insert and read, nothing else."""

_ADVICE = database.Advice(
    not_migrated="Run 'python -m include.ledger migrate' with the owner's login.",
    no_right="This login lacks the right, or the ledger is append-only for it.",
)


def engine_for(url: str | URL) -> Engine:
    """An engine of the ledger's database, see ``include.database.engine_for``."""
    return database.engine_for(url, "privacy-ledger")


def translated(tried: str) -> AbstractContextManager[None]:
    """Turn the driver's errors into the product's, see ``include.database.translated``."""
    return database.translated("ledger", tried, _ADVICE)


def migrate(url: str | URL, writer: str = WRITER) -> None:
    """Bring the ledger's database to the current schema. Idempotent; run with the owner's login.

    Args:
        url: SQLAlchemy URL of the database, as its owner.
        writer: existing role that gets INSERT and SELECT.

    Raises:
        Refused: the role does not exist or the login may not create tables.
        Unavailable: the database does not answer.
    """
    database.migrate("ledger", Path(__file__).parent / "migrations", url, writer, _ADVICE)
