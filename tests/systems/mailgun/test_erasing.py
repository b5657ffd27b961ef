"""A person is taken off Mailgun's lists in all domains; events are left to expire; nobody else is touched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include.errors import Refused, Throttled, Unavailable
from include.systems import registry
from include.systems.erasing import Did
from include.systems.mailgun import ERASING_CARD
from tests.systems.mailgun.account import KINDS
from tests.systems.mailgun.conftest import Service
from tests.systems.people import NOW, means, person
from tests.vendor import Reply

ANN, PAST, BOB = "ann@example.com", "ann.old@example.org", "joann@example.com"
OTHER = "mail.example.net"
MONTH = timedelta(days=30)


@pytest.fixture
def full(service: Service) -> Service:
    """Ann on every list of the account and of a subaccount, and Bob, whose address ends with hers."""
    twin = service.twin
    twin.domains[OTHER] = "sub-1"
    for domain in twin.domains:
        for kind in KINDS:
            twin.hold(kind, BOB, "Ann@Example.com", f"{ANN}.au", domain=domain)
        twin.hold("bounces", PAST, domain=domain)
        twin.hold("whitelists", "example.com", domain=domain)
    twin.lists = {"": {"news@mg.example.com": [BOB, ANN], "dev@mg.example.com": [BOB]}, "sub-1": {"n@x.yy": [ANN]}}
    return service


def test_everything_of_a_person_is_found_and_counted(full: Service) -> None:
    full.twin.happened(NOW - timedelta(days=3), ANN)
    full.twin.happened(NOW - timedelta(days=9), ANN)
    full.twin.happened(NOW, BOB)
    [found] = full.system().find([person(ANN, PAST)])
    assert found.counts == {
        "bounces": 4,
        "complaints": 2,
        "events": 2,
        "list_members": 2,
        "unsubscribes": 2,
        "whitelists": 2,
    }
    assert found.clean_at == NOW - timedelta(days=3) + MONTH


def test_a_person_is_taken_off_everything_and_nobody_else_is(full: Service) -> None:
    system, ann = full.system(), person(ANN, PAST)
    [receipt] = system.erase(system.find([ann]))
    assert (receipt.did, receipt.gone, receipt.until) == (Did.GONE, 12, None)
    assert full.twin.everything() == {BOB, f"{ANN}.au", "example.com"}
    [seen] = system.verify([ann], [receipt])
    assert (seen.remaining, seen.until, seen.proved) == (0, None, True)
    assert full.waits == []


def test_events_expire_thirty_days_after_the_newest(full: Service) -> None:
    full.twin.happened(NOW - timedelta(days=3), ANN)
    full.twin.happened(NOW - timedelta(days=9), PAST)
    system, ann = full.system(), person(ANN, PAST)
    [receipt] = system.erase(system.find([ann]))
    until = NOW - timedelta(days=3) + MONTH
    assert (receipt.did, receipt.gone, receipt.until) == (Did.EXPIRING, 12, until)
    [seen] = system.verify([ann], [receipt])
    assert (seen.remaining, seen.until) == (0, until)
    full.twin.events.clear()
    [seen] = system.verify([ann], [receipt])
    assert (seen.remaining, seen.until, seen.proved) == (0, None, True)


def test_an_address_written_with_capitals_is_asked_for_both_ways(service: Service) -> None:
    service.twin.happened(NOW, "Ann@Example.com")
    service.twin.happened(NOW, "ann@example.com")
    assert service.system().find([person("Ann@Example.com")])[0].counts == {"events": 2}


def test_a_person_of_whom_nothing_is_held_is_absent(service: Service) -> None:
    system, ann = service.system(), person(ANN)
    [receipt] = system.erase(system.find([ann]))
    assert (receipt.did, receipt.gone, receipt.until) == (Did.ABSENT, 0, None)
    assert service.server.asked("DELETE") == []


def test_a_second_erasure_finds_nothing(full: Service) -> None:
    system, ann = full.system(), person(ANN, PAST)
    system.erase(system.find([ann]))
    assert system.erase(system.find([ann]))[0].did is Did.ABSENT


def test_a_person_without_an_address_is_absent_without_a_call(service: Service) -> None:
    system, nobody = service.system(), person()
    [receipt] = system.erase(system.find([nobody]))
    assert (receipt.did, system.verify([nobody], [receipt])[0].remaining) == (Did.ABSENT, 0)
    assert service.calls == []


def test_lists_that_the_policy_keeps_stay_with_their_ground(full: Service) -> None:
    system, ann = full.system(keep=frozenset({"unsubscribes"})), person(ANN)
    [found] = system.find([ann])
    assert [(stays.what, stays.count, stays.ground) for stays in found.stays] == [("unsubscribes", 2, "A proof.")]
    [receipt] = system.erase([found])
    assert "Ann@Example.com" in full.twin.suppressed[OTHER, "unsubscribes"]
    assert "Ann@Example.com" not in full.twin.suppressed[OTHER, "bounces"]
    assert system.verify([ann], [receipt])[0].remaining == 0


def test_a_list_that_does_not_exist_can_not_be_kept(service: Service) -> None:
    with pytest.raises(Refused, match="global"):
        service.system(keep=frozenset({"global"}))


def test_an_entry_said_to_be_absent_is_asked_for_once_more(service: Service) -> None:
    """The first 404 comes from a read that lags behind; the second one is believed."""
    service.twin.hold("bounces", ANN)
    service.twin.hold("complaints", ANN)
    system = service.system()
    found = system.find([person(ANN)])
    service.twin.faults[("DELETE", "bounces")] = [Reply(404, {"message": "Address not found in bounces table"})]
    service.twin.suppressed["mg.example.com", "complaints"].clear()
    [receipt] = system.erase(found)
    assert (receipt.did, receipt.gone, service.waits) == (Did.GONE, 1, [2.0])
    assert service.twin.everything() == set()


def test_what_is_still_shown_after_the_removal_is_looked_at_once_more(service: Service) -> None:
    service.twin.hold("bounces", ANN)
    system, ann = service.system(), person(ANN)
    receipts = system.erase(system.find([ann]))
    stale = Reply(200, {"items": [{"address": ANN}], "paging": {}})
    service.twin.faults[("GET", "bounces")] = [stale]
    assert (system.verify([ann], receipts)[0].remaining, service.waits) == (0, [2.0])
    service.twin.faults[("GET", "bounces")] = [stale, stale]
    assert system.verify([ann], receipts)[0].remaining == 1


def test_each_of_a_batch_gets_the_own_counts(service: Service) -> None:
    people = [person(f"p{number}@example.com", ref=f"req_{number:016}") for number in range(120)]
    for number in range(0, 120, 2):
        service.twin.hold("bounces", f"p{number}@example.com")
    system = service.system()
    found = system.find(people)
    assert [each.total for each in found] == [1, 0] * 60
    assert [receipt.did for receipt in system.erase(found)] == [Did.GONE, Did.ABSENT] * 60
    assert service.twin.everything() == set()


@pytest.mark.parametrize(
    ("listed", "people", "pages", "single"), [(5, 1, 1, 0), (1000, 1, 1, 1), (2100, 4, 4, 0), (9000, 3, 3, 3)]
)
def test_a_list_costs_at_most_about_twice_the_fewest_calls(
    service: Service, listed: int, people: int, pages: int, single: int
) -> None:
    emails = [f"p{number}@example.com" for number in range(people)]
    service.twin.hold("bounces", *[f"other{number}@example.com" for number in range(listed - 1)], *emails[:1])
    assert service.system().find([person(*emails)])[0].counts == {"bounces": 1}
    asked = service.server.asked("GET", "/bounces")
    assert len([call for call in asked if call.query]) == pages
    assert len([call for call in asked if not call.query]) == single


def test_short_pages_are_followed_to_the_end(full: Service) -> None:
    """The vendor may give less than it was asked for, but not less than its own page."""
    full.twin.page = 100
    full.twin.hold("complaints", *(f"other{number}@example.com" for number in range(600)), PAST)
    [found] = full.system().find([person(ANN, PAST, *(f"p{number}@example.com" for number in range(9)))])
    assert found.counts["complaints"] == 3
    assert not [call for call in full.server.asked("GET", "/complaints") if not call.query]


def test_many_domains_are_all_looked_at(service: Service) -> None:
    service.twin.domains |= {f"d{number}.example.com": "" for number in range(3)}
    service.twin.hold("complaints", ANN, domain="d2.example.com")
    assert service.system().find([person(ANN)])[0].counts == {"complaints": 1}


def test_a_next_page_on_another_host_is_refused(service: Service) -> None:
    away = {"items": [{"address": BOB}] * 1000, "paging": {"next": "https://evil.example/v3/x/bounces?page=2"}}
    service.twin.faults[("GET", "bounces")] = [Reply(200, away)]
    with pytest.raises(Refused, match="another"):
        service.system().find([person(ANN, PAST)])


def test_events_are_read_domain_by_domain_where_there_is_no_log(full: Service) -> None:
    full.twin.log = False
    full.twin.page = 2
    for number in range(5):
        full.twin.happened(NOW - timedelta(days=number), ANN)
    full.twin.happened(NOW, BOB)
    system = full.system()
    [receipt] = system.erase(system.find([person(ANN)]))
    assert (receipt.did, receipt.until) == (Did.EXPIRING, NOW + MONTH)


def test_all_pages_of_the_log_are_read_and_others_events_left_out(service: Service) -> None:
    for number in range(250):
        service.twin.happened(NOW - timedelta(minutes=number), ANN)
        service.twin.happened(NOW - timedelta(minutes=number), BOB)
    assert service.system().find([person(ANN)])[0].counts == {"events": 250}


def test_nothing_is_known_when_a_list_fails(service: Service) -> None:
    service.twin.faults[("GET", "complaints")] = [Reply(500)] * 9
    with pytest.raises(Unavailable, match="complaints"):
        service.system().find([person(ANN)])


def test_a_missing_list_is_not_an_absent_person(service: Service) -> None:
    service.twin.faults[("GET", "complaints")] = [Reply(404, {"message": "Domain not found"})]
    with pytest.raises(Refused, match="404"):
        service.system().find([person(ANN)])


def test_throttling_is_waited_for_as_the_body_says(service: Service) -> None:
    service.twin.faults[("GET", "domains")] = [Reply(429, {"message": "slow", "retry-seconds": 20})]
    service.system().find([person(ANN)])
    assert service.waits == [20.0]
    service.twin.faults[("GET", "domains")] = [Reply(429, {"message": "slow", "retry-seconds": 60})]
    with pytest.raises(Throttled) as caught:
        service.system().find([person(ANN)])
    assert caught.value.retry_after == 60


def test_the_registry_knows_the_module() -> None:
    assert registry.erasing_card("mailgun") is ERASING_CARD


def test_a_connection_without_a_key_is_refused() -> None:
    from include.connection import Connection

    with pytest.raises(Refused, match="API key"):
        registry.connect_erasing(Connection("mailgun"), means())
