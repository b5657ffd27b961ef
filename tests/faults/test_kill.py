"""SIGKILL at any instant of a night over all stores, then the night again: always the same end, and never a lie."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

import pytest

from include.ledger.entry import Kind
from include.local.databases import Databases
from include.sandbox.app import Sandbox
from include.sandbox.faults import Fault, FaultKind
from tests.faults.trial import TALLY, Trial, measure, new_trial
from tests.retention import kit
from tests.retention.truth import periods

TRIALS = int(os.environ.get("PRIVACY_KILL_TRIALS", "20"))
SEED = int(os.environ.get("PRIVACY_KILL_SEED", "1"))
CALLS = {
    "A1": ("identitytoolkit", "batchDelete"),
    "A1-profile": ("firestore", "Commit"),
    "A3": ("storage", "POST /batch"),
    "C3": ("firestore", "BatchWrite"),
    "C2-search": ("elasticsearch", "_delete_by_query"),
    "U1": ("firestore", "BatchWrite"),
    "U1-search": ("elasticsearch", "_update_by_query"),
    "X2": ("storage", "POST /batch"),
    "A6-bounces": ("sendgrid", "DELETE"),
    "A7-bounces": ("mailgun", "DELETE"),
    "D1": ("wix", "bulk/contacts/delete"),
    "D1-forms": ("wix", "DELETE"),
    "M4": ("typeform", "DELETE"),
}
"""Rules whose destructive call can be made slow, and that call."""
SLOW_SECONDS = 0.3


@pytest.fixture(scope="module")
def undisturbed(
    company_sandbox: Sandbox, postgres: Databases, ledger_template: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[float, int]:
    """Seconds and intents of a night that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    measured = []
    for _ in range(2):  # The first one is slower than all that follow.
        with new_trial("kill_undisturbed", company_sandbox, postgres, ledger_template, folder) as trial:
            measured.append(measure(trial))
            trial.assert_done()
    return min(measured)


@pytest.fixture
def trial(company_sandbox: Sandbox, postgres: Databases, ledger_template: str, tmp_path: Path) -> Iterator[Trial]:
    with new_trial("kill_trial", company_sandbox, postgres, ledger_template, tmp_path) as started:
        yield started


@pytest.mark.parametrize("number", range(TRIALS))
def test_a_night_survives_being_killed(number: int, trial: Trial, undisturbed: tuple[float, int]) -> None:
    rng = Random(f"{SEED}/{number}")  # noqa: S311 - a repeatable choice is the point
    for _ in range(1 if rng.random() < 0.7 else 2):
        kill_somewhere(trial, rng, number, *undisturbed)
        trial.assert_nothing_untrue()
    trial.sandbox.company.faults.clear()
    trial.finish()
    trial.assert_done()


def kill_somewhere(trial: Trial, rng: Random, number: int, seconds: float, intents: int) -> None:
    """Kill at any instant, right after an intent, or while a store works on the call."""
    aim = ("at random", "after an intent", "at random", "during a call")[number % 4]
    process = trial.start()
    if aim == "at random":
        process.join(rng.uniform(0, seconds))
    elif aim == "after an intent":
        wanted = trial.intents() + rng.randrange(1, intents + 1)
        wait(process, lambda: trial.intents() >= wanted)
        process.join(rng.uniform(0, 0.01))
    else:
        during_the_call(process, trial, rng.choice(sorted(CALLS)), rng.uniform(0.02, SLOW_SECONDS))
    TALLY.kills[f"{aim} in time" if process.is_alive() else f"{aim} too late"] += 1
    process.kill()
    process.join()


def during_the_call(process: BaseProcess, trial: Trial, rule: str, delay: float) -> None:
    """Make the destructive call of a rule slow just before it comes, and wait until it is under way."""
    service, operation = CALLS[rule]
    before = list(periods())[list(periods()).index(rule) - 1]
    if rule != next(iter(periods())):
        wait(process, lambda: bool(kit.written(trial.desk, Kind.VERIFICATION, rule=before)))
    trial.sandbox.company.faults.add(Fault(service, FaultKind.LATENCY, operation, seconds=SLOW_SECONDS))
    written = len(kit.written(trial.desk, Kind.INTENT, rule=rule))
    wait(process, lambda: len(kit.written(trial.desk, Kind.INTENT, rule=rule)) > written)
    process.join(delay)


def wait(process: BaseProcess, reached: Callable[[], bool]) -> None:
    """Until something is in the ledger, or the process has done its work."""
    while process.is_alive() and not reached():
        process.join(0.005)
