"""The tasks of a person's request, on a real ledger, vault and sandbox; only Airflow's supervisor is absent."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskAwaitingInput

from include.erasure.desk import Desk
from include.erasure.status import Outcome, Stage
from include.errors import Refused, Unavailable
from include.orchestration import erasing
from include.orchestration.decision import APPROVE, DECLINE, DIGEST_SHOWN
from include.orchestration.request_operators import STOP
from include.policy.persons import IdentifierKind
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from tests.erasure import kit
from tests.orchestration.conftest import NIGHT, PSEUDONYMS
from tests.orchestration.runs import SYSTEMS, Run, answered, push


@pytest.fixture
def desk(erasure_desk: Desk) -> Desk:
    return erasure_desk


def test_a_request_goes_through_its_tasks_to_the_last_outcome(
    desk: Desk, estate: Estate, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], company_sandbox: Sandbox
) -> None:
    person = estate.people[3]
    ref = kit.open_request(desk, kit.email(person.email))
    run = Run(monkeypatch, ref)
    assert run.identify().execute(run.context) == {"requests": 1, "several_match": 0, "joined": 0}
    run.find_everywhere()
    with pytest.raises(TaskAwaitingInput):
        run.plan().execute(run.context)
    assert person.email not in json.dumps(asked, default=str)
    assert person.uid not in json.dumps(asked, default=str)
    assert asked["defaults"] is None, "nobody's silence is a consent"
    option = asked["options"][0]
    assert option.startswith(APPROVE)
    assert len(option) == len(APPROVE) + DIGEST_SHOWN
    assert all(kit.POLICY.systems[key].name in asked["body"] for key in SYSTEMS)
    assert run.plan().execute_complete(run.context, answered(option)) == {"decided": 1, "approved": True}
    assert kit.status(desk, ref).decided_by == PSEUDONYMS.staff("jane")
    assert erasing.hand_over.function() == {"approved": 1}
    push()
    status = kit.status(desk, ref)
    assert {row.system for row in status.rows} == set(SYSTEMS)
    assert not [row for row in status.rows if row.outcome in (Outcome.TO_DO, Outcome.UNDER_WAY, Outcome.FAILED)]
    assert erasing.close_push.function() == {status.stage.value: 1}
    assert len(company_sandbox.company.records("sendgrid", "sent")) == 1


def test_a_plan_is_not_made_while_a_system_was_not_searched(
    desk: Desk, estate: Estate, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    run = Run(monkeypatch, kit.open_request(desk, kit.email(estate.people[3].email)))
    run.identify().execute(run.context)
    for key in SYSTEMS[1:]:
        erasing.find_in.function(key)
    with pytest.raises(Refused, match=f"clear the find tasks of: {SYSTEMS[0]}"):
        run.plan().execute(run.context)
    assert asked == {}


def test_nothing_found_is_closed_and_nobody_is_asked_or_written_to(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], company_sandbox: Sandbox
) -> None:
    ref = kit.open_request(desk, kit.email("nobody.here@stranger.test"))
    run = Run(monkeypatch, ref)
    run.identify().execute(run.context)
    run.find_everywhere()
    assert run.plan().execute(run.context)["to_approve"] == 0
    with pytest.raises(AirflowSkipException):
        erasing.hand_over.function()
    status = kit.status(desk, ref)
    assert (status.stage, status.closed, status.key_destroyed) == (Stage.CLOSED, "nothing found", True)
    assert asked == {}
    assert company_sandbox.company.records("sendgrid", "sent") == []


def test_a_declined_plan_deletes_nothing_and_closes(
    desk: Desk, estate: Estate, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    ref = kit.open_request(desk, kit.email(estate.people[3].email))
    run = Run(monkeypatch, ref)
    run.identify().execute(run.context)
    run.find_everywhere()
    with pytest.raises(TaskAwaitingInput):
        run.plan().execute(run.context)
    run.plan().execute_complete(run.context, answered(DECLINE))
    with pytest.raises(AirflowSkipException):
        erasing.hand_over.function()
    assert kit.status(desk, ref).closed == "declined"
    with pytest.raises(Refused, match="No open request has this id"):
        run.identify().execute(run.context)


@pytest.mark.parametrize("reason", [None, "", "no", "jane@leak.test asked", 7])
def test_without_a_usable_reason_the_question_is_asked_again(
    desk: Desk, estate: Estate, monkeypatch: pytest.MonkeyPatch, reason: object
) -> None:
    ref = kit.open_request(desk, kit.email(estate.people[3].email))
    run = Run(monkeypatch, ref)
    with pytest.raises(Unavailable, match="the question is asked again") as refused:
        run.plan().execute_complete(run.context, answered(APPROVE + "f" * 12, reason))
    assert "jane" not in str(refused.value)


def test_several_people_are_put_to_a_human_without_an_identifier(
    desk: Desk, estate: Estate, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], company_sandbox: Sandbox
) -> None:
    one, two = estate.people[3], estate.people[4]
    change = {"past_emails": [one.email]}
    documents = dict(company_sandbox.company.firestore.documents(None))
    company_sandbox.company.firestore.seed([(f"users/{two.uid}", {**documents[f"users/{two.uid}"], **change})])
    ref = kit.open_request(desk, kit.email(one.email))
    run = Run(monkeypatch, ref)
    with pytest.raises(TaskAwaitingInput):
        run.identify().execute(run.context)
    text = json.dumps(asked, default=str)
    assert not [needle for needle in (one.email, one.uid, two.uid, two.email, one.name) if needle in text]
    assert asked["options"][0] == "Person 1"
    assert kit.status(desk, ref).stage is Stage.AMBIGUOUS
    chosen = 1 + sorted([one.uid, two.uid]).index(one.uid)
    run.identify().execute_complete(run.context, answered(f"Person {chosen}"))
    known = desk.vault.subjects([ref])[0]
    assert one.uid in known.values(IdentifierKind.USER_ID)
    assert two.uid not in known.values(IdentifierKind.USER_ID)
    run.identify().execute_complete(run.context, answered(STOP))
    assert kit.status(desk, ref).closed == "declined"


@pytest.mark.parametrize(
    "conf",
    [{"request_id": "jane@leak.test"}, {"request_id": ""}, {"request_id": "req_" + "a" * 16, "email": "x@leak.test"}],
    ids=["an address", "nothing", "an unknown field"],
)
def test_the_form_takes_an_id_and_nothing_else_and_repeats_nothing(conf: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        erasing.request_id(conf, conf)
    assert "leak" not in str(refused.value)


def test_a_second_request_of_the_same_person_under_another_address_is_joined_and_its_run_is_green(
    desk: Desk, estate: Estate, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    person = next(p for p in estate.people if estate.identities[p.uid].past_emails)
    first = kit.open_request(desk, kit.email(person.email))
    second = kit.open_request(desk, kit.email(estate.identities[person.uid].past_emails[0]))
    earlier = Run(monkeypatch, first)
    earlier.identify().execute(earlier.context)
    run = Run(monkeypatch, second)
    assert run.identify().execute(run.context)["joined"] == 1
    run.find_everywhere()
    assert run.plan().execute(run.context)["to_approve"] == 0
    with pytest.raises(AirflowSkipException):
        erasing.hand_over.function()
    assert (kit.status(desk, second).closed, kit.status(desk, first).closed) == ("joined", None)
    assert asked == {}


def test_data_that_came_back_ends_the_second_look_red_and_starts_a_push(
    desk: Desk, estate: Estate, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], company_sandbox: Sandbox
) -> None:
    person = estate.people[3]
    before = dict(company_sandbox.company.firestore.documents(None))
    ref = kit.open_request(desk, kit.email(person.email))
    with kit.connected(desk, company_sandbox.endpoints) as systems:
        kit.approve(desk, [ref], kit.plan(desk, [ref], systems))
    run = Run(monkeypatch, ref)
    push()
    restored = f"users/{person.uid}"
    company_sandbox.company.firestore.seed([(restored, before[restored])])
    run.context["data_interval_end"] = NIGHT + timedelta(days=2)
    monkeypatch.setattr("include.orchestration.desk.now", lambda: NIGHT + timedelta(days=2))
    assert erasing.recheck_in.function("firestore") == {"system": "firestore", "looked": 1, "residual": 1}
    assert erasing.alarm_residuals.function() == {"requests_with_residuals": 1}
    with pytest.raises(AirflowFailException, match="Data was found again for 1 request"):
        erasing.close_requests.function()
    push()
    assert kit.status(desk, ref).row("firestore").outcome is Outcome.VERIFIED_GONE
    with pytest.raises(AirflowSkipException):
        erasing.alarm_residuals.function()
