"""How a person is found in Ortto, goes in two steps, and what is said while the vendor has it in a queue."""

from datetime import timedelta

import pytest

from include.connection import Connection
from include.errors import Refused, Throttled, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox import ortto
from include.sandbox.faults import Fault, FaultKind
from include.subjects.identifiers import Identifier
from include.systems.autopilot.ortto import PURGE, connect_erasing
from include.systems.autopilot.ortto_calls import BULK
from include.systems.erasing import Did
from tests.systems.conformance.means import NOW, Clock, Somebody, means_at
from tests.systems.watched import watched

UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL
ANN = Somebody(1, {UID: ["uAnn"], EMAIL: ["ann@x.example", "old.ann@x.example"]})
BOB = Somebody(2, {UID: ["uBob"], EMAIL: ["bob@x.example"]})
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def served():
    with watched("ortto", ortto.SERVICE) as twin:
        yield twin


@pytest.fixture
def twin(served, quick):
    served.reset()
    return served


@pytest.fixture
def system(twin):
    system = connect_erasing(twin.connection(), means_at(twin.clock))
    yield system
    system.close()


def put(twin, email="", external="", *, archived=None, activities=()):
    number = f"00{twin.number():06}"
    made = NOW - 9 * DAY
    twin.twin.seed([ortto.Person(number, email, external, "A", "B", made, activities=activities, archived_at=archived)])
    return number


def run(system, *people):
    subjects = [person.subject() for person in people]
    found = system.find(subjects)
    receipts = system.erase(found)
    return found, receipts, system.verify(subjects, receipts)


def test_people_go_by_address_and_by_user_id_from_the_archive_too(twin, system):
    put(twin, "Ann@X.example", "uAnn")
    put(twin, "old.ann@x.example", archived=NOW - DAY)
    put(twin, "", "uAnn")
    stays = [put(twin, "joann@x.example"), put(twin, "", "uann"), put(twin, "bob@x.example", "uBob")]
    found, receipts, seen = run(system, ANN)
    assert found[0].counts == {"people": 2, "archived_people": 1}
    assert (receipts[0].did, receipts[0].gone) == (Did.GONE, 3)
    assert (seen[0].remaining, seen[0].proved) == (0, True)
    assert [record["id"] for record in twin.held()] == stays


def test_an_address_that_another_user_has_today_is_not_the_persons_any_more(twin, system):
    stays = put(twin, "old.ann@x.example", "uBob")
    assert system.find([ANN.subject()])[0].total == 0
    assert [record["id"] for record in twin.held()] == [stays]


def test_of_somebody_without_a_user_id_the_address_decides(twin, system):
    put(twin, "ann@x.example", "uGone")
    assert system.find([Somebody(1, {EMAIL: ["ann@x.example"]}).subject()])[0].total == 1


def test_a_hundred_people_go_in_one_call(twin, system):
    people = [Somebody(number, {EMAIL: [f"p{number}@x.example"]}) for number in range(250)]
    for number in range(250):
        put(twin, f"p{number}@x.example")
    _, receipts, _ = run(system, *people)
    assert {receipt.did for receipt in receipts} == {Did.GONE}
    sizes = [len(call.json["inclusion_ids"]) for call in (*twin.calls("PUT"), *twin.calls("DELETE"))]
    assert sizes == [100, 100, 50] * 2


def test_no_call_selects_more_than_the_people_it_names(twin, system):
    put(twin, "ann@x.example")
    put(twin, "bob@x.example")
    run(system, ANN, Somebody(9, {EMAIL: ["", "*", "%", "@"], UID: ["", "*"]}))
    for call in (*twin.calls("PUT"), *twin.calls("DELETE")):
        assert set(call.json) == {"inclusion_ids"}
        assert call.json["inclusion_ids"]
    assert len(twin.held()) == 1


@pytest.mark.parametrize("ids", [[], [""], ["a@b.example"], ["x"] * (BULK + 1), [None], ["../x"]])
def test_a_deletion_that_names_nobody_or_too_many_is_not_sent(twin, system, ids):
    with pytest.raises(Refused):
        system._calls.delete(ids)
    with pytest.raises(Refused):
        system._calls.archive(ids)
    assert twin.exchanges == []


def test_the_archive_is_asked_for_a_text_alone(twin, system):
    """With ``archived`` the vendor takes neither a filter nor any other element."""
    twin.twin.settings.archive_page = 1
    put(twin, "ann@x.example", archived=NOW - DAY)
    put(twin, "joann@x.example", archived=NOW - DAY)
    twin.twin.settings.archive_page = 2
    put(twin, "bob@x.example", archived=NOW - DAY)
    found, receipts, _ = run(system, ANN)
    looks = [call.json for call in twin.calls("POST") if call.json.get("type") == "archived"]
    assert {tuple(sorted(look)) for look in looks} == {("type",), ("q", "type")}
    assert (found[0].counts, receipts[0].gone) == ({"archived_people": 1}, 1)


def test_an_archive_that_hides_matches_is_no_proof(twin, system):
    twin.twin.settings.archive_page = 1
    put(twin, "ann@x.example", archived=NOW - DAY)
    put(twin, "joann@x.example", archived=NOW - DAY)
    with pytest.raises(Refused):
        system.find([ANN.subject()])


def test_fields_that_the_archive_shows_are_not_read_again(twin, system):
    twin.twin.settings.archive_fields = True
    put(twin, "ann@x.example", archived=NOW - DAY)
    assert system.find([ANN.subject()])[0].counts == {"archived_people": 1}
    assert twin.calls("POST", "by-ids") == []


def test_a_queue_that_ends_soon_is_awaited(twin, system, monkeypatch):
    put(twin, "ann@x.example")
    twin.twin.settings.queue_seconds = 3
    monkeypatch.setattr(system._calls, "pause", lambda seconds: later(twin, seconds))
    _, receipts, _ = run(system, ANN)
    assert receipts[0].did in (Did.GONE, Did.ACCEPTED)
    later(twin, 10)
    (seen,) = system.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.pending) == (0, False)
    assert twin.held() == []


def later(twin, seconds):
    twin.clock.now += timedelta(seconds=seconds)


def test_what_stays_in_the_queue_is_accepted_until_the_archive_empties_itself(twin, system):
    put(twin, "ann@x.example")
    put(twin, "bob@x.example", archived=NOW - DAY)
    twin.twin.settings.queue_seconds = 86_400
    _, receipts, seen = run(system, ANN)
    assert (receipts[0].did, receipts[0].gone, receipts[0].until) == (Did.ACCEPTED, 0, NOW + PURGE)
    assert (seen[0].remaining, seen[0].pending) == (0, True)
    twin.clock.now = NOW + PURGE + DAY
    (seen,) = system.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.pending, seen.proved) == (0, False, True)


def test_who_is_still_there_after_the_date_is_a_residual(twin, system):
    put(twin, "ann@x.example")
    twin.twin.settings.queue_seconds = 10**7
    _, receipts, _ = run(system, ANN)
    twin.clock.now = NOW + PURGE + DAY
    (seen,) = system.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.pending) == (1, False)


def test_a_deletion_that_is_done_in_part_is_not_said_to_be_done(twin, system):
    put(twin, "ann@x.example")
    put(twin, "old.ann@x.example")
    twin.faults.add(Fault("ortto", FaultKind.PARTIAL, "delete"))
    found = system.find([ANN.subject()])
    with pytest.raises(Unavailable):
        system.erase(found)
    _, receipts, _ = run(system, ANN)
    assert (receipts[0].did, receipts[0].gone) == (Did.GONE, 1)


def test_somebody_whom_another_deletes_meanwhile_is_counted_by_a_look(twin, system):
    put(twin, "ann@x.example")
    found = system.find([ANN.subject()])
    twin.twin.reset()
    (receipt,) = system.erase(found)
    assert (receipt.did, receipt.gone) == (Did.GONE, 1)


def test_who_comes_back_after_the_deletion_is_found_again(twin, system):
    put(twin, "ann@x.example")
    _, receipts, _ = run(system, ANN)
    put(twin, "ann@x.example")
    (seen,) = system.verify([ANN.subject()], receipts)
    assert seen.remaining == 1


def test_the_vendors_wait_is_read_from_the_body(twin, system, quick):
    """There is no Retry-After header: ``error.try-in-seconds`` says how long."""
    twin.faults.add(Fault("ortto", FaultKind.STATUS, "get", status=429))
    assert system.find([ANN.subject()])[0].total == 0
    assert quick == [1.0]
    twin.faults.add(Fault("ortto", FaultKind.STATUS, "get", status=429, retry_after=90))
    with pytest.raises(Throttled) as raised:
        system.find([ANN.subject()])
    assert raised.value.retry_after == 90


def test_an_export_has_fields_and_activities(twin, system):
    did = tuple(f"2026-0{month}-01T00:00:00Z" for month in range(1, 10)) * 12
    put(twin, "ann@x.example", "uAnn", activities=did)
    ann, bob = system.export([ANN.subject(), BOB.subject()])
    assert ann.records["people"][0]["fields"]["str::first"] == "A"
    assert len(ann.records["activities"]) == 108
    assert bob.records == {"people": [], "activities": []}
    assert "ann" not in repr(ann)


def test_everybody_is_listed_over_all_pages(twin, system):
    for number in range(1100):
        put(twin, f"P{number}@x.example", f"u{number}")
    put(twin, "away@x.example", archived=NOW - DAY)
    listed = list(system.people())
    assert len(listed) == 2200
    assert {Identifier(EMAIL, "p1099@x.example"), Identifier(UID, "u1099")} <= set(listed)
    assert [call.json["offset"] for call in twin.calls()] == [0, 500, 1000]


def test_the_key_is_tried_without_reading_anybody(twin, system):
    put(twin, "ann@x.example")
    assert system.access().missing == ()
    assert [exchange.body["contacts"] for exchange in twin.exchanges] == [[]]


@pytest.mark.parametrize("lacking", [{"password": None}, {"extra": {"activities_per_second": -1}}])
def test_a_connection_that_lacks_something_is_refused(lacking):
    known = {"host": "https://a.example", "password": "key", **lacking}
    with pytest.raises(Refused):
        connect_erasing(Connection("ortto", **known), means_at(Clock()))
