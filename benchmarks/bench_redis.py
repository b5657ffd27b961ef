"""Removing keys from Redis: the product's system beside the raw client's best bulk path.

The raw path is SCAN, pipelined PTTL and UNLINK in thousands. The server is a Redis of its own on loopback. Both paths
remove the same keys, in turns; the best of each are compared, which other work on the
machine disturbs least.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis

from include.connection import Connection
from include.sandbox.redis import RedisServer
from include.systems.contract import Selection
from include.systems.redis import RedisSystem, connect

ROUNDS = 5

_PERIOD = 3600
_PAGE = 1000
_SELECTION = Selection(
    "benchmark", {"pattern": "session:{subject}:*"}, "pattern", "write", datetime(2025, 1, 1, tzinfo=UTC), _PERIOD
)


def run(sizes: list[int]) -> list[dict[str, Any]]:
    """Measure removals of each number of keys; seconds, keys per second and the ratio of the speeds."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        port = server.start()
        try:
            return [_measure(port, size) for size in sizes]
        finally:
            server.stop()


def _measure(port: int, size: int) -> dict[str, Any]:
    system, client = connect(Connection("redis", host="127.0.0.1", port=port)), redis.Redis(port=port)
    ours, raw = [], []
    for _ in range(ROUNDS):
        ours.append(_timed(client, size, lambda: _sweep(system)))
        raw.append(_timed(client, size, lambda: _raw(client)))
    system.close()
    client.close()
    module_seconds, raw_seconds = min(ours), min(raw)
    return {
        "system": "redis",
        "records": size,
        "module_seconds": round(module_seconds, 4),
        "raw_seconds": round(raw_seconds, 4),
        "module_per_second": round(size / module_seconds),
        "raw_per_second": round(size / raw_seconds),
        "ratio": round(raw_seconds / module_seconds, 3),
    }


def _timed(client: Any, size: int, remove: Any) -> float:
    client.flushdb()
    with client.pipeline(transaction=False) as pipeline:
        for number in range(size + size // 10):
            pipeline.set(f"session:u{number}:token", "x" * 32, ex=None if number < size else 60)
            if number % _PAGE == 0:
                pipeline.execute()
        pipeline.execute()
    start = time.perf_counter()
    removed = remove()
    seconds = time.perf_counter() - start
    if removed != size or client.dbsize() != size // 10:
        raise RuntimeError(f"{removed} of {size} keys were removed")
    return seconds


def _sweep(system: RedisSystem) -> int:
    return sum(system.expire(_SELECTION, batch).gone for batch in system.batches(_SELECTION, None))


def _raw(client: Any) -> int:
    removed, cursor, first = 0, 0, True
    while cursor or first:
        first = False
        cursor, keys = client.scan(cursor, match="session:*", count=_PAGE)
        with client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.pttl(key)
            lives = pipeline.execute()
        due = [key for key, left in zip(keys, lives, strict=True) if left == -1 or left > _PERIOD * 1000]
        removed += client.unlink(*due) if due else 0
    return removed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 100_000])
    for result in run(parser.parse_args().sizes):
        print(json.dumps(result))
