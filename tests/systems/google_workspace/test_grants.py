"""Grants, channels and address books: what ends, what is left alone, and what cannot be known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from include.errors import Refused, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox.faults import Fault, FaultKind
from include.sandbox.google_workspace import CALENDAR, CONTACTS, GMAIL
from include.systems.erasing import Did
from tests.systems.conformance.means import NOW, Somebody

TOKEN, CHANNEL = IdentifierKind.OAUTH_TOKEN, IdentifierKind.NOTIFICATION_CHANNEL
ALL = (GMAIL, CALENDAR, CONTACTS)


def ann(**known):
    given = {TOKEN: ["google:1//ann"], CHANNEL: ["google:c1/r1"], IdentifierKind.EMAIL: ["ann@example.com"]}
    return Somebody(1, {**given, **{IdentifierKind(kind): values for kind, values in known.items()}})


def run(google, person, **extra):
    with google.system(**extra) as system:
        subjects = [person.subject()]
        found = system.find(subjects)
        receipts = system.erase(found)
        return found[0], receipts[0], system.verify(subjects, receipts)[0]


def test_a_grant_is_gone_by_googles_own_word(google):
    google.twin.allow("1//ann", "ann@example.com", watch=True)
    google.twin.open_channel("1//ann", "c1", "r1")
    found, receipt, seen = run(google, ann())
    assert (dict(found.counts), receipt.did, receipt.gone) == ({"grants": 1, "channels": 1}, Did.GONE, 2)
    assert (seen.remaining, seen.proved) == (0, True)
    last = google.wire.exchanges[-1]
    assert (last.path, last.status, last.got["error"]) == ("/token", 400, "invalid_grant")


def test_a_second_revocation_is_answered_invalid_token_and_is_done(google):
    google.faults.add(Fault("google_workspace", FaultKind.LOST_ANSWER, "revoke"))
    google.twin.allow("1//ann", "ann@example.com")
    _, receipt, seen = run(google, ann())
    assert (receipt.did, seen.remaining) == (Did.GONE, 0)
    assert [each.got for each in google.wire.asked("/revoke")][-1]["error"] == "invalid_token"


def test_a_grant_that_was_withdrawn_before_is_absent_and_its_channels_are_not_tried(google):
    _, receipt, seen = run(google, ann())
    assert (receipt.did, seen.remaining, seen.proved) == (Did.ABSENT, 0, True)
    assert google.wire.asked("stop") == []


def test_a_channel_without_any_grant_is_awaited_for_as_long_as_channels_last(google):
    person = ann(oauth_token=[])
    found, receipt, seen = run(google, person)
    until = NOW + timedelta(days=7)
    assert (receipt.did, receipt.until, found.clean_at) == (Did.EXPIRING, until, until)
    assert (seen.remaining, seen.until, seen.proved) == (0, until, False)
    google.clock.now = until + timedelta(hours=1)
    with google.system() as system:
        (later,) = system.verify([person.subject()], [receipt])
    assert (later.remaining, later.until, later.proved) == (0, None, True)


def test_a_channel_of_somebody_elses_grant_is_not_stopped(google):
    google.twin.allow("1//ann", "ann@example.com")
    google.twin.allow("1//ben", "ben@example.com")
    google.twin.open_channel("1//ben", "c1", "r1")
    _, receipt, _ = run(google, ann())
    assert (receipt.did, receipt.gone) == (Did.GONE, 1)
    assert google.left() == {"grants", "channels"}


def test_a_grant_for_other_things_is_revoked_all_the_same(google):
    google.twin.allow("1//ann", "ann@example.com", ())
    google.twin.open_channel("1//ann", "c1", "r1")
    _, receipt, seen = run(google, ann(), contacts=True)
    assert (receipt.did, receipt.gone, seen.remaining) == (Did.GONE, 1, 0)


def test_address_books_are_left_alone_by_default(google):
    google.twin.allow("1//ann", "ann@example.com", ALL)
    google.twin.add_contact("1//ann", "people/c1", "ann@example.com")
    run(google, ann())
    assert google.left() == {"contacts"}
    assert google.wire.asked("people") == []


def test_of_an_address_book_only_exact_contacts_go_and_before_the_grant(google):
    google.twin.allow("1//ann", "ann@example.com", ALL)
    google.twin.add_contact("1//ann", "people/c1", "Ann@Example.com")
    google.twin.add_contact("1//ann", "people/c2", "ann@example.com.au")
    google.twin.add_contact("1//ann", "people/c3", "joann@example.com")
    found, receipt, seen = run(google, ann(), contacts=True)
    assert (found.counts["contacts"], receipt.gone, seen.remaining) == (1, 2, 0)
    assert [record["resourceName"] for kind, record in google.twin.records()] == ["people/c2", "people/c3"]


def test_contacts_that_stay_keep_the_grant_alive(google):
    google.twin.allow("1//ann", "ann@example.com", ALL)
    google.twin.add_contact("1//ann", "people/c1", "ann@example.com")
    with google.system(contacts=True) as system:
        found = system.find([ann().subject()])
        google.faults.add(Fault("google_workspace", FaultKind.STATUS, "batchDelete", status=404))
        with pytest.raises(Unavailable):
            system.erase(found)
    assert google.left() == {"grants", "contacts"}


def test_ids_of_other_services_and_halves_of_channels_are_nothing(google):
    odd = ann(
        oauth_token=["microsoft:1//ann", "google:", "google: ", "1//ann", "google"],
        notification_channel=["google:c1", "google:/r1", "google:c1/", "microsoft:c1/r1"],
    )
    google.twin.allow("1//ann", "ann@example.com")
    google.twin.open_channel("1//ann", "c1", "r1")
    assert run(google, odd)[1].did is Did.ABSENT
    assert google.wire.exchanges == []


def test_an_unknown_application_is_refused_and_no_grant_is_taken_for_gone(google):
    google.twin.allow("1//ann", "ann@example.com")
    wrong = replace(google.connection(), password="wrong")
    with google.system(wrong) as system:
        with pytest.raises(Refused):
            system.find([ann().subject()])
        with pytest.raises(Refused):
            system.access()


@pytest.mark.parametrize("error", ["invalid_request", "unsupported_grant_type", "", None])
def test_only_invalid_grant_says_that_a_grant_is_gone(google, error, monkeypatch):
    from include.sandbox.rest import Reply

    body = {"error": error} if error is not None else None
    routes = google.twin._routes
    monkeypatch.setattr(routes, "find", lambda ask: lambda: Reply(400, body))
    with google.system() as system, pytest.raises(Refused):
        system.find([ann().subject()])


def test_access_touches_no_grant_of_anybody(google):
    with google.system() as system:
        access = system.access()
    assert (access.missing, access.excess, access.shown) == ((), (), False)
    assert [each.sent["refresh_token"] for each in google.wire.exchanges] == ["a-grant-of-nobody"]


def test_an_export_says_what_a_grant_allows_and_shows_no_token(google):
    google.twin.allow("1//ann", "ann@example.com")
    google.twin.open_channel("1//ann", "c1", "r1")
    with google.system() as system:
        (exported,) = system.export([ann().subject()])
    assert exported.records["grants"] == [{"scopes": [GMAIL, CALENDAR]}]
    assert exported.records["channels"] == [{"id": "c1", "resourceId": "r1"}]
    assert "1//ann" not in str(exported.records)


def test_every_call_is_paced(google):
    google.twin.allow("1//ann", "ann@example.com")
    run(google, ann())
    assert google.budgets.paced == {"google_workspace": len(google.wire.exchanges)}


@pytest.mark.parametrize("missing", ["login", "password"])
def test_a_connection_without_an_application_is_refused_before_any_call(google, missing):
    with pytest.raises(Refused), google.system(replace(google.connection(), **{missing: None})):
        pass


@pytest.mark.parametrize("number", [0, -1, True, "10"])
def test_a_pace_that_is_none_is_refused(google, number):
    with pytest.raises(Refused), google.system(calls_per_second=number):
        pass


def test_the_mail_watch_of_the_person_is_stopped_before_the_grant_goes_and_no_other_one(google):
    google.twin.allow("1//ann", "ann@example.com", watch=True)
    google.twin.allow("1//ben", "ben@example.com", watch=True)
    google.faults.add(Fault("google_workspace", FaultKind.STATUS, "revoke", status=500, times=99))
    with google.system() as system:
        found = system.find([ann().subject()])
        with pytest.raises(Unavailable):
            system.erase(found)
    watched = {record["token"]: record["mail_watch"] for kind, record in google.twin.records() if kind == "grants"}
    assert watched == {"1//ann": False, "1//ben": True}
