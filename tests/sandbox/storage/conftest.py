"""Fixtures: the sandbox's Cloud Storage, the official client, and a bucket."""

import pytest

from tests.google_twins import storage_client


@pytest.fixture
def twin(storage_server):
    with storage_server.fresh() as twin:
        yield twin


@pytest.fixture
def client(twin):
    with storage_client(twin.url) as client:
        yield client


@pytest.fixture
def bucket(client):
    return client.create_bucket("files")


@pytest.fixture
def versioned(bucket):
    bucket.versioning_enabled = True
    bucket.patch()
    return bucket
