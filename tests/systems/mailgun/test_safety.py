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
from include.systems.mailgun import entries
from include.systems.mailgun.client import connect
from include.systems.mailgun.entries import Entry
from tests.openapi import Description
from tests.systems.mailgun.account import KINDS, MailgunTwin
from tests.systems.mailgun.conftest import DESCRIPTION, Service, as_it_is
from tests.systems.people import HOSTILE, NOW, person
from tests.vendor import Reply

OTHERS = ("victim@example.com", "kate@example.com", "strasse@example.com", "x@example.com", "xx@example.com")


def fill(twin: MailgunTwin, emails: tuple[str, ...] = OTHERS) -> None:
    for kind in KINDS:
        twin.hold(kind, *emails)
    twin.lists = {"": {"news@mg.example.com": list(emails)}}


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_identifier_takes_nothing_from_anybody(service: Service, value: str) -> None:
    fill(service.twin)
    system, stranger = service.system(), person(value)
    found = system.find([stranger])
    [receipt] = system.erase(found)
    assert (found[0].counts, receipt.gone, system.verify([stranger], [receipt])[0].remaining) == ({}, 0, 0)
    assert service.server.asked("DELETE") == []
    assert service.twin.everything() == set(OTHERS)
    assert receipt.did is (Did.FAILED if "@" in value and not sendable(value) else Did.ABSENT)


def test_a_hostile_identifier_beside_a_good_one_changes_nothing_for_it(service: Service) -> None:
    fill(service.twin)
    service.twin.hold("bounces", "ann@example.com")
    system = service.system()
    [receipt] = system.erase(system.find([person("ann@example.com", *HOSTILE)]))
    assert (receipt.did, receipt.gone) == (Did.FAILED, 1)
    assert receipt.next_action is not None
    assert service.twin.everything() == set(OTHERS)


LOCAL = st.from_regex(r"[a-c]{1,3}(\.[a-c]{1,2})?", fullmatch=True)
EMAILS = st.builds("{}@{}".format, LOCAL, st.sampled_from(["x.com", "xx.com", "x.com.au"]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=st.lists(EMAILS, max_size=8, unique=True), mine=st.lists(EMAILS | st.sampled_from(HOSTILE), max_size=3))
def test_exactly_the_persons_addresses_are_gone(service: Service, known: list[str], mine: list[str]) -> None:
    service.twin.suppressed.clear()
    fill(service.twin, tuple(known))
    system = service.system()
    system.erase(system.find([person(*mine)]))
    assert service.twin.everything() == set(known) - {same(value) for value in mine if sendable(value)}


@pytest.mark.parametrize("kind", entries.LISTS)
@pytest.mark.parametrize("value", ["", ".", "..", "/", "*", "%", "example.com"])
def test_no_deletion_of_a_whole_list_can_be_built(service: Service, kind: str, value: str) -> None:
    with pytest.raises(Refused):
        entries.remove(connect(service.connection()), Entry(kind, "mg.example.com", "", value))
    assert service.calls == []


def test_an_allowed_domain_is_nobodys(service: Service) -> None:
    service.twin.hold("whitelists", "example.com", "@example.com", "")
    system = service.system()
    system.erase(system.find([person("ann@example.com", "example.com", "")]))
    assert service.server.asked("DELETE") == []


@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_nothing_personal_is_logged_or_raised(
    service: Service, status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    fill(service.twin)
    service.twin.happened(NOW, "kate@example.com")
    if status != 200:
        service.twin.faults[("DELETE", "complaints")] = [Reply(status, {"message": "kate@example.com"})] * 9
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
        assert "key-secret" not in text


def test_every_request_is_one_that_the_vendor_describes(service: Service) -> None:
    """The fixture fails a test on any that is not; here is what they are together."""
    description = Description(DESCRIPTION, patch=as_it_is)
    fill(service.twin)
    service.twin.hold("bounces", *(f"other{number}@example.com" for number in range(1000)))
    service.twin.lists["news"] = {}
    service.twin.lists[""]["big@mg.example.com"] = [f"other{number}@example.com" for number in range(200)]
    system, people = service.system(), [person(OTHERS[0])]
    system.verify(people, system.erase(system.find(people)))
    service.twin.log = False
    system.find(people)
    assert {description.check_call(call) for call in service.calls} == {
        *(f"GET /v3/{{domain_name}}/{kind}" for kind in KINDS),
        *(f"DELETE /v3/{{domain_name}}/{kind}/{{{'value' if kind == 'whitelists' else 'address'}}}" for kind in KINDS),
        "GET /v3/{domain_name}/bounces/{address}",
        "GET /v3/lists/pages",
        "GET /v3/lists/{list_address}/members/pages",
        "GET /v3/lists/{list_address}/members/{member_address}",
        "DELETE /v3/lists/{list_address}/members/{member_address}",
        "GET /v4/domains",
        "GET /v3/{domain_name}/events",
        "POST /v1/analytics/logs",
    }
