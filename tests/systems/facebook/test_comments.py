"""What people wrote on the page: exactly theirs goes, and nobody's answer goes with it."""

import pytest

from include.errors import Inconsistent, Refused, Throttled, Unavailable
from include.policy.persons import RequestType
from include.sandbox.faults import Fault, FaultKind
from include.systems.erasing import Did
from tests.systems.meta.contract import parts
from tests.systems.social import person
from tests.vendor import Reply

ANN = person(1, account="facebook:107")


def test_posts_comments_and_answers_of_a_person_go_and_no_look_alikes(facebook, page):
    page.says("2000", "107", parent="")
    page.says("1000_1", "107")
    page.says("1000_2", "1071")
    page.says("1000_3", "999")
    page.says("1000_4", "107", "1000_3")
    (found,), (receipt,), (seen,) = facebook.run(ANN)
    assert page.left() == {"1000_2", "1000_3"}
    assert (found.counts, receipt.did, receipt.gone) == ({"comments": 3}, Did.GONE, 3)
    assert (seen.remaining, seen.proved) == (0, True)


def test_a_comment_below_which_others_wrote_is_left_to_a_person(facebook, page):
    page.says("1000_1", "107")
    page.says("1000_2", "999", "1000_1")
    page.says("1000_3", "107", "1000_1")
    (found,), (receipt,), (seen,) = facebook.run(ANN)
    assert page.left() == {"1000_1", "1000_2"}
    assert found.counts == {"comments": 1, "answered_comments": 1}
    assert (receipt.did, receipt.gone) == (Did.MANUAL, 1)
    assert "1 comment(s) below which others have written" in receipt.next_action
    assert seen.remaining == 1


def test_an_answer_of_somebody_else_to_an_answer_counts_for_the_comment_above_too(facebook, page):
    page.says("1000_1", "107")
    page.says("1000_2", "107", "1000_1")
    page.says("1000_3", "999", "1000_2")
    assert facebook.run(ANN)[0][0].counts == {"answered_comments": 2}
    assert page.left() == {"1000_1", "1000_2", "1000_3"}


def test_the_companys_own_answer_may_go_along(facebook, page):
    page.says("1000_1", "107")
    page.says("1000_2", "", "1000_1")
    assert facebook.run(ANN)[1][0].did is Did.GONE
    assert set(page.held.texts) == {"1000"}


def test_all_pages_are_read(facebook, page):
    for number in range(120):
        page.says(f"{5000 + number}", "107" if number == 3 else "999", parent="")
    for number in range(250):
        page.says(f"1000_{number}", "107" if number in (1, 240) else "999")
    assert facebook.run(ANN)[1][0].gone == 3
    assert len(page.left()) == 367
    assert len(facebook.asked("GET", "/feed")) == 4


def test_fewer_posts_come_in_a_page_where_the_connection_says_so(facebook, page):
    page.says("5000", "107", parent="")
    facebook.run(ANN, content_per_page=1)
    assert {dict(call.query)["limit"] for call in facebook.asked("GET", "/feed")} == {"1"}
    assert page.left() == set()


def test_deletions_come_fifty_to_a_batch(facebook, page):
    for number in range(101):
        page.says(f"1000_{number}", "107")
    assert facebook.run(ANN)[1][0].gone == 101
    batches = [parts(one) for one in facebook.exchanges if one.call.method == "POST"]
    assert [len(batch) for batch in batches if batch[0].call.method == "DELETE"] == [50, 50, 1]


def test_two_accounts_of_a_person_are_both_looked_for_and_the_page_itself_never(facebook, page):
    page.says("1000_1", "107")
    page.says("1000_2", "108")
    me = person(1, account=["facebook:107", "facebook:108", "facebook:100200300400500", "instagram:109"])
    assert facebook.run(me)[0][0].counts == {"comments": 2}
    assert "1000" in page.held.texts


def test_nobody_is_looked_for_without_an_account(facebook, page):
    facebook.run(person(1, account="instagram:107"), ad_account_id=None)
    assert facebook.calls == []


def test_an_account_that_is_closed_leaves_what_was_public(facebook, page):
    page.says("1000_1", "107")
    page.writes("t_1", "107", "Hi")
    closed = person(1, account="facebook:107", request=RequestType.ACCOUNT_DELETION)
    (found,), (receipt,), (seen,) = facebook.run(closed)
    assert page.left() == {"1000_1"}
    assert [(each.what, each.count) for each in found.stays] == [("comments", 1)]
    assert "§6.2" in found.stays[0].ground
    assert (receipt.did, seen.remaining) == (Did.MANUAL, 1)


def test_a_comment_that_the_page_may_not_delete_is_left_to_a_person(facebook, page):
    page.says("1000_1", "107")
    page.says("1000_2", "107")
    facebook.twin.settings.undeletable.add("1000_1")
    _, (receipt,), (seen,) = facebook.run(ANN)
    assert (receipt.did, receipt.gone, seen.remaining) == (Did.MANUAL, 1, 1)
    assert "1 comment(s) that the vendor does not let the page delete" in receipt.next_action


def test_a_batch_that_fails_in_part_is_run_again_and_counts_what_was_left(facebook, page):
    for number in range(4):
        page.says(f"1000_{number}", "107")
    system = facebook.system()
    found = system.find([ANN])
    facebook.faults.add(Fault("facebook", FaultKind.PARTIAL))
    with pytest.raises(Unavailable):
        system.erase(found)
    assert len(page.left()) == 2
    (receipt,) = system.erase(system.find([ANN]))
    assert (receipt.did, receipt.gone, page.left()) == (Did.GONE, 2, set())


def test_what_is_gone_already_is_absent(facebook, page):
    page.says("1000_1", "107")
    system = facebook.system()
    found = system.find([ANN])
    page.held.delete("1000_1")
    (receipt,) = system.erase(found)
    assert (receipt.did, receipt.gone) == (Did.ABSENT, 0)


def test_an_id_that_is_none_of_an_object_is_never_sent(facebook, page):
    page.says("me", "107")
    with pytest.raises(Inconsistent):
        facebook.run(ANN)
    assert not [
        part
        for one in facebook.exchanges
        if one.call.method == "POST"
        for part in parts(one)
        if part.call.method == "DELETE"
    ]


def test_a_limit_that_comes_as_400_is_waited_for_by_the_scheduler(facebook, page):
    facebook.twin.settings.calls_per_hour = 0
    with pytest.raises(Throttled) as raised:
        facebook.run(ANN)
    assert 0 < raised.value.retry_after <= 3600


def test_a_limit_inside_of_a_batch_is_one_too(facebook, page):
    facebook.twin.settings.calls_per_hour = 1
    with pytest.raises(Throttled):
        facebook.run(ANN)


def test_a_token_that_was_withdrawn_is_refused_though_it_comes_as_400(facebook, page):
    error = {"error": {"message": "x", "type": "OAuthException", "code": 190, "fbtrace_id": "x"}}
    facebook.instead = lambda call: Reply(400, error)
    with pytest.raises(Refused) as raised:
        facebook.run(ANN)
    assert "valid token" in raised.value.next_step


def test_a_passing_error_that_comes_as_400_is_unavailable(facebook, page):
    facebook.instead = lambda call: Reply(400, {"error": {"code": 2, "is_transient": True}})
    with pytest.raises(Unavailable):
        facebook.run(ANN)


def test_a_list_that_does_not_advance_ends_in_an_error(facebook, page):
    page.says("1000_1", "999")
    stuck = {"data": [{"id": "1"}], "paging": {"cursors": {"after": "a"}, "next": "https://graph.facebook.com/x"}}
    facebook.instead = lambda call: Reply(200, stuck) if call.path.endswith("/feed") else None
    with pytest.raises(Inconsistent):
        facebook.run(ANN)
