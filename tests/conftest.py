"""For all rooms: a real PostgreSQL, a fresh, migrated ledger or vault for each test that asks for one, a sandbox."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import tests.surroundings  # noqa: F401 - before anything imports Airflow
from include.connection import Connection
from include.ledger.database import WRITER, engine_for, migrate
from include.ledger.log import Ledger
from include.ledger.schema import metadata
from include.local.databases import Databases
from include.local.postgres import server
from include.retention.desk import Desk
from include.sandbox.app import Sandbox, connections
from include.subjects import database as vault_database
from include.subjects import schema as vault_schema
from include.subjects.keys import Keyring
from include.subjects.vault import Vault
from include.systems import registry
from include.systems.contract import RetentionSystem
from tests.retention import kit

OWNER = "privacy_ledger_owner"
VAULT_OWNER = "privacy_vault_owner"
MASTER_KEY = bytes(range(32))
_TEMPLATE = "ledger_test_template"
_SHARED = "ledger_test_shared"
_VAULT = "vault_test"
_numbers = itertools.count()


class Clock:
    """A second passes at each look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    with tempfile.TemporaryDirectory(prefix="pg") as directory, server(Path(directory)) as started:
        yield started


@pytest.fixture(scope="session")
def ledger_template(postgres: Databases) -> Iterator[str]:
    for role in (OWNER, WRITER):
        postgres.ensure_role(role, "test")
    for name in (_TEMPLATE, _SHARED):
        postgres.drop_database(name)
    postgres.ensure_database(_TEMPLATE, OWNER, [WRITER])
    migrate(postgres.url(_TEMPLATE, OWNER, "test"))
    postgres.ensure_database(_SHARED, OWNER, [WRITER], template=_TEMPLATE)
    yield _TEMPLATE
    for name in (_TEMPLATE, _SHARED):
        postgres.drop_database(name)


@pytest.fixture
def ledger_database(request: pytest.FixtureRequest, postgres: Databases, ledger_template: str) -> Iterator[str]:
    """An empty, migrated ledger: one of its own for a test that forces its way in, else the shared one, emptied."""
    if "superuser" in request.fixturenames:
        name = f"ledger_test_{next(_numbers)}"
        postgres.drop_database(name)
        postgres.ensure_database(name, OWNER, [WRITER], template=ledger_template)
        yield name
        postgres.drop_database(name)
    else:
        _empty(postgres.url(_SHARED))
        yield _SHARED


def _empty(url: str) -> None:
    """Only a superuser can do this, and only by taking the guards away for a moment."""
    engine = engine_for(url)
    with engine.begin() as connection:
        tables = [table.name for table in metadata.sorted_tables]
        for table in tables:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
        connection.exec_driver_sql(f"TRUNCATE {', '.join(tables)}")
        for table in tables:
            connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only")
    engine.dispose()


@pytest.fixture
def ledger_url(postgres: Databases, ledger_database: str) -> str:
    """The writer's URL of a fresh, migrated ledger."""
    return postgres.url(ledger_database, WRITER, "test")


@pytest.fixture
def owner_url(postgres: Databases, ledger_database: str) -> str:
    return postgres.url(ledger_database, OWNER, "test")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    engine = engine_for(ledger_url)
    yield Ledger(engine, Clock())
    engine.dispose()


@pytest.fixture(scope="session")
def vault_database_name(postgres: Databases) -> Iterator[str]:
    """A migrated vault's database, for all tests one after the other."""
    for role in (VAULT_OWNER, vault_database.WRITER):
        postgres.ensure_role(role, "test")
    postgres.drop_database(_VAULT)
    postgres.ensure_database(_VAULT, VAULT_OWNER, [vault_database.WRITER])
    vault_database.migrate(postgres.url(_VAULT, VAULT_OWNER, "test"))
    yield _VAULT
    postgres.drop_database(_VAULT)


@pytest.fixture
def vault_url(postgres: Databases, vault_database_name: str) -> str:
    """The writer's URL of an empty, migrated vault."""
    engine = vault_database.engine_for(postgres.url(vault_database_name))
    with engine.begin() as connection:
        tables = ", ".join(table.name for table in vault_schema.metadata.sorted_tables)
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY")
    engine.dispose()
    return postgres.url(vault_database_name, vault_database.WRITER, "test")


@pytest.fixture
def vault(vault_url: str) -> Iterator[Vault]:
    """An empty vault whose clock goes on by a second at each look."""
    engine = vault_database.engine_for(vault_url)
    yield Vault(engine, Keyring(MASTER_KEY), Clock())
    engine.dispose()


@pytest.fixture(scope="session")
def company_sandbox() -> Iterator[Sandbox]:
    """Every service of the company on loopback, empty; a test seeds what it needs."""
    with Sandbox() as started:
        yield started


@pytest.fixture(scope="session")
def stores(company_sandbox: Sandbox) -> Iterator[Mapping[str, RetentionSystem]]:
    """The modules of all stores, connected to the sandbox as in production."""
    environ = connections(company_sandbox.endpoints)
    connected = {key: registry.connect(Connection.from_env(key, environ)) for key in registry.MODULES}
    yield connected
    for system in connected.values():
        system.close()


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    """A desk in trial mode, two hours into the night of ``tests.retention.kit``."""
    ledger.clock.now = kit.AS_OF + timedelta(hours=2)  # type: ignore[attr-defined]
    return kit.desk_on(ledger)
