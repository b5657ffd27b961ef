"""Fixtures: the store under test on the sandbox, and on a real server where one is given."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from include.connection import Connection
from tests.loopback import serve
from tests.sandbox.firestore_kit import Running, running
from tests.systems.firestore.kit import LIVE, Store, on_sandbox, on_server


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Running]:
    with running() as found:
        yield found


@pytest.fixture(scope="session")
def admin_url(sandbox: Running) -> Iterator[str]:
    """Base URL of the sandbox's admin API."""
    with serve(sandbox.sandbox.admin_app) as url:
        yield url


@pytest.fixture(params=["sandbox", pytest.param("live", marks=pytest.mark.live)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "sandbox":
        yield from on_sandbox(request.getfixturevalue("sandbox"), request.getfixturevalue("admin_url"))
    elif LIVE in os.environ:
        yield from on_server(Connection.from_env("firestore_live"))
    else:
        pytest.skip(f"{LIVE} names no server")


@pytest.fixture
def faulty(sandbox: Running, admin_url: str) -> Iterator[Store]:
    """A store whose faults can be planned."""
    yield from on_sandbox(sandbox, admin_url)
