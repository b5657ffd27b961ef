"""Which contacts and submissions are old enough, what stays, and what happens between selection and deletion."""

from dataclasses import replace

import pytest

from include.errors import Refused, Unavailable
from include.policy.actions import Action, Anonymisation
from include.sandbox.faults import FaultKind
from include.systems.contract import ReadBack, Selection, Swept
from include.systems.wix import contacts
from tests.systems.conformance.means import NOW
from tests.systems.wix.people import DAY, contact, ids, member, submission

YEAR = 365 * DAY


def rule(collection="contacts", trigger=None, **more):
    field = trigger or ("lastActivity" if collection == "contacts" else "createdDate")
    fields = {"subject": "email", "cutoff": NOW - 3 * YEAR, "period_seconds": int(3 * YEAR.total_seconds())}
    return Selection(rule="D1", location={"collection": collection}, trigger_field=field, **{**fields, **more})


def sweep(system, selection, on_hold=None):
    return sum(system.expire(selection, batch).gone for batch in system.batches(selection, on_hold))


def test_contacts_are_due_by_what_last_happened_with_them(wire, retention):
    wire.twin.seed([contact("old", "a@x.example", days=1200), contact("active", "b@x.example", days=5, made=1500)])
    survey = retention.survey(rule(), None)
    assert (survey.total, survey.due, survey.held) == (2, 1, 0)
    assert survey.oldest == survey.newest == NOW - 1200 * DAY
    assert sweep(retention, rule()) == 1
    assert ids(wire) == ["contact-active"]
    assert retention.read_back(rule(), None) == ReadBack(0, 0)


def test_the_day_they_were_made_can_count_instead(wire, retention):
    wire.twin.seed([contact("active", "b@x.example", days=5, made=1500)])
    assert sweep(retention, rule(trigger="createdDate")) == 1


def test_submissions_are_due_by_the_day_they_were_sent(wire, retention):
    wire.twin.seed([submission("old", days=1200), submission("older", days=1300), submission("new", days=3)])
    survey = retention.survey(rule("submissions"), None)
    assert (survey.total, survey.due, survey.oldest) == (3, 2, NOW - 1300 * DAY)
    assert sweep(retention, rule("submissions")) == 2
    assert ids(wire) == ["submission-new"]
    assert retention.read_back(rule("submissions"), None) == ReadBack(0, 0)


@pytest.mark.parametrize("collection", ["contacts", "submissions"])
def test_the_cutoff_itself_is_not_due(wire, retention, collection):
    at = 3 * 365
    before = at + 1 / 86_400
    wire.twin.seed([contact("at", "a@x.example", days=at), contact("before", "b@x.example", days=before)])
    wire.twin.seed([submission("at", days=at), submission("before", days=before)])
    assert sweep(retention, rule(collection)) == 1
    assert f"{collection[:-1]}-at" in ids(wire, collection)


@pytest.mark.parametrize("held", ["ann@x.example", "Ann@X.example"])
def test_records_of_somebody_on_hold_stay(wire, retention, held):
    wire.twin.seed(
        [contact("ann", "other@x.example", "Ann@X.example", days=1200), contact("b", "b@x.example", days=1200)]
    )
    wire.twin.seed([submission("ann", days=1200, values={"m": "I am Ann@X.example."}), submission("b", days=1200)])
    for collection in ("contacts", "submissions"):
        assert retention.survey(rule(collection), held.__eq__).held == 1
        assert sweep(retention, rule(collection), held.__eq__) == 1
        assert ids(wire, collection) == [f"{collection[:-1]}-ann"]
        assert retention.read_back(rule(collection), held.__eq__) == ReadBack(0, 1)


@pytest.mark.parametrize("spread", [0, 1])
def test_pages_go_on_while_records_are_deleted_and_some_stay(wire, retention, monkeypatch, spread):
    """Contacts of one instant are more than a page, or each has its own."""
    monkeypatch.setattr(contacts, "PAGE", 4)
    monkeypatch.setattr("include.systems.wix.retention.CARD", replace(retention.card, batch_size=3))
    wire.twin.settings.job_polls = 0
    wire.twin.seed(contact(f"c{n:02}", f"c{n}@x.example", days=1200 + n * spread) for n in range(30))
    on_hold = {f"c{n}@x.example" for n in range(0, 30, 3)}.__contains__
    assert sweep(retention, rule(), on_hold) == 20
    assert len(ids(wire)) == 10
    assert retention.read_back(rule(), on_hold) == ReadBack(0, 10)


def test_submissions_go_on_page_by_page(wire, retention):
    wire.twin.seed(submission(f"s{number:03}", days=1200 + number) for number in range(230))
    assert sweep(retention, rule("submissions")) == 230
    assert ids(wire) == []


def test_a_contact_that_came_back_meanwhile_stays(wire, retention):
    old = contact("a", "a@x.example", days=1200)
    wire.twin.seed([old, contact("b", "b@x.example", days=1200), contact("c", "c@x.example", days=1200)])
    (batch,) = retention.batches(rule(), None)
    wire.twin.seed([replace(old, active=NOW)])
    wire.twin.remove("contacts", "contact-c")
    assert retention.expire(rule(), batch) == Swept(gone=1, absent=1, changed=1)
    assert ids(wire) == ["contact-a"]


def test_a_submission_that_is_gone_already_is_absent(wire, retention):
    wire.twin.seed([submission("a", days=1200), submission("b", days=1200)])
    (batch,) = retention.batches(rule("submissions"), None)
    wire.twin.remove("submissions", "submission-a")
    assert retention.expire(rule("submissions"), batch) == Swept(gone=1, absent=1)


def test_the_contact_of_a_member_is_blocked_by_the_vendor(wire, retention):
    wire.twin.seed([contact("a", "a@x.example", days=1200), contact("b", "b@x.example", days=1200)])
    wire.twin.seed([member("a", "a@x.example")])
    (batch,) = retention.batches(rule(), None)
    assert retention.expire(rule(), batch) == Swept(gone=1, blocked=1)
    assert retention.read_back(rule(), None) == ReadBack(0, 0, blocked=1)


def test_a_job_that_takes_longer_is_not_counted(wire, retention):
    wire.twin.settings.job_polls = 99
    wire.twin.seed([contact("a", "a@x.example", days=1200), contact("b", "b@x.example", days=1200)])
    (batch,) = retention.batches(rule(), None)
    with pytest.raises(Unavailable):
        retention.expire(rule(), batch)
    assert retention.read_back(rule(), None) == ReadBack(2, 0)


def test_a_lost_answer_is_no_success_and_the_next_run_ends_clean(wire, retention):
    wire.twin.seed([contact("a", "a@x.example", days=1200), contact("b", "b@x.example", days=1200)])
    wire.fail(FaultKind.LOST_ANSWER, "POST /contacts/v4/bulk", times=9)
    with pytest.raises(Unavailable):
        sweep(retention, rule())
    wire.faults.clear()
    sweep(retention, rule())
    assert retention.read_back(rule(), None).remaining <= 2
    wire.twin.settings.job_polls = 0
    sweep(retention, rule())
    assert ids(wire) == []


def test_nothing_that_can_be_printed_names_anybody(wire, retention):
    wire.twin.seed([contact("ann", "ann@x.example", days=1200)])
    (batch,) = retention.batches(rule(), None)
    assert "ann" not in repr(batch)


@pytest.mark.parametrize(
    "more",
    [
        {"location": {}},
        {"location": {"collection": "conversations"}},
        {"location": {"collection": "contacts", "label": "x"}},
        {"trigger_field": "updatedDate"},
        {"location": {"collection": "submissions"}},
        {"where": {"label": "x"}},
        {"subject": "answers"},
        {"action": Action.ANONYMISE, "anonymisation": Anonymisation(("email",))},
    ],
)
def test_what_it_does_not_understand_is_refused_before_any_call(wire, retention, more):
    selection = replace(rule(), **more)
    for ask in (lambda: retention.survey(selection, None), lambda: list(retention.batches(selection, None))):
        with pytest.raises(Refused):
            ask()
    assert wire.calls == []


def test_there_is_no_expiry_of_the_vendor(wire, retention):
    assert retention.expiry(rule()) == []
    with pytest.raises(Refused):
        retention.set_expiry(rule())
