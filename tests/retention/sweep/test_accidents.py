"""After a lost answer, a lost ledger or a lost lock: settled once, by what the store really holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from elasticsearch import Elasticsearch
from sqlalchemy import text

from include.errors import Inconsistent, PrivacyError, Unavailable
from include.ledger.database import engine_for
from include.ledger.entry import Kind
from include.local.databases import Databases
from include.retention.desk import Desk
from include.retention.status import State
from include.retention.sweep import reconcile, sweep
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.sandbox.faults import Fault, FaultKind
from tests.retention import kit
from tests.retention.sweep.boundary import RULE, RUN, Boundary, talks, with_rule
from tests.retention.truth import look


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

    def test_an_accident_after_a_night_that_went_well_is_settled_too(
        self, desk: Desk, small: Estate, company_sandbox: Sandbox, stores: kit.Stores
    ) -> None:
        kit.plan_and_allow(desk, RUN, RULE, stores)
        kit.carry_out(desk, RUN, RULE, stores)
        company_sandbox.company.seed(small)
        company_sandbox.company.faults.add(Fault("firestore", FaultKind.LOST_ANSWER, "BatchWrite"))
        kit.plan_and_allow(desk, kit.night(2), RULE, stores)
        with pytest.raises(Unavailable):
            kit.carry_out(desk, kit.night(2), RULE, stores)
        kit.carry_out(desk, kit.night(2), RULE, stores)
        assert kit.status_of(desk, kit.night(2), RULE).gone == len(talks(small))
        kit.assert_evidence_in_order(desk.ledger.entries())

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
