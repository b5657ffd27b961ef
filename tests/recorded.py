"""A twin on loopback whose calls and answers are kept, to be held against the vendor's own description."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tests.loopback import serve


@dataclass(frozen=True)
class Exchange:
    """A request as it came, and its answer; ``path`` is still percent-encoded, headers have lower-case names."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer: bytes
    media: str

    @property
    def operation(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def sent(self) -> Any:
        """The body in JSON, or the fields of a form."""
        kind = self.headers.get("content-type", "")
        return dict(parse_qsl(self.body.decode())) if "urlencoded" in kind else json.loads(self.body or b"null")

    @property
    def got(self) -> Any:
        return json.loads(self.answer or b"null")


@dataclass
class Recorded:
    """An ASGI application around another one."""

    app: Any
    url: str = ""
    exchanges: list[Exchange] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        sent: list[Any] = []

        async def replay() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def keep(message: Any) -> None:
            sent.append(message)
            await send(message)

        await self.app(scope, replay, keep)
        start = next(message for message in sent if message["type"] == "http.response.start")
        answer = b"".join(message.get("body", b"") for message in sent)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        media = dict(start["headers"]).get(b"content-type", b"").decode()
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        path = scope["raw_path"].decode().split("?")[0]
        self.exchanges.append(Exchange(scope["method"], path, query, headers, body, start["status"], answer, media))

    def asked(self, operation: str) -> list[Exchange]:
        """The exchanges whose method and path have a part."""
        return [each for each in self.exchanges if operation in each.operation]


@contextmanager
def recorded(app: Any) -> Iterator[Recorded]:
    """Serve an application on loopback for the time of a block."""
    keeper = Recorded(app)
    with serve(keeper) as keeper.url:
        yield keeper
