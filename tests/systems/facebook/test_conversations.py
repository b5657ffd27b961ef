"""Conversations, exports, who is there, and the connection itself."""

from datetime import UTC, datetime

import pytest

from include.errors import Refused
from include.systems.assuring import ChecksAccess, ListsPeople
from include.systems.erasing import Did, Exporting
from include.systems.facebook import ERASING_CARD
from tests.systems.social import person
from tests.vendor import Reply

ANN = person(1, account="facebook:107")
BEN = person(2, account="facebook:1071")


def test_a_conversation_is_found_by_the_persons_id_and_left_to_a_person(facebook, page):
    page.writes("t_1", "107", "Hi", "Call me")
    (found, other), (receipt, absent), (seen, _) = facebook.run(ANN, BEN)
    assert (found.counts, other.counts) == ({"conversations": 1}, {})
    assert (receipt.did, receipt.gone, absent.did) == (Did.MANUAL, 0, Did.ABSENT)
    assert receipt.next_action == f"Left by hand: 1 conversation(s). {ERASING_CARD.instructions}"
    assert (seen.remaining, seen.proved) == (1, True)
    assert list(page.held.threads) == ["t_1"]


def test_once_a_person_deleted_it_a_look_proves_it(facebook, page):
    page.writes("t_1", "107", "Hi")
    _, receipts, _ = facebook.run(ANN)
    page.held.threads.clear()
    (seen,) = facebook.system().verify([ANN], receipts)
    assert (seen.remaining, seen.proved) == (0, True)


def test_the_vendors_filter_is_compared_with_the_participants(facebook, page):
    page.writes("t_1", "1071", "Hi")
    facebook.run(ANN)
    stranger = '{"data": [{"id": "t_1", "participants": {"data": [{"id": "1071"}]}}]}'
    facebook.instead = lambda call: Reply(200, [{"code": 200, "body": stranger}]) if call.method == "POST" else None
    assert facebook.run(ANN)[0][0].total == 0


def test_fifty_people_are_looked_for_in_a_batch(facebook, page):
    people = [person(number, account=f"facebook:{number}") for number in range(1, 102)]
    facebook.system().find(people)
    assert len(facebook.asked("POST")) == 3


def test_an_export_has_what_the_person_wrote_and_nothing_of_anybody_else(facebook, page):
    page.says("1000_1", "107", text="mine")
    page.says("1000_2", "999", "1000_1", text="not mine")
    page.writes("t_1", "107", "first", "second")
    page.writes("t_2", "1071", "other")
    system = facebook.system()
    assert isinstance(system, Exporting)
    mine, other = system.export([ANN, BEN])
    assert [comment["message"] for comment in mine.records["comments"]] == ["mine"]
    assert [message["message"] for message in mine.records["messages"]] == ["first", "second"]
    assert [message["message"] for message in other.records["messages"]] == ["other"]
    assert "mine" not in repr(mine)


def test_everybody_can_be_listed_and_the_page_is_nobody(facebook, page):
    page.says("1000_1", "107")
    page.says("1000_2", "", "1000_1")
    page.writes("t_2", "1071", "other")
    system = facebook.system()
    assert isinstance(system, ListsPeople)
    assert {one.value for one in system.people()} == {"facebook:107", "facebook:1071"}


def test_the_access_names_what_is_missing_what_is_too_much_and_when_it_ends(facebook, page):
    system = facebook.system()
    assert isinstance(system, ChecksAccess)
    good = system.access()
    assert (good.missing, good.excess, good.expires_at, good.shown) == ((), (), None, True)
    facebook.twin.settings.scopes = ("pages_read_engagement", "pages_manage_posts", "business_management")
    facebook.twin.settings.expires_at = 1_800_000_000
    told = facebook.system().access()
    assert told.missing == ("ads_management", "pages_manage_engagement", "pages_messaging", "pages_read_user_content")
    assert told.excess == ("pages_manage_posts",)
    assert told.expires_at == datetime.fromtimestamp(1_800_000_000, UTC)
    assert "ads_management" not in facebook.system(ad_account_id=None).access().missing


def test_the_access_of_a_page_that_is_not_assigned_is_refused(facebook, page):
    facebook.instead = lambda call: Reply(200, {"id": "1"}) if "fields" in dict(call.query) else None
    with pytest.raises(Refused) as raised:
        facebook.system().access()
    assert "full control" in raised.value.next_step


def test_the_access_to_an_ad_account_that_is_not_assigned_is_refused(facebook, page):
    with pytest.raises(Refused):
        facebook.system(ad_account_id="999").access()


def test_a_token_that_is_no_longer_valid_is_refused(facebook, page):
    facebook.instead = lambda call: (
        Reply(200, [{"code": 200, "body": '{"data": {"is_valid": false, "scopes": []}}'}])
        if call.method == "POST"
        else None
    )
    with pytest.raises(Refused):
        facebook.system().access()


def test_the_calls_keep_the_pace(facebook, page):
    page.says("1000_1", "107")
    system = facebook.system()
    system.erase(system.find([ANN]))
    assert facebook.budgets.paced == {"facebook/calls": len(facebook.calls)}


@pytest.mark.parametrize(
    "extra",
    [
        {"page_id": None},
        {"page_id": "../me"},
        {"ad_account_id": "act_me"},
        {"version": "25"},
        {"calls_per_second": 0},
        {"content_per_page": 0},
        {"audience_records": -1},
        {"audience_records": True},
    ],
)
def test_a_connection_that_lacks_something_is_refused(facebook, extra):
    with pytest.raises(Refused) as raised:
        facebook.system(**extra)
    assert next(iter(extra)) in raised.value.next_step
    assert facebook.calls == []
