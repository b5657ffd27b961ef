"""A vendor on loopback for a test: keeps every call as it came over the wire and answers what the test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.loopback import serve


@dataclass(frozen=True)
class Call:
    """A request as it came: ``path`` is still percent-encoded, ``headers`` have lower-case names."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def segments(self) -> list[str]:
        """The parts of the path, decoded."""
        return [unquote(part) for part in self.path.strip("/").split("/")]


@dataclass(frozen=True)
class Reply:
    """What is answered; ``body`` is sent as JSON, bytes as they are."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass
class Vendor:
    """Its address, what it answers, and the calls that it got."""

    url: str
    answer: Callable[[Call], Reply]
    calls: list[Call] = field(default_factory=list)

    def asked(self, method: str, path: str = "") -> list[Call]:
        """The calls of a method whose path has a part."""
        return [call for call in self.calls if call.method == method and path in call.path]


@contextmanager
def vendor(answer: Callable[[Call], Reply]) -> Iterator[Vendor]:
    """Serve ``answer`` on loopback for the time of a block; it can be exchanged."""
    served = Vendor("", answer)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        call = await _call(scope, receive)
        served.calls.append(call)
        reply = served.answer(call)
        headers = {"content-type": "application/json", **reply.headers}
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
        await send({"type": "http.response.body", "body": reply.content})

    with serve(app) as served.url:
        yield served


async def _call(scope: Any, receive: Any) -> Call:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
    query = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
    return Call(scope["method"], scope["raw_path"].decode().split("?")[0], query, headers, body)
