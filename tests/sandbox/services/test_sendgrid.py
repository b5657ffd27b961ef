"""The sandbox's SendGrid, driven by plain requests: what it keeps, what it takes its time for, and its traps."""

import time
from datetime import timedelta
from urllib.parse import quote

import pytest

from include.sandbox.faults import FaultKind
from include.sandbox.sendgrid import SUBUSER, Contact, Message, SendGridSandbox, Suppressed
from tests.openapi import Description
from tests.sandbox.services.kit import NOW, ago, running

KEY = {"Authorization": "Bearer SG.key"}
ANN, JO_ANN = "ann@example.com", "joann@example.com"
MAIL = {
    "personalizations": [{"to": [{"email": "Ann@Example.com"}], "custom_args": {"key": "req_1"}}],
    "from": {"email": "hello@clique.test"},
    "subject": "About your request",
    "content": [{"type": "text/plain", "value": "It is done."}],
}


@pytest.fixture(scope="module")
def server():
    with running("sendgrid", SendGridSandbox) as server:
        yield server


@pytest.fixture
def grid(server):
    account = server.fresh().twin.account()
    account.add_contact(Contact("c-ann", "Ann@Example.com", ["Ann.Old@example.com"], "Ann", "Lee", ago(days=90)))
    account.add_contact(Contact("c-jo", JO_ANN, [], "Jo", "Ann", ago(days=90)))
    for number, email in enumerate((ANN, ANN, JO_ANN)):
        account.add_message(Message(f"m{number}", "a@clique.test", email, "Hello", "delivered", ago(days=number)))
    for kind in ("bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes"):
        for email in (ANN, JO_ANN):
            account.suppressions[kind][email] = Suppressed(email, int(ago(days=3).timestamp()), "550", "5.1.1")
    for email in (ANN, JO_ANN):
        account.groups[41][email] = int(ago(days=3).timestamp())
    return server


def call(grid, method, path, **more):
    return grid.call(method, path, **{"headers": KEY, **more})


def search(grid, *emails):
    return call(grid, "POST", "/v3/marketing/contacts/search/emails", json={"emails": list(emails)})


def logs(grid, query, **more):
    status, body = call(grid, "POST", "/v3/logs", json={"query": query, "limit": 1000, **more})
    return [message["sg_message_id"] for message in body["messages"]] if status == 200 else status


def feed(grid, query):
    status, body = call(grid, "GET", "/v3/messages", params={"query": query, "limit": 1000})
    return [message["msg_id"] for message in body["messages"]] if status == 200 else (status, body)


def erase(grid, *emails, **more):
    return call(grid, "POST", "/v3/recipients/erasejob", json={"email_addresses": list(emails)}, **more)


def left(grid, collection):
    return {record["email"] for record in grid.records(collection)}


def test_nothing_is_answered_without_a_key(grid):
    assert call(grid, "GET", "/v3/scopes", headers={})[0] == 401
    assert call(grid, "DELETE", f"/v3/suppression/bounces/{ANN}", headers={"Authorization": "Basic x"})[0] == 401
    assert left(grid, "bounces") == {ANN, JO_ANN}


def test_contacts_are_found_by_any_of_their_addresses_in_any_case(grid):
    status, body = search(grid, "ANN.old@example.com", ANN, "nn@example.com")
    assert status == 200
    assert body["result"]["ann.old@example.com"]["contact"]["id"] == "c-ann"
    assert body["result"][ANN]["contact"]["alternate_emails"] == ["ann.old@example.com"]
    assert body["result"]["nn@example.com"] == {"error": "contact not found"}
    assert search(grid, "nn@example.com")[0] == 404
    assert search(grid, ANN, "no address")[0] == 400
    assert search(grid, *[f"a{number}@example.com" for number in range(101)])[0] == 400
    long = f"{'a' * 60}@{'b' * 60}.example.com"
    assert search(grid, long)[0] == 400
    identifiers = "/v3/marketing/contacts/search/identifiers/email"
    assert call(grid, "POST", identifiers, json={"identifiers": [long, ANN]})[0] == 200


def test_contacts_are_deleted_by_a_job_that_is_pending_at_first(grid):
    job = call(grid, "DELETE", "/v3/marketing/contacts", params={"ids": "c-ann,c-none"})[1]["job_id"]
    assert search(grid, ANN)[0] == 200
    states = [call(grid, "GET", f"/v3/marketing/contacts/imports/{job}")[1] for _ in range(3)]
    assert [state["status"] for state in states] == ["pending", "pending", "completed"]
    assert states[-1]["results"] == {"requested_count": 2, "deleted_count": 1, "errored_count": 0}
    assert left(grid, "contacts") == {JO_ANN}
    assert call(grid, "GET", "/v3/marketing/contacts/imports/other")[0] == 404


def test_a_job_that_nobody_asks_about_ends_too(grid):
    call(grid, "DELETE", "/v3/marketing/contacts", params={"ids": "c-ann"})
    grid.now += timedelta(minutes=2)
    assert left(grid, "contacts") == {JO_ANN}


@pytest.mark.parametrize(
    ("params", "status", "kept"),
    [
        ({"delete_all_contacts": "true"}, 202, set()),
        ({"ids": ""}, 400, {ANN, JO_ANN}),
        ({}, 400, {ANN, JO_ANN}),
        ({"ids": "c-ann", "delete_all_contacts": "true"}, 400, {ANN, JO_ANN}),
    ],
)
def test_all_contacts_go_only_when_that_is_said(grid, params, status, kept):
    assert call(grid, "DELETE", "/v3/marketing/contacts", params=params)[0] == status
    grid.now += timedelta(minutes=2)
    assert left(grid, "contacts") == kept


def test_an_erasure_takes_contacts_and_activity_after_a_while_and_no_suppression(grid):
    assert erase(grid, "ANN@example.com")[0] == 202
    assert left(grid, "contacts") == {ANN, JO_ANN}
    grid.now += timedelta(hours=1)
    assert left(grid, "contacts") == {JO_ANN}
    assert [record["to_email"] for record in grid.records("activity")] == [JO_ANN]
    assert left(grid, "bounces") == {ANN, JO_ANN}
    assert search(grid, "ann.old@example.com")[0] == 404


def test_an_erased_alternate_address_leaves_the_contact(grid):
    erase(grid, "ann.old@example.com")
    grid.now += timedelta(hours=1)
    assert search(grid, ANN)[1]["result"][ANN]["contact"]["alternate_emails"] == []
    assert search(grid, "ann.old@example.com")[0] == 404


def test_an_erasure_with_a_wrong_address_names_it_and_does_nothing(grid):
    status, body = erase(grid, ANN, "*", "")
    assert status == 400
    assert [error["message"] for error in body["errors"]] == [
        "Email_address * is not valid",
        "Email_address  is not valid",
    ]
    grid.now += timedelta(hours=1)
    assert left(grid, "contacts") == {ANN, JO_ANN}


def test_erasures_are_limited_in_number_size_and_rate(grid):
    assert erase(grid)[0] == 400
    assert erase(grid, *[f"a{number}@example.com" for number in range(5001)])[0] == 400
    assert erase(grid, *[f"{'a' * 60}{number}@example.com" for number in range(4500)])[0] == 400
    grid.twin.settings.erase_jobs_per_minute = 0
    assert erase(grid, ANN)[0] == 429
    assert grid.last.headers["X-Envoy-Ratelimited"] == "true"
    assert 1 <= int(grid.last.headers["X-RateLimit-Reset"]) <= 60
    assert (grid.last.headers["X-RateLimit-Limit"], grid.last.headers["X-RateLimit-Remaining"]) == ("0", "0")
    grid.now += timedelta(hours=1)
    assert left(grid, "contacts") == {ANN, JO_ANN}


def test_the_general_limit_says_when_it_ends_in_seconds_since_1970(grid):
    grid.twin.settings.calls_per_minute = 0
    assert call(grid, "GET", "/v3/scopes")[0] == 429
    assert 0 < int(grid.last.headers["X-RateLimit-Reset"]) - time.time() <= 61


def test_an_account_may_lack_the_erasure(grid):
    grid.twin.settings.scopes = ("mail.send",)
    assert call(grid, "GET", "/v3/scopes")[1] == {"scopes": ["mail.send"]}
    assert erase(grid, ANN)[0] == 403


def test_a_subuser_has_its_own_data(grid):
    grid.twin.account(SUBUSER).add_contact(Contact("s-ann", ANN, [], "Ann", "", ago(days=9)))
    (subuser,) = call(grid, "GET", "/v3/subusers")[1]
    mine = {**KEY, "On-Behalf-Of": subuser["username"]}
    assert erase(grid, ANN)[0] == 202
    grid.now += timedelta(hours=1)
    assert {record["subuser"] for record in grid.records("contacts") if record["email"] == ANN} == {SUBUSER}
    assert erase(grid, ANN, headers=mine)[0] == 202
    grid.now += timedelta(hours=1)
    assert left(grid, "contacts") == {JO_ANN}
    assert call(grid, "GET", "/v3/scopes", headers={**KEY, "On-Behalf-Of": "nobody"})[0] == 401
    assert erase(grid, ANN, headers={**KEY, "On-Behalf-Of": "nobody"})[0] == 401


@pytest.mark.parametrize("kind", ["bounces", "blocks", "invalid_emails", "spam_reports"])
def test_a_suppression_is_read_and_removed_by_its_address(grid, kind):
    path = f"/v3/suppression/{kind}/{quote('Ann@Example.com')}"
    assert [entry["email"] for entry in call(grid, "GET", path)[1]] == [ANN]
    assert call(grid, "DELETE", path)[0] == 204
    assert call(grid, "GET", path) == (200, [])
    assert call(grid, "DELETE", path)[0] == 204
    assert left(grid, kind) == {JO_ANN}


@pytest.mark.parametrize(
    ("body", "status", "kept"),
    [
        ({"emails": [ANN, "x@example.com"]}, 204, {JO_ANN}),
        ({"emails": []}, 204, {ANN, JO_ANN}),
        ({"delete_all": True}, 204, set()),
        ({"delete_all": True, "emails": [ANN]}, 400, {ANN, JO_ANN}),
        (None, 400, {ANN, JO_ANN}),
    ],
)
def test_many_are_removed_by_a_list_or_all_when_that_is_said(grid, body, status, kept):
    assert call(grid, "DELETE", "/v3/suppression/bounces/", json=body)[0] == status
    assert left(grid, "bounces") == kept


def test_lists_have_pages_of_at_most_500(grid):
    entries = grid.twin.account().suppressions["bounces"]
    for number in range(600):
        entries[f"p{number}@example.com"] = Suppressed(f"p{number}@example.com", int(NOW.timestamp()))
    pages = [call(grid, "GET", f"/v3/suppression/bounces?limit=500&offset={offset}")[1] for offset in (0, 500)]
    assert [len(page) for page in pages] == [500, 102]
    assert {entry["email"] for page in pages for entry in page} == set(entries)
    assert call(grid, "GET", "/v3/suppression/bounces?limit=501")[0] == 400
    assert len(call(grid, "GET", "/v3/suppression/bounces?email=p59")[1]) == 11
    assert len(call(grid, "GET", f"/v3/suppression/bounces?end_time={int(ago(days=1).timestamp())}")[1]) == 2


def test_unsubscribes_are_global_or_of_a_group(grid):
    path = f"/v3/asm/suppressions/global/{ANN}"
    assert call(grid, "GET", path)[1] == {"recipient_email": ANN}
    assert call(grid, "DELETE", path)[0] == 204
    assert call(grid, "GET", path)[1] == {}
    assert [entry["email"] for entry in call(grid, "GET", "/v3/suppression/unsubscribes")[1]] == [JO_ANN]
    assert call(grid, "DELETE", "/v3/suppression/unsubscribes")[0] == 405
    groups = call(grid, "GET", f"/v3/asm/suppressions/{ANN}")[1]["suppressions"]
    assert {group["id"]: group["suppressed"] for group in groups} == {41: True, 42: False}
    found = call(grid, "POST", "/v3/asm/groups/41/suppressions/search", json={"recipient_emails": [ANN, "x@y.test"]})
    assert found == (200, [ANN])
    assert call(grid, "DELETE", f"/v3/asm/groups/41/suppressions/{ANN}")[0] == 204
    assert call(grid, "GET", "/v3/asm/groups/41/suppressions")[1] == [JO_ANN]
    assert call(grid, "DELETE", f"/v3/asm/groups/43/suppressions/{JO_ANN}")[0] == 404


def test_activity_is_found_by_recipient_for_37_days(grid):
    assert feed(grid, f'to_email="{ANN.upper()}"') == ["m0", "m1"]
    assert logs(grid, f"to_email = '{ANN}'") == ["m0", "m1"]
    assert logs(grid, f"to_email = '{ANN}' AND sg_message_id_created_at > TIMESTAMP \"{ago(hours=1):%FT%TZ}\"") == [
        "m0"
    ]
    assert logs(grid, "status IN ('delivered', 'dropped')") == ["m0", "m1", "m2"]
    assert feed(grid, 'to_email LIKE "%ann@example.com"') == ["m0", "m1", "m2"]
    grid.now += timedelta(days=36)
    assert feed(grid, 'status="delivered"') == ["m0"]
    assert left(grid, "contacts") == {ANN, JO_ANN}


@pytest.mark.parametrize(
    "query", ["to_email", "nobody='x'", "to_email='x' subject='y'", "custom_args['key'] = 'x'", "to_email LIKE 'x'"]
)
def test_the_logs_refuse_what_they_do_not_know(grid, query):
    assert logs(grid, query) == 400


def test_the_feed_is_an_extra(grid):
    assert feed(grid, 'bad_field="x"')[1]["errors"][0]["message"] == "invalid syntax: 'bad_field' is not a known field"
    grid.twin.settings.activity_feed = False
    assert feed(grid, f'to_email="{ANN}"')[0] == 403


def test_mail_shows_up_in_the_activity_with_its_arguments(grid):
    grid.twin.settings.activity_seconds = 300
    grid.twin.account().suppressions["unsubscribes"].clear()
    for kind in ("bounces", "blocks", "invalid_emails", "spam_reports"):
        grid.twin.account().suppressions[kind].clear()
    assert call(grid, "POST", "/v3/mail/send", json=MAIL)[0] == 202
    sent_id = grid.last.headers["X-Message-Id"]
    assert "m0" in feed(grid, f'to_email="{ANN}"')
    assert feed(grid, "unique_args['key']=\"req_1\"") == []
    grid.now += timedelta(minutes=5)
    (message,) = feed(grid, "unique_args['key']=\"req_1\"")
    assert message.startswith(sent_id)
    assert call(grid, "GET", f"/v3/logs/{message}")[1]["custom_args"] == {"key": "req_1"}
    assert call(grid, "GET", "/v3/logs/other")[0] == 404
    (mail,) = grid.twin.sent
    assert (mail.to, mail.text, mail.delivered, mail.custom_args) == (
        "Ann@Example.com",
        "It is done.",
        True,
        {"key": "req_1"},
    )


@pytest.mark.parametrize(
    ("settings", "delivered"),
    [
        ({}, False),
        ({"bypass_unsubscribe_management": {"enable": True}}, False),
        ({"bypass_list_management": {"enable": True}}, True),
    ],
)
def test_mail_to_a_suppressed_address_is_taken_and_dropped(grid, settings, delivered):
    assert call(grid, "POST", "/v3/mail/send", json={**MAIL, "mail_settings": settings})[0] == 202
    (mail,) = grid.twin.sent
    assert mail.delivered is delivered


@pytest.mark.parametrize("member", ["personalizations", "from", "subject", "content"])
def test_wrong_mail_is_refused(grid, member):
    assert call(grid, "POST", "/v3/mail/send", json={k: v for k, v in MAIL.items() if k != member})[0] == 400
    assert grid.twin.sent == ()


def test_faults_answer_in_the_words_of_the_vendor(grid):
    grid.fail(FaultKind.STATUS, "GET /v3/scopes", status=429)
    assert call(grid, "GET", "/v3/scopes") == (429, {"errors": [{"message": "too many requests", "field": None}]})
    grid.fail(FaultKind.PARTIAL, "DELETE /v3/suppression/blocks")
    call(grid, "DELETE", "/v3/suppression/blocks", json={"emails": [ANN, JO_ANN]})
    assert left(grid, "blocks") == {JO_ANN}
    assert grid.journal.as_json()[0]["status"] == 429


DESCRIPTIONS = ("mc_contacts", "recipients_data_erasure", "suppressions", "email_activity", "logs", "mail", "scopes")


def patch(document):
    """Where the vendor's description contradicts its own text and examples."""
    for path, item in document["paths"].items():
        if path == "/v3/marketing/contacts":
            schema = item["delete"]["responses"]["202"]["content"]["application/json"]["schema"]
            schema["properties"]["job_id"]["type"] = "string"
        if path == "/v3/asm/suppressions/global/{email}":
            del item["get"]["responses"]["200"]["content"]["application/json"]["schema"]["required"]
    replace_nullable(document)


def replace_nullable(node):
    """OpenAPI 3.0's ``nullable`` means nothing to the JSON Schema of 3.1."""
    for below in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        replace_nullable(below)
    if isinstance(node, dict) and node.pop("nullable", False) is True:
        node["type"] = [node["type"], "null"]


def test_every_answer_is_one_that_the_vendor_describes(grid):
    description = Description(*(f"sendgrid/tsg_{name}_v3.json" for name in (*DESCRIPTIONS, "subusers")), patch=patch)
    job = call(grid, "DELETE", "/v3/marketing/contacts", params={"ids": "c-jo"})[1]["job_id"]
    for _ in range(3):
        call(grid, "GET", f"/v3/marketing/contacts/imports/{job}")
    for path in ("scopes", "subusers", "marketing/contacts/c-ann", "marketing/contacts/imports/x", "logs/m0", "logs/x"):
        call(grid, "GET", f"/v3/{path}")
    for emails in ([ANN], ["x@example.com"], ["x"]):
        search(grid, *emails)
        call(grid, "POST", "/v3/marketing/contacts/search/identifiers/email", json={"identifiers": emails})
        erase(grid, *emails)
    for kind in ("bounces", "blocks", "invalid_emails", "spam_reports"):
        for path in (kind, f"{kind}/{ANN}", f"{kind}/x@example.com"):
            call(grid, "GET", f"/v3/suppression/{path}")
        call(grid, "DELETE", f"/v3/suppression/{kind}/{ANN}")
        call(grid, "DELETE", f"/v3/suppression/{kind}", json={"emails": [JO_ANN]})
    one = {"recipient_emails": ["new@example.com"]}
    for method, path, body in (
        ("GET", "suppression/unsubscribes", None),
        ("GET", f"asm/suppressions/global/{ANN}", None),
        ("GET", "asm/suppressions/global/x@example.com", None),
        ("DELETE", f"asm/suppressions/global/{ANN}", None),
        ("POST", "asm/suppressions/global", one),
        ("GET", "asm/groups", None),
        ("GET", "asm/suppressions", None),
        ("GET", f"asm/suppressions/{JO_ANN}", None),
        ("POST", "asm/groups/41/suppressions", one),
        ("POST", "asm/groups/41/suppressions/search", one),
        ("GET", "asm/groups/41/suppressions", None),
        ("DELETE", f"asm/groups/41/suppressions/{JO_ANN}", None),
        ("POST", "mail/send", MAIL),
        ("POST", "mail/send", {}),
    ):
        call(grid, method, f"/v3/{path}", json=body)
    logs(grid, f"to_email = '{ANN}'")
    logs(grid, "x")
    feed(grid, f'to_email="{ANN}"')
    feed(grid, "x")
    call(grid, "GET", "/v3/scopes", headers={})
    seen = set()
    for asked, status, body in grid.said:
        if status < 400:
            seen.add(description.check_call(asked))
        description.check_answer(asked, status, body)
    assert len(seen) == 39
