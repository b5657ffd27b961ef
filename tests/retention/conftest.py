"""A seeded company and a desk."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include.ledger.log import Ledger
from include.retention.desk import Desk
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from tests.retention.kit import AS_OF, desk_on, estate


@pytest.fixture
def small(company_sandbox: Sandbox) -> Estate:
    """Sixty people, freshly seeded."""
    company_sandbox.company.faults.clear()
    company_sandbox.company.seed(found := estate())
    return found


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    """A desk in trial mode, two hours into the night."""
    ledger.clock.now = AS_OF + timedelta(hours=2)  # type: ignore[attr-defined]
    return desk_on(ledger)
