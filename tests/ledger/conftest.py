"""A real PostgreSQL for the session and a fresh, migrated ledger database for each test that asks for one."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from include.ledger.database import WRITER, engine_for, migrate
from include.ledger.log import Ledger
from include.ledger.note import Signer
from include.local.databases import Databases
from include.local.postgres import server

OWNER = "privacy_ledger_owner"
_TEMPLATE = "ledger_test_template"
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
    postgres.drop_database(_TEMPLATE)
    postgres.ensure_database(_TEMPLATE, OWNER, [WRITER])
    migrate(postgres.url(_TEMPLATE, OWNER, "test"))
    yield _TEMPLATE
    postgres.drop_database(_TEMPLATE)


@pytest.fixture
def ledger_database(postgres: Databases, ledger_template: str) -> Iterator[str]:
    name = f"ledger_test_{next(_numbers)}"
    postgres.drop_database(name)
    postgres.ensure_database(name, OWNER, [WRITER], template=ledger_template)
    yield name
    postgres.drop_database(name)


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


@pytest.fixture
def signer() -> Signer:
    return Signer("ledger.example/privacy", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture
def signer_vkey(signer: Signer) -> str:
    return signer.verifier.vkey
