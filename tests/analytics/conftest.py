"""What the tests of releases need beside the fixtures of all rooms."""

from __future__ import annotations

import pytest

from include.local.databases import Databases


@pytest.fixture
def superuser_url(postgres: Databases, ledger_database: str) -> str:
    """For what only somebody with all rights can do to the ledger's database."""
    return postgres.url(ledger_database)
