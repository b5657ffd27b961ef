"""What the sandbox's Google JSON services share: a call without a web framework, its answer, and Google's error body.

The services are plain functions from :class:`Call` to :class:`Answer`; ``serve`` puts one behind Starlette. That is
what lets a part of a batch request go through exactly the code of a single request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.faults import Faults, Journal
from include.sandbox.http import ErrorAnswer, FaultMiddleware, google_error

STANDARD_PARAMETERS = frozenset({"alt", "fields", "key", "prettyPrint", "quotaUser", "userIp"})
"""Query parameters that every Google JSON API accepts (``parameters`` of a discovery document)."""


class Trouble(Exception):
    """An error answer, raised where the rule is.

    Args:
        status: HTTP status.
        reason: Google's word for it in ``errors[].reason``.
        message: Google's sentence.
        extra: further members of ``error``, as ``status`` and ``details`` of the newer APIs.
    """

    def __init__(self, status: int, reason: str, message: str, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.extra = dict(extra or {})

    @property
    def answer(self) -> Answer:
        """The error in Google's JSON form."""
        entry = {"message": self.message, "domain": "global", "reason": self.reason}
        return Answer(
            self.status, {"error": {"code": self.status, "message": self.message, "errors": [entry], **self.extra}}
        )


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``path`` is still percent-encoded and starts below the mount; ``base`` is the mount's URL."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base: str
    partial: bool = False
    pairs: tuple[tuple[str, str], ...] = ()
    """The query once more, with every value of a repeated parameter."""

    def expect(self, parameters: Collection[str]) -> None:
        """Refuse query parameters that the method does not have.

        Raises:
            Trouble: 400, naming the parameter.
        """
        for name in self.query:
            if name not in parameters and name not in STANDARD_PARAMETERS:
                raise Trouble(400, "invalidParameter", f"Invalid query parameter: '{name}'.")

    def flag(self, name: str) -> bool:
        """A boolean parameter, false when absent."""
        value = self.query.get(name, "false").lower()
        if value not in ("true", "false"):
            raise Trouble(400, "invalid", f"Invalid value for boolean parameter {name}.")
        return value == "true"

    def number(self, name: str) -> int | None:
        """An integer parameter, None when absent."""
        value = self.query.get(name)
        if value is None:
            return None
        if not value.isascii() or not value.isdigit():
            raise Trouble(400, "invalid", f"Invalid value for integer parameter {name}.")
        return int(value)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty body is an empty object."""
        try:
            value = json.loads(self.body) if self.body else {}
        except ValueError:
            raise Trouble(400, "parseError", "Parse Error") from None
        if not isinstance(value, dict):
            raise Trouble(400, "parseError", "Parse Error")
        return value


@dataclass(frozen=True, slots=True)
class Answer:
    """One response: a JSON object, bytes, or nothing."""

    status: int = 200
    body: Mapping[str, Any] | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body as sent."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body, ensure_ascii=False).encode()

    @property
    def content_type(self) -> str:
        """Media type of the body."""
        return self.headers.get("content-type", "application/json; charset=UTF-8")


Handler: TypeAlias = Callable[[Call], Answer]


def split_query(raw: str) -> dict[str, str]:
    """The query string as a mapping; of a repeated parameter the last one counts."""
    return dict(parse_qsl(raw, keep_blank_values=True))


def segment(raw: str) -> str:
    """One decoded path segment.

    Raises:
        Trouble: 400, it is not UTF-8.
    """
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise Trouble(400, "invalid", "The path is not valid UTF-8.") from None


def answered(handler: Handler, call: Call) -> Answer:
    """Run ``handler``; trouble becomes its answer."""
    try:
        return handler(call)
    except Trouble as trouble:
        return trouble.answer


def serve(
    handler: Handler, service: str, faults: Faults, journal: Journal, error: ErrorAnswer = google_error
) -> Starlette:
    """An ASGI application around ``handler`` with the sandbox's faults and journal."""

    async def endpoint(request: Request) -> Response:
        root = request.scope.get("root_path", "")
        raw = request.scope["raw_path"].decode("ascii")
        call = Call(
            method=request.method,
            path=raw.removeprefix(root),
            query=split_query(request.scope["query_string"].decode("ascii")),
            headers=request.headers,
            body=await request.body(),
            base=f"{request.url.scheme}://{request.url.netloc}{root}",
            partial=bool(request.scope.get("partial")),
            pairs=tuple(parse_qsl(request.scope["query_string"].decode("ascii"), keep_blank_values=True)),
        )
        answer = answered(handler, call)
        headers = {name: value for name, value in answer.headers.items() if name != "content-type"}
        return Response(answer.content, answer.status, headers, answer.content_type)

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    middleware = [Middleware(FaultMiddleware, service, faults, journal, error)]
    return Starlette(routes=[Route("/{path:path}", endpoint, methods=methods)], middleware=middleware)
