from dataclasses import dataclass, replace

import pytest

from include.connection import Connection
from include.sandbox.faults import Faults, Journal
from include.sandbox.identitytoolkit import Account, IdentityToolkitSandbox
from include.sandbox.linkedin_sign_in import LinkedInSandbox
from include.sandbox.oauth import CLIENT
from include.systems.linkedin_sign_in import connect_erasing
from tests.recorded import Recorded, recorded
from tests.systems.conformance.means import Clock, means_at

PROJECT = "clique"


@dataclass
class Both:
    """Accounts in one service, tokens in the other; ``wire`` is LinkedIn's."""

    firebase: IdentityToolkitSandbox
    linkedin: LinkedInSandbox
    clock: Clock
    faults: Faults
    wire: Recorded
    accounts: str

    def add(self, uid, *links):
        providers = [{"providerId": provider, "rawId": raw} for provider, raw in links]
        self.firebase.seed([Account(uid, providers=providers)])

    def links(self):
        return {one["rawId"] for account in self.firebase.accounts() for one in account.providers}

    def connection(self, **extra):
        given = {"project": PROJECT, "token": "t", "updates_per_second": 1000, "calls_per_second": 1000}
        extra = {**given, "oauth_host": self.wire.url, **extra}
        return Connection("linkedin_sign_in", host=self.accounts, login=CLIENT[0], password=CLIENT[1], extra=extra)

    def system(self, connection=None, **extra):
        return connect_erasing(connection or self.connection(**extra), replace(means_at(self.clock)))


@pytest.fixture
def both(quick):
    clock, faults = Clock(), Faults()
    firebase = IdentityToolkitSandbox(faults, Journal(), clock, PROJECT)
    linkedin = LinkedInSandbox(faults, Journal(), clock)
    with recorded(firebase.app) as accounts, recorded(linkedin.app) as wire:
        yield Both(firebase, linkedin, clock, faults, wire, accounts.url)
