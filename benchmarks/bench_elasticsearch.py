"""Deleting old documents from Elasticsearch: the product's system beside the raw client's best bulk path.

The raw path is one ``_delete_by_query`` over the range, polled. The server is the sandbox's, in a process of its own,
or the cluster of ``AIRFLOW_CONN_ELASTICSEARCH_LIVE``. Both paths delete the same documents, in turns; the best of each
are compared, which other work on the machine disturbs least. The sandbox deletes in memory, many times as fast as a
cluster that writes to disks, so that the few calls around a task weigh more here than they do there;
``overhead_seconds`` says how much they are.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch, helpers

from include.connection import Connection
from include.systems.contract import Selection
from include.systems.elasticsearch import ElasticsearchSystem, connect, connect_client

INDEX = "benchmark-logs"
CUTOFF = datetime(2025, 1, 1, tzinfo=UTC)
ROUNDS = 5
ROOT = Path(__file__).parents[1]

_MAPPING: dict[str, Any] = {
    "properties": {"at": {"type": "date"}, "uid": {"type": "keyword"}, "text": {"type": "text"}}
}
_SELECTION = Selection("benchmark", {"index": INDEX}, "field:uid", "at", CUTOFF, 90 * 86_400)


def run(sizes: list[int]) -> list[dict[str, Any]]:
    """Measure deletions of each number of documents; seconds, documents per second and the ratio of the speeds."""
    with _connection() as connection:
        return [_measure(connection, size) for size in sizes]


def _measure(connection: Connection, size: int) -> dict[str, Any]:
    system, client = connect(connection), connect_client(connection)
    ours, raw = [], []
    for _ in range(ROUNDS):
        ours.append(_timed(client, size, lambda: _sweep(system)))
        raw.append(_timed(client, size, lambda: _raw(client)))
    system.close()
    client.close()
    module_seconds, raw_seconds = min(ours), min(raw)
    return {
        "system": "elasticsearch",
        "records": size,
        "module_seconds": round(module_seconds, 4),
        "raw_seconds": round(raw_seconds, 4),
        "module_per_second": round(size / module_seconds),
        "raw_per_second": round(size / raw_seconds),
        "overhead_seconds": round(module_seconds - raw_seconds, 4),
        "ratio": round(raw_seconds / module_seconds, 3),
    }


def _timed(client: Elasticsearch, size: int, delete: Any) -> float:
    client.options(ignore_status=404).indices.delete(index=INDEX)
    client.indices.create(index=INDEX, mappings=_MAPPING)
    helpers.bulk(client, _documents(size), chunk_size=5000, refresh=True)
    client.count(index=INDEX, query={"exists": {"field": "at"}})
    start = time.perf_counter()
    deleted = delete()
    seconds = time.perf_counter() - start
    if deleted != size or client.count(index=INDEX)["count"] != size // 10:
        raise RuntimeError(f"{deleted} of {size} documents were deleted")
    return seconds


def _documents(size: int) -> Iterator[dict[str, Any]]:
    """``size`` documents that are due and a tenth more that are not."""
    for number in range(size + size // 10):
        at = CUTOFF - timedelta(seconds=number + 1) if number < size else CUTOFF + timedelta(seconds=number)
        yield {
            "_index": INDEX,
            "_id": str(number),
            "at": _iso(at),
            "uid": f"u{number % 997}",
            "text": "a line of a log",
        }


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _sweep(system: ElasticsearchSystem) -> int:
    return sum(system.expire(_SELECTION, batch).gone for batch in system.batches(_SELECTION, None))


def _raw(client: Elasticsearch) -> int:
    started = client.delete_by_query(
        index=INDEX,
        query={"range": {"at": {"lt": _iso(CUTOFF)}}},
        conflicts="proceed",
        slices="auto",
        scroll_size=5000,
        refresh=True,
        wait_for_completion=False,
    )
    pause = 0.01
    while True:
        task = client.perform_request("GET", f"/_tasks/{started['task']}", headers={"accept": "application/json"}).body
        if task["completed"]:
            return int(task["response"]["deleted"])
        time.sleep(pause)
        pause = min(1.5 * pause, 5)


@contextmanager
def _connection() -> Iterator[Connection]:
    if "AIRFLOW_CONN_ELASTICSEARCH_LIVE" in os.environ:
        yield Connection.from_env("elasticsearch_live")
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--factory",
        "benchmarks.bench_elasticsearch:server",
        "--port",
        str(port),
    ]
    process = subprocess.Popen([*command, "--log-level", "error"], cwd=ROOT)  # noqa: S603 - the command is ours
    try:
        _wait_for(port)
        yield Connection("elasticsearch", host=f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()


def server() -> Any:
    """The sandbox's server, for uvicorn in a process of its own."""
    from include.sandbox.elasticsearch import ElasticsearchSandbox
    from include.sandbox.faults import Faults, Journal

    return ElasticsearchSandbox(Faults(), Journal()).app


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the sandbox's server did not start")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 100_000])
    for result in run(parser.parse_args().sizes):
        print(json.dumps(result))
