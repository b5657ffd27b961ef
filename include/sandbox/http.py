"""Faults and journal for the sandbox's HTTP services, as one ASGI middleware.

Put it in the middleware list of a Starlette application, or around any ASGI application::

    Starlette(routes=..., middleware=[Middleware(FaultMiddleware, "storage", faults, journal)])

The operation of a call is ``"METHOD /path"``, decoded, without the mount's prefix and without the query.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include.sandbox.faults import Fault, FaultKind, Faults, Journal

NO_ANSWER = 0
"""Status in the journal of a call whose connection was closed without an answer."""

ErrorAnswer: TypeAlias = Callable[[int], tuple[dict[str, str], dict[str, Any]]]
"""Headers and JSON body with which a service reports an error status."""


def google_error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The error body of Google's JSON APIs (https://cloud.google.com/apis/design/errors)."""
    phrase = HTTPStatus(status).phrase
    reason = {"message": phrase, "domain": "global", "reason": phrase.replace(" ", "")}
    return {}, {"error": {"code": status, "message": phrase, "errors": [reason]}}


class FaultMiddleware:
    """Plays the planned faults of one service and notes every call in the journal.

    ``PARTIAL`` is left to the application, which finds ``scope["partial"]`` true.

    Args:
        app: the service.
        service: its name in :class:`~include.sandbox.faults.Fault`.
        faults: shared with the other services of the sandbox.
        journal: shared likewise; a call without an answer is noted with status 0.
        error: how the service words an error status.
    """

    def __init__(
        self, app: ASGIApp, service: str, faults: Faults, journal: Journal, error: ErrorAnswer = google_error
    ) -> None:
        self._app = app
        self._service = service
        self._faults = faults
        self._journal = journal
        self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one call; anything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        operation = f"{scope['method']} {_path(scope)}"

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._journal.add(self._service, operation, message["status"])
            await send(message)

        match self._faults.take(self._service, operation):
            case Fault(kind=FaultKind.STATUS) as fault:
                await _drain(receive)
                await self._answer(fault, noting)
                return
            case Fault(kind=FaultKind.DROP | FaultKind.LOST_ANSWER as kind):
                await (_drain(receive) if kind is FaultKind.DROP else self._app(scope, receive, _swallow))
                self._journal.add(self._service, operation, NO_ANSWER)
                await _abort(receive)
                return
            case Fault(kind=FaultKind.LATENCY) as fault:
                await asyncio.sleep(fault.seconds)
            case Fault(kind=FaultKind.PARTIAL):
                scope["partial"] = True
        await self._app(scope, receive, noting)

    async def _answer(self, fault: Fault, send: Send) -> None:
        headers, body = self._error(fault.status)
        content = json.dumps(body).encode()
        headers = {"content-type": "application/json", **headers, "content-length": str(len(content))}
        if fault.retry_after:
            headers["retry-after"] = str(fault.retry_after)
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": fault.status, "headers": raw})
        await send({"type": "http.response.body", "body": content})


def _path(scope: Scope) -> str:
    path, prefix = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(prefix) or "/"


async def _swallow(message: Message) -> None:
    return None


async def _drain(receive: Receive) -> None:
    """Read the request to its end: a client that is still sending would see its own send fail, not the fault."""
    while (await receive()).get("more_body"):
        pass


async def _abort(receive: Receive) -> None:
    """Close the connection without a byte.

    ASGI has no word for it; uvicorn keeps the transport on the object whose bound method ``receive`` is.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionAbortedError("the connection was closed without an answer")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
