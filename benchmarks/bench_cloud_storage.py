"""How fast objects are swept from Cloud Storage, beside the official client's own bulk deletion, in the same run.

``python -m benchmarks.bench_cloud_storage 10000``. The service is the sandbox in a process of its own.
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta

import requests

from benchmarks.sandbox_process import sandbox
from include.connection import Connection
from include.sandbox.app import PROJECT, connections
from include.systems import cloud_storage
from include.systems.contract import Selection

NIGHT = datetime(2026, 11, 22, tzinfo=UTC)
BUCKET = "bench"
RULE = Selection(
    rule="bench",
    location={"bucket": BUCKET, "prefix": "users/{subject}/"},
    subject="prefix",
    trigger_field="timeCreated",
    cutoff=NIGHT + timedelta(days=1),
    period_seconds=86_400,
)


def run(sizes: list[int]) -> list[dict]:
    """One row for each size and way: seconds, objects per second."""
    rows = []
    with sandbox("--empty") as ends:
        for size in sizes:
            _upload(ends["storage"], size)
            rows.append(_row("client.batch of 100, list with generations", size, _raw(ends["storage"])))
            _upload(ends["storage"], size)
            rows.append(_row("this product: list, judge, preconditions, check each part", size, _swept(ends)))
    return rows


def _row(way: str, size: int, seconds: float) -> dict:
    limit = "the service: one core of the sandbox answers; a request carries 100 deletions in both ways"
    return {"system": "cloud_storage", "way": way, "records": size, "seconds": round(seconds, 2)} | {
        "per_second": round(size / seconds),
        "limit": limit,
    }


def _client(url: str):
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.storage import Client

    return Client(project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": url})


def _upload(url: str, size: int) -> None:
    client = _client(url)
    if client.lookup_bucket(BUCKET) is None:
        client.create_bucket(BUCKET)
    with requests.Session() as session:
        for number in range(size):
            address = f"{url}/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=users/u{number % 997}/{number}"
            session.post(address, data=b"x", timeout=30).raise_for_status()


def _raw(url: str) -> float:
    client = _client(url)
    bucket = client.bucket(BUCKET)
    start = time.perf_counter()
    for page in client.list_blobs(BUCKET, prefix="users/", versions=True, page_size=1000).pages:
        blobs = list(page)
        for first in range(0, len(blobs), 100):
            with client.batch():
                for blob in blobs[first : first + 100]:
                    bucket.delete_blob(blob.name, generation=blob.generation)
    return time.perf_counter() - start


def _swept(ends: dict[str, str]) -> float:
    system = cloud_storage.connect(Connection.from_env("cloud_storage", connections(ends)))
    start = time.perf_counter()
    for batch in system.batches(RULE, lambda subject: subject == "nobody"):
        system.expire(RULE, batch)
    seconds = time.perf_counter() - start
    remaining = system.read_back(RULE, None).remaining
    if remaining:
        raise AssertionError(f"{remaining} objects are still there")
    return seconds


if __name__ == "__main__":
    for row in run([int(size) for size in sys.argv[1:]] or [1000]):
        print(json.dumps(row))
