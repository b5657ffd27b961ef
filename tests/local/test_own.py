"""The product's own databases on a real server: made afresh, usable with their connections, closed to each other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import pytest

from include.connection import Connection
from include.ledger.connect import open_ledger
from include.local import own
from include.local.postgres import EmbeddedPostgres
from include.subjects.connect import open_vault
from tests.subjects.kit import intake, user


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    # Not below pytest's folder: another session that starts closes that one to the server's account.
    with tempfile.TemporaryDirectory(prefix="pg") as directory, EmbeddedPostgres(Path(directory)) as started:
        yield started


def now() -> datetime:
    return datetime.now(tz=UTC)


def test_ledger_and_vault_work_with_the_connections_and_begin_empty_each_time(server: EmbeddedPostgres) -> None:
    for _ in range(2):
        environ = own.fresh(server).connections()
        names = ("privacy_ledger", "privacy_vault", "privacy_vault_key")
        database, *vaults = (Connection.from_env(name, environ) for name in names)
        ledger, vault = open_ledger(database, now), open_vault(*vaults, now)
        assert ledger.size() == 0
        assert vault.requests() == []
        [one] = vault.open([intake(user("u1"))])
        assert vault.subjects([one.id])
        ledger.engine.dispose()
        vault.engine.dispose()


@pytest.mark.parametrize(
    ("role", "database"),
    [
        ("privacy_vault_writer", "privacy_ledger"),
        ("privacy_vault_writer", "privacy_airflow"),
        ("privacy_ledger_writer", "privacy_vault"),
        ("privacy_ledger_owner", "privacy_vault"),
    ],
)
def test_each_role_enters_its_own_database_only(server: EmbeddedPostgres, role: str, database: str) -> None:
    own.fresh(server)
    dsn = server.url(database, role).replace("+psycopg2", "")
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        psycopg2.connect(dsn)


def test_no_password_is_shown(server: EmbeddedPostgres) -> None:
    assert "postgresql" not in repr(own.fresh(server))
