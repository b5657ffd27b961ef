"""SIGKILL at any instant of a night over all stores, then the night again: always the same end, and never a lie."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from include.local.databases import Databases
from include.sandbox.app import Sandbox
from include.sandbox.faults import Fault, FaultKind
from tests.faults.trial import Trial, measure, new_trial

TRIALS = int(os.environ.get("PRIVACY_KILL_TRIALS", "20"))
SEED = int(os.environ.get("PRIVACY_KILL_SEED", "1"))
DESTRUCTIVE = {
    "firestore": ("Commit", "BatchWrite"),
    "elasticsearch": ("_delete_by_query", "_update_by_query"),
    "storage": ("POST /batch",),
    "identitytoolkit": ("batchDelete",),
}
SLOW_SECONDS = 0.3


@pytest.fixture(scope="module")
def undisturbed(
    company_sandbox: Sandbox, postgres: Databases, ledger_template: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[float, int]:
    """Seconds and intents of a night that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with new_trial("kill_undisturbed", company_sandbox, postgres, ledger_template, folder) as trial:
        measured = measure(trial)
        trial.assert_done()
    return measured


@pytest.fixture
def trial(
    company_sandbox: Sandbox, postgres: Databases, ledger_template: str, tmp_path: Path
) -> Iterator[Trial]:
    with new_trial("kill_trial", company_sandbox, postgres, ledger_template, tmp_path) as started:
        yield started


@pytest.mark.parametrize("number", range(TRIALS))
def test_a_night_survives_being_killed(number: int, trial: Trial, undisturbed: tuple[float, int]) -> None:
    rng = Random(f"{SEED}/{number}")
    for _ in range(1 if rng.random() < 0.7 else 2):
        kill_somewhere(trial, rng, number, *undisturbed)
        trial.assert_nothing_untrue()
    trial.sandbox.company.faults.clear()
    trial.finish()
    trial.assert_done()


def kill_somewhere(trial: Trial, rng: Random, number: int, seconds: float, intents: int) -> None:
    """Kill at any instant, right after an intent, or while a store works on the call."""
    aim = ("anywhere", "anywhere", "intent", "call")[number % 4]
    if aim == "call":
        service = rng.choice(sorted(DESTRUCTIVE))
        operation = rng.choice(DESTRUCTIVE[service])
        slow = Fault(service, FaultKind.LATENCY, operation, seconds=SLOW_SECONDS, skip=rng.randrange(2), times=1)
        trial.sandbox.company.faults.add(slow)
    process = trial.start()
    if aim == "anywhere":
        process.join(rng.uniform(0, seconds))
    else:
        wanted = trial.intents() + rng.randrange(1, intents + 1)
        while process.is_alive() and trial.intents() < wanted:
            process.join(0.005)
        process.join(rng.uniform(0, SLOW_SECONDS if aim == "call" else 0.01))
    process.kill()
    process.join()
