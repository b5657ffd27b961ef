"""Planning: counting without touching anything, and what the guard is told about the nights before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from include.ledger.entry import Kind
from include.retention.desk import Desk, Night
from include.retention.guard import LONGEST_GAP, Verdict
from include.retention.plan import Plan
from include.retention.planning import draft
from include.retention.status import State
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from tests.retention import kit
from tests.retention.truth import Truth, look

RULE = "C3"
LATER = kit.AS_OF + LONGEST_GAP + timedelta(days=1)


def codes(desk: Desk, run: Night, stores: kit.Stores) -> set[str]:
    rule = desk.rule(RULE)
    return {breach.code for breach in draft(desk, run, rule, stores["firestore"]).judgement.breaches}


def test_a_plan_counts_what_the_policy_says_and_touches_nothing(
    desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
) -> None:
    before = look(company_sandbox)
    truth = Truth(small)
    for rule in desk.policy.rules:
        planned = kit.plan(desk, kit.night(), rule.id, stores).plan
        assert (planned.due, planned.held) == (truth.rules[rule.id].due, 0), rule.id
        assert planned.cutoff == rule.period.cutoff(kit.AS_OF).isoformat().replace("+00:00", "Z")
    assert look(company_sandbox) == before


def test_a_plan_is_written_with_the_verdict_and_the_stores_own_settings(
    desk: Desk, small: Estate, stores: kit.Stores
) -> None:
    planned = kit.plan(desk, kit.night(), RULE, stores)
    entries = list(desk.ledger.entries(rule=RULE))
    assert [recorded.entry.kind for recorded in entries] == [Kind.PLAN, Kind.GUARD, Kind.DRIFT]
    assert Plan.from_body(entries[0].entry.body) == planned.plan
    assert entries[0].entry.body["digest"] == entries[1].entry.body["digest"] == planned.plan.digest
    assert entries[2].entry.body["settings"]


def test_a_draft_writes_nothing(desk: Desk, small: Estate, stores: kit.Stores) -> None:
    draft(desk, kit.night(), desk.rule(RULE), stores["firestore"])
    assert desk.ledger.size() == 0


def test_people_on_hold_are_counted_as_held(desk: Desk, small: Estate, stores: kit.Stores) -> None:
    contact = min(Truth(small).rules[RULE].goes).split("/")[3]
    kit.hold(desk, contact)
    planned = kit.plan(desk, kit.night(), RULE, stores).plan
    fate = Truth(small, [contact]).rules[RULE]
    assert (planned.due, planned.held, planned.to_do) == (fate.due, len(fate.held), len(fate.goes))
    assert planned.whole_hold is None


@pytest.mark.parametrize("scope", [{"rule": RULE}, {"system": "firestore"}])
def test_under_a_hold_on_the_whole_there_is_nothing_to_do(
    scope: dict[str, str], desk: Desk, small: Estate, stores: kit.Stores
) -> None:
    hold = kit.hold(desk, **scope)
    planned = kit.plan(desk, kit.night(), RULE, stores)
    assert (planned.plan.to_do, planned.plan.held) == (0, planned.plan.due)
    assert planned.plan.whole_hold == hold.id
    assert planned.judgement.verdict is Verdict.PASS


def test_a_dry_run_counts_only(desk: Desk, small: Estate, stores: kit.Stores) -> None:
    dry = kit.night(dry_run=True)
    for status in kit.whole_night(desk, dry, stores):
        assert (status.state, status.verified, status.gone) == (State.COUNTED, False, 0)
    assert not kit.written(desk, Kind.INTENT, Kind.VERIFICATION)


class TestHistory:
    """Only nights that were carried out count as usual; looking twice at a strange plan does not make it usual."""

    @pytest.fixture(autouse=True)
    def _clock(self, desk: Desk, small: Estate) -> None:
        desk.ledger.clock.now = LATER + timedelta(days=30)  # type: ignore[attr-defined]

    def test_a_first_night_has_none(self, desk: Desk, stores: kit.Stores) -> None:
        assert "clock" not in codes(desk, kit.night(), stores)

    def test_a_date_far_after_the_last_night_is_asked_about_each_time_it_is_planned(
        self, desk: Desk, stores: kit.Stores
    ) -> None:
        kit.plan_and_allow(desk, kit.night(), RULE, stores)
        kit.carry_out(desk, kit.night(), RULE, stores)
        jumped = kit.night(2, as_of=LATER)
        assert "clock" in {breach.code for breach in kit.plan(desk, jumped, RULE, stores).judgement.breaches}
        assert "clock" in {breach.code for breach in kit.plan(desk, jumped, RULE, stores).judgement.breaches}
        assert "clock" in codes(desk, kit.night(3, as_of=LATER + timedelta(days=1)), stores)

    def test_a_night_is_no_history_of_itself(
        self, desk: Desk, company_sandbox: Sandbox, small: Estate, stores: kit.Stores
    ) -> None:
        for number, as_of in enumerate((kit.AS_OF, LATER)):
            kit.plan_and_allow(desk, kit.night(number, as_of=as_of), RULE, stores)
            kit.carry_out(desk, kit.night(number, as_of=as_of), RULE, stores)
        company_sandbox.company.seed(small)
        assert "clock" in codes(desk, kit.night(3, as_of=LATER), stores)
        assert "clock" not in codes(desk, kit.night(3, as_of=LATER + timedelta(days=1)), stores)

    def test_a_dry_run_is_no_history(self, desk: Desk, stores: kit.Stores) -> None:
        kit.plan_and_allow(desk, kit.night(), RULE, stores)
        kit.carry_out(desk, kit.night(), RULE, stores)
        kit.plan(desk, kit.night(2, as_of=LATER - timedelta(days=5), dry_run=True), RULE, stores)
        assert "clock" in codes(desk, kit.night(3, as_of=LATER), stores)

    def test_an_unusual_number_stays_unusual_however_often_it_is_declined(
        self, desk: Desk, company_sandbox: Sandbox, small: Estate, stores: kit.Stores
    ) -> None:
        desk = replace(desk, policy=without_a_limit_of_size(desk))
        company_sandbox.company.seed(kit.estate(0))
        for day in range(4):
            run = kit.night(day, as_of=kit.AS_OF + timedelta(days=day))
            kit.plan_and_allow(desk, run, RULE, stores)
            kit.carry_out(desk, run, RULE, stores)
        company_sandbox.company.seed(small)
        for day in range(5, 20):
            run = kit.night(day, as_of=kit.AS_OF + timedelta(days=day))
            planned = kit.plan(desk, run, RULE, stores)
            assert planned.plan.to_do > 100
            assert [breach.code for breach in planned.judgement.breaches] == ["baseline"]
            kit.decide(desk, run, planned, approved=False)

    def test_after_it_was_allowed_a_few_times_it_is_usual(
        self, desk: Desk, company_sandbox: Sandbox, small: Estate, stores: kit.Stores
    ) -> None:
        desk = replace(desk, policy=without_a_limit_of_size(desk))
        for day in range(4):
            company_sandbox.company.seed(small)
            run = kit.night(day, as_of=kit.AS_OF + timedelta(days=day))
            assert kit.plan(desk, run, RULE, stores).judgement.verdict is Verdict.PASS
            kit.carry_out(desk, run, RULE, stores)


def without_a_limit_of_size(desk: Desk) -> kit.Policy:
    rules = tuple(
        rule.model_copy(update={"budget": rule.budget.model_copy(update={"max_share_percent": 100})})
        for rule in desk.policy.rules
    )
    return kit.Policy.model_construct(**{**dict(desk.policy), "rules": rules})
