"""Which devices are dormant, what goes with them, and how the vendor's file is read."""

import gzip
from datetime import UTC, datetime, timedelta

import pytest

from include.errors import Inconsistent, Refused, Unavailable
from include.policy.actions import Action
from include.sandbox import onesignal
from include.sandbox.faults import Fault, FaultKind
from include.systems.onesignal import connect, export
from tests.systems.conformance.means import NOW
from tests.systems.watched import selection, sweep, watched

DAY = timedelta(days=1)
RULE = selection("last_active", "external_user_id", 365)


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
    system = connect(twin.connection(calls_per_second=10**6, views_per_second=10**6))
    yield system
    system.close()


def device(number, days, kind="iOSPush", sessions=3):
    at = NOW - days * DAY
    return onesignal.Subscription(f"5f1c7a0d-0000-4000-8000-{number:012}", kind, "t", at - DAY, at, sessions)


def put(twin, external, *devices):
    number = f"aaaaaaaa-0000-4000-8000-{twin.number():012}"
    twin.twin.seed([onesignal.User(number, external, {each.id: each for each in devices})])
    return number


def devices(twin):
    return {number for user in twin.held() for number in user["subscriptions"]}


def test_a_dormant_device_goes_and_its_user_with_the_last_one(twin, system):
    put(twin, "u1", device(1, 366))
    put(twin, "u2", device(2, 400), device(3, 500))
    awake = put(twin, "u3", device(4, 400), device(5, 10))
    young = put(twin, "u4", device(6, 364), device(7, 365))
    survey = system.survey(RULE, None)
    assert (survey.total, survey.due, survey.held) == (7, 4, 0)
    assert (survey.oldest, survey.newest) == (NOW - 500 * DAY, NOW - 366 * DAY)
    assert sweep(system, RULE) == (4, 0, 0)
    assert [user["id"] for user in twin.held()] == [awake, young]
    assert devices(twin) == {device(number, 0).id for number in (5, 6, 7)}
    assert system.read_back(RULE, None).remaining == 0


def test_addresses_and_telephone_numbers_are_no_devices(twin, system):
    put(twin, "u1", device(1, 900, "Email"), device(2, 900, "SMS"))
    survey = system.survey(RULE, None)
    assert (survey.total, survey.due) == (0, 0)


def test_a_user_with_an_address_left_stays_when_the_last_device_goes(twin, system):
    put(twin, "u1", device(1, 900), device(2, 900, "Email"))
    assert sweep(system, RULE) == (1, 0, 0)
    assert devices(twin) == {device(2, 0).id}


def test_a_device_that_wakes_up_between_export_and_deletion_stays(twin, system):
    number = put(twin, "u1", device(1, 400), device(2, 400))
    (batch,) = system.batches(RULE, None)
    twin.twin.seed([onesignal.User(number, "u1", {d.id: d for d in (device(1, 0, sessions=4), device(2, 400))})])
    swept = system.expire(RULE, batch)
    assert (swept.gone, swept.absent, swept.changed) == (1, 0, 1)
    assert devices(twin) == {device(1, 0).id}


def test_a_device_that_is_gone_already_is_absent(twin, system):
    put(twin, "u1", device(1, 400))
    (batch,) = system.batches(RULE, None)
    twin.twin.reset()
    assert system.expire(RULE, batch).absent == 1
    assert twin.calls("DELETE") == []


def test_a_hold_on_the_user_keeps_its_devices(twin, system):
    put(twin, "u1", device(1, 400))
    put(twin, "", device(2, 400))
    put(twin, "u2", device(3, 400))
    on_hold = {"u1", device(2, 0).id}.__contains__
    assert (system.survey(RULE, on_hold).due, system.survey(RULE, on_hold).held) == (3, 2)
    assert sweep(system, RULE, on_hold) == (1, 0, 0)
    assert devices(twin) == {device(1, 0).id, device(2, 0).id}
    seen = system.read_back(RULE, on_hold)
    assert (seen.remaining, seen.held) == (0, 2)


def test_many_go_in_batches_of_a_hundred(twin, system):
    for number in range(250):
        put(twin, f"u{number}", device(number, 400))
    assert [batch.count for batch in system.batches(RULE, None)] == [100, 100, 50]
    assert sweep(system, RULE) == (250, 0, 0)
    assert twin.held() == []


def test_deletions_that_do_not_end_leave_the_run_to_be_repeated(twin, system):
    put(twin, "u1", device(1, 400))
    twin.twin.settings.delete_looks = 99
    (batch,) = system.batches(RULE, None)
    with pytest.raises(Unavailable):
        system.expire(RULE, batch)


def test_a_file_that_takes_a_while_is_awaited_without_the_key(twin, system, quick):
    put(twin, "u1", device(1, 400))
    twin.twin.settings.export_looks = 3
    assert system.survey(RULE, None).due == 1
    assert quick == [export.PAUSE] * 3
    files = twin.calls("GET", "/csv_exports/")
    assert len(files) == 4
    assert all("authorization" not in call.headers for call in files)


def test_a_file_that_never_comes_says_nothing(twin, system):
    twin.twin.settings.export_looks = 10_000
    with pytest.raises(Unavailable):
        system.survey(RULE, None)
    assert len(twin.calls("GET", "/csv_exports/")) == export.LOOKS


def test_a_look_for_the_file_may_fail_once_and_not_for_ever(twin, system):
    put(twin, "u1", device(1, 400))
    twin.faults.add(Fault("onesignal", FaultKind.STATUS, "csv_exports", status=500))
    assert system.survey(RULE, None).due == 1
    twin.faults.add(Fault("onesignal", FaultKind.STATUS, "csv_exports", status=500, times=99))
    with pytest.raises(Unavailable):
        system.survey(RULE, None)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"no archive", Unavailable),
        (gzip.compress(b"id,last_active,external_user_id\n" + b"1,2,3\n" * 9000)[:-40], Unavailable),
        (gzip.compress(b"id,identifier\n1,2\n"), Inconsistent),
        (gzip.compress(b"id,last_active,external_user_id\n\xff\xfe,2,3\n"), Unavailable),
    ],
)
def test_a_file_that_is_not_whole_says_nothing(twin, system, monkeypatch, content, error):
    monkeypatch.setattr("include.sandbox.onesignal.api.packed", lambda users: content)
    with pytest.raises(error):
        system.survey(RULE, None)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x.csv.gz",
        "http://onesignal.com/x.csv.gz",
        "https://onesignal.com.evil.example/x",
        None,
        "",
    ],
)
def test_a_file_on_another_host_is_not_read(twin, system, monkeypatch, url):
    monkeypatch.setattr("include.sandbox.onesignal.api.OneSignalApi._export", lambda *_: None)
    with pytest.raises(Refused):
        list(export.rows(twin.connection(), url, lambda seconds: None))


def test_the_vendors_own_hosts_are_read():
    from include.connection import Connection

    own = Connection("onesignal", host=None)
    assert export._is_the_vendors(own, "https://onesignal.com/csv_exports/a/users.csv.gz")
    assert export._is_the_vendors(own, "https://files.onesignal.com/a.csv.gz")
    assert not export._is_the_vendors(own, "https://user@onesignal.com/a.csv.gz")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-11-20 10:00:00.123456", datetime(2025, 11, 20, 10, 0, 0, 123456, UTC)),
        ("2025-11-20T10:00:00Z", datetime(2025, 11, 20, 10, tzinfo=UTC)),
        ("2025-11-20 10:00:00 UTC", datetime(2025, 11, 20, 10, tzinfo=UTC)),
        ("2025-11-20T12:00:00+02:00", datetime(2025, 11, 20, 10, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_time_of_the_file_is_utc(text, moment):
    assert export._moment(text) == moment


@pytest.mark.parametrize(
    "wrong",
    [
        selection("created_at", None, 365),
        selection("last_active", "id", 365),
        selection("last_active", None, 365, where={"country": "DE"}),
        selection("last_active", None, 365, location={"segment": "x"}),
        selection("last_active", None, 365, action=Action.ANONYMISE),
    ],
)
def test_a_rule_that_means_something_else_is_refused_before_any_call(twin, system, wrong):
    for use in (lambda: system.survey(wrong, None), lambda: list(system.batches(wrong, None))):
        with pytest.raises(Refused):
            use()
    assert twin.exchanges == []


def test_there_is_no_expiry_to_set(twin, system):
    assert system.expiry(RULE) == []
    with pytest.raises(Refused):
        system.set_expiry(RULE)
