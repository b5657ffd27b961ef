"""The HTTP side: media types, headers, errors; and the sandbox's own handle on the data."""

from __future__ import annotations

import inspect
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.elasticsearch import (
    aliases,
    byquery,
    documents,
    indices,
    lifecycles,
    overview,
    searching,
    templates,
)
from include.sandbox.elasticsearch.call import Answer, Call
from include.sandbox.elasticsearch.cluster import Cluster
from include.sandbox.elasticsearch.errors import EsError
from include.sandbox.elasticsearch.routing import Router
from include.sandbox.faults import Faults, Journal
from include.sandbox.http import FaultMiddleware

_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]
_PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
_COMPATIBLE = re.compile(r"application/vnd\.elasticsearch\+(?P<kind>json|x-ndjson);\s*compatible-with=(?P<major>\d+)")
_PLAIN = re.compile(r"(application/json|application/x-ndjson|text/plain|\*/\*)(;.*)?|")
_ERRORS = {429: "es_rejected_execution_exception", 503: "unavailable_shards_exception", 401: "security_exception"}
_ERRORS |= {403: "security_exception", 404: "index_not_found_exception", 409: "version_conflict_engine_exception"}


class ElasticsearchSandbox:
    """A one-node cluster in memory.

    Args:
        faults: planned faults; the service is called ``elasticsearch``.
        journal: where every call is noted.
        major: the cluster's major version; clients of the same and the previous major are served.
        clock: seconds since 1970, for ``now`` and ages.
    """

    def __init__(
        self, faults: Faults, journal: Journal, major: int = 9, clock: Callable[[], float] = time.time
    ) -> None:
        self._cluster = Cluster(major, clock)
        parts = (aliases, documents, searching, byquery, indices, lifecycles, overview, templates)
        self._router = Router(endpoint for part in parts for endpoint in part.ENDPOINTS)
        middleware = [Middleware(FaultMiddleware, "elasticsearch", faults, journal, _fault)]
        self.app = Starlette(routes=[Route("/{path:path}", self._handle, methods=_METHODS)], middleware=middleware)

    def reset(self) -> None:
        """Forget all indices, templates, policies and tasks."""
        with self._cluster.lock:
            self._cluster.clear()

    def seed(
        self, index: str, documents: Iterable[tuple[str, dict[str, Any]]], mappings: dict[str, Any] | None = None
    ) -> None:
        """Write documents by id, past HTTP, and make them visible; the index is created when it is not there."""
        with self._cluster.lock:
            if mappings is not None and not self._cluster.names_of(index):
                self._cluster.create(index, {"mappings": mappings})
            target = self._cluster.writable(index, create=True)
            for doc_id, source in documents:
                target.put(doc_id, source)
            target.refresh()

    def documents(self, index: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Id and source of all documents as they are now, refreshed or not; nothing for an index that is not there."""
        with self._cluster.lock:
            found = [doc for name in self._cluster.names_of(index) for doc in self._cluster.indices[name].docs()]
        yield from ((doc.id, dict(doc.source)) for doc in found)

    async def _handle(self, request: Request) -> Response:
        try:
            media = self._media_type(request)
            content = await request.body()
            answer = await self._answer(request, content)
        except EsError as error:
            return _response(Answer(error.body(), error.status), "application/json")
        return _response(answer, media)

    def _media_type(self, request: Request) -> str:
        """The media type of the answer; both headers must name a version that the cluster serves."""
        major, media = self._cluster.major, "application/json"
        for header in ("content-type", "accept"):
            given = request.headers.get(header, "")
            match = _COMPATIBLE.fullmatch(given)
            if match is None and _PLAIN.fullmatch(given):
                continue
            if match is None or not major - 1 <= int(match["major"]) <= major:
                reason = f"Invalid media-type value on headers [{header.title()}]"
                raise EsError(400, "media_type_header_exception", reason)
            media = f"application/vnd.elasticsearch+json;compatible-with={match['major']}"
        return media

    async def _answer(self, request: Request, content: bytes) -> Answer:
        params = dict(request.query_params)
        raw_path = request.scope["raw_path"].decode().removeprefix(request.scope.get("root_path", ""))
        endpoint, parts = self._router.find(request.method, raw_path, params)
        partial = bool(request.scope.get("partial"))
        opaque = request.headers.get("x-opaque-id")
        call = Call(self._cluster, request.method, parts, params, content, partial, opaque)
        with self._cluster.lock:
            answer = endpoint.handler(call)
        return await answer if inspect.isawaitable(answer) else answer


def _response(answer: Answer, media: str) -> Response:
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, _PRODUCT, media_type="text/plain")
    content = b"" if answer.body is None else json.dumps(answer.body, separators=(",", ":")).encode()
    return Response(content, answer.status, {**_PRODUCT, "content-type": media})


def _fault(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """An error answer for a planned fault."""
    error = EsError(status, _ERRORS.get(status, "internal_server_error"), "a planned fault of the sandbox")
    return _PRODUCT, error.body()
