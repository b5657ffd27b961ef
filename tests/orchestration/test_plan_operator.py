"""The planning task, on a real ledger and store; only Airflow's supervisor, which keeps the question, is absent."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.standard.operators import hitl
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError, TaskAwaitingInput

from include.errors import Refused, Unavailable
from include.ledger.entry import Kind
from include.ledger.log import Ledger
from include.orchestration.decision import APPROVE, DECLINE, DIGEST_SHOWN, REASON, reason_field
from include.orchestration.plan_operator import PlanRule
from tests.orchestration.conftest import PSEUDONYMS, MakeContext

RULE = "A1"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the task would have put under Required Actions."""
    question: dict[str, Any] = {}
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **given: question.update(given))
    return question


def task(rule: str = RULE) -> PlanRule:
    with DAG("retention", schedule=None):
        return PlanRule(task_id="plan", rule=rule)


def tight(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A policy under which the rule is over its budget, so that the guard asks."""
    from include.orchestration.settings import Settings

    text = Settings.read({}).policy_file.read_text()
    policy = tmp_path / "policy.yaml"
    policy.write_text(text.replace("max_records: 100000", "max_records: 1"))
    monkeypatch.setenv("PRIVACY_POLICY_FILE", str(policy))


@pytest.mark.usefixtures("deployed")
def test_a_plan_within_its_budget_passes_and_hands_over_counts_and_its_digest(
    context: MakeContext, asked: dict[str, Any], evidence: Ledger
) -> None:
    result = task().execute(context())
    plan = next(iter(evidence.entries(kinds=[Kind.PLAN]))).entry.body
    assert result == {"rule": RULE, "verdict": "pass", "due": plan["due"], "held": 0, "digest": plan["digest"]}
    assert plan["due"]
    assert asked == {}


@pytest.mark.usefixtures("deployed")
def test_a_rule_that_the_form_leaves_out_is_not_planned(context: MakeContext, evidence: Ledger) -> None:
    assert task().execute(context(systems=["redis"])) == {"rule": RULE, "verdict": "not in this run"}
    assert evidence.size() == 0


@pytest.mark.usefixtures("deployed")
def test_over_its_budget_the_task_parks_with_a_question_of_counts_and_the_digest(
    context: MakeContext, asked: dict[str, Any], evidence: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    tight(monkeypatch, tmp_path)
    with pytest.raises(TaskAwaitingInput) as parked:
        task().execute(context())
    plan = next(iter(evidence.entries(kinds=[Kind.PLAN]))).entry.body
    assert parked.value.method_name == "execute_complete"
    assert asked["options"] == [option(str(plan["digest"])), DECLINE]
    assert asked["defaults"] is None, "nobody's silence is a consent"
    assert f"{plan['due']} records wait for a decision" in asked["subject"]
    assert f"`{plan['digest']}`" in asked["body"]
    assert "the budget of the rule is 1" in asked["body"]
    assert "@" not in asked["subject"] + asked["body"]
    assert set(asked["params"]) == {"reason"}


@pytest.mark.usefixtures("deployed")
def test_a_dry_run_never_asks(
    context: MakeContext, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    tight(monkeypatch, tmp_path)
    assert task().execute(context(dry_run=True))["verdict"] == "ask"
    assert asked == {}


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("said", ["approved", "declined"])
def test_the_answer_is_bound_to_the_plan_and_to_a_pseudonym_of_who_gave_it(
    context: MakeContext, evidence: Ledger, said: str
) -> None:
    planned = task().execute(context())
    answer = answered(option(planned["digest"]) if said == "approved" else DECLINE, "DPO-12: first night")
    assert task().execute_complete(context(), answer) == {"rule": RULE, "verdict": said, "digest": planned["digest"]}
    body = next(iter(evidence.entries(kinds=[Kind.DECISION]))).entry.body
    assert body == {
        "digest": planned["digest"],
        "choice": said,
        "by": PSEUDONYMS.staff("jane"),
        "reason": "DPO-12: first night",
    }
    assert body["by"].startswith("staff_")  # type: ignore[union-attr]


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("reason", [None, "", "no", "jane@leak.test asked", "x" * 81, 7])
def test_without_a_usable_reason_the_question_is_asked_again(
    context: MakeContext, evidence: Ledger, reason: object
) -> None:
    planned = task().execute(context())
    with pytest.raises(Unavailable, match="the question is asked again") as refused:
        task().execute_complete(context(), answered(option(planned["digest"]), reason))
    assert "jane" not in str(refused.value)
    assert not list(evidence.entries(kinds=[Kind.DECISION]))


@pytest.mark.usefixtures("deployed")
def test_an_approval_of_another_plan_than_the_newest_is_no_approval(context: MakeContext, evidence: Ledger) -> None:
    task().execute(context())
    with pytest.raises(Unavailable, match="There is a newer plan: it is asked about anew"):
        task().execute_complete(context(), answered(option("f00d" * 16), "DPO-12"))
    assert not list(evidence.entries(kinds=[Kind.DECISION]))


@pytest.mark.usefixtures("deployed")
def test_a_field_that_the_form_does_not_have_fails_the_task_without_a_word_of_it(context: MakeContext) -> None:
    given = context()
    given["dag_run"].conf = {"email": "jane@leak.test"}
    with pytest.raises(Refused) as refused:
        task().execute(given)
    assert "jane" not in str(refused.value)


@pytest.mark.usefixtures("deployed")
def test_an_unknown_rule_is_refused_by_name(context: MakeContext) -> None:
    with pytest.raises(Refused, match="find the rule no-such-rule"):
        task("no-such-rule").execute(context())


def test_the_form_accepts_what_the_task_accepts() -> None:
    field = reason_field().get_param("reason")
    for reason in ("DPO-12", "Checked with legal, see ticket #4711"):
        assert REASON.fullmatch(reason)
        field.resolve(reason)
    for reason in ("no", "jane@leak.test", "x" * 81, " leading"):
        assert not REASON.fullmatch(reason)
        with pytest.raises(ParamValidationError):
            field.resolve(reason)


def option(digest: str) -> str:
    """The option that approves the plan of this digest."""
    return APPROVE + digest[:DIGEST_SHOWN]


def answered(choice: str, reason: object) -> dict[str, Any]:
    """The event with which Airflow resumes the task."""
    return {
        "chosen_options": [choice],
        "params_input": {} if reason is None else {"reason": reason},
        "responded_by_user": {"id": "jane", "name": "Jane"},
        "timedout": False,
    }
