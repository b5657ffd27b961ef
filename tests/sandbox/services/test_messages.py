"""The sandbox's Autopilot, Ortto, OneSignal and Zapier, driven by plain requests: what they refuse, and what they say.

Contracts by hand, from the pages that each twin names; OneSignal's is held against the vendor's own description in
``tests/systems/onesignal``.
"""

import json
from datetime import timedelta

import pytest

from include.sandbox import autopilot, onesignal, ortto, zapier
from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.services import SERVICES
from include.sandbox.traces import strangers
from tests.sandbox.services.kit import NOW, ago, running

OURS = ("autopilot", "onesignal", "ortto", "zapier")
DEVICE = "5f1c7a0d-0000-4000-8000-000000000001"
USER = "aaaaaaaa-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def servers():
    with (
        running("autopilot", autopilot.AutopilotSandbox) as first,
        running("ortto", ortto.OrttoSandbox) as second,
        running("onesignal", onesignal.OneSignalSandbox) as third,
        running("zapier", zapier.ZapierSandbox) as fourth,
    ):
        yield {server.name: server for server in (first, second, third, fourth)}


@pytest.fixture
def pilot(servers):
    return servers["autopilot"].fresh()


@pytest.fixture
def people(servers):
    server = servers["ortto"].fresh()
    made = ago(days=9)
    server.twin.seed([ortto.Person(f"00{n}", f"p{n}@x.example", f"u{n}", "A", "B", made) for n in range(3)])
    return server


@pytest.fixture
def push(servers):
    server = servers["onesignal"].fresh()
    device = onesignal.Subscription(DEVICE, "iOSPush", "t", ago(days=90), ago(days=2), 3)
    server.twin.seed([onesignal.User(USER, "uAnn", {DEVICE: device})])
    return server


@pytest.fixture
def zaps(servers):
    return servers["zapier"].fresh()


def test_no_service_answers_without_its_key(pilot, people, push, zaps):
    assert pilot.call("GET", "/v1/account")[0] == 400
    assert people.call("POST", "/v1/person/get", json={})[0] == 401
    assert push.call("GET", f"/apps/{onesignal.APP}/segments")[0] == 403
    assert push.call("GET", f"/apps/{onesignal.APP}/segments", headers={"Authorization": "Basic x"})[0] == 403
    assert zaps.call("GET", "/v2/zap-runs")[0] == 401


def test_too_many_calls_are_refused_in_each_vendors_way(pilot, people, push, zaps):
    for server in (pilot, people):
        server.twin.settings.calls_per_second = 0
    push.twin.settings.views_per_second = push.twin.settings.changes_per_second = 0
    zaps.twin.settings.calls_per_minute = 0
    assert pilot.call("GET", "/v1/account", headers={"autopilotapikey": "k"})[0] == 429
    status, body = people.call("POST", "/v1/person/get", json={}, headers={"X-Api-Key": "k"})
    assert (status, body["error"]["code"], body["error"]["try-in-seconds"]) == (429, "rate-limit", 1)
    assert "retry-after" not in people.last.headers
    for method, path in (("GET", "users/by/external_id/uAnn"), ("DELETE", f"subscriptions/{DEVICE}")):
        status, body = push.call(method, f"/apps/{onesignal.APP}/{path}", headers={"Authorization": "Key k"})
        assert (status, body, push.last.headers["retry-after"]) == (429, {"errors": ["API rate limit exceeded."]}, "1")
    assert zaps.call("GET", "/v2/zap-runs", headers={"Authorization": "Bearer k"})[0] == 429
    assert zaps.last.headers["retry-after"] == "60"


def test_autopilot_deletes_by_id_or_address_once(pilot):
    pilot.twin.seed([autopilot.Contact(f"person_{n}", f"P{n}@x.example", "A", "B", NOW) for n in range(3)])
    key = {"autopilotapikey": "k"}
    assert pilot.call("GET", "/v1/contact/p1%40x.example", headers=key)[1]["contact_id"] == "person_1"
    assert pilot.call("DELETE", "/v1/contact/p1%40x.example", headers=key)[0] == 200
    assert pilot.call("DELETE", "/v1/contact/p1%40x.example", headers=key)[0] == 404
    assert pilot.call("DELETE", "/v1/contact/person_2", headers=key)[0] == 200
    assert pilot.call("DELETE", "/v1/contact/", headers=key)[0] == 404
    assert pilot.counts() == {"contacts": 1}


def post(people, path, body, method="POST"):
    return people.call(method, f"/v1/person/{path}", json=body, headers={"X-Api-Key": "k"})


def test_ortto_deletes_only_who_was_archived(people):
    assert post(people, "delete", {"inclusion_ids": ["000"]}, "DELETE")[1]["deleted_contacts"] == 0
    assert post(people, "archive", {"inclusion_ids": ["000", "nobody"]}, "PUT")[1]["archived_contacts"] == 1
    assert people.counts() == {"archive": 1, "people": 2}
    assert post(people, "delete", {"inclusion_ids": ["000"]}, "DELETE")[1] == {
        "scheduled_contacts": 0,
        "deleted_contacts": 1,
    }
    assert people.counts() == {"people": 2}


def test_ortto_restores_who_is_in_the_archive_and_empties_it_on_day_30(people):
    post(people, "archive", {"inclusion_ids": ["000", "001"]}, "PUT")
    assert post(people, "restore", {"inclusion_ids": ["000"]}, "PUT")[1]["restored_contacts"] == 1
    people.now = NOW + timedelta(days=29)
    assert people.counts() == {"archive": 1, "people": 2}
    people.now = NOW + timedelta(days=30)
    assert people.counts() == {"people": 2}


def test_ortto_takes_a_selection_of_all_rows_as_the_vendor_does(people):
    """What the product must never send: the twin would obey."""
    assert post(people, "archive", {"all_rows_selected": True, "exclusion_ids": ["001"]}, "PUT")[1] == {
        "scheduled_contacts": 0,
        "archived_contacts": 2,
    }


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "archive", {}),
        ("PUT", "archive", {"inclusion_ids": []}),
        ("DELETE", "delete", {"inclusion_ids": ["x"] * 101}),
        ("POST", "get", {"type": "archived", "filter": {}}),
        ("POST", "get", {"type": "archived", "limit": 500}),
        ("POST", "get", {"filter": {"$str::resembles": {"field_id": "str::email"}}}),
        ("POST", "get-by-ids", {"contact_ids": []}),
        ("POST", "get-by-ids", {"contact_ids": ["x"], "fields": ["f"] * 21}),
    ],
)
def test_ortto_refuses_what_it_does_not_take(people, method, path, body):
    assert post(people, path, body, method)[0] == 400
    assert people.counts() == {"people": 3}


def test_ortto_searches_pages_and_filters(people):
    either = {"$or": [{"$str::is": {"field_id": "str::ei", "value": f"u{n}"}} for n in (0, 2)]}
    found = post(people, "get", {"filter": either, "fields": ["str::email"], "limit": 1})[1]
    assert (len(found["contacts"]), found["meta"]["total_matches"], found["has_more"]) == (1, 2, True)
    assert post(people, "get", {"limit": 501})[1]["next_offset"] == 3


def test_a_queue_of_ortto_is_worked_off_later(people):
    people.twin.settings.queue_seconds = 60
    answer = post(people, "archive", {"inclusion_ids": ["000"]}, "PUT")[1]
    assert answer == {"scheduled_contacts": 1, "archived_contacts": 0}
    assert people.counts() == {"people": 3}
    people.now = NOW + timedelta(seconds=60)
    assert people.counts() == {"archive": 1, "people": 2}


def api(push, method, path):
    return push.call(method, f"/apps/{onesignal.APP}/{path}", headers={"Authorization": "Key k"})


def test_onesignal_deletes_a_user_with_all_subscriptions_and_is_seen_for_a_moment(push):
    push.twin.settings.delete_looks = 1
    assert api(push, "DELETE", "users/by/external_id/uAnn")[0] == 202
    assert api(push, "GET", f"subscriptions/{DEVICE}/user/identity")[0] == 200
    assert api(push, "GET", f"subscriptions/{DEVICE}/user/identity")[0] == 404
    assert push.counts() == {}
    assert api(push, "DELETE", f"users/by/onesignal_id/{USER}")[0] == 404


def test_onesignal_knows_nobody_by_an_address_and_no_other_app(push):
    assert api(push, "GET", "users/by/email/ann%40x.example")[0] == 404
    assert api(push, "GET", "users/by/external_id/uann")[0] == 404
    assert push.call("GET", "/apps/other/segments", headers={"Authorization": "Key k"})[0] == 403
    assert api(push, "GET", "subscriptions/a.b/user/identity")[0] == 400


def run(number, at, **data):
    return zapier.Run(f"{number:032x}", "Leads", at, data, {"ok": True})


def search(zaps, **params):
    return zaps.call("GET", "/v2/zap-runs", params=params, headers={"Authorization": "Bearer k"})


def test_zapier_shows_thirty_days_unless_asked_for_more(zaps):
    zaps.twin.seed([run(1, ago(days=2)), run(2, ago(days=40))])
    assert search(zaps)[1]["meta"]["count"] == 1
    assert search(zaps, from_date="2011-01-01T00:00:00Z")[1]["meta"]["count"] == 2
    assert search(zaps, to_date=ago(days=10).isoformat())[1]["meta"]["count"] == 0


def test_zapier_pages_ten_at_a_time_and_searches_titles_and_data(zaps):
    zaps.twin.seed([run(n, ago(days=2, minutes=n), email=f"p{n}@x.example") for n in range(25)])
    first = search(zaps)[1]
    assert (len(first["data"]), first["meta"], first["links"]["prev"]) == (
        10,
        {"count": 25, "limit": 10, "offset": 0},
        None,
    )
    assert search(zaps, search="P7@X.example")[1]["data"][0]["data_in"] == {"email": "p7@x.example"}
    assert search(zaps, search="leads")[1]["meta"]["count"] == 25
    assert search(zaps, search="x" * 151)[0] == 400
    assert search(zaps, limit="many")[0] == 400


def test_zapiers_history_ends_on_a_first_monday(zaps):
    zaps.twin.seed([run(1, ago(days=22)), run(2, ago(days=21, hours=12)), run(3, ago(days=1))])
    for at, left in (
        (NOW.replace(month=12, day=6), 3),
        (NOW.replace(month=12, day=7), 2),
        (NOW.replace(year=2027, month=1, day=3), 2),
        (NOW.replace(year=2027, month=1, day=4), 0),
    ):
        zaps.now = at
        assert len(zaps.records("runs")) == left, at


def test_zapier_gives_a_token_for_a_refresh_token(zaps):
    form = {"grant_type": "refresh_token", "refresh_token": "r"}
    assert zaps.call("POST", "/oauth/token/", data=form)[0] == 401
    status, body = zaps.call("POST", "/oauth/token/", data=form, auth=("id", "secret"))
    assert (status, body["refresh_token"], body["expires_in"]) == (200, "r", 36_000)
    zaps.twin.settings.refresh_token = "other"
    assert zaps.call("POST", "/oauth/token/", data=form, auth=("id", "secret"))[1] == {"error": "invalid_grant"}
    assert zaps.call("GET", "/v2/zap-runs", auth=("id", "secret"))[0] == 401


@pytest.fixture(scope="module")
def estate():
    return Estate(NOW, people=600, workspaces=10)


def filled(name, estate):
    twin = SERVICES[name].build(Faults(), Journal(), lambda: NOW)
    SERVICES[name].fill(estate, twin)
    return list(twin.records())


@pytest.mark.parametrize("name", OURS)
def test_the_same_estate_fills_a_service_the_same(name, estate):
    assert filled(name, estate) == filled(name, Estate(NOW, people=600, workspaces=10))
    assert filled(name, estate) != filled(name, Estate(NOW, people=600, workspaces=10, seed=8))


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("autopilot", 0.2, 0.5), ("onesignal", 0.5, 0.8), ("ortto", 0.4, 0.7), ("zapier", 0.1, 0.3)],
)
def test_a_share_of_the_people_is_in_each_service_and_strangers_too(name, least, most, estate):
    text = json.dumps([record for _, record in filled(name, estate)], default=str).lower()
    known = [{p.uid.lower(), *map(str.lower, (p.email, *estate.identities[p.uid].past_emails))} for p in estate.people]
    words = set(text.replace('"', " ").replace(",", " ").split())
    assert least < sum(bool(each & words) for each in known) / len(known) < most
    assert {address for _, address in strangers(estate)} & words
