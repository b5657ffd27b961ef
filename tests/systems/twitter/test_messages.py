"""Direct messages: what X shows goes on our side, within its limits; of the rest nothing is claimed."""

from datetime import timedelta

import pytest

from include.errors import Inconsistent, Refused, Throttled
from include.sandbox.twitter import OWN
from include.systems.assuring import ChecksAccess, ListsPeople
from include.systems.erasing import Did, Exporting
from include.systems.twitter import ERASING_CARD
from tests.systems.conformance.means import NOW
from tests.systems.social import person
from tests.systems.twitter.conftest import DAY
from tests.vendor import Reply

ANN = person(1, account="twitter:143567")
BEN = person(2, account="twitter:1435671")


def left(twitter):
    return {record["id"] for record in twitter.state("messages")}


def test_both_sides_of_a_conversation_go_and_no_look_alikes(twitter, account):
    account.got("1000", "143567")
    account.answered("1001", "143567")
    account.got("1002", "1435671")
    account.got("1003", "43567")
    (found,), (receipt,), (seen,) = twitter.run(ANN)
    assert left(twitter) == {"1002", "1003"}
    assert (found.counts["messages"], receipt.gone, seen.remaining) == (2, 2, 0)


def test_in_a_group_only_what_the_person_said_goes(twitter, account):
    account.got("1000", "143567", place="1580000000000000000")
    account.got("1001", "999", place="1580000000000000000")
    twitter.run(ANN)
    assert left(twitter) == {"1001"}


def test_older_messages_can_not_be_seen_so_that_a_person_looks_whenever_an_account_is_known(twitter, account):
    account.got("1000", "143567", age=31 * DAY)
    (found,), (receipt,), (seen,) = twitter.run(ANN)
    assert (found.counts, left(twitter)) == ({"accounts": 1}, {"1000"})
    assert (receipt.did, receipt.gone, seen.proved) == (Did.MANUAL, 0, False)
    assert receipt.next_action.startswith("Left by hand: messages older than 30 days")
    assert receipt.next_action.endswith(ERASING_CARD.instructions)


def test_messages_that_only_their_sender_may_delete_are_left_to_a_person(twitter, account):
    twitter.twin.settings.received_deletable = False
    account.got("1000", "143567")
    account.answered("1001", "143567")
    _, (receipt,), (seen,) = twitter.run(ANN)
    assert (receipt.did, receipt.gone, seen.remaining) == (Did.MANUAL, 1, 1)
    assert "1 of the last 30 days that X lets nobody but their sender delete" in receipt.next_action


def test_a_token_that_may_delete_none_is_a_matter_of_the_connection(twitter, account):
    twitter.twin.settings.access_level = "read-write"
    account.got("1000", "143567")
    account.answered("1001", "143567")
    with pytest.raises(Refused) as raised:
        twitter.run(ANN)
    assert "right to direct messages" in raised.value.next_step


def test_many_people_are_looked_for_in_one_list(twitter, account):
    for number in range(250):
        account.got(str(1000 + number), str(500 + number))
    twitter.system().find([person(number + 1, account=f"twitter:{500 + number}") for number in range(200)])
    assert len(twitter.asked("GET", "/2/dm_events")) == 3


def test_what_does_not_fit_into_a_window_waits_for_the_next_one(twitter, account):
    for number in range(5):
        account.got(str(1000 + number), "143567" if number < 3 else "1435671")
    _, (first, second), _ = twitter.run(ANN, BEN, deletions_per_window=4)
    assert (first.did, first.gone) == (Did.MANUAL, 3)
    assert (second.did, second.gone, second.until) == (Did.DEFERRED, 1, NOW + timedelta(minutes=15))
    twitter.clock.now = second.until
    assert twitter.run(BEN, deletions_per_window=4)[1][0].did is Did.MANUAL
    assert left(twitter) == set()


def test_what_does_not_fit_into_a_day_waits_for_the_next_one(twitter, account):
    account.got("1000", "143567")
    account.got("1001", "143567")
    _, (receipt,), _ = twitter.run(ANN, deletions_per_day=1)
    assert (receipt.did, receipt.gone, receipt.until) == (Did.DEFERRED, 1, NOW + timedelta(hours=12))


def test_lists_are_counted_before_they_are_asked_for(twitter, account):
    system = twitter.system(reads_per_window=1)
    system.find([ANN])
    with pytest.raises(Throttled) as raised:
        system.find([ANN])
    assert raised.value.retry_after == 900
    assert len(twitter.asked("GET", "/2/dm_events")) == 1


def test_the_vendors_own_word_about_its_window_is_kept(twitter, account):
    twitter.twin.settings.reads_per_window = 0
    with pytest.raises(Throttled) as raised:
        twitter.run(ANN)
    assert 0 < raised.value.retry_after <= 900


def test_a_message_that_is_gone_already_is_not_counted(twitter, account):
    account.got("1000", "143567")
    system = twitter.system()
    found = system.find([ANN])
    twitter.twin.messages.clear()
    assert system.erase(found)[0].gone == 0


def test_an_id_that_is_none_of_a_message_is_never_sent(twitter, account):
    account.got("1000x", "143567")
    with pytest.raises(Inconsistent):
        twitter.run(ANN)
    assert twitter.asked("DELETE") == []


def test_an_account_that_has_no_messages_is_not_asked_for_any(twitter, account):
    (found,), (receipt,), _ = twitter.run(ANN, direct_messages=False)
    assert twitter.asked("GET", "/2/dm_events") == []
    assert (found.counts, receipt.did) == ({}, Did.ACCEPTED)
    assert list(twitter.system(direct_messages=False).people()) == []


def test_the_companys_own_account_is_nobody(twitter, account):
    account.got("1000", "143567")
    assert twitter.run(person(1, account=f"twitter:{OWN}"), ad_account_id=None)[1][0].did is Did.ABSENT
    assert left(twitter) == {"1000"}


def test_an_export_has_the_messages_with_the_person_and_no_others(twitter, account):
    account.got("1000", "143567")
    account.answered("1001", "143567")
    account.got("1002", "1435671")
    system = twitter.system()
    assert isinstance(system, Exporting)
    mine, other = system.export([ANN, BEN])
    assert {message["id"] for message in mine.records["messages"]} == {"1000", "1001"}
    assert [message["text"] for message in other.records["messages"]] == ["Hello"]
    assert "Hello" not in repr(other)


def test_everybody_who_wrote_or_was_written_to_can_be_listed(twitter, account):
    account.got("1000", "143567")
    account.answered("1001", "1435671")
    account.got("1002", "999", place="1580000000000000000")
    system = twitter.system()
    assert isinstance(system, ListsPeople)
    assert {one.value for one in system.people()} == {"twitter:143567", "twitter:1435671", "twitter:999"}


def test_the_access_says_what_the_token_may_not_do(twitter, account):
    system = twitter.system()
    assert isinstance(system, ChecksAccess)
    assert (system.access().missing, system.access().shown) == ((), True)
    twitter.twin.settings.access_level = "read-write"
    assert twitter.system().access().missing == ("read-write-directmessages",)
    twitter.twin.settings.access_level = ""
    assert twitter.system().access().shown is False


def test_a_token_of_another_account_is_an_error(twitter, account):
    twitter.instead = lambda call: Reply(200, {"data": {"id": "1"}}) if call.path == "/2/users/me" else None
    with pytest.raises(Inconsistent):
        twitter.system().access()
