"""A SendGrid on loopback whose every request is checked against the vendor's description, where that is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from include.connection import Connection
from include.systems.sendgrid import connect_mailer
from include.systems.sendgrid.mailer import SendGridMailer
from include.systems.sendgrid.system import SendGrid
from tests.openapi import SPECS, Description
from tests.systems.people import Budget, Clock, means
from tests.systems.sendgrid.account import SendGridTwin
from tests.vendor import Call, Reply, Vendor, vendor

DESCRIPTIONS = tuple(
    f"sendgrid/tsg_{name}_v3.json"
    for name in (
        "recipients_data_erasure",
        "mc_contacts",
        "suppressions",
        "scopes",
        "subusers",
        "mail",
        "logs",
        "email_activity",
    )
)


@dataclass
class Service:
    """The server, its state, and how the module sees it."""

    server: Vendor
    twin: SendGridTwin = field(default_factory=SendGridTwin)
    clock: Clock = field(default_factory=Clock)
    budget: Budget = field(default_factory=Budget)
    waits: list[float] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def connection(self, **extra: Any) -> Connection:
        return Connection("sendgrid", host=self.server.url, password="SG.secret", extra=extra)

    def system(self, *, keep: frozenset[str] = frozenset(), **extra: Any) -> SendGrid:
        return SendGrid(self.connection(**extra), means(self.clock, self.budget, keep))

    def mailer(self, **extra: Any) -> SendGridMailer:
        made = connect_mailer(self.connection(**extra), means(self.clock, self.budget))
        assert isinstance(made, SendGridMailer)
        return made

    @property
    def calls(self) -> list[Call]:
        return self.server.calls


@pytest.fixture(scope="session")
def sendgrid_server() -> Iterator[Vendor]:
    with vendor(lambda call: Reply(500)) as server:
        yield server


@pytest.fixture(scope="session")
def description() -> Description | None:
    return Description(*DESCRIPTIONS) if (SPECS / DESCRIPTIONS[0]).exists() else None


@pytest.fixture
def service(sendgrid_server: Vendor, description: Description | None, quick: list[float]) -> Iterator[Service]:
    sendgrid_server.calls = []
    made = Service(sendgrid_server, waits=quick)

    def answer(call: Call) -> Reply:
        if description is not None:
            try:
                made.checked.append(description.check_call(call))
            except AssertionError as problem:
                made.problems.append(str(problem))
        return made.twin.answer(call)

    sendgrid_server.answer = answer
    yield made
    assert made.problems == []
