"""A twin of a social network on loopback: every call and answer is kept, and an answer can be put in its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from include.connection import Connection
from include.policy.persons import IdentifierKind, RequestType
from include.sandbox.faults import Faults, Journal
from include.sandbox.services import SERVICES
from include.subjects.identifiers import Subject
from include.systems import registry
from tests.loopback import serve
from tests.openapi import Description
from tests.systems.conformance.means import Clock, MemoryBudgets, Somebody, means_at
from tests.vendor import Call, Reply

EMAIL, PHONE, ACCOUNT = IdentifierKind.EMAIL, IdentifierKind.PHONE, IdentifierKind.EXTERNAL_ID


@dataclass(frozen=True)
class Exchange:
    """A call and what was answered."""

    call: Call
    status: int
    body: Any


@dataclass
class Network:
    """The twin, what it was asked, and how the module sees it."""

    key: str
    twin: Any
    clock: Clock
    faults: Faults
    journal: Journal
    url: str = ""
    exchanges: list[Exchange] = field(default_factory=list)
    instead: Callable[[Call], Reply | None] = lambda call: None
    budgets: MemoryBudgets | None = None

    @property
    def calls(self) -> list[Call]:
        return [exchange.call for exchange in self.exchanges]

    def asked(self, method: str, path: str = "") -> list[Call]:
        """The calls of a method whose path has a part."""
        return [call for call in self.calls if call.method == method and path in call.path]

    def connection(self, **extra: Any) -> Connection:
        """What an operator would write; an extra of None is left out."""
        given = SERVICES[self.key].connections(self.url)[self.key]
        merged = {**given["extra"], **extra}
        made = Connection(self.key, host=self.url, login=given.get("login"), password=given["password"])
        return replace(made, extra={name: value for name, value in merged.items() if value is not None})

    def system(self, **extra: Any) -> Any:
        means = means_at(self.clock)
        self.budgets = means.budgets
        return registry.connect_erasing(self.connection(**extra), means)

    def run(self, *subjects: Subject, **extra: Any) -> tuple[list[Any], list[Any], list[Any]]:
        """Find, erase, verify."""
        system = self.system(**extra)
        found = system.find(subjects)
        receipts = system.erase(found)
        seen = system.verify(subjects, receipts)
        system.close()
        return found, receipts, seen

    def state(self, collection: str) -> list[dict[str, Any]]:
        return [record for name, record in self.twin.records() if name == collection]


@contextmanager
def network(key: str) -> Iterator[Network]:
    """Serve the twin of a system for the time of a block."""
    clock, faults, journal = Clock(), Faults(), Journal()
    made = Network(key, SERVICES[key].build(faults, journal, clock), clock, faults, journal)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        call = _call(scope, body)
        answer: dict[str, Any] = {"status": 0, "body": b""}

        async def again() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def noting(message: Any) -> None:
            answer["status"] = message.get("status", answer["status"])
            answer["body"] += message.get("body", b"")
            if message["type"] == "http.response.body" and not message.get("more_body"):
                decoded = json.loads(answer["body"]) if answer["body"] else None
                made.exchanges.append(Exchange(call, answer["status"], decoded))
            await send(message)

        reply = made.instead(call)
        if reply is None:
            await made.twin.app(scope, again, noting)
            return
        headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        await noting({"type": "http.response.start", "status": reply.status, "headers": headers})
        await noting({"type": "http.response.body", "body": reply.content})

    with serve(app) as made.url:
        yield made


def person(number: int = 1, *, request: RequestType = RequestType.ERASURE, **known: Any) -> Subject:
    """Somebody who is known by ``email``, ``phone`` and ``account``, each a value or a list of them."""
    kinds = {"email": EMAIL, "phone": PHONE, "account": ACCOUNT}
    values = {kinds[name]: [given] if isinstance(given, str) else list(given) for name, given in known.items()}
    return Somebody(number, values).subject(request)


def described(paths: dict[str, Any]) -> Description:
    """A contract that was written by hand, in the form of the vendors' own descriptions."""
    made = Description()
    made.documents = [{"paths": paths}]
    return made


def operation(
    *, query: dict[str, Any] | None = None, body: Any = None, kind: str = "application/json", answers: dict[int, Any]
) -> dict[str, Any]:
    """One operation: parameters of the query (required unless the name ends in ``?``), body, answers by status."""
    parameters = [
        {"name": name.rstrip("?"), "in": "query", "required": not name.endswith("?"), "schema": schema}
        for name, schema in (query or {}).items()
    ]
    made: dict[str, Any] = {"parameters": parameters}
    if body is not None:
        made["requestBody"] = {"required": True, "content": {kind: {"schema": body}}}
    made["responses"] = {
        str(status): {"content": {"application/json": {"schema": schema}}} for status, schema in answers.items()
    }
    return made


def obj(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object with these members and no others."""
    members = {**required, **optional}
    return {"type": "object", "required": list(required), "properties": members, "additionalProperties": False}


def some(entries: Any, **limits: int) -> dict[str, Any]:
    """A list of these."""
    return {"type": "array", "items": entries, **limits}


def check(contract: Description, exchanges: list[Exchange]) -> set[str]:
    """The operations that were used; fails where a call or an answer is not of the contract."""
    used = set()
    for exchange in exchanges:
        used.add(contract.check_call(exchange.call))
        contract.check_answer(exchange.call, exchange.status, exchange.body)
    return used


def _call(scope: Any, body: bytes) -> Call:
    from urllib.parse import parse_qsl

    headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
    query = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
    return Call(scope["method"], scope["raw_path"].decode().split("?")[0], query, headers, body)
