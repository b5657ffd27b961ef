"""What people decide about a request: whom it is about, yes, no, stop; and what happens when the data has changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.erasure import approval, push
from include.erasure.desk import Desk
from include.erasure.identity import record, resolve
from include.erasure.status import Outcome, Stage
from include.errors import Refused, Unavailable
from include.ledger.entry import Kind
from include.policy.persons import RequestType
from include.sandbox.estate import Estate
from tests.erasure import kit, scan
from tests.erasure.office import Office, OneByOne


@pytest.fixture
def estate() -> Estate:
    return kit.estate(people=10)


def test_a_cancelled_request_stops_says_what_was_done_and_leaves_the_roots(office: Office) -> None:
    person = office.estate.people[0]
    ref = office.approved(kit.email(person.email))
    office.push_before_the_answer()
    approval.cancel(office.desk, ref, by=kit.STAFF, reason="the person changed their mind")
    before = office.look()
    office.push()
    assert scan.changed(before, office.look()) == {}
    status = office.status(ref)
    assert status.stage is Stage.CANCELLED
    assert status.row("redis").outcome is Outcome.VERIFIED_GONE
    assert status.row("redis").gone > 0
    assert {status.row(key).outcome for key in ("sendgrid", "mailgun", "firestore", "firebase_auth")} == {Outcome.TO_DO}
    assert not office.mails(office.asked(person), ref)
    assert scan.mentions(before, [person.uid])["identitytoolkit", "accounts"] == 1
    assert office.night() == {"cancelled": 1}


def test_a_request_that_is_cancelled_between_two_batches_is_left_out_of_the_second(office: Office) -> None:
    first, second = office.estate.people[:2]
    refs = [office.approved(kit.email(person.email)) for person in (first, second)]

    def cancel() -> None:
        approval.cancel(office.desk, refs[1], by=kit.STAFF, reason="mistake")

    office.push_stage("feeders")
    push.erase(office.desk, OneByOne(office.systems["redis"], cancel))
    assert office.row(refs[0], "redis").outcome is Outcome.VERIFIED_GONE
    assert not [intent for intent in office.written(Kind.INTENT, refs[1]) if intent.entry.system == "redis"]
    assert scan.mentions(office.look(), [second.uid])["redis", "profile"] == 1


def test_a_closed_request_cannot_be_cancelled(office: Office) -> None:
    ref = kit.open_request(office.desk, kit.email("nobody@nowhere.example"))
    approval.close(office.desk, [ref], "mistake")
    with pytest.raises(Refused):
        approval.cancel(office.desk, ref, by=kit.STAFF, reason="late")


def test_more_data_than_was_approved_is_not_deleted_until_there_is_a_new_plan(office: Office) -> None:
    person = office.estate.people[0]
    asked = office.asked(person)
    ref = office.approved(kit.email(person.email))
    for number in range(office.desk.requests.tolerance_records + 1):
        office.write(f"events/later{number}", {"uid": person.uid, "feature": "login"})
    before = office.look()
    office.push()
    row = office.row(ref, "firestore")
    assert row.outcome is Outcome.FAILED
    assert "more than the approved plan allows" in str(row.next_action)
    gone = scan.changed(before, office.look())
    assert not [place for place in gone if place[0] == "firestore"], "nothing is deleted there"
    assert office.status(ref).stage is Stage.EXECUTING
    office.plan_and_approve(ref)
    office.push()
    assert office.row(ref, "firestore").outcome is Outcome.VERIFIED_GONE
    office.assert_as_it_must_be(before, (ref, asked))


def test_a_few_records_more_are_within_the_tolerance(office: Office) -> None:
    person = office.estate.people[0]
    ref = office.approved(kit.email(person.email))
    for number in range(office.desk.requests.tolerance_records):
        office.write(f"events/later{number}", {"uid": person.uid, "feature": "login"})
    office.push()
    assert office.row(ref, "firestore").outcome is Outcome.VERIFIED_GONE


def test_a_policy_of_four_eyes_lets_nobody_approve_the_own_request(office: Office) -> None:
    requests = office.desk.requests.model_copy(update={"four_eyes": True})
    desk = replace(office.desk, policy=office.desk.policy.model_copy(update={"requests": requests}))
    ref = kit.open_request(desk, kit.email(office.estate.people[0].email))
    digest = kit.plan(desk, [ref], office.systems)
    with pytest.raises(Unavailable, match="somebody else"):
        approval.decide(desk, [ref], digest, approved=True, by=kit.STAFF, reason="mine")
    assert kit.status(desk, ref).stage is Stage.PLANNED
    assert approval.decide(desk, [ref], digest, approved=False, by=kit.STAFF, reason="a mistake of mine") == 1
    assert kit.status(desk, ref).stage is Stage.DECLINED


def test_an_approval_of_an_older_plan_is_none(office: Office) -> None:
    person = office.estate.people[0]
    ref = kit.open_request(office.desk, kit.email(person.email))
    old = kit.plan(office.desk, [ref], office.systems)
    office.write("events/later", {"uid": person.uid, "feature": "login"})
    assert kit.plan(office.desk, [ref], office.systems) != old
    with pytest.raises(Unavailable, match="newer plan"):
        kit.approve(office.desk, [ref], old)
    assert kit.status(office.desk, ref).stage is Stage.PLANNED


def test_a_declined_request_deletes_nothing_and_is_closed(office: Office) -> None:
    ref = kit.open_request(office.desk, kit.email(office.estate.people[0].email))
    digest = kit.plan(office.desk, [ref], office.systems)
    approval.decide(office.desk, [ref], digest, approved=False, by=kit.COLLEAGUE, reason="not the person")
    before = office.look()
    office.push()
    assert scan.changed(before, office.look()) == {}
    assert office.night() == {"declined": 1}
    _assert_forgotten(office.desk, ref)


def test_a_stranger_matches_nothing_and_is_forgotten(office: Office) -> None:
    ref = kit.open_request(office.desk, kit.email("nobody@nowhere.example"))
    kit.plan(office.desk, [ref], office.systems)
    assert office.status(ref).stage is Stage.NO_MATCH
    assert kit.approve(office.desk, [ref], str(office.status(ref).batch_digest)) == 0
    assert office.night() == {"nothing found": 1}
    _assert_forgotten(office.desk, ref)


def test_an_address_of_several_people_is_for_a_human_to_decide(office: Office) -> None:
    first, second = office.estate.people[:2]
    office.write(f"users/{second.uid}", {"email": second.email, "past_emails": [first.email]})
    before = office.look()
    ref = kit.open_request(office.desk, kit.email(first.email))
    kit.plan(office.desk, [ref], office.systems)
    assert office.status(ref).stage is Stage.AMBIGUOUS
    assert approval.identified(office.desk, [ref]) == []
    office.push()
    assert scan.changed(before, office.look()) == {}
    roots = [office.systems[key] for key in office.desk.identity_roots()]
    (found,) = resolve(office.desk.vault.subjects([ref]), roots)  # type: ignore[arg-type]
    chosen = next(number for number, profile in enumerate(found.people) if profile[0].value == second.uid)
    record(office.desk, [found], {ref: chosen})
    known = {identifier.value for identifier in office.desk.vault.subjects([ref])[0].identifiers}
    assert second.uid in known
    assert first.uid not in known


def test_the_same_person_twice_is_one_request_and_gets_one_mail(office: Office) -> None:
    person = office.estate.people[0]
    ref = kit.open_request(office.desk, kit.email(person.email))
    assert kit.open_request(office.desk, kit.email(person.email.upper())) == ref
    narrower = kit.open_request(office.desk, kit.email(person.email), type_=RequestType.ACCOUNT_DELETION)
    assert narrower == ref
    office.plan_and_approve(ref)
    office.push()
    assert len(office.mails(office.asked(person), ref)) == 1


def _assert_forgotten(desk: Desk, ref: str) -> None:
    assert kit.status(desk, ref).stage is Stage.CLOSED
    assert kit.status(desk, ref).key_destroyed
    assert ref not in desk.open_requests()
    with pytest.raises(Refused):
        desk.vault.subjects([ref])
