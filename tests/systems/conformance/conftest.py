"""Every test of this folder runs once for each system of the registry, against its service on loopback."""

import pytest

from include.systems import registry
from tests.systems.conformance.cases import CASES
from tests.systems.conformance.company import Company
from tests.systems.conformance.means import Clock


@pytest.fixture(scope="session", params=sorted(registry.ERASING))
def built(request, company_sandbox):
    if request.param not in CASES:
        pytest.fail(f"{request.param} erases persons and has no case in tests/systems/conformance/cases.py")
    return CASES[request.param](company_sandbox)


@pytest.fixture
def case(built, quick, monkeypatch):
    built.hurry(monkeypatch)
    built.reset()
    yield built
    built.reset()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def company(case, clock):
    """The system under test, filled with people of whom some are hard to tell apart."""
    with Company(case, clock) as company:
        yield company
