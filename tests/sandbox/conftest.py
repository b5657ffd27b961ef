"""Fixtures of the sandbox's tests that more than one module needs."""

import pytest
from elasticsearch import Elasticsearch

from tests.google_twins import auth_server, storage_server  # noqa: F401 - fixtures
from tests.loopback import serve
from tests.sandbox.elastic_box import Box


@pytest.fixture(scope="module")
def running():
    box = Box()
    with serve(box.app) as url, Elasticsearch(f"{url}/elasticsearch", max_retries=0) as client:
        box.client = client
        yield box


@pytest.fixture
def box(running):
    running.server.reset()
    running.faults.clear()
    running.journal.clear()
    return running


@pytest.fixture
def es(box):
    return box.client
