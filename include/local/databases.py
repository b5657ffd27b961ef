"""Databases and roles on a PostgreSQL server: the embedded one or one that the operator gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import psycopg2  # type: ignore[import-untyped]
from psycopg2 import sql
from sqlalchemy.engine import make_url

from include.errors import Refused, Unavailable


class Databases(ABC):
    """What the product needs from a server: start, stop, roles, databases and their URLs."""

    @abstractmethod
    def start(self) -> Self:
        """Make the server answer."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it if we started it."""

    @abstractmethod
    def url(self, database: str, role: str = ..., password: str | None = None) -> str:
        """SQLAlchemy URL of a database; without a role that of the server's administrator."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def ensure_role(self, name: str, password: str | None = None) -> None:
        """Create a login role without any special right if it does not exist; set its password if one is given."""
        role = sql.Identifier(name)
        if not self._rows(sql.SQL("SELECT 1 FROM pg_roles WHERE rolname = {}").format(sql.Literal(name))):
            self._rows(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        if password is not None:
            self._rows(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(password)))

    def ensure_database(
        self, name: str, owner: str | None = None, guests: Sequence[str] = (), template: str | None = None
    ) -> None:
        """Create a database if it does not exist, closed to every role but its owner and ``guests``.

        Args:
            name: of the database.
            owner: an existing role; the administrator where it is None.
            guests: existing roles that may connect to it.
            template: an existing database to copy; nobody may be connected to it.
        """
        database = sql.Identifier(name)
        if self._rows(sql.SQL("SELECT 1 FROM pg_database WHERE datname = {}").format(sql.Literal(name))):
            return
        statement = sql.SQL("CREATE DATABASE {}").format(database)
        if owner is not None:
            statement += sql.SQL(" OWNER {}").format(sql.Identifier(owner))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        self._rows(statement)
        self._rows(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        for guest in guests:
            self._rows(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(guest)))

    def drop_database(self, name: str) -> None:
        """Remove a database and end the sessions in it."""
        self._rows(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _rows(self, statement: sql.Composable) -> list[tuple[object, ...]]:
        dsn = make_url(self.url("postgres")).set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            connection = psycopg2.connect(dsn, connect_timeout=10)
        except psycopg2.OperationalError:
            raise Unavailable("postgres", "connect as administrator", "Check that the server runs.") from None
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor) if cursor.description else []
        except psycopg2.errors.InsufficientPrivilege:
            raise Refused("postgres", "create a role or database", "Use a login with CREATEDB, CREATEROLE.") from None
        finally:
            connection.close()


class GivenPostgres(Databases):
    """A server that the operator runs; it is never started or stopped here.

    Args:
        url: of any database there, with a login that may create roles and databases.
    """

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg2")

    def start(self) -> Self:
        """Check that it answers.

        Raises:
            Unavailable: it does not.
        """
        self.ensure_database("postgres")
        return self

    def stop(self) -> None:
        """Leave it as it is."""

    def url(self, database: str, role: str | None = None, password: str | None = None) -> str:
        """SQLAlchemy URL of a database with the given login, or with the operator's own."""
        url = self._url.set(database=database)
        if role is not None:
            url = url._replace(username=role, password=password)
        return url.render_as_string(hide_password=False)
