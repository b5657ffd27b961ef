"""A desk on a real ledger and vault; all systems of the policy's stages on a seeded sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from include.erasure.answer import OpenMailer
from include.erasure.desk import Desk
from include.ledger.log import Ledger
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.subjects.vault import Vault
from tests.erasure import kit


class Time:
    """The time of desk, ledger, vault and sandbox: never the same twice and never behind the sandbox's own.

    Days pass when a test says so.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.now = kit.AS_OF + timedelta(hours=2)

    def __call__(self) -> datetime:
        self.now = max(self.now + timedelta(milliseconds=1), self._sandbox.company.clock())
        return self.now

    def go_on(self, days: float) -> datetime:
        """Let days pass for everybody."""
        self.now += timedelta(days=days)
        self._sandbox.company.clock.set(self.now)
        return self.now


@pytest.fixture
def estate() -> Estate:
    return kit.estate()


@pytest.fixture
def sandbox(company_sandbox: Sandbox, estate: Estate) -> Sandbox:
    """Seeded afresh; no faults planned."""
    company_sandbox.company.faults.clear()
    company_sandbox.company.seed(estate)
    company_sandbox.company.journal.clear()
    return company_sandbox


@pytest.fixture
def time(sandbox: Sandbox) -> Time:
    passing = Time(sandbox)
    passing.go_on(0)
    return passing


@pytest.fixture
def desk(ledger: Ledger, vault: Vault, time: Time) -> Desk:
    ledger.clock = vault.clock = time
    return kit.desk_on(ledger, vault, time)


@pytest.fixture
def systems(desk: Desk, sandbox: Sandbox) -> Iterator[kit.Systems]:
    with kit.connected(desk, sandbox.endpoints) as opened:
        yield opened


@pytest.fixture
def open_mailer(desk: Desk, sandbox: Sandbox) -> OpenMailer:
    return kit.mailers(desk, sandbox.endpoints)
