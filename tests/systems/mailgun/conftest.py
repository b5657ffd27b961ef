"""A Mailgun on loopback whose every request is checked against the vendor's description, where that is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from include.connection import Connection
from include.systems.mailgun.mailer import MailgunMailer
from include.systems.mailgun.system import Mailgun
from tests.openapi import SPECS, Description, Document
from tests.systems.mailgun.account import MailgunTwin
from tests.systems.people import Budget, Clock, means
from tests.vendor import Call, Reply, Vendor, vendor

DESCRIPTION = "mailgun/mailgun-openapi.json"


def as_it_is(document: Document) -> None:
    """Mailgun's description says that lists need parameters which its own text calls optional."""
    for path in document["paths"].values():
        for parameter in path.get("get", {}).get("parameters", []):
            if parameter["in"] == "query" and parameter["name"] in ("limit", "page", "term", "address"):
                parameter["required"] = False


@dataclass
class Service:
    """The server, its state, and how the module sees it."""

    server: Vendor
    twin: MailgunTwin
    clock: Clock = field(default_factory=Clock)
    waits: list[float] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def connection(self, **extra: Any) -> Connection:
        extra = {"sending_domain": "mg.example.com", **extra}
        return Connection("mailgun", host=self.server.url, login="api", password="key-secret", extra=extra)

    def system(self, *, keep: frozenset[str] = frozenset()) -> Mailgun:
        return Mailgun(self.connection(), means(self.clock, Budget(), keep))

    def mailer(self, **extra: Any) -> MailgunMailer:
        return MailgunMailer(self.connection(**extra), means(self.clock))

    @property
    def calls(self) -> list[Call]:
        return self.server.calls


@pytest.fixture(scope="session")
def mailgun_server() -> Iterator[Vendor]:
    with vendor(lambda call: Reply(500)) as server:
        yield server


@pytest.fixture(scope="session")
def description() -> Description | None:
    return Description(DESCRIPTION, patch=as_it_is) if (SPECS / DESCRIPTION).exists() else None


@pytest.fixture
def service(mailgun_server: Vendor, description: Description | None, quick: list[float]) -> Iterator[Service]:
    mailgun_server.calls = []
    made = Service(mailgun_server, MailgunTwin(mailgun_server.url), waits=quick)

    def answer(call: Call) -> Reply:
        its_own = "page" in dict(call.query)
        if description is not None and not its_own:
            try:
                made.checked.append(description.check_call(call))
            except AssertionError as problem:
                made.problems.append(str(problem))
        return made.twin.answer(call)

    mailgun_server.answer = answer
    yield made
    assert made.problems == []
