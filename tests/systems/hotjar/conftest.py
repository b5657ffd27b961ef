"""Hotjar on loopback and its client."""

import pytest

from include.sandbox import hotjar
from include.systems.hotjar import connect_erasing
from tests.systems.conformance.means import Clock, means_at
from tests.systems.wire import running


@pytest.fixture(scope="module")
def served():
    with running("hotjar", hotjar.SERVICE) as wire:
        yield wire


@pytest.fixture
def wire(served, quick):
    defaults = hotjar.Settings()
    for name in ("survey_export", "token_seconds", "calls_per_minute"):
        setattr(served.twin.settings, name, getattr(defaults, name))
    served.twin.settings.delete_seconds = 0
    return served.fresh()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def system(wire, clock):
    system = connect_erasing(wire.connection(), means_at(clock))
    yield system
    system.close()
