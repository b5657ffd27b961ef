"""What is submitted to Analytics, what comes of each answer, and who waits until when."""

from datetime import timedelta

import pytest

from include.errors import Refused, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox.faults import Fault, FaultKind
from include.systems.erasing import Did
from include.systems.google_analytics import ERASING_CARD, connect_erasing
from tests.loopback import serve
from tests.systems.conformance.means import NOW, Clock, Somebody, means_at
from tests.systems.google_analytics.vendor import AnalyticsVendor, connection

UID, CLIENT, APP = (
    IdentifierKind.USER_ID,
    IdentifierKind.ANALYTICS_CLIENT_ID,
    IdentifierKind.ANALYTICS_APP_INSTANCE_ID,
)
ANN = Somebody(
    1, {UID: ["u-ann"], CLIENT: ["11.16", "12.16"], APP: ["a" * 32], IdentifierKind.EMAIL: ["ann@x.example"]}
)
MIDNIGHT = NOW.replace(hour=0)


@pytest.fixture(scope="module")
def served():
    vendor = AnalyticsVendor()
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
def connect(vendor, clock):
    built = []

    def build(**extra):
        built.append(connect_erasing(connection(vendor.url, **extra), means_at(clock)))
        return built[-1]

    yield build
    for system in built:
        system.close()


def run(system, *persons):
    return system.erase(system.find([person.subject() for person in persons]))


def user(number):
    return Somebody(number, {UID: [f"u-{number}"]})


def test_each_identifier_goes_to_each_property_and_nothing_else(vendor, connect):
    system = connect(properties=["1001", "properties/1002"])
    (found,) = system.find([ANN.subject()])
    assert vendor.calls == []
    assert (found.counts, found.clean_at) == ({"identifiers": 4}, NOW + timedelta(days=63))
    system.erase([found])
    sent = [("userId", "u-ann"), ("clientId", "11.16"), ("clientId", "12.16"), ("appInstanceId", "a" * 32)]
    assert vendor.received == [(number, *named) for number in ("1001", "1002") for named in sent]
    assert set(vendor.tokens) == {"Bearer sandbox"}


def test_the_receipt_counts_from_the_last_time_that_google_acknowledged(vendor, connect):
    (receipt,) = run(connect(), ANN)
    acknowledged = NOW + timedelta(seconds=4, microseconds=123456)
    assert (receipt.did, receipt.gone, receipt.until) == (Did.ACCEPTED, 0, acknowledged + ERASING_CARD.horizon)


def test_nobody_can_prove_it_afterwards(vendor, connect):
    system = connect()
    receipts = run(system, ANN)
    (seen,) = system.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.proved, seen.pending, seen.until) == (0, False, False, receipts[0].until)
    assert len(vendor.calls) == 4


def test_nobody_without_an_identifier_is_submitted(vendor, connect):
    person = Somebody(2, {IdentifierKind.EMAIL: ["b@x.example"], UID: ["", " "]})
    system = connect()
    (found,) = system.find([person.subject()])
    assert (found.counts, found.clean_at) == ({}, None)
    assert [receipt.did for receipt in system.erase([found])] == [Did.ABSENT]
    assert vendor.calls == []


def test_one_refused_identifier_fails_its_person_and_the_others_go_on(vendor, connect):
    vendor.refuses = {"11.16"}
    first, second = run(connect(), ANN, user(2))
    assert first.did is Did.FAILED
    assert "1 deletion(s) of the kind clientId" in first.next_action
    assert "11.16" not in first.next_action
    assert first.until is not None
    assert second.did is Did.ACCEPTED
    assert [named[2] for named in vendor.received] == ["u-ann", "12.16", "a" * 32, "u-2"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_the_connection_stops_everything(vendor, connect, status):
    vendor.faults.add(Fault("google_analytics", FaultKind.STATUS, status=status))
    with pytest.raises(Refused):
        run(connect(), ANN, user(2))
    assert vendor.received == []


def test_who_does_not_fit_into_the_day_waits_for_a_known_one(vendor, connect):
    persons = [user(number) for number in range(1, 8)]
    receipts = run(connect(deletions_per_day=3), *persons)
    assert [receipt.did for receipt in receipts] == [Did.ACCEPTED] * 3 + [Did.DEFERRED] * 4
    assert [receipt.until for receipt in receipts[3:]] == [
        *[MIDNIGHT + timedelta(days=1)] * 3,
        MIDNIGHT + timedelta(days=2),
    ]
    assert len(vendor.received) == 3


def test_the_forecast_counts_those_of_earlier_calls(connect):
    system = connect(deletions_per_day=2)
    run(system, user(1), user(2), user(3), user(4))
    (receipt,) = run(system, user(5))
    assert receipt.until == MIDNIGHT + timedelta(days=2)


def test_a_person_is_never_submitted_in_part_and_nobody_overtakes(vendor, connect, clock):
    pair = Somebody(9, {UID: ["u-9"], CLIENT: ["9.9"]})
    system = connect(deletions_per_day=2)
    receipts = run(system, user(1), pair, user(2))
    assert [receipt.did for receipt in receipts] == [Did.ACCEPTED, Did.DEFERRED, Did.DEFERRED]
    clock.now += timedelta(days=1)
    receipts = run(system, pair, user(2))
    assert [receipt.did for receipt in receipts] == [Did.ACCEPTED, Did.DEFERRED]
    clock.now += timedelta(days=1)
    assert [receipt.did for receipt in run(system, user(2))] == [Did.ACCEPTED]
    assert [named[2] for named in vendor.received] == ["u-1", "u-9", "9.9", "u-2"]


def test_the_limit_is_shared_by_all_tasks(vendor, clock):
    shared = means_at(clock)
    for number, did in ((1, Did.ACCEPTED), (2, Did.DEFERRED)):
        system = connect_erasing(connection(vendor.url, deletions_per_day=1), shared)
        assert [receipt.did for receipt in run(system, user(number))] == [did]
        system.close()
    assert len(vendor.received) == 1


def test_each_property_has_its_own_limit(vendor, clock):
    shared = means_at(clock)
    for number, properties, did in ((1, ["1"], Did.ACCEPTED), (2, ["2"], Did.ACCEPTED), (3, ["1", "2"], Did.DEFERRED)):
        system = connect_erasing(connection(vendor.url, deletions_per_day=1, properties=properties), shared)
        assert [receipt.did for receipt in run(system, user(number))] == [did]
        system.close()


def test_somebody_with_more_identifiers_than_a_day_takes_does_not_block_the_others(vendor, connect):
    first, second = run(connect(deletions_per_day=3), ANN, user(2))
    assert first.did is Did.FAILED
    assert "deletions_per_day" in first.next_action
    assert second.did is Did.ACCEPTED


def test_the_vendors_own_limit_defers_the_rest_and_keeps_what_it_acknowledged(vendor, connect):
    vendor.limit = 2
    receipts = run(connect(), user(1), user(2), user(3), user(4))
    assert [receipt.did for receipt in receipts] == [Did.ACCEPTED] * 2 + [Did.DEFERRED] * 2
    assert {receipt.until for receipt in receipts[2:]} == {MIDNIGHT + timedelta(days=1)}
    assert vendor.calls[-1].body == b'{"userId": "u-3"}'


def test_a_short_wait_is_waited_for(vendor, connect, quick):
    vendor.faults.add(Fault("google_analytics", FaultKind.STATUS, status=429, retry_after=7))
    assert [receipt.did for receipt in run(connect(), user(1))] == [Did.ACCEPTED]
    assert quick == [7.0]


def test_calls_are_paced_by_property(vendor, clock):
    means = means_at(clock)
    system = connect_erasing(connection(vendor.url, properties=["1", "2"]), means)
    run(system, ANN)
    system.close()
    assert means.budgets.paced == {"google_analytics/1/calls": 4, "google_analytics/2/calls": 4}


def test_a_lost_answer_is_asked_again(vendor, connect):
    vendor.faults.add(Fault("google_analytics", FaultKind.LOST_ANSWER))
    assert [receipt.did for receipt in run(connect(), user(1))] == [Did.ACCEPTED]
    assert [named[2] for named in vendor.received] == ["u-1", "u-1"]


def test_an_answer_without_a_time_is_no_receipt(vendor, connect):
    vendor.faults.add(Fault("google_analytics", FaultKind.STATUS, status=200))
    with pytest.raises(Unavailable):
        run(connect(), user(1))


@pytest.mark.parametrize(
    "extra",
    [
        {"properties": []},
        {"properties": None},
        {"properties": "1001"},
        {"properties": ["1001/../2"]},
        {"properties": [""]},
        {"properties": ["٣"]},
        {"deletions_per_day": 0},
        {"deletions_per_day": True},
        {"calls_per_second": "1"},
        {"calls_per_second": -1},
    ],
)
def test_a_connection_that_lacks_something_is_refused(connect, extra):
    with pytest.raises(Refused):
        connect(**extra)


@pytest.mark.parametrize(
    "value", ["*", "%", "/", "..", "u" * 300, 'u"', "u\\", "u\u0000", "ü", "\ud800", "u-an", "U-ANN"]
)
def test_a_hostile_identifier_is_sent_as_it_is_and_alone(vendor, connect, value):
    run(connect(), Somebody(3, {UID: [value]}))
    assert vendor.received == [("1001", "userId", value)]
