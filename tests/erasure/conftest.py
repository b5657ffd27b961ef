"""A desk on a real ledger and vault; all systems of the policy's stages on a seeded sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.erasure.answer import OpenMailer
from include.erasure.desk import Desk
from include.ledger.log import Ledger
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.subjects.vault import Vault
from tests.erasure import kit
from tests.erasure.office import Office
from tests.erasure.passing import Time


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


@pytest.fixture
def office(
    desk: Desk, systems: kit.Systems, sandbox: Sandbox, estate: Estate, open_mailer: OpenMailer, time: Time
) -> Office:
    """A small company; a test that needs another one has its own ``estate``."""
    return Office(desk, systems, sandbox, estate, open_mailer, time)
