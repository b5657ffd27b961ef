"""SIGKILL anywhere between the approval and the last outcome, then the push again: the same end, and never a lie."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from random import Random

import pytest

from include.ledger.entry import Kind
from include.local.databases import Databases
from include.sandbox.app import Sandbox
from include.sandbox.faults import Fault, FaultKind
from tests.faults.erasing.trial import TALLY, Trial, new_trial

TRIALS = int(os.environ.get("PRIVACY_KILL_TRIALS", "20"))
SEED = int(os.environ.get("PRIVACY_KILL_SEED", "1"))
CALLS = {
    "zapier": ("zapier", "GET"),
    "autopilot": ("autopilot", "DELETE"),
    "ortto": ("ortto", "DELETE"),
    "onesignal": ("onesignal", "DELETE"),
    "elasticsearch": ("elasticsearch", "_delete_by_query"),
    "cloud_storage": ("storage", "POST /batch"),
    "google_analytics": ("google_analytics", "submitUserDeletion"),
    "google_sign_in": ("identitytoolkit", "accounts:update"),
    "google_workspace": ("google_workspace", "revoke"),
    "linkedin_sign_in": ("linkedin_sign_in", "revoke"),
    "hotjar": ("hotjar", "GET"),
    "loggly": ("loggly", "GET"),
    "microsoft_graph": ("microsoft_graph", "$batch"),
    "tawk_to": ("tawk_to", "POST"),
    "typeform": ("typeform", "DELETE"),
    "wix": ("wix", "DELETE"),
    "sendgrid": ("sendgrid", "erasejob"),
    "mailgun": ("mailgun", "DELETE"),
    "firestore": ("firestore", "BatchWrite"),
    "firebase_auth": ("identitytoolkit", "batchDelete"),
}
"""A call of each system that can be made slow after its intent."""
SLOW_SECONDS = 0.3
AIMS = ("at random", "after an intent", "during a call", "during the mail", "vendor at random", "vendor in the mail")


@pytest.fixture(scope="module")
def undisturbed(
    company_sandbox: Sandbox, postgres: Databases, ledger_template: str, vault_template: str
) -> tuple[float, int]:
    """Seconds and intents of a push that nobody disturbs."""
    measured = []
    for _ in range(2):  # The first one is slower than all that follow.
        with new_trial(company_sandbox, postgres, ledger_template, vault_template) as trial:
            begin = time.monotonic()
            trial.finish()
            measured.append((time.monotonic() - begin, trial.written(Kind.INTENT)))
            trial.assert_done()
    return min(measured)


@pytest.mark.parametrize("number", range(TRIALS))
def test_a_push_survives_being_killed(number: int, trial: Trial, undisturbed: tuple[float, int]) -> None:
    rng = Random(f"{SEED}/{number}")  # noqa: S311 - a repeatable choice is the point
    aim = AIMS[number % len(AIMS)]
    if aim.startswith("vendor"):
        kill_the_vendor(trial, rng, aim, undisturbed[0])
    else:
        for _ in range(1 if rng.random() < 0.7 else 2):
            kill_the_process(trial, rng, aim, *undisturbed)
            trial.assert_nothing_untrue()
    trial.sandbox.company.faults.clear()
    trial.finish()
    trial.assert_done()


def kill_the_process(trial: Trial, rng: Random, aim: str, seconds: float, intents: int) -> None:
    """Kill it at any instant, right after an intent, or while a vendor works on a call."""
    process = trial.start()
    if aim == "at random":
        process.join(rng.uniform(0, seconds))
    elif aim == "after an intent":
        wanted = trial.written(Kind.INTENT) + rng.randrange(1, intents + 1)
        wait(process, lambda: trial.written(Kind.INTENT) >= wanted)
        process.join(rng.uniform(0, 0.01))
    elif aim == "during a call":
        during_a_call(process, trial, rng.choice(sorted(CALLS)), rng.uniform(0.02, SLOW_SECONDS))
    else:
        slow_mail(trial, rng)
        before = trial.written(Kind.NOTICE_INTENT)
        wait(process, lambda: trial.written(Kind.NOTICE_INTENT) > before)
        process.join(rng.uniform(0, SLOW_SECONDS * 1.5))
    TALLY.kills[f"{aim} in time" if process.is_alive() else f"{aim} too late"] += 1
    process.kill()
    process.join()
    TALLY.open_mails += sum(status.notice_open is not None for status in trial.statuses().values())


def kill_the_vendor(trial: Trial, rng: Random, aim: str, seconds: float) -> None:
    """Kill the vendors' front end up to four times while the process works, each time after a while up again."""
    trial.proxy.start()
    process = trial.start(through_proxy=True)
    if aim == "vendor in the mail":
        slow_mail(trial, rng)
        wait(process, lambda: trial.written(Kind.NOTICE_INTENT) > 0)
        process.join(rng.uniform(0, SLOW_SECONDS * 1.5))
    for _ in range(rng.randrange(1, 5)):
        process.join(0 if aim == "vendor in the mail" else rng.uniform(0, seconds / 2))
        TALLY.kills[f"{aim} in time" if process.is_alive() else f"{aim} too late"] += 1
        trial.proxy.kill()
        trial.assert_nothing_untrue()
        trial.proxy.start()
    process.join(120)
    assert process.exitcode == 0


def during_a_call(process: BaseProcess, trial: Trial, system: str, delay: float) -> None:
    """Make calls of a system slow right after its intent, and wait until one is under way."""
    service, operation = CALLS[system]
    trial.sandbox.company.faults.add(Fault(service, FaultKind.LATENCY, operation, seconds=SLOW_SECONDS, times=50))

    def intents() -> Iterator[str | None]:
        return (r.entry.system for r in trial.desk.ledger.entries(kinds=[Kind.INTENT]))

    before = list(intents()).count(system)
    wait(process, lambda: list(intents()).count(system) > before)
    process.join(delay)


def slow_mail(trial: Trial, rng: Random) -> None:
    """The first sender is slow, or refuses, so that the second one is slow."""
    faults = trial.sandbox.company.faults
    if rng.random() < 0.3:
        faults.add(Fault("sendgrid", FaultKind.STATUS, "mail/send", status=503, times=2))
    faults.add(Fault("sendgrid", FaultKind.LATENCY, "mail/send", seconds=SLOW_SECONDS, times=20))
    faults.add(Fault("mailgun", FaultKind.LATENCY, "messages", seconds=SLOW_SECONDS, times=20))


def wait(process: BaseProcess, reached: Callable[[], bool]) -> None:
    """Until something is in the ledger, or the process has done its work."""
    while process.is_alive() and not reached():
        process.join(0.005)
