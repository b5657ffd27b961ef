"""How a person is looked for in logs, whose events are whose, and when the last one ends."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from include.connection import Connection
from include.errors import Inconsistent, Refused, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox.faults import Fault, FaultKind
from include.systems.erasing import Did
from include.systems.loggly import LENGTH, TERMS, connect_erasing
from tests.loopback import serve
from tests.systems.conformance.means import NOW, Clock, Somebody, means_at
from tests.systems.loggly.vendor import LogglyVendor, connection

UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL
ANN = Somebody(1, {UID: ["u-ann"], EMAIL: ["ann@x.example", "old.ann@x.example"]})
BOB = Somebody(2, {UID: ["u-bob"], EMAIL: ["bob@x.example"]})
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def served():
    vendor = LogglyVendor()
    with serve(vendor.app) as url:
        vendor.url = url
        yield vendor


@pytest.fixture
def vendor(served, quick):
    served.reset()
    return served


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def loggly(vendor, clock):
    system = connect_erasing(connection(vendor.url), means_at(clock))
    yield system
    system.close()


def look(system, *persons):
    return system.find([person.subject() for person in persons])


def queries(vendor):
    return [asked["q"] for asked in vendor.asked if "q" in asked]


def test_the_last_event_says_until_when_a_person_is_held(vendor, loggly):
    vendor.log("user u-ann signed in", NOW - 20 * DAY)
    vendor.log("sent", NOW - 3 * DAY, to="Ann@X.example")
    vendor.log("error for <old.ann@x.example>", NOW - 9 * DAY)
    vendor.log("user u-bob signed in", NOW)
    found = look(loggly, ANN)
    assert (found[0].counts, found[0].clean_at) == ({"events": 3}, NOW - 3 * DAY + 31 * DAY)
    (receipt,) = loggly.erase(found)
    assert (receipt.did, receipt.gone, receipt.until) == (Did.EXPIRING, 0, NOW + 28 * DAY)


def test_who_is_in_no_event_is_absent_and_it_is_proved(vendor, loggly):
    vendor.log("joann@x.example and u-ann-2 and ann@x.example.org", NOW)
    found = look(loggly, ANN)
    receipts = loggly.erase(found)
    assert (found[0].counts, receipts[0].did) == ({}, Did.ABSENT)
    (seen,) = loggly.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.until, seen.proved) == (0, None, True)


def test_events_are_awaited_until_they_are_gone(vendor, loggly, clock):
    vendor.log("u-ann", NOW - 10 * DAY)
    receipts = loggly.erase(look(loggly, ANN))
    (seen,) = loggly.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.until, seen.proved) == (0, NOW + 21 * DAY, False)
    clock.now = NOW + 21 * DAY
    vendor.events.clear()
    (seen,) = loggly.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.until, seen.proved) == (0, None, True)


def test_an_event_that_outlived_its_date_is_a_residual_for_the_vendors_support(vendor, loggly, clock):
    vendor.log("u-ann", NOW - 10 * DAY)
    receipts = loggly.erase(look(loggly, ANN))
    clock.now = NOW + 21 * DAY
    vendor.log("u-ann once more", NOW + 20 * DAY)
    (seen,) = loggly.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.until, seen.proved) == (1, NOW + 51 * DAY, False)
    (again,) = loggly.erase(look(loggly, ANN))
    assert (again.did, again.until) == (Did.MANUAL, NOW + 51 * DAY)
    assert "1 event(s)" in again.next_action


def test_an_event_of_years_ago_would_be_seen(vendor, loggly):
    vendor.log("u-ann", NOW - 900 * DAY)
    assert look(loggly, ANN)[0].counts == {"events": 1}
    (asked,) = vendor.asked
    assert (asked["from"], asked["until"], asked["size"]) == ("-3650d", "now", "1000")


def test_all_pages_are_read_with_the_vendors_cursor(vendor, loggly):
    vendor.page = 50
    for number in range(120):
        vendor.log(f"u-ann {number}", NOW - number * DAY / 10)
    assert look(loggly, ANN)[0].counts == {"events": 120}
    assert [set(asked) for asked in vendor.asked[1:]] == [{"next"}] * 2


def test_an_event_with_two_identifiers_of_a_person_counts_once(vendor, loggly):
    vendor.log("u-ann ann@x.example", NOW, also="u-bob")
    assert [found.counts for found in look(loggly, ANN, BOB)] == [{"events": 1}, {"events": 1}]


def test_a_next_page_on_another_host_gets_neither_call_nor_token(vendor, loggly):
    other = LogglyVendor()
    with serve(other.app) as elsewhere:
        vendor.page, vendor.next_host = 1, elsewhere
        for _ in range(3):
            vendor.log("u-ann", NOW)
        with pytest.raises(Refused):
            look(loggly, ANN)
        assert other.asked == other.headers == []
        assert other.journal.as_json() == []


def test_a_list_that_does_not_advance_is_no_proof(vendor, loggly):
    for _ in range(3):
        vendor.log("u-ann", NOW)
    vendor.page = 1
    vendor._cursors = Stuck(vendor.events)
    with pytest.raises(Inconsistent):
        look(loggly, ANN)


class Stuck(dict):
    """Every cursor is the first page."""

    def __init__(self, events):
        super().__init__()
        self._events = events

    def pop(self, cursor):
        return self._events


def test_many_persons_share_a_query(vendor, loggly):
    persons = [Somebody(number, {UID: [f"u-{number}"], EMAIL: [f"p{number}@x.example"]}) for number in range(35)]
    for number in range(0, 35, 5):
        vendor.log(f"u-{number} p{number}@x.example", NOW)
    found = look(loggly, *persons)
    assert [each.ref for each in found] == [person.ref for person in persons]
    assert [each.counts for each in found] == [{"events": 1} if number % 5 == 0 else {} for number in range(35)]
    sent = queries(vendor)
    assert len(sent) == 4
    assert all(query.count('"') <= 2 * TERMS and len(quote(query)) <= LENGTH for query in sent)


def test_somebody_with_more_phrases_than_a_query_takes_has_several(vendor, loggly):
    person = Somebody(1, {EMAIL: [f"p{number}@x.example" for number in range(45)]})
    vendor.log("p0@x.example p44@x.example", NOW)
    assert look(loggly, person, BOB)[0].counts == {"events": 1}
    assert len(queries(vendor)) == 4


def test_long_identifiers_do_not_make_a_query_too_long(vendor, loggly):
    persons = [Somebody(number, {UID: ["ü" * 250 + str(number)]}) for number in range(9)]
    look(loggly, *persons)
    assert [len(quote(query)) <= LENGTH for query in queries(vendor)] == [True] * 5


@pytest.mark.parametrize("value", ['a"b', "a\\b", 'a\\"b', "a*b", "a OR b", "a b", "tag:a", "-a", "(a)"])
def test_every_identifier_is_one_phrase(vendor, loggly, value):
    vendor.log(f"<{value}>", NOW)
    assert look(loggly, Somebody(1, {UID: [value]}), BOB)[0].counts == {"events": 1}
    (query,) = queries(vendor)
    first, *_ = re.findall(r'"(?:[^"\\]|\\.)*"', query)
    assert re.sub(r"\\(.)", r"\1", first[1:-1]) == value
    assert query == f'{first} OR "u-bob" OR "bob@x.example"'


@pytest.mark.parametrize("value", ["", "*", "%", "/", "..", "?", '"', " "])
def test_what_could_mean_everything_is_never_searched(vendor, loggly, value):
    vendor.log("anything * % / ..", NOW)
    (found,) = look(loggly, Somebody(1, {UID: [value]}))
    assert (found.counts, vendor.journal.as_json()) == ({}, [])


def test_an_event_without_a_time_is_taken_as_new(vendor, loggly):
    vendor.log("u-ann", NOW - 90 * DAY)
    del vendor.events[0]["timestamp"]
    assert look(loggly, ANN)[0].clean_at == NOW + 31 * DAY


@pytest.mark.parametrize("days", [None, "7", 0, True])
def test_a_subscription_without_days_is_refused(vendor, loggly, days):
    vendor.subscription = {"retention_days": days}
    with pytest.raises(Refused):
        look(loggly, ANN)


def test_the_token_is_sent_as_the_vendor_says(vendor, loggly):
    look(loggly, ANN)
    assert vendor.headers == ["bearer api-token"] * 2


def test_a_search_that_is_refused_for_a_moment_is_asked_again(vendor, loggly, quick):
    vendor.log("u-ann", NOW)
    vendor.faults.add(Fault("loggly", FaultKind.STATUS, "iterate", status=503, times=2))
    assert look(loggly, ANN)[0].counts == {"events": 1}
    assert len(quick) == 2


def test_a_search_that_fails_says_nothing(vendor, loggly):
    vendor.faults.add(Fault("loggly", FaultKind.STATUS, "iterate", status=500, times=99))
    with pytest.raises(Unavailable):
        look(loggly, ANN)


@pytest.mark.parametrize("lacking", [{"host": None}, {"password": None}])
def test_a_connection_that_lacks_something_is_refused(lacking):
    with pytest.raises(Refused):
        connect_erasing(Connection("loggly", **{"host": "a.loggly.com", "password": "t", **lacking}), means_at(Clock()))
