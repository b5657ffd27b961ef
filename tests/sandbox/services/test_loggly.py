"""The sandbox's Loggly, driven by plain requests.

Contract by hand, from https://documentation.solarwinds.com/en/success_center/loggly/content/admin/: pages
paginating-event-retrieval-api.htm and api-retrieving-data.htm.
"""

from datetime import timedelta

import pytest

from include.sandbox.faults import FaultKind
from include.sandbox.loggly import Event, LogglySandbox
from tests.sandbox.services.kit import NOW, ago, running

TOKEN = {"Authorization": "bearer t"}


@pytest.fixture(scope="module")
def server():
    with running("loggly", LogglySandbox) as server:
        yield server


@pytest.fixture
def log(server):
    server.fresh().twin.seed(
        [
            event("e1", 1, uid="u1", message="page was slow for Ann@Example.com"),
            event("e2", 2, uid="u2", message="page was slow for jo-ann@example.com"),
            event("e3", 3, uid="u3", message="page was slow for joann@example.com", more={"user": "u1"}),
            event("e4", 20, uid="u1", message="session was renewed"),
        ]
    )
    return server


def event(identifier, days, **content):
    return Event(identifier, ago(days=days), content)


def iterate(log, q, **more):
    params = {"q": q, "from": "-30d", "until": "now", "size": 50, **more}
    return log.call("GET", "/apiv2/events/iterate", params=params, headers=TOKEN)


def ids(answer):
    assert answer[0] == 200, answer
    return [event["id"] for event in answer[1]["events"]]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("*", ["e1", "e2", "e3", "e4"]),
        ('"ann@example.com"', ["e1", "e2"]),
        ('"joann@example.com"', ["e3"]),
        ('json.uid:"u1"', ["e1", "e4"]),
        ("json.uid:u1", ["e1", "e4"]),
        ('"u1"', ["e1", "e3", "e4"]),
        ('"u1" OR "u2"', ["e1", "e2", "e3", "e4"]),
        ("slow AND json.uid:u1", ["e1"]),
        ("slow u1", ["e1", "e3"]),
        ('"was renewed"', ["e4"]),
        ('"renewed was"', []),
        ('"%"', []),
        ('"a\\"nn"', []),
        ("json.message:u1", []),
    ],
)
def test_events_are_found_by_words_in_a_row(log, q, found):
    assert ids(iterate(log, q)) == found


def test_only_the_time_asked_for_is_searched(log):
    assert ids(iterate(log, "*", **{"from": "-2d"})) == ["e1", "e2"]
    assert ids(log.call("GET", "/apiv2/events/iterate?q=*", headers=TOKEN)) == ["e1"]
    assert ids(iterate(log, "*", order="asc", until=ago(days=2).isoformat())) == ["e4", "e3", "e2"]
    assert iterate(log, "*", **{"from": "once"})[0] == 400


def test_pages_follow_each_other_by_an_absolute_address_for_ten_minutes(log):
    log.twin.seed(event(f"p{number:03}", 5, message="many") for number in range(120))
    url, pages = None, []
    while url is not None or not pages:
        page = iterate(log, "many") if url is None else log.call("GET", url, headers=TOKEN)
        pages.append(ids(page))
        url = page[1].get("next")
        assert url is None or url.startswith(f"{log.url}/apiv2/events/iterate?next=")
    assert [len(page) for page in pages] == [50, 50, 20]
    assert len({one for page in pages for one in page}) == 120
    following = iterate(log, "many")[1]["next"]
    log.now += timedelta(minutes=11)
    assert log.call("GET", following, headers=TOKEN)[0] == 404


@pytest.mark.parametrize("size", ["0", "1001", "many"])
def test_a_wrong_size_is_refused(log, size):
    assert iterate(log, "*", size=size)[0] == 400


def test_the_older_search_has_numbered_pages(log):
    params = {"q": "*", "from": "-30d", "size": 3}
    number = log.call("GET", "/apiv2/search", params=params, headers=TOKEN)[1]["rsid"]["id"]
    pages = [log.call("GET", f"/apiv2/events?rsid={number}&page={page}", headers=TOKEN) for page in (0, 1, 2)]
    assert [ids(page) for page in pages] == [["e1", "e2", "e3"], ["e4"], []]
    assert pages[0][1]["total_events"] == 4
    assert log.call("GET", "/apiv2/events?rsid=1", headers=TOKEN)[0] == 404


def test_events_end_with_the_retention_of_the_subscription(log):
    subscription = log.call("GET", "/apiv2/customer", headers=TOKEN)[1]["subscription"]
    assert subscription["retention_days"] == 30
    log.now = NOW + timedelta(days=10)
    assert ids(iterate(log, "*", **{"from": "-90d"})) == ["e1", "e2", "e3"]
    assert log.counts() == {"events": 3}
    log.twin.settings.retention_days = 7
    assert log.counts() == {}


def test_nothing_deletes_an_event(log):
    for path in ("/apiv2/events/iterate", "/apiv2/events", "/apiv2/events/e1"):
        assert log.call("DELETE", path, headers=TOKEN)[0] in (404, 405)
    assert log.counts() == {"events": 4}


def test_nothing_is_answered_without_a_token(log):
    assert log.call("GET", "/apiv2/customer")[0] == 401


def test_an_event_is_shown_with_its_fields(log):
    (shown,) = iterate(log, "renewed")[1]["events"]
    assert shown["event"]["json"] == {"uid": "u1", "message": "session was renewed"}
    assert shown["timestamp"] == int(ago(days=20).timestamp() * 1000)
    assert shown["logtypes"] == ["json"]


def test_too_many_calls_are_a_503(log):
    log.fail(FaultKind.STATUS, "GET /apiv2", status=503)
    assert iterate(log, "*") == (503, {"message": "Service Unavailable"})
