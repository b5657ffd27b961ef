"""Two objects of a subject, one swept: in the sandbox, and in a real bucket where one is given."""

import os
import uuid
from datetime import UTC, datetime

import pytest

from include.connection import Connection
from include.systems import cloud_storage
from include.systems.contract import Selection
from tests.google_twins import only_batch, storage_client
from tests.systems.cloud_storage.kit import BUCKET


def round_trip(client, system, bucket):
    """Two objects of a subject, one of them old; the old one goes, the young one stays."""
    folder = f"privacy-check-{uuid.uuid4().hex}"
    selection = Selection(
        rule="live",
        location={"bucket": bucket, "prefix": f"{folder}/{{subject}}/"},
        subject="prefix",
        trigger_field="customTime",
        cutoff=datetime(2020, 1, 1, tzinfo=UTC),
        period_seconds=86_400,
    )
    for name, moment in (("old ü%2F", datetime(2019, 1, 1, tzinfo=UTC)), ("young", datetime(2021, 1, 1, tzinfo=UTC))):
        blob = client.bucket(bucket).blob(f"{folder}/somebody/{name}")
        blob.custom_time = moment
        blob.upload_from_string(b"x")
    try:
        assert system.survey(selection, None).due == 1
        batch = only_batch(system, selection)
        assert system.expire(selection, batch).gone == 1
        assert system.expire(selection, batch).absent == 1
        after = system.read_back(selection, None)
        assert (after.remaining, after.held, after.blocked) == (0, 0, 0)
        assert [blob.name for blob in client.list_blobs(bucket, prefix=folder)] == [f"{folder}/somebody/young"]
    finally:
        for blob in client.list_blobs(bucket, prefix=f"{folder}/", versions=True):
            client.bucket(bucket).delete_blob(blob.name, generation=blob.generation)


def test_the_round_trip_of_a_real_bucket_works_in_the_sandbox(twin, system):
    with storage_client(twin.url) as client:
        round_trip(client, system, BUCKET)


@pytest.mark.live
@pytest.mark.skipif(
    "AIRFLOW_CONN_CLOUD_STORAGE_LIVE" not in os.environ,
    reason="AIRFLOW_CONN_CLOUD_STORAGE_LIVE, a connection with a 'bucket' in its extra, is not set",
)
def test_the_round_trip_works_on_a_real_bucket():
    connection = Connection.from_env("cloud_storage_live")
    system = cloud_storage.connect(connection)
    round_trip(system._calls._client, system, connection.text("bucket"))
    system.close()
