"""The ledger against a raw psycopg2 COPY and a multi-row INSERT of the same rows, the audit and the proofs.

Run: ``python -m benchmarks.bench_ledger``. Everything is on the embedded server with its durable defaults.
"""

from __future__ import annotations

import io
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psycopg2
from psycopg2.extras import execute_values
from sqlalchemy.engine import make_url

from include.ledger import merkle
from include.ledger.checkpoint import checkpoint
from include.ledger.database import WRITER, engine_for, migrate
from include.ledger.entry import Entry, Kind, canonical, timestamp
from include.ledger.log import Ledger
from include.ledger.note import Signer
from include.local.databases import Databases
from include.local.postgres import server

AT = datetime(2026, 3, 1, tzinfo=UTC)
AUDITED = 1_000_000
BATCHES = {1000: 40, 100: 60, 1: 200}
COLUMNS = "index, at, kind, run, rule, system, entry, leaf_hash"


def entries(count: int, start: int = 0) -> list[Entry]:
    digest = "5" * 64
    return [
        Entry(
            Kind.OUTCOME,
            f"scheduled_{start // 5000}",
            f"rule-{number % 12}",
            "firestore",
            {"batch": start + number, "gone": 500, "absent": 0, "plan": digest, "until": "2026-03-08"},
        )
        for number in range(count)
    ]


def run(audited: int = AUDITED) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="pg") as directory, server(Path(directory)) as postgres:
        postgres.ensure_role(WRITER, "bench")
        postgres.ensure_database("ledger_bench", guests=[WRITER])
        migrate(postgres.url("ledger_bench"))
        ledger = Ledger(engine_for(postgres.url("ledger_bench", WRITER, "bench")), lambda: AT)
        results = [_appends(ledger, size, count) for size, count in BATCHES.items()]
        results += [_raw(postgres, how, size, count) for size, count in BATCHES.items() for how in (_copy, _insert)]
        results += _large(ledger, audited)
        ledger.engine.dispose()
        postgres.drop_database("ledger_bench")
        return results


def _appends(ledger: Ledger, size: int, count: int) -> dict[str, Any]:
    batches = [entries(size, number * size) for number in range(count)]
    seconds = _seconds(lambda: [ledger.append(batch) for batch in batches])
    return {"what": "append", "batch": size, "entries_per_second": round(size * count / seconds)}


def _raw(postgres: Databases, how: Callable[[Any, list[Any]], None], size: int, count: int) -> dict[str, Any]:
    """The same rows into a table with the same indexes, but without hashes, checks and triggers to compute."""
    dsn = make_url(postgres.url("ledger_bench")).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg2.connect(dsn)
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE raw (LIKE ledger_entry INCLUDING INDEXES)")
    connection.commit()
    rows = [_row(number, entry) for number, entry in enumerate(entries(size * count))]

    def write() -> None:
        for begin in range(0, len(rows), size):
            how(cursor, rows[begin : begin + size])
            connection.commit()

    seconds = _seconds(write)
    cursor.execute("DROP TABLE raw")
    connection.commit()
    connection.close()
    return {"what": f"raw {how.__name__[1:]}", "batch": size, "entries_per_second": round(size * count / seconds)}


def _row(index: int, entry: Entry) -> tuple[Any, ...]:
    data = canonical(entry, AT)
    return (index, timestamp(AT), *_columns(entry), data, merkle.leaf_hash(data))


def _columns(entry: Entry) -> tuple[str | None, ...]:
    return entry.kind.value, entry.run, entry.rule, entry.system


def _copy(cursor: Any, rows: list[Any]) -> None:
    lines = ("\t".join(map(str, row[:6])) + f"\t\\\\x{row[6].hex()}\t\\\\x{row[7].hex()}\n" for row in rows)
    cursor.copy_expert(f"COPY raw ({COLUMNS}) FROM STDIN", io.StringIO("".join(lines)))


def _insert(cursor: Any, rows: list[Any]) -> None:
    execute_values(cursor, f"INSERT INTO raw ({COLUMNS}) VALUES %s", rows, page_size=1000)  # noqa: S608 - constant


def _large(ledger: Ledger, size: int) -> list[dict[str, Any]]:
    while (present := ledger.size()) < size:
        ledger.append(entries(min(5000, size - present), present))
    signer = Signer.from_file(Path(tempfile.mkdtemp()) / "key", "bench.example/ledger")
    made = checkpoint(ledger, signer)
    audits = [_seconds(ledger.audit) for _ in range(2)]
    places = [number * size // 50 for number in range(50)]
    proofs = [ledger.inclusion(place) for place in places]
    leaves = [ledger.entry(place).leaf_hash for place in places]

    def verify() -> None:
        for place, proof, leaf in zip(places, proofs, leaves, strict=True):
            assert merkle.verify_inclusion(leaf, place, size, proof, made.tree.root)  # noqa: S101 - a measured check

    def read() -> int:
        return sum(1 for _ in ledger.entries(start=size - 50_000))

    return [
        {"what": "audit", "entries": size, "seconds": round(min(audits), 2)},
        {"what": "read and verify entries", "entries_per_second": round(50_000 / _seconds(read))},
        _milliseconds("root", [_seconds(ledger.root) for _ in range(20)]),
        _milliseconds("inclusion proof", [_seconds(lambda place=place: ledger.inclusion(place)) for place in places]),
        _milliseconds(
            "consistency proof", [_seconds(lambda place=place: ledger.consistency(place)) for place in places]
        ),
        _milliseconds("verify inclusion", [_seconds(verify) / len(places)]),
    ]


def _milliseconds(what: str, seconds: list[float]) -> dict[str, Any]:
    return {"what": what, "median_ms": round(median(seconds) * 1000, 3), "times": len(seconds)}


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    for result in run():
        print(json.dumps(result))
