"""The part of the Firestore admin API that sets a field's time to live (``collectionGroups.fields``).

The configuration is kept and reported as the service does; documents do not expire here by themselves.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from include.sandbox.faults import FaultKind, Faults, Journal
from include.sandbox.firestore.paths import check_id, field_path
from include.sandbox.firestore.wire import Refusal

_MAX_OFFSET = 2_147_483_647
_METADATA = "type.googleapis.com/google.firestore.admin.v1.FieldOperationMetadata"
_FIELD = "type.googleapis.com/google.firestore.admin.v1.Field"
_HTTP = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}
_DATABASE = "/v1/projects/{project}/databases/{database}"
_Handler: TypeAlias = Callable[["AdminState", Request, Any], dict[str, Any]]


@dataclass(slots=True)
class AdminState:
    """Time-to-live settings: ``(collection group, field) -> [offset in seconds, state]``, and the operations."""

    project: str
    faults: Faults
    journal: Journal
    lock: threading.Lock = field(default_factory=threading.Lock)
    offsets: dict[tuple[str, str], int] = field(default_factory=dict)
    pending: dict[str, tuple[str, str]] = field(default_factory=dict)
    issued: int = 0

    def clear(self) -> None:
        """Forget all settings."""
        with self.lock:
            self.offsets.clear()
            self.pending.clear()


class _Answer(Exception):
    """An error answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


def admin_app(state: AdminState) -> Starlette:
    """The REST application."""

    async def serve(request: Request, handle: _Handler) -> Response:
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        operation = f"{request.method} {path}"
        fault = state.faults.take("firestore", operation)
        try:
            if fault and fault.kind in {FaultKind.STATUS, FaultKind.DROP}:
                raise _Answer(fault.status if fault.kind is FaultKind.STATUS else 503, "The service failed.")
            if fault and fault.kind is FaultKind.LATENCY:
                await asyncio.sleep(fault.seconds)
            answer = handle(state, request, await request.json() if request.method == "PATCH" else {})
            if fault and fault.kind is FaultKind.LOST_ANSWER:
                raise _Answer(503, "The connection was closed.")
        except _Answer as error:
            state.journal.add("firestore", operation, error.status)
            status = {"code": error.status, "message": error.message, "status": _HTTP.get(error.status, "UNAVAILABLE")}
            headers = {"Retry-After": str(fault.retry_after)} if fault and fault.retry_after else {}
            return JSONResponse({"error": status}, error.status, headers)
        state.journal.add("firestore", operation, 200)
        return JSONResponse(answer)

    def route(path: str, method: str, handle: _Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            return await serve(request, handle)

        return Route(path, endpoint, methods=[method])

    return Starlette(
        routes=[
            route(f"{_DATABASE}/collectionGroups/{{group}}/fields/{{field}}", "GET", _get),
            route(f"{_DATABASE}/collectionGroups/{{group}}/fields/{{field}}", "PATCH", _patch),
            route(f"{_DATABASE}/collectionGroups/{{group}}/fields", "GET", _list),
            route(f"{_DATABASE}/operations/{{id}}", "GET", _operation),
        ]
    )


def _check(state: AdminState, request: Request) -> None:
    path = request.path_params
    if path["project"] != state.project or path["database"] != "(default)":
        raise _Answer(404, "The database does not exist.")
    try:
        if "group" in path:
            check_id(path["group"], collection=True)
        if "field" in path:
            field_path(path["field"])
    except Refusal as refusal:
        raise _Answer(400, refusal.message) from None


def _as_json(state: AdminState, group: str, name: str) -> dict[str, Any]:
    resource = f"projects/{state.project}/databases/(default)/collectionGroups/{group}/fields/{name}"
    answer: dict[str, Any] = {"name": resource, "indexConfig": {"usesAncestorConfig": True}}
    if (group, name) in state.offsets:
        building = (group, name) in state.pending.values()
        offset = state.offsets[group, name]
        answer["ttlConfig"] = {"state": "CREATING" if building else "ACTIVE"}
        if offset:
            answer["ttlConfig"]["expirationOffset"] = f"{offset}s"
    return answer


def _get(state: AdminState, request: Request, _: Any) -> dict[str, Any]:
    _check(state, request)
    with state.lock:
        return _as_json(state, request.path_params["group"], request.path_params["field"])


def _list(state: AdminState, request: Request, _: Any) -> dict[str, Any]:
    _check(state, request)
    if request.query_params.get("filter") != "ttlConfig:*" or set(request.query_params) != {"filter"}:
        raise _Answer(400, "Only the filter ttlConfig:* is served here.")
    group = request.path_params["group"]
    with state.lock:
        return {"fields": [_as_json(state, g, name) for g, name in state.offsets if g == group]}


def _patch(state: AdminState, request: Request, body: Any) -> dict[str, Any]:
    _check(state, request)
    if dict(request.query_params) != {"updateMask": "ttlConfig"}:
        raise _Answer(400, "Only updateMask=ttlConfig is served here.")
    if not isinstance(body, dict) or set(body) - {"name", "ttlConfig"}:
        raise _Answer(400, "Unknown field in the request.")
    group, name = request.path_params["group"], request.path_params["field"]
    with state.lock:
        if "ttlConfig" not in body:
            state.offsets.pop((group, name), None)
        else:
            offset = _offset(body["ttlConfig"])
            if any(g == group and other != name for g, other in state.offsets):
                raise _Answer(400, "A collection group can have only one field with a TTL configuration.")
            state.offsets[group, name] = offset
        state.issued += 1
        operation = f"projects/{state.project}/databases/(default)/operations/ttl{state.issued}"
        state.pending[operation] = (group, name)
        resource = _as_json(state, group, name)["name"]
        return {"name": operation, "metadata": {"@type": _METADATA, "field": resource, "state": "PROCESSING"}}


def _offset(config: Any) -> int:
    if not isinstance(config, dict) or set(config) - {"expirationOffset", "state"}:
        raise _Answer(400, "Unknown field in ttlConfig.")
    match = re.fullmatch(r"([0-9]{1,10})s", config.get("expirationOffset", "0s"))
    if not match or int(match[1]) > _MAX_OFFSET:
        raise _Answer(400, "expiration_offset must be between 0 and 2147483647 whole seconds.")
    return int(match[1])


def _operation(state: AdminState, request: Request, _: Any) -> dict[str, Any]:
    """An operation is done when it is first asked for."""
    _check(state, request)
    name = f"projects/{state.project}/databases/(default)/operations/{request.path_params['id']}"
    number = re.fullmatch(r"ttl([0-9]+)", request.path_params["id"])
    with state.lock:
        if not number or not 0 < int(number[1]) <= state.issued:
            raise _Answer(404, "The operation does not exist.")
        place = state.pending.pop(name, None)
        response = {"@type": _FIELD, **(_as_json(state, *place) if place else {})}
        return {
            "name": name,
            "done": True,
            "metadata": {"@type": _METADATA, "state": "SUCCESSFUL"},
            "response": response,
        }
