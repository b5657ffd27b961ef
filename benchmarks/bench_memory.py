"""Peak memory of a sweep: does it depend on how many records are due?

The sandbox is a process of its own; a fresh client process selects, deletes and reads back everything, record by record
where the store works like that, with a test for holds. The figure is how far its memory rose above what it used after
its imports and its first connection.
"""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe

import redis

from benchmarks.memory import forget_peak, peak_mb
from include.connection import Connection
from include.sandbox.app import Sandbox, connections
from include.sandbox.identitytoolkit.model import Account
from include.sandbox.storage.model import SeedObject
from include.systems import registry
from include.systems.contract import Selection

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD = NOW - timedelta(days=900)
DAY = 86_400
SECOND = timedelta(seconds=1)


def _fill(sandbox: Sandbox, store: str, size: int) -> None:
    company = sandbox.company
    if store == "firestore":
        documents = ((f"contacts/c{n:07}", {"at": OLD + n * SECOND, "uid": f"u{n}"}) for n in range(size))
        company.firestore.seed(documents)
    elif store == "elasticsearch":
        lines = ((f"l{n}", {"at": (OLD + n * SECOND).isoformat(), "uid": f"u{n}"}) for n in range(size))
        company.elasticsearch.seed("logs", lines, {"properties": {"at": {"type": "date"}, "uid": {"type": "keyword"}}})
    elif store == "cloud_storage":
        company.storage.seed("files", (SeedObject(f"users/u{n}/f", OLD, b"x") for n in range(size)))
    elif store == "firebase_auth":
        made = int(OLD.timestamp() * 1000)
        company.identitytoolkit.seed(Account(f"u{n}", created_at=made) for n in range(size))
    else:
        host, _, port = sandbox.endpoints["redis"].rpartition(":")
        with redis.Redis(host, int(port)) as client, client.pipeline(transaction=False) as pipeline:
            for number in range(size):
                pipeline.set(f"session:u{number}:1", "x" * 64)
            pipeline.execute()


def _selection(store: str) -> Selection:
    places: dict[str, tuple[dict[str, str], str, str]] = {
        "firestore": ({"group": "contacts"}, "field:uid", "at"),
        "elasticsearch": ({"index": "logs"}, "field:uid", "at"),
        "cloud_storage": ({"bucket": "files", "prefix": "users/{subject}/"}, "prefix", "timeCreated"),
        "firebase_auth": ({}, "localId", "createdAt"),
        "redis": ({"pattern": "session:{subject}:*"}, "pattern", "write"),
    }
    location, subject, trigger = places[store]
    return Selection("benchmark", location, subject, trigger, NOW - timedelta(days=30), 30 * DAY)


def _serve(store: str, size: int, pipe: Pipe) -> None:
    with Sandbox() as sandbox:
        _fill(sandbox, store, size)
        pipe.send(connections(sandbox.endpoints))
        pipe.recv()


def _sweep(store: str, environment: dict[str, str], pipe: Pipe) -> None:
    system = registry.connect(Connection.from_env(store, environment))
    selection = _selection(store)
    due = system.survey(selection, None).due
    forget_peak()
    before = peak_mb()
    gone = sum(system.expire(selection, batch).gone for batch in system.batches(selection, lambda _: False))
    left = system.read_back(selection, lambda _: False).remaining
    pipe.send((due, gone, left, peak_mb() - before))
    system.close()


def measure(store: str, size: int) -> float:
    """Megabytes by which the peak rose over a sweep of ``size`` records."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(store, size, theirs))
    server.start()
    environment = ours.recv()
    here, there = context.Pipe()
    client = context.Process(target=_sweep, args=(store, environment, there))
    client.start()
    due, gone, left, memory = here.recv()
    client.join()
    ours.send("stop")
    server.join()
    if (due, gone, left) != (size, size, 0):
        raise AssertionError(f"{store}: {due} due, {gone} gone, {left} left of {size}")
    return float(memory)


def run(sizes: list[int]) -> list[dict[str, object]]:
    """One row for each store: growth at each size and the difference between the largest and the smallest, in MB."""
    rows: list[dict[str, object]] = []
    for store in ("firestore", "elasticsearch", "cloud_storage", "firebase_auth", "redis"):
        found = {size: measure(store, size) for size in sizes}
        row: dict[str, object] = {"store": store}
        row |= {f"{size:,} records, MB": round(memory, 1) for size, memory in found.items()}
        rows.append({**row, "difference, MB": round(found[max(sizes)] - found[min(sizes)], 1)})
    return rows
