"""The sandbox's tawk.to, driven by plain requests.

Contract by hand, from https://help.tawk.to/article/rest-api and https://docs.tawk.to/.
"""

import pytest

from include.sandbox.faults import FaultKind
from include.sandbox.tawk_to import PROPERTY, Chat, Contact, TawkToSandbox, Ticket
from tests.sandbox.services.kit import ago, running


@pytest.fixture(scope="module")
def server():
    with running("tawk_to", TawkToSandbox) as server:
        yield server


@pytest.fixture
def desk(server):
    twin = server.fresh().twin
    twin.seed(
        chats=[
            Chat("c1", ago(days=1), "", (("v", "It is ann@example.com"),)),
            Chat("c2", ago(days=2), "p1", (("v", "Hello"), ("a", "Hi"))),
            Chat("c3", ago(days=3), "", (("v", "Bye"),), deleted=True),
        ],
        tickets=[Ticket("t1", 7, ago(days=4), "Ann", "Ann@Example.com", "p1", "Export?", (("v", "How?"),))],
        contacts=[Contact("p1", "Ann", "ann@example.com")],
    )
    return server


def call(desk, method, auth=("key", "any"), **body):
    return desk.call("POST", f"/v1/{method}", json={"propertyId": PROPERTY, **body}, auth=auth)


def ids(answer):
    assert answer[1]["ok"] is True
    return [entry["id"] for entry in answer[1]["data"]]


def test_conversations_are_listed_newest_first_or_oldest_first(desk):
    assert ids(call(desk, "chat.list")) == ["c1", "c2"]
    assert ids(call(desk, "chat.list", sort="co-old-new")) == ["c2", "c1"]
    assert ids(call(desk, "chat.list", deleted=True)) == ["c3"]
    assert ids(call(desk, "chat.list", startDate=ago(days=1, hours=1).isoformat())) == ["c1"]
    assert ids(call(desk, "ticket.list", endDate=ago(days=5).isoformat())) == []
    assert call(desk, "property.list")[1]["data"][0]["propertyId"] == PROPERTY


def test_lists_have_pages_of_at_most_fifty(desk):
    desk.twin.seed([Chat(f"m{number:02}", ago(days=9), "", ()) for number in range(60)])
    pages = [call(desk, "chat.list", size=100, offset=offset) for offset in (0, 50, 100)]
    assert [len(ids(page)) for page in pages] == [50, 12, 0]
    assert {page[1]["total"] for page in pages} == {62}
    assert len({one for page in pages for one in ids(page)}) == 62


def test_conversations_and_their_people_can_be_read(desk):
    desk.twin.settings.whole_lists = False
    assert "messages" not in call(desk, "chat.list")[1]["data"][0]
    assert call(desk, "chat.get", chatId="c1")[1]["data"]["messages"][0]["msg"] == "It is ann@example.com"
    ticket = call(desk, "ticket.get", ticketId="t1")[1]["data"]
    assert (ticket["requester"]["email"], ticket["events"][0]["text"]) == ("Ann@Example.com", "How?")
    asked = call(desk, "contact.person.get", personId="p1", fields=["primaryEmail"])
    assert asked[1]["data"] == {"primaryEmail": "ann@example.com"}


@pytest.mark.parametrize(
    ("method", "body", "status", "error"),
    [
        ("chat.delete", {"chatId": "c1"}, 404, "method_not_found"),
        ("ticket.delete", {"ticketId": "t1"}, 404, "method_not_found"),
        ("contact.person.delete", {"personId": "p1"}, 404, "method_not_found"),
        ("chat.get", {"chatId": "other"}, 404, "chat_not_found"),
        ("ticket.get", {}, 404, "ticket_not_found"),
        ("contact.person.get", {}, 404, "person_not_found"),
        ("chat.list", {"propertyId": "other"}, 404, "property_not_found"),
        ("chat.list", {"size": 0}, 400, "invalid_args"),
        ("chat.list", {"sort": "up"}, 400, "invalid_args"),
        ("chat.list", {"startDate": "2026-11-22"}, 400, "invalid_args"),
    ],
)
def test_what_is_not_offered_is_refused_and_nothing_is_deleted(desk, method, body, status, error):
    answer = call(desk, method, **body)
    assert (answer[0], answer[1]["ok"], answer[1]["error"]) == (status, False, error)
    assert desk.counts() == {"chats": 3, "tickets": 1, "contacts": 1}


def test_access_is_by_a_key_and_has_to_be_granted(desk):
    assert call(desk, "chat.list", auth=None)[1]["error"] == "unauthorized"
    desk.twin.settings.rest_access = False
    assert call(desk, "chat.list")[0] == 403


def test_a_person_deletes_in_the_dashboard(desk):
    desk.twin.trash("chats", "c1")
    assert ids(call(desk, "chat.list", deleted=True)) == ["c1", "c3"]
    desk.twin.remove("chats", "c1")
    desk.twin.remove("tickets", "t1")
    desk.twin.remove("contacts", "p1")
    assert desk.counts() == {"chats": 2}
    with pytest.raises(KeyError):
        desk.twin.trash("contacts", "p1")


def test_too_many_calls_are_told_by_a_word(desk):
    desk.fail(FaultKind.STATUS, "POST /v1/chat.list", status=429)
    assert call(desk, "chat.list")[1]["error"] == "rate_limited"
    desk.twin.settings.calls_per_minute = 0
    assert call(desk, "chat.list")[1]["error"] == "rate_limited"
