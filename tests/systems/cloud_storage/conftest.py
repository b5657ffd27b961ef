"""Fixtures: the module under test on the sandbox."""

import pytest

from include.systems import cloud_storage
from tests.google_twins import storage_connection
from tests.systems.cloud_storage.kit import BUCKET


@pytest.fixture
def twin(storage_server):
    with storage_server.fresh() as twin:
        twin.sandbox.seed(BUCKET, versioning=True)
        yield twin


@pytest.fixture
def system(twin):
    system = cloud_storage.connect(storage_connection(twin.url))
    yield system
    system.close()
