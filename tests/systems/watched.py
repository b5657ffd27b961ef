"""A twin of the sandbox on loopback whose every call and answer is kept, to be held against a description."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from include.connection import Connection
from include.policy.actions import Action
from include.sandbox.faults import Faults, Journal
from include.sandbox.service import Service
from include.systems.contract import Selection
from tests.loopback import serve
from tests.openapi import Description, Document
from tests.systems.conformance.means import NOW, Clock
from tests.vendor import Call


@dataclass(frozen=True)
class Exchange:
    """A call as it came over the wire, and what was answered; ``body`` is decoded JSON, else None."""

    call: Call
    status: int
    body: Any


class Watched:
    """The twin of one service. ``clock`` is the service's own and the module's."""

    def __init__(self, key: str, service: Service) -> None:
        self.key = key
        self.clock = Clock()
        self.faults, self.journal = Faults(), Journal()
        self.twin: Any = service.build(self.faults, self.journal, lambda: self.clock())
        self.exchanges: list[Exchange] = []
        self.url = ""
        self._number = 0
        self._service = service
        self._settings = vars_of(self.twin.settings)

    def number(self) -> int:
        """0, 1, 2 and so on since the last reset."""
        self._number += 1
        return self._number - 1

    def reset(self) -> None:
        self._number = 0
        self.clock.now = NOW
        self.faults.clear()
        self.journal.clear()
        self.exchanges.clear()
        self.twin.reset()
        for name, value in self._settings.items():
            setattr(self.twin.settings, name, value)

    def connection(self, **extra: Any) -> Connection:
        """As the sandbox gives it; an extra that is None is left out."""
        known = self._service.connections(self.url)[self.key]
        merged = {**known.get("extra", {}), **extra}  # type: ignore[dict-item]
        kept = {name: value for name, value in merged.items() if value is not None}
        return Connection(self.key, str(known["host"]), None, known.get("login"), known.get("password"), None, kept)  # type: ignore[arg-type]

    def calls(self, method: str = "", part: str = "") -> list[Call]:
        """The calls of a method whose path has a part."""
        return [e.call for e in self.exchanges if e.call.method.startswith(method) and part in e.call.path]

    def held(self) -> list[dict[str, Any]]:
        """Everything that is in it."""
        return [record for _, record in self.twin.records()]

    def check(self, description: Description) -> set[str]:
        """Hold all calls and answers against a description; the operations that were called."""
        for exchange in self.exchanges:
            description.check_answer(exchange.call, exchange.status, exchange.body)
        return {description.check_call(exchange.call) for exchange in self.exchanges}

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        query = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
        call = Call(scope["method"], scope["raw_path"].decode().split("?")[0], query, headers, body)
        answer: dict[str, Any] = {"status": 0, "body": b""}

        async def again() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def note(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer["status"] = message["status"]
            answer["body"] += message.get("body", b"")
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self.exchanges.append(Exchange(call, answer["status"], _decoded(answer["body"])))
            await send(message)

        await self.twin.app(scope, again, note)


def vars_of(settings: Any) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


@contextmanager
def watched(key: str, service: Service) -> Iterator[Watched]:
    twin = Watched(key, service)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await twin.handle(scope, receive, send)

    with serve(app) as twin.url:
        yield twin


def described(document: Document) -> Description:
    """A contract that was written by hand."""
    description = Description()
    description.documents = [document]
    return description


def operation(
    *parameters: str, body: Document | None = None, answers: dict[str, Document | None] | None = None
) -> Document:
    """One operation of a contract by hand: names of query parameters, schema of the body, schemas of the answers."""
    found: Document = {
        "parameters": [{"name": name, "in": "query", "schema": {}} for name in parameters],
        "responses": {
            status: {"content": {"application/json": {"schema": schema}}} if schema else {"description": "no body"}
            for status, schema in (answers or {}).items()
        },
    }
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return found


def shape(required: tuple[str, ...] = (), **properties: Any) -> Document:
    """A JSON object that has no other members."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def selection(field: str, subject: str | None, days: int, **more: Any) -> Selection:
    """What a rule covers: everything older than some days."""
    cut = NOW - timedelta(days=days)
    known = {"location": {}, "action": Action.DELETE, "cutoff": cut, **more}
    return Selection(rule="R1", subject=subject, trigger_field=field, period_seconds=days * 86_400, **known)


def sweep(system: Any, chosen: Selection, on_hold: Callable[[str], bool] | None = None) -> tuple[int, int, int]:
    """Expire everything as the engine does: gone, absent, changed."""
    swept = [system.expire(chosen, batch) for batch in system.batches(chosen, on_hold)]
    return sum(s.gone for s in swept), sum(s.absent for s in swept), sum(s.changed for s in swept)


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
