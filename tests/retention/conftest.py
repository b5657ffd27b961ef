"""A seeded company."""

from __future__ import annotations

import pytest

from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from tests.retention.kit import estate


@pytest.fixture
def small(company_sandbox: Sandbox) -> Estate:
    """Sixty people, freshly seeded."""
    company_sandbox.company.faults.clear()
    company_sandbox.company.seed(found := estate())
    return found
