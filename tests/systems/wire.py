"""A twin of the sandbox on loopback, with everything that went over the wire: for tests that look at the calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from include.connection import Connection
from include.sandbox.faults import Fault, FaultKind, Faults, Journal
from include.sandbox.service import Service
from tests.loopback import serve
from tests.openapi import Description
from tests.systems.conformance.means import NOW
from tests.vendor import Call


@dataclass
class Wire:
    """A running twin.

    Args:
        twin: the service.
        url: its base URL.
        key: its name, and that of its connection.
        values: of the connections that the service names.
    """

    twin: Any
    url: str
    key: str
    values: dict[str, dict[str, Any]]
    faults: Faults
    journal: Journal
    calls: list[tuple[Call, int, Any]] = field(default_factory=list)
    later: timedelta = timedelta()

    def connection(self, **extra: Any) -> Connection:
        """What an operator would write, with some more extras; None leaves one out."""
        value = self.values[self.key]
        merged = {name: one for name, one in {**value.get("extra", {}), **extra}.items() if one is not None}
        return Connection(
            self.key, host=self.url, login=value.get("login"), password=value.get("password"), extra=merged
        )

    def fail(self, kind: FaultKind, operation: str = "", **more: Any) -> None:
        self.faults.add(Fault(self.key, kind, operation, **more))

    def asked(self, method: str, path: str = "") -> list[Call]:
        """The calls of a method whose path has a part."""
        return [call for call, _, _ in self.calls if call.method == method and path in call.path]

    def fresh(self) -> Wire:
        """Without data, faults and history."""
        self.faults.clear()
        self.journal.clear()
        self.twin.reset()
        self.calls.clear()
        self.later = timedelta()
        return self

    def state(self) -> list[str]:
        """Everything that the twin holds."""
        return sorted(
            f"{kind} {json.dumps(record, sort_keys=True, default=str)}" for kind, record in self.twin.records()
        )

    def check(self, description: Description, *, but: Callable[[Call], bool] = lambda call: False) -> set[str]:
        """Hold every call and every answer against a description; the operations that were called.

        Args:
            but: calls that another description is about.
        """
        operations = set()
        for call, status, body in self.calls:
            if not but(call):
                operations.add(description.check_call(call))
                description.check_answer(call, status, body)
        return operations


@contextmanager
def running(key: str, service: Service) -> Iterator[Wire]:
    """Serve a twin for the time of a block. Its clock stands at the instant of the tests, and ``later``."""
    faults, journal = Faults(), Journal()
    twin = service.build(faults, journal, lambda: NOW + wire.later)
    wire = Wire(twin, "", key, {}, faults, journal)
    with serve(_recording(twin.app, wire)) as wire.url:
        wire.values = {name: dict(value) for name, value in service.connections(wire.url).items()}
        yield wire


def contract(paths: dict[str, Any]) -> Description:
    """A description by hand, as OpenAPI paths."""
    description = Description()
    description.documents = [{"paths": paths}]
    return description


def _recording(app: Any, wire: Wire) -> Any:
    async def recorded(scope: Any, receive: Any, send: Any) -> None:
        asked, answered, status = [], [], 0

        async def reading() -> Any:
            message = await receive()
            asked.append(message.get("body", b""))
            return message

        async def writing(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            answered.append(message.get("body", b""))
            await send(message)

        # The sandbox closes a connection without an answer by way of the server's object that it finds here.
        reading.__self__ = getattr(receive, "__self__", None)  # type: ignore[attr-defined]
        try:
            await app(scope, reading, writing)
        finally:
            note(scope, b"".join(asked), status, b"".join(answered))

    def note(scope: Any, body: bytes, status: int, content: bytes) -> None:
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        query = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
        call = Call(scope["method"], scope["raw_path"].decode().split("?")[0], query, headers, body)
        wire.calls.append((call, status, json.loads(content) if content else None))

    return recorded
