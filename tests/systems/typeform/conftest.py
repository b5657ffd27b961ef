"""Typeform on loopback and its two clients."""

import pytest

from include.sandbox import typeform
from include.systems.typeform import connect, connect_erasing
from tests.systems.conformance.means import Clock, means_at
from tests.systems.wire import running


@pytest.fixture(scope="module")
def served():
    with running("typeform", typeform.SERVICE) as wire:
        yield wire


@pytest.fixture
def wire(served, quick):
    served.twin.settings.scopes = typeform.Settings().scopes
    served.twin.settings.shown_after_deletion = 1
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
