"""The ledger from an Airflow connection."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.engine import URL

from include.connection import Connection
from include.errors import Refused
from include.ledger.database import engine_for
from include.ledger.log import Ledger

CONNECTION = "privacy_ledger"
"""Id of the connection with the writer's login."""


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


def open_ledger(connection: Connection, clock: Callable[[], datetime]) -> Ledger:
    """The ledger behind a connection; the first call to it is made when it is used.

    Raises:
        Refused: the connection lacks something.
    """
    return Ledger(engine_for(url_of(connection)), clock)
