"""Hashes leave all audiences; who is in one is never known, and nothing is claimed of it."""

from datetime import timedelta

import pytest

from include.errors import Refused, Unavailable
from include.sandbox.facebook import Audience
from include.systems.erasing import Did
from tests.systems.conformance.means import NOW
from tests.systems.facebook.conftest import hashed
from tests.systems.meta.contract import payload
from tests.systems.social import person
from tests.vendor import Reply

ANN = person(1, email=["Ann@X.example", "past@x.example"])
BEN = person(2, email="ben@x.example")


def removals(facebook):
    return [payload(call)["data"] for call in facebook.asked("DELETE", "usersofanyaudience")]


def test_all_addresses_of_many_people_go_in_one_call_past_ones_too(facebook, page):
    page.uploaded("ann@x.example", "past@x.example", "ben@x.example", "joann@x.example")
    found, receipts, seen = facebook.run(ANN, BEN)
    assert [one.total for one in found] == [0, 0], "who is in an audience is not known"
    assert facebook.state("audience_members") == [
        {"audience": "601", "schema": "EMAIL_SHA256", "hash": hashed("joann@x.example")}
    ]
    assert len(removals(facebook)) == 1
    assert [receipt.did for receipt in receipts] == [Did.ACCEPTED] * 2
    assert {receipt.until for receipt in receipts} == {NOW + timedelta(hours=24)}
    assert [(one.proved, one.remaining, one.until) for one in seen] == [(False, 0, NOW + timedelta(hours=24))] * 2


def test_it_takes_the_vendor_as_long_as_it_says(facebook, page):
    facebook.twin.settings.audience_hours = 24
    page.uploaded("ben@x.example")
    facebook.run(BEN)
    assert len(facebook.state("audience_members")) == 1
    facebook.clock.now = NOW + timedelta(hours=25)
    assert facebook.state("audience_members") == []


def test_more_than_a_call_can_hold_are_split(facebook, page):
    people = [person(number, email=f"p{number}@x.example") for number in range(1, 6)]
    facebook.run(*people, audience_records=2)
    assert [len(sent) for sent in removals(facebook)] == [2, 2, 1]
    facebook.exchanges.clear()
    facebook.run(*people)
    assert [len(sent) for sent in removals(facebook)] == [5]


def test_nothing_is_sent_to_an_account_without_an_audience_of_people(facebook, page):
    facebook.twin.held.audiences = {"603": Audience("603", "Lookalike", "LOOKALIKE")}
    (found,), (receipt,), (seen,) = facebook.run(ANN)
    assert removals(facebook) == []
    assert (found.total, receipt.did, seen.proved) == (0, Did.ABSENT, True)


def test_without_an_ad_account_no_audience_is_asked_for(facebook, page):
    assert facebook.run(ANN, ad_account_id=None)[1][0].did is Did.ABSENT
    assert facebook.asked("GET", "act_") == []


def test_what_is_no_address_is_not_hashed(facebook, page):
    odd = person(1, email=["*", "@x.example", "ann@", ""], phone=["030 1234", "+49 30 abc 1234"])
    assert facebook.run(odd)[1][0].did is Did.ABSENT
    assert removals(facebook) == []


def test_fewer_received_than_sent_is_no_receipt(facebook, page):
    facebook.instead = lambda call: (
        Reply(200, {"num_received": 1, "num_invalid_entries": 0}) if call.method == "DELETE" else None
    )
    with pytest.raises(Unavailable):
        facebook.run(ANN)


def test_hashes_that_the_vendor_calls_invalid_are_a_matter_for_a_person(facebook, page):
    facebook.instead = lambda call: (
        Reply(200, {"num_received": 2, "num_invalid_entries": 1}) if call.method == "DELETE" else None
    )
    with pytest.raises(Refused):
        facebook.run(ANN)


def test_comments_and_audiences_make_one_receipt(facebook, page):
    page.says("1000_1", "107")
    (found,), (receipt,), _ = facebook.run(person(1, email="ann@x.example", account="facebook:107"))
    assert found.counts == {"comments": 1}
    assert (receipt.did, receipt.gone) == (Did.ACCEPTED, 1)
