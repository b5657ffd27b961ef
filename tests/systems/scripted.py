"""Clients of a vendor that answers from a script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from include.connection import Connection
from include.systems.http import Http
from tests.vendor import Call, Reply, Vendor, vendor

ADDRESS = "ann+1@example.com"


class Script:
    """Answers in turn; the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def __call__(self, call: Call) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class Clients:
    """Makes clients of a scripted vendor; as many vendors as are needed at the same time, started once."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._free: list[Vendor] = []

    @contextmanager
    def __call__(self, *replies: Reply, **more: Any) -> Iterator[tuple[Http, Vendor, list[float]]]:
        script = Script(*(replies or (Reply(200, {}),)))
        server = self._free.pop() if self._free else self._stack.enter_context(vendor(script))
        server.answer, server.calls = script, []
        waits: list[float] = []
        http = Http(Connection("shop", host=server.url), "https://unused.example", sleep=waits.append, **more)
        try:
            yield http, server, waits
        finally:
            http.close()
            self._free.append(server)


@pytest.fixture(scope="module", name="client")
def scripted() -> Iterator[Clients]:
    with ExitStack() as stack:
        yield Clients(stack)


def get(http: Http, **more: Any) -> Any:
    return http.call("GET", "/lists/{}", ADDRESS, tried="look for an entry", **more)


def busy(status: int = 429, body: Any = None, **headers: str) -> Reply:
    return Reply(status, body or {}, {name.replace("_", "-"): value for name, value in headers.items()})
