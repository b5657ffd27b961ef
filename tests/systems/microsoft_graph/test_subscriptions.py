"""Subscriptions, stored grants and consents: what goes, what ends by itself, and what is another's."""

from dataclasses import replace
from datetime import timedelta

import pytest

from include.errors import Refused, Throttled, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox.faults import Fault, FaultKind
from include.sandbox.rest import Reply
from include.systems.erasing import Did, Receipt
from tests.systems.conformance.means import NOW, Somebody

TOKEN, ID = IdentifierKind.OAUTH_TOKEN, IdentifierKind.EXTERNAL_ID
ANN = Somebody(1, {TOKEN: ["microsoft:M.ann"], ID: ["microsoft:00aa-ann"]})
BEN = Somebody(2, {TOKEN: ["microsoft:M.ben"], ID: ["microsoft:00bb-ben"]})
UNTIL = NOW + timedelta(days=90)


def run(graph, *people, **extra):
    with graph.system(**extra) as system:
        subjects = [person.subject() for person in people]
        found = system.find(subjects)
        receipts = system.erase(found)
        return found, receipts, system.verify(subjects, receipts)


def subscriptions(graph):
    return {record["id"] for kind, record in graph.twin.records() if kind == "subscriptions"}


def test_subscriptions_go_and_the_grant_ends_by_itself(graph):
    graph.twin.allow("M.ann", "00aa-ann")
    graph.twin.subscribe("s1", "00aa-ann")
    (found,), (receipt,), (seen,) = run(graph, ANN)
    assert dict(found.counts) == {"grants": 1, "subscriptions": 1}
    assert (receipt.did, receipt.gone, receipt.until, found.clean_at) == (Did.EXPIRING, 1, UNTIL, UNTIL)
    assert (seen.remaining, seen.until, seen.proved) == (0, UNTIL, False)
    graph.clock.now = UNTIL + timedelta(hours=1)
    with graph.system() as system:
        (later,) = system.verify([ANN.subject()], [receipt])
    assert (later.remaining, later.until, later.proved) == (0, None, True)


def test_a_grant_that_is_honoured_after_its_date_remains(graph):
    graph.twin.allow("M.ann", "00aa-ann")
    with graph.system() as system:
        (seen,) = system.verify([ANN.subject()], [Receipt(ANN.ref, Did.EXPIRING, until=NOW - timedelta(days=1))])
    assert (seen.remaining, seen.until) == (1, None)


def test_a_grant_with_many_rights_lists_others_and_they_stay(graph):
    graph.twin.settings.reads_all = True
    graph.twin.allow("M.ann", "00aa-ann")
    for user in ("00aa-ann", "00bb-ben", "00aa-ann0", "x00aa-ann"):
        graph.twin.subscribe(f"s-{user}", user, f"users/{user}/events")
    run(graph, ANN)
    assert subscriptions(graph) == {"s-00bb-ben", "s-00aa-ann0", "s-x00aa-ann"}


@pytest.mark.parametrize(
    "resource", ["users/00AA-ann/messages", "/users/00aa-ann/events", "Users('00aa-ann')/contacts", "users/00aa-ann"]
)
def test_a_subscription_is_a_persons_by_its_resource(graph, tenant, resource):
    graph.twin.subscribe("s1", "the application", resource)
    graph.twin.subscribe("s2", "the application", resource.replace("ann", "annex"))
    run(graph, ANN, **tenant)
    assert subscriptions(graph) == {"s2"}


def test_a_person_whose_grant_is_lost_is_found_in_the_tenant(graph, tenant):
    graph.twin.subscribe("s1", "00aa-ann")
    assert run(graph, ANN)[1][0].did is Did.ABSENT
    assert run(graph, ANN, **tenant)[1][0].did is Did.GONE
    assert subscriptions(graph) == set()


ONLY_KNOWN = Somebody(1, {ID: ["microsoft:00aa-ann"]})
"""An account of whom no grant is stored."""
LAST = NOW + timedelta(minutes=42_300)


def test_what_cannot_be_listed_is_not_called_absent_and_ends_by_its_date(graph):
    graph.twin.subscribe("s1", "00aa-ann")
    (found,), (receipt,), (seen,) = run(graph, ONLY_KNOWN)
    assert (dict(found.counts), found.clean_at) == ({}, LAST)
    assert (receipt.did, receipt.gone, receipt.until) == (Did.EXPIRING, 0, LAST)
    assert (seen.remaining, seen.until, seen.proved) == (0, LAST, False)
    graph.clock.now = LAST - timedelta(seconds=1)
    with graph.system() as system:
        (sooner,) = system.verify([ONLY_KNOWN.subject()], [receipt])
        graph.clock.now = LAST
        (later,) = system.verify([ONLY_KNOWN.subject()], [receipt])
    assert (sooner.until, sooner.proved) == (LAST, False)
    assert (later.remaining, later.until, later.proved) == (0, None, True)


def test_what_a_tenant_lists_is_absent_at_once(graph, tenant):
    (found,), (receipt,), (seen,) = run(graph, ONLY_KNOWN, **tenant)
    assert (found.clean_at, receipt.did, seen.proved) == (None, Did.ABSENT, True)


def test_without_an_account_there_is_nothing_to_wait_for(graph):
    nobody = Somebody(1, {ID: ["google:00aa-ann", "microsoft:"]})
    (found,), (receipt,), (seen,) = run(graph, nobody)
    assert (found.clean_at, receipt.did, seen.proved) == (None, Did.ABSENT, True)


def test_a_grant_without_a_known_id_is_asked_whose_it_is(graph):
    graph.twin.settings.reads_all = True
    graph.twin.allow("M.ann", "00aa-ann")
    graph.twin.subscribe("s1", "00aa-ann")
    graph.twin.subscribe("s2", "00bb-ben")
    run(graph, Somebody(1, {TOKEN: ["microsoft:M.ann"]}))
    assert subscriptions(graph) == {"s2"}
    assert len(graph.wire.asked("GET /v1.0/me")) == 2


def test_the_subscriptions_of_a_tenant_are_listed_once_for_all_and_deleted_twenty_at_a_time(graph, tenant):
    people = [Somebody(n, {ID: [f"microsoft:user-{n}"]}) for n in range(1, 46)]
    graph.twin.settings.page = 10
    for n in range(1, 46):
        graph.twin.subscribe(f"s{n}", f"user-{n}")
    _, receipts, _ = run(graph, *people, **tenant)
    assert {(receipt.did, receipt.gone) for receipt in receipts} == {(Did.GONE, 1)}
    assert [len(each.sent["requests"]) for each in graph.wire.asked("$batch")] == [20, 20, 5]
    assert len(graph.wire.asked("GET /v1.0/subscriptions")) == 5 + 1


def test_a_consent_is_deleted_where_the_connection_says_so_and_ends_the_grant(graph, tenant):
    graph.twin.allow("M.ann", "00aa-ann", consent="consent-ann")
    graph.twin.allow("M.ben", "00bb-ben", consent="consent-ben")
    graph.twin.allow_all("consent-of-all")
    found, (receipt,), (seen,) = run(graph, ANN, tenant_grants=True, **tenant)
    assert (receipt.did, receipt.gone, found[0].clean_at) == (Did.GONE, 2, None)
    assert (seen.remaining, seen.until, seen.proved) == (0, None, True)
    left = {record["id"] for kind, record in graph.twin.records() if kind == "consents"}
    assert left == {"consent-ben", "consent-of-all"}


def test_consents_are_left_alone_by_default(graph, tenant):
    graph.twin.allow("M.ann", "00aa-ann", consent="consent-ann")
    assert run(graph, ANN, **tenant)[1][0].did is Did.EXPIRING
    assert "consents" in graph.left()
    assert not graph.wire.asked("oauth2PermissionGrants")


def test_a_filter_that_finds_others_deletes_only_the_persons_own(graph, tenant, monkeypatch):
    rows = [
        {"id": "c1", "clientId": "p", "principalId": "00aa-ann", "consentType": "Principal"},
        {"id": "c2", "clientId": "p", "principalId": "00bb-ben", "consentType": "Principal"},
        {"id": "c3", "clientId": "q", "principalId": "00aa-ann", "consentType": "Principal"},
        {"id": "c4", "clientId": "p", "principalId": "00aa-ann", "consentType": "AllPrincipals"},
    ]
    find = graph.twin._routes.find

    def careless(ask):
        answers = {"servicePrincipals": {"id": "p"}, "oauth2PermissionGrants": {"value": rows}}
        body = next((body for part, body in answers.items() if part in ask.path and ask.method == "GET"), None)
        return find(ask) if body is None else lambda: Reply(body=body)

    monkeypatch.setattr(graph.twin._routes, "find", careless)
    run(graph, ANN, tenant_grants=True, **tenant)
    (batch,) = graph.wire.asked("$batch")
    assert [part["url"] for part in batch.sent["requests"]] == ["/oauth2PermissionGrants/c1"]


def test_a_quote_in_an_id_stays_inside_its_string(graph, tenant):
    person = Somebody(1, {ID: ["microsoft:x' or principalId ne '"]})
    graph.twin.allow("M.ben", "00bb-ben", consent="consent-ben")
    assert run(graph, person, tenant_grants=True, **tenant)[1][0].did is Did.ABSENT
    assert {"consents", "refresh_tokens"} <= graph.left()


def test_a_grant_that_waits_for_its_user_is_there_and_ends_by_itself(graph):
    graph.twin.allow("M.ann", "00aa-ann")
    graph.twin.grants.locked.add("M.ann")
    found, (receipt,), (seen,) = run(graph, ANN)
    assert (dict(found[0].counts), receipt.did, seen.proved) == ({"grants": 1}, Did.EXPIRING, False)


@pytest.mark.parametrize(("status", "error"), [(429, Throttled), (503, Unavailable), (403, Refused)])
def test_a_part_of_a_batch_that_fails_is_an_error(graph, tenant, monkeypatch, status, error):
    graph.twin.subscribe("s1", "00aa-ann")
    answer = {"id": "1", "status": status, "headers": {"Retry-After": "7"}}
    with graph.system(**tenant) as system:
        found = system.find([ANN.subject()])
        find = graph.twin._routes.find
        failing = lambda ask: (lambda: Reply(body={"responses": [answer]})) if "batch" in ask.path else find(ask)  # noqa: E731
        monkeypatch.setattr(graph.twin._routes, "find", failing)
        with pytest.raises(error) as raised:
            system.erase(found)
    assert getattr(raised.value, "retry_after", 7.0) == 7.0


def test_a_part_of_a_batch_without_an_answer_is_not_done(graph, tenant, monkeypatch):
    graph.twin.subscribe("s1", "00aa-ann")
    with graph.system(**tenant) as system:
        found = system.find([ANN.subject()])
        find = graph.twin._routes.find
        silent = lambda ask: (lambda: Reply(body={"responses": []})) if "batch" in ask.path else find(ask)  # noqa: E731
        monkeypatch.setattr(graph.twin._routes, "find", silent)
        with pytest.raises(Unavailable):
            system.erase(found)


def test_an_id_that_is_none_is_never_put_into_the_address_of_a_deletion(graph, tenant):
    graph.twin.subscribe("s1/../../users/00bb-ben", "00aa-ann")
    with graph.system(**tenant) as system:
        found = system.find([ANN.subject()])
        with pytest.raises(Refused):
            system.erase(found)
    assert graph.wire.asked("$batch") == []


def test_access_needs_the_tenant_and_the_right_to_look_for_the_application(graph, tenant):
    with graph.system(tenant_grants=True, **tenant) as system:
        assert system.access().shown is False
        graph.twin.settings.manages_consents = False
        with pytest.raises(Refused):
            system.access()
    with graph.system(tenants=["another-tenant"]) as system, pytest.raises(Refused):
        system.access()
    with graph.system(replace(graph.connection(), password="wrong")) as system, pytest.raises(Refused):
        system.access()


def test_an_export_says_what_is_reported_and_shows_no_token(graph):
    graph.twin.allow("M.ann", "00aa-ann")
    graph.twin.subscribe("s1", "00aa-ann")
    with graph.system() as system:
        (exported,) = system.export([ANN.subject()])
    (row,) = exported.records["subscriptions"]
    assert row.keys() == {"resource", "changeType", "expirationDateTime"}
    assert "M.ann" not in str(exported.records)


def test_every_call_is_paced(graph):
    graph.twin.allow("M.ann", "00aa-ann")
    run(graph, ANN)
    assert graph.budgets.paced == {"microsoft_graph": len(graph.wire.exchanges)}


@pytest.mark.parametrize("tenants", ["one", [""], [1]])
def test_tenants_that_are_no_list_of_ids_are_refused(graph, tenants):
    with pytest.raises(Refused), graph.system(tenants=tenants):
        pass


def test_a_short_refusal_of_the_platform_is_waited_for(graph):
    graph.twin.allow("M.ann", "00aa-ann")
    graph.faults.add(Fault("microsoft_graph", FaultKind.STATUS, "token", status=429, retry_after=1))
    assert run(graph, ANN)[1][0].did is Did.EXPIRING
