"""How a person is found in OneSignal, what goes, and whose a device is."""

from datetime import timedelta

import pytest

from include.connection import Connection
from include.errors import Refused, Throttled, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox import onesignal
from include.sandbox.faults import Fault, FaultKind
from include.subjects.identifiers import Identifier
from include.systems.erasing import Did
from include.systems.onesignal import LATE, connect_erasing
from include.systems.onesignal.system import LOOKS
from tests.systems.conformance.means import NOW, Clock, Somebody, means_at
from tests.systems.watched import watched

UID, PUSH = IdentifierKind.USER_ID, IdentifierKind.PUSH_ID
DAY = timedelta(days=1)
PHONE, TABLET, OTHER = (f"5f1c7a0d-0000-4000-8000-00000000000{number}" for number in range(3))
ANN = Somebody(1, {UID: ["uAnn"], PUSH: [PHONE, TABLET]})
BOB = Somebody(2, {UID: ["uBob"]})


@pytest.fixture(scope="module")
def served():
    with watched("onesignal", onesignal.SERVICE) as twin:
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


def device(number, kind="iOSPush", address="t"):
    return onesignal.Subscription(number, kind, address, NOW - 90 * DAY, NOW - DAY, 3)


def put(twin, external="", *devices):
    number = f"aaaaaaaa-0000-4000-8000-{twin.number():012}"
    twin.twin.seed([onesignal.User(number, external, {each.id: each for each in devices})])
    return number


def run(system, *people):
    subjects = [person.subject() for person in people]
    found = system.find(subjects)
    receipts = system.erase(found)
    return found, receipts, system.verify(subjects, receipts)


def test_users_go_by_user_id_and_by_a_device_that_nobody_signed_in_on(twin, system):
    put(twin, "uAnn", device(PHONE))
    put(twin, "", device(TABLET))
    stays = [put(twin, "uAnnx"), put(twin, "uann"), put(twin, "", device(OTHER))]
    found, receipts, seen = run(system, ANN)
    assert (found[0].counts, receipts[0].did, receipts[0].gone) == ({"users": 2}, Did.GONE, 2)
    assert (seen[0].remaining, seen[0].proved) == (0, True)
    assert [record["id"] for record in twin.held()] == stays


def test_a_device_that_somebody_else_uses_today_is_not_the_persons(twin, system):
    """A subscription follows the device from user to user."""
    stays = put(twin, "uBob", device(PHONE))
    found, receipts, _ = run(system, ANN)
    assert (found[0].total, receipts[0].did) == (0, Did.ABSENT)
    assert [record["id"] for record in twin.held()] == [stays]


def test_a_user_is_deleted_by_the_vendors_id_alone(twin, system):
    number = put(twin, "uAnn")
    run(system, ANN)
    (deletion,) = twin.calls("DELETE")
    assert deletion.segments == ["apps", onesignal.APP, "users", "by", "onesignal_id", number]


@pytest.mark.parametrize("number", ["", "..", "a/b", "x", "5f1c7a0d-0000-4000-8000-00000000000%"])
def test_nothing_but_an_id_of_the_vendors_form_is_ever_deleted(twin, system, number):
    for delete in (system._calls.delete_user, system._calls.delete_subscription):
        with pytest.raises(Refused):
            delete(number)
    assert twin.exchanges == []


def test_a_deletion_is_awaited(twin, system, quick):
    twin.twin.settings.delete_looks = 2
    put(twin, "uAnn")
    _, receipts, seen = run(system, ANN)
    assert (receipts[0].did, seen[0].remaining, seen[0].pending) == (Did.GONE, 0, False)
    assert quick == [1.0, 1.0]


def test_what_takes_longer_is_accepted_and_looked_at_again(twin, system):
    twin.twin.settings.delete_looks = LOOKS + 1
    put(twin, "uAnn")
    _, receipts, seen = run(system, ANN)
    assert (receipts[0].did, receipts[0].gone, receipts[0].until) == (Did.ACCEPTED, 0, NOW + LATE)
    assert (seen[0].remaining, seen[0].pending) == (0, True)
    (seen,) = system.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.pending, seen.proved) == (0, False, True)


def test_who_is_there_after_the_date_is_a_residual(twin, system):
    twin.twin.settings.delete_looks = 99
    put(twin, "uAnn")
    _, receipts, _ = run(system, ANN)
    twin.clock.now = NOW + 2 * LATE
    (seen,) = system.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.pending) == (1, False)


def test_a_user_who_is_gone_meanwhile_is_absent(twin, system):
    put(twin, "uAnn")
    found = system.find([ANN.subject()])
    twin.twin.reset()
    (receipt,) = system.erase(found)
    assert (receipt.did, receipt.gone) == (Did.ABSENT, 0)


def test_a_conflict_is_tried_again_later(twin, system):
    put(twin, "uAnn")
    twin.faults.add(Fault("onesignal", FaultKind.STATUS, "DELETE", status=409))
    found = system.find([ANN.subject()])
    with pytest.raises(Unavailable):
        system.erase(found)
    assert run(system, ANN)[1][0].did is Did.GONE


def test_ids_that_nobody_can_have_are_not_asked_for(twin, system):
    odd = Somebody(1, {UID: ["", "*", "/", "u" * 129], PUSH: ["", "..", "a b", "x" * 99]})
    assert run(system, odd)[1][0].did is Did.ABSENT
    assert twin.exchanges == []


def test_an_id_is_one_segment_of_a_path(twin, system):
    put(twin, "u/1?x=%2e#")
    put(twin, "u")
    _, receipts, _ = run(system, Somebody(1, {UID: ["u/1?x=%2e#"]}))
    assert receipts[0].gone == 1
    assert [record["external_id"] for record in twin.held()] == ["u"]


def test_views_of_whole_users_and_other_calls_keep_their_own_pace(twin):
    means = means_at(twin.clock)
    system = connect_erasing(twin.connection(), means)
    put(twin, "uAnn", device(PHONE))
    run(system, ANN)
    assert set(means.budgets.paced) == {"onesignal/calls_per_second"}
    list(system.export([BOB.subject(), ANN.subject()]))
    system.close()


def test_an_export_has_the_user_with_subscriptions(twin, system):
    put(twin, "uAnn", device(PHONE, address="secret-token"))
    ann, bob = system.export([ANN.subject(), BOB.subject()])
    (user,) = ann.records["users"]
    assert (user["identity"]["external_id"], user["subscriptions"][0]["token"]) == ("uAnn", "secret-token")
    assert bob.records == {"users": []}
    assert "secret" not in repr(ann)


def test_everybody_is_listed_from_an_export(twin, system):
    put(twin, "uAnn", device(PHONE), device(TABLET, "Email", "ann@x.example"))
    put(twin, "", device(OTHER))
    assert set(system.people()) == {Identifier(UID, "uAnn"), Identifier(PUSH, PHONE), Identifier(PUSH, OTHER)}


def test_the_key_is_tried_without_reading_a_user(twin, system):
    put(twin, "uAnn")
    assert system.access().missing == ()
    assert [call.path for call in twin.calls()] == [f"/apps/{onesignal.APP}/segments"]
    twin.faults.add(Fault("onesignal", FaultKind.STATUS, status=403))
    with pytest.raises(Refused):
        system.access()


def test_the_vendors_limit_is_waited_for(twin, system, quick):
    twin.faults.add(Fault("onesignal", FaultKind.STATUS, status=429, retry_after=3))
    assert system.find([ANN.subject()])[0].total == 0
    assert quick == [3.0]
    twin.faults.add(Fault("onesignal", FaultKind.STATUS, status=429, retry_after=100))
    with pytest.raises(Throttled):
        system.find([ANN.subject()])


@pytest.mark.parametrize(
    "lacking", [{"password": None}, {"extra": {}}, {"extra": {"app_id": "a", "views_per_second": 0}}]
)
def test_a_connection_that_lacks_something_is_refused(lacking):
    known = {"host": "https://a.example", "password": "key", "extra": {"app_id": "a"}, **lacking}
    with pytest.raises(Refused):
        connect_erasing(Connection("onesignal", **known), means_at(Clock()))
