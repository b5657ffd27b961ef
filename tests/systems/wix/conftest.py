"""A site of Wix on loopback and its two clients."""

import pytest

from include.sandbox import wix
from include.systems.wix import connect, connect_erasing
from tests.systems.conformance.means import Clock, means_at
from tests.systems.wire import running


@pytest.fixture(scope="module")
def served():
    with running("wix", wix.SERVICE) as wire:
        yield wire


@pytest.fixture
def wire(served, quick):
    defaults = wix.Settings()
    for name in ("rights", "job_polls", "shown_after_deletion", "calls_per_minute"):
        setattr(served.twin.settings, name, getattr(defaults, name))
    return served.fresh()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def system(wire, clock):
    system = connect_erasing(wire.connection(), means_at(clock))
    yield system
    system.close()


@pytest.fixture
def retention(wire):
    system = connect(wire.connection())
    yield system
    system.close()
