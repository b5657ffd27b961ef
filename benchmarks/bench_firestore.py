"""How fast due documents go: the product against the best bulk path of the plain client.

Each measurement has a server process and a client process of its own, in a fresh seeded state. The plain path streams
the due documents with an empty projection and deletes them by ``WriteBatch.commit`` of 500, without holds, conditions,
per-document statuses or a read-back.

    python -m benchmarks.bench_firestore 10000 100000
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe

from benchmarks.memory import forget_peak, peak_mb
from include.connection import Connection
from include.sandbox.faults import Faults, Journal
from include.systems.contract import Selection
from include.systems.firestore import connect

PROJECT = "bench"
START = datetime(2020, 1, 1, tzinfo=UTC)
LONG_AFTER = datetime(2024, 1, 1, tzinfo=UTC)
SELECTION = Selection(
    rule="contacts",
    location={"group": "contacts"},
    subject="field:uid",
    trigger_field="at",
    cutoff=LONG_AFTER,
    period_seconds=86400,
)


def serve(size: int, pipe: Pipe) -> None:
    """The server process: seeds, tells its port, waits, tells how many documents are left."""
    from include.sandbox.firestore import FirestoreSandbox

    sandbox = FirestoreSandbox(Faults(), Journal(), PROJECT)
    sandbox.seed(
        (
            f"workspaces/w{number % 50}/contacts/c{number:07}",
            {
                "at": START + timedelta(minutes=number),
                "uid": f"u{number}",
                "email": f"{number}@example.org",
                "score": number,
            },
        )
        for number in range(size)
    )
    pipe.send(sandbox.start())
    pipe.recv()
    pipe.send(sum(1 for _ in sandbox.documents("contacts")))
    sandbox.stop()


def plain(port: int) -> int:
    """The plain client's bulk path."""
    os.environ["FIRESTORE_EMULATOR_HOST"] = f"127.0.0.1:{port}"
    from google.cloud import firestore
    from google.cloud.firestore_v1.base_query import FieldFilter

    client = firestore.Client(project=PROJECT)
    query = client.collection_group("contacts").where(filter=FieldFilter("at", "<", LONG_AFTER)).select([])
    batch, waiting, deleted = client.batch(), 0, 0
    for snapshot in query.stream():
        batch.delete(snapshot.reference)
        waiting += 1
        if waiting == 500:
            deleted += len(batch.commit())
            batch, waiting = client.batch(), 0
    if waiting:
        deleted += len(batch.commit())
    return deleted


def product(port: int) -> int:
    """The product's sweep."""
    extra = {"project": PROJECT, "emulator": True}
    system = connect(Connection(id="firestore", host="127.0.0.1", port=port, extra=extra))
    gone = sum(system.expire(SELECTION, batch).gone for batch in system.batches(SELECTION, lambda _: False))
    system.close()
    return gone


def act(path: Callable[[int], int], port: int, pipe: Pipe) -> None:
    """The client process."""
    from google.cloud import firestore  # noqa: F401  (its import is not what is measured)

    import include.systems.firestore.system  # noqa: F401

    forget_peak()
    before = peak_mb()
    start, worked = time.perf_counter(), time.process_time()
    gone = path(port)
    seconds, cpu = time.perf_counter() - start, time.process_time() - worked
    pipe.send((gone, seconds, cpu, peak_mb() - before))


def measure(path: Callable[[int], int], size: int) -> tuple[float, float, float]:
    """Seconds, processor seconds of the client, and growth of its peak memory in MB."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(size, theirs))
    server.start()
    port = ours.recv()
    here, there = context.Pipe()
    client = context.Process(target=act, args=(path, port, there))
    client.start()
    gone, seconds, cpu, memory = here.recv()
    client.join()
    ours.send("stop")
    left = ours.recv()
    server.join()
    if (gone, left) != (size, 0):
        raise AssertionError(f"{path.__name__} deleted {gone} of {size}, {left} are left")
    return seconds, cpu, memory


def run(sizes: list[int]) -> list[dict[str, object]]:
    """Measure both paths in turn for each number of documents, small ones several times, and take the best of each.

    Returns:
        A row for each size: documents, seconds, documents per second and processor seconds of both, the ratio of their
        speeds, and how much memory each took at its peak (MB).
    """
    rows: list[dict[str, object]] = []
    for size in sizes:
        rounds = [(measure(plain, size), measure(product, size)) for _ in range(max(1, min(5, 60_000 // size)))]
        plain_seconds, plain_cpu, plain_memory = min(one for one, _ in rounds)
        seconds, cpu, memory = min(other for _, other in rounds)
        rows.append(
            {
                "documents": size,
                "plain_s": round(plain_seconds, 2),
                "product_s": round(seconds, 2),
                "plain_per_s": round(size / plain_seconds),
                "product_per_s": round(size / seconds),
                "ratio": round(plain_seconds / seconds, 2),
                "plain_cpu_s": round(plain_cpu, 2),
                "product_cpu_s": round(cpu, 2),
                "plain_mb": round(plain_memory, 1),
                "product_mb": round(memory, 1),
            }
        )
    return rows


if __name__ == "__main__":
    table = run([int(text) for text in sys.argv[1:]] or [10_000, 100_000])
    print("  ".join(f"{name:>13}" for name in table[0]))
    for row in table:
        print("  ".join(f"{value!s:>13}" for value in row.values()))
