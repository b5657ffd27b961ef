"""Airflow's scheduler is killed in the middle of a push and another one takes over: the same end, and one mail."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
import requests

from include.erasure.status import OPEN
from include.local.processes import free_port
from include.local.stack import Size, Stack, running
from include.sandbox.estate import Estate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SIZE = Size(people=60, workspaces=6, seed=1)
SECONDS = 600
UNSETTLED = {outcome.value for outcome in OPEN}
T = TypeVar("T")


def test_a_scheduler_killed_during_a_push_changes_nothing_of_the_end(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVACY_UI_PORT", str(free_port()))
    folder = tmp_path_factory.mktemp("stack")
    with running(folder, SIZE, lambda text: None) as stack:
        midnight = datetime.now(tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        person = Estate(midnight, SIZE.people, SIZE.workspaces, SIZE.seed).people[3]
        opened = stack.rest.call("POST", "/privacy/api/requests", {"type": "erasure", "email": person.email})
        ref = str(opened["request_id"])
        approve(stack, f"request__{ref}__1")
        until(lambda: outcomes(stack, ref) - UNSETTLED, "first outcome")
        (scheduler,) = schedulers(folder)
        scheduler.kill()
        with another_scheduler(stack):
            until(lambda: not UNSETTLED & outcomes(stack, ref), "last outcome")
        sent = [*inspect(stack, "sendgrid", "sent"), *inspect(stack, "mailgun", "sent")]
        roots = [*everything(stack, "firestore"), *everything(stack, "identitytoolkit")]
    assert len(sent) == 1
    assert not [record for record in roots if person.uid in record]


def approve(stack: Stack, run: str) -> None:
    """A human's yes, once it is asked for."""
    where = f"/api/v2/dags/subject_request/dagRuns/{run}"
    question = until(lambda: listed(stack, f"{where}/hitlDetails?response_received=false", "hitl_details"), "question")
    time.sleep(2)  # an answer within a second of the question makes the task fail in Airflow 3.3
    answer = {"chosen_options": [question[0]["options"][0]], "params_input": {"reason": "DPO-1"}}
    stack.rest.call("PATCH", f"{where}/taskInstances/plan/-1/hitlDetails", answer)


def outcomes(stack: Stack, ref: str) -> set[str]:
    """What is true in the systems of the policy."""
    rows = listed(stack, f"/privacy/api/requests/{ref}", "systems")
    return {str(row["outcome"]) for row in rows}


def schedulers(folder: Path) -> list[psutil.Process]:
    """The scheduler's own process of a stack; its workers are its children."""
    sessions = {int(place.name) for place in (folder / "sessions").iterdir()}
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or ())
        if "scheduler" in command and "airflow" in command and session(process.pid) in sessions:
            found.append(process)
    return [process for process in found if process.parent() not in found]


def session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return -1


@contextmanager
def another_scheduler(stack: Stack) -> Iterator[None]:
    """What a supervisor of processes does: start it again."""
    program = str(Path(sys.executable).parent / "airflow")
    with (stack.logs / "second-scheduler.log").open("w") as log:
        process = subprocess.Popen([program, "scheduler"], env=stack.environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def everything(stack: Stack, service: str) -> list[str]:
    counts = requests.get(f"{stack.endpoints['admin']}/inspect", {"service": service}, timeout=60).json()["counts"]
    return [str(record) for collection in counts for record in inspect(stack, service, collection)]


def inspect(stack: Stack, service: str, collection: str) -> list[dict[str, Any]]:
    wanted = {"service": service, "collection": collection, "full": "true"}
    return list(requests.get(f"{stack.endpoints['admin']}/inspect", wanted, timeout=60).json()["records"])


def listed(stack: Stack, path: str, member: str) -> list[Any]:
    found = stack.rest.call("GET", path)[member]
    return found if isinstance(found, list) else []


def until(look: Callable[[], T], what: str) -> T:
    deadline = time.monotonic() + SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, f"no {what}"
        time.sleep(0.2)
    return found
