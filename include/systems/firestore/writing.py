"""Many writes in bounded requests, each write judged by its own status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from typing import Any

import grpc  # type: ignore[import-untyped]

from include.systems.firestore.gateway import Gateway, error_for

PARALLEL = 4
"""Calls at a time."""
MAX_WRITES = 500
MAX_BYTES = 3_500_000
"""The service takes requests of 10 MiB (https://firebase.google.com/docs/firestore/quotas), its emulator of 4 MiB."""

_NOT_AS_LISTED = {grpc.StatusCode.FAILED_PRECONDITION.value[0], grpc.StatusCode.NOT_FOUND.value[0]}
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def write(gateway: Gateway, pool: Executor, writes: Iterable[Any], tried: str) -> tuple[dict[str, Any], list[str]]:
    """Send writes, none of them to the same document as another, several requests at a time.

    Returns:
        Update time of each acknowledged document, and names of those that are not as they were listed.

    Raises:
        Unavailable: a request or single writes failed; any part may be done.
        Refused: the store does not allow it.
    """
    acknowledged: dict[str, Any] = {}
    unsure: list[str] = []
    failed: list[int] = []
    chunks = list(_chunks(writes))
    answers = pool.map(lambda chunk: gateway.batch_write(chunk, tried), chunks)
    for chunk, answer in zip(chunks, answers, strict=True):
        for one, status, result in zip(chunk, answer.status, answer.write_results, strict=True):
            name = one.delete or one.update.name
            if status.code == 0:
                acknowledged[name] = result.update_time
            elif status.code in _NOT_AS_LISTED:
                unsure.append(name)
            else:
                failed.append(status.code)
    if failed:
        raise error_for(_CODES.get(failed[0]), f"{tried}: {len(failed)} of {len(acknowledged) + len(failed)} failed")
    return acknowledged, unsure


def _chunks(writes: Iterable[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    size = 0
    for one in writes:
        bytes_more = one.ByteSize()
        if chunk and (len(chunk) == MAX_WRITES or size + bytes_more > MAX_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(one)
        size += bytes_more
    if chunk:
        yield chunk
