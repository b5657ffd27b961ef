"""Whatever a person is called, nobody else loses a record, and nothing personal is said."""

from __future__ import annotations

import logging
import traceback

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.errors import PrivacyError, Refused
from include.systems.addresses import same, sendable
from include.systems.erasing import Did
from include.systems.sendgrid.client import Accounts
from tests.openapi import Description
from tests.systems.people import HOSTILE, person
from tests.systems.sendgrid.account import Held
from tests.systems.sendgrid.conftest import DESCRIPTIONS, Service
from tests.vendor import Reply

OTHERS = ("victim@example.com", "kate@example.com", "strasse@example.com", "x@example.com", "xx@example.com")


def fill(held: Held) -> None:
    for number, email in enumerate(OTHERS):
        held.contact(number, email)
    for name in held.lists:
        held.lists[name] = list(OTHERS)
    held.groups = {"7": list(OTHERS)}


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_identifier_takes_nothing_from_anybody(service: Service, value: str) -> None:
    fill(service.twin.own)
    system, stranger = service.system(), person(value)
    found = system.find([stranger])
    [receipt] = system.erase(found)
    [seen] = system.verify([stranger], [receipt])
    assert (found[0].counts, receipt.gone, seen.remaining) == ({}, 0, 0)
    assert service.twin.own.everything() == set(OTHERS)
    assert len(service.twin.own.contacts) == len(OTHERS)
    assert all(set(map(same, job)) <= {same(value)} for job in service.twin.own.erased)
    assert receipt.did is (Did.ACCEPTED if sendable(value) else Did.FAILED if "@" in value else Did.ABSENT)


def test_a_hostile_identifier_beside_a_good_one_changes_nothing_for_it(service: Service) -> None:
    fill(service.twin.own)
    service.twin.own.contact(99, "ann@example.com")
    system = service.system()
    [receipt] = system.erase(system.find([person("ann@example.com", *HOSTILE)]))
    assert (receipt.did, receipt.gone) == (Did.FAILED, 1)
    assert receipt.job is not None
    assert service.twin.own.everything() == set(OTHERS)


LOCAL = st.from_regex(r"[a-c]{1,3}(\.[a-c]{1,2})?", fullmatch=True)
EMAILS = st.builds("{}@{}".format, LOCAL, st.sampled_from(["x.com", "xx.com", "x.com.au", "X.com"]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=st.lists(EMAILS, max_size=8, unique_by=same), mine=st.lists(EMAILS | st.sampled_from(HOSTILE), max_size=3))
def test_exactly_the_persons_addresses_are_gone(service: Service, known: list[str], mine: list[str]) -> None:
    held = Held()
    for number, email in enumerate(known):
        held.contact(number, email)
    for name in held.lists:
        held.lists[name] = [same(email) for email in known]
    held.groups = {"7": [same(email) for email in known]}
    service.twin.accounts[""] = held
    system = service.system()
    system.erase(system.find([person(*mine)]))
    own = {same(value) for value in mine if sendable(value)}
    assert {same(email) for email in held.everything()} == {same(email) for email in known} - own


@pytest.mark.parametrize("method", ["get", "delete"])
def test_no_empty_segment_can_turn_one_record_into_all(service: Service, method: str) -> None:
    bounces = Accounts(service.connection()).own.calls.suppression.bounces
    for value in ("", ".", ".."):
        with pytest.raises(Refused, match="nothing was sent"):
            getattr(bounces._(value), method)(tried="touch an entry")
    assert service.calls == []


def test_the_headers_of_a_call_are_not_those_of_the_next(service: Service) -> None:
    service.twin.accounts["events"] = Held()
    service.system().find([person("ann@example.com")])
    behalf = [call.headers.get("on-behalf-of") for call in service.calls]
    assert behalf.count("events") == behalf[2:].count(None) > 0
    assert behalf[:2] == [None, None]


@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_nothing_personal_is_logged_or_raised(
    service: Service, status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    fill(service.twin.own)
    if status != 200:
        service.twin.faults[("POST", "erasejob")] = [Reply(status, {"errors": [{"message": "kate@example.com"}]})] * 9
    system, kate = service.system(), person("kate@example.com")
    said = ""
    try:
        found = system.find([kate])
        receipts = system.erase(found)
        said = repr((found, receipts, system.verify([kate], receipts)))
    except PrivacyError:
        said = traceback.format_exc()
    captured = capfd.readouterr()
    for text in (said, caplog.text, captured.out, captured.err):
        assert "kate" not in text
        assert "SG.secret" not in text


def test_every_request_is_one_that_the_vendor_describes(service: Service) -> None:
    """The fixture fails a test on any that is not; here is what they are together."""
    description = Description(*DESCRIPTIONS)
    fill(service.twin.own)
    system, people = service.system(), [person(email, ref=f"req_{email}") for email in OTHERS]
    system.verify(people, system.erase(system.find(people)))
    service.twin.job_state = "pending"
    service.twin.own.contact(1, OTHERS[0])
    system.verify(people[:1], system.erase(system.find(people[:1])))
    assert {description.check_call(call) for call in service.calls} == {
        "DELETE /v3/asm/groups/{group_id}/suppressions/{email}",
        "DELETE /v3/asm/suppressions/global/{email}",
        "DELETE /v3/marketing/contacts",
        "DELETE /v3/suppression/blocks",
        "DELETE /v3/suppression/bounces",
        "DELETE /v3/suppression/invalid_emails",
        "DELETE /v3/suppression/spam_reports",
        "GET /v3/asm/groups",
        "GET /v3/asm/suppressions/{email}",
        "GET /v3/marketing/contacts/imports/{id}",
        "GET /v3/scopes",
        "GET /v3/subusers",
        "GET /v3/suppression/blocks",
        "GET /v3/suppression/bounces",
        "GET /v3/suppression/invalid_emails",
        "GET /v3/suppression/spam_reports",
        "GET /v3/suppression/unsubscribes",
        "POST /v3/asm/groups/{group_id}/suppressions/search",
        "POST /v3/marketing/contacts/search/emails",
        "POST /v3/recipients/erasejob",
    }
