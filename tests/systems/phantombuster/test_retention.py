"""Leads by their age: exactly those that are too old, none that is on hold, and all pages of them."""

from datetime import timedelta

import pytest

from include.errors import Refused, Unavailable
from include.policy.actions import Action
from include.sandbox.faults import FaultKind
from include.sandbox.phantombuster import Edition, Lead
from include.systems.contract import Selection
from include.systems.phantombuster import connect
from tests.systems.twins import NOW, connection, twin

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def server():
    with twin("phantombuster") as server:
        yield server


@pytest.fixture
def leads(server, quick):
    server.fresh()
    system = connect(connection(server))
    yield system
    system.close()


def lead(number, *days):
    editions = tuple(Edition(NOW - day * DAY, "1") for day in days)
    return Lead(str(number), f"slug-{number}", "A", "B", "C", editions)


def select(**changes):
    base = {"rule": "A14", "location": {}, "subject": "linkedinProfileSlug", "trigger_field": "firstEditedAt"}
    return Selection(**{**base, "cutoff": NOW - 30 * DAY, "period_seconds": 30 * 86_400, **changes})


def sweep(system, selection, on_hold=None):
    return [system.expire(selection, batch) for batch in system.batches(selection, on_hold)]


def ids(server):
    return {record["id"] for record in server.records("leads")}


def test_what_is_due_goes_and_what_is_an_instant_too_young_stays(server, leads):
    server.twin.seed([lead(1, 30), lead(2, 30.001), lead(3, 90, 1), lead(4, 2), lead(5)])
    survey = leads.survey(select(), None)
    assert (survey.total, survey.due, survey.held) == (5, 2, 0)
    assert (survey.oldest, survey.newest) == (NOW - 90 * DAY, NOW - 30.001 * DAY)
    assert sum(swept.gone for swept in sweep(leads, select())) == 2
    assert ids(server) == {"1", "4", "5"}
    assert (leads.read_back(select(), None).remaining, sweep(leads, select())) == (0, [])


def test_the_last_change_can_be_what_counts(server, leads):
    server.twin.seed([lead(1, 90, 1), lead(2, 90, 31)])
    sweep(leads, select(trigger_field="lastEditedAt"))
    assert ids(server) == {"1"}


@pytest.mark.parametrize(("subject", "held"), [("id", "2"), ("linkedinProfileSlug", "slug-2")])
def test_a_lead_on_hold_stays(server, leads, subject, held):
    server.twin.seed(lead(number, 40) for number in range(1, 4))
    selection = select(subject=subject)
    assert leads.survey(selection, held.__eq__).held == 1
    sweep(leads, selection, held.__eq__)
    assert ids(server) == {"2"}
    assert leads.read_back(selection, held.__eq__).held == 1


def test_no_page_is_passed_over_while_leads_go(server, leads):
    server.twin.seed(lead(number, 31 + number if number % 3 else 2) for number in range(1, 451))
    batches = sweep(leads, select())
    assert sum(swept.gone for swept in batches) == 300
    assert len(ids(server)) == 150
    assert all(swept.gone <= 100 for swept in batches)


def test_a_lead_that_went_meanwhile_is_absent(server, leads):
    server.twin.seed([lead(1, 40), lead(2, 40)])
    (batch,) = leads.batches(select(), None)
    server.twin.reset()
    assert leads.expire(select(), batch).absent == 2


def test_what_the_vendor_left_is_read_back(server, leads):
    server.twin.seed(lead(number, 40) for number in range(1, 5))
    server.fail(FaultKind.PARTIAL, "delete-many")
    batch = next(leads.batches(select(), None))
    assert leads.expire(select(), batch).gone == 2
    assert leads.read_back(select(), None).remaining == 2


def test_a_lost_answer_is_not_asked_for_again(server, leads):
    server.twin.seed([lead(1, 40)])
    batch = next(leads.batches(select(), None))
    server.fail(FaultKind.LOST_ANSWER, "delete-many")
    with pytest.raises(Unavailable):
        leads.expire(select(), batch)
    assert sum("delete-many" in call["operation"] for call in server.journal.as_json()) == 1
    assert leads.read_back(select(), None).remaining == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"location": {"list": "1"}},
        {"where": {"companyName": "C"}},
        {"trigger_field": "createdAt"},
        {"subject": "field:email"},
        {"action": Action.ANONYMISE},
    ],
)
def test_a_rule_that_means_something_else_is_refused_before_any_call(server, leads, changes):
    selection = select(**changes)
    for question in (
        lambda: leads.survey(selection, None),
        lambda: next(leads.batches(selection, None)),
        lambda: leads.expiry(selection),
    ):
        with pytest.raises(Refused):
            question()
    assert server.journal.as_json() == []


def test_there_is_no_expiry_of_its_own(leads):
    assert leads.expiry(select()) == []
    with pytest.raises(Refused):
        leads.set_expiry(select())
