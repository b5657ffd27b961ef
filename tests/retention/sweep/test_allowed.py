"""A sweep does what was allowed, in batches, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from include.errors import Refused
from include.ledger.entry import Kind
from include.retention.desk import Desk
from include.retention.evidence import Place, guard_entry
from include.retention.guard import Breach, Judgement, Verdict
from include.retention.status import State
from include.retention.sweep import sweep
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.sandbox.faults import Fault, FaultKind
from include.systems.contract import ReadBack
from tests.retention import kit
from tests.retention.sweep.boundary import RULE, RUN, Boundary, contact_of, talks, tolerating, with_rule
from tests.retention.truth import look


def test_what_was_allowed_is_done_in_batches_each_between_its_intent_and_its_outcome(
    desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores, small_batches: int
) -> None:
    before = look(company_sandbox)
    kit.plan_and_allow(desk, RUN, RULE, stores)
    seen = kit.carry_out(desk, RUN, RULE, stores)
    assert seen == ReadBack(remaining=0, held=0)
    kinds = [recorded.entry.kind for recorded in desk.ledger.entries(rule=RULE)]
    batches = -(-len(talks(small)) // small_batches)
    assert batches > 3
    assert kinds[-2 * batches - 1 : -1] == [Kind.INTENT, Kind.OUTCOME] * batches
    assert kinds[-1] is Kind.VERIFICATION
    gone = before["firestore"].keys() - look(company_sandbox)["firestore"].keys()
    assert gone == set(talks(small))
    status = kit.status_of(desk, RUN, RULE)
    assert (status.state, status.due, status.gone, status.elsewhere) == (State.VERIFIED_GONE, len(gone), len(gone), 0)


class TestOnlyWhatWasAllowed:
    """Each refusal comes before the first deletion."""

    @pytest.fixture(autouse=True)
    def _untouched(self, small: Estate, company_sandbox: Sandbox) -> Iterator[None]:
        before = look(company_sandbox)
        yield
        assert look(company_sandbox) == before

    def test_without_a_plan(self, desk: Desk, stores: kit.Stores) -> None:
        with pytest.raises(Refused, match="no plan"):
            kit.carry_out(desk, RUN, RULE, stores)
        assert not kit.written(desk, Kind.INTENT)

    def test_with_the_plan_of_another_run(self, desk: Desk, stores: kit.Stores) -> None:
        kit.plan_and_allow(desk, kit.night(2), RULE, stores)
        with pytest.raises(Refused, match="no plan"):
            kit.carry_out(desk, RUN, RULE, stores)

    def test_with_a_plan_that_nobody_decided(self, desk: Desk, stores: kit.Stores) -> None:
        strict = replace(desk, policy=with_rule(desk.policy, RULE, budget=budget(desk, max_records=1)))
        assert kit.plan(strict, RUN, RULE, stores).judgement.verdict is Verdict.ASK
        with pytest.raises(Refused, match="not allowed"):
            kit.carry_out(strict, RUN, RULE, stores)
        assert kit.status_of(strict, RUN, RULE).state is State.WAITING

    def test_with_a_declined_plan(self, desk: Desk, stores: kit.Stores) -> None:
        kit.decide(desk, RUN, kit.plan(desk, RUN, RULE, stores), approved=False)
        with pytest.raises(Refused, match="not allowed"):
            kit.carry_out(desk, RUN, RULE, stores)
        assert kit.status_of(desk, RUN, RULE).state is State.DECLINED

    def test_with_an_approval_that_was_withdrawn(self, desk: Desk, stores: kit.Stores) -> None:
        planned = kit.plan(desk, RUN, RULE, stores)
        kit.decide(desk, RUN, planned)
        kit.decide(desk, RUN, planned, approved=False)
        with pytest.raises(Refused, match="not allowed"):
            kit.carry_out(desk, RUN, RULE, stores)

    def test_with_the_approval_of_a_plan_that_was_made_anew(self, desk: Desk, stores: kit.Stores) -> None:
        strict = replace(desk, policy=with_rule(desk.policy, RULE, budget=budget(desk, max_records=1)))
        kit.plan_and_allow(strict, RUN, RULE, stores)
        kit.plan(strict, RUN, RULE, stores)
        with pytest.raises(Refused, match="not allowed"):
            kit.carry_out(strict, RUN, RULE, stores)
        assert kit.status_of(strict, RUN, RULE).state is State.WAITING

    def test_after_the_policy_changed(self, desk: Desk, stores: kit.Stores) -> None:
        kit.plan_and_allow(desk, RUN, RULE, stores)
        shorter = with_rule(desk.policy, RULE, period=desk.policy.rule("U1").period)
        with pytest.raises(Refused, match="policy changed"):
            kit.carry_out(replace(desk, policy=shorter), RUN, RULE, stores)

    def test_with_a_plan_that_no_human_may_allow(self, desk: Desk, stores: kit.Stores) -> None:
        planned = kit.plan(desk, RUN, RULE, stores)
        refusal = Judgement((Breach("future", "The date lies in the future.", approvable=False),))
        place = Place(RUN.run, RULE, "firestore")
        desk.ledger.append([guard_entry(place, planned.plan, refusal)])
        kit.decide(desk, RUN, planned)
        with pytest.raises(Refused, match="not allowed"):
            kit.carry_out(desk, RUN, RULE, stores)

    def test_in_a_dry_run(self, desk: Desk, stores: kit.Stores) -> None:
        dry = kit.night(dry_run=True)
        kit.plan_and_allow(desk, dry, RULE, stores)
        with pytest.raises(Refused, match="dry run"):
            kit.carry_out(desk, dry, RULE, stores)
        assert not kit.written(desk, Kind.INTENT, Kind.VERIFICATION)
        assert kit.status_of(desk, dry, RULE).state is State.COUNTED

    def test_when_one_more_is_due_than_was_allowed(
        self, desk: Desk, small: Estate, stores: kit.Stores, small_batches: int
    ) -> None:
        hold = kit.hold(desk, contact_of(talks(small)[0]))
        kit.plan_and_allow(desk, RUN, RULE, stores)
        desk.holds.release(hold.id, kit.STAFF, "over")
        with pytest.raises(Refused, match="More is due"):
            kit.carry_out(desk, RUN, RULE, stores)
        assert not kit.written(desk, Kind.INTENT)

    def test_when_the_hold_on_the_whole_rule_was_released_after_the_plan(self, desk: Desk, stores: kit.Stores) -> None:
        hold = kit.hold(desk, rule=RULE)
        kit.plan_and_allow(desk, RUN, RULE, stores)
        desk.holds.release(hold.id, kit.STAFF, "over")
        with pytest.raises(Refused, match="clear its plan"):
            kit.carry_out(replace(desk, policy=tolerating(desk.policy, 100_000)), RUN, RULE, stores)


def budget(desk: Desk, **changes: int) -> Any:
    return desk.policy.rule(RULE).budget.model_copy(update=changes)


def test_a_later_date_does_not_widen_an_allowed_plan(
    desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
) -> None:
    desk = replace(desk, policy=tolerating(desk.policy, 1000))
    before = look(company_sandbox)
    kit.plan_and_allow(desk, RUN, RULE, stores)
    kit.carry_out(desk, replace(RUN, as_of=kit.AS_OF + timedelta(days=365)), RULE, stores)
    assert before["firestore"].keys() - look(company_sandbox)["firestore"].keys() == set(talks(small))


def test_as_many_more_as_the_policy_tolerates_may_go(
    desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
) -> None:
    contact = contact_of(talks(small)[0])
    more = sum(contact_of(path) == contact for path in talks(small))
    hold = kit.hold(desk, contact)
    kit.plan_and_allow(desk, RUN, RULE, stores)
    desk.holds.release(hold.id, kit.STAFF, "over")
    with pytest.raises(Refused):
        kit.carry_out(replace(desk, policy=tolerating(desk.policy, more - 1)), RUN, RULE, stores)
    kit.carry_out(replace(desk, policy=tolerating(desk.policy, more)), RUN, RULE, stores)
    assert not set(talks(small)) & look(company_sandbox)["firestore"].keys()


def test_a_plan_that_found_more_is_counted_whole(
    desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
) -> None:
    hold = kit.hold(desk, rule=RULE)
    kit.plan_and_allow(desk, RUN, RULE, stores)
    assert kit.carry_out(desk, RUN, RULE, stores) == ReadBack(remaining=0, held=len(talks(small)))
    assert kit.status_of(desk, RUN, RULE).state is State.HELD
    desk.holds.release(hold.id, kit.STAFF, "over")
    kit.plan(desk, RUN, RULE, stores)
    status = kit.status_of(desk, RUN, RULE)
    assert (status.state, status.verified, status.held) == (State.PLANNED, False, 0)
    kit.carry_out(desk, RUN, RULE, stores)
    assert kit.status_of(desk, RUN, RULE).gone == kit.status_of(desk, RUN, RULE).due == len(talks(small))


def test_what_is_done_already_counts_against_what_was_allowed(
    desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores, small_batches: int
) -> None:
    hold = kit.hold(desk, contact_of(talks(small)[0]))
    kit.plan_and_allow(desk, RUN, RULE, stores)
    company_sandbox.company.faults.add(Fault("firestore", FaultKind.STATUS, "BatchWrite", status=403, skip=1))
    with pytest.raises(Refused):
        kit.carry_out(desk, RUN, RULE, stores)
    assert kit.status_of(desk, RUN, RULE).gone == small_batches
    desk.holds.release(hold.id, kit.STAFF, "over")
    with pytest.raises(Refused, match="More is due"):
        kit.carry_out(desk, RUN, RULE, stores)
    assert kit.status_of(desk, RUN, RULE).gone == small_batches


def test_more_that_falls_due_in_the_middle_is_left_for_another_plan(
    desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores, small_batches: int
) -> None:
    documents = look(company_sandbox)["firestore"]
    hold = kit.hold(desk, contact_of(max(talks(small), key=lambda path: documents[path]["at"])))
    allowed = kit.plan_and_allow(desk, RUN, RULE, stores).plan.to_do

    def release(number: int) -> None:
        if number == 1:
            desk.holds.release(hold.id, kit.STAFF, "over")

    with pytest.raises(Refused, match="More is due"):
        sweep(desk, RUN, desk.rule(RULE), Boundary(stores["firestore"], expired=release))
    assert 0 < len(documents.keys() - look(company_sandbox)["firestore"].keys()) <= allowed
