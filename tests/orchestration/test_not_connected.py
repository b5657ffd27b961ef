"""A system of the stages without a connection: it blocks nobody, and nobody can overlook it."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException, TaskAwaitingInput

from include.erasure.answer import compose
from include.erasure.desk import Desk
from include.erasure.push import wait_for_nobody
from include.erasure.status import Outcome, Stage
from include.errors import Refused
from include.ledger.entry import Kind
from include.orchestration import erasing
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.subjects.register import Request
from tests.erasure import kit
from tests.orchestration.runs import SYSTEMS, Run, answered

GONE = "tawk_to"


@pytest.fixture
def run(erasure_desk: Desk, estate: Estate, company_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A request while there is no connection to tawk.to."""
    company_sandbox.company.journal.clear()
    monkeypatch.delenv("AIRFLOW_CONN_TAWK_TO")
    ref = kit.open_request(erasure_desk, kit.email(estate.people[3].email))
    started = Run(monkeypatch, ref)
    started.identify().execute(started.context)
    return started


@pytest.fixture
def ref(erasure_desk: Desk, run: Run) -> str:
    [request] = erasure_desk.vault.requests()
    assert isinstance(request, Request)
    return request.id


def approve(run: Run, asked: dict[str, Any]) -> str:
    """Find, plan and a yes. Returns what the person who decides has read."""
    run.find_everywhere()
    with pytest.raises(TaskAwaitingInput):
        run.plan().execute(run.context)
    run.plan().execute_complete(run.context, answered(asked["options"][0]))
    return str(asked["body"])


def push() -> list[str]:
    """One run of the push. Returns what was skipped, in Airflow's words."""
    skipped = []
    for stage in kit.POLICY.requests.stages if kit.POLICY.requests else ():
        if stage.name == "mailers":
            erasing.answer_people.function()
        for key in stage.systems:
            try:
                erasing.erase_in.function(key)
            except AirflowSkipException as skip:
                skipped.append(str(skip))
    return skipped


def test_the_request_goes_on_without_it_and_says_so_everywhere(
    run: Run, ref: str, asked: dict[str, Any], erasure_desk: Desk, company_sandbox: Sandbox
) -> None:
    assert "tawk.to (not connected)" in approve(run, asked).split("**Not looked into**")[1]
    assert kit.status(erasure_desk, ref).row(GONE).outcome is Outcome.NOT_CONNECTED
    assert push() == [f"{GONE} is not connected: {erasing._NOBODY}"]
    status = kit.status(erasure_desk, ref)
    assert {row.system for row in status.rows} == set(SYSTEMS)
    assert status.row(GONE).outcome is Outcome.NOT_CONNECTED
    assert status.stage in {Stage.WAITING, Stage.DONE}
    assert GONE not in {call["service"] for call in company_sandbox.company.journal.as_json()}
    text = compose(erasure_desk, status, "ann@example.com").text
    assert "We also work with tawk.to" in text
    assert "- tawk.to:" not in text


def test_the_nightly_look_leaves_it_out_too(run: Run, asked: dict[str, Any]) -> None:
    approve(run, asked)
    push()
    with pytest.raises(AirflowSkipException, match="not connected"):
        erasing.recheck_in.function(GONE)


def test_a_connection_that_is_taken_away_after_the_plan_is_asked_for(
    run: Run, ref: str, asked: dict[str, Any], erasure_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(run, asked)
    monkeypatch.delenv("AIRFLOW_CONN_LOGGLY")
    with pytest.raises(Refused, match="create the Airflow connection 'loggly' again"):
        erasing.erase_in.function("loggly")
    assert kit.status(erasure_desk, ref).row("loggly").outcome is Outcome.TO_DO


def test_a_system_that_entered_the_policy_after_the_plan_holds_nobody_up(
    run: Run, ref: str, asked: dict[str, Any], erasure_desk: Desk
) -> None:
    approve(run, asked)
    with pytest.raises(AirflowSkipException):
        erasing.erase_in.function(GONE)
    wait_for_nobody(erasure_desk, "brevity")
    wait_for_nobody(erasure_desk, "brevity")
    assert kit.status(erasure_desk, ref).row("brevity").outcome is Outcome.NOT_CONNECTED
    assert len(list(erasure_desk.ledger.entries(run=ref, kinds=[Kind.FOUND]))) == len(SYSTEMS) + 1


def test_who_a_person_is_must_be_known(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_FIRESTORE")
    with pytest.raises(Refused, match="find out who a person is"):
        erasing.find_in.function("firestore")
