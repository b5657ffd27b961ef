"""What goes and what stays depends on what was asked for and on who decides about the data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.erasure.status import OPEN, Outcome, Stage
from include.policy.persons import RequestType
from include.sandbox.estate import Estate
from include.sandbox.records import Contact
from tests.erasure import claims, kit, scan, truth
from tests.erasure.office import Office


@pytest.fixture
def estate() -> Estate:
    return kit.estate(people=16)


@pytest.mark.parametrize("type_", RequestType)
def test_every_record_meets_the_end_that_the_policy_says(office: Office, type_: RequestType) -> None:
    everything = type_ is RequestType.ERASURE
    people = [office.asked(person, everything=everything) for person in office.estate.people[:3]]
    before = office.look()
    refs = [office.approved(kit.email(asked.known.emails[0]), type_=type_) for asked in people]
    office.push()
    office.assert_as_it_must_be(before, *zip(refs, people, strict=True))
    for ref, asked in zip(refs, people, strict=True):
        for row in office.status(ref).rows:
            assert row.outcome in claims.expected(row.system, asked, before), row.system
            assert row.outcome not in OPEN


def test_posts_stay_without_their_author_when_an_account_goes_and_go_with_an_erasure(office: Office) -> None:
    account, everything = _authors(office)
    posts = {one.id: one for one in office.estate.posts()}
    office.approved(kit.email(account.email), type_=RequestType.ACCOUNT_DELETION)
    office.approved(kit.email(everything.email))
    office.push()
    left = {str(record["__name__"]): record for record in office.sandbox.company.records("firestore", "posts")}
    for path, post in posts.items():
        if post.fields["author"] == account.uid:
            assert left[path]["text"] == post.fields["text"]
            assert not {"author", "author_name"} & left[path].keys()
        else:
            assert (path in left) == (post.fields["author"] != everything.uid)


def test_a_prospect_of_a_customer_is_routed_and_untouched(office: Office) -> None:
    contact = _contact(office, "customer_prospect")
    before = office.look()
    ref = office.approved(kit.email(contact.email))
    office.push()
    assert not [place for place in scan.changed(before, office.look()) if place[1] in ("contacts", "interactions")]
    for system in ("firestore", "elasticsearch"):
        row = office.row(ref, system)
        assert row.outcome is Outcome.HELD
        assert [(kept.routed, kept.count) for kept in row.stays] == [(True, 1)]
        assert "customer" in row.stays[0].ground


def test_a_prospect_of_the_company_goes_with_history_and_search_mirror(office: Office) -> None:
    contact = _contact(office, "own_prospect")
    before = office.look()
    asked = truth.Asked(scan.Known("", (contact.email,), ()))
    ref = office.approved(kit.email(contact.email))
    office.push()
    now = office.look()
    assert not scan.mentions(now, [contact.id])
    assert scan.mentions(before, [contact.id]).keys() >= {("firestore", "interactions"), ("elasticsearch", "contacts")}
    office.assert_as_it_must_be(before, (ref, asked))
    # The account was never one: the deletion of an account would have kept the contact.
    assert office.row(ref, "firebase_auth").outcome is Outcome.ABSENT


def test_the_deletion_of_an_account_keeps_a_business_contact(office: Office) -> None:
    contact = _contact(office, "own_prospect")
    ref = kit.open_request(office.desk, kit.email(contact.email), type_=RequestType.ACCOUNT_DELETION)
    office.plan_and_approve(ref)
    office.push()
    assert scan.mentions(office.look(), [contact.id])["firestore", "contacts"] == 1
    assert office.row(ref, "firestore").outcome is Outcome.HELD


def test_a_contact_found_under_a_past_address_of_a_user_goes_too(office: Office) -> None:
    person = next(p for p in office.estate.people if office.estate.identities[p.uid].past_emails)
    past = office.estate.identities[person.uid].past_emails[0]
    contact = replace(_contact(office, "own_prospect"), id="metbefore", email=past)
    office.write(contact.path, contact.fields)
    asked, before = office.asked(person), office.look()
    ref = office.approved(kit.email(person.email))
    office.push()
    office.assert_as_it_must_be(before, (ref, asked))
    assert not scan.mentions(office.look(), ["metbefore"])


def test_a_past_address_alone_leads_to_everything(office: Office) -> None:
    person = next(p for p in office.estate.people if office.estate.identities[p.uid].past_emails)
    asked, before = office.asked(person), office.look()
    ref = office.approved(kit.email(office.estate.identities[person.uid].past_emails[0]))
    office.push()
    office.assert_as_it_must_be(before, (ref, asked))
    assert office.status(ref).stage in (Stage.WAITING, Stage.DONE)


def _authors(office: Office) -> tuple[scan.Person, scan.Person]:
    authors = dict.fromkeys(str(post.fields["author"]) for post in office.estate.posts())
    first, second = list(authors)[:2]
    people = {person.uid: person for person in office.estate.people}
    return people[first], people[second]


def _contact(office: Office, source: str) -> Contact:
    mine = {person.email for person in office.estate.people}
    return next(one for one in office.estate.contacts() if one.source == source and one.email not in mine)
