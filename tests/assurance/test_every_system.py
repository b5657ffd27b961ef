"""A night of checks over every system of the registry, each against its twin: all can be asked, nothing leaks."""

from __future__ import annotations

import pytest

from include.assurance.checks import assure
from include.assurance.evidence import State
from include.connection import Connection
from include.ledger.log import Ledger
from include.sandbox.app import Sandbox, connections
from include.subjects.vault import Vault
from include.systems import registry
from tests.assurance.conftest import NIGHT
from tests.conftest import Clock
from tests.erasure import kit


@pytest.fixture(scope="module")
def seeded(company_sandbox: Sandbox) -> Sandbox:
    company_sandbox.company.faults.clear()
    company_sandbox.company.seed(kit.estate(people=30))
    return company_sandbox


@pytest.mark.parametrize("key", sorted(registry.ERASING))
def test_a_night_of_checks_has_an_answer_to_each_question(
    key: str, seeded: Sandbox, ledger: Ledger, vault: Vault
) -> None:
    clock = Clock()
    clock.now = kit.AS_OF
    ledger.clock = vault.clock = clock
    desk = kit.desk_on(ledger, vault, clock)
    before = {name: seeded.company.counts(name) for name in seeded.company.services}
    states = assure(desk, NIGHT, key, Connection.from_env(key, connections(seeded.endpoints)))
    notes = [str(recorded.entry.body) for recorded in ledger.entries(run=NIGHT.run)]
    assert len(states) == len(notes) >= 2
    assert not {State.BROKEN, State.NO_ANSWER, State.NOT_CONNECTED} & set(states), notes
    assert {name: seeded.company.counts(name) for name in seeded.company.services} == before
    assert vault.requests() == []
    assert not [person.uid for person in kit.estate(people=30).people if person.uid in "".join(notes)]
