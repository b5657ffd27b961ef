"""A system with rules and without a connection: the night ends green, and nobody can overlook the gap."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowSkipException
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from include.errors import Refused
from include.ledger.entry import Kind
from include.ledger.log import Ledger
from include.ledger.note import Signer
from include.orchestration import expunge, retention
from include.orchestration.closing import close
from include.orchestration.desk import open_desk
from include.orchestration.plan_operator import PlanRule
from include.orchestration.retention import request_of, sweep_rule
from include.retention.run import chosen_rules, open_run, run_statuses
from include.retention.status import State
from tests.orchestration.conftest import NIGHT, MakeContext

SYSTEM, RULE = "redis", "A4"
CONNECTION = "AIRFLOW_CONN_REDIS"


@pytest.fixture
def run(deployed: None, context: MakeContext, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]) -> dict[str, Any]:
    """A run for one rule, opened while there is no connection to its system."""
    monkeypatch.delenv(CONNECTION)
    given: dict[str, Any] = context(rules=[RULE])
    monkeypatch.setattr(retention, "get_current_context", lambda: given)
    monkeypatch.setattr(expunge, "get_current_context", lambda: given)
    night = request_of(given).night
    monkeypatch.setattr("include.retention.run._check_clock", lambda *_: None)
    with open_desk() as desk:
        open_run(desk, night, chosen_rules(desk, [RULE], []))
    return given


def plan(run: dict[str, Any]) -> Any:
    with DAG("retention", schedule=None):
        return PlanRule(task_id="plan", rule=RULE).execute(run)  # type: ignore[arg-type]


def state(run: dict[str, Any]) -> State:
    with open_desk() as desk:
        (status,) = run_statuses(desk, request_of(run).night.run, at=NIGHT)
    return status.state


def test_its_tasks_are_skipped_and_say_why(run: dict[str, Any], evidence: Ledger) -> None:
    for _ in range(2):
        with pytest.raises(AirflowSkipException, match=r"^redis is not connected: its rules are not applied"):
            plan(run)
    with pytest.raises(AirflowSkipException, match=r"^redis was not connected"):
        sweep_rule.function(RULE)
    with pytest.raises(AirflowSkipException, match=r"^redis is not connected"):
        expunge.expunge_system.function(SYSTEM)
    assert state(run) is State.NOT_CONNECTED
    (written,) = evidence.entries(kinds=[Kind.ACCESS])
    assert (written.entry.rule, written.entry.system) == (RULE, SYSTEM)


@pytest.mark.parametrize("later", [False, True])
def test_the_night_is_not_red_and_not_proved_even_if_it_is_connected_before_the_end(
    run: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, later: bool
) -> None:
    with pytest.raises(AirflowSkipException):
        plan(run)
    if later:
        monkeypatch.setenv(CONNECTION, json.dumps({"conn_type": "redis", "host": "127.0.0.1"}))
    signer = Signer("ledger.example/evidence", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    night = request_of(run).night
    with open_desk() as desk:
        closed = close(desk, night, str(tmp_path), signer)
    assert closed.unfinished == ()
    assert closed.sentence.startswith("Nothing was looked at; 1 rule not applied, as nothing is connected.")
    report = json.loads(next(tmp_path.glob(f"*{night.run}.json")).read_text())
    assert report["verdict"] == "needs attention"
    (gap,) = [one for one in report["uncovered"] if one["system"] == SYSTEM]
    assert (gap["blocks"], gap["why"]) == (True, "has rules, and no connection")
    assert [row["state"] for row in report["rules"]] == ["not connected"]


def test_once_it_is_connected_the_plan_task_is_cleared_and_the_rule_applied(
    run: dict[str, Any], company_connections: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AirflowSkipException):
        plan(run)
    monkeypatch.setenv(CONNECTION, company_connections[CONNECTION])
    assert plan(run)["verdict"] == "pass"
    assert sweep_rule.function(RULE)["state"] in {State.VERIFIED_GONE, State.ABSENT}


def test_a_connection_that_is_taken_away_after_the_plan_is_asked_for(
    run: dict[str, Any], company_connections: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONNECTION, company_connections[CONNECTION])
    plan(run)
    monkeypatch.delenv(CONNECTION)
    with pytest.raises(Refused, match="Create the Airflow connection 'redis'"):
        sweep_rule.function(RULE)
    with pytest.raises(Refused, match="create the Airflow connection 'redis' again"):
        plan(run)
    assert state(run) is State.PLANNED


def test_a_connection_that_is_wrong_is_no_gap(run: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONNECTION, json.dumps({"conn_type": "redis", "extra": {"tls": "perhaps"}}))
    with pytest.raises(Refused):
        plan(run)
    assert state(run) is State.UNCOUNTED
