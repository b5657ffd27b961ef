"""The sandbox's Mailgun, driven by plain requests: tables of a domain, lists, events that only end, and its traps."""

from datetime import timedelta
from email.utils import format_datetime
from urllib.parse import quote

import pytest

from include.sandbox.faults import FaultKind
from include.sandbox.mailgun import DOMAINS, Entry, Event, MailgunSandbox, MailingList, Member
from tests.openapi import Description
from tests.sandbox.services.kit import NOW, ago, running

MAIN, NEWS = DOMAINS
ANN, JO_ANN = "ann@example.com", "joann@example.com"
LIST = "news@news.clique.test"
TABLES = ("bounces", "unsubscribes", "complaints", "whitelists")
MAIL = {"from": "Clique <hello@clique.test>", "to": "Ann <Ann@Example.com>", "subject": "Yours", "text": "It is done."}


@pytest.fixture(scope="module")
def server():
    with running("mailgun", MailgunSandbox) as server:
        yield server


@pytest.fixture
def gun(server):
    twin = server.fresh().twin
    for name in DOMAINS:
        for table in TABLES:
            for email in (ANN, JO_ANN):
                twin.domain(name).add(table, Entry(email, ago(days=3), "550", "No such mailbox"))
    members = {email: Member(shown, "Ann") for email, shown in ((ANN, "Ann@Example.com"), (JO_ANN, JO_ANN))}
    twin.lists[LIST] = MailingList(LIST, "News", ago(days=400), members)
    for number, email in enumerate(("Ann@Example.com", ANN, JO_ANN)):
        event = Event(f"e{number}", "delivered", ago(days=number), email, "a@clique.test", "Hello", f"m{number}@x")
        twin.domain(MAIN).add_event(event)
    return server


def call(gun, method, path, **more):
    return gun.call(method, path, **{"auth": ("api", "key"), **more})


def logs(gun, *conditions, start=None, **more):
    parts = [
        {"attribute": name, "comparator": sign, "values": [{"label": value, "value": value}]}
        for name, sign, value in conditions
    ]
    body = {"start": format_datetime(start or ago(days=40)), "end": format_datetime(NOW), "filter": {"AND": parts}}
    return call(gun, "POST", "/v1/analytics/logs", json={**body, "include_subaccounts": True, **more})


def found(answer):
    return [item["id"] for item in answer[1]["items"]]


def left(gun, table):
    return {(record["domain"], record["address"]) for record in gun.records(table)}


@pytest.mark.parametrize("auth", [None, ("api", ""), ("me", "key")])
def test_nothing_is_answered_without_a_key(gun, auth):
    assert call(gun, "GET", "/v4/domains", auth=auth) == (401, {"message": "Invalid private key"})
    assert call(gun, "DELETE", f"/v3/{MAIN}/bounces/{ANN}", auth=auth)[0] == 401
    assert len(left(gun, "bounces")) == 4


def test_domains_are_listed_in_pages_and_seldom(gun):
    assert [item["name"] for item in call(gun, "GET", "/v4/domains")[1]["items"]] == [MAIN, NEWS]
    assert [item["name"] for item in call(gun, "GET", "/v4/domains?limit=1&skip=1")[1]["items"]] == [NEWS]
    gun.twin.settings.domain_calls_per_minute = 0
    status, body = call(gun, "GET", "/v4/domains")
    assert status == 429
    assert 1 <= body["retry-seconds"] <= 60


@pytest.mark.parametrize("table", TABLES)
def test_an_entry_is_read_and_removed_by_its_address_in_one_domain(gun, table):
    path = f"/v3/{MAIN}/{table}/{quote('Ann@Example.com', safe='')}"
    status, entry = call(gun, "GET", path)
    assert (status, entry["value" if table == "whitelists" else "address"]) == (200, ANN)
    assert call(gun, "DELETE", path)[0] == 200
    assert call(gun, "GET", path)[0] == 404
    assert call(gun, "DELETE", path)[0] == 404
    assert left(gun, table) == {(MAIN, JO_ANN), (NEWS, ANN), (NEWS, JO_ANN)}


@pytest.mark.parametrize("path", ["bounces", "bounces/"])
def test_a_path_without_an_address_clears_the_table_of_the_domain(gun, path):
    assert call(gun, "DELETE", f"/v3/{MAIN}/{path}")[0] == 200
    assert left(gun, "bounces") == {(NEWS, ANN), (NEWS, JO_ANN)}


@pytest.mark.parametrize("address", ["*", "%", "ann@example", "nn@example.com", "a/b@example.com", "@"])
def test_an_address_is_taken_by_its_letters(gun, address):
    assert call(gun, "DELETE", f"/v3/{MAIN}/bounces/{quote(address, safe='')}")[0] == 404
    assert len(left(gun, "bounces")) == 4


def test_an_unknown_domain_or_table_is_told(gun):
    assert call(gun, "GET", "/v3/other.test/bounces")[0] == 404
    assert call(gun, "GET", f"/v3/{MAIN}/others")[0] == 404
    assert call(gun, "PUT", f"/v3/{MAIN}/bounces")[0] == 405
    assert call(gun, "GET", "/v9/x")[0] == 404


def test_pages_have_absolute_addresses_and_end_with_an_empty_one(gun):
    for number in range(5):
        gun.twin.domain(MAIN).add("bounces", Entry(f"p{number}@example.com", NOW))
    url, pages = f"/v3/{MAIN}/bounces?limit=3", []
    while True:
        page = call(gun, "GET", url)[1]
        pages.append([item["address"] for item in page["items"]])
        if not page["items"]:
            break
        url = page["paging"]["next"]
        assert url.startswith(gun.url)
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert len({address for page in pages for address in page}) == 7
    first = call(gun, "GET", page["paging"]["first"])[1]
    assert call(gun, "GET", call(gun, "GET", first["paging"]["next"])[1]["paging"]["previous"])[1] == first
    assert [i["address"] for i in call(gun, "GET", first["paging"]["last"])[1]["items"]] == [*pages[1][1:], *pages[2]]
    assert call(gun, "GET", f"/v3/{MAIN}/bounces?limit=1001")[0] == 400
    assert call(gun, "GET", f"/v3/{MAIN}/bounces?page=sideways")[0] == 400
    assert [i["address"] for i in call(gun, "GET", f"/v3/{MAIN}/bounces?term=ANN")[1]["items"]] == [ANN]


def test_entries_can_be_added(gun):
    assert call(gun, "POST", f"/v3/{MAIN}/complaints", data={"address": "New@Example.com"})[0] == 200
    many = [{"address": "a@example.com"}, {"address": "b@example.com"}]
    assert call(gun, "POST", f"/v3/{MAIN}/complaints", json=many)[0] == 200
    assert len(left(gun, "complaints")) == 7
    assert call(gun, "POST", f"/v3/{MAIN}/complaints", data={"address": "x"})[0] == 400


def test_a_404_may_be_for_the_moment(gun):
    gun.twin.settings.settle_seconds = 5
    assert call(gun, "POST", f"/v3/{MAIN}/bounces", data={"address": "new@example.com"})[0] == 200
    path = f"/v3/{MAIN}/bounces/new@example.com"
    assert [call(gun, method, path)[0] for method in ("GET", "DELETE")] == [404, 404]
    assert len(call(gun, "GET", f"/v3/{MAIN}/bounces")[1]["items"]) == 2
    gun.now += timedelta(seconds=5)
    assert [call(gun, method, path)[0] for method in ("GET", "DELETE", "GET")] == [200, 200, 404]


def test_members_of_lists_are_read_and_removed_one_by_one(gun):
    assert [item["address"] for item in call(gun, "GET", "/v3/lists/pages?limit=1")[1]["items"]] == [LIST]
    shown = call(gun, "GET", f"/v3/lists/{LIST}/members/pages?subscribed=yes")[1]["items"]
    assert [member["address"] for member in shown] == ["Ann@Example.com", JO_ANN]
    assert call(gun, "GET", f"/v3/lists/{LIST}/members/{ANN}")[1]["address"] == "Ann@Example.com"
    assert call(gun, "DELETE", f"/v3/lists/{LIST}/members/{ANN}")[0] == 200
    assert call(gun, "DELETE", f"/v3/lists/{LIST}/members/{ANN}")[0] == 404
    assert [record["address"] for record in gun.records("members")] == [JO_ANN]
    assert call(gun, "DELETE", f"/v3/lists/{LIST}/members/{ANN}")[0] == 404


def test_the_path_of_a_list_is_the_list(gun):
    assert call(gun, "DELETE", f"/v3/lists/{LIST}/")[0] == 200
    assert gun.records("members") == []
    assert call(gun, "GET", f"/v3/lists/{LIST}")[0] == 404


def test_logs_are_found_by_recipient_and_end_after_thirty_days(gun):
    assert found(logs(gun, ("recipient", "=", ANN))) == ["e0", "e1"]
    assert found(logs(gun, ("recipient", "contains", "ann@"))) == ["e0", "e1", "e2"]
    assert found(logs(gun, ("recipient", "=", ANN), ("domain", "=", NEWS))) == []
    assert found(logs(gun, ("recipient", "=", ANN), start=ago(hours=1))) == ["e0"]
    assert logs(gun, ("color", "=", "red"))[0] == 400
    gun.now += timedelta(days=29)
    assert [record["id"] for record in gun.records("events")] == ["e0"]
    assert call(gun, "DELETE", f"/v3/{MAIN}/events")[0] == 404
    assert call(gun, "DELETE", f"/v3/{MAIN}/events/e0")[0] == 404


def test_logs_have_pages_by_token(gun):
    first = logs(gun, pagination={"limit": 2, "sort": "timestamp:asc"})
    second = logs(gun, pagination={"limit": 2, "token": first[1]["pagination"]["next"], "sort": "timestamp:asc"})
    assert (found(first), found(second), first[1]["pagination"]["total"]) == (["e2", "e1"], ["e0"], 3)
    assert logs(gun, pagination={"limit": 2, "token": "x"})[0] == 400


def test_events_have_pages_until_an_empty_one(gun):
    first = call(gun, "GET", f"/v3/{MAIN}/events", params={"recipient": ANN, "limit": 1})[1]
    second = call(gun, "GET", first["paging"]["next"])[1]
    third = call(gun, "GET", second["paging"]["next"])[1]
    assert [[item["id"] for item in page["items"]] for page in (first, second, third)] == [["e0"], ["e1"], []]
    begin = {"begin": ago(days=1, hours=1).timestamp(), "ascending": "yes"}
    assert found(call(gun, "GET", f"/v3/{MAIN}/events", params=begin)) == ["e1", "e0"]
    assert call(gun, "GET", f"/v3/{MAIN}/events?limit=301")[0] == 400
    assert call(gun, "GET", f"/v3/{MAIN}/events?begin=once")[0] == 400


@pytest.mark.parametrize("how", ["data", "files"])
def test_mail_is_sent_by_a_form_and_shows_up_in_the_events(gun, how):
    for table in TABLES:
        call(gun, "DELETE", f"/v3/{MAIN}/{table}")
    gun.twin.settings.event_seconds = 60
    fields = {**MAIL, "v:key": "req_1", "h:Message-Id": "<req_1@mail.clique.test>"}
    form = fields if how == "data" else {name: (None, value) for name, value in fields.items()}
    status, body = call(gun, "POST", f"/v3/{MAIN}/messages", **{how: form})
    assert (status, body["id"]) == (200, "<req_1@mail.clique.test>")
    (mail,) = gun.twin.sent
    assert (mail.to, mail.text, mail.delivered, mail.variables) == (
        "Ann@Example.com",
        "It is done.",
        True,
        {"key": "req_1"},
    )
    assert found(logs(gun, ("message-id", "=", "req_1@mail.clique.test"))) == []
    gun.now += timedelta(minutes=1)
    shown = call(gun, "GET", f"/v3/{MAIN}/events?message-id=req_1@mail.clique.test")[1]["items"]
    assert {item["event"] for item in shown} == {"accepted", "delivered"}
    assert all(item["user-variables"] == {"key": "req_1"} for item in shown)


@pytest.mark.parametrize("table", ["bounces", "unsubscribes", "complaints"])
def test_mail_to_a_suppressed_address_is_queued_and_fails(gun, table):
    for other in set(TABLES) - {table}:
        call(gun, "DELETE", f"/v3/{MAIN}/{other}")
    assert call(gun, "POST", f"/v3/{MAIN}/messages", data=MAIL)[0] == 200
    assert [mail.delivered for mail in gun.twin.sent] == [False]
    assert [e["reason"] for e in gun.records("events") if e["event"] == "failed"] == [f"suppress-{table[:-1]}"]


@pytest.mark.parametrize("wrong", [{"to": "nobody"}, {"to": ""}, {"from": ""}, {"text": ""}])
def test_wrong_mail_is_refused(gun, wrong):
    assert call(gun, "POST", f"/v3/{MAIN}/messages", data={**MAIL, **wrong})[0] == 400
    assert gun.twin.sent == ()


def test_faults_answer_in_the_words_of_the_vendor(gun):
    gun.fail(FaultKind.STATUS, "GET /v4/domains", status=429)
    assert call(gun, "GET", "/v4/domains") == (429, {"message": "Too Many Requests", "retry-seconds": 1})


def patch(document):
    """Parameters that the text calls optional, times that the examples write as text, statuses it forgets."""
    for path, item in document["paths"].items():
        for operation in item.values():
            for parameter in operation.get("parameters", ()) if isinstance(operation, dict) else ():
                if parameter.get("in") == "query":
                    parameter["required"] = False
        if path.startswith("/v3/{domain_name}/"):
            item.get("get", {}).get("responses", {}).setdefault("404", {"description": "no such address"})
            times_as_text(item)
    times_as_text(document["components"])


def times_as_text(node):
    for below in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        times_as_text(below)
    for name in ("created_at", "createdAt"):
        if isinstance(node, dict) and isinstance(node.get("properties", {}).get(name), dict):
            node["properties"][name] = {"type": "string"}


def test_every_answer_is_one_that_the_vendor_describes(gun):
    description = Description("mailgun/mailgun-openapi.json", patch=patch)
    call(gun, "GET", "/v4/domains?limit=10&skip=0&include_subaccounts=true")
    for table in TABLES:
        for path in (table, f"{table}/{ANN}"):
            call(gun, "GET", f"/v3/{MAIN}/{path}")
        call(gun, "DELETE", f"/v3/{MAIN}/{table}/{ANN}")
        call(gun, "DELETE", f"/v3/{MAIN}/{table}/{ANN}")
        call(gun, "DELETE", f"/v3/{MAIN}/{table}")
    for method, path in (
        ("GET", "lists/pages"),
        ("GET", f"lists/{LIST}"),
        ("GET", f"lists/{LIST}/members/pages"),
        ("GET", f"lists/{LIST}/members/{ANN}"),
        ("DELETE", f"lists/{LIST}/members/{ANN}"),
        ("DELETE", f"lists/{LIST}/members/{ANN}"),
        ("DELETE", f"lists/{LIST}"),
        ("DELETE", f"lists/{LIST}"),
        ("GET", f"{MAIN}/events?recipient={ANN}&limit=5"),
    ):
        call(gun, method, f"/v3/{path}")
    call(gun, "POST", f"/v3/{MAIN}/messages", files={name: (None, value) for name, value in MAIL.items()})
    call(gun, "POST", f"/v3/{MAIN}/messages", files={"to": (None, ANN)})
    logs(gun, ("recipient", "=", ANN), pagination={"limit": 5, "sort": "timestamp:desc"})
    call(gun, "GET", "/v4/domains", auth=None)
    seen = set()
    for asked, status, body in gun.said:
        if status < 400:
            seen.add(description.check_call(asked))
        description.check_answer(asked, status, body)
    assert len(seen) == 26
