"""One erasure over all systems, from the approval to the last outcome, Airflow included.

The local stack is started in a temporary folder with a small company. A request is opened in vault and ledger as the
page does it, ``subject_request`` is triggered with its id, and the plan is approved by REST. The clock runs from
Airflow's answer to that until the evidence has an outcome in every system. Where the time went is read from Airflow's
task instances: seconds from the approval to the moment a task was queued, started and ended; mapped tasks of a step
together, from the first to the last.

    python -m benchmarks.bench_erasure_one
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psutil

from benchmarks.table import Row, show
from include.connection import Connection
from include.erasure.status import Outcome, RequestStatus, statuses
from include.ledger.connect import open_ledger
from include.ledger.log import Ledger
from include.ledger.pseudonym import Pseudonymiser
from include.local.processes import free_port
from include.local.stack import Size, Stack, running
from include.policy.persons import IdentifierKind, RequestType
from include.requests.intake import Draft
from include.requests.opening import open_requests
from include.sandbox.estate import Estate
from include.subjects.connect import open_vault
from include.subjects.identifiers import Identifier

SIZE = Size(people=300, workspaces=8, seed=7)
PERSON = 3
"""Which of the sandbox's people is erased."""
PATIENCE_SECONDS = 600
PARKED_SECONDS = 2.0
"""An answer that comes sooner after a task has parked makes Airflow 3.3.2 fail the task."""
POLL_SECONDS = 0.25
DAGS = ("subject_request", "deletion_push")
QUIET_LOOKS = 5
AT_WORK = {Outcome.TO_DO, Outcome.UNDER_WAY}

T = TypeVar("T")


def run() -> list[Row]:
    """A row for each step of the two DAGs, then one for the whole."""
    os.environ.setdefault("PRIVACY_UI_PORT", str(free_port()))
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), SIZE, _say) as stack:
        _until_idle(stack)
        with _ledger(stack) as ledger:
            ref = _open_request(stack, ledger)
            load_before = psutil.getloadavg()[0]
            approved = _approve(stack, stack.rest.trigger("subject_request", {"request_id": ref}))
            status = _until("outcome in every system", lambda: _finished(ledger, ref))
            seconds = (datetime.now(tz=UTC) - approved).total_seconds()
        outcomes = ", ".join(f"{row.system} {row.outcome.value}" for row in status.rows)
        _say(f"Load {load_before:.1f} before, {psutil.getloadavg()[0]:.1f} after; {outcomes}")
        _until_idle(stack)
        steps = [step for dag in DAGS for step in _steps(stack, dag, approved)]
    return [*steps, {"from the approval to the last outcome": f"{seconds:.1f} s", "systems": len(status.rows)}]


def _open_request(stack: Stack, ledger: Ledger) -> str:
    """One request, as the page opens it."""
    now = datetime.now(tz=UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    person = Estate(midnight, people=SIZE.people, workspaces=SIZE.workspaces, seed=SIZE.seed).people[PERSON]
    draft = Draft(RequestType.ERASURE, (Identifier(IdentifierKind.EMAIL, person.email),), now.date())
    staff = Pseudonymiser.from_connection(_connection(stack, "privacy_pseudonyms")).staff("bench")
    vault = open_vault(_connection(stack, "privacy_vault"), _connection(stack, "privacy_vault_key"), _now)
    try:
        opening = open_requests(vault, ledger, [draft], opened_by=staff, source="page", clock=_now)
    finally:
        vault.engine.dispose()
    return opening.opened[0].id


def _approve(stack: Stack, run: str) -> datetime:
    """Answer the question of the task ``plan`` once it is asked. Returns when Airflow had taken the answer."""
    where = f"/api/v2/dags/subject_request/dagRuns/{run}"

    def asked() -> list[Any] | None:
        states = stack.rest.task_states("subject_request", run)
        if "failed" in states:
            raise AssertionError(f"a task of subject_request failed: {states}")
        return _list(stack, f"{where}/hitlDetails?response_received=false", "hitl_details") or None

    (question,) = _until("plan that waits for a decision", asked)
    time.sleep(PARKED_SECONDS)
    approve, _ = question["options"]
    answer = {"chosen_options": [approve], "params_input": {"reason": "benchmark"}}
    stack.rest.call("PATCH", f"{where}/taskInstances/plan/-1/hitlDetails", answer)
    return datetime.now(tz=UTC)


def _finished(ledger: Ledger, ref: str) -> RequestStatus | None:
    (status,) = statuses(ledger.entries(runs=[ref]), at=datetime.now(tz=UTC))
    return status if status.rows and not any(row.outcome in AT_WORK for row in status.rows) else None


def _steps(stack: Stack, dag: str, zero: datetime) -> Iterator[Row]:
    """What happened after the approval in the newest run, in order."""
    instances = _list(stack, f"/api/v2/dags/{dag}/dagRuns/{stack.rest.newest_run(dag)}/taskInstances", "task_instances")
    tasks: dict[str, list[Mapping[str, Any]]] = {}
    for instance in instances:
        if instance["end_date"] and datetime.fromisoformat(instance["end_date"]) > zero:
            tasks.setdefault(instance["task_id"], []).append(instance)
    rows = []
    for task, group in tasks.items():
        times = {
            "queued": min(_after(zero, one["queued_when"]) for one in group),
            "first started": min(_after(zero, one["start_date"]) for one in group),
            "last ended": max(_after(zero, one["end_date"]) for one in group),
        }
        states = ", ".join(sorted({str(one["state"]) for one in group}))
        most = max(int(one["try_number"]) for one in group)
        rows.append({"dag": dag, "task": task, "tasks": len(group), **times, "state": states, "tries": most})
    yield from sorted(rows, key=lambda row: float(str(row["last ended"])))


def _after(zero: datetime, text: str | None) -> float:
    return round((datetime.fromisoformat(text) - zero).total_seconds(), 1) if text else 0.0


def _until_idle(stack: Stack) -> None:
    """Let the runs that the scheduler starts with the stack, and those that we started, come to their end.

    A rule of the retention may wait for a decision for ever; that costs nothing.
    """
    quiet: list[bool] = []

    def idle() -> bool | None:
        states = "&".join(f"state={state}" for state in ("scheduled", "queued", "running"))
        busy = _list(stack, f"/api/v2/dags/~/dagRuns/~/taskInstances?{states}", "task_instances")
        quiet.append(not busy)
        return True if len(quiet) > QUIET_LOOKS and all(quiet[-QUIET_LOOKS:]) else None

    _until("Airflow without a task", idle, every=1.0)


def _until(what: str, look: Callable[[], T | None], every: float = POLL_SECONDS) -> T:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(every)
    raise AssertionError(f"no {what} within {PATIENCE_SECONDS} s")


def _list(stack: Stack, path: str, member: str) -> list[Any]:
    found = stack.rest.call("GET", path)[member]
    return found if isinstance(found, list) else []


@contextmanager
def _ledger(stack: Stack) -> Iterator[Ledger]:
    ledger = open_ledger(_connection(stack, "privacy_ledger"), _now)
    try:
        yield ledger
    finally:
        ledger.engine.dispose()


def _connection(stack: Stack, key: str) -> Connection:
    return Connection.from_env(key, stack.environment)


def _now() -> datetime:
    return datetime.now(tz=UTC)


def _say(text: str) -> None:
    print(f"[{_now():%H:%M:%S}] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    show(run())
