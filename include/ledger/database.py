"""The ledger's connection to PostgreSQL: engine, errors, migrations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from psycopg2 import Error as DriverError  # type: ignore[import-untyped]
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from include.errors import PrivacyError, Refused, Unavailable

WRITER = "privacy_ledger_writer"
"""Role that may insert and read, nothing else."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_NOT_MIGRATED = "Run 'python -m include.ledger migrate' with the owner's login."


def engine_for(url: str | URL) -> Engine:
    """An engine for short-lived task processes: one kept connection, checked before use, dead peers noticed.

    Statements and parameters stay out of error messages.
    """
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg2"),
        pool_size=1,
        max_overflow=5,
        pool_timeout=30,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        connect_args={
            "connect_timeout": 10,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 60_000,
            "application_name": "privacy-ledger",
            "options": "-c timezone=UTC -c lock_timeout=60s -c idle_in_transaction_session_timeout=10min",
        },
    )


@contextmanager
def translated(tried: str) -> Iterator[None]:
    """Turn the driver's errors into the product's, without the driver's text: it can quote values.

    Raises:
        Unavailable: the server is gone, busy or refused the connection; what was asked may have happened.
        Refused: the schema or the rights are not those of a ledger.
    """
    try:
        yield
    except (SQLAlchemyError, DriverError) as error:
        raise _translate(error, tried) from None


def _translate(error: SQLAlchemyError | DriverError, tried: str) -> PrivacyError:
    """The product's error for one of SQLAlchemy's or the driver's."""
    state = getattr(getattr(error, "orig", error), "pgcode", None) or ""
    if state in {"42P01", "42703", "3D000"}:  # no such table, column or database
        return Refused("ledger", tried, _NOT_MIGRATED)
    if state == "42501":  # insufficient privilege, which is also what the append-only guard raises
        return Refused("ledger", tried, "This login lacks the right, or the ledger is append-only for it.")
    if state[:2] in {"22", "23", "42"}:  # data, constraints, statement
        return Refused("ledger", tried, f"PostgreSQL refused it (SQLSTATE {state}).")
    return Unavailable("ledger", tried, "Check that its PostgreSQL answers, then run again.")


def migrate(url: str | URL, writer: str = WRITER) -> None:
    """Bring the ledger's database to the current schema. Idempotent; run with the owner's login.

    Args:
        url: SQLAlchemy URL of the database, as its owner.
        writer: existing role that gets INSERT and SELECT.

    Raises:
        Refused: the role does not exist or the login may not create tables.
        Unavailable: the database does not answer.
    """
    engine = engine_for(url)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    try:
        with translated("migrate its database"), engine.begin() as connection:
            if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": writer}):
                raise Refused(
                    "ledger", "find the writer's role", f"Let an administrator run: CREATE ROLE {writer} LOGIN"
                )
            # Two migrations at once wait for each other.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('privacy-ledger-migration'))"))
            config.attributes.update(connection=connection, writer=writer)
            command.upgrade(config, "head")
    finally:
        engine.dispose()
