"""Links and tokens. What is sent to LinkedIn is held against its page, written down here by hand.

https://learn.microsoft.com/en-us/linkedin/shared/authentication/token-introspection
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from include.errors import Refused, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox.rest import Reply
from include.systems.erasing import Did, Receipt
from tests.systems.conformance.means import NOW, Somebody

TOKEN = IdentifierKind.OAUTH_TOKEN
ANN = Somebody(
    1,
    {
        IdentifierKind.USER_ID: ["ann"],
        IdentifierKind.FEDERATED_ID: ["oidc.linkedin:l1"],
        TOKEN: ["linkedin:AQann", "google:1//ann"],
    },
)
LINK = ("oidc.linkedin", "l1")
REQUEST = {"client_id", "client_secret", "token"}
ANSWER = {
    "active": bool,
    "client_id": str,
    "authorized_at": int,
    "created_at": int,
    "status": str,
    "expires_at": int,
    "scope": str,
    "auth_type": str,
}
"""Members of an answer and their types; ``active`` is always there."""


def run(system, *people):
    subjects = [person.subject() for person in people]
    found = system.find(subjects)
    receipts = system.erase(found)
    seen = system.verify(subjects, receipts)
    system.close()
    return found, receipts, seen


def test_the_link_goes_and_the_token_is_revoked(both):
    both.add("ann", LINK, ("google.com", "105"))
    both.linkedin.allow("AQann", "l1")
    both.linkedin.allow("AQann0", "l10")
    (found,), (receipt,), (seen,) = run(both.system(), ANN)
    assert dict(found.counts) == {"links": 1, "tokens": 1}
    assert (receipt.did, receipt.gone, seen.remaining, seen.proved) == (Did.GONE, 2, 0, True)
    assert both.links() == {"105"}
    assert [record["token"] for _, record in both.linkedin.records()] == ["AQann0"]
    assert both.wire.exchanges[-1].got == {"active": False, "status": "revoked"}


def test_a_token_that_linkedin_does_not_revoke_ends_when_it_says(both):
    both.linkedin.settings.revokes = False
    both.linkedin.allow("AQann", "l1")
    _, (receipt,), (seen,) = run(both.system(), ANN)
    until = NOW + timedelta(days=60)
    assert (receipt.did, receipt.gone, receipt.until) == (Did.EXPIRING, 0, until)
    assert (seen.remaining, seen.until, seen.proved) == (0, until, False)
    both.clock.now = until + timedelta(seconds=1)
    system = both.system()
    (later,) = system.verify([ANN.subject()], [receipt])
    system.close()
    assert (later.remaining, later.until, later.proved) == (0, None, True)


def test_a_token_that_outlives_its_date_remains(both):
    both.linkedin.allow("AQann", "l1")
    system = both.system()
    (seen,) = system.verify([ANN.subject()], [Receipt(ANN.ref, Did.EXPIRING, until=NOW - timedelta(days=1))])
    system.close()
    assert seen.remaining == 1


def test_a_token_without_a_date_is_awaited_for_a_year(both, monkeypatch):
    both.linkedin.settings.revokes = False
    monkeypatch.setattr(both.linkedin._routes, "find", lambda ask: lambda: Reply(body={"active": True}))
    _, (receipt,), _ = run(both.system(), ANN)
    assert (receipt.did, receipt.until) == (Did.EXPIRING, NOW + timedelta(days=365))


@pytest.mark.parametrize("body", [None, [], {}, {"active": "yes"}])
def test_an_answer_that_does_not_say_whether_it_is_active_is_no_proof(both, monkeypatch, body):
    monkeypatch.setattr(both.linkedin._routes, "find", lambda ask: lambda: Reply(body=body))
    with pytest.raises(Unavailable):
        run(both.system(), ANN)


def test_the_provider_has_the_name_that_the_project_gave_it(both):
    both.add("ann", LINK, ("oidc.li", "l2"))
    run(both.system(provider_id="oidc.li"), ANN)
    assert both.links() == {"l1"}


def test_what_is_sent_and_answered_is_as_linkedins_page_says(both):
    both.linkedin.allow("AQann", "l1")
    system = both.system()
    system.access()
    run(system, ANN)
    assert {each.operation for each in both.wire.exchanges} == {
        "POST /oauth/v2/introspectToken",
        "POST /oauth/v2/revoke",
    }
    for each in both.wire.exchanges:
        assert each.headers["content-type"] == "application/x-www-form-urlencoded"
        assert set(each.sent) == REQUEST
        assert not each.query
    for each in both.wire.asked("introspect"):
        assert "active" in each.got
        assert all(type(value) is ANSWER[name] for name, value in each.got.items())
        assert each.got.get("status", "active") in ("active", "expired", "revoked")


def test_the_accounts_of_google_never_reach_linkedin_nor_its_tokens_google(both):
    both.add("ann", LINK)
    run(both.system(), ANN)
    assert not both.wire.asked("accounts")
    assert [each.sent["token"] for each in both.wire.exchanges] == ["AQann"] * 2


def test_access_tries_both_keys(both):
    wrong = replace(both.connection(), password="wrong")
    for system in (both.system(wrong), both.system(project="another")):
        with pytest.raises(Refused):
            system.access()
        system.close()


def test_people_and_export_are_those_of_the_links(both):
    both.add("ann", LINK)
    both.add("ben", ("google.com", "105"))
    system = both.system()
    assert [one.value for one in system.people()] == ["ann", "oidc.linkedin:l1"]
    (exported,) = system.export([ANN.subject()])
    system.close()
    assert exported.records == {"links": [{"providerId": "oidc.linkedin", "rawId": "l1"}]}


@pytest.mark.parametrize("missing", ["login", "password"])
def test_a_connection_without_an_application_is_refused(both, missing):
    with pytest.raises(Refused):
        both.system(replace(both.connection(), **{missing: None}))
