"""Every call and every answer against what Meta's pages say; see ``tests/systems/meta/contract.py``."""

from datetime import timedelta

import pytest

from include.errors import Refused
from include.policy.persons import RequestType
from include.sandbox.meta.model import INSTAGRAM, Text, Thread
from include.systems.erasing import Did
from include.systems.instagram import ERASING_CARD
from tests.systems.conformance.means import NOW
from tests.systems.meta.contract import CALLS, PARTS, parts
from tests.systems.social import check, network, person

DAY = timedelta(days=1)
ANN = person(1, email="ann@x.example", account="instagram:177")


@pytest.fixture
def instagram(quick):
    with network("instagram") as made:
        made.twin.held.add(Text("1000", "", "Clique", "News", NOW - 9 * DAY))
        yield made


def says(instagram, number, author, parent="1000", text="Hello"):
    instagram.twin.held.add(Text(number, author, "a", text, NOW - DAY, parent))


def left(instagram):
    return {text.id for text in instagram.twin.held.texts.values() if text.author}


def test_each_call_is_one_that_the_pages_describe(instagram):
    for number in range(120):
        says(instagram, f"{2000 + number}", "177" if number % 2 else "999")
    for number in range(60):
        says(instagram, f"{3000 + number}", "177" if number % 2 else "999", "2000")
    instagram.twin.held.threads["t_1"] = Thread("t_1", "177", "a", NOW, ((False, "Hi"),))
    instagram.run(ANN)
    system = instagram.system()
    assert list(system.export([ANN]))
    system.access()
    system.close()
    batches = [one for one in instagram.exchanges if one.call.method == "POST"]
    assert check(CALLS, instagram.exchanges) == {
        "POST /v25.0",
        "GET /v25.0/{page}",
        "GET /v25.0/{account}/media",
        "GET /v25.0/{text}/comments",
        "GET /v25.0/{comment}/replies",
        "GET /v25.0/{thread}/messages",
    }
    inside = check(PARTS, [part for one in batches for part in parts(one)])
    assert inside == {"DELETE /{text}", "GET /debug_token", "GET /{page}/conversations"}


def test_comments_and_answers_on_all_pages_go_and_no_look_alikes(instagram):
    for number in range(120):
        says(instagram, f"{2000 + number}", "177" if number in (1, 119) else "1771")
    for number in range(60):
        says(instagram, f"{3000 + number}", "177" if number in (2, 59) else "999", "2000")
    _, (receipt,), (seen,) = instagram.run(ANN)
    assert (receipt.did, receipt.gone) == (Did.GONE, 4)
    assert len(left(instagram)) == 176
    assert (seen.remaining, seen.proved) == (0, True)


def test_the_companys_own_answer_is_no_answer_of_others(instagram):
    says(instagram, "2000", "177")
    says(instagram, "2001", "", "2000")
    assert instagram.run(ANN)[1][0].did is Did.GONE
    assert set(instagram.twin.held.texts) == {"1000"}


def test_a_comment_with_answers_of_others_and_a_conversation_are_left_to_a_person(instagram):
    says(instagram, "2000", "177")
    says(instagram, "2001", "999", "2000")
    instagram.twin.held.threads["t_1"] = Thread("t_1", "177", "a", NOW, ((False, "Hi"),))
    (found,), (receipt,), (seen,) = instagram.run(ANN)
    assert found.counts == {"answered_comments": 1, "conversations": 1}
    assert (receipt.did, receipt.until, seen.remaining) == (Did.MANUAL, None, 2)
    assert receipt.next_action.endswith(ERASING_CARD.instructions)


def test_no_address_is_ever_sent(instagram):
    (found,), (receipt,), (seen,) = instagram.run(person(1, email="ann@x.example", phone="+15559876543"))
    assert (found.total, receipt.did, seen.proved, instagram.calls) == (0, Did.ABSENT, True, [])


def test_an_account_that_is_closed_leaves_what_was_public(instagram):
    says(instagram, "2000", "177")
    (found,), (receipt,), _ = instagram.run(person(1, account="instagram:177", request=RequestType.ACCOUNT_DELETION))
    assert (receipt.did, found.stays[0].count, left(instagram)) == (Did.ABSENT, 1, {"2000"})


def test_an_export_and_the_list_of_people_name_who_wrote(instagram):
    says(instagram, "2000", "177", text="mine")
    says(instagram, "2001", "999", "2000", text="other")
    (mine,) = instagram.system().export([ANN])
    assert [comment["text"] for comment in mine.records["comments"]] == ["mine"]
    assert {one.value for one in instagram.system().people()} == {"instagram:177", "instagram:999"}


def test_the_rights_of_the_card_are_those_that_the_token_needs(instagram):
    assert (instagram.system().access().missing, instagram.system().access().excess) == ((), ())
    instagram.twin.settings.scopes = ()
    assert set(instagram.system().access().missing) == set(ERASING_CARD.scopes)


@pytest.mark.parametrize("extra", [{"instagram_id": None}, {"page_id": None}, {"instagram_id": "me"}])
def test_a_connection_that_lacks_something_is_refused(instagram, extra):
    with pytest.raises(Refused) as raised:
        instagram.system(**extra)
    assert next(iter(extra)) in raised.value.next_step


def test_the_account_itself_is_never_looked_for(instagram):
    instagram.run(person(1, account=f"instagram:{INSTAGRAM}"))
    assert instagram.calls == []
