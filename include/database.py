"""The product's own databases on PostgreSQL: engines, errors and migrations, the same for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from psycopg2 import Error as DriverError  # type: ignore[import-untyped]
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from include.connection import Connection
from include.errors import PrivacyError, Refused, Unavailable


@dataclass(frozen=True, slots=True)
class Advice:
    """What a person does about a refusal of one database.

    Args:
        not_migrated: its tables are not there.
        no_right: the login lacks a right.
    """

    not_migrated: str = "Migrate its database with the owner's login."
    no_right: str = "This login lacks the right."


def url_of(connection: Connection) -> URL:
    """SQLAlchemy URL of a connection of type postgres.

    ``schema`` is the database. The server is ``host`` and ``port``, or a unix socket when ``host`` is a directory or
    ``extra`` has ``socket_dir``; ``sslmode`` and ``sslrootcert`` in ``extra`` are handed on.

    Raises:
        Refused: server, login or database is missing.
    """
    host = str(connection.extra.get("socket_dir") or connection.host or "")
    for name, value in (("host", host), ("login", connection.login), ("schema", connection.schema)):
        if not value:
            raise Refused(connection.id, "use its connection", f"Add '{name}' to it.")
    tls = {name: str(connection.extra[name]) for name in ("sslmode", "sslrootcert") if connection.extra.get(name)}
    socket = host.startswith("/")
    return URL.create(
        "postgresql+psycopg2",
        username=connection.login,
        password=connection.password,
        host=None if socket else host,
        port=connection.port,
        database=connection.schema,
        query={**tls, "host": host} if socket else tls,
    )


def engine_for(url: str | URL, application: str) -> Engine:
    """An engine for short-lived task processes: one kept connection, checked before use, dead peers noticed.

    Statements and parameters stay out of error messages.

    Args:
        url: SQLAlchemy URL of the database.
        application: name that the server shows for its sessions, such as ``privacy-ledger``.
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
            "application_name": application,
            "options": "-c timezone=UTC -c lock_timeout=60s -c idle_in_transaction_session_timeout=10min",
        },
    )


@contextmanager
def translated(part: str, tried: str, advice: Advice | None = None) -> Iterator[None]:
    """Turn the driver's errors into the product's, without the driver's text: it can quote values.

    Args:
        part: of the product, such as ``ledger``.
        tried: what is being done.
        advice: what a person does about a refusal.

    Raises:
        Unavailable: the server is gone, busy or refused the connection; what was asked may have happened.
        Refused: the schema or the rights are not as they should be.
    """
    try:
        yield
    except (SQLAlchemyError, DriverError) as error:
        raise _translate(error, part, tried, advice or Advice()) from None


def _translate(error: SQLAlchemyError | DriverError, part: str, tried: str, advice: Advice) -> PrivacyError:
    """The product's error for one of SQLAlchemy's or the driver's."""
    state = getattr(getattr(error, "orig", error), "pgcode", None) or ""
    if state in {"42P01", "42703", "3D000"}:  # no such table, column or database
        return Refused(part, tried, advice.not_migrated)
    if state == "42501":  # insufficient privilege, which is also what a guard of the schema raises
        return Refused(part, tried, advice.no_right)
    if state[:2] in {"22", "23", "42"}:  # data, constraints, statement
        return Refused(part, tried, f"PostgreSQL refused it (SQLSTATE {state}).")
    return Unavailable(part, tried, "Check that its PostgreSQL answers, then run again.")


def migrate(part: str, folder: Path, url: str | URL, writer: str, advice: Advice) -> None:
    """Bring a database to the current schema. Idempotent; run with the owner's login.

    Args:
        part: of the product, such as ``ledger``.
        folder: with the Alembic migrations; they find the open ``connection`` and ``writer`` in their attributes.
        url: SQLAlchemy URL of the database, as its owner.
        writer: existing role that tasks use.
        advice: what a person does about a refusal.

    Raises:
        Refused: the role does not exist or the login may not create tables.
        Unavailable: the database does not answer.
    """
    engine = engine_for(url, f"privacy-{part}")
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    try:
        with translated(part, "migrate its database", advice), engine.begin() as connection:
            if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": writer}):
                raise Refused(part, "find the writer's role", f"Let an administrator run: CREATE ROLE {writer} LOGIN")
            # Two migrations at once wait for each other.
            lock = text("SELECT pg_advisory_xact_lock(hashtext(:name))")
            connection.execute(lock, {"name": f"privacy-{part}-migration"})
            config.attributes.update(connection=connection, writer=writer)
            command.upgrade(config, "head")
    finally:
        engine.dispose()
