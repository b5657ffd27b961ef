"""A service of the sandbox on loopback, its switches, and a client that keeps what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from starlette.applications import Starlette
from starlette.routing import Mount

from include.sandbox.faults import Fault, FaultKind, Faults, Journal
from tests.loopback import serve
from tests.vendor import Call

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


@dataclass
class Service:
    """One twin. ``now`` is its time; ``said`` are the calls with status and body of their answers."""

    name: str
    now: datetime = NOW
    twin: Any = None
    url: str = ""
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    said: list[tuple[Call, int, Any]] = field(default_factory=list)
    last: Any = None
    settings: dict[str, Any] = field(default_factory=dict)
    """As they were when it was started."""

    def call(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """Status and decoded body; ``last`` has the whole answer."""
        url = path if path.startswith("http") else self.url + path
        answer = self.last = requests.request(method, url, timeout=5, **more)
        body = answer.json() if answer.content else None
        self.said.append((_call(answer.request, self.url), answer.status_code, body))
        return answer.status_code, body

    def fail(self, kind: FaultKind, operation: str = "", **more: Any) -> None:
        self.faults.add(Fault(self.name, kind, operation, **more))

    def counts(self) -> dict[str, int]:
        return dict(Counter(collection for collection, _ in self.twin.records()))

    def records(self, collection: str) -> list[dict[str, Any]]:
        return [record for name, record in self.twin.records() if name == collection]

    def fresh(self) -> Service:
        """The same server without data, faults and history, with the settings that it started with."""
        self.twin.reset()
        self.faults.clear()
        self.journal.clear()
        self.said.clear()
        self.now = NOW
        for name, value in self.settings.items():
            setattr(self.twin.settings, name, value)
        return self


@contextmanager
def running(name: str, make: Callable[[Faults, Journal, Callable[[], datetime]], Any]) -> Iterator[Service]:
    """Serve a twin under a prefix, as in the sandbox process."""
    service = Service(name)
    service.twin = make(service.faults, service.journal, lambda: service.now)
    settings = service.twin.settings
    service.settings = {key: getattr(settings, key) for key in settings.__dataclass_fields__}
    with serve(Starlette(routes=[Mount(f"/{name}", service.twin.app)])) as base:
        service.url = f"{base}/{name}"
        yield service


def _call(request: requests.PreparedRequest, base: str) -> Call:
    parts = urlsplit(str(request.url))
    path = parts.path.removeprefix(urlsplit(base).path)
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    return Call(str(request.method), path, parse_qsl(parts.query, keep_blank_values=True), headers, body)
