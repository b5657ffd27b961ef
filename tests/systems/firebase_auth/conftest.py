"""Fixtures: the module under test on the sandbox."""

import pytest

from tests.systems.firebase_auth.kit import connected


@pytest.fixture
def twin(auth_server):
    with auth_server.fresh() as twin:
        yield twin


@pytest.fixture
def waits():
    """Seconds the connector wanted to sleep between tries."""
    return []


@pytest.fixture
def system(twin, waits):
    system = connected(twin.url, waits)
    yield system
    system.close()
