"""How fast accounts are swept from Firebase Authentication, beside a bare batchGet and batchDelete, in the same run.

``python -m benchmarks.bench_firebase_auth 10000``. The service is the sandbox in a process of its own, without Google's
limit of one batch deletion a second, which would hold both ways to 1,000 accounts a second.
"""

import json
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import requests

from benchmarks.sandbox_process import sandbox
from include.connection import Connection
from include.sandbox.app import PROJECT, connections
from include.systems import firebase_auth
from include.systems.contract import Selection

NIGHT = datetime(2026, 11, 22, tzinfo=UTC)
RULE = Selection("bench", {}, "localId", "createdAt", NIGHT + timedelta(days=1), 86_400)


def run(sizes: list[int]) -> list[dict]:
    """One row for each size and way: seconds, accounts per second."""
    rows = []
    with sandbox("--empty") as ends:
        for size in sizes:
            for way, sweep in (
                ("requests: batchGet, batchDelete", _raw),
                ("this product: list, judge, look up, batchDelete, look up", _swept),
            ):
                _seed(ends, size)
                seconds = sweep(ends)
                rows.append(_row(way, size, seconds))
    return rows


def _row(way: str, size: int, seconds: float) -> dict:
    limit = "20 look-ups of 100 ids around each batch of 1,000; at Google one batch deletion a second"
    return {"system": "firebase_auth", "way": way, "records": size, "seconds": round(seconds, 2)} | {
        "per_second": round(size / seconds),
        "limit": limit,
    }


def _seed(ends: dict[str, str], size: int) -> None:
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer x"
        for number in range(size):
            body = {"localId": f"u{number:08}"}
            url = f"{ends['identitytoolkit']}/v1/projects/{PROJECT}/accounts"
            session.post(url, json=body, timeout=30).raise_for_status()


def _raw(ends: dict[str, str]) -> float:
    root = f"{ends['identitytoolkit']}/v1/projects/{PROJECT}/accounts"
    start = time.perf_counter()
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer x"
        query: dict[str, str] = {"maxResults": "1000"}
        while True:
            page = session.get(f"{root}:batchGet", params=query, timeout=30).json()
            ids = [user["localId"] for user in page.get("users", ())]
            if ids:
                session.post(
                    f"{root}:batchDelete", json={"localIds": ids, "force": True}, timeout=30
                ).raise_for_status()
            if "nextPageToken" not in page:
                return time.perf_counter() - start
            query["nextPageToken"] = page["nextPageToken"]


def _swept(ends: dict[str, str]) -> float:
    plugged = Connection.from_env("firebase_auth", connections(ends))
    system = firebase_auth.connect(replace(plugged, extra={**plugged.extra, "batch_deletes_per_second": 1000}))
    start = time.perf_counter()
    for batch in system.batches(RULE, lambda subject: subject == "nobody"):
        system.expire(RULE, batch)
    seconds = time.perf_counter() - start
    remaining = system.read_back(RULE, None).remaining
    if remaining:
        raise AssertionError(f"{remaining} accounts are still there")
    return seconds


if __name__ == "__main__":
    for row in run([int(size) for size in sys.argv[1:]] or [1000]):
        print(json.dumps(row))
