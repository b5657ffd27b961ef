"""How a person is looked for in telemetry, when the last event ends, and what is counted for everybody."""

from datetime import timedelta

import pytest

from include.errors import Refused, Throttled, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox.faults import FaultKind
from include.sandbox.new_relic import Event
from include.systems.erasing import Did
from include.systems.new_relic import queries
from tests.systems.persons import POLICY
from tests.systems.twins import NOW, Clock, Somebody, claim, connected, twin
from tests.vendor import Reply, vendor

UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL
ANN = Somebody(1, {UID: ["u-ann"], EMAIL: ["ann+1@x.example", "old.ann@x.example"]})
BOB = Somebody(2, {EMAIL: ["bob@x.example"]})
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def server():
    with twin("new_relic") as server:
        yield server


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def relic(server, quick, clock):
    server.fresh()
    server.twin.settings.rules = {"Log": 30, "Browser": 8}
    with connected(server, clock) as system:
        yield system


def log(text, days=1.0, **more):
    return Event("Log", NOW - days * DAY, {"message": text, **more})


def look(system, *people):
    return system.find([person.subject() for person in people])


def searches(server):
    return sum(call["operation"] == "POST /graphql" for call in server.journal.as_json()) - 1


def test_the_last_event_says_until_when_a_person_is_held(server, relic):
    server.twin.seed([log("user u-ann", 20), log("mail to <Ann+1@X.example>", 3), log("bob@x.example", 1)])
    server.twin.seed([Event("PageView", NOW - 5 * DAY, {"pageUrl": "https://a.test/?to=ann%2B1%40x.example"})])
    found = look(relic, ANN)
    assert (found[0].counts, found[0].clean_at) == ({"events": 3}, NOW - 3 * DAY + 31 * DAY)
    (receipt,) = relic.erase(found)
    assert (receipt.did, receipt.gone, receipt.until) == (Did.EXPIRING, 0, NOW + 28 * DAY)
    (seen,) = relic.verify([ANN.subject()], [receipt])
    assert (seen.remaining, seen.until, seen.proved) == (0, NOW + 28 * DAY, False)


@pytest.mark.parametrize("text", ["jo-ann+1@x.example", "ann+1@x.example.org", "u-ann-2", "xu-ann", "ann 1@x.example"])
def test_somebody_alike_is_nobody(server, relic, text):
    server.twin.seed([log(text)])
    found = look(relic, ANN)
    receipts = relic.erase(found)
    (seen,) = relic.verify([ANN.subject()], receipts)
    assert (found[0].counts, receipts[0].did, seen.proved) == ({}, Did.ABSENT, True)


def test_an_event_that_outlived_its_date_is_a_matter_for_the_vendors_privacy_team(server, relic, clock):
    server.twin.seed([log("u-ann", 10)])
    clock.now = NOW + 22 * DAY
    (receipt,) = relic.erase(look(relic, ANN))
    assert receipt.did is Did.MANUAL
    assert "1 event(s)" in receipt.next_action
    assert "{identifiers}" in relic.card.contact.text
    assert relic.verify([ANN.subject()], [receipt])[0].remaining == 1


def test_many_persons_share_a_query(server, relic):
    people = [Somebody(number, {EMAIL: [f"p{number}@x.example"]}) for number in range(40)]
    server.twin.seed(log(f"to p{number}@x.example") for number in range(0, 40, 8))
    assert [each.total for each in look(relic, *people)] == [int(number % 8 == 0) for number in range(40)]
    assert searches(server) <= 4


@pytest.mark.parametrize("size", [queries.MAX, queries.MAX + 1, queries.MAX + 700])
def test_more_rows_than_an_answer_takes_are_read_from_the_oldest_on(server, relic, size):
    server.twin.seed(log(f"u-ann {number}", 1 + number // 3 / 10_000) for number in range(size))
    assert look(relic, ANN)[0].counts == {"events": size}


def test_nothing_of_a_value_gets_out_of_its_quotes():
    values = ["a' OR 1=1 --", "b\\", "c`d", "%", "'", "e\nf"]
    subjects = [Somebody(1, {UID: values, EMAIL: ["o'neil@x.example"]}).subject()]
    (search,) = queries.Queries(("Log",), ("message",)).searches(subjects)
    likes = ["a%or%1%1%--", "b%", "c%d", "e%f", "o%neil%x.example"]
    conditions = " OR ".join(f"lower(`message`) LIKE '%{like}%'" for like in likes)
    assert search.partition(" WHERE ") == ("SELECT * FROM Log", " WHERE ", conditions)


def test_a_query_is_no_longer_than_the_vendor_takes():
    people = [Somebody(n, {EMAIL: [f"{n}{'a' * 200}@x.example"], UID: ["ü" * 300]}).subject() for n in range(30)]
    found = list(queries.Queries(queries.EVENTS, queries.ATTRIBUTES).searches(people))
    assert len(found) > 5
    assert max(map(len, found)) <= queries.LENGTH


def test_values_that_could_mean_everything_are_not_searched(server, relic):
    assert look(relic, Somebody(1, {UID: ["%", "*", "", "'"]}))[0].counts == {}
    assert server.journal.as_json() == []


def test_what_looks_like_an_address_is_counted_and_never_shown(server, relic):
    server.twin.seed([log("sent to ann@x.example"), log("ok"), log("old ann@x.example", 3), log("react@18.2.0")])
    server.twin.seed([Event("Transaction", NOW - DAY / 2, {"request.uri": "/join?to=bob%40x.example"})])
    server.twin.seed([Event("Transaction", NOW - DAY / 2, {"request.uri": "/join"})])
    checked = relic.check(claim("no_identifiers"))
    assert (checked.looked, checked.violations, checked.asked) == (5, 2, True)
    assert "ann" not in checked.note
    assert relic.check(claim("derived_from", "google_analytics")).asked is False


def test_retention_is_compared_with_the_promise(server, relic):
    promise = next(one for one in POLICY.promises if one.id == "A12")
    server.twin.settings.rules["Log"] = 90
    found = {each.setting.removeprefix("data retention of "): each for each in relic.retention([promise])}
    assert (found["Log"].configured, found["Log"].wanted, found["Log"].agrees) == ("90 days", "30 days", False)
    assert (found["Browser"].configured, found["Browser"].agrees) == ("8 days", True)
    assert (found["APM"].configured, found["APM"].agrees) == ("30 days", True)
    assert relic.retention([]) == []


def test_a_key_that_may_not_see_retention_lacks_a_right(server, relic):
    server.twin.seed([log("u-ann")])
    assert relic.access().missing == ()
    server.twin.settings.may_see_retention = False
    assert relic.access().missing
    with pytest.raises(Refused):
        look(relic, ANN)


def test_another_account_is_refused_although_it_is_answered_with_200(server, relic):
    with connected(server, extra={"account_id": 7}) as system, pytest.raises(Refused):
        system.access()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"errors": [{"message": "x", "extensions": {"errorClass": "TOO_MANY_REQUESTS"}}]}, Throttled),
        ({"errors": [{"message": "NRDB:1109 query timed out"}]}, Unavailable),
        ({"errors": [{"message": "x", "extensions": {"errorClass": "SERVER_ERROR"}}]}, Unavailable),
        ({"errors": [{"message": "NRQL Syntax Error near 'ann@x.example'"}]}, Refused),
        ({"data": {"actor": {"account": None}}}, Refused),
    ],
)
def test_an_error_in_an_accepted_answer_is_one(server, quick, body, error):
    with vendor(lambda call: Reply(200, body)) as answering, connected(server, host=answering.url) as system:
        with pytest.raises(error) as raised:
            look(system, ANN)
        assert type(raised.value) is error
        assert "ann" not in str(raised.value)


def test_the_limit_of_queries_is_a_wait(server, relic):
    server.twin.seed([log("u-ann")])
    server.twin.settings.queries_per_minute = 0
    with pytest.raises(Throttled):
        look(relic, ANN)


def test_a_failure_is_no_proof(server, relic):
    server.fail(FaultKind.STATUS, status=502, times=99)
    with pytest.raises(Unavailable):
        relic.verify([ANN.subject()], [])


@pytest.mark.parametrize(
    "lacking",
    [
        {"password": None},
        {"extra": {"account_id": None}},
        {"extra": {"account_id": "12; 3"}},
        {"extra": {"attributes": ["a` OR `b"]}},
        {"extra": {"event_types": []}},
    ],
)
def test_a_connection_that_lacks_something_is_refused(server, lacking):
    with pytest.raises(Refused), connected(server, **lacking):
        pass
