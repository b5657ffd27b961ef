"""The sweep against real stores: what it may touch, in which order it writes, and how it goes on after an accident."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from sqlalchemy import text

from include.errors import Inconsistent, PrivacyError, Refused, Unavailable
from include.ledger.database import engine_for
from include.ledger.entry import Kind
from include.local.databases import Databases
from include.policy.model import Policy
from include.retention.desk import Desk
from include.retention.evidence import Place, guard_entry
from include.retention.guard import Breach, Judgement, Verdict
from include.retention.status import State
from include.retention.sweep import reconcile, sweep
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.sandbox.faults import Fault, FaultKind
from include.systems.contract import Batch, Card, Expiry, OnHold, ReadBack, RetentionSystem, Selection, Survey, Swept
from include.systems.firestore import system as firestore
from tests.retention import kit
from tests.retention.truth import Truth, look

RULE = "C3"
RUN = kit.night()


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> int:
    """So that a small estate needs several of them."""
    monkeypatch.setattr(firestore, "CARD", replace(firestore.CARD, batch_size=10))
    return 10


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """A desk whose policy tolerates not one record more than was allowed."""
    return replace(desk, policy=tolerating(desk.policy, 0))


def tolerating(policy: Policy, records: int) -> Policy:
    return policy.model_copy(update={"guard": policy.guard.model_copy(update={"tolerance_records": records})})


def with_rule(policy: Policy, rule_id: str, **changes: Any) -> Policy:
    rules = tuple(rule.model_copy(update=changes) if rule.id == rule_id else rule for rule in policy.rules)
    # Built anew: a copy would keep the index of the old rules.
    return Policy.model_construct(**{**dict(policy), "rules": rules})


def talks(estate: Estate) -> list[str]:
    """Paths of the interactions that are due."""
    return sorted(Truth(estate).rules[RULE].goes)


def contact_of(path: str) -> str:
    return path.split("/")[3]


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


@dataclass
class Boundary:
    """The real store, with something happening between two of the engine's instructions."""

    real: RetentionSystem
    handed_out: Callable[[int], None] = lambda _: None
    expired: Callable[[int], None] = lambda _: None
    number: int = field(default=0, init=False)

    @property
    def card(self) -> Card:
        return self.real.card

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        return self.real.survey(selection, on_hold)

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        for batch in self.real.batches(selection, on_hold):
            self.number += 1
            self.handed_out(self.number)
            yield batch

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        swept = self.real.expire(selection, batch)
        self.expired(self.number)
        return swept

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        return self.real.read_back(selection, on_hold)

    def expiry(self, selection: Selection) -> list[Expiry]:
        return self.real.expiry(selection)

    def set_expiry(self, selection: Selection) -> Expiry:
        return self.real.set_expiry(selection)

    def close(self) -> None:
        self.real.close()


class TestHolds:
    """Read again before each batch."""

    def test_a_hold_set_after_a_batch_is_honoured_by_the_next(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores, small_batches: int
    ) -> None:
        newest = max(talks(small), key=lambda path: look(company_sandbox)["firestore"][path]["at"])
        mine = {path for path in talks(small) if contact_of(path) == contact_of(newest)}

        def object_now(number: int) -> None:
            if number == 1:
                kept.update(mine & look(company_sandbox)["firestore"].keys())
                kit.hold(desk, contact_of(newest))

        kept: set[str] = set()
        kit.plan_and_allow(desk, RUN, RULE, stores)
        seen = sweep(desk, RUN, desk.rule(RULE), Boundary(stores["firestore"], expired=object_now))
        assert newest in kept
        assert set(talks(small)) & look(company_sandbox)["firestore"].keys() == kept
        assert seen.held == len(kept)
        status = kit.status_of(desk, RUN, RULE)
        assert (status.state, status.held, status.gone) == (State.HELD, len(kept), len(talks(small)) - len(kept))

    def test_a_hold_set_while_a_batch_is_handed_out_stops_this_batch(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores, small_batches: int
    ) -> None:
        oldest = min(talks(small), key=lambda path: look(company_sandbox)["firestore"][path]["at"])
        boundary = Boundary(
            stores["firestore"], handed_out=lambda n: [] if n > 1 else kit.hold(desk, contact_of(oldest))
        )
        kit.plan_and_allow(desk, RUN, RULE, stores)
        sweep(desk, RUN, desk.rule(RULE), boundary)
        assert oldest in look(company_sandbox)["firestore"]

    @pytest.mark.parametrize("scope", [{"rule": RULE}, {"system": "firestore"}, {"rule": RULE, "system": "firestore"}])
    def test_a_hold_on_the_whole_stops_in_the_middle(
        self,
        scope: dict[str, str],
        desk: Desk,
        small: Estate,
        company_sandbox: Sandbox,
        stores: kit.Stores,
        small_batches: int,
    ) -> None:
        boundary = Boundary(stores["firestore"], expired=lambda n: [] if n > 1 else kit.hold(desk, **scope))
        kit.plan_and_allow(desk, RUN, RULE, stores)
        seen = sweep(desk, RUN, desk.rule(RULE), boundary)
        left = set(talks(small)) & look(company_sandbox)["firestore"].keys()
        assert len(left) == len(talks(small)) - small_batches
        assert (seen.remaining, seen.held) == (0, len(left))
        assert kit.status_of(desk, RUN, RULE).state is State.HELD

    def test_a_hold_of_another_rule_or_system_stops_nothing(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
    ) -> None:
        kit.hold(desk, rule="U1")
        kit.hold(desk, system="redis")
        kit.hold(desk, contact_of(talks(small)[0]), rule="M1")
        kit.plan_and_allow(desk, RUN, RULE, stores)
        kit.carry_out(desk, RUN, RULE, stores)
        assert not set(talks(small)) & look(company_sandbox)["firestore"].keys()

    def test_a_released_hold_lets_the_next_night_finish(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
    ) -> None:
        hold = kit.hold(desk, contact_of(talks(small)[0]))
        kit.plan_and_allow(desk, RUN, RULE, stores)
        kept = kit.carry_out(desk, RUN, RULE, stores).held
        assert kept
        desk.holds.release(hold.id, kit.STAFF, "settled")
        kit.plan_and_allow(desk, kit.night(2), RULE, stores)
        kit.carry_out(desk, kit.night(2), RULE, stores)
        assert kit.status_of(desk, kit.night(2), RULE).gone == kept
        assert not set(talks(small)) & look(company_sandbox)["firestore"].keys()

    def test_a_contact_on_hold_stays_when_its_workspace_goes(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
    ) -> None:
        (workspace,) = Truth(small).rules["C1"].goes
        contact = next(c for c in small.contacts() if c.path.startswith(f"{workspace}/"))
        kit.hold(desk, contact.id)
        kit.plan_and_allow(desk, RUN, "C1", stores)
        kit.carry_out(desk, RUN, "C1", stores)
        assert contact.path in look(company_sandbox)["firestore"]


class TestAccidents:
    """What is left open is settled once, by what the store really holds."""

    def test_a_lost_answer_is_settled_by_the_next_try(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores, small_batches: int
    ) -> None:
        company_sandbox.company.faults.add(Fault("firestore", FaultKind.LOST_ANSWER, "BatchWrite", skip=1))
        kit.plan_and_allow(desk, RUN, RULE, stores)
        with pytest.raises(Unavailable):
            kit.carry_out(desk, RUN, RULE, stores)
        assert kit.status_of(desk, RUN, RULE).state is State.RUNNING
        assert kit.status_of(desk, RUN, RULE).gone == small_batches
        kit.carry_out(desk, RUN, RULE, stores)
        settled = [r for r in kit.written(desk, Kind.OUTCOME) if r.entry.body["reconciled"]]
        assert [r.entry.body["gone"] for r in settled] == [small_batches]
        status = kit.status_of(desk, RUN, RULE)
        assert (status.state, status.gone, status.elsewhere) == (State.VERIFIED_GONE, len(talks(small)), 0)
        kit.assert_evidence_in_order(desk.ledger.entries())

    def test_an_intent_of_which_nothing_came_counts_nothing(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
    ) -> None:
        company_sandbox.company.faults.add(Fault("firestore", FaultKind.STATUS, "BatchWrite", times=50))
        kit.plan_and_allow(desk, RUN, RULE, stores)
        with pytest.raises(Unavailable):
            kit.carry_out(desk, RUN, RULE, stores)
        company_sandbox.company.faults.clear()
        assert reconcile(desk, stores["firestore"]) == 1
        assert reconcile(desk, stores["firestore"]) == 0
        assert kit.written(desk, Kind.OUTCOME)[0].entry.body["gone"] == 0
        kit.carry_out(desk, RUN, RULE, stores)
        assert kit.status_of(desk, RUN, RULE).gone == len(talks(small))

    def test_an_intent_of_a_rule_that_changed_since_stays_unknown(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
    ) -> None:
        company_sandbox.company.faults.add(Fault("firestore", FaultKind.LOST_ANSWER, "BatchWrite"))
        kit.plan_and_allow(desk, RUN, RULE, stores)
        with pytest.raises(Unavailable):
            kit.carry_out(desk, RUN, RULE, stores)
        shorter = replace(desk, policy=with_rule(desk.policy, RULE, period=desk.policy.rule("U1").period))
        reconcile(shorter, stores["firestore"])
        (outcome,) = kit.written(desk, Kind.OUTCOME)
        assert outcome.entry.body["gone"] is None
        status = kit.status_of(desk, RUN, RULE)
        assert (status.gone, status.unknown) == (0, len(talks(small)))
        assert status.state is not State.VERIFIED_GONE

    def test_the_intent_of_an_earlier_run_is_settled_in_its_own_run(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
    ) -> None:
        company_sandbox.company.faults.add(Fault("firestore", FaultKind.LOST_ANSWER, "BatchWrite"))
        kit.plan_and_allow(desk, RUN, RULE, stores)
        with pytest.raises(Unavailable):
            kit.carry_out(desk, RUN, RULE, stores)
        other = kit.night(2)
        # Another rule of the same system is enough: it may remove what this one counted.
        kit.plan_and_allow(desk, other, "M1", stores)
        kit.carry_out(desk, other, "M1", stores)
        assert kit.status_of(desk, RUN, RULE).gone == len(talks(small))
        assert not kit.status_of(desk, RUN, RULE).verified
        kit.assert_evidence_in_order(desk.ledger.entries())

    def test_without_the_ledger_nothing_is_deleted(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores, postgres: Databases
    ) -> None:
        before = look(company_sandbox)
        kit.plan_and_allow(desk, RUN, RULE, stores)
        boundary = Boundary(stores["firestore"], handed_out=lambda _: close_database(postgres, desk, closed=True))
        with pytest.raises(PrivacyError):
            sweep(desk, RUN, desk.rule(RULE), boundary)
        close_database(postgres, desk, closed=False)
        assert boundary.number == 1
        assert look(company_sandbox) == before
        assert not kit.written(desk, Kind.INTENT)

    def test_without_the_lock_nothing_is_deleted(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores, postgres: Databases
    ) -> None:
        before = look(company_sandbox)
        kit.plan_and_allow(desk, RUN, RULE, stores)
        boundary = Boundary(stores["firestore"], handed_out=lambda _: end_sessions_with_locks(postgres, desk))
        with pytest.raises(Unavailable, match="lock"):
            sweep(desk, RUN, desk.rule(RULE), boundary)
        assert look(company_sandbox) == before
        assert len(kit.written(desk, Kind.INTENT)) == 1

    def test_a_field_that_should_be_gone_stops_with_evidence(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
    ) -> None:
        kit.plan_and_allow(desk, RUN, "U1-search", stores)
        kit.carry_out(desk, RUN, "U1-search", stores)
        name, source = next(
            (name, source)
            for name, source in company_sandbox.company.elasticsearch.documents("activity")
            if "at_month" in source
        )
        with Elasticsearch(company_sandbox.endpoints["elasticsearch"]) as client:
            client.update(index="activity", id=name, doc={**source, "ip": "192.0.2.7"})
        with pytest.raises(Inconsistent, match="1 anonymised"):
            kit.carry_out(desk, RUN, "U1-search", stores)
        assert kit.status_of(desk, RUN, "U1-search").state is State.FAILED
        kit.hold(desk, rule="U1-search")
        with pytest.raises(Inconsistent, match="1 anonymised"):
            kit.carry_out(desk, RUN, "U1-search", stores)


def close_database(postgres: Databases, desk: Desk, *, closed: bool) -> None:
    """Take the ledger's database away, or bring it back."""
    name = desk.ledger.engine.url.database
    administrator = engine_for(postgres.url("postgres"))
    with administrator.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {'false' if closed else 'true'}"))
        if closed:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
            )
    administrator.dispose()


def end_sessions_with_locks(postgres: Databases, desk: Desk) -> None:
    administrator = engine_for(postgres.url("postgres"))
    with administrator.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
                " WHERE locktype = 'advisory' AND datname = :name"
            ),
            {"name": desk.ledger.engine.url.database},
        )
    administrator.dispose()
