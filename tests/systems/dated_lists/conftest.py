from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from include.connection import Connection
from include.sandbox import mailgun, sendgrid
from include.sandbox.faults import Faults, Journal
from include.systems import registry
from include.systems.contract import Selection
from tests.recorded import Recorded, recorded
from tests.systems.conformance.means import NOW, Clock

CUTOFF = NOW - timedelta(days=1096)
DAY = timedelta(days=1)


@dataclass
class Mail:
    """One of the two services, with a list of bounces."""

    key: str
    twin: Any
    faults: Faults
    wire: Recorded

    @property
    def selection(self) -> Selection:
        trigger = "created" if self.key == "sendgrid" else "created_at"
        return Selection("A6", {"list": "bounces"}, "email", trigger, CUTOFF, 0)

    def change(self, **changes: Any) -> Selection:
        return replace(self.selection, **changes)

    def put(self, email, at, other=False):
        """On the list, or on that of another account or domain."""
        if self.key == "sendgrid":
            account = self.twin.account(sendgrid.SUBUSER if other else "")
            account.suppressions["bounces"][email] = sendgrid.Suppressed(email, int(at.timestamp()))
            account.suppressions["unsubscribes"][f"u-{email}"] = sendgrid.Suppressed(f"u-{email}", int(at.timestamp()))
        else:
            domain = self.twin.domain(mailgun.DOMAINS[1 if other else 0])
            domain.add("bounces", mailgun.Entry(email, at))
            domain.add("unsubscribes", mailgun.Entry(f"u-{email}", at))

    def left(self, table="bounces"):
        table = {"sendgrid": {"unsubscribes": "global_unsubscribes"}}.get(self.key, {}).get(table, table)
        records = [record for kind, record in self.twin.records() if kind == table]
        return sorted(record.get("email") or record["address"] for record in records)

    def connect(self):
        login = "api" if self.key == "mailgun" else None
        return registry.connect(Connection(self.key, host=self.wire.url, login=login, password="key"))

    def sweep(self, on_hold=None, system=None):
        """The whole way of a rule; what became of each batch."""
        system = system or self.connect()
        swept = [system.expire(self.selection, batch) for batch in system.batches(self.selection, on_hold)]
        system.close()
        return swept


@pytest.fixture(params=["sendgrid", "mailgun"])
def mail(request, quick):
    faults, clock = Faults(), Clock()
    build = {"sendgrid": sendgrid.SendGridSandbox, "mailgun": mailgun.MailgunSandbox}[request.param]
    twin = build(faults, Journal(), clock)
    with recorded(twin.app) as wire:
        yield Mail(request.param, twin, faults, wire)
