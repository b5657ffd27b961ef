"""The very calls that the product made, made again by the bare clients: urllib3 for HTTP, a gRPC channel for Firestore.

They are recorded while the product runs and played against a second sandbox that holds the same data.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped]
import urllib3

from include.systems.firestore.writing import PARALLEL


@dataclass(slots=True)
class Recording:
    """The calls of each part of a benchmark: ``part`` names the one that runs."""

    part: str = ""
    http: dict[str, list[tuple[str, str, Any, Mapping[str, str]]]] = field(default_factory=dict)
    rpc: dict[str, list[tuple[str, bytes, Any, bool]]] = field(default_factory=dict)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Record what is called by this process in the block; clients must be built in it."""
        send, open_channel = urllib3.HTTPConnectionPool.urlopen, grpc.insecure_channel

        def urlopen(pool: Any, method: str, url: str, body: Any = None, headers: Any = None, **others: Any) -> Any:
            self.http.setdefault(self.part, []).append((method, url, body, dict(headers or {})))
            return send(pool, method, url, body, headers, **others)

        def channel(target: str, **others: Any) -> Any:
            return grpc.intercept_channel(open_channel(target, **others), _Listener(self))

        with (
            patch.object(urllib3.HTTPConnectionPool, "urlopen", urlopen),
            patch.object(grpc, "insecure_channel", channel),
        ):
            yield

    def seconds(self, part: str, endpoints: Mapping[str, str]) -> float:
        """How long the bare clients need for a part, against another sandbox."""
        began = time.perf_counter()
        if part in self.http:
            self._play_http(part, urlsplit(endpoints["admin"]).netloc)
        if part in self.rpc:
            self._play_rpc(part, endpoints["firestore"])
        return time.perf_counter() - began

    def _play_http(self, part: str, address: str) -> None:
        host, _, port = address.rpartition(":")
        with urllib3.HTTPConnectionPool(host, int(port), maxsize=1) as pool:
            for method, url, body, headers in self.http[part]:
                pool.urlopen(method, url, body, headers, retries=False, redirect=False)

    def _play_rpc(self, part: str, target: str) -> None:
        with grpc.insecure_channel(target) as channel, ThreadPoolExecutor(PARALLEL) as threads:

            def play(call: tuple[str, bytes, Any, bool]) -> None:
                method, message, metadata, streams = call
                if streams:
                    list(channel.unary_stream(method)(message, metadata=metadata))
                else:
                    channel.unary_unary(method)(message, metadata=metadata)

            list(threads.map(play, self.rpc[part]))


class _Listener(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]
    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def intercept_unary_unary(self, go_on: Any, details: Any, request: Any) -> Any:
        return self._note(go_on, details, request, streams=False)

    def intercept_unary_stream(self, go_on: Any, details: Any, request: Any) -> Any:
        return self._note(go_on, details, request, streams=True)

    def _note(self, go_on: Any, details: Any, request: Any, *, streams: bool) -> Any:
        message = getattr(request, "_pb", request).SerializeToString()
        calls = self._recording.rpc.setdefault(self._recording.part, [])
        calls.append((details.method, message, details.metadata, streams))
        return go_on(details, request)
