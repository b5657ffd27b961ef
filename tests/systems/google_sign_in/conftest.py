from dataclasses import dataclass, field, replace

import pytest

from include.connection import Connection
from include.sandbox.faults import Faults, Journal
from include.sandbox.identitytoolkit import Account, IdentityToolkitSandbox
from include.systems.google_sign_in import connect_erasing
from tests.recorded import Recorded, recorded
from tests.systems.conformance.means import Clock, MemoryBudgets, means_at

PROJECT = "clique"


@dataclass
class Firebase:
    """Identity Toolkit on loopback."""

    twin: IdentityToolkitSandbox
    faults: Faults
    wire: Recorded
    budgets: MemoryBudgets = field(default_factory=lambda: MemoryBudgets(Clock()))

    def add(self, uid, *links, tenant="", **fields):
        providers = [{"providerId": provider, "rawId": raw, "email": "a@x.example"} for provider, raw in links]
        self.twin.seed([Account(uid, providers=providers, tenant=tenant, **fields)])

    def links(self, tenant=""):
        """Providers and ids there, by account."""
        return {
            account.local_id: {(one["providerId"], one["rawId"]) for one in account.providers}
            for account in self.twin.accounts(tenant)
        }

    def system(self, **extra):
        extra = {"project": PROJECT, "token": "t", "updates_per_second": 1000, **extra}
        means = replace(means_at(Clock()), budgets=self.budgets)
        return connect_erasing(Connection("google_sign_in", host=self.wire.url, extra=extra), means)


@pytest.fixture
def firebase(quick):
    faults = Faults()
    twin = IdentityToolkitSandbox(faults, Journal(), Clock(), PROJECT)
    with recorded(twin.app) as wire:
        yield Firebase(twin, faults, wire)
