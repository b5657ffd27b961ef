"""A whole night over all stores, compared record by record with a count that shares nothing with the product."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from include.ledger.entry import Kind
from include.ledger.log import Ledger
from include.retention.desk import Desk
from include.retention.run import open_run
from include.retention.status import FINAL, RuleStatus, State
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.sandbox.phantombuster import leads
from tests.retention import kit
from tests.retention.truth import Contents, Truth, look

PEOPLE = 300
ANONYMISED = {"U1": "firestore", "U1-search": "activity"}


@dataclass
class After:
    """A company after its night."""

    desk: Desk
    estate: Estate
    held: frozenset[str]
    truth: Truth
    before: Contents
    now: Contents
    statuses: dict[str, RuleStatus]


def people_to_hold(estate: Estate) -> frozenset[str]:
    """Somebody under each rule about people, and a contact whom nothing but its own age would remove."""
    fates = Truth(estate).rules
    users = {path.split("/")[1] for rule in ("A1-profile", "A2") for path in sorted(fates[rule].goes)[:1]}
    accounts = set(sorted(fates["A1"].goes)[:1]) | set(sorted(fates["A1-unverified"].goes)[:1])
    files = {name.split("/")[1] for name, _ in sorted(fates["A3"].goes)[:1]}
    cached = {key.split(":")[1] for rule in ("A4", "A4-profile") for key in sorted(fates[rule].goes)[:1]}
    ended = {path.split("/")[1] for path in fates["C1"].goes}
    contacts = {
        next(path.split("/")[3] for path in sorted(fates[rule].goes) if path.split("/")[1] not in ended)
        for rule in ("M1", "C2")
    }
    collected = {lead.slug for lead in leads(estate) if lead.id in sorted(fates["A14"].goes)[:1]}
    return frozenset(users | accounts | files | cached | contacts | collected)


@pytest.fixture(scope="module")
def estate() -> Estate:
    return kit.estate(PEOPLE)


@pytest.fixture
def after(ledger: Ledger, estate: Estate, company_sandbox: Sandbox, stores: kit.Stores) -> After:
    company_sandbox.company.seed(estate)
    before = look(company_sandbox)
    desk = kit.desk_on(Ledger(ledger.engine, lambda: datetime.now(UTC)))
    held = people_to_hold(estate)
    for subject in sorted(held):
        kit.hold(desk, subject)
    open_run(desk, kit.night(), list(desk.policy.rules))
    statuses = {status.rule: status for status in kit.whole_night(desk, kit.night(), stores)}
    return After(desk, estate, held, Truth(estate, held), before, look(company_sandbox), statuses)


def test_a_night_removes_all_that_is_due_and_nothing_else_and_proves_it(
    after: After, company_sandbox: Sandbox, stores: kit.Stores
) -> None:
    every_record_is_as_the_policy_says(after)
    nothing_held_was_touched(after)
    anonymous_records_name_nobody(after)
    the_evidence_says_what_is_true(after)
    a_second_run_finds_nothing_to_do(after, company_sandbox, stores)
    kit.assert_evidence_in_order(after.desk.ledger.entries())
    assert after.desk.ledger.audit().ok


def every_record_is_as_the_policy_says(after: After) -> None:
    expected = after.truth.after(after.before)
    for collection, records in expected.items():
        assert after.now[collection].keys() == records.keys(), collection
        changed = [identifier for identifier, record in records.items() if after.now[collection][identifier] != record]
        assert not changed, collection
    # A comparison of two empty nights would pass as well.
    assert all(fate.goes for fate in after.truth.rules.values())


def nothing_held_was_touched(after: After) -> None:
    touched = [
        (rule, identifier)
        for rule, fate in after.truth.rules.items()
        for identifier in fate.held
        if after.now[fate.collection].get(identifier) != after.before[fate.collection][identifier]
    ]
    assert not touched
    held = {rule for rule, fate in after.truth.rules.items() if fate.held}
    assert {"A1", "A1-unverified", "A1-profile", "A3", "A4", "M1", "C2", "C3", "M1-search", "U1", "W5", "A14"} <= held


def anonymous_records_name_nobody(after: After) -> None:
    uids = {person.uid for person in after.estate.people}
    for rule, collection in ANONYMISED.items():
        for identifier in after.truth.rules[rule].goes:
            record = after.now[collection][identifier]
            assert record.keys() == {"feature", "country", "at_month"}
            assert not any(uid in f"{identifier}{record}" for uid in uids)
    # Twins of one event in two stores share their id: either both are anonymous or neither.
    anonymous = {path.split("/")[1] for path in after.truth.rules["U1"].goes}
    assert anonymous == after.truth.rules["U1-search"].goes
    assert not [identifier for identifier in anonymous if "uid" in after.now["activity"][identifier]]


def the_evidence_says_what_is_true(after: After) -> None:
    for rule, fate in after.truth.rules.items():
        status = after.statuses[rule]
        own = len(after.truth.own(rule))
        assert (status.gone, status.held, status.remaining, status.unknown) == (own, len(fate.held), 0, 0), rule
        assert status.verified
        assert status.state is (State.HELD if fate.held else State.EXPIRING if rule == "X2" else State.VERIFIED_GONE)


def a_second_run_finds_nothing_to_do(after: After, company_sandbox: Sandbox, stores: kit.Stores) -> None:
    again = kit.night(2)
    open_run(after.desk, again, list(after.desk.policy.rules))
    for status in kit.whole_night(after.desk, again, stores):
        assert status.state in {State.ABSENT, State.HELD}, status.rule
        assert status.state in FINAL
        assert (status.gone, status.due) == (0, len(after.truth.rules[status.rule].held))
    outcomes = [found.entry for found in kit.written(after.desk, Kind.OUTCOME) if found.entry.run == again.run]
    # Files that the store itself refuses to delete are asked for again every night: the refusal may have ended.
    assert [(found.rule, found.body["gone"]) for found in outcomes] == [("A3", 0)]
    assert outcomes[0].body["blocked"]
    assert look(company_sandbox) == after.now
