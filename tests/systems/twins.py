"""A twin of the sandbox on loopback with a module connected to it, for the tests of one service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from include.connection import Connection
from include.policy.register import Claim
from include.sandbox.rest import Ask, Refusal, Reply
from include.sandbox.services import SERVICES
from include.systems import registry
from tests.sandbox.services.kit import NOW, Service, running
from tests.systems.conformance.means import Clock, Somebody, means_at
from tests.vendor import Call


@contextmanager
def twin(key: str, make: Any = None) -> Iterator[Service]:
    """The twin of a system, or one made of a class of the test's own."""
    with running(key, make or SERVICES[key].build) as server:
        yield server


def connection(server: Service, **changes: Any) -> Connection:
    """What an operator would write; ``extra`` is merged."""
    value: Mapping[str, Any] = SERVICES[server.name].connections(server.url)[server.name]
    extra = {**value.get("extra", {}), **changes.pop("extra", {})}
    fields = {"host": value.get("host"), "login": value.get("login"), "password": value.get("password"), **changes}
    return Connection(server.name, extra=extra, **fields)


@contextmanager
def connected(server: Service, clock: Clock | None = None, **changes: Any) -> Iterator[Any]:
    """The module, connected to its twin."""
    system = registry.connect_erasing(connection(server, **changes), means_at(clock or Clock()))
    yield system
    system.close()


def claim(kind: str, source: str | None = None) -> Claim:
    """A claim of the policy file."""
    identifiers = ("internal user id",) if kind == "only_identifiers" else ()
    return Claim(id="a.claim", kind=kind, says="It holds.", identifiers=identifiers, source=source)


def whole_way(system: Any, *people: Somebody) -> list[Any]:
    """Find, erase, verify, and every other question that a service answers. Returns the receipts."""
    subjects = [person.subject() for person in people]
    found = system.find(subjects)
    receipts: list[Any] = system.erase(found)
    system.verify(subjects, receipts)
    system.access()
    for kind in ("no_identifiers", "only_identifiers"):
        system.check(claim(kind))
    return receipts


class Recorded:
    """Mixed into a twin of plain replies: keeps each call with its reply."""

    said: list[tuple[Call, int, Any]]

    def handle(self, ask: Ask) -> Reply:
        call = Call(ask.method, ask.path, list(ask.query.items()), ask.headers, ask.body)
        try:
            reply: Reply = super().handle(ask)  # type: ignore[misc]
        except Refusal as refusal:
            reply = refusal.reply
        self.said.append((call, reply.status, reply.body))
        return reply


__all__ = ["NOW", "Clock", "Recorded", "Service", "Somebody", "claim", "connected", "connection", "twin", "whole_way"]
