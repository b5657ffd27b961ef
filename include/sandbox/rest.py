"""What the twins of the services share: a request without a web framework, its reply, routes, windows of calls.

A service is a function from :class:`Ask` to :class:`Reply`; ``serve`` puts it behind Starlette with the sandbox's
faults and journal. Path segments are matched before they are decoded, so that ``a%2Fb`` stays one segment, and a slash
at the end means nothing: the path of one record with an empty name is the path of the collection, as at the vendors.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.faults import Faults, Journal
from include.sandbox.http import ErrorAnswer, FaultMiddleware


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. ``path`` is still percent-encoded and starts below the mount; ``base`` is the mount's URL."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    form: tuple[tuple[str, str], ...]
    base: str
    partial: bool = False

    @property
    def json(self) -> Any:
        """The decoded body; None when it is empty or no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def basic(self) -> tuple[str, str]:
        """User and password of basic authentication; both empty without it."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return "", ""
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            return "", ""
        return user, password

    @property
    def bearer(self) -> str:
        """The token of bearer authentication; empty without it."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True)
class Reply:
    """One response: ``body`` is sent as JSON, None sends nothing."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body as sent."""
        return b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()


class Refusal(Exception):
    """An error reply, raised where the rule is."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(str(status))
        self.reply = Reply(status, body, headers or {})


Handler: TypeAlias = Callable[[Ask], Reply]


class Routes:
    """Operations by ``"METHOD /path/{}/more"``; each ``{}`` takes one segment, decoded, as a further argument.

    Where two fit, the one that was named first counts.
    """

    def __init__(self, table: Mapping[str, Callable[..., Reply]]) -> None:
        self._table = [(*_pattern(name), operation) for name, operation in table.items()]

    def find(self, ask: Ask) -> Callable[[], Reply] | None:
        """The operation with its arguments; None when there is none for the path.

        Raises:
            Refusal: 405 without a body, the path has operations of other methods only.
        """
        path, known = ask.path.rstrip("/") or "/", False
        for method, pattern, operation in self._table:
            match = pattern.fullmatch(path)
            if match and method == ask.method:
                segments = [unquote(segment) for segment in match.groups()]
                return lambda: operation(ask, *segments)
            known = known or match is not None
        if known:
            raise Refusal(405, None)
        return None


class Window:
    """Calls in a fixed window of the machine's time, because a client that is told to wait really waits."""

    def __init__(self, seconds: float = 60.0, wall: Callable[[], float] = time.time) -> None:
        self._seconds = seconds
        self._wall = wall
        self._number = -1
        self._used = 0

    def take(self, limit: int) -> tuple[bool, int, float]:
        """Count a call: whether it is within the limit, how many are left, and when the window ends (since 1970)."""
        number = int(self._wall() // self._seconds)
        if number != self._number:
            self._number, self._used = number, 0
        granted = self._used < limit
        self._used += granted
        return granted, max(0, limit - self._used), (number + 1) * self._seconds

    def left(self, end: float) -> int:
        """Whole seconds until a window ends, at least one."""
        return max(1, round(end - self._wall()))


def whole(ask: Ask, name: str, default: int) -> int:
    """A whole number of the query.

    Raises:
        ValueError: it is none.
    """
    return int(ask.query.get(name) or default)


def serve(handle: Handler, service: str, faults: Faults, journal: Journal, error: ErrorAnswer) -> Starlette:
    """An ASGI application around ``handle`` with the sandbox's faults and journal."""

    async def endpoint(request: Request) -> Response:
        root = request.scope.get("root_path", "")
        body = await request.body()
        ask = Ask(
            method=request.method,
            path=request.scope["raw_path"].decode("ascii").removeprefix(root),
            query=dict(parse_qsl(request.scope["query_string"].decode("ascii"), keep_blank_values=True)),
            headers=request.headers,
            body=body,
            form=await _form(request, body),
            base=f"{request.url.scheme}://{request.url.netloc}{root}",
            partial=bool(request.scope.get("partial")),
        )
        try:
            reply = handle(ask)
        except Refusal as refusal:
            reply = refusal.reply
        media = None if reply.body is None else "application/json"
        return Response(reply.content, reply.status, dict(reply.headers), media)

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    middleware = [Middleware(FaultMiddleware, service, faults, journal, error)]
    return Starlette(routes=[Route("/{path:path}", endpoint, methods=methods)], middleware=middleware)


async def _form(request: Request, body: bytes) -> tuple[tuple[str, str], ...]:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == "application/x-www-form-urlencoded":
        return tuple(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    if media == "multipart/form-data":
        async with request.form() as form:
            return tuple((name, value) for name, value in form.multi_items() if isinstance(value, str))
    return ()


def _pattern(name: str) -> tuple[str, re.Pattern[str]]:
    method, _, path = name.partition(" ")
    return method, re.compile("([^/]+)".join(re.escape(part) for part in path.split("{}")))
