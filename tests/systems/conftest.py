"""Fixtures of the systems' tests that more than one module needs."""

import os

import pytest

from include.connection import Connection
from tests.google_twins import auth_server, storage_server  # noqa: F401 - fixtures
from tests.loopback import serve
from tests.systems.elastic import Sandbox, Store
from tests.systems.quick import quick  # noqa: F401 - a fixture


@pytest.fixture(scope="session")
def elastic_sandbox():
    sandbox = Sandbox()
    with serve(sandbox.server.app) as url:
        sandbox.url = url
        yield sandbox


@pytest.fixture
def elastic(elastic_sandbox):
    """The sandbox's server, fresh and without faults."""
    elastic_sandbox.faults.clear()
    elastic_sandbox.server.reset()
    elastic_sandbox.journal.clear()
    yield elastic_sandbox
    elastic_sandbox.faults.clear()


@pytest.fixture
def local(elastic):
    """An index on the sandbox's server."""
    store = Store(Connection("elasticsearch", host=elastic.url))
    yield store
    elastic.faults.clear()
    store.close()


@pytest.fixture(params=["local", pytest.param("live", marks=pytest.mark.live)])
def store(request):
    """An index on the sandbox's server, and once more on a real one when its connection is given."""
    if request.param == "local":
        yield request.getfixturevalue("local")
        return
    if "AIRFLOW_CONN_ELASTICSEARCH_LIVE" not in os.environ:
        pytest.skip("AIRFLOW_CONN_ELASTICSEARCH_LIVE names no Elasticsearch cluster")
    store = Store(Connection.from_env("elasticsearch_live"))
    yield store
    store.close()
