"""Hashes leave every audience that a list of people was added to; who is in one is never known."""

from datetime import timedelta

import pytest

from include.errors import Refused, Unavailable
from include.sandbox.twitter import Audience
from include.systems.erasing import Did
from include.systems.twitter import audiences
from tests.systems.conformance.means import NOW
from tests.systems.social import person
from tests.systems.twitter.conftest import hashed
from tests.vendor import Reply

ANN = person(1, email=["Ann@X.example", "past@x.example"])
BEN = person(2, email="ben@x.example")


def sent(twitter):
    return [call for call in twitter.calls if call.path.endswith("/users")]


def test_all_keys_of_many_people_go_in_one_call_to_each_list(twitter, account):
    account.twin.audiences["2a03"] = Audience("2a03", "Events")
    account.uploaded("email", "ann@x.example", "past@x.example", "ben@x.example", "joann@x.example")
    account.uploaded("twitter_id", "143567")
    known = person(1, email=["Ann@X.example", "past@x.example"], account="twitter:143567")
    twitter.run(known, BEN)
    assert {record["hash"] for record in twitter.state("audience_members")} == {hashed("joann@x.example")}
    assert [call.segments[4] for call in sent(twitter)] == ["2a01", "2a03"]
    assert [len(call.json) for call in sent(twitter)] == [2, 2]


def test_an_acknowledgement_is_all_there_is(twitter, account):
    _, receipts, seen = twitter.run(ANN, BEN)
    assert [(one.did, one.until) for one in receipts] == [(Did.ACCEPTED, NOW + timedelta(hours=8))] * 2
    assert [(one.proved, one.remaining, one.until) for one in seen] == [(False, 0, NOW + timedelta(hours=8))] * 2


def test_it_takes_the_vendor_as_long_as_it_says(twitter, account):
    twitter.twin.settings.audience_hours = 8
    account.uploaded("email", "ben@x.example")
    twitter.run(BEN)
    assert len(twitter.state("audience_members")) == 1
    twitter.clock.now = NOW + timedelta(hours=9)
    assert twitter.state("audience_members") == []


def test_an_audience_of_visitors_is_never_asked_and_one_of_an_unknown_type_is(twitter, account):
    twitter.twin.audiences.clear()
    twitter.twin.audiences["2a02"] = Audience("2a02", "Visitors", "WEB")
    assert twitter.run(ANN)[1][0].did is Did.ABSENT
    assert sent(twitter) == []
    twitter.twin.audiences["2a04"] = Audience("2a04", "New", "SOMETHING_NEW")
    with pytest.raises(Refused):
        twitter.run(ANN)


def test_all_pages_of_audiences_are_read(twitter, account):
    pages = {"": (["a1", "a2"], "n1"), "n1": (["a3"], None)}

    def listed(call):
        if not call.path.endswith("/custom_audiences"):
            return None
        found, following = pages[dict(call.query).get("cursor", "")]
        return Reply(200, {"data": [{"id": one, "audience_type": "CRM"} for one in found], "next_cursor": following})

    twitter.instead = listed
    assert twitter.system()._audiences.lists() == ["a1", "a2", "a3"]


def test_a_call_holds_no_more_operations_than_the_vendor_takes(twitter, account):
    people = [person(number, email=f"p{number}@x.example") for number in range(1, 2502)]
    twitter.run(*people)
    assert [len(call.json) for call in sent(twitter)] == [2500, 1]


def test_a_call_is_no_longer_than_the_vendor_takes(twitter, account, monkeypatch):
    monkeypatch.setattr(audiences, "BYTES", 700)
    people = [person(number, email=f"p{number}@x.example") for number in range(1, 8)]
    twitter.run(*people)
    assert sum(len(call.json) for call in sent(twitter)) == 7
    assert all(len(call.body) <= 700 for call in sent(twitter))
    assert len(sent(twitter)) == 2


@pytest.mark.parametrize(
    "data", [{}, {"success_count": 0, "total_count": 1}, {"success_count": 1, "total_count": 2}, {"total_count": 1}]
)
def test_counts_that_differ_are_no_receipt(twitter, account, data):
    twitter.instead = lambda call: Reply(200, {"data": data}) if call.path.endswith("/users") else None
    with pytest.raises(Unavailable):
        twitter.run(BEN)


def test_without_an_ad_account_no_audience_is_asked_for(twitter, account):
    (found,), (receipt,), (seen,) = twitter.run(ANN, ad_account_id=None)
    assert (found.total, receipt.did, seen.proved, twitter.calls) == (0, Did.ABSENT, True, [])


def test_what_is_no_address_is_not_hashed(twitter, account):
    assert twitter.run(person(1, email=["*", "@x.example", ""]))[1][0].did is Did.ABSENT
    assert sent(twitter) == []


def test_the_calls_to_audiences_keep_the_pace(twitter, account):
    system = twitter.system()
    system.erase(system.find([ANN]))
    assert twitter.budgets.paced == {"twitter/audiences": len(twitter.calls)}


@pytest.mark.parametrize(
    "extra",
    [
        {"access_token": None},
        {"access_token": "no-id"},
        {"access_token_secret": None},
        {"ad_account_id": "../18ce"},
        {"calls_per_second": 0},
        {"reads_per_window": True},
        {"deletions_per_day": "1"},
    ],
)
def test_a_connection_that_lacks_something_is_refused(twitter, extra):
    with pytest.raises(Refused) as raised:
        twitter.system(**extra)
    assert next(iter(extra)) in str(raised.value)
